"""Why the library and h11 may disagree on an answer: each kind by name, with the reason and how it is recognised.

What none of them recognises is a disagreement that nobody has thought about, and fails the test. The dangerous ones are
those in which we read an answer that h11 refuses; they are recognised by what h11 says, not by the bytes alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

from opinion import ANSWER, EARLY, REFUSED, Opinion

HEAD_END = re.compile(rb"\n\r?\n")
BARE_FEED = re.compile(rb"(?<!\r)\n")
FOLDED = re.compile(rb"\n[ \t]")
LENGTH = re.compile(rb"^content-length:[ \t]*(.*?)[ \t]*\r?$", re.I | re.M)
CODING = re.compile(rb"^transfer-encoding:", re.I | re.M)
ENCODING = re.compile(rb"^content-encoding:[ \t]*(?!(?:identity)?[ \t]*\r?$)", re.I | re.M)
LONG_SIZE = re.compile(rb"[0-9a-fA-F]{9}")
ODD_EXTENSION = re.compile(rb";[^\r\n]*(?:\x00|\r(?!\n))")
# An option in a field Connection.
CLOSING = re.compile(rb"(?im)^connection:(?:[^\r\n]*,)?[ \t]*close[ \t]*(?:,|\r?$)")
BLANK_EXTENSION = re.compile(rb"[0-9a-fA-F][ \t]+;")
NEEDED = (200, 400)


@dataclass
class Case:
    """A connection, both opinions, and what the kinds look at."""

    wire: bytes
    ended: bool
    ours: Opinion
    theirs: Opinion

    def __post_init__(self) -> None:
        self.heads, self.body = parts(self.wire)
        self.last = self.heads[-1]
        self.is_needed = (self.ours.status or self.theirs.status) in NEEDED
        self.lengths = [value for field in LENGTH.findall(self.last) for value in field.split(b",")]

    @property
    def ours_only(self) -> bool:
        """We read an answer where h11 does not."""
        return self.ours.ending == ANSWER and self.theirs.ending != ANSWER

    @property
    def we_close(self) -> bool:
        """Both read the same answer, and we do not keep its connection; nor do we look at what follows on it."""
        both = self.ours.ending == self.theirs.ending == ANSWER and self.ours.status == self.theirs.status
        same_body = self.ours.body == (self.theirs.body if self.is_needed else b"")
        return both and same_body and not self.ours.may_keep and not self.ours.has_surplus

    def refused(self, letters: str) -> bool:
        """We refuse for one of these reasons (the letters of ResponseProgram.swift), and h11 does not."""
        return self.ours.ending == REFUSED and self.ours.detail in letters and self.theirs.ending != REFUSED

    def theirs_says(self, *beginnings: str) -> bool:
        """What h11 complains of."""
        return self.theirs.ending == REFUSED and self.theirs.detail.startswith(beginnings)


def parts(wire: bytes) -> Tuple[List[bytes], bytes]:
    """The heads, interim ones first, and the rest, as h11 takes them apart."""
    heads = []
    while True:
        end = HEAD_END.search(wire)
        head, wire = (wire[: end.end()], wire[end.end() :]) if end else (wire, b"")
        heads.append(head)
        if not end or not re.match(rb"HTTP/\d\.\d 1", head):
            return heads, wire


def any_head(case: Case, pattern: re.Pattern[bytes]) -> bool:
    """Whether something stands in a head."""
    return any(pattern.search(head) for head in case.heads)


def untrusted_chunks(case: Case) -> bool:
    """Chunks that h11 takes and we do not."""
    patterns = (LONG_SIZE, ODD_EXTENSION, BARE_FEED, FOLDED)
    return CODING.search(case.last) is not None and any(pattern.search(case.body) for pattern in patterns)


def announces(head: bytes) -> bool:
    """Whether a head says that a body follows."""
    lengths = LENGTH.findall(head)
    return CODING.search(head) is not None or len(lengths) > 1 or any(
        value.strip(b"0") or not value for value in lengths
    )


@dataclass
class Kind:
    """One kind of disagreement."""

    name: str
    why: str
    holds: Callable[[Case], bool]


KINDS = [
    # We refuse, h11 does not.
    Kind(
        "bare line feed",
        "RFC 9112 2.2 allows a recipient to take it for a line end, and h11 does; ResponseReader says why we refuse",
        lambda case: case.refused("N") and any_head(case, BARE_FEED),
    ),
    Kind(
        "folded line",
        "RFC 9112 5.2 lets a user agent unfold, and h11 does; we refuse",
        lambda case: case.refused("N") and any_head(case, FOLDED),
    ),
    Kind(
        "other version",
        "h11 takes every digit before and behind the dot; we speak HTTP/1.x and nothing else",
        lambda case: case.refused("N") and any(not head.startswith(b"HTTP/1.") for head in case.heads),
    ),
    Kind(
        "interim answer with a body",
        "it has none, RFC 9110 8.6 says; h11 ignores what it announces, we do not go on",
        lambda case: case.refused("N") and any(
            announces(head) for head in case.heads if re.match(rb"HTTP/1\.\d 1", head)),
    ),
    Kind(
        "many interim answers",
        "h11 takes any number; we take sixteen",
        lambda case: case.refused("N") and len(case.heads) > 16,
    ),
    Kind(
        "odd chunks",
        "h11 takes sizes of twenty digits, NULs and carriage returns in extensions, line feeds alone and folded lines"
        " in trailers; we take none of them",
        lambda case: case.refused("N") and untrusted_chunks(case),
    ),
    Kind(
        "refused at once",
        "we refuse at the first byte that breaks a rule; h11 waits for the end of the line or head that it stands in",
        lambda case: case.refused("N") and case.theirs.ending == EARLY,
    ),
    Kind(
        "equal lengths",
        "h11 takes several that are equal; a server that sends two does not know what it sends",
        lambda case: case.refused("L") and len(case.lengths) > 1
        and len({length.strip() for length in case.lengths}) == 1,
    ),
    Kind(
        "length beyond every number",
        "h11 would wait for so many bytes",
        lambda case: case.refused("L") and len(case.lengths) == 1 and case.lengths[0].isdigit()
        and int(case.lengths[0]) >= 1 << 63,
    ),
    Kind(
        "length beside chunks",
        "h11 prefers the chunks (RFC 9112 6.3 allows that); it may be an attempt at smuggling, so we refuse",
        lambda case: case.refused("L") and CODING.search(case.last) is not None and bool(case.lengths),
    ),
    Kind(
        "chunks in HTTP/1.0",
        "RFC 9112 6.1 calls the framing faulty; h11 reads it",
        lambda case: case.refused("T") and case.last.startswith(b"HTTP/1.0 ") and CODING.search(case.last) is not None,
    ),
    Kind(
        "encoded body",
        "h11 hands over bytes and leaves the coding to its caller; we asked for none and name it",
        lambda case: case.refused("Z") and ENCODING.search(case.last) is not None,
    ),
    Kind(
        "limit of the head",
        "h11 was given none here",
        lambda case: case.refused("H") and len(case.wire) > 65_536,
    ),
    Kind(
        "limit of the body",
        "h11 has none: it takes what is declared",
        lambda case: case.refused("B") and (
            len(case.theirs.body) > 262_144
            or case.theirs.ending == EARLY and (announces(case.last) or len(case.body) > 262_144)
        ),
    ),
    # We read an answer, h11 does not.
    Kind(
        "form feed or vertical tab",
        "h11 takes most control characters in values and reasons, but not these two; we take all but NUL and line ends",
        lambda case: case.ours.ending != REFUSED and case.theirs_says("illegal header line", "illegal status line")
        and re.search(rb"[\x0b\x0c]", case.wire) is not None,
    ),
    Kind(
        "length of many zeros",
        "h11 takes twenty digits; we look at the number",
        lambda case: case.ours.ending != REFUSED and case.theirs_says("bad Content-Length")
        and any(re.fullmatch(rb"0\d{20,}", length) for length in case.lengths),
    ),
    Kind(
        "framing in a trailer",
        "it has no place there (RFC 9110 6.5.1), and the body has ended: we pass trailers over, h11 looks at these two",
        lambda case: case.ours.ending == ANSWER and CODING.search(case.last) is not None and case.theirs_says(
            "bad Content-Length", "conflicting Content-Length", "Only Transfer-Encoding", "multiple Transfer-Encoding")
        and (LENGTH.search(case.body) or CODING.search(case.body)) is not None
        and case.theirs.status == case.ours.status,
    ),
    Kind(
        "blank before an extension",
        "RFC 9112 7.1.1 allows it; h11 allows blanks only behind everything",
        lambda case: case.ours.ending != REFUSED and case.theirs_says("illegal chunk header")
        and BLANK_EXTENSION.search(case.body) is not None,
    ),
    Kind(
        "the status says all",
        "such a status needs no body, so the answer is known whatever is wrong with the body or still to come; the"
        " connection is then closed",
        lambda case: case.ours_only and not case.is_needed and not case.ours.may_keep
        and (case.theirs.status < 200 or case.theirs.status == case.ours.status)
        and (case.theirs.ending == EARLY or case.theirs_says(
            "bad Content-Length", "conflicting Content-Length", "Only Transfer-Encoding", "multiple Transfer-Encoding",
            "illegal chunk header", "malformed chunk footer")
            or case.theirs_says("illegal header line", "continuation line") and CODING.search(case.last) is not None),
    ),
    Kind(
        "switching protocols",
        "h11 refuses what was not asked for; for us it is an answer, of a status that Hanko never sends",
        lambda case: case.ours_only and case.ours.status == 101 and not case.ours.may_keep,
    ),
    # Both read an answer.
    Kind(
        "statuses that close",
        "after 408, 413 and 431 the connection is not trusted to be in step, nor after a status that does not exist",
        lambda case: case.we_close and (case.ours.status in (408, 413, 431) or case.ours.status >= 600),
    ),
    Kind(
        "closing in an interim answer",
        "RFC 9112 9.6 speaks of every message; h11 looks at the last one alone",
        lambda case: case.we_close and any(CLOSING.search(head) for head in case.heads[:-1]),
    ),
    Kind(
        "announced where there is none",
        "204 and 304 end with their head, for both; where a body is announced all the same, we close",
        lambda case: case.we_close and case.ours.status in (204, 304) and announces(case.last),
    ),
    Kind(
        "end that is not trusted",
        "a body that nobody needs, longer than we read for the sake of a connection, or framed in a way that is refused"
        " above; we close",
        lambda case: case.we_close and not case.is_needed
        and (len(case.theirs.body) > 16_000 or len(case.lengths) > 1 or untrusted_chunks(case)
             or CODING.search(case.last) is not None and (bool(case.lengths) or case.last.startswith(b"HTTP/1.0"))),
    ),
    Kind(
        "closing anyway",
        "a body that nobody needs is not read where the connection closes after it, so what follows is not looked at",
        lambda case: case.we_close and not case.is_needed and not case.theirs.may_keep,
    ),
]


def kind_of(wire: bytes, ended: bool, ours: Opinion, theirs: Opinion) -> Optional[Kind]:
    """The kind of a disagreement; None where none fits."""
    case = Case(wire, ended, ours, theirs)
    return next((kind for kind in KINDS if kind.holds(case)), None)


def agree(ours: Opinion, theirs: Opinion) -> bool:
    """Whether there is nothing to explain; how far somebody read who found no answer is of no matter."""
    if ours.ending != theirs.ending or ours.ending != ANSWER:
        return ours.ending == theirs.ending
    # Of a body that nobody needs we keep nothing.
    same_body = ours.body == theirs.body or ours.status not in NEEDED and not ours.body
    return (
        same_body
        and ours.status == theirs.status
        and ours.may_keep == theirs.may_keep
        and ours.has_surplus == theirs.has_surplus
    )
