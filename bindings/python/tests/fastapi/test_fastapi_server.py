"""FastAPI in uvicorn, with one worker and with two."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from three_answers import INVALID, UNAVAILABLE, check_three_answers
from web_server import PATIENCE, Answer, WebServer

from hanko.pytest_plugin import HankoStandIn

HERE = Path(__file__).parent
WORKERS = pytest.mark.parametrize("workers", [1, 2], ids=["one worker", "two workers"])


def serve(tmp_path: Path, workers: int) -> WebServer:
    """A uvicorn that takes connections: with several workers it names its port a little before."""
    server = WebServer.uvicorn("served:app", "--workers", str(workers), folder=HERE, log=tmp_path / "log")
    deadline = time.monotonic() + PATIENCE
    while not is_listening(server.port):
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)
    return server


def is_listening(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


def ask(server: WebServer, path: str, *headers: tuple[str, str]) -> Answer:
    """One request with these header fields, of which several may have one name."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = b"{}" if response.status == 101 else response.read()
    finally:
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, json.loads(body))


def open_socket(server: WebServer, headers: dict[str, str]) -> Answer:
    """The answer to the handshake of a websocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    return ask(server, "/socket", *upgrade, ("Sec-WebSocket-Key", key), *headers.items())


@WORKERS
def test_a_session_an_outage_and_no_session(hanko_standin: HankoStandIn, tmp_path: Path, workers: int) -> None:
    with serve(tmp_path, workers) as server:
        bodies = check_three_answers(server, "/process", hanko_standin, times=20)
    assert os.getpid() not in {body["process"] for body in bodies}
    assert "Traceback" not in server.log


def test_both_workers_ask(hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve(tmp_path, 2) as server, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.get("/process", headers), range(200)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["process"] for answer in answers}) == 2


def test_split_cookie_headers_are_joined(hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    session = hanko_standin.mint_session()
    with serve(tmp_path, 1) as server:
        answer = ask(server, "/me", ("Cookie", "theme=dark"), *hanko_standin.cookie_header(session).items())
    assert (answer.status, answer.body["user_id"]) == (200, session.user_id)


@WORKERS
def test_websockets(hanko_standin: HankoStandIn, tmp_path: Path, workers: int) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve(tmp_path, workers) as server:
        answer = open_socket(server, {})
        assert (answer.status, answer.body) == (401, {"detail": INVALID})
        assert answer.headers["vary"] == "Cookie, Authorization"
        with hanko_standin.broken("refusing"):
            answer = open_socket(server, headers)
        assert (answer.status, answer.body) == (503, {"detail": UNAVAILABLE})
        assert int(answer.headers["retry-after"]) > 0
        assert "Traceback" not in server.log
        assert open_socket(server, headers).status == 101


@WORKERS
def test_five_slow_requests_take_the_time_of_one(hanko_standin: HankoStandIn, tmp_path: Path, workers: int) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve(tmp_path, workers) as server:
        assert server.get("/me", headers).status == 200
        hanko_standin.delay = 1
        begin = time.monotonic()
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(lambda _: server.get("/me", headers), range(5)))
        took = time.monotonic() - begin
    assert [answer.status for answer in answers] == [200] * 5
    assert 1 <= took < 3


def test_without_an_api_url_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=re.escape("HANKO_API_URL is not set")):
        serve(tmp_path, 1)
