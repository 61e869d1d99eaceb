"""The headers of a request that may hold a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

Header = Union[str, bytes, None]
Credentials = tuple[Header, Header]
"""The values of `Cookie` and of `Authorization` as a client takes them; `None` where there is no such header."""


def wsgi_credentials(environ: Mapping[str, Any]) -> Credentials:
    """The credentials in a WSGI environment."""
    return environ.get("HTTP_COOKIE"), environ.get("HTTP_AUTHORIZATION")


def asgi_credentials(headers: Iterable[tuple[bytes, bytes]]) -> Credentials:
    """The credentials in the headers of an ASGI scope, whose names are in lower case.

    HTTP/2 lets a client send several Cookie fields: they are joined with `; ` (RFC 9113 section 8.2.3).
    """
    cookies: list[bytes] = []
    authorizations: list[bytes] = []
    for name, value in headers:
        if name == b"cookie":
            cookies.append(value)
        elif name == b"authorization":
            authorizations.append(value)
    return _joined(b"; ", cookies), _joined(b", ", authorizations)


def _joined(separator: bytes, values: list[bytes]) -> Optional[bytes]:
    return separator.join(values) if values else None
