"""When the client is made and closed, and in which event loops it serves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from routes import cookie, make_app

import hanko.fastapi
from hanko import AsyncClient, ConfigurationError
from hanko.fastapi import Hanko
from hanko.standin import StandIn


class Clients:
    """The clients that were made and closed, in this order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        noted = self.events

        class NotedClient(AsyncClient):
            """Notes its beginning and its end."""

            def __init__(self, *arguments: object, **options: object) -> None:
                super().__init__(*arguments, **options)  # type: ignore[arg-type]
                noted.append("made")

            async def aclose(self) -> None:
                await super().aclose()
                noted.append("closed")

        self.kind = NotedClient


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Watch the clients of this test."""
    clients = Clients()
    monkeypatch.setattr(hanko.fastapi, "AsyncClient", clients.kind)
    return clients


async def ask(app: FastAPI, token: str) -> int:
    """The status of one request in the running loop."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/me", headers=cookie(token))).status_code


def test_the_lifespan_makes_the_client_and_closes_it(standin: StandIn, clients: Clients) -> None:
    auth = Hanko()
    app = make_app(auth, lifespan=auth.lifespan)
    assert clients.events == []
    for _ in range(2):  # an application can be started again
        with TestClient(app) as client:
            assert clients.events == ["made"]
            assert client.get("/me", headers=cookie(standin.mint_session().token)).status_code == 200
            assert client.get("/me").status_code == 401
        assert clients.events == ["made", "closed"]
        clients.events.clear()


def test_without_a_lifespan_the_first_request_makes_it(standin: StandIn, clients: Clients) -> None:
    client = TestClient(make_app(Hanko()))
    assert client.get("/open").status_code == 200
    assert clients.events == []
    token = standin.mint_session().token
    # Each request in an event loop of its own, which is closed afterwards.
    assert [client.get("/me", headers=cookie(token)).status_code for _ in range(5)] == [200] * 5
    assert clients.events == ["made"]


def test_requests_after_the_end_make_another_one(standin: StandIn, clients: Clients) -> None:
    auth = Hanko()
    client = TestClient(make_app(auth, lifespan=auth.lifespan))
    token = standin.mint_session().token
    with client:
        assert client.get("/me", headers=cookie(token)).status_code == 200
    assert client.get("/me", headers=cookie(token)).status_code == 200
    assert clients.events == ["made", "closed", "made"]


def test_the_last_application_closes_what_they_share(standin: StandIn, clients: Clients) -> None:
    auth = Hanko()
    first, second = (make_app(auth, lifespan=auth.lifespan) for _ in range(2))
    token = standin.mint_session().token
    with TestClient(second) as still_open:
        with TestClient(first) as client:
            assert client.get("/me", headers=cookie(token)).status_code == 200
        assert clients.events == ["made"]
        assert still_open.get("/me", headers=cookie(token)).status_code == 200
    assert clients.events == ["made", "closed"]


def test_inside_a_lifespan_of_ones_own(standin: StandIn, clients: Clients) -> None:
    auth = Hanko()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        async with auth.lifespan(app):
            yield {"own": "state"}

    with TestClient(make_app(auth, lifespan=lifespan)) as client:
        assert client.get("/me", headers=cookie(standin.mint_session().token)).status_code == 200
    assert clients.events == ["made", "closed"]


def test_the_lifespan_of_the_module(standin: StandIn) -> None:
    with TestClient(make_app(lifespan=hanko.fastapi.lifespan)) as client:
        assert client.get("/me", headers=cookie(standin.mint_session().token)).status_code == 200


def test_a_missing_setting_stops_the_start() -> None:
    auth = Hanko()
    with pytest.raises(ConfigurationError, match="HANKO_API_URL"), TestClient(make_app(auth, lifespan=auth.lifespan)):
        pass


def test_an_application_starts_while_hanko_is_away(standin: StandIn) -> None:
    auth = Hanko()
    token = standin.mint_session().token
    standin.stop_listening()
    with TestClient(make_app(auth, lifespan=auth.lifespan)) as client:
        assert client.get("/me", headers=cookie(token)).status_code == 503
        standin.start_listening()
        assert client.get("/me", headers=cookie(token)).status_code == 200


def test_loops_one_after_another_and_at_once(standin: StandIn, clients: Clients) -> None:
    app = make_app(Hanko())
    token = standin.mint_session().token
    assert [asyncio.run(ask(app, token)) for _ in range(3)] == [200] * 3

    statuses: list[int] = []

    async def several() -> None:
        statuses.extend(await asyncio.gather(*(ask(app, token) for _ in range(10))))

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    assert clients.events == ["made"]
