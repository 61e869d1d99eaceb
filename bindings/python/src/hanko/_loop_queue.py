"""A completion queue in an asyncio event loop."""

from __future__ import annotations

import asyncio
import weakref
from typing import Optional

from ._native_client import NativeClient
from ._operation import Arguments, Operation
from ._queue import CANCELLED, CompletionQueue, Outcome


class LoopQueue:
    """Hands the completions of a queue to the tasks of one loop, whose reader it is.

    It does not keep its loop alive. `close` runs in the thread of the loop, unless the loop does not run.
    """

    def __init__(self, client: NativeClient, loop: asyncio.AbstractEventLoop) -> None:
        """Make the queue and have the loop watch its descriptor."""
        self._loop = weakref.ref(loop)
        self._queue: CompletionQueue[asyncio.Future[Outcome]] = CompletionQueue(client)
        self._is_watched = False
        loop.add_reader(self._queue.descriptor, self.drain)
        self._is_watched = True

    @property
    def loop(self) -> Optional[asyncio.AbstractEventLoop]:
        """The loop; None where it is gone or closed."""
        loop = self._loop()
        return None if loop is None or loop.is_closed() else loop

    def belongs_to(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this is the queue of a loop, and not of one that had its address before."""
        return self._loop() is loop

    @property
    def is_closed(self) -> bool:
        """Whether `close` has run."""
        return self._queue.is_freed

    async def ask(
        self, operation: Operation, arguments: Arguments, loop: asyncio.AbstractEventLoop, wants_session: bool
    ) -> Outcome:
        """Make a call and wait for its end; when the task is cancelled, so is the call."""
        future: asyncio.Future[Outcome] = loop.create_future()
        tag = self._queue.submit(operation, arguments, future, wants_session)
        if tag is None:
            return self._queue.refusal()
        try:
            return await future
        except BaseException:
            self._queue.cancel(tag)
            raise

    def drain(self) -> None:
        """Give a batch of completions to those who wait for them."""
        for future, outcome in self._queue.drain():
            if not future.done():
                future.set_result(outcome)

    def close(self) -> None:
        """End everything: who still waits gets `Cancelled`. A second time does nothing."""
        loop = self.loop
        if loop is not None:
            if self._is_watched:
                self._is_watched = False
                loop.remove_reader(self._queue.descriptor)
            for future in self._queue.take_waiters():
                if not future.done():
                    future.set_result(CANCELLED)
        self._queue.free()

    def close_in_its_thread(self) -> None:
        """Have it closed from any thread, at once where the loop does not run elsewhere."""
        loop = self.loop
        if loop is None or not loop.is_running() or loop is running_loop():
            self.close()
            return
        try:
            loop.call_soon_threadsafe(self.close)
        except RuntimeError:  # closed in the meantime
            self.close()

    def free_after_fork(self) -> None:
        """Leave the loop alone, which shares what it watches with the parent's, and free the queue."""
        self._is_watched = False
        self._queue.take_waiters()
        self._queue.free_after_fork()


def running_loop() -> Optional[asyncio.AbstractEventLoop]:
    """The loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
