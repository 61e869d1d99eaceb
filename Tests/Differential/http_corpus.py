"""The answers that the mutations of HTTP start from."""

from __future__ import annotations

import json
from typing import List

from corpus import RECORDED

JSON = b'{"is_valid":true}'
OWN_ID = b"00000000000000000000000000000000"


def recorded() -> List[bytes]:
    """Every answer that a real Hanko was recorded to give, as it was on the wire."""
    wires = []
    for case in json.loads(RECORDED.read_text(encoding="utf-8")):
        answer = case.get("response")
        if answer is None or case["request"]["method"] == "HEAD":
            continue  # requests that Hanko sent; an answer that has no body for reasons that only the request tells
        head = [answer["status_line"]] + [f"{name}: {value}" for name, value in answer["headers"]]
        wires.append(("\r\n".join(head) + "\r\n\r\n" + (answer["body"] or "")).encode("utf-8"))
    return wires


def answer(*fields: bytes, status: bytes = b"HTTP/1.1 200 OK", body: bytes = JSON) -> bytes:
    """One answer with these fields."""
    return b"\r\n".join((status, *fields)) + b"\r\n\r\n" + body


LENGTH = b"Content-Length: 17"
CHUNKED = b"Transfer-Encoding: chunked"

WRITTEN = [
    answer(LENGTH),
    answer(b"Server: nginx", b"Content-Type: application/json", LENGTH, b"Connection: keep-alive", b"Set-Cookie: a=b"),
    answer(b"X-Request-Id: " + OWN_ID, b"Date: Sun, 22 Nov 2026 13:00:34 GMT", LENGTH),
    answer(LENGTH, b"Connection: close"),
    answer(LENGTH, status=b"HTTP/1.0 200 OK"),
    answer(LENGTH, status=b"HTTP/1.1 200"),
    answer(b"A: b"),
    answer(CHUNKED, body=b"11\r\n" + JSON + b"\r\n0\r\n\r\n"),
    answer(CHUNKED, body=b"5;a=b\r\n{\"is_\r\nC \r\nvalid\":true}\r\n000\r\nX: y\r\nZ:\r\n\r\n"),
    answer(CHUNKED, body=b"0\r\n\r\n"),
    answer(b"Content-Length: 0", body=b""),
    answer(status=b"HTTP/1.1 204 No Content", body=b""),
    answer(status=b"HTTP/1.1 304 Not Modified", body=b""),
    answer(b"Retry-After: 5", b"Content-Length: 3", status=b"HTTP/1.1 503 Service Unavailable", body=b"no\n"),
    answer(CHUNKED, status=b"HTTP/1.1 502 Bad Gateway", body=b"3\r\nno\n\r\n0\r\n\r\n"),
    answer(LENGTH, status=b"HTTP/1.1 400 Bad Request"),
    answer(b"Content-Length: 0", status=b"HTTP/1.1 408 Request Timeout", body=b""),
    b"HTTP/1.1 100 Continue\r\n\r\n" + answer(LENGTH),
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(LENGTH),
    answer(b"Content-Encoding: identity", LENGTH),
]


def valid() -> List[bytes]:
    """All of them."""
    return recorded() + WRITTEN
