"""What servers say to both transports: everything that the tests have collected, and mutations of it."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import http_corpus
from http_mutations import mutated

import fault_server
import test_chunks
import test_connections
import test_faults
import test_no_answer
import test_recorded
import test_status_codes
import test_verdicts
from messages import BARE_YES, chunked, error_body, response

TESTS = Path(__file__).resolve().parents[1]

JSON = http_corpus.JSON
# As long as BARE_YES.
BARE_NO = b'{"is_valid":false}'
REFUSAL = error_body(400, "failed to parse token claims: 'subject' is not a uuid")

# Stands in answers for the id of the request, which the server puts in its place.
OWN_ID = http_corpus.OWN_ID

# In seconds.
AHEAD = 3600

# An endless answer ends here: beyond every limit of the library.
ENDLESS = 1 << 20

FOLDED_AT_ONCE = re.compile(rb"HTTP/[^\n]*\n[ \t]")

OPEN, CLOSE, RESET = "open", "close", "reset"


class Case(NamedTuple):
    """What the server does with one request."""

    name: str
    pieces: Tuple[bytes, ...]
    # Afterwards it waits for the next request, closes or resets the connection.
    then: str = OPEN
    pause: float = 0.0
    # Sent once the client has its answer, on a connection that is idle then.
    late: bytes = b""
    # The answer is sent before the request has been read.
    early: bool = False
    # The connection has served another request before.
    kept: bool = False
    # As Hanko does, the server echoes X-Request-Id on its other answers, and puts it in this one where OWN_ID stands.
    echo: bool = False

    @property
    def wire(self) -> bytes:
        """All that is sent without waiting for anything."""
        return b"".join(self.pieces)

    @property
    def is_folded_at_once(self) -> bool:
        """Whether the first field line of a head begins with a blank."""
        return FOLDED_AT_ONCE.search(self.wire) is not None


class Raw(NamedTuple):
    """Bytes of an answer in their pieces."""

    name: str
    pieces: Tuple[bytes, ...]
    # What follows, where the source says it.
    then: str = ""
    pause: float = 0.0


# --- other words in the same frame ----------------------------------------------------------------------------------


def say(wire: bytes, body: bytes, other: bytes) -> bytes:
    """The same answer with another body: lengths that were right are right again, others stay as they are."""
    length, new = b"%d" % len(body), b"%d" % len(other)
    digits = re.compile(rb"(?<!\d)(0*)" + length + rb"(?!\d)")
    wire = re.sub(
        rb"(?im)^content-length[ \t]*:[^\r\n]*", lambda field: digits.sub(rb"\g<1>" + new, field.group()), wire
    )
    size = re.compile(rb"(?im)^(0*)%x((?:[ \t;][^\r\n]*)?\r?\n)(?=%s)" % (len(body), re.escape(body)))
    return size.sub(rb"\g<1>%x\g<2>" % len(other), wire).replace(body, other)


def saying_no(wire: bytes) -> bytes:
    """With Hanko's no in the place of its yes."""
    return say(wire.replace(BARE_YES, BARE_NO), JSON, BARE_NO)


def saying_refusal(wire: bytes) -> bytes:
    """With the 400 by which Hanko refuses a token whose claims it cannot read."""
    return say(say(wire, BARE_YES, REFUSAL), JSON, REFUSAL).replace(b" 200", b" 400", 1)


VOICES: Tuple[Tuple[str, Callable[[bytes], bytes]], ...] = (
    ("yes", lambda wire: wire),
    ("no", saying_no),
    ("refusal", saying_refusal),
)


def echoing(wire: bytes) -> bytes:
    """With the id of the request, as Hanko answers."""
    return bytes(fault_server.echoed(wire, lambda _: [OWN_ID.decode("ascii")])(fault_server.Request(0, b"", b"")))


# --- what the tests have collected ----------------------------------------------------------------------------------


def recorded() -> Iterator[Raw]:
    """What a real Hanko answered, as if it was a little later than now: no session ends while the program runs."""
    for name, case in test_recorded.CASES.items():
        move = test_recorded.move_to_now(case) + AHEAD
        yield Raw(f"recorded {name}", (test_recorded.shifted(case, move),))


def written() -> Iterator[Raw]:
    """What the mutations start from besides."""
    for number, wire in enumerate(http_corpus.WRITTEN):
        yield Raw(f"written {number}", (wire,))


def fuzz_inputs(target: str) -> Iterator[Tuple[str, bytes]]:
    """The committed inputs of a fuzz target."""
    for path in sorted((TESTS / "Fuzz/corpus" / target).iterdir()):
        yield f"{target} {path.name}", path.read_bytes()


def fuzzed() -> Iterator[Raw]:
    """Whole answers as they are, in the pieces that the target makes; heads with a body."""
    for name, data in fuzz_inputs("response_reader"):
        if data:
            yield Raw(name, fuzz_pieces(data[0], data[1:]), CLOSE if data[0] & 1 else OPEN, 0.0003)
    for name, data in fuzz_inputs("answer_path"):
        yield Raw(name, (data,))
    for name, data in fuzz_inputs("response_head"):
        body = chunked(BARE_YES) if re.search(rb"(?i)transfer-encoding:[ \t]*chunked", data) else BARE_YES
        yield Raw(name, (data + body,))


def fuzz_pieces(pattern: int, stream: bytes) -> Tuple[bytes, ...]:
    """The pieces of the target `response_reader`; only the first hundred, so that a long one does not take a second."""
    pieces = []
    while stream and len(pieces) < 100:
        length = 1 + (pattern >> (len(pieces) % 5)) % 37
        pieces.append(stream[:length])
        stream = stream[length:]
    return (*pieces, stream) if stream else tuple(pieces)


class Recorder:
    """Takes the place of a connection and keeps what a script would send."""

    def __init__(self) -> None:
        self.pieces: List[bytes] = []
        self.then = OPEN
        self.pause = 0.0

    def send(self, data: bytes) -> None:
        """Keep a piece."""
        self.pieces.append(data)

    def send_slowly(self, data: bytes, pause: float, piece: int = 1) -> None:
        """Keep small pieces; slower than this shows nothing but the deadline."""
        self.pieces += [data[start : start + piece] for start in range(0, len(data), piece)]
        self.pause = 0.001

    def send_endlessly(self, data: bytes, pause: float = 0.0) -> None:
        """Keep as much as is beyond every limit."""
        self.pieces.append(data * (100 if pause else ENDLESS // len(data)))

    def read_request(self) -> None:
        """The server reads it in any case."""

    def wait(self, seconds: float) -> None:
        """The server waits by itself where a reset would overtake what was sent."""

    hang = answer_no_more = read_request

    def close(self) -> None:
        """Keep the end."""
        self.then = CLOSE

    def reset(self) -> None:
        """Keep the end."""
        self.then = RESET

    @classmethod
    def of(cls, name: str, script: Callable[[Any], object]) -> Raw:
        """What a script sends."""
        recorder = cls()
        script(recorder)
        return Raw(name, tuple(recorder.pieces), recorder.then, recorder.pause)


def faults() -> Iterator[Raw]:
    """What the fault server does in `test_faults` and `test_no_answer`."""
    for name, fault in test_faults.FAULTS.items():
        yield Recorder.of(f"fault {name}", fault.act)
    for name, script in test_no_answer.LEAVING.items():
        for end in (CLOSE, RESET):
            yield Recorder.of(f"leaving {name}", script)._replace(then=end)
    for name, wire in test_no_answer.NOT_HTTP.items():
        yield Raw(f"no HTTP {name}", (wire,), CLOSE)


def parameters(test: Any, position: int = 0) -> Sequence[Any]:
    """What a test is parametrised with; ``position`` counts its marks from the function upwards."""
    return [getattr(each, "values", each) for each in test.pytestmark[position].args[1]]


def raw_answers() -> Iterator[Raw]:
    """The answers that other tests serve."""
    for number, body in enumerate(parameters(test_chunks.test_no_yes_out_of_odd_framing)):
        yield Raw(f"chunks {number}", (test_chunks.chunked(body),))
    extended = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: one\r\nX-Other: two\r\n\r\n" % (len(BARE_YES), BARE_YES)
    yield Raw("chunks extended", (test_chunks.chunked(extended),))
    for chunk in parameters(test_no_answer.test_chunk_size_that_is_no_number):
        wire = test_faults.CHUNKED + chunk + BARE_YES + b"\r\n0\r\n\r\n"
        yield Raw(f"chunk size {chunk!r}", (wire,))
    for table in (test_connections.KEPT_AS_WELL, test_connections.NOT_KEPT):
        for name, (wire, _) in table.items():
            yield Raw(f"connections {name}", (wire,))
    for name, wire in test_connections.KEPT.items():
        yield Raw(f"connections {name}", (wire,))
    for cut in test_connections.CUTS:
        for surplus, more in test_connections.SURPLUS.items():
            for body in (test_connections.NO, BARE_YES):
                start = response(body)[: -len(body)]
                pieces = test_connections.CUTS[cut](start, body, more)
                yield Raw(f"surplus {surplus}, {cut}", tuple(piece for piece in pieces if piece), OPEN, 0.0005)
    for name, body in test_verdicts.NEITHER.items():
        yield Raw(f"verdict {name}", (response(body),))
    for number, body in enumerate(parameters(test_verdicts.test_no)):
        yield Raw(f"verdict no {number}", (response(body),))
    for number, body in enumerate(parameters(test_status_codes.test_400_that_the_token_caused)):
        yield Raw(f"refusal {number}", (response(body, status=400),))
    for number, body in enumerate(parameters(test_status_codes.test_400_that_something_else_caused)):
        yield Raw(f"400 {number}", (response(body, status=400),))
    for status in (*range(200, 208), *range(300, 309), *range(400, 432), *range(500, 512), 520, 599, 600, 700, 999):
        yield Raw(f"status {status}", (response(BARE_YES, status=status),))


# What servers and gateways that people run really send, each around a yes.
_LENGTH = b"Content-Length: 18\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_IN_CHUNKS = b"12\r\n" + BARE_YES + b"\r\n0\r\n\r\n"
REAL = {
    "Go net/http": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nVary: Origin\r\nX-Request-Id: abc\r\n"
    b"Date: Sun, 22 Nov 2026 13:00:34 GMT\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Go net/http behind HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + BARE_YES,
    "Go net/http ReverseProxy with announced trailers": b"HTTP/1.1 200 OK\r\nTrailer: X-T\r\n" + _CHUNKED + b"\r\n"
    b"12\r\n" + BARE_YES + b"\r\n0\r\nX-T: 1\r\n\r\n",
    "nginx": b"HTTP/1.1 200 OK\r\nServer: nginx/1.25.3\r\nDate: Sun, 22 Nov 2026 13:00:34 GMT\r\n"
    b"Content-Type: application/json\r\n" + _LENGTH + b"Connection: keep-alive\r\nVary: Origin\r\n\r\n" + BARE_YES,
    "nginx, chunks": b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\n" + _CHUNKED
    + b"Connection: keep-alive\r\nKeep-Alive: timeout=60\r\nStrict-Transport-Security: max-age=1\r\n\r\n" + _IN_CHUNKS,
    "nginx to HTTP/1.0": b"HTTP/1.1 200 OK\r\nServer: nginx\r\nConnection: close\r\n\r\n" + BARE_YES,
    "HAProxy, fields in lower case": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n"
    b"vary: Origin\r\nset-cookie: SRV=1; path=/\r\n\r\n" + BARE_YES,
    "Envoy": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\nx-envoy-upstream-service-time"
    b": 3\r\nserver: envoy\r\ndate: Sun, 22 Nov 2026 13:00:34 GMT\r\n\r\n" + BARE_YES,
    "Envoy, chunks": b"HTTP/1.1 200 OK\r\nserver: envoy\r\ntransfer-encoding: chunked\r\n\r\n" + _IN_CHUNKS,
    "Caddy": b'HTTP/1.1 200 OK\r\nAlt-Svc: h3=":443"; ma=2592000\r\n' + _LENGTH + b"Server: Caddy\r\nVia: 1.1 Caddy\r\n"
    b"\r\n" + BARE_YES,
    "IIS": b"HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Type: application/json; charset=utf-8\r\nServer: "
    b"Microsoft-IIS/10.0\r\nX-AspNet-Version: 4.0\r\nX-Powered-By: ASP.NET\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "IIS, no reason": b"HTTP/1.1 200 \r\nServer: Microsoft-HTTPAPI/2.0\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Tomcat, no reason": b"HTTP/1.1 200 \r\n" + _CHUNKED + b"Keep-Alive: timeout=20\r\nConnection: keep-alive\r\n\r\n"
    + _IN_CHUNKS,
    "no reason and no blank": b"HTTP/1.1 200\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Apache": b"HTTP/1.1 200 OK\r\nServer: Apache\r\nUpgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\n"
    b"Keep-Alive: timeout=5, max=100\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Apache, sizes padded with blanks": b"HTTP/1.1 200 OK\r\nServer: Apache/1.3\r\n" + _CHUNKED + b"\r\n12  \r\n"
    + BARE_YES + b"\r\n0     \r\n\r\n",
    "Cloudflare": b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 13:00:34 GMT\r\n" + _CHUNKED + b"Connection: keep-alive"
    b'\r\nNEL: {"success_fraction":0}\r\nCF-RAY: 8c-FRA\r\nServer: cloudflare\r\nServer-Timing: cfL4;desc="?proto=TCP"'
    b"\r\n\r\n" + _IN_CHUNKS,
    "Kestrel": b"HTTP/1.1 200 OK\r\nServer: Kestrel\r\n" + _CHUNKED + b"\r\n" + _IN_CHUNKS,
    "Node, both kept and timed": b"HTTP/1.1 200 OK\r\n" + _LENGTH + b"Connection: keep-alive\r\nKeep-Alive: timeout=5"
    b"\r\n\r\n" + BARE_YES,
    "gunicorn, closing": b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nConnection: close\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Python http.server": b"HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "close and keep-alive at once": b"HTTP/1.1 200 OK\r\nConnection: close, Keep-Alive\r\n" + _LENGTH + b"\r\n"
    + BARE_YES,
    "HTTP/1.0 that keeps": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Proxy-Connection": b"HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "lengths that are equal": b"HTTP/1.1 200 OK\r\n" + _LENGTH + _LENGTH + b"\r\n" + BARE_YES,
    "lengths that are equal, in a list": b"HTTP/1.1 200 OK\r\nContent-Length: 18, 18\r\n\r\n" + BARE_YES,
    "length and chunks": b"HTTP/1.1 200 OK\r\n" + _LENGTH + _CHUNKED + b"\r\n" + _IN_CHUNKS,
    "chunked said twice": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + _CHUNKED + b"\r\n" + _IN_CHUNKS,
    "identity": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 18\n\n" + BARE_YES,
    "line feeds alone behind the body": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + b"\r\n12\n" + BARE_YES + b"\n0\n\n",
    "folded": b"HTTP/1.1 200 OK\r\nContent-Security-Policy: default-src 'self';\r\n script-src 'self'\r\n" + _LENGTH
    + b"\r\n" + BARE_YES,
    "blank before a colon": b"HTTP/1.1 200 OK\r\nX-Powered-By : PHP\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "blank in a name": b"HTTP/1.1 200 OK\r\nX Powered By: PHP\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "field without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "field without a name": b"HTTP/1.1 200 OK\r\n: x\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "blanks around values": b"HTTP/1.1 200 OK\r\nContent-Length: \t 18 \t \r\nX: \r\n\r\n" + BARE_YES,
    "Latin-1 in a value": b"HTTP/1.1 200 OK\r\nX-Name: M\xfcller\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "UTF-8 in the reason": "HTTP/1.1 200 déjà vu\r\n".encode() + _LENGTH + b"\r\n" + BARE_YES,
    "compressed with a gateway's own head": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + _LENGTH + b"\r\n"
    + BARE_YES,
    "Content-Encoding: identity": b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Content-Encoding empty": b"HTTP/1.1 200 OK\r\nContent-Encoding:\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "Content-Encoding: utf-8": b"HTTP/1.1 200 OK\r\nContent-Encoding: utf-8\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "interim with a field": b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n" + _LENGTH
    + b"\r\n" + BARE_YES,
    "interim with a length of none": b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n" + _LENGTH
    + b"\r\n" + BARE_YES,
    "interim without a reason": b"HTTP/1.1 100\r\n\r\nHTTP/1.1 200 OK\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "empty line before the answer": b"\r\nHTTP/1.1 200 OK\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "ICY": b"ICY 200 OK\r\n" + _LENGTH + b"\r\n" + BARE_YES,
    "until the end": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + BARE_YES,
    "extensions": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + b'\r\n12;a="b;c\xe4" ; d\r\n' + BARE_YES + b"\r\n0;e\r\n\r\n",
    "sizes with many zeros": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + b"\r\n0000000000000012\r\n" + BARE_YES
    + b"\r\n0000000000000000\r\n\r\n",
    "sizes of eight digits": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + b"\r\n00000012\r\n" + BARE_YES
    + b"\r\n00000000\r\n\r\n",
    "last chunk without its empty line": b"HTTP/1.1 200 OK\r\n" + _CHUNKED + b"\r\n12\r\n" + BARE_YES + b"\r\n0\r\n",
    "line end behind the body": b"HTTP/1.1 200 OK\r\n" + _LENGTH + b"\r\n" + BARE_YES + b"\r\n",
    "long field": b"HTTP/1.1 200 OK\r\nContent-Security-Policy: " + b"a" * 30_000 + b"\r\n" + _LENGTH + b"\r\n"
    + BARE_YES,
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * 500 + _LENGTH + b"\r\n" + BARE_YES,
}


def real() -> Iterator[Raw]:
    """Each as a case."""
    for name, wire in REAL.items():
        yield Raw(f"real {name}", (wire,))


# --- cases ----------------------------------------------------------------------------------------------------------


def voiced(raw: Raw) -> Iterator[Raw]:
    """A yes, a no and a refusal in the same frame, where there is a yes in it; the cuts stay where they are."""
    wire = b"".join(raw.pieces)
    seen = set()
    for voice, change in VOICES:
        other = change(wire)
        if other in seen:
            continue
        seen.add(other)
        if other == wire:
            yield raw._replace(name=f"{raw.name} ({voice})" if other != saying_no(wire) else raw.name)
            continue
        yield raw._replace(name=f"{raw.name} ({voice})", pieces=cut_at(other, [len(piece) for piece in raw.pieces]))


def cut_at(wire: bytes, lengths: Iterable[int]) -> Tuple[bytes, ...]:
    """The bytes in pieces of these lengths, the rest in the last one."""
    pieces = []
    for length in lengths:
        pieces.append(wire[:length])
        wire = wire[length:]
    if pieces:
        pieces[-1] += wire
    return tuple(piece for piece in pieces if piece)


def collected() -> List[Case]:
    """Everything but the mutations: on fresh and kept connections, with every end, with and without an echo."""
    cases = []
    for source in (recorded(), written(), fuzzed(), faults(), raw_answers(), real()):
        for raw in (other for each in source for other in voiced(each)):
            for then in (OPEN, CLOSE, RESET) if raw.then in ("", OPEN) else (raw.then,):
                for kept in (False, True):
                    cases.append(Case(raw.name, raw.pieces, then, raw.pause, kept=kept))
            echoed_wire = echoing(b"".join(raw.pieces))
            cases.append(Case(f"{raw.name}, echoed", (echoed_wire,), raw.then or OPEN, kept=True, echo=True))
            cases.append(Case(f"{raw.name}, not echoed", raw.pieces, raw.then or OPEN, raw.pause, kept=True, echo=True))
    return cases + unasked()


def unasked() -> List[Case]:
    """Bytes that come before the request, or once it has been answered."""
    cases = []
    for name, more in test_connections.SURPLUS.items():
        for first, (wire, _) in test_connections.FIRST.items():
            for kept in (False, True):
                cases.append(Case(f"idle after a {first}: {name}", (wire,), late=more, kept=kept))
        for then in (OPEN, CLOSE):
            cases.append(Case(f"early: {name}", (more,), then, early=True))
    for status in (200, 400, 401, 429, 503):
        cases.append(Case(f"early: {status}", (response(BARE_YES, status=status),), early=True))
    cases.append(Case("early: a no", (response(test_connections.NO),), early=True))
    cases.append(Case("early: a refusal", (response(REFUSAL, status=400),), early=True))
    return cases


def mutations(count: int, seed: int) -> Iterator[Case]:
    """Mutated answers, cut and ended in every way."""
    rng = random.Random(seed)
    start = [b"".join(raw.pieces) for raw in recorded()] + http_corpus.WRITTEN
    for number in range(count):
        wire, names = mutated(start, rng)
        voice, change = rng.choice(VOICES)
        wire = change(wire)
        echo = rng.random() < 0.2
        if echo and rng.random() < 0.7:
            wire = echoing(wire)
        pieces: Tuple[bytes, ...] = (wire,) if wire else ()
        if rng.random() < 0.4:
            cuts = sorted(rng.randint(0, len(wire)) for _ in range(rng.choice((1, 1, 2, 3))))
            pieces = cut_at(wire, [end - begin for begin, end in zip([0, *cuts], [*cuts, len(wire)])])
        yield Case(
            f"mutation {number} ({voice}): {' '.join(names)}",
            pieces,
            rng.choices((OPEN, CLOSE, RESET), (5, 4, 1))[0],
            rng.choice((0.0, 0.0003)),
            kept=rng.random() < 0.4,
            echo=echo,
        )
