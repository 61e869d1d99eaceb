"""The examples around a completion queue, built and run as their README says, against a stand-in Hanko."""

from __future__ import annotations

import http.client
import os
import resource
import select
import selectors
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

import pytest

import test_examples
from conftest import ROOT, STRICT, clean_environment, run
from test_examples import Backend, build, readme_blocks

# Both backends behave alike from outside, so these are the same tests; `backend` below is the other program.
for _name in ("is_public", "knows_the_user", "refuses", "cannot_ask", "bounds", "bounds_the_time"):
    globals()[f"test_backend_{_name}"] = getattr(test_examples, f"test_backend_{_name}")
tokens = test_examples.tokens
way = test_examples.way

SOURCES = ["poll", "epoll"]
# More than the backend has places for: the last ones wait until others have left.
CONNECTIONS = 1100


@pytest.mark.parametrize("standard", ["c99", "c11"])
@pytest.mark.parametrize("name", SOURCES)
def test_compiles_cleanly(name: str, standard: str) -> None:
    run(["cc", f"-std={standard}", "-O2", *STRICT, "-Iinclude", "-c", f"examples/c/{name}.c", "-o", os.devnull])


# Tokens from standard input


@pytest.fixture(scope="module")
def poll_program(way):
    """Runs `poll` with lines on its standard input."""
    block, environment = way
    lines = readme_blocks("Poll")[block]
    assert lines[-1] == 'echo "$TOKEN" | .build/poll'
    build(lines, environment)

    def ask(api_url: Optional[str], text: bytes) -> Tuple[List[str], int, str]:
        variables = {**environment, **({} if api_url is None else {"HANKO_API_URL": api_url})}
        done = subprocess.run([ROOT / ".build/poll"], input=text, env=variables, capture_output=True, timeout=60)
        return sorted(done.stdout.decode().splitlines()), done.returncode, done.stderr.decode()

    ask.variables = environment  # type: ignore[attr-defined]
    return ask


def test_poll_answers_each_line(poll_program, tokens, hanko) -> None:
    kinds = ["valid", "forged", "expired", "empty", "revoked", "not UTF-8", "valid"]
    lines, status, errors = poll_program(hanko.api_url, b"".join(tokens[kind] + b"\n" for kind in kinds))
    expected = [f"{number} {test_examples.TOKENS[kind][0]}" for number, kind in enumerate(kinds, 1)]
    assert (lines, status) == (expected, 1)
    assert len(errors.splitlines()) == 5
    assert not any(piece in errors for kind in kinds for piece in tokens[kind].decode("latin-1").split(".") if piece)


def test_poll_as_printed_in_the_readme(poll_program, hanko, way) -> None:
    line = readme_blocks("Poll")[way[0]][-1]
    variables = {**poll_program.variables, "HANKO_API_URL": hanko.api_url, "TOKEN": hanko.mint_session().token}
    done = run(["sh", "-c", line], env=variables)
    assert (done.stdout, done.stderr) == ("1 valid HANKO_OK\n", "")


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_poll_many_lines(poll_program, hanko, end: bytes) -> None:
    """More than may wait at a time, in pieces that end within a line; also when the last one has no end."""
    valid, forged = hanko.mint_session().token.encode(), hanko.mint_forged().token.encode()
    count = 1500
    text = b"\n".join(forged if number % 3 == 0 else valid for number in range(1, count + 1)) + end
    lines, status, _ = poll_program(hanko.api_url, text)
    expected = ["invalid HANKO_INVALID_TOKEN" if number % 3 == 0 else "valid HANKO_OK" for number in range(1, count + 1)]
    assert lines == sorted(f"{number} {answer}" for number, answer in enumerate(expected, 1))
    assert status == 1


def test_poll_only_valid_and_nothing(poll_program, hanko) -> None:
    assert poll_program(hanko.api_url, hanko.mint_session().token.encode()) == (["1 valid HANKO_OK"], 0, "")
    assert poll_program(hanko.api_url, b"") == ([], 0, "")


def test_poll_bounds_a_line(poll_program, hanko) -> None:
    lines, status, errors = poll_program(hanko.api_url, b"a\n" + b"b" * 100_000 + b"\nc\n")
    assert lines == ["1 invalid HANKO_INVALID_TOKEN", "2 invalid HANKO_INVALID_TOKEN"]
    assert status == 1
    assert "too long" in errors


def test_poll_cannot_ask(poll_program, hanko) -> None:
    hanko.stop_listening()
    try:
        lines, status, errors = poll_program(hanko.api_url, hanko.mint_session().token.encode() + b"\n\n")
    finally:
        hanko.start_listening()
    assert lines == ["1 invalid HANKO_UNAVAILABLE", "2 invalid HANKO_NO_TOKEN"]
    assert (status, bool(errors)) == (2, True)
    lines, status, errors = poll_program(None, b"a\n")
    assert (lines, status) == ([], 2)
    assert "HANKO_API_URL" in errors


def test_poll_answers_while_its_input_is_open(poll_program, hanko) -> None:
    variables = {**poll_program.variables, "HANKO_API_URL": hanko.api_url}
    with subprocess.Popen([ROOT / ".build/poll"], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for number in range(1, 4):
            process.stdin.write(hanko.mint_session().token.encode() + b"\n")
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 30)[0], "it waits for more input"
            assert os.read(process.stdout.fileno(), 1000) == b"%d valid HANKO_OK\n" % number
        process.stdin.close()
        assert process.wait(30) == 0


# The backend


@contextmanager
def running(way, api_url: str, log: Path, **variables: str) -> Iterator[Backend]:
    """The backend, built by the README and started; it is killed at the end."""
    block, environment = way
    lines = readme_blocks("Epoll")[block]
    assert lines[-1] == ".build/epoll 8080"
    build(lines, environment)
    with log.open("w") as errors:
        process = subprocess.Popen(
            [".build/epoll"],
            cwd=ROOT,
            env={**environment, "HANKO_API_URL": api_url, "HANKO_LOG": "debug", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            yield Backend(process, log)
        finally:
            process.kill()


def assert_stops(backend: Backend) -> None:
    """It ends by itself when it is told to, and has logged no token."""
    backend.process.send_signal(signal.SIGTERM)
    assert backend.process.wait(timeout=60) == 0, backend.log.read_text()
    log = backend.log.read_text()
    assert "eyJ" not in log and "hunter2" not in log


@pytest.fixture(scope="module")
def backend(way, hanko, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The backend with the stand-in."""
    with running(way, hanko.api_url, tmp_path_factory.mktemp("epoll") / "log") as started:
        yield started
        assert_stops(started)


@pytest.fixture
def own_backend(library: Path, hanko, tmp_path: Path) -> Iterator[Backend]:
    """One that a test may load and end, with time for many questions; the stand-in is as before afterwards."""
    with running((0, clean_environment()), hanko.api_url, tmp_path / "log", HANKO_TIMEOUT_MS="60000") as started:
        yield started
    hanko.delay_ms = 0


def test_kept_connection(backend: Backend, hanko) -> None:
    """Different users one after the other on one connection, and refusals between."""
    connection = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=60)
    connection.connect()
    first = connection.sock
    for number in range(20):
        minted = hanko.mint_session()
        token = minted.token if number % 2 else hanko.mint_forged().token
        connection.request("GET", "/me", headers={"Cookie": f"hanko={token}"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == (200 if number % 2 else 401)
        assert (minted.user_id.encode() in body) == bool(number % 2)
    # http.client opens another one by itself where one was closed.
    assert connection.sock is first
    connection.request("GET", "/me", headers={"Connection": "close"})
    answer = connection.getresponse()
    assert (answer.status, answer.will_close) == (401, True)


def receive_all(connection: socket.socket) -> bytes:
    """Everything up to the end."""
    received = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece


def test_pipelined_requests(backend: Backend, hanko) -> None:
    """Answered in their order, although some need Hanko and some do not; however the bytes are cut."""
    minted = hanko.mint_session()
    me = f"GET /me HTTP/1.1\r\nHost: a\r\nCookie: hanko={minted.token}\r\n\r\n".encode()
    text = (me + b"GET / HTTP/1.1\r\n\r\n") * 10 + b"GET /other HTTP/1.1\r\nConnection: close\r\n\r\n"
    for size in (len(text), 100):
        with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as connection:
            for start in range(0, len(text), size):
                connection.sendall(text[start : start + size])
            received = receive_all(connection)
        answers = [answer.split(b"\r\n\r\n") for answer in received.split(b"HTTP/1.1 ")[1:]]
        assert [int(head.split()[0]) for head, _ in answers] == [200] * 20 + [404]
        assert [minted.user_id.encode() in body for _, body in answers] == [True, False] * 10 + [False]


@pytest.mark.parametrize(
    "fields",
    ["Content-Length: 5\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"],
)
def test_no_body_becomes_a_request(backend: Backend, fields: str) -> None:
    """Whatever stands behind a head that announces a body is not looked at."""
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\n{fields}\r\nGET /me HTTP/1.1\r\n\r\n".encode())
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 400 ") and received.count(b"HTTP/1.1") == 1


def test_old_protocol(backend: Backend) -> None:
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in received


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As many as both ends of all connections need."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 2 * CONNECTIONS:
        pytest.skip(f"only {before[1]} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * CONNECTIONS), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_thousand_connections_at_once(own_backend: Backend, hanko, many_descriptors: None) -> None:
    """Hanko answers after 200 ms; each gets its own answer, and meanwhile others are served at once."""
    users = [hanko.mint_session() for _ in range(50)]
    forged = hanko.mint_forged().token
    hanko.delay_ms = 200
    expected: Dict[socket.socket, Tuple[int, bytes]] = {}
    with selectors.DefaultSelector() as selector:
        for number in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", own_backend.port), timeout=60)
            user = users[number % len(users)]
            field = [f"Cookie: hanko={user.token}\r\n", f"Authorization: Bearer {forged}\r\n", ""][number % 3]
            expected[connection] = (200, user.user_id.encode()) if number % 3 == 0 else (401, b"Invalid token")
            connection.sendall(f"GET /me HTTP/1.1\r\nHost: a\r\n{field}\r\n".encode())
            selector.register(connection, selectors.EVENT_READ)
        waited = 0.0
        seen_at_work = False
        while expected:
            events = selector.select(30)
            assert events, f"{len(expected)} have no answer"
            for key, _ in events:
                connection = key.fileobj
                received = connection.recv(65536)
                status, text = expected.pop(connection)
                assert received.startswith(b"HTTP/1.1 %d " % status) and text in received, received
                selector.unregister(connection)
                connection.close()
            if len(expected) < CONNECTIONS // 2 and not seen_at_work:
                # There is a place now, and hundreds still wait for Hanko.
                began = time.monotonic()
                assert own_backend.ask("/")[0].status == 200
                waited = time.monotonic() - began
                assert expected, "none waits any more: this shows nothing"
                seen_at_work = True
    assert seen_at_work
    print(f"another request was answered within {1000 * waited:.0f} ms")
    assert_stops(own_backend)


def test_outage_under_load(own_backend: Backend, hanko, many_descriptors: None) -> None:
    """503 for everybody, nobody is logged out, and it goes on afterwards."""
    token = hanko.mint_session().token
    hanko.stop_listening()
    hanko.close_connections()
    try:
        connections = []
        for _ in range(300):
            connections.append(socket.create_connection(("127.0.0.1", own_backend.port), timeout=60))
            connections[-1].sendall(f"GET /me HTTP/1.1\r\nCookie: hanko={token}\r\n\r\n".encode())
        for connection in connections:
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 5\r\n" in answer
            assert b"Authentication service unavailable" in answer
            connection.close()
    finally:
        hanko.start_listening()
    end = time.monotonic() + 30
    while own_backend.ask("/me", f"Cookie: hanko={token}")[0].status != 200:
        # The circuit breaker asks again after a second.
        assert time.monotonic() < end
        time.sleep(0.1)
    assert_stops(own_backend)


def test_client_that_leaves_is_not_asked_about_any_more(own_backend: Backend, hanko) -> None:
    hanko.delay_ms = 30_000
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", own_backend.port), timeout=60) as connection:
            connection.sendall(b"GET /me HTTP/1.1\r\nCookie: hanko=somebodys-token\r\n\r\n")
    end = time.monotonic() + 20
    while own_backend.log.read_text().count("HANKO_CANCELLED") < 1:
        assert time.monotonic() < end, own_backend.log.read_text()
        time.sleep(0.05)
    assert own_backend.ask("/")[0].status == 200
    # Nothing is under way any more, so nothing has to be waited for.
    began = time.monotonic()
    assert_stops(own_backend)
    assert time.monotonic() - began < 15


def test_stops_after_what_is_under_way(own_backend: Backend, hanko) -> None:
    minted = hanko.mint_session()
    hanko.delay_ms = 1000
    idle = socket.create_connection(("127.0.0.1", own_backend.port), timeout=60)
    with socket.create_connection(("127.0.0.1", own_backend.port), timeout=60) as connection:
        connection.sendall(f"GET /me HTTP/1.1\r\nCookie: hanko={minted.token}\r\n\r\n".encode())
        time.sleep(0.3)
        own_backend.process.send_signal(signal.SIGTERM)
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 200 ") and minted.user_id.encode() in received
    assert own_backend.process.wait(60) == 0
    assert idle.recv(1) == b""
    idle.close()


def test_starts_without_hanko_but_not_with_a_wrong_setting(library: Path, hanko, tmp_path: Path) -> None:
    hanko.stop_listening()
    try:
        with running((0, clean_environment()), hanko.api_url, tmp_path / "log") as started:
            assert started.ask("/me", "Cookie: hanko=a")[0].status == 503
            hanko.start_listening()
            assert started.ask("/me", "Cookie: hanko=a")[0].status == 401
    finally:
        hanko.start_listening()
    for url in ("", hanko.api_url + "/no/such/tenant"):
        done = run([".build/epoll"], env=clean_environment(HANKO_API_URL=url), expect=1)
        assert done.stdout == "" and "epoll: " in done.stderr
