"""The client for asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Optional

from ._base_client import BaseClient, closed_error
from ._credentials import Header, Token
from ._loop_queue import LoopQueue, running_loop
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


class AsyncClient(BaseClient):
    """Asks one Hanko whether session tokens are valid, without ever blocking the event loop.

    ::

        async with hanko.AsyncClient("https://<tenant>.hanko.io") as client:
            session = await client.authenticate(headers.get("cookie"), headers.get("authorization"))

    Make one for the whole program. It starts no thread for a call and uses no executor: the loop watches a descriptor.
    It belongs to no loop: it can be made before any runs, and used in several, one after another or at once in several
    threads, also after a fork. It works in asyncio's own loops and in uvloop's, not in trio's (nor in anyio on trio).

    `aclose` is the end of it; one that is only forgotten frees itself as well.
    """

    def _prepare(self) -> None:
        self._closed = False
        self._queues: dict[int, LoopQueue] = {}
        # Re-entrant, for a signal handler or a finalizer in the middle of it.
        self._lock = threading.RLock()

    async def __aenter__(self) -> AsyncClient:
        """The client itself; leaving the `async with` closes it."""
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Close the client."""
        await self.aclose()

    async def validate(self, token: Token) -> Session:
        """Ask Hanko whether a session token is valid, and whose it is.

        Raises `InvalidToken` where Hanko said no or the token cannot be one (not UTF-8, over 262,144 bytes, a U+0000 in
        it) and `NoToken` for None and an empty one: answer 401. Raises `NotChecked` where Hanko could not be asked:
        answer 503; its subclasses say why. `RuntimeError` after `aclose`, `TypeError` for other types. Cancelling the
        task withdraws the request.
        """
        return self._native.session(*await self._ask(VALIDATION, token_arguments(token), wants_session=True))

    async def authenticate(self, cookie_header: Header = None, authorization_header: Header = None) -> Session:
        """Find the token in the headers of a request and ask about it.

        Pass the values of the fields ``Cookie`` (several fields joined with ``"; "``) and ``Authorization`` as the
        server gives them. A ``Bearer`` credential comes first, then each cookie of the configured name; the first one
        that Hanko accepts wins. Raises as `validate` does; `NoToken` where there is none.
        """
        arguments = header_arguments(cookie_header, authorization_header)
        return self._native.session(*await self._ask(AUTHENTICATION, arguments, wants_session=True))

    async def check(self) -> None:
        """Prove at start-up that address, TLS, tenant and clock are right, and warm a connection.

        Asks about a token that cannot be valid, and for Hanko's keys. Raises `NotChecked`, mostly `Misconfigured`,
        whose text names the likely mistake.
        """
        status, text, _ = await self._ask(CHECK, (), wants_session=False)
        self._native.checked(status, text)

    def statistics(self) -> Statistics:
        """The counters of this client in this process; `RuntimeError` after `aclose`."""
        if self._closed:
            raise closed_error(self)
        return self._native.statistics()

    async def aclose(self) -> None:
        """Refuse new calls, end those under way with `Cancelled`, close the connections. A second time does nothing."""
        queues = self._take_queues(close=True)
        for queue in queues:
            queue.close_in_its_thread()
        # Other threads close what belongs to their loops; a loop that stops before it does so needs no care any more.
        while any(not queue.is_closed and _runs(queue) for queue in queues):  # noqa: ASYNC110 - nobody tells of the latter
            await asyncio.sleep(0.005)
        for queue in queues:
            queue.close()
        with self._lock:  # another loop may be making its queue
            self._native.free()

    def _ask(self, operation: Operation, arguments: Arguments, wants_session: bool) -> Coroutine[Any, Any, Outcome]:
        # Not a coroutine itself: each one that another awaits takes its time whenever a task goes on.
        loop = running_loop()
        if loop is None:
            raise RuntimeError("AsyncClient needs a running event loop of asyncio or uvloop; trio's will not do")
        queue = self._queues.get(id(loop))
        if queue is None or not queue.belongs_to(loop):
            queue = self._new_queue(loop)
        return queue.ask(operation, arguments, loop, wants_session)

    def _new_queue(self, loop: asyncio.AbstractEventLoop) -> LoopQueue:
        with self._lock:
            if self._closed:
                raise closed_error(self)
            for key in [key for key, queue in self._queues.items() if queue.loop is None]:
                self._queues.pop(key).close()
            queue = LoopQueue(self._native, loop)
            self._queues[id(loop)] = queue
        return queue

    def _take_queues(self, close: bool) -> list[LoopQueue]:
        with self._lock:
            self._closed = self._closed or close
            queues, self._queues = self._queues, {}
        return list(queues.values())

    def __del__(self) -> None:
        """Whoever awaits something of this client refers to it, so nobody does."""
        for queue in getattr(self, "_queues", {}).values():
            queue.close_in_its_thread()

    def _after_fork_in_child(self) -> None:
        # The queues are dead here, and their loops share what they watch with the parent's.
        queues, self._queues = self._queues, {}
        self._lock = threading.RLock()
        self._native.after_fork()
        for queue in queues.values():
            queue.free_after_fork()


def _runs(queue: LoopQueue) -> bool:
    loop = queue.loop
    return loop is not None and loop.is_running()
