"""Answers as a program written in Go gives them: JSON text, times, error bodies."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .settings import NANOSECONDS

# Those that Hanko sends, and those that a test may have the stand-in send in the name of a gateway; in Go's words.
REASONS = {
    200: "OK",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    425: "Too Early",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

# Go escapes these so that JSON can stand inside HTML and JavaScript.
_HTML_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_UNSAFE = re.compile("[<>&\u2028\u2029]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def reason_phrase(status: int) -> str:
    """What stands behind the status in the first line; for a number without a name what Go writes there."""
    return REASONS.get(status, f"status code {status}")


class HTTPError(Exception):
    """Ends the handling of a request with `{"code":…,"message":…}`."""

    def __init__(self, status: int, message: str | None = None) -> None:
        """Without `message`, the reason phrase of `status` is the message."""
        self.status = status
        self.message = reason_phrase(status) if message is None else message
        super().__init__(f"code={status}, message={self.message}")


class DropConnection(Exception):
    """Ends the connection without an answer, as Go does when a handler panics."""


@dataclass
class Answer:
    """What a handler gives back: a status, a JSON value (or none), and headers of its own."""

    status: int
    value: Any = None
    has_body: bool = True
    headers: list[tuple[str, str]] = field(default_factory=list)


def no_content() -> Answer:
    """An answer without a body."""
    return Answer(204, has_body=False)


def error_answer(error: HTTPError) -> Answer:
    """The body that Hanko sends with every status that is not a success."""
    return Answer(error.status, {"code": error.status, "message": error.message})


def go_number(number: float) -> str:
    """`number` as Go's encoding/json prints a float64."""
    if not math.isfinite(number):
        raise ValueError("JSON has no infinity and no NaN")
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    if 1e-6 <= abs(number) < 1e21:
        text = format(Decimal(repr(number)), "f")
        return text.removesuffix(".0")
    mantissa, _, exponent = repr(number).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{'-' if int(exponent) < 0 else '+'}{abs(int(exponent)):02d}".replace("e-0", "e-")


def go_string(text: str) -> str:
    """`text` as a JSON string in Go's spelling."""
    quoted = json.dumps(_LONE_SURROGATE.sub("\ufffd", text), ensure_ascii=False)
    return _HTML_UNSAFE.sub(lambda match: _HTML_ESCAPES[match.group()], quoted)


def go_json(value: Any, indent: str | None = None, level: int = 0) -> str:
    """`value` as Go's encoding/json prints it; the order of keys is kept."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return go_string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return go_number(value)
    if isinstance(value, Mapping):
        colon = ":" if indent is None else ": "
        items = [go_string(key) + colon + go_json(item, indent, level + 1) for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        items = [go_json(item, indent, level + 1) for item in value]
        opening, closing = "[", "]"
    if not items or indent is None:
        return opening + ",".join(items) + closing
    line = "\n" + indent * (level + 1)
    return opening + line + ("," + line).join(items) + "\n" + indent * level + closing


def sorted_map(value: Any) -> Any:
    """`value` with the keys of every object sorted, as Go prints a map."""
    if isinstance(value, Mapping):
        return {key: sorted_map(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [sorted_map(item) for item in value]
    return value


def as_float64(value: Any) -> Any:
    """`value` as Go holds JSON it knows nothing about: every number a float64."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"a number too large for a claim: {str(value)[:40]}…") from None
    if isinstance(value, Mapping):
        return {str(key): as_float64(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_float64(item) for item in value]
    return value


def render_body(answer: Answer, pretty: bool) -> bytes:
    """The bytes of the body, which end in a newline as Go's encoder leaves them."""
    if not answer.has_body:
        return b""
    return (go_json(answer.value, "  " if pretty else None) + "\n").encode("utf-8")


def format_time(nanoseconds: int, digits: int = 9) -> str:
    """RFC 3339 in UTC, with at most `digits` of the fraction and no trailing zeros."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    decimals = f"{fraction:09d}"[:digits].rstrip("0")
    return f"{text}.{decimals}Z" if decimals else f"{text}Z"


def ordered_headers(own: list[tuple[str, str]], has_body: bool, request_id: str) -> list[tuple[str, str]]:
    """The headers of an answer in the order in which Go writes them: sorted by name."""
    headers = list(own)
    if has_body:
        headers.append(("Content-Type", "application/json"))
    headers.append(("X-Request-Id", request_id))
    return sorted(headers, key=lambda header: header[0])


def delete_cookie(name: str, secure: bool) -> tuple[str, str]:
    """The header by which Hanko takes back the session cookie."""
    # Secure belongs to Hanko's defaults, but a browser would refuse such a cookie over plain HTTP.
    return ("Set-Cookie", f"{name}=; Path=/; Max-Age=0; HttpOnly;{' Secure;' if secure else ''} SameSite=Strict")
