"""Asking about one request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Optional

from .._errors import ConfigurationError, HankoError
from .._logging import FailureLog
from .client_source import ClientSource
from .credentials import Credentials
from .outcome import Outcome

if TYPE_CHECKING:
    from .._async_client import AsyncClient
    from .._client import Client


class Inquiry:
    """Asks Hanko about one request, once, however often it is called; it is kept with the request.

    Nothing is raised, so that a refusal is remembered like a session. A request is served by one thread or task at a
    time, but its coroutines may ask at once: they wait for the first of them.
    """

    __slots__ = ("_credentials", "_lock", "outcome")

    def __init__(self, credentials: Credentials) -> None:
        """Remember the headers of the request."""
        self._credentials = credentials
        self._lock: Optional[asyncio.Lock] = None
        self.outcome: Optional[Outcome] = None
        """What came of it; `None` as long as nobody has asked."""

    def ask(self, source: ClientSource[Client], settings: Mapping[str, object]) -> Outcome:
        """Ask if nobody has; blocks, until the deadline at most."""
        if self.outcome is None:
            try:
                self.outcome = Outcome(session=source.client(settings).authenticate(*self._credentials))
            except HankoError as error:
                self.outcome = _failure(error)
        return self.outcome

    async def ask_async(self, source: ClientSource[AsyncClient], settings: Mapping[str, object]) -> Outcome:
        """The same for coroutines; never blocks the loop."""
        if self.outcome is not None:
            return self.outcome
        if self._lock is None:  # made here, because Python 3.9 binds it to the loop that is current now
            self._lock = asyncio.Lock()
        async with self._lock:
            if self.outcome is None:
                try:
                    self.outcome = Outcome(session=await source.client(settings).authenticate(*self._credentials))
                except HankoError as error:
                    self.outcome = _failure(error)
            return self.outcome


def log_error(error: HankoError) -> None:
    """Write an error to the log `hanko` where there was no client that could have done so."""
    FailureLog(None, os.environ.get("HANKO_LOG", "")).write(error.status, str(error))


def _failure(error: HankoError) -> Outcome:
    if isinstance(error, ConfigurationError):
        log_error(error)
    return Outcome(error=error.with_traceback(None))
