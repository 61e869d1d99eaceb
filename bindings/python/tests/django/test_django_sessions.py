"""The middleware, `@session_required` and `get_session` under WSGI."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils.decorators import method_decorator
from project.urls import AsyncPage, shown

import hanko
from hanko import InvalidToken, NoToken, Session
from hanko.django import get_session, session_required
from hanko.pytest_plugin import HankoStandIn

VARY = "Cookie, Authorization"
WITHOUT_MIDDLEWARE = override_settings(MIDDLEWARE=[], HANKO_PROTECTED_PATHS=[])

# A method that is a coroutine, decorated by itself: older Djangos can do that with no decorator at all.
PART: Any = pytest.param(
    "/async/part",
    marks=pytest.mark.skipif(
        not iscoroutinefunction(method_decorator(lambda method: method)(AsyncPage.get)),
        reason="method_decorator of this Django does not know coroutines",
    ),
)
# Views that are guarded by the decorator.
DECORATED = ["/required", "/async/required", "/page", "/async/page", PART]
# Views that need a session, however they say so.
GUARDED = ["/api/me", "/api/async/me", *DECORATED]


# Answers


@pytest.mark.parametrize("path", GUARDED)
def test_a_session_by_cookie_or_bearer_is_let_through(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    for headers in (hanko_standin.cookie_header(session), hanko_standin.authorization_header(session)):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"user_id": session.user_id})
        assert answer["Vary"] == VARY


@pytest.mark.parametrize("path", GUARDED)
def test_no_token_is_401_without_asking(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})
    assert answer["WWW-Authenticate"] == "Bearer"
    assert (answer["Cache-Control"], answer["Vary"]) == ("no-store", VARY)
    assert hanko_standin.requests == ()


@pytest.mark.parametrize("path", GUARDED)
def test_a_refused_token_is_401(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.revoke(session)
    answer = client.get(path, headers=hanko_standin.authorization_header(session))
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})
    assert answer["WWW-Authenticate"] == "Bearer"
    assert (answer["Cache-Control"], answer["Vary"]) == ("no-store", VARY)


@pytest.mark.parametrize("path", GUARDED)
def test_an_outage_is_503(
    client: Client, hanko_standin: HankoStandIn, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = hanko_standin.mint_session()
    with hanko_standin.broken("refusing"):
        answer = client.get(path, headers=hanko_standin.authorization_header(session))
    assert (answer.status_code, answer.json()) == (503, {"detail": "Authentication service unavailable"})
    assert int(answer["Retry-After"]) > 0
    assert (answer["Cache-Control"], answer["Vary"]) == ("no-store", VARY)
    assert "no connection to Hanko" in caplog.text
    assert session.token not in caplog.text


@override_settings(HANKO_TIMEOUT_MS=200)
def test_a_hanko_that_hangs_is_503_at_the_deadline(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    with hanko_standin.broken("hanging"):
        answer = client.get("/api/me", headers=headers)
    assert (answer.status_code, answer.json()) == (503, {"detail": "Authentication service timeout"})


# The decorator


@WITHOUT_MIDDLEWARE
@pytest.mark.parametrize("path", DECORATED)
def test_the_decorator_works_without_the_middleware(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.json(), answer["Vary"]) == (200, {"user_id": session.user_id}, VARY)

    answer = client.get(path)
    assert (answer.status_code, answer["WWW-Authenticate"], answer["Vary"]) == (401, "Bearer", VARY)
    with hanko_standin.broken("refusing"):
        answer = client.get(path, headers=headers)
    assert (answer.status_code, int(answer["Retry-After"]) > 0, answer["Vary"]) == (503, True, VARY)


@pytest.mark.parametrize("path", ["/optional", "/async/optional", "/maybe", "/async/maybe"])
def test_an_optional_session(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    assert client.get(path).json() == {"user_id": None}
    assert client.get(path, headers=headers).json() == {"user_id": session.user_id}

    hanko_standin.revoke(session)
    stale = client.get(path, headers=headers)
    assert (stale.status_code, stale.json(), stale["Vary"]) == (200, {"user_id": None}, VARY)

    with hanko_standin.broken():
        assert client.get(path, headers=headers).status_code == 503


def test_a_decorated_view_keeps_its_name() -> None:
    assert session_required(shown).__name__ == "shown"
    assert session_required(optional=True)(shown).__doc__ == shown.__doc__


def test_classes_and_methods_are_told_what_to_do() -> None:
    with pytest.raises(TypeError, match="method_decorator"):
        session_required(HankoStandIn)

    class Page:
        @session_required
        def get(self, request: HttpRequest) -> HttpResponse:
            raise AssertionError("this view must not run")

    with pytest.raises(TypeError, match="method_decorator"):
        Page().get(RequestFactory().get("/"))


# Asking


@pytest.mark.parametrize("path", ["/asked", "/async/asked", "/api/asked"])
def test_hanko_is_asked_once_a_request(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    answer = client.get(path, headers=hanko_standin.cookie_header(session))
    assert (answer.json(), answer["Vary"]) == ({"user_ids": [session.user_id] * 3}, VARY)
    assert len(hanko_standin.requests) == 1


def test_nested_decorators_ask_once(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert client.get("/nested", headers=headers).json() == {"same": True}
    assert len(hanko_standin.requests) == 1
    assert client.get("/nested", headers=hanko_standin.authorization_header("refused")).status_code == 401
    # The key set after the no.
    assert [request.method for request in hanko_standin.requests] == ["POST", "POST", "GET"]


@pytest.mark.parametrize("path", ["/open", "/async/open"])
def test_elsewhere_the_session_is_none_without_asking(client: Client, hanko_standin: HankoStandIn, path: str) -> None:
    answer = client.get(path, headers=hanko_standin.cookie_header(hanko_standin.mint_session()))
    assert answer.json() == {"user_id": None}
    assert "Vary" not in answer.headers
    assert hanko_standin.requests == ()


def test_it_is_a_session_and_no_lazy_object(hanko_standin: HankoStandIn) -> None:
    from hanko.django import HankoMiddleware

    requests = []

    def keep(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    factory = RequestFactory()
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    middleware = HankoMiddleware(keep)
    middleware(factory.get("/api/x", headers=headers))
    middleware(factory.get("/open", headers=headers))
    assert [type(request.__dict__["hanko_session"]) for request in requests] == [Session, type(None)]


@pytest.mark.parametrize("path", ["/asked", "/async/asked"])
def test_errors_that_a_view_lets_pass_become_401_and_503(
    client: Client, hanko_standin: HankoStandIn, path: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json(), answer["Vary"]) == (401, {"detail": "Invalid token"}, VARY)
    with hanko_standin.broken("refusing"):
        answer = client.get(path, headers=hanko_standin.cookie_header(hanko_standin.mint_session()))
    assert (answer.status_code, int(answer["Retry-After"]) > 0, answer["Vary"]) == (503, True, VARY)


@pytest.mark.parametrize(("kind", "status"), [("refused", 401), ("outage", 503)])
def test_so_do_those_that_it_raises_itself(client: Client, kind: str, status: int) -> None:
    answer = client.get(f"/raise/{kind}")
    assert (answer.status_code, answer["Cache-Control"]) == (status, "no-store")
    assert b"a text for logs" not in answer.content


def test_get_session_of_a_request_from_a_factory(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    found = get_session(RequestFactory().get("/", headers=hanko_standin.cookie_header(session)))
    assert found.user_id == session.user_id
    with pytest.raises(NoToken):
        get_session(RequestFactory().get("/"))
    with pytest.raises(InvalidToken):
        get_session(RequestFactory().get("/", headers=hanko_standin.cookie_header("refused")))


def test_get_session_of_what_wraps_a_request(hanko_standin: HankoStandIn) -> None:
    class RestRequest:  # as Django REST framework has it
        def __init__(self, request: HttpRequest) -> None:
            self._request = request

    session = hanko_standin.mint_session()
    wrapped = RestRequest(RequestFactory().get("/", headers=hanko_standin.cookie_header(session)))
    assert get_session(wrapped).user_id == session.user_id
    with pytest.raises(TypeError, match="expected a request"):
        get_session("a request")


def test_a_test_may_set_the_session(hanko_standin: HankoStandIn) -> None:
    request: Any = RequestFactory().get("/")
    request.hanko_session = Session(user_id="ada")
    assert get_session(request).user_id == "ada"
    assert session_required(shown)(request).content == b'{"user_id": "ada"}'
    assert hanko_standin.requests == ()


@override_settings(HANKO_API_URL="http://127.0.0.1:9")
def test_a_test_may_replace_the_question(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanko.Client, "authenticate", lambda *_: Session(user_id="ada"))
    assert client.get("/api/me").json() == {"user_id": "ada"}


# Vary


def test_every_kind_of_response_varies(client: Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    for path, status in {
        "/api/stream": 200,
        "/api/template": 200,
        "/api/missing": 404,
        "/api/failure": 500,
        "/api/no-such-path": 404,
    }.items():
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer["Vary"]) == (status, VARY)
        assert (client.get(path).status_code, client.get(path)["Vary"]) == (401, VARY)
    streamed: Any = client.get("/api/stream", headers=headers)
    assert b"".join(streamed.streaming_content) == b"for " + session.user_id.encode()
    assert client.get("/api/template", headers=headers).content == b"for " + session.user_id.encode()


@pytest.mark.parametrize(
    ("existing", "merged"),
    [("Accept-Language", "Accept-Language, Cookie, Authorization"), ("cookie", "cookie, Authorization"), ("*", "*")],
)
def test_what_is_in_vary_is_kept(client: Client, hanko_standin: HankoStandIn, existing: str, merged: str) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    assert client.get("/api/varied", {"with": existing}, headers=headers)["Vary"] == merged


@override_settings(
    MIDDLEWARE=[
        "django.middleware.cache.UpdateCacheMiddleware",
        "hanko.django.HankoMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
)
def test_a_page_cache_hands_nobody_the_page_of_another(client: Client, hanko_standin: HankoStandIn) -> None:
    for _ in range(2):
        for session in (hanko_standin.mint_session(), hanko_standin.mint_session()):
            answer = client.get("/required", headers=hanko_standin.cookie_header(session))
            assert answer.json() == {"user_id": session.user_id}
    assert client.get("/required").status_code == 401


# Databases


def test_transactions_of_requests_are_left_alone(
    client: Client, hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (text TEXT)")
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(connection.in_atomic_block)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES ('one')")
        if "fail" in request.GET:
            raise InvalidToken
        return HttpResponse()

    from django.urls import path

    class Urls:
        urlpatterns = [path("api/note", view)]

    with override_settings(ROOT_URLCONF=Urls):
        assert client.get("/api/note").status_code == 401
        assert client.get("/api/note?fail", headers=headers).status_code == 401
        assert client.get("/api/note", headers=headers).status_code == 200
    assert seen == [True, True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notes")
        assert cursor.fetchone() == (1,)
