"""What a client can be asked to do, with the functions for the calling thread and for a queue."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._credentials import Header, Token, header_bytes, token_bytes

Arguments = tuple[Any, ...]


class Operation(NamedTuple):
    """One kind of call, with the names of the functions in `Library`."""

    blocking: str
    """The one that waits for the answer."""
    submitting: str
    """The one that only submits."""
    gives_session: bool = True
    """Whether the one that waits has an argument for the session."""


VALIDATION = Operation("client_validate", "queue_submit")
AUTHENTICATION = Operation("client_authenticate", "queue_submit_authenticate")
CHECK = Operation("client_check", "queue_submit_check", gives_session=False)


def token_arguments(token: Token) -> Arguments:
    """What `VALIDATION` takes, of a token."""
    data = token_bytes(token)
    return data, len(data or b"")


def header_arguments(cookie_header: Header, authorization_header: Header) -> Arguments:
    """What `AUTHENTICATION` takes, of the headers of a request."""
    cookie = header_bytes(cookie_header, "cookie_header")
    authorization = header_bytes(authorization_header, "authorization_header")
    return cookie, len(cookie or b""), authorization, len(authorization or b"")
