"""What a client can be asked to do, with the functions for the calling thread and for a queue."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ._credentials import Header, Token, header_bytes, token_bytes
from ._library import Library


class Operation(NamedTuple):
    """One kind of call, and what it is about."""

    function: str
    submit: str
    arguments: tuple[Any, ...]

    def blocking(self, library: Library) -> Callable[..., int]:
        """The function that waits for the answer."""
        function: Callable[..., int] = getattr(library, self.function)
        return function

    def submitting(self, library: Library) -> Callable[..., int]:
        """The function that only submits."""
        function: Callable[..., int] = getattr(library, self.submit)
        return function


def validation(token: Token) -> Operation:
    """Ask about a token."""
    data = token_bytes(token)
    return Operation("client_validate", "queue_submit", (data, len(data or b"")))


def authentication(cookie_header: Header, authorization_header: Header) -> Operation:
    """Find the token in the headers of a request and ask about it."""
    cookie = header_bytes(cookie_header, "cookie_header")
    authorization = header_bytes(authorization_header, "authorization_header")
    arguments = (cookie, len(cookie or b""), authorization, len(authorization or b""))
    return Operation("client_authenticate", "queue_submit_authenticate", arguments)


CHECK = Operation("client_check", "queue_submit_check", ())
