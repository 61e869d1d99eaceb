"""The client for asyncio: the same answers, without a thread, and cancelling."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import weakref
from typing import Any

import pytest
from answering import SESSION, USER, AnsweringServer, yes
from loops import NewLoop, each_loop, run_in

import hanko
from hanko import _library
from hanko._queue import BATCH
from hanko.standin import StandIn


async def until(condition: Any, seconds: float = 20) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.005)


async def raised(awaitable: Any) -> Any:
    """The exception that something raises; None where it raises none."""
    try:
        await awaitable
    except BaseException as error:  # also asyncio.CancelledError
        return error
    finally:
        del awaitable  # its exception refers to this frame
    return None


@each_loop
def test_the_same_session_as_the_blocking_client(new_loop: NewLoop, standin: StandIn) -> None:
    minted = standin.mint_session(email="ada@example.com", username="ada")
    with hanko.Client(standin.api_url) as blocking:
        expected = blocking.validate(minted.token)

    async def program() -> None:
        async with hanko.AsyncClient(standin.api_url) as client:
            assert await client.check() is None
            assert await client.validate(minted.token) == expected
            assert await client.validate(minted.token.encode()) == expected
            assert await client.authenticate(f"hanko={minted.token}") == expected
            assert await client.authenticate(None, f"Bearer {minted.token}") == expected
            assert await client.authenticate(authorization_header=b"bearer " + minted.token.encode()) == expected

    run_in(new_loop(), program())


@each_loop
def test_refusals(new_loop: NewLoop, accepting: AnsweringServer, refused_url: str) -> None:
    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            for token in (None, "", b""):
                assert type(await raised(client.validate(token))) is hanko.NoToken
            for headers in ((None, None), ("", ""), ("a=b", "Basic x")):
                assert type(await raised(client.authenticate(*headers))) is hanko.NoToken
            for token in ("\ud800", b"\xff", "a\0b", "a" * 262_145):
                assert type(await raised(client.validate(token))) is hanko.InvalidToken
            assert accepting.tokens == []
            error = await raised(client.validate("no"))
            assert type(error) is hanko.InvalidToken
            assert (str(error), error.client_message) == ("Hanko rejected the session token", "Invalid token")
            accepting.answer = lambda _: {"is_valid": True}
            assert "named no user" in str(await raised(client.validate("token")))
            assert type(await raised(client.check())) is hanko.Misconfigured
            accepting.status = 404
            assert type(await raised(client.validate("token"))) is hanko.Misconfigured
            for wrong in (5, bytearray(b"a")):
                assert type(await raised(client.validate(wrong))) is TypeError
                assert type(await raised(client.authenticate(wrong))) is TypeError
        async with hanko.AsyncClient(refused_url) as client:
            assert type(await raised(client.validate("token"))) is hanko.AuthenticationUnavailable

    run_in(new_loop(), program())


@each_loop
def test_statistics_are_no_coroutine(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    client = hanko.AsyncClient(accepting.url)

    async def program() -> None:
        await asyncio.gather(*[raised(client.validate(token)) for token in ("a", "b", "no")])
        statistics = client.statistics()
        assert (statistics.results["HANKO_OK"], statistics.results["HANKO_INVALID_TOKEN"]) == (2, 1)
        # The key set for the no as well.
        assert (statistics.requests, statistics.in_flight) == (3 + 1, 0)
        await client.aclose()

    assert client.statistics().requests == 0
    run_in(new_loop(), program())


@each_loop
def test_many_at_once_each_get_their_own_answer(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    accepting.answer = lambda token: yes(username=token) if token.startswith("user") else {"is_valid": False}

    async def one(client: hanko.AsyncClient, number: int) -> None:
        if number % 3 == 0:
            assert type(await raised(client.validate(f"no-{number}"))) is hanko.InvalidToken
        else:
            assert (await client.validate(f"user-{number}")).username == f"user-{number}"

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url, max_connections=16) as client:
            # More than are taken from the queue at a time.
            await asyncio.gather(*[one(client, number) for number in range(5 * BATCH)])

    run_in(new_loop(), program())


@each_loop
def test_no_thread_for_a_call_and_no_executor(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    def threads_beside_those_of_python() -> int:
        return len(os.listdir("/proc/self/task")) - threading.active_count()

    async def program() -> None:
        before = threads_beside_those_of_python()
        async with hanko.AsyncClient(hanging.url) as client:
            tasks = [asyncio.ensure_future(raised(client.validate(f"t{number}"))) for number in range(40)]
            await until(lambda: len(hanging.tokens) == 40)
            assert threads_beside_those_of_python() - before <= 1
            # Those of the server are daemons; an executor's would not be, and have such names.
            assert [thread.name for thread in threading.enumerate() if "asyncio" in thread.name] == []
            assert [thread.name for thread in threading.enumerate() if "ThreadPool" in thread.name] == []
            hanging.stopping.set()
            assert {type(error) for error in await asyncio.gather(*tasks)} == {hanko.InvalidToken}

    run_in(new_loop(), program())


def test_one_queue_for_each_loop(accepting: AnsweringServer) -> None:
    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            assert client._queues == {}
            await asyncio.gather(*[client.validate("token") for _ in range(10)])
            (queue,) = client._queues.values()
            await client.validate("token")
            assert list(client._queues.values()) == [queue]

    run_in(asyncio.new_event_loop(), program())


def test_without_a_loop_of_asyncio() -> None:
    client = hanko.AsyncClient("http://127.0.0.1:1")
    with pytest.raises(RuntimeError, match="event loop of asyncio or uvloop"):
        client.validate("token").send(None)


# --- Cancelling -------------------------------------------------------------------------------------------------------


@each_loop
def test_cancelling_a_task_cancels_its_validation(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    async def program() -> None:
        async with hanko.AsyncClient(hanging.url, timeout=30) as client:
            kept = asyncio.ensure_future(raised(client.validate("kept")))
            task = asyncio.ensure_future(client.validate("cancelled"))
            await until(lambda: len(hanging.tokens) == 2)
            assert client.statistics().in_flight == 2
            task.cancel()
            error = await raised(task)
            assert type(error) is asyncio.CancelledError
            assert not isinstance(error.__context__, hanko.HankoError)
            await until(lambda: client.statistics().in_flight == 1)
            assert client.statistics().results["HANKO_CANCELLED"] == 1
            hanging.stopping.set()
            assert type(await kept) is hanko.InvalidToken

    run_in(new_loop(), program())


@each_loop
def test_a_timeout_of_asyncio(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    async def program() -> None:
        async with hanko.AsyncClient(hanging.url, timeout=30) as client:
            error = await raised(asyncio.wait_for(client.validate("token"), 0.2))
            assert type(error) in (asyncio.TimeoutError, TimeoutError)
            await until(lambda: client.statistics().in_flight == 0)

    run_in(new_loop(), program())


@each_loop
def test_a_task_that_is_cancelled_before_it_runs_asks_nobody(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            task = asyncio.ensure_future(client.validate("token"))
            task.cancel()
            assert type(await raised(task)) is asyncio.CancelledError
            assert client.statistics().requests == 0

    run_in(new_loop(), program())


class SessionCount:
    """Sessions that were handed out and freed, by handle."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        library = _library.library()
        self.drained: list[int] = []
        self.freed: list[int] = []
        drain, free = library.queue_drain, library.session_free

        def counting_drain(handle: int, buffer: Any, capacity: int, size: int) -> int:
            count = drain(handle, buffer, capacity, size)
            self.drained += [buffer[index].session for index in range(count) if buffer[index].session]
            return count

        def counting_free(handle: Any) -> None:
            self.freed.append(handle)
            free(handle)

        monkeypatch.setattr(library, "queue_drain", counting_drain)
        monkeypatch.setattr(library, "session_free", counting_free)

    def check(self, expected: int) -> None:
        """Each was freed once."""
        assert len(self.drained) == expected
        assert sorted(self.freed) == sorted(self.drained)


def test_every_session_is_freed_once(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    count = SessionCount(monkeypatch)

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            for _ in range(3):
                await asyncio.gather(*[raised(client.validate(token)) for token in ("a", "no", "b")])

    run_in(asyncio.new_event_loop(), program())
    count.check(6)


def test_also_when_the_task_has_gone(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    count = SessionCount(monkeypatch)

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            task = asyncio.ensure_future(client.validate("token"))
            await asyncio.sleep(0)
            # The answer comes while the loop is held, so that it waits in the queue when the task is cancelled.
            end = time.monotonic() + 20
            while client.statistics().results["HANKO_OK"] < 1 and time.monotonic() < end:
                time.sleep(0.005)
            time.sleep(0.05)
            task.cancel()
            assert type(await raised(task)) is asyncio.CancelledError
            await until(lambda: len(count.drained) == 1)
            await client.validate("another")

    run_in(asyncio.new_event_loop(), program())
    count.check(2)


def test_also_when_one_cannot_be_read(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    count = SessionCount(monkeypatch)
    monkeypatch.setattr(_library.library(), "session_id", lambda _: 1 / 0)

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            errors = await asyncio.gather(*[raised(client.validate("token")) for _ in range(3)])
            assert {type(error) for error in errors} == {hanko.ProtocolError}
            assert "ZeroDivisionError" in str(errors[0])

    run_in(asyncio.new_event_loop(), program())
    count.check(3)


def test_the_bool_function_reads_no_session(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    count = SessionCount(monkeypatch)
    monkeypatch.setattr(_library.library(), "session_user_id", lambda _: 1 / 0)
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    assert asyncio.run(hanko.validate_async("token")) is True
    count.check(1)


@each_loop
def test_nothing_is_left_for_the_garbage_collector(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    async def program() -> None:
        client = hanko.AsyncClient(accepting.url)
        session = await client.validate("token")
        assert session.session_id == SESSION and session.user_id == USER
        await raised(client.validate("no"))
        await raised(client.validate(None))
        # Cancelled without a task, because those of asyncio are in a cycle of their own when they are cancelled.
        call = client.validate("token")
        call.send(None)
        with pytest.raises(asyncio.CancelledError):
            call.throw(asyncio.CancelledError())
        del call
        (queue,) = client._queues.values()
        descriptor = queue._queue.descriptor
        references = [weakref.ref(client), weakref.ref(client._native), weakref.ref(queue), weakref.ref(queue._queue)]
        del client, queue
        assert [reference() for reference in references] == [None] * 4
        assert not is_event_descriptor(descriptor)

    gc.collect()
    gc.disable()
    try:
        run_in(new_loop(), program())
    finally:
        gc.enable()


def is_event_descriptor(descriptor: int) -> bool:
    """Whether a descriptor is open, and a queue's."""
    try:
        return "eventfd" in os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return False


def test_errors_are_freed_without_the_garbage_collector(accepting: AnsweringServer) -> None:
    errors: weakref.WeakSet[hanko.HankoError] = weakref.WeakSet()

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            for _ in range(10):
                try:
                    await client.validate("no")
                except hanko.InvalidToken as error:
                    errors.add(error)
            assert len(errors) == 0

    gc.collect()
    gc.disable()
    try:
        run_in(asyncio.new_event_loop(), program())
    finally:
        gc.enable()


# --- The end ----------------------------------------------------------------------------------------------------------


@each_loop
def test_a_closed_client(new_loop: NewLoop, accepting: AnsweringServer) -> None:
    async def program() -> None:
        client = hanko.AsyncClient(accepting.url)
        await client.validate("token")
        await asyncio.gather(client.aclose(), client.aclose())
        await client.aclose()
        for call in (client.validate("a"), client.authenticate("hanko=a"), client.check()):
            error = await raised(call)
            assert type(error) is RuntimeError and "this AsyncClient is closed" in str(error)
        with pytest.raises(RuntimeError, match="closed"):
            client.statistics()
        unused = hanko.AsyncClient(accepting.url)
        await unused.aclose()
        assert type(await raised(unused.validate("a"))) is RuntimeError

    run_in(new_loop(), program())
    assert accepting.tokens == ["token"]


@each_loop
def test_closing_ends_what_is_awaited(new_loop: NewLoop, hanging: AnsweringServer) -> None:
    async def program() -> None:
        client = hanko.AsyncClient(hanging.url, timeout=30)
        tasks = [asyncio.ensure_future(raised(client.validate(f"t{number}"))) for number in range(5)]
        await until(lambda: len(hanging.tokens) == 5)
        began = time.monotonic()
        await client.aclose()
        errors = await asyncio.gather(*tasks)
        assert {type(error) for error in errors} == {hanko.Cancelled}
        assert "closed" in str(errors[0])
        assert time.monotonic() - began < 10  # and not the thirty seconds

    run_in(new_loop(), program())


def test_async_with_closes_also_after_an_exception(accepting: AnsweringServer) -> None:
    async def program() -> None:
        with pytest.raises(KeyError):
            async with hanko.AsyncClient(accepting.url) as client:
                await client.validate("token")
                raise KeyError
        assert type(await raised(client.validate("token"))) is RuntimeError

    run_in(asyncio.new_event_loop(), program())


class Recorder:
    """The order in which readers are removed and queues freed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        library = _library.library()
        self.events: list[tuple[str, int]] = []
        self.descriptors: dict[int, int] = {}
        new, free = library.queue_new, library.queue_free

        def recording_new(client: int, out: Any) -> int:
            status = new(client, out)
            handle = out._obj.value
            self.descriptors[handle] = library.queue_file_descriptor(handle)
            self.events.append(("new", self.descriptors[handle]))
            return status

        def recording_free(handle: int) -> None:
            self.events.append(("free", self.descriptors.pop(handle)))
            free(handle)

        monkeypatch.setattr(library, "queue_new", recording_new)
        monkeypatch.setattr(library, "queue_free", recording_free)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A loop that tells what is done with its readers."""
        recorder = self

        class RecordingLoop(asyncio.SelectorEventLoop):
            def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
                recorder.events.append(("add", fd))
                super().add_reader(fd, callback, *args)

            def remove_reader(self, fd: Any) -> bool:
                recorder.events.append(("remove", fd))
                return super().remove_reader(fd)

        return RecordingLoop()

    def of(self, descriptor: int) -> list[str]:
        """What was done with a descriptor."""
        return [event for event, fd in self.events if fd == descriptor]


def test_the_reader_is_removed_before_the_queue_is_freed(accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)

    async def close() -> int:
        async with hanko.AsyncClient(accepting.url) as client:
            await client.validate("token")
            (queue,) = client._queues.values()
            return queue._queue.descriptor

    async def forget() -> int:
        client = hanko.AsyncClient(accepting.url)
        await client.validate("token")
        (queue,) = client._queues.values()
        return queue._queue.descriptor

    for program in (close, forget):
        recorder.events.clear()
        descriptor = run_in(recorder.new_loop(), program())
        assert recorder.of(descriptor) == ["new", "add", "remove", "free"]


def test_the_queue_of_a_closed_loop_is_freed_without_touching_the_loop(accepting, monkeypatch) -> None:
    recorder = Recorder(monkeypatch)
    client = hanko.AsyncClient(accepting.url)
    loops = [recorder.new_loop() for _ in range(3)]
    descriptors = []

    async def program() -> None:
        assert (await client.validate("token")).user_id == USER
        descriptors.append(list(client._queues.values())[-1]._queue.descriptor)

    for loop in loops:
        run_in(loop, program())
        loop.remove_reader = None  # type: ignore[assignment,method-assign]
    assert len(client._queues) == 1
    frees = [event for event, _ in recorder.events].count("free")
    assert frees == 2  # at the next await
    assert "remove" not in [event for event, _ in recorder.events]

    async def close() -> None:
        await client.aclose()

    run_in(recorder.new_loop(), close())
    assert [event for event, _ in recorder.events].count("free") == 3
    assert recorder.descriptors == {}


def test_a_queue_that_cannot_be_watched_is_freed(accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)

    class Unable(asyncio.SelectorEventLoop):
        def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
            raise NotImplementedError

    async def program() -> None:
        async with hanko.AsyncClient(accepting.url) as client:
            assert type(await raised(client.validate("token"))) is NotImplementedError
            assert client._queues == {}

    run_in(Unable(), program())
    assert [event for event, _ in recorder.events] == ["new", "free"]


def test_no_descriptor_is_left(standin: StandIn) -> None:
    token = standin.mint_session().token

    async def program() -> None:
        async with hanko.AsyncClient(standin.api_url) as client:
            await client.validate(token)

    def open_descriptors() -> int:
        return sum("eventfd" in os.readlink(f"/proc/self/fd/{name}") for name in list_descriptors())

    def list_descriptors() -> list[str]:
        names = os.listdir("/proc/self/fd")
        return [name for name in names if os.path.islink(f"/proc/self/fd/{name}")]

    asyncio.run(program())
    before = open_descriptors()
    for _ in range(20):
        asyncio.run(program())
    assert open_descriptors() <= before


def test_an_answer_that_comes_slowly_holds_nobody_up(signing_key) -> None:
    with StandIn(key=signing_key, delay_ms=300) as standin:
        session = standin.mint_session()

        async def program() -> float:
            async with hanko.AsyncClient(standin.api_url) as client:
                began = time.monotonic()
                await asyncio.gather(*[client.validate(session.token) for _ in range(20)])
                return time.monotonic() - began

        assert run_in(asyncio.new_event_loop(), program()) < 3  # twenty one after another take six seconds
