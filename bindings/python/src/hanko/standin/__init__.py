"""A stand-in Hanko: answers session checks as a real Hanko does, with no account and no database.

Start it with `python3 -m hanko.standin`, or in a test with `StandIn`. It is a test double: it hands
out sessions to anybody who asks and must not face the internet.
"""

from .service import FORGERIES, MintedSession
from .settings import DEFAULT_TENANT, Settings, SettingsError, parse_duration
from .stand_in import StandIn
from .state import Email, Session, User
from .tokens import InvalidToken, OpenSSLError, PublicKey, SigningKey

__all__ = [
    "DEFAULT_TENANT",
    "FORGERIES",
    "Email",
    "InvalidToken",
    "MintedSession",
    "OpenSSLError",
    "PublicKey",
    "Session",
    "Settings",
    "SettingsError",
    "SigningKey",
    "StandIn",
    "User",
    "parse_duration",
]
