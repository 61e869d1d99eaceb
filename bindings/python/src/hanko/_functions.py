"""The functions of Hanko's guide, one import away. They take their settings from the environment."""

from __future__ import annotations

import os
import threading
from typing import Generic, Optional, TypeVar, cast

from ._async_client import AsyncClient
from ._base_client import BaseClient
from ._client import Client
from ._credentials import Token, token_bytes
from ._errors import ConfigurationError, HankoError
from ._fork import renew_after_fork
from ._operation import VALIDATION, token_arguments
from ._status import Status
from ._variables import LIBRARY_VARIABLES

_ENCODED_VARIABLES = tuple(map(os.fsencode, LIBRARY_VARIABLES))


class _ThreadClient(Client):
    """A client that is asked whether, and not whose."""

    def status(self, token: Token) -> Status:
        """What came of a validation; a failure is logged."""
        status, text, _ = self._ask(VALIDATION, token_arguments(token), wants_session=False)
        return self._native.noted(status, text)


class _LoopClient(AsyncClient):
    """The same for asyncio."""

    async def status(self, token: Token) -> Status:
        """What came of a validation; a failure is logged."""
        status, text, _ = await self._ask(VALIDATION, token_arguments(token), wants_session=False)
        return self._native.noted(status, text)


Environment = tuple[object, ...]
ClientType = TypeVar("ClientType", bound=BaseClient)


def _read_environment() -> Environment:
    # Eleven times os.environ.get() would take a third of the time that a call to a Hanko nearby does.
    stored: object = getattr(os.environ, "_data", None)
    if isinstance(stored, dict):
        return tuple(map(cast("dict[bytes, bytes]", stored).get, _ENCODED_VARIABLES))
    return tuple(map(os.environ.get, LIBRARY_VARIABLES))


class _EnvironmentClient(Generic[ClientType]):
    """One client for the process, made on first use, and anew when a variable has changed since."""

    def __init__(self, kind: type[ClientType]) -> None:
        self._kind = kind
        self._made: Optional[tuple[Environment, ClientType]] = None
        self._lock = threading.RLock()
        renew_after_fork(self, _EnvironmentClient[ClientType]._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    def get(self) -> ClientType:
        """The client for the environment as it is now; raises `ConfigurationError` where there can be none."""
        environment = _read_environment()
        made = self._made
        if made is not None and made[0] == environment:
            return made[1]
        with self._lock:
            while True:
                made = self._made
                environment = _read_environment()
                if made is not None and made[0] == environment:
                    return made[1]
                client = self._kind()
                # The library reads the environment by itself: what it read is only known when nothing has changed.
                if _read_environment() == environment:
                    # Whoever still uses the old client keeps it alive, and it frees itself after them.
                    self._made = (environment, client)
                    return client


_client = _EnvironmentClient(_ThreadClient)
_async_client = _EnvironmentClient(_LoopClient)


def validate(token: Token) -> bool:
    """Whether Hanko says that a session token is valid. Blocks until it is known; see `validate_async`.

    False is everything else: a token that is not valid, but also an outage. A program that must tell the two apart, so
    that an outage logs nobody out, uses a `Client`.

    None and an empty token are False before anything is read. Raises `ConfigurationError` (a `ValueError`) where
    ``HANKO_API_URL`` is missing or a variable is malformed, and `TypeError` where the token is not str, bytes or None.
    """
    return _ask(token) == Status.OK


async def validate_async(token: Token) -> bool:
    """As `validate`, for asyncio: the event loop is not blocked."""
    if not token_bytes(token):
        return False
    try:
        return await _async_client.get().status(token) == Status.OK
    except ConfigurationError:
        raise
    except HankoError:
        return False


def validate_session_token(token: Token) -> tuple[bool, Optional[str]]:
    """As `validate`, with a text for the client beside a no: ``(True, None)`` or ``(False, "Invalid token")``.

    The other texts are "Authentication service timeout" and "Authentication service unavailable".
    """
    status = _ask(token)
    return (True, None) if status == Status.OK else (False, status.client_message)


def _ask(token: Token) -> Status:
    if not token_bytes(token):
        return Status.NO_TOKEN
    try:
        return _client.get().status(token)
    except ConfigurationError:
        raise
    except HankoError as error:
        return error.status
