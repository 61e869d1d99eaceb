"""A small HTTP/1.1 server that behaves on the wire as Go's net/http does.

Python's own `http.server` writes headers and body apart, knows no chunked bodies and orders the
headers in its own way, so this one reads and writes the protocol itself. One thread a connection.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import ssl
import string
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from email.utils import formatdate
from typing import Callable
from urllib.parse import parse_qs

from .answers import Answer, DropConnection, HTTPError, error_answer, ordered_headers, reason_phrase, render_body
from .settings import NANOSECONDS

_MAXIMUM_HEAD = 1 << 20
# Hanko has no limit; this one keeps a runaway client from eating the memory of a test machine.
_MAXIMUM_BODY = 64 << 20
# Go answers in chunks when the body outgrows its write buffer.
_CHUNKED_ABOVE = 2048
_HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    target: str
    version: tuple[int, int]
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next(iter(self.header_values(name)), "")

    def header_values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def path(self) -> str:
        """The path as it was sent, without the query."""
        target = self.target
        if "://" in target.partition("?")[0]:  # as sent to a proxy: http://host/path
            target = "/" + target.partition("://")[2].partition("/")[2]
        return target.partition("?")[0]

    @property
    def wants_pretty(self) -> bool:
        """Whether `?pretty` asks for indented JSON."""
        return "pretty" in parse_qs(self.target.partition("?")[2], keep_blank_values=True)


class _BadRequest(Exception):
    """The bytes are no HTTP request; the connection ends after a plain-text answer."""

    def __init__(self, status: str = "400 Bad Request", detail: str = "") -> None:
        self.status = status
        self.text = status + detail
        super().__init__(self.text)


class _Closed(Exception):
    """The client went away."""


class _Reader:
    """Reads lines and counted bytes from a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def _fill(self) -> None:
        received = self._connection.recv(65536)
        if not received:
            raise _Closed
        self._buffer += received

    def line(self, limit: int = _MAXIMUM_HEAD) -> bytes:
        """The next line, without its end."""
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return line[:-1] if line.endswith(b"\r") else line
            searched = len(self._buffer)
            if searched > limit:
                raise _BadRequest("431 Request Header Fields Too Large")
            self._fill()

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self._buffer) < count:
            self._fill()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


def random_request_id() -> str:
    """32 letters, for a request that brought no `X-Request-Id`."""
    return "".join(random.choices(string.ascii_letters, k=32))


def _read_head(reader: _Reader) -> tuple[str, str, tuple[int, int], list[tuple[str, str]]]:
    line = reader.line()
    try:
        method, target, protocol = line.decode("latin-1").split(" ")
    except ValueError:
        raise _BadRequest from None
    if not method or not target:
        raise _BadRequest
    if protocol not in ("HTTP/1.0", "HTTP/1.1"):
        if protocol.startswith("HTTP/"):
            raise _BadRequest("505 HTTP Version Not Supported")
        raise _BadRequest
    headers: list[tuple[str, str]] = []
    size = len(line)
    while True:
        line = reader.line()
        if not line:
            break
        size += len(line)
        if size > _MAXIMUM_HEAD:
            raise _BadRequest("431 Request Header Fields Too Large")
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise _BadRequest
        headers.append((name, value.strip(" \t")))
    version = (1, int(protocol[-1]))
    if version == (1, 1) and sum(name.lower() == "host" for name, _ in headers) != 1:
        raise _BadRequest(detail=": missing required Host header")
    return method, target, version, headers


def _read_chunked(reader: _Reader) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int(reader.line(4096).partition(b";")[0].strip(), 16)
        except ValueError:
            raise _BadRequest from None
        if size < 0 or len(body) + size > _MAXIMUM_BODY:
            raise _BadRequest("413 Request Entity Too Large")
        if size == 0:
            while reader.line(4096):  # trailers
                pass
            return bytes(body)
        body += reader.exactly(size)
        if reader.line(2):
            raise _BadRequest


class _Connection:
    """One client, from the first byte to the last."""

    def __init__(self, listener: Listener, connection: socket.socket) -> None:
        self.listener = listener
        self.socket = connection
        self.is_idle = True

    def close(self) -> None:
        """Make the thread that serves this connection come to its end."""
        with contextlib.suppress(OSError):  # it has ended already
            self.socket.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Answer requests until either side has had enough."""
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.listener.tls is not None:
                # In this thread, so that a client that dawdles holds up nobody else.
                self.socket.settimeout(_HANDSHAKE_SECONDS)
                self.socket = self.listener.tls.wrap_socket(self.socket, server_side=True)
                self.socket.settimeout(None)
            reader = _Reader(self.socket)
            while self._exchange(reader):
                pass
        except _BadRequest as bad:
            text = bad.text.encode("latin-1")
            self._send_quietly(
                b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%s"
                % (bad.status.encode("latin-1"), text)
            )
        except (_Closed, DropConnection, OSError):
            pass
        except Exception:  # noqa: BLE001 - a mistake in the stand-in: say so, end only this connection
            traceback.print_exc()
        finally:
            self.close()
            self.socket.close()
            self.listener.forget(self)

    def _send_quietly(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the client is gone; it was told off for nothing
            self.socket.sendall(data)

    def _exchange(self, reader: _Reader) -> bool:
        """One request and its answer; whether the connection stays open."""
        self.is_idle = True
        method, target, version, headers = _read_head(reader)
        self.is_idle = False
        request = self._read_body(reader, Request(method, target, version, headers, b"", False))
        tokens = {word.strip().lower() for value in request.header_values("Connection") for word in value.split(",")}
        keep_alive = "close" not in tokens if version == (1, 1) else "keep-alive" in tokens
        answer = self.listener.answer(request)
        self.socket.sendall(self._render(request, answer, keep_alive))
        return keep_alive

    def _read_body(self, reader: _Reader, request: Request) -> Request:
        encodings = [value.lower() for value in request.header_values("Transfer-Encoding")]
        lengths = set(request.header_values("Content-Length"))
        if encodings and encodings != ["chunked"]:
            raise _BadRequest("501 Not Implemented", ": Unsupported transfer encoding")
        if len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths):
            raise _BadRequest
        length = 0 if encodings or not lengths else int(lengths.pop())
        if length > _MAXIMUM_BODY:
            raise _BadRequest("413 Request Entity Too Large")
        if (encodings or length) and request.header("Expect").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _read_chunked(reader) if encodings else reader.exactly(length)
        return Request(request.method, request.target, request.version, request.headers, body, chunked=bool(encodings))

    def _render(self, request: Request, answer: Answer, keep_alive: bool) -> bytes:
        """The whole answer as one piece, so that it leaves in one packet where it fits."""
        if request.method == "HEAD":  # Hanko answers HEAD without a body and without its headers.
            answer.has_body = False
        body = render_body(answer, request.wants_pretty)
        headers = ordered_headers(
            answer.headers, answer.has_body, request.header("X-Request-Id") or random_request_id()
        )
        headers.append(("Date", formatdate(self.listener.now() // NANOSECONDS, usegmt=True)))
        if answer.has_body:
            if len(body) > _CHUNKED_ABOVE and request.version == (1, 1):
                if not keep_alive:
                    headers.append(("Connection", "close"))
                headers.append(("Transfer-Encoding", "chunked"))
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
                keep_alive = True  # the header is there already
            else:
                headers.append(("Content-Length", str(len(body))))
        if not keep_alive and request.version == (1, 1):
            headers.append(("Connection", "close"))
        elif keep_alive and request.version == (1, 0):
            headers.append(("Connection", "keep-alive"))
        lines = [f"HTTP/1.{request.version[1]} {answer.status} {reason_phrase(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


class Listener:
    """A port with its connections. Can be stopped and started again on the same port."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        handler: Callable[[Request], Answer],
        now: Callable[[], int],
        tls: ssl.SSLContext | None = None,
        verbose: bool = False,
    ) -> None:
        """`port` 0 means a free one, which is kept from then on; `now` is the clock for `Date`."""
        self.name = name
        self.host = host
        self.port = port
        self.now = now
        self.tls = tls
        self.requests = 0
        self.connections = 0
        self._handler = handler
        self._verbose = verbose
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._socket: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._wake: socket.socket | None = None

    @property
    def is_listening(self) -> bool:
        """Whether the port is open."""
        return self._socket is not None

    def start(self) -> None:
        """Open the port and serve it from threads."""
        if self._socket is not None:
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
            listening.listen(1024)
        except BaseException:
            listening.close()
            raise
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        self._socket = listening
        woken, self._wake = socket.socketpair()
        self._accepting = threading.Thread(
            target=self._accept, args=(listening, woken), name=f"{self.name} accept", daemon=True
        )
        self._accepting.start()

    def stop(self) -> None:
        """Close the port and every connection; a client that comes now is refused."""
        listening, accepting, wake = self._socket, self._accepting, self._wake
        if listening is None or accepting is None or wake is None:
            return
        self._socket = self._accepting = self._wake = None
        wake.close()
        accepting.join()
        self.close_connections()
        deadline = time.monotonic() + 5
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def close_connections(self, only_idle: bool = False) -> int:
        """Close the connections from this side, or only those that wait for a request; how many."""
        with self._lock:
            chosen = [connection for connection in self._open if connection.is_idle or not only_idle]
        for connection in chosen:
            connection.close()
        return len(chosen)

    def forget(self, connection: _Connection) -> None:
        """Called by a connection when it has ended."""
        with self._lock:
            self._open.discard(connection)
            self._threads.discard(threading.current_thread())

    def answer(self, request: Request) -> Answer:
        """Count the request and let the handler answer it."""
        with self._lock:
            self.requests += 1
        try:
            answer = self._handler(request)
        except HTTPError as error:
            answer = error_answer(error)
        if self._verbose:
            # Never the query or the body: a token could be in them.
            print(f"{self.name}: {request.method} {request.path!r} -> {answer.status}", file=sys.stderr, flush=True)
        return answer

    def _accept(self, listening: socket.socket, woken: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, listening, woken:
            selector.register(listening, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if woken in ready:
                    return
                try:
                    accepted, _ = listening.accept()
                except BlockingIOError:
                    continue
                except OSError:
                    time.sleep(0.05)  # out of file descriptors, most likely: others will close theirs
                    continue
                accepted.setblocking(True)
                connection = _Connection(self, accepted)
                thread = threading.Thread(target=connection.serve, name=f"{self.name} connection", daemon=True)
                with self._lock:
                    self.connections += 1
                    self._open.add(connection)
                    self._threads.add(thread)
                thread.start()
