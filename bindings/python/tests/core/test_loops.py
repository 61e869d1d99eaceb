"""One asynchronous client in several loops: one after another, at once, stopped, and closed from elsewhere."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest
from answering import AnsweringServer
from loops import NewLoop, each_loop, new_asyncio_loop, run_in
from test_async_client import Recorder, raised, until

import hanko


@each_loop
def test_one_loop_after_another(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    client = hanko.AsyncClient(accepting.url)
    for number in range(10):
        session = run_in(new_loop(), client.validate(f"token-{number}"))
        assert session.user_id
        assert len(client._queues) == 1
    run_in(new_loop(), client.aclose())
    assert client._queues == {}


@each_loop
def test_loops_that_are_never_closed(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    client = hanko.AsyncClient(accepting.url)
    loops = [new_loop() for _ in range(3)]
    for loop in loops:
        run_in(loop, client.validate("token"), close=False)
    # A loop that runs again finds its queue again.
    for loop in loops:
        run_in(loop, client.validate("token"), close=False)
    assert len(client._queues) == 3
    run_in(new_loop(), client.aclose())
    for loop in loops:
        loop.close()


@each_loop
def test_loops_that_are_dropped(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    client = hanko.AsyncClient(accepting.url)
    for _ in range(3):
        loop = new_loop()
        run_in(loop, client.validate("token"))
        reference = weakref.ref(loop)
        del loop
        gc.collect()
        assert reference() is None, "the client keeps the loop alive"
    assert run_in(new_loop(), client.validate("token"))
    run_in(new_loop(), client.aclose())


@each_loop
def test_loops_at_once_in_threads(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    client = hanko.AsyncClient(accepting.url)
    failures: list[Any] = []
    barrier = threading.Barrier(4)

    async def program() -> None:
        barrier.wait()
        for _ in range(5):
            results = await asyncio.gather(*[raised(client.validate(token)) for token in ("a", "no", "b", "no")])
            kinds = [type(error) for error in results]
            if kinds != [type(None), hanko.InvalidToken, type(None), hanko.InvalidToken]:
                failures.append(results)

    def work() -> None:
        try:
            for _ in range(3):
                run_in(new_loop(), program())
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    run_in(new_loop(), client.aclose())


class OtherLoop:
    """A loop that runs in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.Thread(target=loop.run_forever)
        self.thread.start()

    def start(self, program: Any) -> Any:
        """Start a task there: a future of this thread's kind."""
        return asyncio.run_coroutine_threadsafe(program, self.loop)

    def stop(self) -> None:
        """Stop and close it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@each_loop
def test_closing_from_another_loop(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    client = hanko.AsyncClient(hanging.url, timeout=30)
    other = OtherLoop(new_loop())
    pending = [other.start(raised(client.validate(f"t{number}"))) for number in range(3)]

    async def program() -> None:
        await until(lambda: len(hanging.tokens) == 3)
        await client.aclose()

    run_in(new_loop(), program())
    assert {type(future.result(20)) for future in pending} == {hanko.Cancelled}
    assert type(other.start(raised(client.validate("late"))).result(20)) is RuntimeError
    other.stop()


def test_the_other_loop_removes_its_own_reader(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    removing: list[int] = []

    class Watching(type(recorder.new_loop())):  # type: ignore[misc]
        def remove_reader(self, fd: Any) -> bool:
            removing.append(threading.get_ident())
            return bool(super().remove_reader(fd))

    client = hanko.AsyncClient(accepting.url)
    other = OtherLoop(Watching())
    assert other.start(client.validate("token")).result(20)
    descriptor = next(iter(client._queues.values()))._queue.descriptor
    ident = other.thread.ident
    removing.clear()
    run_in(new_asyncio_loop(), client.aclose())
    assert removing == [ident]
    assert recorder.of(descriptor) == ["new", "add", "remove", "free"]
    other.stop()


def test_a_client_that_is_forgotten_elsewhere(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    client: Any = hanko.AsyncClient(accepting.url)
    other = OtherLoop(recorder.new_loop())
    assert other.start(client.validate("token")).result(20)
    descriptor = next(iter(client._queues.values()))._queue.descriptor
    del client
    end = time.monotonic() + 20
    while recorder.descriptors and time.monotonic() < end:
        time.sleep(0.005)
    assert recorder.of(descriptor) == ["new", "add", "remove", "free"]
    other.stop()


@each_loop
def test_a_loop_that_stops_with_calls_under_way(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    client = hanko.AsyncClient(hanging.url, timeout=30)
    loop = new_loop()

    async def begin() -> asyncio.Future[Any]:
        task = asyncio.ensure_future(raised(client.validate("token")))
        await until(lambda: len(hanging.tokens) == 1)
        return task

    task = run_in(loop, begin(), close=False)
    run_in(new_loop(), client.aclose())

    async def end() -> Any:
        return await task

    assert type(run_in(loop, end())) is hanko.Cancelled


@each_loop
def test_a_loop_that_is_closed_with_calls_under_way(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    client = hanko.AsyncClient(hanging.url, timeout=30)
    loop = new_loop()

    async def begin() -> None:
        client_task = asyncio.ensure_future(raised(client.validate("token")))
        await until(lambda: len(hanging.tokens) == 1)
        client_task.cancel()
        await client_task

    async def leave() -> None:
        # Never awaited to its end: its coroutine is thrown away with the loop.
        coroutine = client.validate("second")
        coroutine.send(None)
        coroutine.close()

    run_in(loop, begin(), close=False)
    run_in(loop, leave())
    hanging.answer = lambda _: {"is_valid": False}
    assert type(run_in(new_loop(), raised(client.validate("third")))) is hanko.InvalidToken
    run_in(new_loop(), client.aclose())


def test_asyncio_run_again_and_again_with_the_bool_function(accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    for _ in range(20):
        assert asyncio.run(hanko.validate_async("token")) is True
        assert asyncio.run(hanko.validate_async("no")) is False


def test_where_there_is_no_descriptor_for_a_queue(run_program, accepting: AnsweringServer) -> None:
    program = """
        import asyncio, os, resource, sys
        import hanko

        client = hanko.AsyncClient(sys.argv[1])

        async def ask():
            return (await client.validate("token")).user_id

        async def program():
            opened = []
            try:
                while True:
                    opened.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                pass
            try:
                await ask()
                raise SystemExit("no exception")
            except hanko.AuthenticationUnavailable as error:
                assert str(error)
            for descriptor in opened:
                os.close(descriptor)
            assert await ask()

        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        asyncio.run(program())
    """
    run_program(program, accepting.url)
