"""HTTP as bytes, so that a test sees exactly what was on the wire."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30


@dataclass
class Response:
    """An answer as it arrived."""

    status_line: str
    headers: list[tuple[str, str]]
    body: bytes
    chunks: int  # 0 when the body was not chunked

    @property
    def status(self) -> int:
        """The number in the status line."""
        return int(self.status_line.split(" ")[1])

    def header(self, name: str) -> str | None:
        """The value of a header, or `None`."""
        return dict(self.headers).get(name)

    def json(self) -> Any:
        """The body as Python values."""
        return json.loads(self.body.decode("utf-8"))


class Connection:
    """One connection that stays open until it is closed."""

    def __init__(self, url: str) -> None:
        """Connect to the host and port in `url`."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.prefix = parts.path
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=TIMEOUT_SECONDS)
        self._buffer = b""

    def __enter__(self) -> Connection:
        """The open connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.socket.close()

    def _more(self) -> None:
        received = self.socket.recv(65536)
        if not received:
            raise EOFError("the server closed the connection")
        self._buffer += received

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def send(self, method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Send a request with exactly these headers."""
        lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
        self.socket.sendall("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body)

    def receive(self, method: str = "POST") -> Response:
        """Read one answer to a request of this method."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in head[1:])]
        response = Response(head[0], headers, b"", 0)
        if method == "HEAD" or response.status == 204:
            return response
        if response.header("Transfer-Encoding") == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                response.chunks += 1
                response.body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
            assert self._exactly(2) == b"\r\n"
        else:
            response.body = self._exactly(int(response.header("Content-Length") or 0))
        return response

    def exchange(self, method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Response:
        """Send a request and read its answer."""
        self.send(method, path, headers, body)
        return self.receive(method)

    def ask(self, method: str, path: str, value: Any = None, token: str | None = None) -> Response:
        """An ordinary request: `value` as a JSON body, `token` as a bearer; the URL's path comes first."""
        headers = [("Host", "localhost")]
        body = b""
        if value is not None:
            body = json.dumps(value).encode("utf-8")
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if token is not None:
            headers.append(("Authorization", f"Bearer {token}"))
        return self.exchange(method, self.prefix + path, headers, body)

    def is_closed(self) -> bool:
        """Whether the server has closed its side."""
        try:
            self._more()
        except (EOFError, ConnectionResetError):
            return True
        return False


def ask(url: str, method: str, path: str, value: Any = None, token: str | None = None) -> Response:
    """One ordinary request on a connection of its own."""
    with Connection(url) as connection:
        return connection.ask(method, path, value, token)


def validate(url: str, token: str) -> Response:
    """`POST /sessions/validate` with this token."""
    return ask(url, "POST", "/sessions/validate", {"session_token": token})
