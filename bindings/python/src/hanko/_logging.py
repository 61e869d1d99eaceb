"""Failed calls in Python's own log, written by the thread that made the call."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Callable, Optional

from ._fork import renew_after_fork
from ._near_name import misspelled
from ._status import Status

# What HANKO_LOG may say, in any case; the library itself has refused everything else.
_THRESHOLDS: dict[str, int] = {
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}

# A token that is simply not valid is no event; everything that is not listed should make somebody act.
_LEVELS: dict[int, int] = {
    Status.OK: logging.DEBUG,
    Status.NO_TOKEN: logging.DEBUG,
    Status.INVALID_TOKEN: logging.INFO,
    Status.CANCELLED: logging.INFO,
}

# The one refusal that is an event: a typing error in the audiences logs everybody out. So begin the texts about it.
AUDIENCE_TEXT = "the session's audience "

HIDDEN_KEY_SET_TEXT = (
    "GET /.well-known/jwks.json was answered with %d, so outages of Hanko cannot be told apart from rejections; let it"
    " through, or set HANKO_CONFIRM_REJECTIONS=0 to say that this is wanted"
)


# The misspelt names that were told.
_told: set[str] = set()
_MOST_TOLD = 64


class LineLimit:
    """Lets at most one line a second pass for each key; a value without a clock."""

    def __init__(self) -> None:
        """Nothing has passed yet."""
        self._last: dict[tuple[str, int], tuple[float, int]] = {}

    def admit(self, key: tuple[str, int], now: float) -> Optional[int]:
        """How many lines of this key were left out since the last one; None when this one must be, too."""
        last = self._last.get(key)
        if last is None or now - last[0] >= 1.0:
            self._last[key] = (now, 0)
            return 0 if last is None else last[1]
        self._last[key] = (last[0], last[1] + 1)
        return None


class _SharedLimit:
    """One limit for the process: many clients in one outage say the same."""

    def __init__(self) -> None:
        self._begin()
        renew_after_fork(self, _SharedLimit._begin)

    def _begin(self) -> None:
        # Re-entrant, because a signal handler may make calls of its own in the middle of this.
        self._lock = threading.RLock()
        self._limit = LineLimit()

    def admit(self, key: tuple[str, int], now: float) -> Optional[int]:
        with self._lock:
            return self._limit.admit(key, now)


_shared_limit = _SharedLimit()


class FailureLog:
    """Writes the text of failed calls to a logger: at most one line a second for each status."""

    def __init__(
        self,
        logger: Optional[logging.Logger],
        threshold: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write to the logger ``hanko`` where none is given; ``threshold`` is a word of ``HANKO_LOG``."""
        self._logger = logging.getLogger("hanko") if logger is None else logger
        self._threshold = _THRESHOLDS.get(threshold.lower(), logging.ERROR)
        self._clock = clock

    def tell_misspelled(self, names: Iterable[str]) -> None:
        """Note variables whose names are near to those of ours, each once in a process: nobody reads them."""
        if self._threshold > logging.ERROR or not self._logger.isEnabledFor(logging.ERROR):
            return
        for name, meant in misspelled(names).items():
            if len(_told) < _MOST_TOLD and name not in _told:
                _told.add(name)
                text = f"{name} is set, but no such variable is read; did you mean {meant}?"
                self._log(logging.ERROR, Status.MISCONFIGURED, text, "")

    def write(self, status: int, text: str) -> None:
        """Note a call that failed."""
        level = _LEVELS.get(status, logging.ERROR)
        if status == Status.INVALID_TOKEN and text.startswith(AUDIENCE_TEXT):
            level = logging.ERROR
        self._write(level, status, status, text)

    def write_hidden_key_set(self, code: int) -> bool:
        """Note that the key set is kept away with this HTTP status; whether that is said."""
        # A key of its own, which is no status.
        return self._write(logging.ERROR, -code, Status.MISCONFIGURED, HIDDEN_KEY_SET_TEXT % code)

    def _write(self, level: int, key: int, status: int, text: str) -> bool:
        if level < self._threshold or not self._logger.isEnabledFor(level):
            return False
        left_out = _shared_limit.admit((self._logger.name, key), self._clock())
        if left_out is None:
            return False
        more = f" ({left_out} more like this were not logged)" if left_out else ""
        self._log(level, status, text, more)
        return True

    def _log(self, level: int, status: int, text: str, more: str) -> None:
        try:
            self._logger.log(level, "%s: %s%s", Status(status).full_name, text, more)
        except Exception:  # noqa: BLE001, S110 - a handler that fails must not change what a token is worth
            pass
