"""What came of a call, with the numbers of the C library."""

from __future__ import annotations

import enum
from typing import Optional


class Status(enum.IntEnum):
    """What came of a call. The numbers are those of the C library.

    A number that this version does not know becomes a status named ``UNKNOWN_STATUS``: new ones may come, and each
    counts as *could not ask*.
    """

    OK = 0
    INVALID_TOKEN = 1
    NO_TOKEN = 2
    TIMEOUT = 3
    UNAVAILABLE = 4
    MISCONFIGURED = 5
    PROTOCOL_ERROR = 6
    INVALID_ARGUMENT = 7
    CANCELLED = 8
    BUFFER_TOO_SMALL = 9

    @classmethod
    def _missing_(cls, value: object) -> Optional[Status]:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_ = "UNKNOWN_STATUS"
        unknown._value_ = value
        return unknown

    @property
    def full_name(self) -> str:
        """The name as the C library and the logs have it: ``HANKO_TIMEOUT``."""
        return f"HANKO_{self._name_}"

    @property
    def client_message(self) -> str:
        """A text that may be shown to a client: it tells nothing about the server or its configuration."""
        return _CLIENT_MESSAGES.get(self._value_, "Authentication service unavailable")


# The words are those of Hanko's own guide.
_CLIENT_MESSAGES: dict[int, str] = {
    Status.OK: "OK",
    Status.INVALID_TOKEN: "Invalid token",
    Status.NO_TOKEN: "Invalid token",
    Status.TIMEOUT: "Authentication service timeout",
}
