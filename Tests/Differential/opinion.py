"""What a reader of HTTP/1.1 says of a connection, in words that two readers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

# The bytes that came, and whether the connection ended behind them.
Connection = Tuple[bytes, bool]

ANSWER = "an answer"
EARLY = "an answer that has not ended"
REFUSED = "no answer"

# The letters of ResponseProgram.swift.
ENDINGS = {
    **dict.fromkeys((b"c", b"a"), ANSWER),
    **dict.fromkeys((b"m", b"E", b"C", b"S"), EARLY),
    **dict.fromkeys((b"N", b"H", b"B", b"L", b"T", b"Z"), REFUSED),
}


@dataclass
class Opinion:
    """How the reading ended, and what was read."""

    ending: str
    detail: str
    status: int = 0
    body: bytes = b""
    may_keep: bool = False
    has_surplus: bool = False
