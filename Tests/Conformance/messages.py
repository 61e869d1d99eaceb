"""What the two sides say: session tokens, Hanko's answers and raw HTTP answers.

Tokens are well-formed but their signature is random bytes: the library leaves
signatures to Hanko.
"""

from __future__ import annotations

import base64
import email.utils
import json
import os
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import telltale

# Stands in every answer that ``response`` builds (as reason phrase and as a header), so that any text
# of the library that repeats bytes of the server can be told by it.
SERVER_MARKER = "xyzzyfromserver"

NIL_UUID = "00000000-0000-0000-0000-000000000000"

# As the value of a field: leave the field out.
OMIT = object()

# The token of Hanko's guides: no JWT, and bound to nothing.
TOKEN = b"test-token"

NO = b'{"is_valid":false}\n'
BARE_YES = b'{"is_valid":true}\n'


def compact(value: Any) -> bytes:
    """JSON without blanks, as Hanko writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def base64url(data: bytes) -> bytes:
    """Base64 for URLs without padding, as JWTs use it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def mint(payload: Any, header: dict[str, Any] | None = None) -> bytes:
    """A compact JWT around a payload (anything JSON can hold, or bytes to be taken as they are)."""
    head = {"alg": "RS256", "kid": str(uuid.uuid4()), "typ": "JWT"} if header is None else header
    body = payload if isinstance(payload, bytes) else compact(payload)
    return telltale.used(b".".join((base64url(compact(head)), base64url(body), base64url(os.urandom(64)))))


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as Hanko prints them: whole seconds and Z."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(seconds: float) -> str:
    """Seconds since 1970 as a ``Date`` header holds them."""
    return email.utils.formatdate(seconds, usegmt=True)


def _changed(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The fields with the changes laid over them and those marked OMIT left out."""
    merged = {**fields, **changes}
    return {name: value for name, value in merged.items() if value is not OMIT}


class Session:
    """One login: the token that its user holds and what Hanko answers about it."""

    def __init__(self, lifetime: int = 3600, audience: tuple[str, ...] = ("localhost",)) -> None:
        self.user_id = str(uuid.uuid4())
        self.session_id = str(uuid.uuid4())
        self.issued_at = int(time.time()) - 60
        self.expires_at = int(time.time()) + lifetime
        self.audience = list(audience)

    def payload(self, **changes: Any) -> dict[str, Any]:
        """The claims inside the token."""
        fields = {
            "aud": self.audience,
            "exp": self.expires_at,
            "iat": self.issued_at,
            "session_id": self.session_id,
            "sub": self.user_id,
        }
        return _changed(fields, changes)

    def token(self, **changes: Any) -> bytes:
        """A token with these claims; every call gives another signature."""
        return mint(self.payload(**changes))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """``claims`` of Hanko's answer."""
        fields = {
            "audience": self.audience,
            "email": {"address": "ada@example.com", "is_primary": True, "is_verified": True},
            "expiration": timestamp(self.expires_at),
            "issued_at": timestamp(self.issued_at),
            "session_id": self.session_id,
            "subject": self.user_id,
        }
        return _changed(fields, changes)

    def yes(self, **changes: Any) -> bytes:
        """The body of Hanko's yes."""
        fields = {
            "is_valid": True,
            "claims": self.claims(),
            "expiration_time": timestamp(self.expires_at),
            "user_id": self.user_id,
        }
        return compact(_changed(fields, changes)) + b"\n"


def head(status: int = 200, headers: Iterable[tuple[str, str]] = (), version: str = "HTTP/1.1") -> bytes:
    """A status line and header fields, up to and with the empty line."""
    lines = [f"{version} {status} {SERVER_MARKER}", f"X-Marker: {SERVER_MARKER}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"


def response(
    body: bytes = b"",
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (),
    length: int | None = None,
    date: str | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """A whole HTTP answer as Hanko frames it; ``length`` overrides what Content-Length says."""
    fields = [
        ("Content-Type", "application/json"),
        ("Vary", "Origin"),
        ("Date", http_date(time.time()) if date is None else date),
    ]
    fields += list(headers)
    fields.append(("Content-Length", str(len(body) if length is None else length)))
    return head(status, fields, version) + body


def chunked(body: bytes, size: int = 100, trailer: bytes = b"") -> bytes:
    """A body cut into chunks, with the last one and the trailer."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + trailer + b"\r\n"


def chunked_response(body: bytes, size: int = 100, trailer: bytes = b"", status: int = 200) -> bytes:
    """A whole answer with a chunked body."""
    fields = [("Content-Type", "application/json"), ("Date", http_date(time.time())), ("Transfer-Encoding", "chunked")]
    return head(status, fields) + chunked(body, size, trailer)


def error_body(code: int, message: str) -> bytes:
    """Hanko's error shape."""
    return compact({"code": code, "message": message}) + b"\n"
