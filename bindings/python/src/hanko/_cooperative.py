"""Waiting without holding up other greenlets, where gevent or eventlet has patched `socket`.

A call that blocks its thread would stop every greenlet of that thread. So the call goes to a completion queue, and the
greenlet waits until the descriptor of that queue is readable, which its hub can watch for it.
"""

from __future__ import annotations

import importlib
import socket
import weakref
from typing import Any, Callable, NamedTuple, Optional, Protocol

from ._native_client import NativeClient
from ._operation import Arguments, Operation
from ._queue import CANCELLED, CompletionQueue, Outcome


class Hub(Protocol):
    """What is needed of the event loop that runs the greenlets of this thread."""

    identity: Any

    def watch(self, descriptor: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever the descriptor is readable; what is returned ends that."""
        ...

    def new_waiter(self) -> Any:
        """Something that one greenlet can wait for."""
        ...

    def wait(self, waiter: Any) -> Outcome:
        """Let other greenlets run until the outcome is there."""
        ...

    def wake(self, waiter: Any, outcome: Outcome) -> None:
        """Hand an outcome to who waits for it."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let other greenlets run for a while."""
        ...

    def forget(self, stop: Callable[[], None]) -> None:
        """End watching in a forked child, whose hub may still be one with its parent's."""
        ...


class GeventHub:
    """The hub of gevent."""

    def __init__(self) -> None:
        self._gevent: Any = importlib.import_module("gevent")
        self._event: Any = importlib.import_module("gevent.event")
        self.identity: Any = self._gevent.get_hub()

    def watch(self, descriptor: int, callback: Callable[[], None]) -> Callable[[], None]:
        watcher = self.identity.loop.io(descriptor, 1)
        watcher.start(callback)

        def stop() -> None:
            watcher.stop()
            watcher.close()

        return stop

    def new_waiter(self) -> Any:
        return self._event.AsyncResult()

    def wait(self, waiter: Any) -> Outcome:
        outcome: Outcome = waiter.get()
        return outcome

    def wake(self, waiter: Any, outcome: Outcome) -> None:
        waiter.set(outcome)

    def sleep(self, seconds: float) -> None:
        self._gevent.sleep(seconds)

    def forget(self, stop: Callable[[], None]) -> None:
        # Nothing is said to the kernel before the loop runs again, and by then it has been made anew.
        stop()


class EventletHub:
    """The hub of eventlet."""

    def __init__(self) -> None:
        self._eventlet: Any = importlib.import_module("eventlet")
        self._event: Any = importlib.import_module("eventlet.event")
        self.identity: Any = importlib.import_module("eventlet.hubs").get_hub()

    def watch(self, descriptor: int, callback: Callable[[], None]) -> Callable[[], None]:
        hub = self.identity

        def readable(_: object) -> None:
            callback()

        # Nobody is to be told when the descriptor is closed: it is taken out of the hub before.
        listener = hub.add(hub.READ, descriptor, readable, _ignore, _ignore)
        return lambda: hub.remove(listener)

    def new_waiter(self) -> Any:
        return self._event.Event()

    def wait(self, waiter: Any) -> Outcome:
        outcome: Outcome = waiter.wait()
        return outcome

    def wake(self, waiter: Any, outcome: Outcome) -> None:
        waiter.send(outcome)

    def sleep(self, seconds: float) -> None:
        self._eventlet.sleep(seconds)

    def forget(self, stop: Callable[[], None]) -> None:
        # It would take the descriptor out of the parent's hub.
        pass


def _ignore(*_: object) -> None:
    pass


def current_hub() -> Optional[Hub]:
    """The hub of this thread; None where `socket` is Python's own, and calls may block their thread."""
    module = socket.socket.__module__
    if module == "socket":
        return None
    if module.startswith("gevent."):
        return GeventHub()
    if module.startswith("eventlet."):
        return EventletHub()
    return None


class _Watch(NamedTuple):
    """A descriptor that is being watched."""

    hub: Hub
    stop: Callable[[], None]


class HubQueue:
    """A completion queue for the greenlets of one hub; it is watched only while one of them waits."""

    def __init__(self, client: NativeClient, hub: Hub) -> None:
        """Make the queue; nothing is watched yet."""
        self._queue: CompletionQueue[Any] = CompletionQueue(client)
        self._identity = weakref.ref(hub.identity)
        self._watch: Optional[_Watch] = None

    def belongs_to(self, hub: Hub) -> bool:
        """Whether this is the queue of a hub, and not of one that had its address before."""
        return self._identity() is hub.identity

    @property
    def is_orphaned(self) -> bool:
        """Whether the hub is gone."""
        return self._identity() is None

    def ask(self, operation: Operation, arguments: Arguments, hub: Hub, wants_session: bool) -> Outcome:
        """Make a call and let other greenlets run until it has ended."""
        waiter = hub.new_waiter()
        tag = self._queue.submit(operation, arguments, waiter, wants_session)
        if tag is None:
            return self._queue.refusal()
        try:
            if self._watch is None:
                self._watch = _Watch(hub, hub.watch(self._queue.descriptor, self._drain))
            return hub.wait(waiter)
        except BaseException:
            # A timeout of gevent, or the greenlet was killed.
            self._queue.cancel(tag)
            raise
        finally:
            self._rest()

    def _drain(self) -> None:
        watch = self._watch
        for waiter, outcome in self._queue.drain():
            if watch is not None:
                watch.hub.wake(waiter, outcome)
        self._rest()

    def _rest(self) -> None:
        if not self._queue.has_waiters:
            watch, self._watch = self._watch, None
            if watch is not None:
                watch.stop()

    def free(self) -> None:
        """Free the queue, when no greenlet waits any more."""
        self._rest()
        self._queue.free()

    def free_after_fork(self) -> None:
        """The same in a forked child, where whoever waited waits for nothing."""
        watch, self._watch = self._watch, None
        waiters = self._queue.take_waiters()
        if watch is not None:
            watch.hub.forget(watch.stop)
            for waiter in waiters:
                watch.hub.wake(waiter, CANCELLED)
        self._queue.free_after_fork()
