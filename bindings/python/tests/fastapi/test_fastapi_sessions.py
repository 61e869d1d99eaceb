"""What a request gets: its session, 401, or 503; and what decides which."""

from __future__ import annotations

import inspect
import logging
from typing import Callable

import pytest
from fastapi.testclient import TestClient
from routes import bearer, cookie, make_app

from hanko import AsyncClient, ConfigurationError
from hanko.fastapi import Hanko, optional_session, require_session
from hanko.standin import SigningKey, StandIn

NOT_LOGGED_IN = {"detail": "Invalid token"}
UNAVAILABLE = {"detail": "Authentication service unavailable"}


@pytest.mark.parametrize("path", ["/me", "/blocking", "/security"])
@pytest.mark.parametrize("header", [cookie, bearer])
def test_a_valid_session_reaches_the_route(
    client: TestClient, standin: StandIn, path: str, header: Callable[[str], dict[str, str]]
) -> None:
    session = standin.mint_session()
    answer = client.get(path, headers=header(session.token))
    assert answer.status_code == 200
    assert answer.json()["user_id"] == session.user_id


@pytest.mark.parametrize("path", ["/me", "/blocking", "/security"])
def test_no_token_is_401_and_nothing_is_asked(client: TestClient, standin: StandIn, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (401, NOT_LOGGED_IN)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Cookie, Authorization"
    assert "retry-after" not in answer.headers
    assert standin.requests == 0


@pytest.mark.parametrize("kind", ["forged", "expired", "revoked"])
def test_a_refused_token_is_401(client: TestClient, standin: StandIn, kind: str) -> None:
    if kind == "revoked":
        session = standin.mint_session()
        standin.revoke(session)
    else:
        session = standin.mint_forged() if kind == "forged" else standin.mint_expired()
    answer = client.get("/me", headers=cookie(session.token))
    assert (answer.status_code, answer.json()) == (401, NOT_LOGGED_IN)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/me", "/optional"])
def test_an_outage_is_503(client: TestClient, standin: StandIn, path: str) -> None:
    session = standin.mint_session()
    standin.stop_listening()
    answer = client.get(path, headers=cookie(session.token))
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Cookie, Authorization"
    assert "www-authenticate" not in answer.headers
    standin.start_listening()
    assert client.get(path, headers=cookie(session.token)).status_code == 200


def test_a_hanko_that_is_too_slow_is_503(standin: StandIn) -> None:
    standin.delay_ms = 2000
    client = TestClient(make_app(Hanko(timeout=0.1)))
    answer = client.get("/me", headers=cookie(standin.mint_session().token))
    assert (answer.status_code, answer.json()) == (503, {"detail": "Authentication service timeout"})
    standin.delay_ms = 0


def test_the_bearer_comes_first_and_any_valid_cookie_serves(client: TestClient, standin: StandIn) -> None:
    one, other = standin.mint_session(), standin.mint_session()
    answer = client.get("/me", headers={**cookie(one.token), **bearer(other.token)})
    assert answer.json()["user_id"] == other.user_id
    answer = client.get("/me", headers=cookie(standin.mint_expired().token, one.token))
    assert answer.json()["user_id"] == one.user_id


def test_split_cookie_headers_are_joined(client: TestClient, standin: StandIn) -> None:
    session = standin.mint_session()
    split = [("Cookie", "theme=dark"), ("Cookie", f"hanko={session.token}"), ("Cookie", "language=en")]
    assert client.get("/me", headers=split).json()["user_id"] == session.user_id


def test_an_optional_session(client: TestClient, standin: StandIn) -> None:
    session = standin.mint_session()
    stale = standin.mint_expired()
    assert client.get("/optional", headers=cookie(session.token)).json() == {"user_id": session.user_id}
    for headers in ({}, cookie(stale.token), bearer("nonsense")):
        answer = client.get("/optional", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"user_id": None})
        assert answer.headers["vary"] == "Cookie, Authorization"


def test_head_is_asked_like_get(client: TestClient, standin: StandIn) -> None:
    assert client.head("/me").status_code == 401
    assert client.head("/me", headers=cookie(standin.mint_session().token)).status_code == 200


PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}


def test_a_preflight_passes_unasked(client: TestClient, standin: StandIn) -> None:
    """Where no route takes OPTIONS, the router answers; with CORS, its middleware (test_fastapi_vary)."""
    assert client.options("/me", headers={**PREFLIGHT, **cookie("nonsense")}).status_code == 405
    assert standin.requests == 0


def test_no_route_runs_without_a_session_because_a_request_claims_to_be_a_preflight(
    client: TestClient, standin: StandIn
) -> None:
    assert client.options("/options", headers=PREFLIGHT).status_code == 401
    assert client.options("/options", headers={**PREFLIGHT, **cookie("nonsense")}).status_code == 401


def test_options_without_a_preflight_is_asked(client: TestClient, standin: StandIn) -> None:
    session = standin.mint_session()
    assert client.options("/options").status_code == 401
    assert client.options("/options", headers=cookie(session.token)).json() == {"user_id": session.user_id}


def test_a_get_that_claims_to_be_a_preflight_is_asked(client: TestClient, standin: StandIn) -> None:
    assert client.get("/me", headers={"Access-Control-Request-Method": "GET"}).status_code == 401


def test_a_request_is_asked_about_once(client: TestClient, standin: StandIn) -> None:
    answer = client.get("/both", headers=cookie(standin.mint_session().token))
    assert answer.json() == {"same": True}
    assert standin.requests == 1


def test_two_hankos_ask_for_themselves(standin: StandIn, signing_key: SigningKey) -> None:
    with StandIn(key=signing_key, cookie_name="other") as other:
        first = Hanko(standin.api_url)
        second = Hanko(other.api_url, cookie_name="other")
        app = make_app(first)
        app.mount("/other", make_app(second))
        client = TestClient(app)
        of_first, of_second = standin.mint_session(), other.mint_session()
        headers = {"Cookie": f"hanko={of_first.token}; other={of_second.token}"}
        assert client.get("/me", headers=headers).json()["user_id"] == of_first.user_id
        assert client.get("/other/me", headers=headers).json()["user_id"] == of_second.user_id


def test_explicit_beats_environment(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", "http://127.0.0.1:9")
    session = standin.mint_session()
    assert TestClient(make_app(Hanko(standin.api_url))).get("/me", headers=cookie(session.token)).status_code == 200
    assert TestClient(make_app(Hanko())).get("/me", headers=cookie(session.token)).status_code == 503


def test_a_changed_environment_is_followed(
    client: TestClient, standin: StandIn, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/me", headers=cookie(standin.mint_session().token)).status_code == 200
    with StandIn(key=signing_key) as other:
        session = other.mint_session()
        assert client.get("/me", headers=cookie(session.token)).status_code == 401
        monkeypatch.setenv("HANKO_API_URL", other.api_url)
        assert client.get("/me", headers=cookie(session.token)).status_code == 200


def test_without_an_api_url_requests_are_503_and_the_reason_is_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="hanko"):
        answer = client.get("/optional", headers=cookie("a-token"))
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert "HANKO_API_URL" in caplog.text
    assert "a-token" not in caplog.text


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -1}, ConfigurationError),
        ({"max_connections": 0}, ConfigurationError),
        ({"audiences": "example.com"}, ConfigurationError),
        ({"timeout": "10"}, TypeError),
    ],
)
def test_an_argument_of_no_use_is_refused_at_once(options: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        Hanko(**options)  # type: ignore[arg-type]


def test_every_argument_of_the_client_is_one_here() -> None:
    expected = inspect.signature(AsyncClient).parameters
    parameters = inspect.signature(Hanko).parameters
    assert {name: parameter.kind for name, parameter in parameters.items()} == {
        name: parameter.kind for name, parameter in expected.items()
    }


def test_the_token_is_in_no_answer_and_no_log(
    client: TestClient, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    token = standin.mint_forged().token
    with caplog.at_level(logging.DEBUG):
        answers = [client.get("/me", headers=cookie(token))]
        standin.stop_listening()
        answers.append(client.get("/me", headers=bearer(token)))
    assert [answer.status_code for answer in answers] == [401, 503]
    for text in (*(answer.text + repr(answer.headers) for answer in answers), caplog.text):
        assert token not in text and token.rpartition(".")[2] not in text


def test_the_functions_of_the_module_are_those_of_one_hanko() -> None:
    assert require_session is not optional_session
    assert require_session.__module__ == "hanko.fastapi"
    auth = Hanko()
    assert auth.require_session is auth.require_session
    assert auth.require_session is not require_session
