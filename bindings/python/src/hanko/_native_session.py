"""Sessions of the library as Python objects."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Optional

from ._library import Library
from ._session import Session

_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
_LATEST = datetime.max.replace(microsecond=0, tzinfo=timezone.utc)


def read_session(library: Library, handle: int) -> Optional[Session]:
    """What a ``hanko_session`` holds; None where it names no user. The caller frees it."""
    user_id = library.session_user_id(handle)
    if not user_id:
        return None
    session_id = library.session_id(handle)
    email = library.session_email(handle)
    username = library.session_username(handle)
    issued_at = library.session_issued_at(handle)
    expires_at = library.session_expires_at(handle)
    idle_expires_at = library.session_idle_expires_at(handle)
    claims = library.session_claims_json(handle)
    session = object.__new__(Session)
    # Past the constructor, which sets each field of a frozen dataclass by itself and takes three times as long.
    session.__dict__.update(
        user_id=user_id.decode(),
        session_id=None if session_id is None else session_id.decode(),
        email=None if email is None else email.decode(),
        email_verified=library.session_email_verified(handle) == 1,
        username=None if username is None else username.decode(),
        issued_at=_time(issued_at) if issued_at else None,
        expires_at=_time(expires_at) if expires_at else None,
        idle_expires_at=_time(idle_expires_at) if idle_expires_at else None,
        claims=_claims(claims.decode()) if claims else {},
    )
    return session


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        # Beyond what Python can hold: still far in the past or in the future.
        return _EARLIEST if seconds < 0 else _LATEST


def _long_integer(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_decoder = json.JSONDecoder()
# Python refuses to read whole numbers of thousands of digits.
_patient_decoder = json.JSONDecoder(parse_int=_long_integer)


def _claims(document: str) -> dict[str, Any]:
    claims: dict[str, Any]
    try:
        claims = _decoder.raw_decode(document)[0]
    except ValueError:
        claims = _patient_decoder.raw_decode(document)[0]
    return claims  # the library hands out an object or nothing
