"""`Hanko(app)`: where settings come from, and several apps in one process."""

from __future__ import annotations

import os
from typing import Any

import pytest
from conftest import MakeApp, user_or_nobody
from flask import Flask

import hanko
from hanko import ConfigurationError, Session
from hanko.flask import Hanko, current_session, require_session
from hanko.pytest_plugin import HankoStandIn
from hanko.standin import StandIn

NOWHERE = "http://127.0.0.1:9"


def status_of(app: Flask, headers: dict[str, str], path: str = "/me") -> int:
    return app.test_client(use_cookies=False).get(path, headers=headers).status_code


@pytest.mark.parametrize("extension", [True, False])
def test_the_environment_is_enough(make_app: MakeApp, hanko_standin: HankoStandIn, extension: bool) -> None:
    app = make_app(extension=extension)
    assert status_of(app, hanko_standin.authorization_header(hanko_standin.mint_session())) == 200


def test_the_apps_configuration_beats_the_environment(
    make_app: MakeApp, hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANKO_API_URL", NOWHERE)
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert status_of(make_app(), headers) == 503
    assert status_of(make_app(config={"HANKO_API_URL": hanko_standin.api_url}), headers) == 200


def test_what_is_given_in_code_beats_the_apps_configuration(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    app = make_app(config={"HANKO_API_URL": NOWHERE}, api_url=hanko_standin.api_url)
    assert status_of(app, headers) == 200


def test_every_option_of_a_client_can_be_given() -> None:
    import inspect

    ours = inspect.signature(Hanko).parameters
    theirs = inspect.signature(hanko.Client).parameters
    assert set(ours) == {"app", "protected_paths", *theirs}
    assert all(parameter.default is None for parameter in ours.values())


def test_the_cookie_and_the_audience_can_be_configured(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app(config={"HANKO_COOKIE_NAME": "session", "HANKO_AUDIENCE": ["one", "two"]})
    mine = hanko_standin.mint_session(audience="two")
    other = hanko_standin.mint_session(audience="three")
    assert status_of(app, hanko_standin.cookie_header(mine, "session")) == 200
    assert status_of(app, hanko_standin.cookie_header(mine, "hanko")) == 401
    assert status_of(app, hanko_standin.cookie_header(other, "session")) == 401


def test_an_app_factory(hanko_standin: HankoStandIn) -> None:
    extension = Hanko()

    def create_app(config: dict[str, Any]) -> Flask:
        app = Flask("an_app")
        app.config.update(config)
        extension.init_app(app)
        app.add_url_rule("/me", "me", require_session(user_or_nobody))
        app.add_url_rule("/api/me", "api_me", user_or_nobody)
        return app

    session = hanko_standin.mint_session()
    headers = hanko_standin.authorization_header(session)
    with StandIn(key_bits=2048) as another:
        theirs = {"Authorization": f"Bearer {another.mint_session().token}"}
        first = create_app({"HANKO_API_URL": hanko_standin.api_url, "HANKO_PROTECTED_PATHS": ["/api"]})
        second = create_app({"HANKO_API_URL": another.api_url})
        assert [status_of(app, headers) for app in (first, second)] == [200, 401]
        assert [status_of(app, theirs) for app in (first, second)] == [401, 200]
        assert [status_of(app, {}, "/api/me") for app in (first, second)] == [401, 200]


def test_init_app_twice_guards_once(hanko_standin: HankoStandIn) -> None:
    app = Flask("an_app")
    Hanko(app, protected_paths=["/one"])
    Hanko(app, protected_paths=["/two"])
    app.add_url_rule("/one", "one", user_or_nobody)
    app.add_url_rule("/two", "two", user_or_nobody)
    assert [status_of(app, {}, path) for path in ("/one", "/two")] == [200, 401]
    assert len(app.before_request_funcs[None]) == 1


# Tests change settings


def test_a_changed_configuration_takes_effect(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app(config={"HANKO_API_URL": NOWHERE, "HANKO_MAX_RETRIES": 0})
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert status_of(app, headers) == 503
    app.config["HANKO_API_URL"] = hanko_standin.api_url
    assert status_of(app, headers) == 200
    assert status_of(app, {}, "/api/me") == 200
    app.config["HANKO_PROTECTED_PATHS"] = ["/api"]
    assert status_of(app, {}, "/api/me") == 401


def test_a_changed_environment_takes_effect(
    make_app: MakeApp, hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    assert status_of(app, headers) == 200
    monkeypatch.setenv("HANKO_API_URL", NOWHERE)
    assert status_of(app, headers) == 503
    monkeypatch.setenv("HANKO_API_URL", hanko_standin.api_url)
    assert status_of(app, headers) == 200


def test_the_client_is_kept_between_requests(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app()
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())
    made = []
    for _ in range(3):
        status_of(app, headers)
        made.append(app.extensions["hanko"].clients.client(app.config))
    assert made[0] is made[1] is made[2]
    assert made[0].statistics().connections_opened == 1


def test_a_test_may_replace_the_question(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(config={"HANKO_API_URL": NOWHERE})
    monkeypatch.setattr(hanko.Client, "authenticate", lambda *_: Session(user_id="ada"))
    assert app.test_client().get("/me").json == {"user_id": "ada"}


# Mistakes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HANKO_API_URL", "example.com"),
        ("HANKO_TIMEOUT_MS", "soon"),
        ("HANKO_MAX_CONNECTIONS", 0),
        ("HANKO_AUDIENCE", ""),
        ("HANKO_PROTECTED_PATHS", "/api"),
        ("HANKO_PROTECTED_PATHS", ["api"]),
    ],
)
def test_a_bad_setting_stops_the_app_from_being_made(make_app: MakeApp, name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        make_app(config={name: value})


def test_so_does_a_bad_argument(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="protected_paths"):
        make_app(protected_paths="/api")
    with pytest.raises(ConfigurationError, match="max_retries|retries"):
        make_app(max_retries=99)
    with pytest.raises(TypeError, match="timeout"):
        make_app(timeout="soon")


def test_a_missing_url_is_503_and_logged(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()
    assert "HANKO_API_URL" not in os.environ
    assert status_of(app, {}, "/open") == 200
    answer = app.test_client().get("/me")
    assert (answer.status_code, answer.json) == (503, {"detail": "Authentication service unavailable"})
    assert "HANKO_API_URL is not set" in caplog.text


def test_paths_that_became_no_list_close_the_app(
    make_app: MakeApp, hanko_standin: HankoStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    app.config["HANKO_PROTECTED_PATHS"] = "/api"
    assert status_of(app, {}, "/open") == 503
    assert "HANKO_PROTECTED_PATHS" in caplog.text


def test_protected_paths_that_nobody_guards_are_noticed(
    make_app: MakeApp, hanko_standin: HankoStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(extension=False, config={"HANKO_PROTECTED_PATHS": ["/api"]})
    assert status_of(app, hanko_standin.authorization_header(hanko_standin.mint_session())) == 503
    assert "call Hanko(app)" in caplog.text


def test_a_misspelled_setting_is_pointed_out(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    make_app(config={"HANKO_TIMEOUT": 5, "HANKO_WEBHOOK_SECRET": "x"})
    assert "did you mean HANKO_TIMEOUT_MS?" in caplog.text
    assert "WEBHOOK" not in caplog.text


def test_a_handler_that_uses_the_session_sees_it(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    app = make_app(protected_paths=["/api"])

    @app.before_request
    def remember() -> None:
        seen.append(current_session.user_id if current_session else None)

    seen: list[Any] = []
    session = hanko_standin.mint_session()
    for path in ("/api/me", "/open"):
        status_of(app, hanko_standin.authorization_header(session), path)
    assert seen == [session.user_id, None]
