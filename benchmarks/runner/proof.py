"""Proves, before anything is measured, that each program does its work: that it sends every token once and in the
right form, and that it takes a no for a failure."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import programs
from .programs import PROGRAMS_BY_KEY, WrongAnswer
from .server import Server

COUNT = 24


class Witness(ThreadingHTTPServer):
    """A server that writes down which tokens it was asked about, and what was wrong with a request."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer.encode()
        self.lock = threading.Lock()
        self.tokens: list[str] = []
        self.problems: list[str] = []

    def handle_error(self, *_: object) -> None:
        """A program that stops at a no leaves answers unread."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        witness = self.server
        assert isinstance(witness, Witness)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with witness.lock:
            if self.path != "/sessions/validate" or self.headers.get("Content-Type") != "application/json":
                witness.problems.append("a request has another path or type")
            try:
                witness.tokens.append(json.loads(body)["session_token"])
            except (ValueError, LookupError, TypeError):
                witness.problems.append("a body is no JSON with a session token")
        self._send(witness.answer)

    def do_GET(self) -> None:
        # The key set, which libhanko asks for before it believes a no.
        self._send(b'{"keys":[]}')

    def _send(self, answer: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        # As Hanko does it, and the server that is measured.
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id") or secrets.token_hex(16))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def _witness(answer: str) -> Iterator[Witness]:
    with Witness(answer) as witness:
        thread = threading.Thread(target=witness.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield witness
        finally:
            witness.shutdown()
            thread.join()


def prove(keys: list[str], server: Server) -> None:
    """Ends the run with an error when a program does not do its work."""
    for key in keys:
        program = PROGRAMS_BY_KEY[key]
        if not program.is_here:
            continue
        one_at_a_time = key in ("hanko-blocking", "hanko-environment", "hanko-blocking-session") or (
            key.startswith(("curl-kept", "curl-new", "python-"))
        )
        in_flight = 1 if one_at_a_time else 4
        with _witness(server.yes()) as witness:
            programs.run(program, _settings(witness, server, in_flight))
            _check(key, witness, server)
        with _witness('{"is_valid":false}') as witness:
            try:
                programs.run(program, _settings(witness, server, in_flight))
            except WrongAnswer:
                continue
            raise SystemExit(f"{key} took a no for a yes, so its figures would mean nothing")


def _settings(witness: Witness, server: Server, in_flight: int) -> dict[str, str]:
    return programs.environment(witness.url, server.token_file, None, in_flight=in_flight, count=COUNT)


def _check(key: str, witness: Witness, server: Server) -> None:
    problems = list(witness.problems)
    if len(witness.tokens) != COUNT:
        problems.append(f"it asked {len(witness.tokens)} times instead of {COUNT}")
    if len(set(witness.tokens)) != len(witness.tokens):
        problems.append("it sent a token twice")
    expected = server.token_file.read_text().strip()
    start = expected.rfind(".") + 1
    if any(token[:start] != expected[:start] or len(token) != len(expected) for token in witness.tokens):
        problems.append("it sent something that is not a token of this run")
    if problems:
        raise SystemExit(f"{key} does not do its work: {'; '.join(problems)}")
