"""Our reader of HTTP/1.1 and h11 on the same bytes: where they disagree, it is for a reason that is written down.

Ours decides where an answer ends and whether its connection may carry another token, so somebody else's reader looks
at the same answers. The two are not equally strict, and on purpose: `http_kinds.py` says in what they differ and why.
Whatever it does not name fails the test, and is printed with both opinions and the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

import pytest

import h11_opinion
import http_corpus
from http_kinds import KINDS, NEEDED, agree, kind_of
from http_mutations import MUTATIONS, mutated
from opinion import ANSWER, REFUSED, Connection, Opinion
from reader import ResponseReader

CONNECTIONS = 100_000
# As many are held in memory and handed to the program at once.
BATCH = 10_000

# One for each kind: the connection, and whether it ended.
EXAMPLES = {
    "bare line feed": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", False),
    "folded line": (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", False),
    "other version": (b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    "interim answer with a body": (b"HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n" + http_corpus.WRITTEN[0], False),
    "many interim answers": (b"HTTP/1.1 102 x\r\n\r\n" * 17 + http_corpus.WRITTEN[0], False),
    "odd chunks": (http_corpus.answer(http_corpus.CHUNKED, body=b"000000005\r\nhello\r\n0\r\n\r\n"), False),
    "refused at once": (b"HTTP/1.1 2000 OK\r\n", False),
    "equal lengths": (http_corpus.answer(b"Content-Length: 17, 17"), False),
    "length beyond every number": (http_corpus.answer(b"Content-Length: 9223372036854775808"), False),
    "length beside chunks": (http_corpus.answer(http_corpus.LENGTH, http_corpus.CHUNKED, body=b"0\r\n\r\n"), False),
    "chunks in HTTP/1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    "encoded body": (http_corpus.answer(http_corpus.LENGTH, b"Content-Encoding: gzip"), False),
    "limit of the head": (http_corpus.answer(http_corpus.LENGTH, b"A: " + b"a" * 65_536), False),
    "limit of the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n", False),
    "form feed or vertical tab": (http_corpus.answer(http_corpus.LENGTH, b"A: b\x0cc"), False),
    "length of many zeros": (http_corpus.answer(b"Content-Length: " + b"0" * 20 + b"17"), False),
    "framing in a trailer": (
        http_corpus.answer(http_corpus.CHUNKED, body=b"0\r\nTransfer-Encoding: gzip\r\n\r\n"),
        False,
    ),
    "blank before an extension": (http_corpus.answer(http_corpus.CHUNKED, body=b"1 ;a\r\nx\r\n0\r\n\r\n"), False),
    "the status says all": (b"HTTP/1.1 503 x\r\nContent-Length: 5\r\n\r\n", True),
    "switching protocols": (b"HTTP/1.1 101 x\r\n\r\n", False),
    "statuses that close": (b"HTTP/1.1 408 x\r\nContent-Length: 0\r\n\r\n", False),
    "closing in an interim answer": (
        b"HTTP/1.1 102 x\r\nConnection: close\r\n\r\n" + http_corpus.WRITTEN[0],
        False,
    ),
    "announced where there is none": (b"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", False),
    "end that is not trusted": (b"HTTP/1.1 503 x\r\nContent-Length: 0, 0\r\n\r\n", False),
    "closing anyway": (b"HTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\nx", False),
}

# Kinds in which we read an answer that h11 refuses although its body is needed. Each is a liberty that we take.
LIBERTIES = {"form feed or vertical tab", "length of many zeros", "framing in a trailer", "blank before an extension"}


def disagreements(
    connections: Sequence[Connection], ours: Sequence[Opinion], kinds: Counter[Optional[str]]
) -> List[str]:
    """A text for each connection on which the two differ without a reason; the reasons are counted."""
    found = []
    for (wire, ended), our in zip(connections, ours):
        their = h11_opinion.read(wire, ended)
        if agree(our, their):
            continue
        kind = kind_of(wire, ended, our, their)
        kinds[kind.name if kind else None] += 1
        if kind is None:
            found.append(f"{wire!r}, {'ended' if ended else 'open'}\n  the library: {our}\n  h11: {their}")
        elif our.ending == ANSWER and their.ending == REFUSED and our.status in NEEDED:
            assert kind.name in LIBERTIES, f"{kind.name}: {wire!r}"
    return found


def fail_for(found: Sequence[str], seed: int) -> None:
    """End the test with the first few disagreements; a long list would help nobody."""
    text = f"{len(found)} disagreements without a reason (HANKO_TEST_SEED={seed} repeats this)\n\n"
    pytest.fail(text + "\n\n".join(sorted(found, key=len)[:10]), pytrace=False)


def dechunked(body: bytes) -> bytes:
    """A recorded body without its framing."""
    content = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if int(size, 16) == 0:
            return content
        content, body = content + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def test_recorded_answers_are_read_as_they_were_sent(response_reader: ResponseReader) -> None:
    """Every answer of a real Hanko keeps its connection, unless it says that it does not."""
    wires = http_corpus.recorded()
    assert len(wires) >= 60, "the recorded answers are missing"
    for wire, our in zip(wires, response_reader.read([(wire, False) for wire in wires])):
        head, _, body = wire.partition(b"\r\n\r\n")
        expected = dechunked(body) if b"Transfer-Encoding: chunked" in head else body
        status = int(head[9:12])
        assert our.ending == ANSWER, wire
        assert (our.status, our.body) == (status, expected if status in NEEDED else b""), wire
        assert our.may_keep == (b"Connection: close" not in head) and not our.has_surplus, wire


def test_valid_answers_are_read_alike(response_reader: ResponseReader) -> None:
    """Otherwise the mutations would start from nothing."""
    connections: List[Connection] = [(wire, ended) for wire in http_corpus.valid() for ended in (False, True)]
    kinds: Counter[Optional[str]] = Counter()
    assert disagreements(connections, response_reader.read(connections), kinds) == []
    assert set(kinds) <= {"statuses that close", "the status says all"}


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_each_kind_of_disagreement_has_its_example(response_reader: ResponseReader, name: str) -> None:
    """A kind that no longer occurs would only hide something."""
    (our,) = response_reader.read([EXAMPLES[name]])
    their = h11_opinion.read(*EXAMPLES[name])
    assert not agree(our, their)
    kind = kind_of(*EXAMPLES[name], our, their)
    assert kind is not None and kind.name == name and kind.why


def changed(our: Opinion) -> List[Opinion]:
    """An opinion with one thing wrong in it."""
    return [
        replace(our, body=our.body + b"x"),
        replace(our, status=our.status + 1),
        replace(our, may_keep=not our.may_keep),
        replace(our, has_surplus=not our.has_surplus),
        replace(our, ending=REFUSED, detail="N"),
        replace(our, ending=REFUSED, detail="L"),
    ]


@pytest.mark.parametrize("index", range(4))
def test_the_comparison_sees_a_difference(response_reader: ResponseReader, index: int) -> None:
    """A reader that finds something else in an ordinary answer is found out."""
    connection = (http_corpus.WRITTEN[index], False)
    (our,) = response_reader.read([connection])
    assert disagreements([connection], [our], Counter()) == []
    for other in changed(our):
        assert len(disagreements([connection], [other], Counter())) == 1, other


@pytest.mark.parametrize("wire", [b"HTTP/1.1 2x0 OK\r\n\r\n", http_corpus.answer(b"Content-Length: 17, 999")])
def test_the_comparison_sees_an_answer_that_is_none(wire: bytes) -> None:
    """A reader that takes what h11 refuses is found out."""
    taken = Opinion(ANSWER, "c", 200, http_corpus.JSON, True)
    assert len(disagreements([(wire, False)], [taken], Counter())) == 1


def test_mutated_answers_are_read_alike_or_for_a_reason(
    response_reader: ResponseReader, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every mutated answer gets the same opinion from both, or differs in a way that has a name."""
    rng = random.Random(seed)
    start = http_corpus.valid()
    used: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    kinds: Counter[Optional[str]] = Counter()
    found: List[str] = []
    for _ in range(CONNECTIONS // BATCH):
        made: List[Tuple[bytes, List[str]]] = [mutated(start, rng) for _ in range(BATCH)]
        connections = [(wire, rng.random() < 0.5) for wire, _ in made]
        ours = response_reader.read(connections)
        found += disagreements(connections, ours, kinds)
        endings.update(our.ending for our in ours)
        for _, names in made:
            used.update(names)
    if found:
        fail_for(found, seed)

    with capsys.disabled():
        print(f"\n{CONNECTIONS} connections compared, {CONNECTIONS - sum(kinds.values())} read alike; the others:")
        for name, count in kinds.most_common():
            print(f"{count:>7} {name}")
    # A comparison in which one side of the answer hardly occurs would prove little.
    assert all(count > 0.1 * CONNECTIONS for count in endings.values()) and len(endings) == 3, endings
    assert 0.7 * CONNECTIONS < CONNECTIONS - sum(kinds.values())
    for name in MUTATIONS:
        assert used[name] > CONNECTIONS // 100, f"{name} was hardly used"
