"""The client for programs that wait: threads, and greenlets of gevent and eventlet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from ctypes import c_void_p
from types import TracebackType
from typing import Optional

from ._base_client import BaseClient, closed_error
from ._cooperative import Hub, HubQueue, current_hub
from ._credentials import Header, Token
from ._native_session import read_session
from ._operation import (
    AUTHENTICATION,
    CHECK,
    VALIDATION,
    Arguments,
    Operation,
    header_arguments,
    token_arguments,
)
from ._queue import Outcome
from ._session import Session
from ._statistics import Statistics


class Client(BaseClient):
    """Asks one Hanko whether session tokens are valid, and whose they are.

    ::

        client = hanko.Client("https://<tenant>.hanko.io")
        session = client.authenticate(request.headers.get("Cookie"), request.headers.get("Authorization"))

    Make one for the whole program: it keeps connections and may be used from any number of threads at once, before and
    after forks. Where gevent or eventlet has patched `socket`, calls let other greenlets run.
    """

    def _prepare(self) -> None:
        # The calls under way, with their threads. A dict changes in one step, so that no exception from outside (a
        # signal, another thread) can come between a call and its entry here, and there is no lock to be left locked.
        self._calls: dict[object, int] = {}
        self._closed = False
        self._call_ended = threading.Event()
        self._hub_queues: dict[int, HubQueue] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Client:
        """The client itself; leaving the `with` closes it."""
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Close the client."""
        self.close()

    def validate(self, token: Token) -> Session:
        """Ask Hanko whether a session token is valid, and whose it is; blocks until it is known.

        Raises `InvalidToken` where Hanko said no or the token cannot be one (not UTF-8, over 262,144 bytes, a U+0000 in
        it) and `NoToken` for None and an empty one: answer 401. Raises `NotChecked` where Hanko could not be asked:
        answer 503; its subclasses say why. `RuntimeError` after `close`, `TypeError` for other types.

        Other threads run meanwhile. A signal handler of Python's, and so Ctrl-C, waits until the call ends.
        """
        return self._native.session(*self._ask(VALIDATION, token_arguments(token), wants_session=True))

    def authenticate(self, cookie_header: Header = None, authorization_header: Header = None) -> Session:
        """Find the token in the headers of a request and ask about it.

        Pass the values of the fields ``Cookie`` (several fields joined with ``"; "``) and ``Authorization`` as the
        server gives them. A ``Bearer`` credential comes first, then each cookie of the configured name; the first one
        that Hanko accepts wins. Raises as `validate` does; `NoToken` where there is none.
        """
        arguments = header_arguments(cookie_header, authorization_header)
        return self._native.session(*self._ask(AUTHENTICATION, arguments, wants_session=True))

    def check(self) -> None:
        """Prove at start-up that address, TLS, tenant and clock are right, and warm a connection.

        Asks about a token that cannot be valid, and for Hanko's keys. Raises `NotChecked`, mostly `Misconfigured`,
        whose text names the likely mistake.
        """
        status, text, _ = self._ask(CHECK, (), wants_session=False)
        self._native.checked(status, text)

    def statistics(self) -> Statistics:
        """The counters of this client in this process; `RuntimeError` after `close`."""
        if self._closed:
            raise closed_error(self)
        return self._native.statistics()

    def close(self) -> None:
        """Refuse new calls, wait for those under way, then close the connections. A second time does nothing."""
        self._closed = True
        while self._must_wait():
            hub = current_hub()
            if hub is None:
                self._call_ended.wait(1)
                self._call_ended.clear()
            else:
                hub.sleep(0.01)
        self._free_unless_used()

    def _must_wait(self) -> bool:
        if current_hub() is not None:
            return bool(self._calls)
        # A call of this very thread waits for a signal handler that is in here: it frees the client when it ends.
        return any(thread != threading.get_ident() for thread in list(self._calls.values()))

    def _free_unless_used(self) -> None:
        if self._calls:
            return
        with self._lock:
            queues, self._hub_queues = self._hub_queues, {}
        for queue in queues.values():
            queue.free()
        self._native.free()

    def _ask(self, operation: Operation, arguments: Arguments, wants_session: bool) -> Outcome:
        hub = current_hub()
        call = object()
        calls = self._calls
        try:
            calls[call] = threading.get_ident()
            if self._closed:
                raise closed_error(self)
            if hub is not None:
                return self._hub_queue(hub).ask(operation, arguments, hub, wants_session)
            return self._block(operation, arguments, wants_session)
        finally:
            calls.pop(call, None)
            if self._closed:
                self._free_unless_used()
                self._call_ended.set()

    def _block(self, operation: Operation, arguments: Arguments, wants_session: bool) -> Outcome:
        library = self._native.library
        function: Callable[..., int] = getattr(library, operation.blocking)
        if not wants_session:
            missing = (None,) if operation.gives_session else ()
            status = function(self._native.handle, *arguments, *missing)
            return status, library.last_text() if status else "", None
        session = c_void_p()
        try:
            # ctypes passes its address, because a pointer to one is declared.
            status = function(self._native.handle, *arguments, session)
            if status:
                return status, library.last_text(), None
            return status, "", read_session(library, session.value) if session.value else None
        finally:
            if session.value:
                library.session_free(session.value)

    def _hub_queue(self, hub: Hub) -> HubQueue:
        known = self._hub_queues.get(id(hub.identity))
        if known is not None and known.belongs_to(hub):
            return known
        with self._lock:
            for key in [key for key, queue in self._hub_queues.items() if queue.is_orphaned]:
                self._hub_queues.pop(key).free()
            fresh = HubQueue(self._native, hub)
            self._hub_queues[id(hub.identity)] = fresh
        return fresh

    def _after_fork_in_child(self) -> None:
        # The calls of the parent's other threads are not ours to wait for, and its queues are dead here.
        self._calls = {}
        self._call_ended = threading.Event()
        self._lock = threading.RLock()
        self._native.after_fork()
        queues, self._hub_queues = self._hub_queues, {}
        for queue in queues.values():
            queue.free_after_fork()
