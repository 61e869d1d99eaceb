"""The exceptions: Hanko said no, or Hanko could not be asked."""

from __future__ import annotations

from typing import ClassVar, Optional

from ._status import Status


class HankoError(Exception):
    """A session was not found to be valid. Catch the two branches below it.

    `InvalidToken` means that Hanko said no: answer 401. `NotChecked` means that nobody knows: answer 503 and log
    nobody out.

    ``str()`` is the text for logs: what happened and what to do about it. It holds no token and nothing that a server
    sent, but it may name addresses and settings, so clients should see ``client_message`` instead.
    """

    _status: ClassVar[Status] = Status.UNAVAILABLE
    _text: ClassVar[str] = "the session could not be checked"

    def __init__(self, text: Optional[str] = None, *, status: Optional[Status] = None) -> None:
        """Make one, for example in a test of your own; without a text it gets that of its class."""
        super().__init__(self._text if text is None else text)
        self.status: Status = self._status if status is None else status

    @property
    def client_message(self) -> str:
        """What a client may be shown."""
        return self.status.client_message


class InvalidToken(HankoError):
    """Hanko said no, or these bytes cannot be a token: answer 401."""

    _status = Status.INVALID_TOKEN
    _text = "Hanko rejected the session token"


class NoToken(InvalidToken):
    """There was no token, so nothing was asked: answer 401."""

    _status = Status.NO_TOKEN
    _text = "no token was given; nothing was asked"


class NotChecked(HankoError):
    """Hanko could not be asked, so nobody knows whether the session is valid: answer 503."""


class AuthenticationTimeout(NotChecked):
    """The deadline passed before Hanko answered."""

    _status = Status.TIMEOUT
    _text = "Hanko did not answer in time"


class AuthenticationUnavailable(NotChecked):
    """Hanko cannot be reached, is overloaded, or the circuit breaker is open."""

    _text = "Hanko could not be asked"


class ProtocolError(NotChecked):
    """Hanko answered 200, but not as a Hanko answers."""

    _status = Status.PROTOCOL_ERROR
    _text = "the answer is not one that Hanko gives"


class Cancelled(NotChecked):
    """The validation was withdrawn: its client was closed, or the process ends."""

    _status = Status.CANCELLED
    _text = "the validation was cancelled"


class Misconfigured(NotChecked):
    """An answer that only a wrong address or a gateway gives; an operator must act."""

    _status = Status.MISCONFIGURED
    _text = "what answers at HANKO_API_URL is not a Hanko"


class ConfigurationError(Misconfigured, ValueError):
    """A local setting is missing or not allowed. Raised where clients are made, never while Hanko is asked."""

    _text = "a setting is missing or not allowed"


_CLASSES: dict[int, type[HankoError]] = {
    Status.INVALID_TOKEN: InvalidToken,
    Status.NO_TOKEN: NoToken,
    Status.TIMEOUT: AuthenticationTimeout,
    Status.UNAVAILABLE: AuthenticationUnavailable,
    Status.MISCONFIGURED: Misconfigured,
    Status.PROTOCOL_ERROR: ProtocolError,
    Status.CANCELLED: Cancelled,
}


def error_for(status: int, text: str) -> HankoError:
    """The exception for a status of the library; one that is not known counts as *could not ask*."""
    return _CLASSES.get(status, NotChecked)(text or None, status=Status(status))
