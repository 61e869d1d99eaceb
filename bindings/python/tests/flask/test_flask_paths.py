"""Protected prefixes of paths."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import MakeApp, user_or_nobody
from flask import Blueprint, Flask
from flask.views import MethodView

from hanko.pytest_plugin import HankoStandIn

PREFLIGHT = {"Access-Control-Request-Method": "GET", "Origin": "https://app.example.com"}


@pytest.fixture
def app(make_app: MakeApp, hanko_standin: HankoStandIn) -> Flask:
    """An app in which everything below /api is protected."""
    app = make_app(config={"HANKO_PROTECTED_PATHS": ["/api"]})
    app.add_url_rule("/api", "api", user_or_nobody, strict_slashes=False)
    return app


def status_of(app: Flask, path: str, method: str = "GET", **options: Any) -> int:
    return app.test_client(use_cookies=False).open(path, method=method, **options).status_code


def test_they_match_whole_segments(app: Flask) -> None:
    assert [status_of(app, path) for path in ("/api", "/api/", "/api/me", "/apiary", "/open")] == [
        401,
        401,
        401,
        200,
        200,
    ]


def test_with_a_session_the_view_runs(app: Flask, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    answer = app.test_client().get("/api/me", headers=hanko_standin.authorization_header(session))
    assert (answer.json, answer.headers["Vary"]) == ({"user_id": session.user_id}, "Cookie, Authorization")


def test_an_unknown_path_below_is_asked_about_first(app: Flask, hanko_standin: HankoStandIn) -> None:
    assert status_of(app, "/api/none") == 401
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert status_of(app, "/api/none", headers=headers) == 404


def test_repeated_slashes_and_escapes_do_not_lead_around_them(app: Flask) -> None:
    for path in ("//api/me", "/api//me", "/%61pi/me", "/api%2Fme"):
        assert status_of(app, path) == 401


def test_an_outage_is_503(app: Flask, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    with hanko_standin.broken("refusing"):
        assert status_of(app, "/api/me", headers=headers) == 503
        assert status_of(app, "/open", headers=headers) == 200


def test_it_is_the_path_that_the_router_sees(app: Flask) -> None:
    """Mounted below /site, the path of the app is what follows; /api/site is no path of it."""
    assert status_of(app, "/api/me", base_url="http://localhost/site") == 401
    assert status_of(app, "/open", base_url="http://localhost/api") == 200


def test_the_prefix_of_a_blueprint_counts(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app(protected_paths=["/v1/private/"])
    blueprint = Blueprint("private", __name__, url_prefix="/private")
    blueprint.add_url_rule("/me", "me", user_or_nobody)
    parent = Blueprint("v1", __name__, url_prefix="/v1")
    parent.register_blueprint(blueprint)
    app.register_blueprint(parent)
    assert status_of(app, "/v1/private/me") == 401


def test_what_is_given_in_code_replaces_the_configuration(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app(config={"HANKO_PROTECTED_PATHS": ["/api"]}, protected_paths=["/open"])
    assert [status_of(app, path) for path in ("/api/me", "/open")] == [200, 401]


# Methods


def test_head_is_asked_like_get(app: Flask) -> None:
    assert status_of(app, "/api/me", "HEAD") == 401


def test_a_preflight_passes_unasked(app: Flask, hanko_standin: HankoStandIn) -> None:
    headers = {**PREFLIGHT, **hanko_standin.authorization_header(hanko_standin.mint_session())}
    answer = app.test_client().options("/api/me", headers=headers)
    assert answer.status_code == 200
    assert "GET" in answer.headers["Allow"]
    assert hanko_standin.requests == ()


def test_other_requests_with_options_do_not(app: Flask) -> None:
    assert status_of(app, "/api/me", "OPTIONS") == 401
    assert status_of(app, "/api/me", "GET", headers=PREFLIGHT) == 401


def test_a_preflight_runs_no_view_that_was_not_made_for_it(app: Flask, hanko_standin: HankoStandIn) -> None:
    def transfer() -> str:
        raise AssertionError("this view must not run")

    app.add_url_rule("/api/transfer", "transfer", transfer, methods=["POST", "OPTIONS"])
    answer = app.test_client().options("/api/transfer", headers=PREFLIGHT)
    assert (answer.status_code, answer.text) == (200, "")


def test_a_preflight_reaches_views_that_answer_it(app: Flask, hanko_standin: HankoStandIn) -> None:
    def shared() -> Any:
        return "", 204, {"Access-Control-Allow-Origin": "https://app.example.com"}

    shared.provide_automatic_options = False  # type: ignore[attr-defined]  # as flask_cors.cross_origin does
    shared.required_methods = {"OPTIONS"}  # type: ignore[attr-defined]

    class Items(MethodView):
        def get(self) -> str:
            raise AssertionError("this view must not run")

        def options(self) -> Any:
            return shared()

    app.add_url_rule("/api/shared", "shared", shared)
    app.add_url_rule("/api/items", view_func=Items.as_view("items"))
    for path in ("/api/shared", "/api/items"):
        answer = app.test_client().options(path, headers=PREFLIGHT)
        assert (answer.status_code, "Access-Control-Allow-Origin" in answer.headers) == (204, True)
        assert status_of(app, path) == 401
    assert hanko_standin.requests == ()
