"""Small changes to JSON documents. Each takes a document and gives another: some still valid, most not, many nearly."""

from __future__ import annotations

import random
import re
from typing import Callable, Dict, List, Tuple

Mutation = Callable[[bytes, random.Random, List[bytes]], bytes]

TOKEN = re.compile(
    rb'(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>[A-Za-z]+)|(?P<mark>[{}\[\],:])', re.DOTALL
)
NAME = re.compile(rb'("(?:[^"\\]|\\.)*")[ \t\r\n]*:', re.DOTALL)

STRUCTURAL = b'{}[]",:\\ \t\n\r0123456789-+.eE/utrfnal'
BLANKS = [b" ", b"\t", b"\n", b"\r", b"\r\n", b"  \t\n "]
# What other parsers take for white space, and RFC 8259 does not.
FOREIGN_BLANKS = [
    *(b"\x0b", b"\x0c", b"\x00", b"\x1c", b"\x85"),
    *map(str.encode, "\x85\xa0\ufeff\u2028\u2029\u3000\u200b"),
]
WORDS = (
    b"true false null True TRUE tru truee t NaN nan Infinity -Infinity +1 nul nulll None falsE f 'a' // # /**/"
).split()
# Around every border of RFC 3629, both sides of it.
SEQUENCES = [
    *(b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2\x80", b"\xc2", b"\xc2\x7f", b"\xdf\xbf", b"\xdf\xc0"),
    *(b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe0\xa0\x80", b"\xe0\xa0", b"\xed\x9f\xbf", b"\xed\xa0\x80"),
    *(b"\xed\xbf\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbf", b"\xef\xbb\xbf", b"\xf0\x80\x80\x80"),
    *(b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf0\x9f\x98\x80", b"\xf0\x9f\x98"),
    *(b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80"),
    *(b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xff"),
    *(b"\x7f", b"\xed\xa0\xbd\xed\xb8\x80"),
]
ESCAPES = [
    *(b"\\u0041", b"\\u00e9", b"\\uD83D\\uDE00", b"\\ud83d", b"\\ude00", b"\\u0000", b"\\u000", b"\\u00g0", b"\\U0041"),
    *(b"\\u 041", b"\\u+041", b"\\u0x41", b"\\x41", b"\\a", b"\\'", b"\\0", b"\\", b"\\\\", b'\\"', b"\\/"),
    *(b"\\udbff\\udfff", b"\\uD800\\uDC00", b"\\udfff", b"\\udc00\\ud800", b"\\udbff\\ue000", b"\\ud7ff\\udc00"),
    *(b"\\v", b"\\e", b"\\u", b"\\u1_00", b"\\\n", b"\\ud83d\\u0041", b"\\ud83d\\\\ude00", b"\\N", b"\\T"),
    *(b"\\b\\f\\n\\r\\t", b"\\u{41}"),
]


def place(document: bytes, rng: random.Random) -> int:
    """Somewhere in the document, both ends included."""
    return rng.randint(0, len(document))


def part(document: bytes, rng: random.Random, longest: int) -> Tuple[int, int]:
    """A part of the document that is not long."""
    start = place(document, rng)
    return start, min(len(document), start + rng.randint(1, longest))


def put(document: bytes, start: int, end: int, new: bytes) -> bytes:
    """The document with one part replaced."""
    return document[:start] + new + document[end:]


def token(document: bytes, rng: random.Random, kind: str) -> Tuple[int, int]:
    """A token of a kind; a place without width where there is none."""
    found = [match.span() for match in TOKEN.finditer(document) if match.lastgroup == kind]
    return rng.choice(found) if found else (place(document, rng),) * 2


def flip_bytes(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Change bits, or whole bytes."""
    changed = bytearray(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if changed:
            position = rng.randrange(len(changed))
            bits = 1 << rng.randrange(8) if rng.random() < 0.6 else rng.randrange(256)
            changed[position] ^= bits
    return bytes(changed)


def insert_structural(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Add a byte that means something in JSON, or put it in place of another."""
    start = place(document, rng)
    return put(document, start, start + rng.randint(0, 1), bytes([rng.choice(STRUCTURAL)]))


def delete(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Leave out a part, or one token."""
    kind = rng.choice(("", "string", "number", "word", "mark", "mark"))
    start, end = token(document, rng, kind) if kind else part(document, rng, 8)
    return put(document, start, end, b"")


def duplicate(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Repeat a part, there or elsewhere."""
    start, end = part(document, rng, rng.choice((1, 4, 40)))
    target = end if rng.random() < 0.5 else place(document, rng)
    return put(document, target, target, document[start:end])


def splice(document: bytes, rng: random.Random, corpus: List[bytes]) -> bytes:
    """The beginning of one document and the end of another, or a whole one inside of it."""
    other = rng.choice(corpus)
    if rng.random() < 0.5:
        return document[: place(document, rng)] + other[place(other, rng) :]
    start, end = token(document, rng, rng.choice(("string", "number", "word")))
    return put(document, start, end, other)


def truncate(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Cut off the end, sometimes the beginning."""
    cut = place(document, rng) if rng.random() < 0.5 else max(0, len(document) - rng.randint(1, 6))
    return document[:cut] if rng.random() < 0.9 else document[len(document) - cut :]


def spelled(name: bytes, rng: random.Random) -> bytes:
    """A string, quotes included, with some of its characters written as escapes: the same text."""
    try:
        text = name[1:-1].decode("utf-8")
    except UnicodeDecodeError:
        return name
    result: List[str] = []
    position = 0
    share = rng.random()
    while position < len(text):
        character = text[position]
        if character == "\\":
            # An escape stays as it is, and whole.
            length = 6 if text[position + 1 : position + 2] == "u" else 2
            result.append(text[position : position + length])
            position += length
            continue
        if rng.random() < share:
            units = character.encode("utf-16-be")
            for unit in (units[index : index + 2] for index in range(0, len(units), 2)):
                digits = unit.hex()
                result.append("\\u" + (digits.upper() if rng.random() < 0.5 else digits))
        elif character == "/" and rng.random() < 0.5:
            result.append("\\/")
        else:
            result.append(character)
        position += 1
    return b'"' + "".join(result).encode("utf-8") + b'"'


def repeat_name(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Add a member with a name that is there already, often spelled otherwise, in the same object or in another."""
    found = list(NAME.finditer(document))
    if not found:
        return document
    match = rng.choice(found)
    name = match[1] if rng.random() < 0.3 else spelled(match[1], rng)
    if rng.random() < 0.2:
        name = name[:-1] + rng.choice((b" ", b"x", b"\\u0000", b"\\n", b"")) + b'"'  # nearly the same
    where = match.start() if rng.random() < 0.5 else rng.choice(found).start()
    return put(document, where, where, name + rng.choice((b":1,", b":true,", b":{},", b": null ,", b':[{"a":1}],')))


def respell(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Write a text or a name with escapes; nothing else changes."""
    start, end = token(document, rng, "string")
    return put(document, start, end, spelled(document[start:end], rng)) if end > start else document


def insert_escape(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Put an escape, right or wrong, into a string."""
    start, end = token(document, rng, "string")
    where = rng.randint(start + 1, end - 1) if end - start >= 2 else start
    return put(document, where, where, rng.choice(ESCAPES))


def nest(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Put arrays and objects around the document or around a token; near the limit, far beyond it, badly closed."""
    levels = rng.choice((1, 2, rng.randint(1, 70), rng.randint(60, 68), 63, 64, 65, 2000 if rng.random() < 0.05 else 3))
    kinds = [rng.random() < 0.5 for _ in range(levels)]
    opening = b"".join(b"[" if array else b'{"a":' for array in kinds)
    closing = b"".join(b"]" if array else b"}" for array in reversed(kinds))
    if rng.random() < 0.15:
        closing = rng.choice((closing[1:], closing + b"]", closing[::-1], b"", closing[:-1]))
    start, end = 0, len(document)
    if rng.random() < 0.5:
        start, end = token(document, rng, rng.choice(("string", "number", "word")))
    return put(document, start, end, opening + document[start:end] + closing)


def insert_sequence(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Put bytes from the borders of UTF-8 into a string, sometimes elsewhere."""
    start, end = token(document, rng, "string")
    where = rng.randint(start + 1, end - 1) if end - start >= 2 and rng.random() < 0.85 else place(document, rng)
    return put(document, where, where, rng.choice(SEQUENCES))


def insert_control(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Put a NUL or another control character anywhere, often at the end, where C programs stop reading."""
    where = len(document) if rng.random() < 0.2 else place(document, rng)
    byte = 0 if rng.random() < 0.5 else rng.choice((*range(32), 127))
    return put(document, where, where, bytes([byte]))


def bend_number(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Replace a value with something that is a number, or nearly one."""
    start, end = token(document, rng, rng.choice(("number", "number", "word")))
    choice = rng.random()
    if choice < 0.3:
        sign, first = rng.choice(("", "-")), rng.choice(("0", str(rng.randint(1, 10**rng.randint(1, 40)))))
        fraction = rng.choice(("", f".{rng.randint(0, 10**6)}"))
        exponent = rng.choice("eE") + rng.choice(("", "+", "-")) + rng.choice(("0", "00", "7", "99999"))
        number = sign + first + fraction + rng.choice(("", exponent))
    elif choice < 0.35:
        number = "9" * rng.choice((20, 400, 5000))
    else:
        number = "".join(rng.choice("00112789-+..eE") for _ in range(rng.randint(1, 7)))
    return put(document, start, end, number.encode("ascii"))


def insert_blanks(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """White space between tokens and at the ends; sometimes of a kind that JSON does not have, or inside of a token."""
    for _ in range(rng.randint(1, 4)):
        spans = [match.span() for match in TOKEN.finditer(document)]
        where = rng.choice(rng.choice(spans)) if spans and rng.random() < 0.95 else place(document, rng)
        document = put(document, where, where, rng.choice(BLANKS if rng.random() < 0.9 else FOREIGN_BLANKS))
    return document


def append_more(document: bytes, rng: random.Random, corpus: List[bytes]) -> bytes:
    """Something after the value, or before it."""
    marks = (b",", b"]", b"}", b"1", b'"', b'\x00,"is_valid":true}')
    more = rng.choice((*BLANKS, *FOREIGN_BLANKS, *marks, rng.choice(corpus)))
    return document + more if rng.random() < 0.8 else more + document


def replace_value(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Another word in the place of a value, right or misspelt."""
    start, end = token(document, rng, rng.choice(("word", "number", "string")))
    return put(document, start, end, rng.choice(WORDS))


def add_members(document: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Many members at the beginning of an object, so that the names need a table; sometimes one of them twice."""
    objects = [match.start() for match in re.finditer(rb'\{(?=[ \t\r\n]*")', document)]
    if not objects:
        return document
    names = [b'"%d"' % rng.randrange(10**9) for _ in range(rng.choice((5, 28, 40, 90)))]
    if rng.random() < 0.4:
        names.insert(rng.randint(0, len(names)), spelled(rng.choice(names), rng))
    if len(set(names)) < 20 and rng.random() < 0.5:
        names += [b'"costarring"', b'"liquid"', b'"zinke"', b'"altarage"', b'"declinate"', b'"macallums"']
    where = rng.choice(objects) + 1
    return put(document, where, where, b"".join(name + b":0," for name in names))


MUTATIONS: Dict[str, Mutation] = {
    function.__name__: function
    for function in (
        *(flip_bytes, insert_structural, delete, duplicate, splice, truncate, repeat_name, respell, insert_escape),
        *(nest, insert_sequence, insert_control, bend_number, insert_blanks, append_more, replace_value),
        add_members,
    )
}

# A document that grows by every step would only cost time.
LONGEST = 20_000


def mutated(corpus: List[bytes], rng: random.Random) -> Tuple[bytes, List[str]]:
    """A document of the corpus after one to three changes, and the names of the changes."""
    document = rng.choice(corpus)
    names = rng.choices(list(MUTATIONS), k=rng.choice((1, 1, 1, 1, 2, 2, 3)))
    for name in names:
        if len(document) <= LONGEST:
            document = MUTATIONS[name](document, rng, corpus)
    return document, names
