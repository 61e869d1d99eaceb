"""From the payload of a verified token to the `claims` of Hanko's answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import DropConnection, HTTPError, as_float64, format_time, sorted_map
from .settings import NANOSECONDS
from .tokens import InvalidToken

NIL_UUID = "00000000-0000-0000-0000-000000000000"

_HEX32 = re.compile(r"[0-9a-fA-F]{32}")
_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# The claims that RFC 7519 registers are not repeated under their short names.
_REGISTERED = ("aud", "exp", "iat", "iss", "jti", "nbf", "sub")
_HANKO_CLAIMS = ("email", "username", "session_id")
# What Go calls the types of decoded JSON.
_GO_TYPES = {str: "string", float: "float64", int: "float64", bool: "bool", list: "[]interface {}"}


@dataclass(frozen=True)
class Claims:
    """What Hanko read out of a token."""

    subject: str
    session_id: str
    expiration: int
    issued_at: int | None
    audience: list[str]
    issuer: str | None
    email: dict[str, Any] | None
    username: str | None
    custom: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The `claims` object: one flat map with sorted keys."""
        flat: dict[str, Any] = {
            "subject": self.subject,
            "expiration": format_seconds(self.expiration),
            "session_id": self.session_id,
        }
        if self.issued_at is not None:
            flat["issued_at"] = format_seconds(self.issued_at)
        if self.audience:
            flat["audience"] = self.audience
        if self.issuer is not None:
            flat["issuer"] = self.issuer
        if self.username is not None:
            flat["username"] = self.username
        # Custom claims come last, as in Hanko: one that is called "subject" replaces the real one.
        flat.update(self.custom)
        flat = {key: sorted_map(value) for key, value in flat.items()}
        if self.email is not None:
            flat["email"] = self.email
        return {key: flat[key] for key in sorted(flat)}


NO_EXPIRATION = -62_135_596_800
"""Go's zero time, the first second of the year 1, as seconds since 1970."""


def format_seconds(seconds: int) -> str:
    """RFC 3339 without a fraction; Go's zero time as Go prints it."""
    if seconds == NO_EXPIRATION:
        return "0001-01-01T00:00:00Z"
    return format_time(seconds * NANOSECONDS)


def parse_uuid(text: str) -> str:
    """The canonical spelling of `text`; `ValueError` in the words of Hanko's UUID library."""
    shown = json.dumps(text, ensure_ascii=False)
    bare = text
    if len(text) in (41, 45) and text.startswith("urn:uuid:"):
        bare = text[len("urn:uuid:") :]
    elif len(text) in (34, 38) and text.startswith("{") and text.endswith("}"):
        bare = text[1:-1]
    elif len(text) not in (32, 34, 36, 38, 41, 45):
        raise ValueError(f"uuid: incorrect UUID length {len(text.encode('utf-8'))} in string {shown}")
    if _HEX32.fullmatch(bare):
        bare = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
    if not _CANONICAL.fullmatch(bare):
        raise ValueError(f"uuid: incorrect UUID format in string {shown}")
    return bare.lower()


def _seconds(payload: Mapping[str, Any], name: str) -> int | None:
    value = payload.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e11:
        raise InvalidToken(f"{name} is not a time")
    return int(value)


def check_times(payload: Mapping[str, Any], now: int) -> None:
    """Raise `InvalidToken` unless the token is good at `now`. Hanko allows no skew at all."""
    expiration, issued_at, not_before = (_seconds(payload, name) for name in ("exp", "iat", "nbf"))
    if expiration is not None and now >= expiration:
        raise InvalidToken("expired")
    for start in (issued_at, not_before):
        if start is not None and now < start:
            raise InvalidToken("not valid yet")


def _uuid_claim(payload: Mapping[str, Any], name: str, described: str) -> str:
    try:
        return parse_uuid(payload[name])
    except ValueError as reason:
        raise _unreadable(f"'{described}' is not a uuid: {reason}") from None


def _unreadable(reason: str) -> HTTPError:
    return HTTPError(400, f"failed to parse token claims: {reason}")


def _email(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        kind = "<nil>" if value is None else _GO_TYPES[type(value)]
        raise _unreadable(f"unexpected 'email' claim type: {kind}")
    email: dict[str, Any] = {"address": "", "is_primary": False, "is_verified": False}
    for name, nothing in list(email.items()):
        given = value.get(name)
        if given is None:
            continue
        if type(given) is not type(nothing):
            kinds = {str: "string", bool: "bool", float: "number", int: "number", list: "array", dict: "object"}
            raise _unreadable(
                "failed to unmarshal 'email' claim: json: cannot unmarshal "
                f"{kinds[type(given)]} into Go struct field EmailJWT.{name} of type {kinds[type(nothing)]}"
            )
        email[name] = given
    return email


def read_claims(payload: Mapping[str, Any]) -> Claims:
    """The claims in the payload of a token that verified; an `HTTPError` 400 when they make no sense."""
    subject = NIL_UUID
    if payload.get("sub"):
        subject = _uuid_claim(payload, "sub", "subject")
    session_id = NIL_UUID
    if "session_id" in payload:
        if not isinstance(payload["session_id"], str):
            raise DropConnection("Hanko's handler panics here")
        session_id = _uuid_claim(payload, "session_id", "session_id")
    audience = payload.get("aud") or []
    expiration = _seconds(payload, "exp")
    username = payload.get("username")
    return Claims(
        subject=subject,
        session_id=session_id,
        expiration=NO_EXPIRATION if expiration is None else expiration,
        issued_at=_seconds(payload, "iat"),
        audience=[audience] if isinstance(audience, str) else list(audience),
        issuer=payload.get("iss") or None,
        email=_email(payload["email"]) if "email" in payload else None,
        username=username if isinstance(username, str) else None,
        custom={
            key: as_float64(value)
            for key, value in payload.items()
            if key not in _REGISTERED and key not in _HANKO_CLAIMS
        },
    )
