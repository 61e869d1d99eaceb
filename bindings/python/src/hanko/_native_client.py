"""The handle of a client, and what both kinds of client make of the library's answers."""

from __future__ import annotations

import os
import threading
from ctypes import byref, sizeof
from typing import Optional

from ._errors import HankoError, error_for
from ._library import Library, NativeStatistics, library
from ._logging import FailureLog
from ._session import Session
from ._settings import Settings
from ._statistics import Statistics
from ._status import Status

_KNOWN = frozenset(int(status) for status in Status)

NO_USER = "Hanko accepted the token, but named no user"


class NativeClient:
    """Owns a ``hanko_client``: frees it when asked to, or when nobody refers to it any more.

    ``handle`` is 0, which the library refuses, when it was freed.
    """

    def __init__(self, settings: Settings) -> None:
        """Load the library if need be, and make the client."""
        self.handle = 0
        # Re-entrant, for a signal handler in the middle of it.
        self._freeing = threading.RLock()
        self.library: Library = library()
        self.log = FailureLog(settings.logger, os.environ.get("HANKO_LOG") or "error")
        # Before: what is misspelt may be why there can be no client. The library itself logs nothing here.
        self.log.tell_misspelled(os.environ)
        self.handle = settings.new_client(self.library)
        self._told_of_hidden_key_set = False

    def free(self) -> None:
        """Free it. No call on it may be running; a second time does nothing."""
        with self._freeing:
            handle, self.handle = self.handle, 0
        if handle:
            self.library.client_free(handle)

    def after_fork(self) -> None:
        """To be called in a forked child, where another thread may have held the lock."""
        self._freeing = threading.RLock()
        self._told_of_hidden_key_set = False

    def __del__(self) -> None:
        """Whoever is in a call refers to this object, so nobody is."""
        if self.handle:
            self.library.client_free(self.handle)

    def noted(self, status: int, text: str) -> Status:
        """The status of a call, after a failure was noted."""
        if status != Status.OK:
            self._note(status, text)
        return Status(status)

    def failure(self, status: int, text: str) -> HankoError:
        """Note a call that failed, and the exception for it."""
        self._note(status, text)
        return error_for(status, text)

    def checked(self, status: int, text: str) -> None:
        """What came of the start-up test; raises where it failed."""
        if status:
            raise self.failure(status, text)
        self._tell_of_hidden_key_set()

    def _note(self, status: int, text: str) -> None:
        self.log.write(status, text)
        if status == Status.INVALID_TOKEN:
            self._tell_of_hidden_key_set()

    def _tell_of_hidden_key_set(self) -> None:
        """Say once where outages cannot be told apart from rejections; the library's own log is off."""
        if self._told_of_hidden_key_set:
            return
        native, status = self._counters()
        if status == Status.OK and native.hidden_key_set:
            self._told_of_hidden_key_set = self.log.write_hidden_key_set(native.hidden_key_set)

    def session(self, status: int, text: str, session: Optional[Session]) -> Session:
        """The session of a call; raises where there is none, also where a yes names no user."""
        if status:
            raise self.failure(status, text)
        if session is None:
            raise self.failure(Status.PROTOCOL_ERROR, NO_USER)
        return session

    def _counters(self) -> tuple[NativeStatistics, int]:
        native = NativeStatistics(struct_size=sizeof(NativeStatistics))
        with self._freeing:
            status = self.library.client_statistics(self.handle, byref(native))
        return native, status

    def statistics(self) -> Statistics:
        """The counters, also while another thread frees the client."""
        native, status = self._counters()
        if status != Status.OK:
            raise error_for(status, self.library.last_text())
        results = {
            Status(number).full_name: count for number, count in enumerate(native.results) if count or number in _KNOWN
        }
        return Statistics(
            results=results,
            requests=native.requests,
            retries=native.retries,
            connections_opened=native.connections_opened,
            breaker_opened=native.breaker_opened,
            in_flight=native.in_flight,
            hidden_key_set=native.hidden_key_set,
        )
