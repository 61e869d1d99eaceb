"""The event loop is never held, however long Hanko takes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from routes import cookie, make_app

from hanko import AsyncClient
from hanko.fastapi import Hanko
from hanko.standin import StandIn

LONGEST_PAUSE = 0.5  # the bound that is promised; 0.005 is what to aim for


def browser(app: FastAPI) -> httpx.AsyncClient:
    """A client in the loop of the application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=30)


class Heartbeat:
    """Measures the longest time for which the loop served nobody else."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.monotonic() - before)

    def stop(self) -> None:
        self._task.cancel()


def test_five_slow_requests_take_the_time_of_one(standin: StandIn) -> None:
    standin.delay_ms = 1000
    token = standin.mint_session().token

    async def main() -> float:
        async with browser(make_app(Hanko())) as client:
            started = time.monotonic()
            answers = await asyncio.gather(*(client.get("/me", headers=cookie(token)) for _ in range(5)))
            assert [answer.status_code for answer in answers] == [200] * 5
            return time.monotonic() - started

    assert 1 <= asyncio.run(main()) < 3


async def ask(app: FastAPI, token: str) -> int:
    """The status of one request, with as little work as possible: what is measured should be the application."""
    statuses: list[int] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/me",
        "raw_path": b"/me",
        "query_string": b"",
        "headers": [(b"cookie", f"hanko={token}".encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


def test_the_loop_goes_on_while_validations_hang(standin: StandIn) -> None:
    token = standin.mint_session().token

    async def main() -> float:
        auth = Hanko(timeout=5, max_connections=200)
        app = make_app(auth)
        async with auth.lifespan():
            assert await ask(app, token) == 200  # the first request of an application takes FastAPI a while
            standin.delay_ms = 6000
            heartbeat = Heartbeat()
            requests = []
            for _ in range(200):
                requests.append(asyncio.ensure_future(ask(app, token)))
                await asyncio.sleep(0.001)  # 200 at once would be a pause of the test's own making
            hanging = asyncio.gather(*requests)
            await asyncio.sleep(1)
            assert standin.requests > 100  # they are on their way, and nobody else is kept
            assert not hanging.done()
            assert await hanging == [503] * 200
            heartbeat.stop()
            return heartbeat.longest

    longest = asyncio.run(main())
    print(f"the longest pause of the loop while 200 validations hung for 5 s: {longest * 1000:.1f} ms")
    assert longest < LONGEST_PAUSE


def test_a_request_that_is_given_up_withdraws_its_validation(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.delay_ms = 2000
    token = standin.mint_session().token
    clients: list[AsyncClient] = []

    def new_client(**options: Any) -> AsyncClient:
        clients.append(AsyncClient(**options))
        return clients[-1]

    monkeypatch.setattr("hanko.fastapi.AsyncClient", new_client)

    async def main() -> None:
        auth = Hanko()
        async with auth.lifespan():
            request = asyncio.ensure_future(ask(make_app(auth), token))
            while not standin.requests:
                await asyncio.sleep(0.01)
            request.cancel()
            await asyncio.wait([request])
            assert request.cancelled()
            while clients[0].statistics().in_flight:
                await asyncio.sleep(0.01)
            assert clients[0].statistics().results["HANKO_CANCELLED"] == 1

    asyncio.run(main())
