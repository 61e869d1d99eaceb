"""What the tests of the core share: servers, and programs of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from answering import NO, AnsweringServer, answering, yes

from hanko.standin import SigningKey, StandIn

# A program that hangs must fail its test, and say where it hangs.
LONGEST_PROGRAM = 90


@pytest.fixture(scope="session")
def signing_key() -> Iterator[SigningKey]:
    """One key for all stand-ins: to make it takes longer than most tests."""
    with SigningKey(2048) as key:
        yield key


@pytest.fixture
def standin(signing_key: SigningKey) -> Iterator[StandIn]:
    """A stand-in Hanko of the test's own."""
    with StandIn(key=signing_key) as hanko:
        yield hanko


@pytest.fixture
def accepting() -> Iterator[AnsweringServer]:
    """A server that says yes to every token but `no`."""
    with answering(lambda token: NO if token == "no" else yes()) as server:
        yield server


@pytest.fixture
def hanging() -> Iterator[AnsweringServer]:
    """A server that does not answer before the test is over."""
    with answering(lambda _: NO) as server:
        server.answer = server.hang
        yield server


@pytest.fixture
def refused_url() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


RunProgram = Callable[..., str]


@pytest.fixture
def run_program() -> RunProgram:
    """Run a Python program in a process of its own; it must end well, and what it prints is returned."""

    def run(program: str, *arguments: str, **variables: str) -> str:
        environment: dict[str, Any] = {**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "", **variables}
        finished = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_PROGRAM,
            check=False,
        )
        assert finished.returncode == 0, f"exit status {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
        assert "Exception ignored" not in finished.stderr, finished.stderr
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished.stdout.strip()

    return run


@pytest.fixture
def serve_in_a_process() -> Iterator[Callable[..., str]]:
    """Start `quick_server.py`; its address."""
    processes: list[subprocess.Popen[str]] = []

    def start(delay: float = 0) -> str:
        program = Path(__file__).with_name("quick_server.py")
        process = subprocess.Popen(
            [sys.executable, str(program), str(delay)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), "the server did not start"
        return url

    yield start
    for process in processes:
        process.communicate()
