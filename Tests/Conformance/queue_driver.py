"""The tests of the blocking calls once more, each call made through a completion queue: one set of rules, two drivers.

A test module that begins with ``globals().update(through_the_queue(test_verdicts))`` holds every test of
``test_verdicts``. What those tests call a library or a client looks the same, but submits, waits and drains.
"""

from __future__ import annotations

import ctypes
import os
import threading
import types
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

import child
import client
import resilience
import telltale
from client import Outcome, call, new_client_handle
from completion_queue import Completed, Queue, bind_queue
from library import NO_TOKEN, OK, Answer, Expected, Library


# What `child.run` then starts with.
IN_A_CHILD = """
from queue_driver import ClientThroughQueue as Client, LibraryThroughQueue
library = LibraryThroughQueue(library)
"""


class Caller:
    """Makes calls through the queues of one client: a queue for each thread, because a drain takes what is there."""

    def __init__(self, library: Library, handle: int) -> None:
        self._library = library
        # What a Queue needs of a client; the log is checked where the client is.
        self._client = types.SimpleNamespace(handle=handle, log=None)
        self._of_thread = threading.local()
        self._queues: list[Queue] = []

    def _queue(self) -> Queue:
        if not hasattr(self._of_thread, "queue"):
            self._of_thread.queue = Queue(self._library, self._client)
            self._queues.append(self._of_thread.queue)
        return self._of_thread.queue

    def make(self, function: str, *arguments: Any) -> Completed:
        """Submit by one of the three functions, wait and drain; what is refused at once has no completion."""
        queue = self._queue()
        if function == "submit_check":
            arguments = (1,)
        outcome = getattr(queue, function)(*arguments)
        done = Completed(0, outcome.status, outcome.error, None) if outcome.status != OK else queue.only()
        queue.at_rest()
        return done

    def free(self) -> None:
        """Free the queues; what is under way has been waited for."""
        for queue in self._queues:
            queue.free()


class LibraryThroughQueue:
    """Like ``Library``, but ``ask`` goes through a client of the environment and its queue."""

    def __init__(self, library: Library) -> None:
        self._library = bind_queue(library)
        self._lock = threading.Lock()
        self._environment: list[tuple[str, str]] | None = None
        self._client: int | None = None
        self._caller: Caller | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def _for_this_environment(self) -> Outcome:
        """A client for the variables as they are, as hanko_validate() has one."""
        with self._lock:
            environment = sorted(item for item in os.environ.items() if item[0].startswith("HANKO_"))
            if self._caller and environment == self._environment:
                return Outcome(OK, "")
            self.free()
            outcome, self._client = new_client_handle(self._library, None)
            if outcome.status == OK:
                self._environment, self._caller = environment, Caller(self._library, self._client)
            return outcome

    def ask(self, token: bytes | None) -> Answer:
        """Ask about a token as hanko_validate() takes it: up to its first NUL."""
        token = None if token is None else token.split(b"\0")[0]
        outcome = self._for_this_environment()
        done = self._caller.make("submit", token) if outcome.status == OK else outcome
        if token and len(token) >= telltale.SHORTEST_TOKEN:
            assert token.decode("utf-8", "replace") not in done.error, f"the token is in the error text: {done.error!r}"
        assert (done.status == NO_TOKEN) == (not token)
        return Answer(int(done.status == OK), Expected(done.status), done.error)

    def free(self) -> None:
        """Free what there is; nothing may be under way."""
        if self._caller:
            self._caller.free()
            statistics = client.Statistics(struct_size=ctypes.sizeof(client.Statistics))
            assert call(self._library, "hanko_client_statistics", self._client, statistics).status == OK
            assert statistics.in_flight == 0
            self._library.api.hanko_client_free(self._client)
        self._client = self._caller = None


class ClientThroughQueue(client.Client):
    """Like ``client.Client``."""

    def __init__(self, library: Library, config: client.Config | None = None) -> None:
        super().__init__(library, config)
        self._caller = Caller(library, self.handle)

    def _outcome(self, done: Completed, wanted: bool) -> Outcome:
        return Outcome(done.status, done.error, done.session if wanted else None)

    def validate(self, token: bytes | None, length: int | None = None, wanted: bool = True) -> Outcome:
        """As the blocking one; the queue always has a session to give."""
        return self._outcome(self._caller.make("submit", token, 0, length), wanted)

    def authenticate(
        self, cookie: bytes | None = None, authorization: bytes | None = None, wanted: bool = True
    ) -> Outcome:
        """As the blocking one."""
        return self._outcome(self._caller.make("submit_authenticate", cookie, authorization), wanted)

    def check(self) -> Outcome:
        """As the blocking one."""
        return self._outcome(self._caller.make("submit_check"), True)

    def free(self) -> None:
        """Free the queues, then the client."""
        if hasattr(self, "_caller"):
            self._caller.free()
        super().free()

    __del__ = free


class ResilienceClientThroughQueue(resilience.Client):
    """Like ``resilience.Client``."""

    def __init__(self, library: Library, url: str, **settings: Any) -> None:
        super().__init__(library, url, **settings)
        self._caller = Caller(library, self._client.value)

    def validate(self, token: bytes) -> resilience.Result:
        """As the blocking one."""
        done = self._caller.make("submit", token)
        return resilience.Result(done.status, done.error)

    def authenticate(self, cookie: bytes, authorization: bytes | None = None) -> resilience.Result:
        """As the blocking one."""
        done = self._caller.make("submit_authenticate", cookie, authorization)
        return resilience.Result(done.status, done.error)

    def check(self) -> resilience.Result:
        """As the blocking one."""
        done = self._caller.make("submit_check")
        return resilience.Result(done.status, done.error)

    def close(self) -> None:
        """Free the queues, then the client."""
        self._caller.free()
        super().close()


def through_the_queue(module: types.ModuleType, without: Iterable[str] = ()) -> dict[str, Any]:
    """Everything that a test module of the blocking calls holds, but its tests go through the queue.

    ``without`` names tests that do not fit, for a reason to be given where they are named; that one has been
    renamed is an error.
    """
    contents = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    for name in without:
        del contents[name]

    @pytest.fixture(autouse=True)
    def client_through_queue(monkeypatch: pytest.MonkeyPatch, library: LibraryThroughQueue) -> None:
        """Also where a test makes its clients itself."""
        monkeypatch.setattr("conftest.Client", ClientThroughQueue)
        monkeypatch.setattr("child.PRELUDE", child.PRELUDE + IN_A_CHILD)
        found = getattr(module, "Client", None)
        if found is not None:
            driven = ResilienceClientThroughQueue if found is resilience.Client else ClientThroughQueue
            monkeypatch.setattr(module, "Client", driven)

    @pytest.fixture
    def library(library: Library) -> Iterator[LibraryThroughQueue]:
        """Takes the place of the library."""
        driven = LibraryThroughQueue(library)
        yield driven
        driven.free()

    contents["client_through_queue"] = client_through_queue
    contents["library"] = library
    return contents
