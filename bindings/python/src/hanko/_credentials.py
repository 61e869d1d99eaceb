"""What callers pass as tokens and headers, as the bytes that the library takes."""

from __future__ import annotations

from typing import Optional, Union

Token = Union[str, bytes, None]
Header = Union[str, bytes, None]


def token_bytes(token: object) -> Optional[bytes]:
    """A token in UTF-8.

    Half a character (a lone surrogate) becomes bytes that are not UTF-8, so that the library refuses them itself.
    """
    if token is None or isinstance(token, bytes):
        return token
    if isinstance(token, str):
        return token.encode("utf-8", "surrogatepass")
    raise TypeError(f"a session token is str, bytes or None, not {type(token).__name__}")


def header_bytes(header: object, name: str) -> Optional[bytes]:
    """The value of a header field as it was sent: Python's servers hand bytes over as text in Latin-1 (PEP 3333)."""
    if header is None or isinstance(header, bytes):
        return header
    if not isinstance(header, str):
        raise TypeError(f"{name} is str, bytes or None, not {type(header).__name__}")
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "surrogatepass")
