"""Reading a request body the way Go's encoding/json and Echo's binder do, down to the error texts.

Hanko's answers to malformed bodies quote the offsets and messages of Go's JSON scanner. Python's
`json` module knows other texts, stops at other places and refuses bytes after the value, so the
grammar is walked here; strings and nested values are then decoded by `json`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .answers import HTTPError

_BLANKS = re.compile(rb"[ \t\r\n]*")
_PLAIN_CHARACTERS = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(rb"[0-9]*")
_HEX = b"0123456789abcdefABCDEF"
_SIMPLE_ESCAPES = b'"\\/bfnrt'
_MAXIMUM_DEPTH = 10_000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Go compares keys without regard to case; these two letters fold onto ASCII ones.
_FOLDS = str.maketrans({"\u017f": "s", "\u212a": "k"})


@dataclass(frozen=True)
class Value:
    """Where a JSON value stands in the body, and of which kind it is."""

    kind: str
    start: int
    end: int

    @property
    def error_offset(self) -> int:
        """The offset that Go reports when a value of this kind does not fit."""
        return self.start + 1 if self.kind in ("array", "object") else self.end


@dataclass(frozen=True)
class Member:
    """One key of the outermost object, with its value."""

    key: str
    value: Value


class _Scanner:
    """Walks one JSON value and notes the members of the outermost object."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.members: list[Member] = []

    def _syntax_error(self, position: int, context: str) -> HTTPError:
        return _syntax_error(position + 1, f"invalid character {_quote_byte(self.data[position])} {context}")

    def _at(self, position: int) -> int:
        if position >= len(self.data):
            raise HTTPError(400, "unexpected EOF")
        return self.data[position]

    def _blanks(self, position: int) -> int:
        match = _BLANKS.match(self.data, position)
        assert match is not None
        return match.end()

    def _string(self, position: int) -> int:
        position += 1
        while True:
            match = _PLAIN_CHARACTERS.match(self.data, position)
            assert match is not None
            position = match.end()
            byte = self._at(position)
            if byte == 0x22:
                return position + 1
            if byte != 0x5C:
                raise self._syntax_error(position, "in string literal")
            position += 1
            escape = self._at(position)
            if escape == 0x75:
                for _ in range(4):
                    position += 1
                    if self._at(position) not in _HEX:
                        raise self._syntax_error(position, "in \\u hexadecimal character escape")
            elif escape not in _SIMPLE_ESCAPES:
                raise self._syntax_error(position, "in string escape code")
            position += 1

    def _digits(self, position: int, context: str) -> int:
        match = _DIGITS.match(self.data, position)
        assert match is not None
        if match.end() == position:
            self._at(position)
            raise self._syntax_error(position, context)
        return match.end()

    def _number(self, position: int) -> int:
        if self.data[position] == 0x2D:
            position += 1
        if self._at(position) == 0x30:
            position += 1
        else:
            position = self._digits(position, "in numeric literal")
        if self.data[position : position + 1] == b".":
            position = self._digits(position + 1, "after decimal point in numeric literal")
        if self.data[position : position + 1] in (b"e", b"E"):
            position += 1
            if self._at(position) in b"+-":
                position += 1
            position = self._digits(position, "in exponent of numeric literal")
        return position

    def _literal(self, position: int, word: bytes) -> int:
        for index in range(1, len(word)):
            if self._at(position + index) != word[index]:
                expecting = chr(word[index])
                raise self._syntax_error(position + index, f"in literal {word.decode()} (expecting '{expecting}')")
        return position + len(word)

    def _scalar(self, position: int) -> Value:
        byte = self.data[position]
        if byte == 0x22:
            return Value("string", position, self._string(position))
        if byte == 0x2D or 0x30 <= byte <= 0x39:
            return Value("number", position, self._number(position))
        for word, kind in ((b"true", "bool"), (b"false", "bool"), (b"null", "null")):
            if byte == word[0]:
                return Value(kind, position, self._literal(position, word))
        raise self._syntax_error(position, "looking for beginning of value")

    def scan(self) -> Value:
        """The outermost value. Bytes after it are not looked at: a stream may hold more values."""
        data = self.data
        position = self._blanks(0)
        if position == len(data):
            raise HTTPError(400, "EOF")
        first = position
        opened: list[int] = []  # positions of the brackets that are still open
        key: Value | None = None
        expected = "value"
        while True:
            position = self._blanks(position)
            byte = self._at(position)
            finished: Value | None = None
            if expected in ("value", "value or ]"):
                if expected == "value or ]" and byte == 0x5D:
                    finished = Value("array", opened.pop(), position + 1)
                elif byte in b"{[":
                    if len(opened) == _MAXIMUM_DEPTH:
                        raise _syntax_error(position + 1, "exceeded max depth")
                    opened.append(position)
                    expected = "key or }" if byte == 0x7B else "value or ]"
                    position += 1
                    continue
                else:
                    finished = self._scalar(position)
            elif expected in ("key", "key or }"):
                if expected == "key or }" and byte == 0x7D:
                    finished = Value("object", opened.pop(), position + 1)
                elif byte == 0x22:
                    end = self._string(position)
                    if len(opened) == 1:
                        key = Value("string", position, end)
                    position = end
                    expected = "colon"
                    continue
                else:
                    raise self._syntax_error(position, "looking for beginning of object key string")
            elif expected == "colon":
                if byte != 0x3A:
                    raise self._syntax_error(position, "after object key")
                position += 1
                expected = "value"
                continue
            else:
                in_object = data[opened[-1]] == 0x7B
                if byte == 0x2C:
                    position += 1
                    expected = "key" if in_object else "value"
                    continue
                if byte != (0x7D if in_object else 0x5D):
                    raise self._syntax_error(
                        position, "after object key:value pair" if in_object else "after array element"
                    )
                finished = Value("object" if in_object else "array", opened.pop(), position + 1)
            position = finished.end
            if not opened:
                return Value(finished.kind, first, position)
            if len(opened) == 1 and data[opened[0]] == 0x7B:
                assert key is not None
                self.members.append(Member(decode(data, key), finished))
            expected = "comma"


def _syntax_error(offset: int, message: str) -> HTTPError:
    return HTTPError(400, f"Syntax error: offset={offset}, error={message}")


def _quote_byte(byte: int) -> str:
    """One byte of the input as Go quotes it in an error text."""
    known = {0x27: "'\\''", 0x22: "'\"'", 0x5C: "'\\\\'", 7: "'\\a'", 8: "'\\b'", 9: "'\\t'", 10: "'\\n'"}
    known.update({11: "'\\v'", 12: "'\\f'", 13: "'\\r'"})
    if byte in known:
        return known[byte]
    # 0xAD is the soft hyphen, which Go counts as not printable like the control characters.
    if byte < 0x20 or byte == 0x7F:
        return f"'\\x{byte:02x}'"
    if 0x80 <= byte <= 0xA0 or byte == 0xAD:
        return f"'\\u{byte:04x}'"
    return f"'{chr(byte)}'"


def decode(data: bytes, value: Value) -> Any:
    """The Python value of `value`; bytes that are not UTF-8 become U+FFFD as in Go."""
    text = data[value.start : value.end].decode("utf-8", "replace")
    decoded = json.loads(text)
    return _LONE_SURROGATE.sub("\ufffd", decoded) if isinstance(decoded, str) else decoded


def type_error(go_type: str, value: Value, field: str) -> HTTPError:
    """The answer to a value of a kind that the field cannot hold."""
    return HTTPError(
        400,
        f"Unmarshal type error: expected={go_type}, got={value.kind}, field={field}, offset={value.error_offset}",
    )


def decode_object(data: bytes, go_type: str) -> list[Member]:
    """The members of the object in `data`, in order; `go_type` is named when it is no object.

    `null` counts as an object without members, as it does in Go.
    """
    scanner = _Scanner(data)
    value = scanner.scan()
    if value.kind == "null":
        return []
    if value.kind != "object":
        raise type_error(go_type, value, "")
    return scanner.members


def same_key(key: str, field: str) -> bool:
    """Whether Go takes `key` in the input for the struct's `field`."""
    return key == field or key.translate(_FOLDS).lower() == field


def string_fields(data: bytes, go_type: str, fields: list[str]) -> list[str]:
    """The named string fields of the object in `data`; one that is missing or null is empty."""
    found = dict.fromkeys(fields, "")
    first_error: HTTPError | None = None
    for member in decode_object(data, go_type):
        for field in fields:
            if not same_key(member.key, field):
                continue
            if member.value.kind == "string":
                found[field] = decode(data, member.value)
            elif member.value.kind != "null" and first_error is None:
                # Go goes on decoding and reports the first misfit at the end.
                first_error = type_error("string", member.value, field)
    if first_error is not None:
        raise first_error
    return [found[field] for field in fields]
