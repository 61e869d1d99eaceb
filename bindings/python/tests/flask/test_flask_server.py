"""Flask in gunicorn."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from three_answers import check_three_answers
from web_server import WebServer

from hanko.pytest_plugin import HankoStandIn

HERE = Path(__file__).parent


def serve(tmp_path: Path, *options: str) -> WebServer:
    return WebServer.gunicorn("served:app", *options, folder=HERE, log=tmp_path / "log")


@pytest.mark.parametrize("path", ["/api/me", "/async/me"])
def test_gunicorn_with_preload(hanko_standin: HankoStandIn, tmp_path: Path, path: str) -> None:
    with serve(tmp_path, "--preload") as server:
        bodies = check_three_answers(server, path, hanko_standin, times=20)
    assert os.getpid() not in {body["process"] for body in bodies}


@pytest.mark.parametrize("path", ["/api/me", "/async/me"])
def test_five_slow_requests_take_the_time_of_one(hanko_standin: HankoStandIn, tmp_path: Path, path: str) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve(tmp_path, "--workers", "1", "--threads", "5") as server:
        assert server.get(path, headers).status == 200
        hanko_standin.delay = 1
        begin = time.monotonic()
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(lambda _: server.get(path, headers), range(5)))
        took = time.monotonic() - begin
    assert [answer.status for answer in answers] == [200] * 5
    assert took < 3


def test_requests_that_hang_do_not_stop_a_worker_of_greenlets(hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve(tmp_path, "--workers", "1", "--worker-class", "gevent") as server:
        assert server.get("/api/me", headers).status == 200
        seen = len(hanko_standin.requests)
        with hanko_standin.broken("hanging"), ThreadPoolExecutor(10) as threads:
            hanging = [threads.submit(server.get, "/api/me", headers) for _ in range(10)]
            while len(hanko_standin.requests) < seen + 10:
                assert not any(answer.done() for answer in hanging)
                time.sleep(0.01)
            assert server.get("/open").status == 200
            assert not any(answer.done() for answer in hanging)
            hanko_standin.restore()  # which closes these connections without an answer
            assert {answer.result().status for answer in hanging} <= {200, 503}
