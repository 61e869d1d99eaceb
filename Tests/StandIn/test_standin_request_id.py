"""`X-Request-Id`: echoed unchanged on every answer, and made by the stand-in where a request has none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hanko.standin import StandIn
from hanko.standin.answers import Answer, HTTPError
from raw_http import Connection, Response

PATH = "/sessions/validate"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
OWN = re.compile(r"[A-Za-z]{32}")

# What is asked, in which the words stand for tokens, and the status of the answer.
REQUESTS: dict[str, tuple[str, str, str, Any, int]] = {
    "yes": ("POST", PATH, JSON, {"session_token": "good"}, 200),
    "no": ("POST", PATH, JSON, {"session_token": "bad"}, 200),
    "idle for too long": ("POST", PATH, JSON, {"session_token": "idle"}, 200),
    "a token of another kind": ("POST", PATH, JSON, {"session_token": "webhook"}, 400),
    "no token": ("POST", PATH, JSON, {}, 400),
    "not JSON": ("POST", PATH, JSON, "{", 400),
    "a form": ("POST", PATH, FORM, "session_token=x", 400),
    "another type": ("POST", PATH, "text/plain", "x", 415),
    "in a header": ("GET", PATH, "", None, 200),
    "another path": ("POST", "/nothing", JSON, {"session_token": "good"}, 404),
    "another method": ("PUT", PATH, JSON, {"session_token": "good"}, 404),
    "HEAD": ("HEAD", PATH, "", None, 404),
    "OPTIONS": ("OPTIONS", PATH, "", None, 204),
    "key set": ("GET", "/.well-known/jwks.json", "", None, 200),
    "alive": ("GET", "/health/alive", "", None, 200),
    "ready": ("GET", "/health/ready", "", None, 200),
    "nobody logs out": ("POST", "/logout", "", None, 401),
}

IDS = {
    "short": "1",
    "hexadecimal": "0123456789abcdef0123456789abcdef",
    "256 characters": "Aa0-" * 64,
    "punctuation": "a b;c,d:\"e\"/=?~!",
    "beyond ASCII": "\xe4\xff",
}


def exchange(
    connection: Connection, kind: tuple[str, str, str, Any, int], *ids: str, tokens: dict[str, str] | None = None
) -> Response:
    """Ask, with these fields `X-Request-Id`."""
    method, path, media_type, value, status = kind
    text = value if isinstance(value, str) else json.dumps(value)
    for word, token in (tokens or {}).items():
        text = text.replace(f'"{word}"', f'"{token}"')
    body = b"" if value is None else text.encode()
    headers = [("Host", "x"), *(("x-request-id", each) for each in ids)]
    if body:
        headers += [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {field}\r\n" for name, field in headers)
    connection.socket.sendall(head.encode("latin-1") + b"\r\n" + body)
    response = connection.receive(method)
    assert response.status == status
    return response


def ids_of(response: Response) -> list[str]:
    """Every value of the field in an answer."""
    return [value for name, value in response.headers if name.lower() == "x-request-id"]


@pytest.fixture
def tokens(make_standin: Any) -> tuple[StandIn, dict[str, str]]:
    """A stand-in, and what the words in `REQUESTS` stand for."""
    standin = make_standin(idle_timeout=60)
    idle = standin.mint_session().token
    webhook = standin.mint_webhook_token()
    standin.advance_clock(61)
    return standin, {"good": standin.mint_session().token, "idle": idle, "webhook": webhook}


@pytest.mark.parametrize("kind", REQUESTS)
def test_every_answer_echoes(tokens: tuple[StandIn, dict[str, str]], kind: str) -> None:
    standin, words = tokens
    with Connection(standin.api_url) as connection:
        for name, sent in IDS.items():
            assert ids_of(exchange(connection, REQUESTS[kind], sent, tokens=words)) == [sent], name


def test_each_of_many_on_one_connection(tokens: tuple[StandIn, dict[str, str]]) -> None:
    standin, words = tokens
    with Connection(standin.api_url) as connection:
        for number, kind in enumerate(REQUESTS.values()):
            assert ids_of(exchange(connection, kind, f"id-{number}", tokens=words)) == [f"id-{number}"]
    assert standin.connections == 1


@pytest.mark.parametrize("sent", [[], [""], ["", "second"]], ids=["none", "an empty one", "an empty one first"])
@pytest.mark.parametrize("kind", ["yes", "no", "not JSON", "another type", "HEAD", "key set", "ready"])
def test_its_own_where_the_request_has_none(
    tokens: tuple[StandIn, dict[str, str]], kind: str, sent: list[str]
) -> None:
    standin, words = tokens
    with Connection(standin.api_url) as connection:
        found = [ids_of(exchange(connection, REQUESTS[kind], *sent, tokens=words)) for _ in range(3)]
    assert all(len(ids) == 1 and OWN.fullmatch(ids[0]) for ids in found), found
    assert len({ids[0] for ids in found}) == 3


def test_the_first_of_several(standin: StandIn) -> None:
    with Connection(standin.api_url) as connection:
        assert ids_of(exchange(connection, REQUESTS["ready"], "first", "second")) == ["first"]


def test_without_its_database(standin: StandIn) -> None:
    standin.database_down = True
    no, key_set = REQUESTS["no"], (*REQUESTS["key set"][:4], 500)
    with Connection(standin.api_url) as connection:
        assert ids_of(exchange(connection, no, "my-id-1")) == ["my-id-1"]
        assert ids_of(exchange(connection, key_set, "my-id-2")) == ["my-id-2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 400), ("/x/health/alive", 400), ("/00000000-0000-0000-0000-000000000000/health/alive", 404)],
)
def test_errors_about_the_tenant(make_standin: Any, path: str, status: int) -> None:
    standin = make_standin(tenant=True)
    with Connection(standin.api_url) as connection:
        response = exchange(connection, ("GET", path, "", None, status), "my-id-1")
    assert ids_of(response) == ["my-id-1"]


def test_in_chunks(make_standin: Any) -> None:
    standin = make_standin(custom_claims={"blob": "x" * 6000})
    words = {"good": standin.mint_session().token}
    with Connection(standin.api_url) as connection:
        response = exchange(connection, REQUESTS["yes"], "my-id-1", tokens=words)
    assert response.chunks == 1
    assert ids_of(response) == ["my-id-1"]


def test_admin_port(standin: StandIn) -> None:
    with Connection(standin.admin_url) as connection:
        assert ids_of(exchange(connection, ("GET", "/users", "", None, 200), "my-id-1")) == ["my-id-1"]
        assert ids_of(exchange(connection, ("GET", "/nothing", "", None, 404), "my-id-2")) == ["my-id-2"]


# What a test may have it answer instead of Hanko's own, with the reason phrase that Go writes.
SCRIPTED = {
    200: "OK",
    301: "Moved Permanently",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    425: "Too Early",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    599: "status code 599",
}


@pytest.mark.parametrize("status", SCRIPTED)
@pytest.mark.parametrize("raised", [False, True], ids=["given", "raised"])
def test_scripted_answers_echo(standin: StandIn, status: int, raised: bool) -> None:
    def answer(request: Any) -> Answer:
        if raised:
            raise HTTPError(status, "scripted")
        return Answer(status, {"code": status, "message": "scripted"})

    standin.intercept = answer
    kind = (*REQUESTS["no"][:4], status)
    with Connection(standin.api_url) as connection:
        for number in range(2):
            response = exchange(connection, kind, f"id-{number}")
            assert response.status_line == f"HTTP/1.1 {status} {SCRIPTED[status]}"
            assert response.json() == {"code": status, "message": "scripted"}
            assert ids_of(response) == [f"id-{number}"]
        assert OWN.fullmatch(ids_of(exchange(connection, kind))[0])
