"""What holds for all commands: help, usage errors, interruption, nobody who reads."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from program import environment, hanko

import hanko as package
from hanko.pytest_plugin import HankoStandIn


def test_help_says_what_there_is_and_how_each_command_ends() -> None:
    done = hanko("--help")
    assert done.status == 0 and done.errors == ""
    for words in ("check", "validate", "0 valid, 1 invalid, 2", "standard input", "hanko.standin", "HANKO_API_URL"):
        assert words in done.output
    for command in ("check", "validate"):
        assert hanko(command, "--help").status == 0


def test_version() -> None:
    assert hanko("--version").output == f"hanko {package.__version__}\n"


def test_help_and_version_need_no_library() -> None:
    for option in ("--help", "--version"):
        assert hanko(option, HANKO_LIBRARY="/nonexistent").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: command"),
        (["chekc"], "invalid choice: 'chekc'"),
        (["check", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_usage_errors_are_clear(arguments: list[str], words: str) -> None:
    done = hanko(*arguments)
    assert done.status == 2
    assert done.output == ""
    assert words in done.errors and done.errors.startswith("usage: python -m hanko")


def test_a_token_is_not_taken_from_the_arguments() -> None:
    """It would show in the list of processes."""
    done = hanko("validate", "secret-token")
    assert done.status == 2 and done.output == ""
    assert "standard input" in hanko("validate", "--help").output


def started(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "hanko", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(variables),
    )


@pytest.mark.parametrize("command", ["check", "validate"])
def test_interrupting_it_while_hanko_hangs_ends_it_at_once(command: str, hanko_standin: HankoStandIn) -> None:
    hanko_standin.break_down("hanging")
    process = started(command, HANKO_TIMEOUT_MS="600000")
    assert process.stdin is not None
    process.stdin.write(b"token\n")
    process.stdin.close()
    process.stdin = None
    while not hanko_standin.requests:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)  # not the ten minutes that the call may take
    assert process.returncode == -signal.SIGINT
    assert errors == b""


@pytest.mark.parametrize("command", ["check", "validate"])
def test_nobody_who_reads_is_no_traceback(command: str, hanko_standin: HankoStandIn) -> None:
    process = started(command)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(b"token\n", timeout=60)
    assert process.returncode == 128 + signal.SIGPIPE
    assert errors == b""


class Terminal:
    """`python -m hanko validate` in a terminal of its own, up to its question for the token."""

    def __init__(self) -> None:
        self._mine, its = pty.openpty()
        # A session's first program to open a terminal is controlled by it, as getpass and Ctrl-C want it.
        command = ["sh", "-c", 'exec "$0" -m hanko validate <"$1" >"$1" 2>&1', sys.executable, os.ttyname(its)]
        # Whoever runs tests in the background may have them ignore Ctrl-C, and programs inherit that.
        self._process = subprocess.Popen(
            command,
            env=environment(),
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads are at work
        )
        self.shown = b""
        while b"Session token: " not in self.shown:
            self.shown += os.read(self._mine, 1024)
        os.close(its)

    def type(self, keys: bytes) -> int:
        """Type something and wait for the end; the exit status."""
        os.write(self._mine, keys)
        try:
            while True:
                self.shown += os.read(self._mine, 1024)
        except OSError:  # the other end is closed
            os.close(self._mine)
        return self._process.wait(60)


def test_a_terminal_does_not_show_the_token(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    terminal = Terminal()
    assert terminal.type(session.token.encode() + b"\n") == 0
    assert session.user_id.encode() in terminal.shown
    assert session.token.encode() not in terminal.shown


def test_interrupting_it_while_it_waits_for_a_token(hanko_standin: HankoStandIn) -> None:
    terminal = Terminal()
    assert terminal.type(b"\x03") == -signal.SIGINT
    assert b"Traceback" not in terminal.shown
    assert not hanko_standin.requests
