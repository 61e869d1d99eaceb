"""A server for what the stand-in Hanko never says: bodies of a test's own, answers that come late or not at all."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

USER = "7a5c1c4e-9e0f-4a53-9d0f-111111111111"
SESSION = "7a5c1c4e-9e0f-4a53-9d0f-222222222222"
NO = {"is_valid": False}


def yes(**claims: Any) -> dict[str, Any]:
    """Hanko's yes, with more claims."""
    return {
        "is_valid": True,
        "user_id": USER,
        "expiration_time": "2099-01-01T12:00:00Z",
        "claims": {"subject": USER, "session_id": SESSION, "expiration": "2099-01-01T12:00:00Z", **claims},
    }


def session_token(**claims: Any) -> str:
    """A token of that user's session, with more claims; its signature is of no matter to the library."""
    payload = {"sub": USER, "session_id": SESSION, "exp": 4_070_952_000, **claims}
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(payload).encode(), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class AnsweringServer(http.server.ThreadingHTTPServer):
    """Answers every request about a token with what `answer` makes of it; a text is sent as it is. It has a key set."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, answer: Callable[[str], Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.status = 200
        # Of the key set, which the library asks for before it believes a no.
        self.key_set_status = 200
        self.tokens: list[str] = []
        self.stopping = threading.Event()
        self.connections: set[Any] = set()

    @property
    def url(self) -> str:
        """What belongs into HANKO_API_URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def hang(self, _: str) -> Any:
        """As `answer`: say no, but only when the test is over."""
        self.stopping.wait(60)
        return NO

    def stop(self) -> None:
        """End it, also for those who still wait."""
        self.stopping.set()
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: AnsweringServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = json.loads(body)["session_token"]
        self.server.tokens.append(token)
        self._answer(self.server.answer(token), self.server.status)

    def do_GET(self) -> None:
        self._answer({"keys": []}, self.server.key_set_status)

    def _answer(self, answer: Any, status: int) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        data = text.encode("utf-8")
        # As Hanko does it: the request's own id, or one made here.
        request_id = self.headers.get("X-Request-Id") or uuid.uuid4().hex
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        try:
            self.wfile.write(f"{head}X-Request-Id: {request_id}\r\n\r\n".encode("latin-1") + data)
        except OSError:
            self.close_connection = True  # nobody waits any more

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(answer: Callable[[str], Any]) -> Iterator[AnsweringServer]:
    """A server that runs as long as the `with`."""
    server = AnsweringServer(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
