"""Django in gunicorn (WSGI) and in uvicorn (ASGI)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from three_answers import check_three_answers
from web_server import WebServer

from hanko.pytest_plugin import HankoStandIn

HERE = Path(__file__).parent
PATHS = ["/api/me", "/api/async/me", "/required", "/async/required", "/async/page"]


def serve(kind: str, tmp_path: Path) -> WebServer:
    log = tmp_path / "log"
    if kind == "gunicorn":
        return WebServer.gunicorn("project.wsgi", "--preload", folder=HERE, log=log)
    return WebServer.uvicorn("project.asgi:application", "--lifespan", "off", folder=HERE, log=log)


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
def test_every_answer(kind: str, hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    with serve(kind, tmp_path) as server:
        for path in PATHS:
            check_three_answers(server, path, hanko_standin, times=4)


@pytest.mark.parametrize("path", ["/api/async/me", "/async/required", "/async/page"])
def test_five_slow_requests_take_the_time_of_one(hanko_standin: HankoStandIn, tmp_path: Path, path: str) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve("uvicorn", tmp_path) as server:
        assert server.get(path, headers).status == 200
        hanko_standin.delay = 1
        begin = time.monotonic()
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(lambda _: server.get(path, headers), range(5)))
        took = time.monotonic() - begin
    assert [answer.status for answer in answers] == [200] * 5
    assert took < 3


def test_a_hanko_that_hangs_does_not_hold_the_loop(
    hanko_standin: HankoStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "5000")
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    with serve("uvicorn", tmp_path) as server:
        assert server.get("/async/open").status == 200
        with hanko_standin.broken("hanging"), ThreadPoolExecutor(20) as threads:
            hanging = [threads.submit(server.get, "/api/async/me", headers) for _ in range(20)]
            while len(hanko_standin.requests) < 20:
                assert not any(answer.done() for answer in hanging)
                time.sleep(0.01)
            begin = time.monotonic()
            assert server.get("/async/open").status == 200
            took = time.monotonic() - begin
            assert not any(answer.done() for answer in hanging)
            assert [answer.result().status for answer in hanging] == [503] * 20
    print(f"an open page while 20 requests hang: {took * 1000:.0f} ms")
    assert took < 2
