"""The valid documents that the mutations start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List

RECORDED = Path(__file__).resolve().parent.parent / "Recorded/cases.json"

# Longer documents would make the run slow and show nothing that shorter ones do not.
LONGEST = 4096


def recorded() -> List[bytes]:
    """What a real Hanko answered, each body once."""
    bodies = []
    for case in json.loads(RECORDED.read_text(encoding="utf-8")):
        body = case["response"].get("body") or "" if case.get("response") else ""
        try:
            json.loads(body)
        except ValueError:
            continue  # empty, or with the framing of chunks
        if len(body) <= LONGEST:
            bodies.append(body.encode("utf-8"))
    return list(dict.fromkeys(bodies))


def nested(depth: int, core: str = "1") -> bytes:
    """Objects and arrays in turn around a value."""
    opening = "".join('{"k":' if level % 2 else "[" for level in range(depth))
    closing = "".join("}" if level % 2 else "]" for level in reversed(range(depth)))
    return (opening + core + closing).encode("utf-8")


def many_members(count: int, prefix: str = "name") -> bytes:
    """One object with so many members that the reader's table for names grows."""
    return json.dumps({f"{prefix}{number}": number for number in range(count)}, separators=(",", ":")).encode("utf-8")


# Names that FNV-1a, 32 bits wide, cannot tell apart; and names that are the same only once escapes are resolved.
COLLIDING = b'{"costarring":1,"liquid":2,"declinate":3,"macallums":4,"altarage":5,"zinke":6}'

WRITTEN = [
    b'{"is_valid":true}',
    b'{"is_valid":false}',
    b'{ "is_valid" : true , "claims" : { } , "x" : [ ] }',
    b'{"is\\u005fvalid":true,"claims":{"subject":"44d51f8d-3265-453e-b69c-4cadef7f58be","audience":["a","b"]}}',
    b'{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":{"a":null}}',
    b'[0,-0,1,-1,10,0.0,-0.5,1e5,1E+5,1e-5,0e0,0.10e01,9007199254740993,1234567890123456789012345678901234567890]',
    b"[1.7976931348623157e308,1e400,-1e400,4.9e-324,1e-400,0.000000000000000000000000000000000000000001]",
    b'["","\\"","\\\\","\\/","\\b\\f\\n\\r\\t","\\u0000","\\u001f","\\u007f","\\uFFFF","\\ufffe","\\u2028"]',
    b'["\\ud83d\\ude00","\\ud83d","\\ude00","\\ude00\\ud83d","\\ud83d\\ud83d\\ude00","\\uD83Dx","\\ud83d\\n"]',
    '["\u00e9","\u00df\u00ff","\u20ac","\U0001f600\U0010ffff","\ufeff","\u007f\u0080\u07ff\u0800\uffff"]'.encode(),
    '{"\u00e9":1,"e\u0301":2,"\U0001f600":3,"":4," ":5,"\\u0000":6,"a\\u0000":7,"a":8}'.encode(),
    b'{"\\ud83d":1,"\\ude00":2,"\\ud83d\\ude00":3,"\\ude00\\ud83d":4}',
    b' \t\r\n{ \n"a" \t: \r[ 1 , 2 ,\n3 ] , "b":{ } }\r\n\t ',
    b"[[],[[]],[[[]]],{},[{}],{\"a\":{}},[[[[[[[[]]]]]]]]]",
    b'[true,false,null,[true],[false],[null],{"true":true,"false":false,"null":null}]',
    b'"text"',
    b"0",
    b"-12.5e-3",
    b"true",
    b"null",
    b"[]",
    b"{}",
    COLLIDING,
    nested(60),
    nested(62, '{"a":[]}'),
    nested(63),
    nested(64, '"x"'),
    b"[" * 64 + b"]" * 64,
    b'{"a":' * 64 + b"null" + b"}" * 64,
    b"[" + b",".join([nested(20)] * 3) + b"]",
    many_members(31),
    many_members(32),
    many_members(33),
    many_members(70),
    b'{"a":' + many_members(20) + b',"b":' + many_members(20) + b',"name1":' + many_members(3, "\u00e4") + b"}",
    b"[" + b",".join([b'{"id":1,"name":"x"}'] * 20) + b"]",
]


def valid() -> List[bytes]:
    """All of them."""
    return recorded() + WRITTEN
