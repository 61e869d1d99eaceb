"""Our JSON reader and Python's, made equally strict, must agree on every document: on yes or no, and on what is in it.

The verdict rests on the reader, and it is the one place where the library owns what another could do. So another does
it too: `strict.py`. A disagreement is printed with the document, both opinions and the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import List, Optional, Sequence

import pytest

import corpus
import strict
from mutations import MUTATIONS, mutated
from reader import Reader

DOCUMENTS = 200_000
# As many are held in memory and handed to the program at once.
BATCH = 10_000

REFUSED = [
    *(b"", b" ", b"\n", b"\x00", b"\xef\xbb\xbf{}", b"{} {}", b"{}x", b"{}\x00", b"[1]]", b"1 2", b"{}//", b"nul"),
    b"truex",
    *(b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[", b"]", b"[1", b"[1}", b"[1,", b'{"a":1]', b"{", b"}", b'{"a"}'),
    b'{"a":}',
    *(b'{"a":1,}', b'{,"a":1}', b'{"a":1 "b":2}', b"{a:1}", b"{1:1}", b"{'a':1}", b'{"a"::1}', b'{"a":1:2}'),
    b'{null:1}',
    *(b"01", b"-01", b"1.", b".5", b"-", b"+1", b"1e", b"1e+", b"1.e1", b"0x1", b"1_0", b"--1", b"1.2.3", b"1e1.5"),
    b"-a",
    *(b"NaN", b"Infinity", b"-Infinity", b"True", b"None", b"undefined", b"'a'", b"[NaN]", b'{"a":Infinity}'),
    *(b'"', b'"a', b'"\\"', b'"\\', b'"\\u"', b'"\\u12"', b'"\\u123"', b'"\\u12g4"', b'"\\u+123"', b'"\\x41"'),
    b'"\\\'"',
    *(b'"\n"', b'"\t"', b'"\x00"', b'"\x1f"', b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"'),
    b'"\xc3"',
    *(b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'[{"a":{"b":1,"b":1}}]', b'{"\\ud83d\\ude00":1,"\xf0\x9f\x98\x80":2}'),
    *(b'{"\\ud83d":1,"\\uD83D":2}', b'{"a\\/b":1,"a/b":2}', b'{"":1,"":2}', b'{"x":1\x00,"is_valid":true}'),
    *(b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65, b"[" * 100_000 + b"]" * 100_000, b"[" * 100_000),
    *(b"[\x0b1]", b"[\x0c1]", b"[\xc2\xa01]", b"[\xe2\x80\xa81]", b"\xff\xfe[\x001\x00]\x00", b"[1]\xef\xbb\xbf"),
    corpus.many_members(40)[:-1] + b',"name\\u0037":1}',
]


def opinion(read: Optional[bytes]) -> str:
    """How one side judged, for people."""
    return "refused" if read is None else f"accepted, and read {read!r}"


def disagreements(documents: Sequence[bytes], ours: Sequence[Optional[bytes]]) -> List[str]:
    """A text for each document on which the two sides differ."""
    return [
        f"{document!r}\n  the library: {opinion(our)}\n  Python: {opinion(theirs)}"
        for document, our in zip(documents, ours)
        for theirs in [strict.read(document)]
        if our != theirs
    ]


def fail_for(found: Sequence[str], seed: Optional[int] = None) -> None:
    """End the test with the first few disagreements; a long list would help nobody."""
    repeat = "" if seed is None else f" (HANKO_TEST_SEED={seed} repeats this)"
    pytest.fail(f"{len(found)} disagreements{repeat}\n\n" + "\n\n".join(found[:10]), pytrace=False)


def test_valid_documents_are_accepted_by_both(reader: Reader) -> None:
    """Otherwise the mutations would start from nothing."""
    documents = corpus.valid()
    assert len(corpus.recorded()) >= 20, "the recorded answers are missing"
    ours = reader.read(documents)
    assert [document for document, our in zip(documents, ours) if our is None] == []
    found = disagreements(documents, ours)
    if found:
        fail_for(found)


@pytest.mark.parametrize("document", REFUSED, ids=lambda document: repr(document[:30])[1:])
def test_malformed_document_is_refused_by_both(reader: Reader, document: bytes) -> None:
    """One for each rule; a rule that the second opinion lacked could not be compared."""
    assert reader.read([document]) == [None]
    assert strict.read(document) is None


def test_the_comparison_sees_a_difference() -> None:
    """A reader that takes everything, one that takes nothing and one that reads something else are found out."""
    assert len(disagreements([b"[1]", b"[1"], [strict.read(b"[1]"), b""])) == 1
    assert len(disagreements([b"[1]", b"[1"], [None, None])) == 1
    assert len(disagreements([b'["\\u0041"]'], [strict.read(b'["B"]')])) == 1
    assert disagreements([b'["\\u0041"]', b"["], [strict.read(b'["A"]'), None]) == []


def test_mutated_documents_are_judged_alike(reader: Reader, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Every mutated document gets the same answer from both."""
    rng = random.Random(seed)
    start = corpus.valid()
    accepted = 0
    used: Counter[str] = Counter()
    alive: Counter[str] = Counter()
    for _ in range(DOCUMENTS // BATCH):
        documents: List[bytes] = []
        changes: List[List[str]] = []
        for _ in range(BATCH):
            document, names = mutated(start, rng)
            documents.append(document)
            changes.append(names)
        ours = reader.read(documents)
        found = disagreements(documents, ours)
        if found:
            fail_for(found, seed)
        for our, names in zip(ours, changes):
            used.update(names)
            if our is not None:
                accepted += 1
                alive.update(names)

    with capsys.disabled():
        print(f"\n{DOCUMENTS} documents compared: {accepted} accepted by both, {DOCUMENTS - accepted} refused by both")
    # A comparison in which one side of the answer hardly occurs would prove little.
    assert DOCUMENTS >= 100_000
    assert 0.15 * DOCUMENTS < accepted < 0.85 * DOCUMENTS, accepted
    for name in MUTATIONS:
        assert used[name] > DOCUMENTS // 100, f"{name} was hardly used"
        assert alive[name] > 100 and used[name] - alive[name] > 100, f"{name}: {alive[name]} of {used[name]} accepted"
