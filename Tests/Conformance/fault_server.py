"""A scripted server over TCP or TLS that answers exactly what a test tells it to.

A *script* is a function that gets a `Connection` and does with it what the test
wants to see: read a request, send bytes (one write is one TLS record as long
as it fits 16 KiB), send them slowly, reset, close, hang. The first script serves
the first connection, the second the second, and the last one all that follow.

Everything that arrives is recorded: each request with its raw bytes and the number
of the connection it came on (counted from 1), and each connection, also one that
never sends a byte.

The library asks for Hanko's key set before it believes a "no". The server answers that
itself, between the requests that its scripts see, and records it apart, so that
scripts and counts are about tokens; with ``key_set=None`` scripts get these requests too.

A real Hanko echoes ``X-Request-Id`` on every answer; this server does not unless it is told to, as a
gateway that knows nothing of that field. An *echo* is a function that gets the request and gives the
ids that the answer names: ``own_id``, ``another_id``, ``no_id``, ``own_and_another_id``,
``another_and_own_id``, or a test's own, which may look at the token. It is told

- for the whole server, ``echo=own_id``: each answer of ``answers`` and ``answers_in_turn``, and the key set;
- for one answer, ``echoed(response(NO), another_id)``, wherever a reply is taken;
- in a script of one's own, ``connection.answer(request, response(NO))``, which echoes as the whole server
  does, or with an echo as the third argument.

An answer that was told so by ``echoed`` is not told again, and bytes that a script sends itself go out as they are.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
import time
import traceback
import uuid
from typing import Callable, Sequence, Union

# What every server answers to the question for the key set.
KEY_SET = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"keys":[]}\n'

# No wait in a script lasts longer: a forgotten script must not keep a test run alive.
LONGEST_WAIT = 30.0


class ClientLeft(Exception):
    """The client closed or reset the connection while a script still wanted something of it."""


class Request:
    """One request as it came in."""

    def __init__(self, connection: int, head: bytes, body: bytes) -> None:
        self.connection = connection
        self.head = head
        self.body = body

    @property
    def raw(self) -> bytes:
        """Every byte of the request."""
        return self.head + self.body

    @property
    def line(self) -> str:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields in their order, names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.split(":", 1) for line in lines if line]
        return [(name.lower(), value.strip()) for name, value in pairs]

    def header(self, name: str) -> list[str]:
        """Every value of one header field."""
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def asks_for_key_set(self) -> bool:
        """Whether it is about no token, but about the keys of Hanko."""
        return self.line.startswith("GET ") and self.line.endswith("/.well-known/jwks.json HTTP/1.1")

    @property
    def token(self) -> str:
        """The session token in the body."""
        return json.loads(self.body.decode("utf-8"))["session_token"]


Echo = Callable[[Request], Sequence[str]]
Reply = Union[bytes, Callable[[Request], bytes]]


def no_id(_: Request) -> list[str]:
    """As a gateway answers that does not know the field."""
    return []


def own_id(request: Request) -> list[str]:
    """As Hanko answers: the request's own id, or one that the server makes where the request has none."""
    sent = request.header("x-request-id")
    return [sent[0]] if sent and sent[0] else another_id(request)


def another_id(_: Request) -> list[str]:
    """As a gateway answers that makes an id for each request, and as an answer to somebody else's request."""
    return [uuid.uuid4().hex]


def own_and_another_id(request: Request) -> list[str]:
    """As Hanko answers behind a gateway that adds a field of its own."""
    return [*own_id(request), *another_id(request)]


def another_and_own_id(request: Request) -> list[str]:
    """The same, with the gateway's in front."""
    return [*another_id(request), *own_id(request)]


class Echoed(bytes):
    """An answer that names the ids it shall name."""


def echoed(reply: Reply, echo: Echo = own_id) -> Callable[[Request], bytes]:
    """A reply whose first final answer names ids; what stands before it (1xx) or behind it stays as it is."""

    def with_ids(request: Request) -> bytes:
        answer = reply(request) if callable(reply) else reply
        if isinstance(answer, Echoed):
            return answer
        fields = "".join(f"X-Request-Id: {each}\r\n" for each in echo(request)).encode("latin-1")
        start, end = 0, answer.find(b"\r\n\r\n")
        while end >= 0 and answer.startswith(b"HTTP/1.1 1", start):
            start, end = end + 4, answer.find(b"\r\n\r\n", end + 4)
        # What has no whole head is for a test of broken heads.
        return Echoed(answer if end < 0 else answer[: end + 2] + fields + answer[end + 2 :])

    return with_ids


class Connection:
    """The server's end of one connection, in the hands of a script."""

    def __init__(self, server: FaultServer, number: int, plain: socket.socket) -> None:
        self.server = server
        self.number = number
        self.socket: socket.socket | ssl.SSLSocket = plain
        self.bytes_sent = 0
        self._received = b""

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands as the server; what was received before stays with the plain connection."""
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.socket.settimeout(LONGEST_WAIT)

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ClientLeft
        self._received += data

    def read_head(self) -> bytes:
        """Read up to the empty line; the body stays unread. Nothing is recorded."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, self._received = self._received.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n"

    def read_request(self) -> Request:
        """Read and record a whole request; what the server answers itself is passed over."""
        while True:
            request = self.read_body(self.read_head())
            if self.server.key_set is None or not request.asks_for_key_set:
                return request
            self.answer(request, self.server.key_set)

    def read_body(self, head: bytes) -> Request:
        """Read the body that belongs to a head, and record the request."""
        request = Request(self.number, head, b"")
        lengths = request.header("content-length")
        length = int(lengths[0]) if lengths else 0
        while len(self._received) < length:
            self._receive()
        request.body, self._received = self._received[:length], self._received[length:]
        self.server.record(request)
        return request

    def answer(self, request: Request, reply: Reply, echo: Echo | None = None) -> None:
        """Send the answer to a request; it echoes as the whole server does unless an ``echo`` is given."""
        self.send(echoed(reply, echo or self.server.echo)(request))

    def send(self, data: bytes) -> None:
        """Send bytes in one write: over TLS one record, while they fit one."""
        self.socket.sendall(data)
        self.bytes_sent += len(data)

    def send_slowly(self, data: bytes, pause: float, piece: int = 1) -> None:
        """Send bytes in small pieces with a pause after each."""
        for start in range(0, len(data), piece):
            self.send(data[start : start + piece])
            self.wait(pause)

    def send_endlessly(self, data: bytes, pause: float = 0.0, most: int = 64 * 1024 * 1024) -> None:
        """Send the same bytes again and again until the client leaves.

        A client that swallows ``most`` bytes without leaving has no limit; the server's
        ``bytes_sent`` shows it.
        """
        while self.bytes_sent < most and not self.server.stopping.is_set():
            self.send(data)
            if pause:
                self.wait(pause)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while, but not longer than the server lives."""
        if self.server.stopping.wait(seconds):
            raise ClientLeft

    def wait_for(self, event: threading.Event) -> None:
        """Wait until the test sets an event."""
        end = time.monotonic() + LONGEST_WAIT
        while not event.wait(0.01):
            if self.server.stopping.is_set() or time.monotonic() > end:
                raise ClientLeft

    def hang(self) -> None:
        """Read and drop what comes, send nothing, until the client leaves."""
        while True:
            self._received = b""
            self._receive()

    def answer_no_more(self) -> None:
        """Send nothing but the key set, where the server answers for that, until the client leaves."""
        while True:
            self.read_request()

    def leave_unread(self) -> None:
        """Neither read nor send, until the server is stopped."""
        self.server.stopping.wait(LONGEST_WAIT)

    def close(self) -> None:
        """Close as TCP does it; over TLS without a closing alert."""
        self.socket.close()

    def close_with_alert(self) -> None:
        """Over TLS: send the closing alert, then close."""
        self.send_closing_alert()
        self.socket.close()

    def send_closing_alert(self) -> None:
        """Over TLS: send the closing alert, and keep the TCP connection open."""
        assert isinstance(self.socket, ssl.SSLSocket)
        self.socket.settimeout(0)
        try:
            self.socket.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError, OSError):
            # The alert is out; the client's own alert is not waited for.
            pass

    def reset(self) -> None:
        """Close with a TCP reset, which discards what is under way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = Callable[[Connection], None]


def answers(*replies: Reply) -> Script:
    """A script that keeps the connection and answers request after request; the last reply repeats."""

    def script(connection: Connection) -> None:
        index = 0
        while True:
            request = connection.read_request()
            connection.answer(request, replies[min(index, len(replies) - 1)])
            index += 1

    return script


def answers_in_turn(*replies: Reply) -> Script:
    """The same, but counting over all connections: for a test that does not care which connection is used."""
    left = list(replies)

    def take(request: Request) -> bytes:
        reply = left.pop(0) if len(left) > 1 else left[0]
        return reply(request) if callable(reply) else reply

    return answers(take)


def sends(*pieces: bytes, close: bool = False) -> Script:
    """A script that reads one request, sends each piece in its own write, then waits or closes."""

    def script(connection: Connection) -> None:
        connection.read_request()
        for piece in pieces:
            connection.send(piece)
        if close:
            connection.close()
        else:
            connection.answer_no_more()

    return script


class FaultServer:
    """Listens on a free loopback port and runs a script for each connection."""

    def __init__(
        self,
        *scripts: Script,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        small_window: bool = False,
        key_set: bytes | None = KEY_SET,
        echo: Echo = no_id,
    ) -> None:
        self.scripts = scripts
        self.tls = tls
        self.address = address
        self.key_set = key_set
        self.echo = echo
        self.stopping = threading.Event()
        self.failures: list[str] = []
        self._requests: list[Request] = []
        self._key_set_requests: list[Request] = []
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if small_window:
            # A tiny segment size keeps the client's send buffer small as well, so that a
            # large request cannot vanish into it whole.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._listener.bind((address, 0))
        self._listener.listen(256)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def url(self, host: str | None = None, path: str = "") -> str:
        """The API URL of this server, under another host name if one is given."""
        name = host or (f"[{self.address}]" if ":" in self.address else self.address)
        return f"{'https' if self.tls else 'http'}://{name}:{self.port}{path}"

    @property
    def requests(self) -> list[Request]:
        """Every complete request so far, without those for the key set that the server answers itself."""
        with self._lock:
            return list(self._requests)

    @property
    def key_set_requests(self) -> list[Request]:
        """Those for the key set that the server answers itself."""
        with self._lock:
            return list(self._key_set_requests)

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        with self._lock:
            return len(self._connections)

    @property
    def bytes_sent(self) -> int:
        """How many bytes the scripts could send so far, all connections together."""
        with self._lock:
            return sum(connection.bytes_sent for connection in self._connections)

    def record(self, request: Request) -> None:
        """Called by a connection for each complete request."""
        is_answered_here = self.key_set is not None and request.asks_for_key_set
        with self._lock:
            (self._key_set_requests if is_answered_here else self._requests).append(request)

    def stop(self) -> None:
        """Close everything and wait for the scripts; raises when one of them was wrong in itself."""
        self.stopping.set()
        self._shut(self._listener)
        self._acceptor.join(LONGEST_WAIT)
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for connection in connections:
            self._shut(connection.socket)
        for thread in threads:
            thread.join(LONGEST_WAIT)
        self._listener.close()
        if self.failures:
            raise AssertionError("a script of the server failed:\n" + "\n".join(self.failures))

    @staticmethod
    def _shut(end: socket.socket) -> None:
        # Wakes a thread that waits in accept or recv; by the plain socket's method,
        # because the TLS one would take the TLS state away from under that thread.
        try:
            socket.socket.shutdown(end, socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(LONGEST_WAIT)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                connection = Connection(self, len(self._connections) + 1, plain)
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            if self.tls:
                connection.start_tls(self.tls)
            self.scripts[min(connection.number, len(self.scripts)) - 1](connection)
        except (ClientLeft, OSError):
            # The client may leave whenever it likes; ssl.SSLError is an OSError too.
            pass
        except Exception:
            self.failures.append(traceback.format_exc())
        finally:
            connection.socket.close()


class BusyListener:
    """A listening socket whose queue is full: to connect hangs."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._fillers: list[socket.socket] = []
        # How many fit is the kernel's affair: connect until one is left waiting.
        for _ in range(64):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)
            if not select.select([], [filler], [], 0.2)[1]:
                return
        raise AssertionError("the queue of the listening socket never filled up")

    def url(self) -> str:
        """The API URL of the socket that nobody serves."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Close everything."""
        for filler in self._fillers:
            filler.close()
        self._listener.close()


def refused_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
