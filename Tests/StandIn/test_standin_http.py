"""The stand-in on the wire: connections, framing, TLS, Go's texts about malformed JSON."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hanko.standin import SettingsError, StandIn
from raw_http import Connection, ask, validate

PATH = "/sessions/validate"


def post(standin: StandIn, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    headers = [("Host", "localhost"), ("Content-Type", content_type), ("Content-Length", str(len(body)))]
    with Connection(standin.api_url) as connection:
        response = connection.exchange("POST", PATH, headers, body)
        return response.status, response.json()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"   ", "EOF"),
        (b'{"session_token":"abc', "unexpected EOF"),
        (b'{"session_token":"a"', "unexpected EOF"),
        (b"-", "unexpected EOF"),
        (b"tru", "unexpected EOF"),
        (b"{} x", None),
        (b"null", None),
        (b'{"session_token":null,"session_token":null}', None),
        (b"}", "Syntax error: offset=1, error=invalid character '}' looking for beginning of value"),
        (b"[1,]", "Syntax error: offset=4, error=invalid character ']' looking for beginning of value"),
        (b"[1 2]", "Syntax error: offset=4, error=invalid character '2' after array element"),
        (b'{"a" 1}', "Syntax error: offset=6, error=invalid character '1' after object key"),
        (b'{"a":1 "b"}', "Syntax error: offset=8, error=invalid character '\"' after object key:value pair"),
        (
            b'{"a":1,}',
            "Syntax error: offset=8, error=invalid character '}' looking for beginning of object key string",
        ),
        (b'{"a":"\n"}', "Syntax error: offset=7, error=invalid character '\\n' in string literal"),
        (b'{"a":"\\x"}', "Syntax error: offset=8, error=invalid character 'x' in string escape code"),
        (
            b'{"a":"\\u12g4"}',
            "Syntax error: offset=11, error=invalid character 'g' in \\u hexadecimal character escape",
        ),
        (b"[01]", "Syntax error: offset=3, error=invalid character '1' after array element"),
        (b"[-a]", "Syntax error: offset=3, error=invalid character 'a' in numeric literal"),
        (b"[1.]", "Syntax error: offset=4, error=invalid character ']' after decimal point in numeric literal"),
        (b"[1e+]", "Syntax error: offset=5, error=invalid character ']' in exponent of numeric literal"),
        (b"[trve]", "Syntax error: offset=4, error=invalid character 'v' in literal true (expecting 'u')"),
        (b"\xef\xbb\xbf{}", "Syntax error: offset=1, error=invalid character 'ï' looking for beginning of value"),
        (b"[" * 10001, "Syntax error: offset=10001, error=exceeded max depth"),
        (b"true", "Unmarshal type error: expected=dto.ValidateSessionRequest, got=bool, field=, offset=4"),
        (b" 42", "Unmarshal type error: expected=dto.ValidateSessionRequest, got=number, field=, offset=3"),
        (
            b'{"Session_Token":true}',
            "Unmarshal type error: expected=string, got=bool, field=session_token, offset=21",
        ),
        (
            b'{"session_token":1,"session_token":"x"}',
            "Unmarshal type error: expected=string, got=number, field=session_token, offset=18",
        ),
    ],
)
def test_malformed_bodies(standin: StandIn, body: bytes, message: str | None) -> None:
    """The texts follow Go's scanner; where the table says None, the token is merely missing."""
    expected = message or "code=400, message=session_token is a required field"
    assert post(standin, body) == (400, {"code": 400, "message": expected})


def test_content_types(standin: StandIn) -> None:
    body = b'{"session_token":"x"}'
    assert post(standin, body, " application/json ; charset=latin-1") == (200, {"is_valid": False})
    assert post(standin, body, "application/jsonp")[0] == 415
    assert post(standin, body, "multipart/form-data; boundary=x")[0] == 400


def test_escapes_in_a_token_are_decoded(standin: StandIn) -> None:
    token = standin.mint_session().token
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in token)
    assert post(standin, f'{{"session_token":"{escaped}"}}'.encode())[1]["is_valid"] is True


def test_many_requests_on_one_connection(standin: StandIn) -> None:
    session = standin.mint_session()
    with Connection(standin.api_url) as connection:
        for _ in range(20):
            assert connection.ask("POST", PATH, {"session_token": session.token}).json()["is_valid"] is True
            assert connection.ask("GET", "/nothing").status == 404
            assert connection.ask("HEAD", PATH).status == 404
            assert connection.ask("OPTIONS", PATH).status == 204
    assert (standin.connections, standin.requests) == (1, 80)


def test_many_connections_at_once(standin: StandIn) -> None:
    sessions = [standin.mint_session() for _ in range(4)]
    expected = {session.token: session.user_id for session in sessions}

    def run(number: int) -> bool:
        session = sessions[number % 4]
        with Connection(standin.api_url) as connection:
            answers = [connection.ask("POST", PATH, {"session_token": session.token}) for _ in range(10)]
        return all(answer.json()["user_id"] == expected[session.token] for answer in answers)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(run, range(32)))
    assert (standin.connections, standin.requests) == (32, 320)


def test_requests_sent_together_are_answered_in_order(standin: StandIn) -> None:
    with Connection(standin.api_url) as connection:
        connection.send("GET", "/health/alive", [("Host", "x")], b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.receive("GET").json() == {"alive": True}
        assert connection.receive("GET").json() == {"ready": True}


def test_head_and_body_leave_in_one_piece(standin: StandIn) -> None:
    """One `recv` gets the whole answer, or a client that measures would measure packets."""
    with Connection(standin.api_url) as connection:
        for _ in range(10):
            connection.send("GET", "/health/ready", [("Host", "x")])
            assert connection.socket.recv(65536).endswith(b'\r\n\r\n{"ready":true}\n')


def test_expect_100_continue(standin: StandIn) -> None:
    body = b'{"session_token":"x"}'
    headers = [("Host", "x"), ("Content-Type", "application/json"), ("Expect", "100-continue")]
    with Connection(standin.api_url) as connection:
        connection.send("POST", PATH, [*headers, ("Content-Length", str(len(body)))])
        interim = connection.receive("HEAD")
        assert interim.status_line == "HTTP/1.1 100 Continue"
        connection.socket.sendall(body)
        assert connection.receive().json() == {"is_valid": False}


def test_chunks_of_any_size(standin: StandIn) -> None:
    body = json.dumps({"session_token": standin.mint_session().token}).encode()
    chunks = b"".join(b"1;note=x\r\n%c\r\n" % byte for byte in body) + b"0\r\nTrailer: x\r\n\r\n"
    headers = [("Host", "x"), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
    with Connection(standin.api_url) as connection:
        assert connection.exchange("POST", PATH, headers, chunks).json()["is_valid"] is True
        assert connection.ask("GET", "/health/ready").status == 200


def test_chunked_answer_only_above_2048_bytes(make_standin: Any) -> None:
    """Go's write buffer holds 2,048 bytes; at that size there is still a Content-Length."""
    small = make_standin()
    length = len(validate(small.api_url, small.mint_session(email="a@b.example").token).body)
    filler = 2048 - length - len(',"blob":""')
    for extra, chunks in ((0, 0), (1, 1)):
        standin = make_standin(custom_claims={"blob": "x" * (filler + extra)})
        response = validate(standin.api_url, standin.mint_session(email="a@b.example").token)
        assert (len(response.body), response.chunks) == (2048 + extra, chunks)


@pytest.mark.parametrize(
    ("head", "status_line"),
    [
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", b"HTTP/1.1 505 HTTP Version Not Supported"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"HTTP/1.1 501 Not Implemented"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400 Bad Request"),
    ],
)
def test_what_is_no_http_is_refused_and_closed(standin: StandIn, head: bytes, status_line: bytes) -> None:
    with Connection(standin.api_url) as connection:
        connection.socket.sendall(head)
        received = b""
        while part := connection.socket.recv(65536):
            received += part
    assert received.startswith(status_line + b"\r\n")
    assert standin.requests == 0


def test_http_1_0_closes(standin: StandIn) -> None:
    with Connection(standin.api_url) as connection:
        connection.socket.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
        assert connection.receive("GET").status_line == "HTTP/1.0 200 OK"
        assert connection.is_closed()


def test_delay(make_standin: Any) -> None:
    standin = make_standin(delay_ms=300)
    start = time.monotonic()
    assert ask(standin.api_url, "GET", "/health/ready").status == 200
    assert time.monotonic() - start >= 0.3
    standin.delay_ms = 0
    assert ask(standin.api_url, "GET", "/health/ready").status == 200


def test_stop_and_start_again_on_the_same_port(standin: StandIn) -> None:
    session = standin.mint_session()
    url = standin.api_url
    with Connection(url) as kept:
        assert kept.ask("POST", PATH, {"session_token": session.token}).json()["is_valid"] is True
        standin.stop_listening()
        assert kept.is_closed()
    with pytest.raises(ConnectionRefusedError):
        validate(url, session.token)
    assert ask(standin.admin_url, "GET", "/health/ready").status == 200
    standin.start_listening()
    assert standin.api_url == url
    assert validate(url, session.token).json()["is_valid"] is True


def test_closing_kept_connections(standin: StandIn) -> None:
    with Connection(standin.api_url) as kept:
        assert kept.ask("GET", "/health/ready").status == 200
        deadline = time.monotonic() + 30
        # The thread is back at its place a moment after the answer left.
        while standin.close_connections(only_idle=True) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert kept.is_closed()
    assert ask(standin.api_url, "GET", "/health/ready").status == 200


def test_nothing_is_left_running(make_standin: Any) -> None:
    before = threading.active_count()
    standin = make_standin()
    with Connection(standin.api_url) as first, Connection(standin.admin_url) as second:
        first.ask("GET", "/health/ready")
        second.ask("GET", "/health/ready")
        assert threading.active_count() == before + 4
        standin.stop()
        assert threading.active_count() == before


def test_taken_port_is_an_error(standin: StandIn, make_standin: Any) -> None:
    with pytest.raises(OSError):
        make_standin(port=standin.public.port)


def test_tls(make_standin: Any, tmp_path: Path) -> None:
    """HTTPS with a certificate made here, kept alive; plain HTTP on that port gets nothing."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    standin = make_standin(certificate_file=certificate, key_file=key, idle_timeout=5)
    assert standin.api_url.startswith("https://") and standin.admin_url.startswith("http://")
    session = standin.mint_session()
    context = ssl.create_default_context(cafile=certificate)
    client = HTTPSConnection("127.0.0.1", urlsplit(standin.api_url).port, context=context, timeout=30)
    body = json.dumps({"session_token": session.token})
    headers = {"Content-Type": "application/json"}
    for _ in range(3):
        client.request("POST", PATH, body, headers)
        assert json.load(client.getresponse())["is_valid"] is True
    standin.advance_clock(6)
    client.request("POST", PATH, body, headers)
    response = client.getresponse()
    assert json.load(response) == {"is_valid": False}
    assert "; Secure;" in (response.getheader("Set-Cookie") or "")
    client.close()
    assert (standin.connections, standin.requests) == (1, 4)
    with socket.create_connection(("127.0.0.1", standin.public.port), timeout=30) as plain:
        plain.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            answer = plain.recv(65536)
        except ConnectionResetError:
            answer = b""
        assert b"HTTP" not in answer
    assert standin.requests == 4


@pytest.mark.parametrize(
    "options",
    [
        {"certificate_file": "cert.pem"},
        {"certificate_file": "/nonexistent/cert.pem", "key_file": "/nonexistent/key.pem"},
        {"key_bits": 512},
        {"port": 70000},
        {"tenant": "acme"},
        {"idle_timeout": "soon"},
        {"audience": []},
        {"session_limit": 0},
        {"lifespan": 0},
        {"custom_claims": []},
        {"cookie_name": "a b"},
    ],
)
def test_settings_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        StandIn(**options)
