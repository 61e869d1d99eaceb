"""Sessions of the library as Python objects."""

from __future__ import annotations

from typing import Optional

from ._late_fields import assemble
from ._library import Library
from ._session import Session


def read_session(library: Library, handle: int) -> Optional[Session]:
    """What a ``hanko_session`` holds; None where it names no user. The caller frees it."""
    user_id = library.session_user_id(handle)
    if not user_id:
        return None
    session_id = library.session_id(handle)
    email = library.session_email(handle)
    username = library.session_username(handle)
    fields = {
        "user_id": user_id.decode(),
        "session_id": None if session_id is None else session_id.decode(),
        "email": None if email is None else email.decode(),
        "email_verified": library.session_email_verified(handle) == 1,
        "username": None if username is None else username.decode(),
    }
    sent = {
        "issued_at": library.session_issued_at(handle),
        "expires_at": library.session_expires_at(handle),
        "idle_expires_at": library.session_idle_expires_at(handle),
        "claims": library.session_claims_json(handle),
    }
    return assemble(Session, fields, sent)
