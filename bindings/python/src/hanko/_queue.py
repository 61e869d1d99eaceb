"""A completion queue of the library, and who waits for which of its completions."""

from __future__ import annotations

import threading
from ctypes import byref, c_void_p, sizeof
from struct import Struct
from typing import Callable, Generic, Optional, TypeVar

from ._library import Completion
from ._native_client import NativeClient
from ._native_session import read_session
from ._operation import Arguments, Operation
from ._session import Session
from ._status import Status

Waiter = TypeVar("Waiter")

# So many are taken at a time: the descriptor stays readable while more wait, and others get a turn in between.
BATCH = 64

_SIZE = sizeof(Completion)
_ERROR_START = Completion.error.offset
# A completion without its text, which only failures have: tag, session, status.
_FIELDS = Struct(f"@QPi{_SIZE - Completion.status.offset - 4}x")


# How a call ended: its status; with a failure, its text; the session, with a yes that names a user and where it was
# wanted. A plain tuple, because a class takes ten times as long to make one, in every call.
Outcome = tuple[int, str, Optional[Session]]

CANCELLED: Outcome = (Status.CANCELLED, "the validation was cancelled, because its client was closed", None)


class CompletionQueue(Generic[Waiter]):
    """Owns a ``hanko_queue``. Everything but `cancel` and `free` belongs to the thread that reads the descriptor."""

    def __init__(self, client: NativeClient) -> None:
        """Make a queue of a client, which it does not keep alive."""
        library = self._library = client.library
        self._handle: Optional[int] = None
        # Re-entrant, because the garbage collector may end a coroutine, which cancels, in the middle of this.
        self._freeing = threading.RLock()
        self._tag = 0
        self._waiting: dict[int, tuple[Waiter, bool]] = {}
        self._buffer = (Completion * BATCH)()
        self._view = memoryview(self._buffer).cast("B")
        out = c_void_p()
        status = library.queue_new(client.handle, byref(out))
        if status != Status.OK or out.value is None:
            raise client.failure(status, library.last_text())
        self._handle = out.value
        self.descriptor = library.queue_file_descriptor(out.value)

    def submit(self, operation: Operation, arguments: Arguments, waiter: Waiter, wants_session: bool) -> Optional[int]:
        """Submit a call: its tag, or None where the library refuses it, whose last error then says why."""
        self._tag += 1
        tag = self._tag
        function: Callable[..., int] = getattr(self._library, operation.submitting)
        self._waiting[tag] = (waiter, wants_session)
        status = function(self._handle or 0, *arguments, tag)
        if not status:
            return tag
        del self._waiting[tag]
        return None

    def refusal(self) -> Outcome:
        """Why the last `submit` was refused."""
        return self._library.last_status(), self._library.last_text(), None

    def cancel(self, tag: int) -> None:
        """Withdraw a call, from any thread; what still comes of it goes to nobody."""
        self._waiting.pop(tag, None)
        with self._freeing:
            if self._handle is not None:
                self._library.queue_cancel(self._handle, tag)

    @property
    def has_waiters(self) -> bool:
        """Whether anybody waits for a completion."""
        return bool(self._waiting)

    @property
    def is_freed(self) -> bool:
        """Whether `free` was called."""
        return self._handle is None

    def take_waiters(self) -> list[Waiter]:
        """Everybody who waits, who are then forgotten."""
        waiting, self._waiting = self._waiting, {}
        return [waiter for waiter, _ in waiting.values()]

    def drain(self) -> list[tuple[Waiter, Outcome]]:
        """Take up to a batch of completions, for those who still wait. Every session is freed."""
        if self._handle is None:
            return []
        count = self._library.queue_drain(self._handle, self._buffer, BATCH, _SIZE)
        drained = list(_FIELDS.iter_unpack(self._view[: count * _SIZE]))
        outcomes: list[tuple[Waiter, Outcome]] = []
        sessions = [session for _, session, _ in drained if session]
        try:
            for index, (tag, session, status) in enumerate(drained):
                waiter, wants_session = self._waiting.pop(tag, (None, False))
                if waiter is not None:
                    outcomes.append((waiter, self._outcome(index, session, status, wants_session)))
        finally:
            while sessions:
                self._library.session_free(sessions.pop())
        return outcomes

    def _outcome(self, index: int, session: int, status: int, wants_session: bool) -> Outcome:
        if status:
            start = index * _SIZE + _ERROR_START
            text = bytes(self._view[start : (index + 1) * _SIZE]).partition(b"\0")[0]
            return status, text.decode("utf-8", "replace"), None
        if not wants_session or not session:
            return status, "", None
        try:
            return status, "", read_session(self._library, session)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            return Status.PROTOCOL_ERROR, f"the session cannot be read ({type(error).__name__})", None

    def free(self) -> None:
        """Free the queue, after its descriptor was taken out of every event loop; a second time does nothing."""
        with self._freeing:
            handle, self._handle = self._handle, None
        if handle is not None:
            self._library.queue_free(handle)

    def free_after_fork(self) -> None:
        """The same in a forked child, where another thread may have held the lock."""
        self._freeing = threading.RLock()
        self.free()

    def __del__(self) -> None:
        """Whoever reads the descriptor refers to this object, so nobody does."""
        if self._handle is not None:
            self._library.queue_free(self._handle)
