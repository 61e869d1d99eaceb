"""Surplus answers that arrive just when they are seen by no look: between the look at a kept connection and the answer.

HTTP/1.1 cannot tell whose answer that is. A Hanko that echoes the id of each request can, and here it does; what is
surplus has another id or none.
"""

from __future__ import annotations

import faulthandler
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from resilience import compile_program, run_program

# By hand: HANKO_TEST_CALLS=200000, HANKO_TEST_SEED for other delays.
CALLS = int(os.environ.get("HANKO_TEST_CALLS", "20000"))
SEED = int(os.environ.get("HANKO_TEST_SEED", "1"))
# Ample: an idle machine makes 20,000 calls in some three seconds, where each may need a connection of its own.
LONGEST = 50 * max(1.0, CALLS / 20_000)


@pytest.fixture(autouse=True)
def no_test_hangs(real_standard_error: int) -> Iterator[None]:
    """The long run has a longer limit."""
    faulthandler.dump_traceback_later(LONGEST + 10, exit=True, file=real_standard_error)
    yield
    faulthandler.cancel_dump_traceback_later()


class SurplusServer:
    """``programs/surplus_server.c``."""

    def __init__(self, program: pathlib.Path, *certificate: pathlib.Path) -> None:
        command = [str(program), str(SEED), *map(str, certificate)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = self._process.stdout.readline()
        assert port or certificate, "the server does not listen"
        self.has_started = bool(port)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{int(port or 0)}"

    def stop(self) -> dict[str, int]:
        """End it; how many requests and surplus answers there were, and how many of these came at the worst moment."""
        # It ends when its standard input does.
        output, _ = self._process.communicate(timeout=20)
        return dict(zip(("requests", "surplus", "between"), map(int, output.split())))


@pytest.fixture(params=["http", "TLS"])
def server(request, tls, tmp_path):
    """The server, with TLS or without; and how many calls it is good for in the time of a test."""
    certificate = []
    if request.param == "TLS":
        tls.server_context()
        certificate = [tls.authority.folder / "loopback.pem", tls.authority.folder / "loopback.key"]
    server = SurplusServer(compile_program("surplus_server", tmp_path), *certificate)
    if not server.has_started:
        reason = "there is no OpenSSL that the server could load"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    # A connection with TLS costs many times one without.
    server.calls = CALLS // 4 if certificate else CALLS
    return server


@pytest.mark.parametrize("way", ["blocking", "queue"])
def test_no_surplus_answer_is_anybodys(library, tls, server, tmp_path, way):
    program = compile_program("surplus_race", tmp_path, library=library.path)
    # Without confirmations: each would cost another connection, because there is a surplus after each answer.
    settings = {"TEST_URL": server.url, "TEST_CA": tls.authority.certificate, "TEST_BELIEVED": "1"}
    try:
        (found,) = run_program(program, way, server.calls, timeout=LONGEST, **settings)
    finally:
        seen = server.stop()
    print(found, seen)
    assert (found["wrong_yes"], found["wrong_no"]) == (0, 0), (found, seen)
    # A library that gives up has no wrong verdicts either.
    assert found["right"] + found["not_asked"] == server.calls
    assert found["right"] > server.calls * 0.9, (found, seen)
    # How many met the worst moment is chance; it is printed.
    assert seen["surplus"] > server.calls / 2, seen
