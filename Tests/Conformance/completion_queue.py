"""The completion queue through ctypes, with a check of every call and of every completion."""

from __future__ import annotations

import ctypes
import select
import time
from collections.abc import Iterator
from ctypes import POINTER, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, NamedTuple

import pytest

import telltale
from client import UNTOUCHED, Client, ClientFactory, Outcome, Session, call
from fault_server import Connection, FaultServer
from library import OK, STATUS_NAMES, Expected, Library
from messages import BARE_YES, NO, SERVER_MARKER, response

# No wait for completions lasts longer.
LONGEST_WAIT = 50.0

# What a completion holds before it is written.
CANARY = 0xA5


class Completion(ctypes.Structure):
    """``hanko_completion``."""

    _fields_ = [
        ("tag", c_uint64),
        ("session", c_void_p),
        ("status", c_int32),
        ("reserved", c_uint32),
        ("error", c_char * 232),
    ]


SIZE = ctypes.sizeof(Completion)

SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "hanko_queue_new": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "hanko_queue_file_descriptor": (c_int, [c_void_p]),
    "hanko_queue_submit": (c_int32, [c_void_p, c_char_p, c_size_t, c_uint64]),
    "hanko_queue_submit_authenticate": (c_int32, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint64]),
    "hanko_queue_submit_check": (c_int32, [c_void_p, c_uint64]),
    "hanko_queue_drain": (c_size_t, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "hanko_queue_cancel": (c_int32, [c_void_p, c_uint64]),
    "hanko_queue_free": (None, [c_void_p]),
}


def bind_queue(library: Library) -> Library:
    """Put the functions of the queue with their C types into ``library.api``, beside those of the client."""
    for name, (result, arguments) in SIGNATURES.items():
        function = library.c[name]
        function.restype = result
        function.argtypes = arguments
        setattr(library.api, name, function)
    return library


class Completed(NamedTuple):
    """One completion; the session frees itself."""

    tag: int
    status: int
    error: str
    session: Session | None


def read_completion(library: Library, completion: Completion, of_check: bool = False) -> Completed:
    """Take a completion over, and check what must hold for every one. A check that went well has no session."""
    status = Expected(completion.status)
    raw = bytes(memoryview(completion).cast("B"))[Completion.error.offset :]
    assert b"\0" in raw, f"the text does not end within its {len(raw)} bytes: {raw!r}"
    # Fails where a character was cut in two.
    error = telltale.said(raw.split(b"\0", 1)[0].decode("utf-8"))
    assert status in STATUS_NAMES, f"completed as {int(status)}"
    has_session = status == OK and not of_check
    assert (completion.session is not None) == has_session, f"{status!r} with the session {completion.session}"
    assert (error == "") == (status == OK), f"{status!r} with the text {error!r}"
    assert error.isprintable(), f"not one printable line: {error!r}"
    assert SERVER_MARKER not in error.lower(), f"the server's words are in the error text: {error!r}"
    assert completion.reserved == 0
    session = Session(library, completion.session) if completion.session else None
    return Completed(completion.tag, status, error, session)


def is_readable(descriptor: int, seconds: float = 0.0) -> bool:
    """Whether a descriptor is readable, or becomes so within a time; fails when it is anything else."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    found = poll.poll(int(seconds * 1000))
    assert found in ([], [(descriptor, select.POLLIN)]), found
    return bool(found)


class Queue:
    """A ``hanko_queue`` that was made successfully."""

    def __init__(self, library: Library, client: Client) -> None:
        self.library = library
        # The logger lives in the client's Python object and must outlive this queue as well.
        self.log = client.log
        out = c_void_p(UNTOUCHED)
        outcome = call(library, "hanko_queue_new", client.handle, ctypes.byref(out))
        assert outcome.status == OK, outcome.error
        assert out.value not in (None, UNTOUCHED), "the queue was not written"
        self.handle: int | None = out.value
        self._tags_of_checks: set[int] = set()

    @property
    def descriptor(self) -> int:
        """The file descriptor."""
        return self.library.api.hanko_queue_file_descriptor(self.handle)

    def submit(self, token: bytes | None, tag: int = 0, length: int | None = None) -> Outcome:
        """Ask about a token."""
        if token is not None:
            telltale.used(token)
        size = len(token or b"") if length is None else length
        return call(self.library, "hanko_queue_submit", self.handle, token, size, tag)

    def submit_authenticate(
        self, cookie: bytes | None = None, authorization: bytes | None = None, tag: int = 0
    ) -> Outcome:
        """Find the token in headers and ask about it."""
        lengths = len(cookie or b""), len(authorization or b"")
        arguments = cookie, lengths[0], authorization, lengths[1], tag
        return call(self.library, "hanko_queue_submit_authenticate", self.handle, *arguments)

    def submit_check(self, tag: int = 0) -> Outcome:
        """The start-up check; its tag is then no validation's any more."""
        self._tags_of_checks.add(tag)
        return call(self.library, "hanko_queue_submit_check", self.handle, tag)

    def cancel(self, tag: int) -> Outcome:
        """Withdraw what has this tag."""
        return call(self.library, "hanko_queue_cancel", self.handle, tag)

    def readable(self, seconds: float = 0.0) -> bool:
        """Whether the descriptor is readable, or becomes so within a time."""
        return is_readable(self.descriptor, seconds)

    def drain(self, capacity: int = 64) -> list[Completed]:
        """Take what is there, and check that nothing was written behind the capacity."""
        completions = (Completion * (capacity + 1))()
        ctypes.memset(completions, CANARY, ctypes.sizeof(completions))
        count = self.library.api.hanko_queue_drain(self.handle, completions, capacity, SIZE)
        assert count <= capacity, f"{count} completions for {capacity} places"
        assert bytes(memoryview(completions[capacity]).cast("B")) == bytes([CANARY]) * SIZE, "written beyond the end"
        drained = completions[:count]
        return [read_completion(self.library, done, done.tag in self._tags_of_checks) for done in drained]

    def collect(self, count: int, seconds: float = LONGEST_WAIT) -> list[Completed]:
        """Wait for exactly so many completions; fails when fewer come in time, and when more are there."""
        found: list[Completed] = []
        end = time.monotonic() + seconds
        while len(found) < count:
            assert self.readable(max(end - time.monotonic(), 0)), f"{len(found)} of {count} within {seconds} s"
            drained = self.drain()
            assert drained, "readable, but nothing to drain"
            found += drained
        assert len(found) == count, f"{len(found)} completions instead of {count}: {found}"
        return found

    def only(self, seconds: float = LONGEST_WAIT) -> Completed:
        """Wait for the one completion that is under way."""
        return self.collect(1, seconds)[0]

    def at_rest(self) -> None:
        """Fail when a completion is there: each submission has exactly one."""
        assert not self.readable()
        assert self.drain() == []

    def free(self) -> None:
        """Free the handle; a second time does nothing."""
        handle, self.handle = self.handle, None
        if handle:
            self.library.api.hanko_queue_free(handle)

    __del__ = free


QueueFactory = Callable[[Client], Queue]


@pytest.fixture
def new_queue(library: Library, new_client: ClientFactory) -> Iterator[QueueFactory]:
    """Make a queue of a client. When the test ends its completions must have been drained, and it is freed."""
    bind_queue(library)
    queues: list[Queue] = []

    def start(client: Client) -> Queue:
        queues.append(Queue(library, client))
        return queues[-1]

    yield start
    for queue in queues:
        if queue.handle:
            queue.at_rest()
            queue.free()


# What the server below answers to a token, by the token's word before its first dot.
ANSWERS = {
    "ok": response(BARE_YES),
    "no": response(NO),
    "forbidden": response(b"<html>no</html>", status=403),
    "odd": response(b"[]"),
    "down": response(b"", status=503),
}


@pytest.fixture
def hanko(serve: Callable[..., FaultServer]) -> FaultServer:
    """A server that answers each token by its first word; "late" is never answered."""

    def script(connection: Connection) -> None:
        while True:
            word = connection.read_request().token.split(".")[0]
            if word == "late":
                connection.hang()
            connection.send(ANSWERS[word])

    return serve(script)
