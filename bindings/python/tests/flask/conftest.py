"""An app whose views show whose session they found."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hanko import _logging
from hanko.flask import Hanko, current_session, require_session

MakeApp = Callable[..., Flask]


def user_or_nobody() -> dict[str, Any]:
    """What most views here answer."""
    return {"user_id": current_session.user_id if current_session else None}


@pytest.fixture(autouse=True)
def fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was logged in the second before: of equal lines only one a second is written."""
    monkeypatch.setattr(_logging, "_shared_limit", _logging._SharedLimit())


@pytest.fixture
def make_app() -> MakeApp:
    """Make an app with a protected view, an optional one and an open one; options are those of `Hanko`."""

    def make(*, extension: bool = True, config: dict[str, Any] | None = None, **options: Any) -> Flask:
        app = Flask("an_app")
        app.config.update(config or {})
        app.add_url_rule("/me", "me", require_session(user_or_nobody))
        app.add_url_rule("/optional", "optional", require_session(optional=True)(user_or_nobody))
        app.add_url_rule("/open", "open", user_or_nobody)
        app.add_url_rule("/api/me", "api_me", user_or_nobody)
        app.add_url_rule("/apiary", "apiary", user_or_nobody)
        if extension:
            Hanko(app, **options)
        return app

    return make


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """One with everything from the environment."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser for it, without cookies."""
    return app.test_client(use_cookies=False)
