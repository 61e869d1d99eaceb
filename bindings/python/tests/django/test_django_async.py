"""The same under ASGI: the loop is never blocked, and no request goes through a thread for our sake."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable
from typing import Any, Callable

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, RequestFactory, override_settings
from project.urls import ashown
from test_django_sessions import GUARDED, PART, VARY

from hanko.django import HankoMiddleware, aget_session, get_session, session_required
from hanko.pytest_plugin import HankoStandIn

# Those that are coroutines from one end to the other.
COROUTINES = ["/api/async/me", "/async/required", "/async/page", PART, "/async/maybe"]


@pytest.fixture
def client() -> AsyncClient:
    """A browser that speaks ASGI, and gets 500 as others do."""
    return AsyncClient(raise_request_exception=False)


@pytest.mark.parametrize("path", GUARDED)
def test_every_answer(client: AsyncClient, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)

    async def ask_thrice() -> list[Any]:
        answers: list[Any] = [await client.get(path, headers=headers), await client.get(path)]
        with hanko_standin.broken("refusing"):
            answers.append(await client.get(path, headers=headers))
        return answers

    good, refused, outage = asyncio.run(ask_thrice())
    assert (good.status_code, good.json(), good["Vary"]) == (200, {"user_id": session.user_id}, VARY)
    assert (refused.status_code, refused.json(), refused["Vary"]) == (401, {"detail": "Invalid token"}, VARY)
    assert (refused["WWW-Authenticate"], refused["Cache-Control"]) == ("Bearer", "no-store")
    assert (outage.status_code, outage.json()) == (503, {"detail": "Authentication service unavailable"})
    assert (int(outage["Retry-After"]) > 0, outage["Cache-Control"], outage["Vary"]) == (True, "no-store", VARY)


@pytest.mark.parametrize("path", ["/optional", "/async/optional", "/maybe", "/async/maybe"])
def test_an_optional_session(client: AsyncClient, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)

    async def ask_often() -> None:
        assert (await client.get(path)).json() == {"user_id": None}
        assert (await client.get(path, headers=headers)).json() == {"user_id": session.user_id}
        hanko_standin.revoke(session)
        assert (await client.get(path, headers=headers)).json() == {"user_id": None}
        with hanko_standin.broken("refusing"):
            assert (await client.get(path, headers=headers)).status_code == 503

    asyncio.run(ask_often())


@pytest.mark.parametrize("path", ["/asked", "/async/asked", "/api/asked"])
def test_hanko_is_asked_once_a_request(client: AsyncClient, hanko_standin: HankoStandIn, path: str) -> None:
    session = hanko_standin.mint_session()
    answer: Any = asyncio.run(client.get(path, headers=hanko_standin.cookie_header(session)))
    assert (answer.json(), answer["Vary"]) == ({"user_ids": [session.user_id] * 3}, VARY)
    assert len(hanko_standin.requests) == 1


@pytest.mark.parametrize("path", ["/open", "/async/open"])
def test_elsewhere_the_session_is_none_without_asking(
    client: AsyncClient, hanko_standin: HankoStandIn, path: str
) -> None:
    answer: Any = asyncio.run(client.get(path, headers=hanko_standin.cookie_header(hanko_standin.mint_session())))
    assert (answer.json(), "Vary" in answer.headers) == ({"user_id": None}, False)
    assert hanko_standin.requests == ()


@pytest.mark.parametrize("path", ["/async/asked", "/async/raise/refused"])
def test_errors_that_a_view_lets_pass_become_answers(client: AsyncClient, path: str) -> None:
    answer: Any = asyncio.run(client.get(path))
    status = 503 if path == "/async/asked" else 401  # nobody has set the API URL
    assert (answer.status_code, answer["Cache-Control"]) == (status, "no-store")


def test_a_streamed_response(client: AsyncClient, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()

    async def read() -> tuple[str, bytes]:
        answer: Any = await client.get("/api/async/stream", headers=hanko_standin.cookie_header(session))
        return answer["Vary"], b"".join([part async for part in answer.streaming_content])

    assert asyncio.run(read()) == (VARY, b"for " + session.user_id.encode())


def test_prefixes_and_preflights(client: AsyncClient, hanko_standin: HankoStandIn) -> None:
    preflight = {"Access-Control-Request-Method": "GET"}

    async def ask_often() -> list[int]:
        answers: list[Any] = [
            await client.get("/api/"),
            await client.get("/apiary"),
            await client.head("/api/async/me"),
            await client.options("/api/page"),
            await client.options("/api/page", headers=preflight),
            await client.options("/api/secret", headers=preflight),
        ]
        assert answers[-1].content == b""
        return [answer.status_code for answer in answers]

    assert asyncio.run(ask_often()) == [401, 200, 401, 401, 204, 200]
    assert hanko_standin.requests == ()


def test_split_cookie_fields_are_joined(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    request: Any = AsyncRequestFactory().get("/")
    request.scope["headers"] += [(b"cookie", b"theme=dark"), (b"cookie", f"hanko={session.token}".encode())]
    assert asyncio.run(aget_session(request)).user_id == session.user_id


def test_a_decorated_coroutine_can_be_awaited(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    view: Any = session_required(ashown)
    assert iscoroutinefunction(view)
    request = RequestFactory().get("/", headers=hanko_standin.cookie_header(session))
    assert asyncio.run(view(request)).status_code == 200


# The loop


def test_asking_in_the_wrong_way_is_refused_instead_of_blocking(
    client: AsyncClient, hanko_standin: HankoStandIn
) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())

    async def ask_in_the_wrong_way() -> None:
        with pytest.raises(SynchronousOnlyOperation, match="await aget_session"):
            get_session(RequestFactory().get("/", headers=headers))
        assert (await client.get("/async/blocking", headers=headers)).status_code == 500

    asyncio.run(ask_in_the_wrong_way())
    assert hanko_standin.requests == ()


async def longest_pause(work: Awaitable[object]) -> float:
    """How long the loop was held at most while something was done, in seconds."""
    longest = 0.0
    task = asyncio.ensure_future(work)
    while not task.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before - 0.005)
    await task
    return longest


@pytest.mark.parametrize("path", COROUTINES)
def test_five_slow_requests_take_the_time_of_one(client: AsyncClient, hanko_standin: HankoStandIn, path: str) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    hanko_standin.delay = 1

    async def five() -> float:
        begin = time.monotonic()
        answers: list[Any] = await asyncio.gather(*[client.get(path, headers=headers) for _ in range(5)])
        assert [answer.status_code for answer in answers] == [200] * 5
        return time.monotonic() - begin

    assert asyncio.run(five()) < 3


@pytest.mark.parametrize("path", COROUTINES)
@override_settings(HANKO_TIMEOUT_MS=3000)
def test_a_hanko_that_hangs_does_not_hold_the_loop(client: AsyncClient, hanko_standin: HankoStandIn, path: str) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())

    async def hang() -> float:
        async def five() -> None:
            answers: list[Any] = await asyncio.gather(*[client.get(path, headers=headers) for _ in range(5)])
            assert [answer.status_code for answer in answers] == [503] * 5

        assert (await client.get(path, headers=headers)).status_code == 200  # what is done only once is done
        with hanko_standin.broken("hanging"):
            return await longest_pause(five())

    pause = asyncio.run(hang())
    print(f"longest pause of the loop: {pause * 1000:.1f} ms")
    assert pause < 1.5  # who blocks holds it for three seconds


def test_a_request_stays_on_the_thread_of_the_loop(hanko_standin: HankoStandIn) -> None:
    """Django sends what is not a coroutine through a thread: neither the middleware nor its hooks may be that."""
    threads: set[int] = set()

    async def answer(request: HttpRequest) -> HttpResponse:
        threads.add(threading.get_ident())
        return HttpResponse()

    middleware: Any = HankoMiddleware(answer)
    assert iscoroutinefunction(middleware)
    assert iscoroutinefunction(middleware.process_view)
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    request = AsyncRequestFactory().get("/api/x", headers=headers)

    async def serve() -> int:
        assert (await middleware(request)).status_code == 200
        assert await middleware.process_view(request, answer, (), {}) is None
        return threading.get_ident()

    assert threads | {asyncio.run(serve())} == threads


@override_settings(
    MIDDLEWARE=["hanko.django.HankoMiddleware", "test_django_async.SyncMiddleware", "hanko.django.HankoMiddleware"]
)
def test_beside_a_middleware_that_is_no_coroutine(client: AsyncClient, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    headers = hanko_standin.cookie_header(session)

    async def ask_twice() -> None:
        for path in ("/api/me", "/api/async/me", "/async/required"):
            good: Any = await client.get(path, headers=headers)
            assert (good.status_code, good.json()) == (200, {"user_id": session.user_id})
            assert (await client.get(path)).status_code == 401

    asyncio.run(ask_twice())


class SyncMiddleware:
    """One of those."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Remember what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Do nothing."""
        return self.get_response(request)
