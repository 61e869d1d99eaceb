"""Why the two transports may differ on a case: each kind by name, with the reason and how it is recognised.

What none of them recognises is a difference that nobody has thought about. The first kind that holds is taken. What the
bytes are is looked at here anew, with other means than the library's, so that a kind does not just repeat what the new
transport says. One kind alone, `later HTTP/1.x`, lets the new one say yes or no where the old one did not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, List, NamedTuple, Optional, Tuple

from http_kinds import CODING, ENCODING, FOLDED, LENGTH, announces
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR, STATUS_NAMES, TIMEOUT, UNAVAILABLE
from transport_cases import OPEN, Case

VERDICTS = (OK, INVALID_TOKEN)

# The limits of the library.
LONGEST_HEAD = 65_536
LONGEST_BODY = 262_144
LONGEST_UNNEEDED = 16_384
MOST_INTERIM = 16

HEAD_END = re.compile(rb"\n\r?\n")
INTERIM = re.compile(rb"HTTP/\d\.\d 1(?!01)\d\d")
STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: [^\x00\r\n]*)?\r\n")
BARE_FEED = re.compile(rb"(?<!\r)\n")
ODD_BYTE = re.compile(rb"\x00|\r(?!\n|\Z)")
_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(_NAME + rb":[^\x00\r\n]*")
CODINGS = re.compile(rb"(?im)^transfer-encoding:[ \t]*(.*?)[ \t]*\r?$")
CLOSING = re.compile(rb"(?im)^connection:(?:[^\r\n]*,)?[ \t]*close[ \t]*(?:,|\r?$)")
SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\x00\r\n]*)?\r\n")
PART_OF_SIZE_LINE = re.compile(rb"(?:[0-9a-fA-F]{1,8}(?:[ \t]*(?:;[^\x00\r\n]*)?\r?)?)?")
TRAILERS = re.compile(rb"(?:" + _NAME + rb":[^\x00\r\n]*\r\n)*")
PART_OF_TRAILER = re.compile(rb"(?:" + _NAME + rb"(?::[^\x00\r\n]*\r?)?|\r)?")

# What the new one says of an answer, by a part of its text.
NOT_HTTP = "does not speak proper HTTP/1.1"
BROKEN_LENGTH = "no Content-Length of one number"
IS_ENCODED = "was encoded"
LONG_HEAD = "the head of the answer was longer"
LONG_BODY = "the body of the answer was longer"

# The only kind in which the new one may say yes or no where the old one did not.
NEW_VERDICTS = "later HTTP/1.x"

BROKEN, MORE, END = "broken", "more", "end"


class Outcome(NamedTuple):
    """What came of one case with one build."""

    status: int
    # Everything that the session says, as a hash; empty where there is none.
    session: str
    # How often the server was asked.
    requests: int
    # The next request came on the same connection.
    is_reused: bool
    probe: int
    # The next token got its own answer.
    probe_is_own: bool
    error: str

    def agrees(self, other: Outcome) -> bool:
        """Whether there is nothing to explain; the words may differ."""
        return self[:-1] == other[:-1]

    def __str__(self) -> str:
        facts = [STATUS_NAMES[self.status], f"requests: {self.requests}", "used again" if self.is_reused else "closed"]
        if not self.probe_is_own:
            facts.append(f"the next token got {STATUS_NAMES[self.probe]}")
        return ", ".join(facts) + (f" ({self.error})" if self.error else "")


def heads_and_body(wire: bytes) -> Tuple[List[bytes], bytes]:
    """The heads, interim ones first, and what follows them."""
    heads = []
    while True:
        end = HEAD_END.search(wire)
        head, wire = (wire[: end.end()], wire[end.end() :]) if end else (wire, b"")
        heads.append(head)
        if not end or not INTERIM.match(head):
            return heads, wire


def chunks(body: bytes) -> Tuple[str, int]:
    """How far the framing of chunks is sound, and whether it ends there."""
    position = 0
    while True:
        line = SIZE_LINE.match(body, position)
        if not line:
            return (MORE if PART_OF_SIZE_LINE.fullmatch(body, position) else BROKEN), position
        size = int(line.group(1), 16)
        position = line.end()
        if size == 0:
            break
        behind = body[position + size : position + size + 2]
        if not b"\r\n".startswith(behind):
            return BROKEN, position
        if len(behind) < 2:
            return MORE, position
        position += size + 2
    position = TRAILERS.match(body, position).end()
    if body.startswith(b"\r\n", position):
        return END, position + 2
    return (MORE if PART_OF_TRAILER.fullmatch(body, position) else BROKEN), position


@dataclass
class Difference:
    """A case, what came of it, and what the kinds look at."""

    case: Case
    old: Outcome
    new: Outcome

    @cached_property
    def parts(self) -> Tuple[List[bytes], bytes]:
        """The heads and the body that the server sent on one connection."""
        return heads_and_body(self.case.wire)

    @property
    def heads(self) -> List[bytes]:
        """All heads, interim ones first."""
        return self.parts[0]

    @property
    def body(self) -> bytes:
        """What follows them."""
        return self.parts[1]

    @property
    def last(self) -> bytes:
        """The head of the answer itself."""
        return self.heads[-1]

    @cached_property
    def status_line(self) -> Tuple[int, int]:
        """The minor version and the status; zeros where there are none."""
        found = STATUS_LINE.match(self.last)
        return (int(found.group(1)), int(found.group(2))) if found else (0, 0)

    @property
    def code(self) -> int:
        """The status of HTTP."""
        return self.status_line[1]

    @property
    def is_needed(self) -> bool:
        """Whether the body of such an answer says something."""
        return self.code in (200, 400)

    @property
    def lengths(self) -> List[bytes]:
        """Every value of a Content-Length."""
        return LENGTH.findall(self.last)

    @property
    def length(self) -> Optional[int]:
        """What is declared, where it is one number and alone."""
        is_sound = len(self.lengths) == 1 and self.lengths[0].isdigit() and not CODING.search(self.last)
        return int(self.lengths[0]) if is_sound and int(self.lengths[0]) < 1 << 63 else None

    @property
    def has_broken_length(self) -> bool:
        """Whether there is a Content-Length, or more, that is not that."""
        return bool(self.lengths) and self.length is None

    @property
    def is_chunked(self) -> bool:
        """Whether chunks are declared, and nothing else."""
        codings = CODINGS.findall(self.last)
        return len(codings) == 1 and codings[0].lower() == b"chunked" and self.status_line[0] > 0

    @property
    def is_encoded(self) -> bool:
        """Whether there is a content coding."""
        return ENCODING.search(self.last) is not None

    @property
    def is_too_long(self) -> bool:
        """Whether a limit is passed, by what came or by what is declared."""
        sizes = [int(size, 16) for size in re.findall(rb"(?m)^([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r$", self.body)]
        chunked = sum(sizes) if self.is_chunked else 0
        return len(self.case.wire) > LONGEST_HEAD or max(self.length or 0, chunked) > LONGEST_BODY

    @property
    def ends_where_it_says(self) -> bool:
        """Whether what came is one whole answer, up to its declared end, and not a byte more."""
        if self.code in (204, 304):
            return not self.body and not announces(self.last)
        if self.length is not None:
            return self.length == len(self.body)
        return self.is_chunked and not self.lengths and chunks(self.body) == (END, len(self.body))

    @property
    def is_new_verdict(self) -> bool:
        """Whether the new one says yes or no where the old one does not."""
        return self.new.status in VERDICTS and not self.is_the_same_verdict

    @property
    def is_lost_verdict(self) -> bool:
        """Whether the old one says yes or no where the new one does not."""
        return self.old.status in VERDICTS and self.new.status not in VERDICTS

    @property
    def is_the_same_verdict(self) -> bool:
        """Whether they differ only in what became of connections."""
        return (self.old.status, self.old.session) == (self.new.status, self.new.session)

    def refused(self, text: str) -> bool:
        """Whether the new one says this of the answer."""
        return self.new.status == PROTOCOL_ERROR and text in self.new.error

    def breaks_grammar(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the new one says that this is not HTTP, and something like that stands in a head."""
        return self.refused(NOT_HTTP) and any(pattern.search(head) for head in self.heads)


@dataclass
class Kind:
    """One kind of difference."""

    name: str
    why: str
    holds: Callable[[Difference], bool]


KINDS = [
    Kind(
        "early answer",
        "bytes before the whole request has been sent are no answer to it; only a 4xx or 5xx says why nothing can be"
        " asked, and never no",
        lambda it: it.case.early and it.new.status in (UNAVAILABLE, MISCONFIGURED) and not it.new.is_reused,
    ),
    Kind(
        "later HTTP/1.x",
        "an answer of a later minor version is read as HTTP/1.1 (RFC 9110 2.5 and 6.2); libcurl knows 1.0 and 1.1",
        lambda it: any(re.match(rb"HTTP/1\.[2-9] ", head) for head in it.heads)
        and it.old.status == PROTOCOL_ERROR
        and NOT_HTTP in it.old.error,
    ),
    # Grammar.
    Kind(
        "no status line",
        "RFC 9112 4: HTTP/1.x, a blank, three digits, and a blank before the reason, if there is one; libcurl takes"
        " other versions, other case and other blanks",
        lambda it: it.refused(NOT_HTTP)
        and any(not STATUS_LINE.match(head) and not STATUS_LINE.match(head + b"\r\n") for head in it.heads)
        and not BARE_FEED.search(it.last.partition(b"\r\n")[0]),
    ),
    Kind(
        "folded line",
        "RFC 9112 5.2 lets a user agent unfold; nobody sends it but who wants to be read in two ways",
        lambda it: it.breaks_grammar(FOLDED),
    ),
    Kind(
        "bare line feed",
        "RFC 9112 2.2 allows a recipient to take it for the end of a line, and libcurl does",
        lambda it: it.breaks_grammar(BARE_FEED),
    ),
    Kind(
        "NUL or bare carriage return",
        "RFC 9112 2.2 and RFC 9110 5.5: neither stands in a head",
        lambda it: it.breaks_grammar(ODD_BYTE),
    ),
    Kind(
        "no field line",
        "RFC 9112 5: a name that is a token, and a colon right behind it; libcurl passes over other lines",
        lambda it: it.refused(NOT_HTTP)
        and any(not FIELD.fullmatch(line) for head in it.heads for line in head.split(b"\r\n")[1:] if line),
    ),
    Kind(
        "interim answer with a body",
        "it has none (RFC 9110 8.6), and one could hide another answer",
        lambda it: it.refused(NOT_HTTP) and any(announces(head) for head in it.heads if INTERIM.match(head)),
    ),
    Kind(
        "many interim answers",
        f"more than {MOST_INTERIM}",
        lambda it: it.refused(NOT_HTTP) and sum(INTERIM.match(head) is not None for head in it.heads) > MOST_INTERIM,
    ),
    # Framing.
    Kind(
        "other transfer coding",
        "`chunked` alone, once, and not in HTTP/1.0 (RFC 9112 6.1): nothing else was asked for",
        lambda it: it.refused(NOT_HTTP) and it.is_needed and CODING.search(it.last) is not None and not it.is_chunked,
    ),
    Kind(
        "odd chunks",
        "RFC 9112 7.1: up to eight digits, lines that end with CR LF, no NUL, trailers that are fields",
        lambda it: it.refused(NOT_HTTP) and it.is_needed and it.is_chunked and chunks(it.body)[0] == BROKEN,
    ),
    Kind(
        "broken length",
        "RFC 9112 6.3: one number of digits alone, and none beside chunks",
        lambda it: it.refused(BROKEN_LENGTH) and it.has_broken_length,
    ),
    Kind(
        "encoded body",
        "`identity` was asked for, so it is named as what it is",
        lambda it: it.refused(IS_ENCODED) and it.is_encoded,
    ),
    Kind(
        "400 whose body cannot be read",
        "framed as nobody should, encoded or too long: it is somebody's 400, and not in Hanko's shape",
        lambda it: it.code == 400
        and it.new.status == MISCONFIGURED
        and (it.has_broken_length or it.is_encoded or it.is_too_long),
    ),
    Kind(
        "too long, known at once",
        "a declared length or size is refused where it is read, and trailers and extensions count as the head does",
        lambda it: (it.refused(LONG_BODY) or it.refused(LONG_HEAD)) and it.is_too_long,
    ),
    Kind(
        "head cut short",
        "the connection ended within a line; the old one called what had come of it no field",
        lambda it: it.old.status == PROTOCOL_ERROR
        and it.new.status in (UNAVAILABLE, TIMEOUT)
        and not HEAD_END.search(it.last),
    ),
    Kind(
        "the status says all",
        "the body of such an answer is not needed, so it may be cut short, late or framed in any way; the connection is"
        " closed",
        lambda it: it.code >= 200
        and not it.is_needed
        and not it.new.is_reused
        and it.new.status in (MISCONFIGURED, UNAVAILABLE, PROTOCOL_ERROR)
        and it.old.status not in VERDICTS
        and not it.is_the_same_verdict,
    ),
    # Connections.
    Kind(
        "not echoed",
        "Hanko echoed the id on this connection, and this 200 (whatever it says) or refusal does not bear it: it is"
        " nobody's, and the question goes out once more, on a fresh connection",
        lambda it: it.is_the_same_verdict
        and it.case.echo
        and it.case.kept
        and (it.old.requests, it.new.requests) == (1, 2)
        and it.is_needed,
    ),
    Kind(
        "kept after other answers than 200",
        "an answer that was read to its declared end keeps its connection, 408, 413, 431 and a 400 of somebody else"
        " excepted",
        lambda it: it.is_the_same_verdict
        and it.old.requests == it.new.requests
        and (it.old.is_reused, it.new.is_reused) == (False, True)
        and it.code in range(201, 600)
        and it.code not in (408, 413, 431)
        and (it.code != 400 or b'"code":400' in it.body and b'"message":' in it.body)
        and (it.code == 400 or len(it.body) <= LONGEST_UNNEEDED)
        and it.case.then == OPEN
        and it.status_line[0] > 0
        and not CLOSING.search(it.last)
        and it.ends_where_it_says,
    ),
    Kind(
        "close in an interim answer",
        "what it says is not said of the answer itself; libcurl closes. A server that then closes ends an idle"
        " connection, which is no failure",
        lambda it: it.is_the_same_verdict
        and (it.old.is_reused, it.new.is_reused) == (False, True)
        and any(re.search(rb"(?im)^connection:[^\r\n]*close", head) for head in it.heads[:-1])
        and not CLOSING.search(it.last)
        and it.ends_where_it_says,
    ),
    Kind(
        "an option that only begins with close",
        "is another one; libcurl compares five letters",
        lambda it: it.is_the_same_verdict
        and (it.old.is_reused, it.new.is_reused) == (False, True)
        and re.search(rb"(?im)^connection:[^\r\n]*close", it.last) is not None
        and not CLOSING.search(it.last)
        and it.ends_where_it_says,
    ),
    Kind(
        "surplus behind an empty body",
        "somebody sends what nobody asked for; the old one did not see it where the head was the whole answer",
        lambda it: it.is_the_same_verdict
        and (it.old.is_reused, it.new.is_reused) == (True, False)
        and it.length == 0
        and it.body != b"",
    ),
    Kind(
        "HTTP/1.0",
        "ends its connection, `Connection: keep-alive` or not",
        lambda it: it.is_the_same_verdict
        and (it.old.is_reused, it.new.is_reused) == (True, False)
        and it.code > 0
        and it.status_line[0] == 0,
    ),
    Kind(
        "half a line on a kept connection",
        "to libcurl less than a line was nothing, and it sent the request again by itself; an answer had begun",
        lambda it: it.is_the_same_verdict
        and it.case.kept
        and it.new.status == UNAVAILABLE
        and (it.old.requests, it.new.requests) == (2, 1)
        and b"\n" not in it.case.wire,
    ),
]


def kind_of(difference: Difference) -> Optional[Kind]:
    """The first kind that holds; None where none does, and where the new one says what the old one did not say."""
    if not difference.new.probe_is_own:
        return None
    kind = next((kind for kind in KINDS if kind.holds(difference)), None)
    return None if difference.is_new_verdict and kind and kind.name != NEW_VERDICTS else kind
