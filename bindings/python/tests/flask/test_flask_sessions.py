"""`@require_session` and `current_session`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import MakeApp, user_or_nobody
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    jsonify,
    make_response,
    render_template_string,
    request,
    stream_with_context,
)
from flask.testing import FlaskClient
from flask.views import MethodView, View
from werkzeug.exceptions import HTTPException

from hanko import HankoError, InvalidToken, NotChecked, NoToken, Session
from hanko.flask import Hanko, current_session, require_session
from hanko.pytest_plugin import HankoStandIn

VARY = "Cookie, Authorization"


# Answers


def test_a_session_by_cookie_or_bearer_is_let_through(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    for headers in (hanko_standin.cookie_header(session), hanko_standin.authorization_header(session)):
        answer = client.get("/me", headers=headers)
        assert (answer.status_code, answer.json) == (200, {"user_id": session.user_id})


def test_no_token_is_401_without_asking(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    answer = client.get("/me")
    assert (answer.status_code, answer.json) == (401, {"detail": "Invalid token"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert hanko_standin.requests == ()


def test_a_refused_token_is_401(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.revoke(session)
    for refused in (session, hanko_standin.mint_forged(), hanko_standin.mint_expired(), "no-token-at-all"):
        answer = client.get("/me", headers=hanko_standin.authorization_header(refused))
        assert (answer.status_code, answer.json) == (401, {"detail": "Invalid token"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_outage_is_503(client: FlaskClient, hanko_standin: HankoStandIn, caplog: pytest.LogCaptureFixture) -> None:
    session = hanko_standin.mint_session()
    with hanko_standin.broken("refusing"):
        answer = client.get("/me", headers=hanko_standin.authorization_header(session))
    assert (answer.status_code, answer.json) == (503, {"detail": "Authentication service unavailable"})
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert "no connection to Hanko" in caplog.text
    assert session.token not in caplog.text


def test_a_hanko_that_hangs_is_503_at_the_deadline(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    client = make_app(config={"HANKO_TIMEOUT_MS": 200}).test_client()
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    with hanko_standin.broken("hanging"):
        answer = client.get("/me", headers=headers)
    assert (answer.status_code, answer.json) == (503, {"detail": "Authentication service timeout"})


def test_head_is_asked_like_get(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    assert client.head("/me").status_code == 401
    answer = client.head("/me", headers=hanko_standin.authorization_header(hanko_standin.mint_session()))
    assert answer.status_code == 200
    assert len(hanko_standin.requests) == 1


# Optional sessions


def test_an_optional_session(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    assert client.get("/optional").json == {"user_id": None}
    assert client.get("/optional", headers=headers).json == {"user_id": session.user_id}

    hanko_standin.revoke(session)
    stale = client.get("/optional", headers=headers)
    assert (stale.status_code, stale.json) == (200, {"user_id": None})

    with hanko_standin.broken():
        assert client.get("/optional", headers=headers).status_code == 503


# The session


def test_current_session_is_a_session(app: Flask, hanko_standin: HankoStandIn) -> None:
    seen: dict[str, Any] = {}

    @app.get("/look")
    @require_session()
    def look() -> str:
        seen.update(
            is_session=isinstance(current_session, Session),
            is_true=bool(current_session),
            email=current_session.email,
            claims=current_session.claims["subject"],
            text=repr(current_session),
        )
        return ""

    session = hanko_standin.mint_session(email="ada@example.com")
    app.test_client().get("/look", headers=hanko_standin.authorization_header(session))
    assert seen.pop("text").startswith("Session(user_id=")
    assert seen == {"is_session": True, "is_true": True, "email": "ada@example.com", "claims": session.user_id}


def test_without_a_session_it_is_falsy_and_says_what_is_missing(app: Flask, hanko_standin: HankoStandIn) -> None:
    def look() -> None:
        assert not current_session
        assert not isinstance(current_session, Session)
        assert getattr(current_session, "user_id", "nobody") == "nobody"
        with pytest.raises(AttributeError, match="@require_session"):
            _ = current_session.user_id

    look()  # outside of any request
    with app.test_request_context(headers=hanko_standin.authorization_header(hanko_standin.mint_session())):
        look()  # nobody has asked, and looking does not
        assert render_template_string("[{{ current.email }}]", current=current_session) == "[]"
    assert hanko_standin.requests == ()


def test_a_request_does_not_see_the_session_of_another(app: Flask, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    with app.app_context():  # in which `flask.g` is the same for all requests
        client = app.test_client()
        assert client.get("/me", headers=headers).status_code == 200
        assert client.get("/me").status_code == 401
        assert client.get("/open", headers=headers).json == {"user_id": None}
        assert not current_session


# Decorating


def test_a_view_that_is_decorated_keeps_its_name_and_arguments(app: Flask, hanko_standin: HankoStandIn) -> None:
    @app.get("/items/<int:number>")
    @require_session
    def item(number: int) -> dict[str, int]:
        """Gives an item."""
        return {"number": number}

    assert (item.__name__, item.__doc__) == ("item", "Gives an item.")
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert app.test_client().get("/items/7", headers=headers).json == {"number": 7}


def test_classes(app: Flask, hanko_standin: HankoStandIn) -> None:
    class Items(MethodView):
        decorators = [require_session]

        def get(self) -> dict[str, Any]:
            return user_or_nobody()

    class Page(View):
        decorators = [require_session(optional=True)]

        def dispatch_request(self) -> dict[str, Any]:
            return user_or_nobody()

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    app.add_url_rule("/page", view_func=Page.as_view("page"))
    client = app.test_client()
    session = hanko_standin.mint_session()
    assert client.get("/items").status_code == 401
    assert client.get("/page").json == {"user_id": None}
    for path in ("/items", "/page"):
        assert client.get(path, headers=hanko_standin.authorization_header(session)).json == {
            "user_id": session.user_id
        }


@pytest.mark.parametrize("thing", [type("AView", (View,), {}), "a view"])
def test_what_is_no_view_function_is_refused_when_it_is_decorated(thing: Any) -> None:
    with pytest.raises(TypeError, match="decorators"):
        require_session(thing)


def test_hanko_is_asked_once_a_request(app: Flask, hanko_standin: HankoStandIn) -> None:
    @require_session
    def helper() -> str:
        return current_session.user_id

    @app.get("/api/nested")
    @require_session(optional=True)
    @require_session
    def nested() -> str:
        return helper()

    Hanko(app, protected_paths=["/api"])
    client = app.test_client()
    session = hanko_standin.mint_session()
    assert client.get("/api/nested", headers=hanko_standin.authorization_header(session)).text == session.user_id
    assert len(hanko_standin.requests) == 1


def test_a_refusal_is_remembered_as_well(app: Flask, hanko_standin: HankoStandIn) -> None:
    @app.get("/nested")
    @require_session(optional=True)
    @require_session
    def nested() -> str:
        raise AssertionError("this view must not run")

    client = app.test_client()
    assert client.get("/nested", headers=hanko_standin.authorization_header("refused")).status_code == 401
    # The key set after the no.
    assert [request.method for request in hanko_standin.requests] == ["POST", "GET"]


# Vary


def test_every_kind_of_response_varies(app: Flask, hanko_standin: HankoStandIn) -> None:
    @require_session
    def stream() -> Response:
        def parts() -> Iterator[str]:
            yield "for "
            yield current_session.user_id

        return Response(stream_with_context(parts()))

    @require_session
    def missing() -> None:
        abort(404)

    @require_session
    def failure() -> None:
        raise ZeroDivisionError

    @require_session
    def redirect() -> tuple[str, int, dict[str, str]]:
        return "", 302, {"Location": "/"}

    for view in (stream, missing, failure, redirect):
        app.add_url_rule(f"/{view.__name__}", view.__name__, view)
    client = app.test_client()
    session = hanko_standin.mint_session()
    headers = hanko_standin.authorization_header(session)
    for path, status in {"/me": 200, "/stream": 200, "/missing": 404, "/failure": 500, "/redirect": 302}.items():
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.headers.getlist("Vary")) == (status, [VARY])
        answer = client.get(path)
        assert (answer.status_code, answer.headers.getlist("Vary")) == (401, [VARY])
    assert client.get("/stream", headers=headers).text == f"for {session.user_id}"
    assert client.get("/optional").headers.getlist("Vary") == [VARY]
    with hanko_standin.broken("refusing"):
        assert client.get("/me", headers=headers).headers.getlist("Vary") == [VARY]


def test_where_nobody_looked_nothing_varies(client: FlaskClient, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    for path in ("/open", "/no-such-path"):
        assert "Vary" not in client.get(path, headers=headers).headers
    assert hanko_standin.requests == ()


@pytest.mark.parametrize(
    ("existing", "merged"),
    [
        (["Accept-Language"], ["Accept-Language, Cookie, Authorization"]),
        (["cookie", "Accept"], ["cookie, Accept, Authorization"]),
        (["*"], ["*"]),
    ],
)
def test_what_is_in_vary_is_kept(
    app: Flask, hanko_standin: HankoStandIn, existing: list[str], merged: list[str]
) -> None:
    @app.get("/varied")
    @require_session(optional=True)
    def varied() -> Response:
        response = make_response("")
        for value in existing:
            response.headers.add("Vary", value)
        return response

    assert app.test_client().get("/varied").headers.getlist("Vary") == merged


# Error handlers


def test_handlers_for_the_codes_are_called(app: Flask, hanko_standin: HankoStandIn) -> None:
    @app.errorhandler(401)
    def to_login(error: Any) -> Any:
        assert (error.code, error.description) == (401, "Invalid token")
        return "", 302, {"Location": "/login"}

    @app.errorhandler(503)
    def sorry(error: Any) -> Any:
        response = error.get_response()
        response.data = b"sorry"
        return response

    client = app.test_client()
    answer = client.get("/me")
    assert (answer.status_code, answer.headers["Location"], answer.headers["Vary"]) == (302, "/login", VARY)
    with hanko_standin.broken("refusing"):
        answer = client.get("/me", headers=hanko_standin.authorization_header(hanko_standin.mint_session()))
    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (503, "sorry", "no-store")


@pytest.mark.parametrize("extension", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_handlers_for_our_errors_are_called(
    make_app: MakeApp, hanko_standin: HankoStandIn, extension: bool, when: str
) -> None:
    app = make_app(extension=False)
    if extension and when == "after":
        Hanko(app)

    @app.errorhandler(HankoError)
    def any_error(error: HankoError) -> Any:
        return jsonify(message=error.client_message), 401 if isinstance(error, InvalidToken) else 503

    @app.errorhandler(NoToken)
    def no_token(error: NoToken) -> Any:
        return "log in first", 401

    @app.errorhandler(401)
    def unauthorized(error: Any) -> Any:
        raise AssertionError("the more particular handler must be called")

    if extension and when == "before":
        Hanko(app)
    client = app.test_client()
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert client.get("/me").text == "log in first"
    assert client.get("/me", headers=hanko_standin.authorization_header("x")).json == {"message": "Invalid token"}
    with hanko_standin.broken("refusing"):
        answer = client.get("/me", headers=headers)
    assert (answer.status_code, answer.json) == (503, {"message": "Authentication service unavailable"})
    assert answer.headers["Vary"] == VARY


def test_a_blueprints_handler_is_called_for_its_views_only(app: Flask, hanko_standin: HankoStandIn) -> None:
    blueprint = Blueprint("part", __name__, url_prefix="/part")
    blueprint.add_url_rule("/me", "me", require_session(user_or_nobody))

    @blueprint.errorhandler(InvalidToken)
    def part_of_it(error: InvalidToken) -> Any:
        return "part", 401

    app.register_blueprint(blueprint)
    client = app.test_client()
    assert client.get("/part/me").text == "part"
    assert client.get("/me").json == {"detail": "Invalid token"}


@pytest.mark.parametrize("whose", ["app", "blueprint"])
def test_a_handler_for_everything_gets_what_flask_gives_it_for_abort(
    app: Flask, hanko_standin: HankoStandIn, whose: str
) -> None:
    def everything(error: Exception) -> Any:
        return error if isinstance(error, HTTPException) else ("broken", 500)

    blueprint = Blueprint("part", __name__, url_prefix="/part")
    blueprint.add_url_rule("/me", "me", require_session(user_or_nobody))
    (app if whose == "app" else blueprint).register_error_handler(Exception, everything)
    app.register_blueprint(blueprint)
    answer = app.test_client().get("/part/me")
    assert (answer.status_code, answer.json) == (401, {"detail": "Invalid token"})


def test_an_error_that_a_view_lets_pass_becomes_its_answer(app: Flask) -> None:
    @app.get("/raise/<kind>")
    def raise_it(kind: str) -> None:
        raise {"refused": InvalidToken, "outage": NotChecked}[kind]("a text for logs")

    client = app.test_client()
    for path, status, detail in [
        ("/raise/refused", 401, "Invalid token"),
        ("/raise/outage", 503, "Authentication service unavailable"),
    ]:
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (status, {"detail": detail})
        assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", VARY)


def test_a_refusal_is_no_failure_of_the_app(
    app: Flask, hanko_standin: HankoStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    app.testing = True  # failures are raised
    with caplog.at_level(logging.ERROR):
        assert app.test_client().get("/me").status_code == 401
    assert caplog.text == ""


def test_request_hooks_of_the_app_run_for_refusals(app: Flask, hanko_standin: HankoStandIn) -> None:
    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Path"] = request.path
        return response

    assert app.test_client().get("/me").headers["X-Path"] == "/me"
