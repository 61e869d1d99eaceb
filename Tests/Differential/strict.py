"""Python's own `json` made as strict as the library promises to be: the second opinion."""

from __future__ import annotations

import json
import re
import struct
from typing import List, Optional, Tuple

MAXIMUM_DEPTH = 64

LENGTH = struct.Struct("<I")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKETS = re.compile(r"[\[\]{}]")

# The pure Python scanner that `json` falls back to reads some escapes that are none (`\u+123`).
assert json.scanner.c_make_scanner is not None and json.decoder.c_scanstring is not None, "json has no C accelerator"


class Number(str):
    """A number as it was written: no digit is lost and none is too many."""


class Members(Tuple[Tuple[str, object], ...]):
    """An object, its members in the order of the document."""


def refuse_constant(name: str) -> None:
    """NaN and the infinities, which Python would take."""
    raise ValueError(f"{name} is no JSON")


def members(pairs: List[Tuple[str, object]]) -> Members:
    """Keep the members and refuse a name that comes twice; Python has joined surrogate pairs in names already."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate name")
    return Members(pairs)


DECODER = json.JSONDecoder(
    object_pairs_hook=members, parse_float=Number, parse_int=Number, parse_constant=refuse_constant, strict=True
)


def depth(text: str) -> int:
    """How many arrays and objects stand inside each other in a well-formed text."""
    deepest = current = 0
    for bracket in BRACKETS.findall(STRING.sub("", text)):
        current += 1 if bracket in "[{" else -1
        deepest = max(deepest, current)
    return deepest


def reading(value: object) -> bytes:
    """Everything in a value, in the form that `Reading.swift` writes as well."""
    parts: List[bytes] = []
    append(value, parts)
    return b"".join(parts)


def append(value: object, parts: List[bytes]) -> None:
    """Add one value to the parts of a reading."""
    if isinstance(value, Members):
        parts.append(b"{")
        for name, member in value:
            append_bytes(b"k", name, parts)
            append(member, parts)
        parts.append(b"}")
    elif isinstance(value, list):
        parts.append(b"[")
        for element in value:
            append(element, parts)
        parts.append(b"]")
    elif isinstance(value, Number):
        append_bytes(b"n", value, parts)
    elif isinstance(value, str):
        append_bytes(b"s", value, parts)
    else:
        parts.append(b"t" if value is True else b"f" if value is False else b"z")


def append_bytes(kind: bytes, text: str, parts: List[bytes]) -> None:
    """Add a text with its length. Half of a surrogate pair becomes the three bytes that UTF-8 would give it."""
    content = text.encode("utf-8", "surrogatepass")
    parts += (kind, LENGTH.pack(len(content)), content)


def read(document: bytes) -> Optional[bytes]:
    """Everything in a document; None for one that is refused."""
    try:
        text = document.decode("utf-8", "strict")
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        # UnicodeDecodeError and JSONDecodeError are ValueErrors. Python gives up on nesting far beyond our limit.
        return None
    return reading(value) if depth(text) <= MAXIMUM_DEPTH else None
