"""`python -m hanko validate`: is this session token valid?"""

from __future__ import annotations

import getpass
import logging
import signal
import sys

from .._client import Client
from .._errors import InvalidToken, NotChecked

VALID, INVALID, NOT_CHECKED = 0, 1, 2


def validate() -> int:
    """Read a token from standard input, ask Hanko and say what came of it."""
    token = read_token()
    # A call in the library is not interrupted by a handler of Python's, and must not make Ctrl-C wait.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logger = logging.getLogger("hanko.validate")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    try:
        with Client(logger=logger) as client:
            session = client.validate(token)
    except InvalidToken as error:
        print(f"invalid: {error}")
        return INVALID
    except NotChecked as error:
        print(f"could not ask: {error.status.full_name}: {error}")
        return NOT_CHECKED
    except ImportError as error:
        print(f"could not ask: {error}")
        return NOT_CHECKED
    expiry = f", until {session.expires_at.isoformat()}" if session.expires_at is not None else ""
    print(f"valid: user {session.user_id}, session {session.session_id or '(not named)'}{expiry}")
    return VALID


def read_token() -> bytes:
    """The token from standard input, without the line's end; a terminal does not show it."""
    if sys.stdin.isatty():
        return getpass.getpass("Session token: ").encode("utf-8", "surrogateescape")
    token = sys.stdin.buffer.read()
    return token[: -2 if token.endswith(b"\r\n") else -1] if token.endswith(b"\n") else token
