"""Views that are coroutines."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from typing import Any

import pytest
from conftest import MakeApp, user_or_nobody
from flask import Flask

from hanko.flask import current_session, require_session
from hanko.pytest_plugin import HankoStandIn

VARY = "Cookie, Authorization"


async def whose() -> dict[str, Any]:
    """Whose session it is."""
    await asyncio.sleep(0)
    return user_or_nobody()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with two of them."""
    app = make_app()
    app.add_url_rule("/async/me", "async_me", require_session(whose))
    app.add_url_rule("/async/optional", "async_optional", require_session(optional=True)(whose))
    return app


def test_every_answer(app: Flask, hanko_standin: HankoStandIn) -> None:
    client = app.test_client(use_cookies=False)
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)

    answer = client.get("/async/me", headers=headers)
    assert (answer.status_code, answer.json, answer.headers["Vary"]) == (200, {"user_id": session.user_id}, VARY)
    answer = client.get("/async/me")
    assert (answer.status_code, answer.json, answer.headers["Vary"]) == (401, {"detail": "Invalid token"}, VARY)
    assert (answer.headers["WWW-Authenticate"], answer.headers["Cache-Control"]) == ("Bearer", "no-store")
    with hanko_standin.broken("refusing"):
        answer = client.get("/async/me", headers=headers)
    assert (answer.status_code, answer.json) == (503, {"detail": "Authentication service unavailable"})
    assert (int(answer.headers["Retry-After"]) > 0, answer.headers["Vary"]) == (True, VARY)


def test_an_optional_session(app: Flask, hanko_standin: HankoStandIn) -> None:
    client = app.test_client(use_cookies=False)
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    assert client.get("/async/optional").json == {"user_id": None}
    assert client.get("/async/optional", headers=headers).json == {"user_id": session.user_id}
    hanko_standin.revoke(session)
    assert client.get("/async/optional", headers=headers).json == {"user_id": None}
    with hanko_standin.broken("refusing"):
        assert client.get("/async/optional", headers=headers).status_code == 503


def test_hanko_is_asked_once_a_request(app: Flask, hanko_standin: HankoStandIn) -> None:
    @require_session
    async def helper() -> str:
        return current_session.user_id

    @app.get("/async/nested")
    @require_session(optional=True)
    async def nested() -> list[str]:
        return [*await asyncio.gather(helper(), helper()), require_session(lambda: current_session.user_id)()]

    session = hanko_standin.mint_session()
    answer = app.test_client().get("/async/nested", headers=hanko_standin.authorization_header(session))
    assert answer.json == [session.user_id] * 3
    assert len(hanko_standin.requests) == 1


def test_a_decorated_coroutine_stays_one() -> None:
    assert inspect.iscoroutinefunction(require_session(whose))
    assert inspect.iscoroutinefunction(require_session(optional=True)(whose))


def test_error_handlers_are_called(app: Flask, hanko_standin: HankoStandIn) -> None:
    @app.errorhandler(401)
    async def unauthorized(error: Any) -> Any:
        return "log in first", 401

    assert app.test_client().get("/async/me").text == "log in first"


async def visit(app: Flask, headers: dict[str, str]) -> Any:
    """One request, in the loop that runs here."""
    with app.test_request_context(headers=headers):
        return await require_session(whose)()


def test_five_slow_requests_in_one_loop_take_the_time_of_one(app: Flask, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)
    hanko_standin.delay = 1

    async def five() -> float:
        begin = time.monotonic()
        answers = await asyncio.gather(*[asyncio.ensure_future(visit(app, headers)) for _ in range(5)])
        assert answers == [{"user_id": session.user_id}] * 5
        return time.monotonic() - begin

    assert asyncio.run(five()) < 3


def test_a_hanko_that_hangs_does_not_hold_the_loop(make_app: MakeApp, hanko_standin: HankoStandIn) -> None:
    from werkzeug.exceptions import ServiceUnavailable

    app = make_app(timeout=3)
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())

    async def hang() -> float:
        longest = 0.0
        await visit(app, headers)  # what is done only once is done
        hanko_standin.break_down("hanging")
        tasks = [asyncio.ensure_future(visit(app, headers)) for _ in range(5)]
        while not all(task.done() for task in tasks):
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before - 0.005)
        assert all(isinstance(task.exception(), ServiceUnavailable) for task in tasks)
        return longest

    pause = asyncio.run(hang())
    print(f"longest pause of the loop: {pause * 1000:.1f} ms")
    assert pause < 1.5  # who blocks holds it for three seconds


def test_the_loops_of_many_requests_leave_nothing_open(app: Flask, hanko_standin: HankoStandIn) -> None:
    """Flask runs each of these views in a loop of its own."""
    client = app.test_client(use_cookies=False)
    headers = hanko_standin.authorization_header(hanko_standin.mint_session())

    def open_after(requests: int) -> int:
        for _ in range(requests):
            assert client.get("/async/me", headers=headers).status_code == 200
        return len(os.listdir("/proc/self/fd"))

    few = open_after(5)
    assert open_after(50) <= few + 5
