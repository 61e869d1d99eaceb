"""Is the session that a browser sent real? Hanko session validation for Python backends.

- `Client` and `AsyncClient` ask Hanko and say whose session it is, or raise: `InvalidToken` where Hanko said no (answer
  401), `NotChecked` where it could not be asked (answer 503).
- `validate`, `validate_async` and `validate_session_token` are the functions of Hanko's guide, configured by the
  environment.
- `hanko.flask`, `hanko.django` and `hanko.fastapi` protect views. `hanko.standin` is a stand-in Hanko for tests.

Importing this package loads nothing native: the first client does.
"""

from ._async_client import AsyncClient
from ._client import Client
from ._errors import (
    AuthenticationTimeout,
    AuthenticationUnavailable,
    Cancelled,
    ConfigurationError,
    HankoError,
    InvalidToken,
    Misconfigured,
    NotChecked,
    NoToken,
    ProtocolError,
)
from ._functions import validate, validate_async, validate_session_token
from ._session import Session
from ._statistics import Statistics
from ._status import Status
from ._version import __version__

__all__ = [
    "AsyncClient",
    "AuthenticationTimeout",
    "AuthenticationUnavailable",
    "Cancelled",
    "Client",
    "ConfigurationError",
    "HankoError",
    "InvalidToken",
    "Misconfigured",
    "NoToken",
    "NotChecked",
    "ProtocolError",
    "Session",
    "Statistics",
    "Status",
    "__version__",
    "validate",
    "validate_async",
    "validate_session_token",
]
