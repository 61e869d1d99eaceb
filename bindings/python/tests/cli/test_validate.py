"""`python -m hanko validate`: 0 valid, 1 invalid, 2 could not ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import environment, hanko

from hanko.pytest_plugin import HankoStandIn


def test_a_valid_token(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session(email="ada@example.com")
    done = hanko("validate", given=session.token.encode())
    assert done.status == 0
    assert done.output.startswith(f"valid: user {session.user_id}, session {session.session_id}, until 20")
    assert done.errors == ""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_one_line_end_is_no_part_of_the_token(end: bytes, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    assert hanko("validate", given=session.token.encode() + end).status == 0
    assert hanko_standin.requests[-1].token == session.token
    # Nothing but a line's end is no token at all, and not one that was refused.
    assert "no token" in hanko("validate", given=end).output


def test_an_invalid_token(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.revoke(session)
    for token in (session.token, "no-token-at-all"):
        done = hanko("validate", given=token.encode())
        assert done.status == 1
        assert done.output.startswith("invalid: ")
        assert token not in done.output + done.errors


@pytest.mark.parametrize("given", [b"", b"\n"])
def test_no_token(given: bytes, hanko_standin: HankoStandIn) -> None:
    done = hanko("validate", given=given)
    assert done.status == 1 and done.output.startswith("invalid: ")
    assert not hanko_standin.requests


def test_bytes_that_cannot_be_a_token(hanko_standin: HankoStandIn) -> None:
    for given in (b"\xff\xfe", b"a\0b"):
        done = hanko("validate", given=given)
        assert done.status == 1 and done.output.startswith("invalid: ")
    assert not hanko_standin.requests


def test_a_hanko_that_cannot_be_asked(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.break_down("unavailable")
    done = hanko("validate", given=session.token.encode(), HANKO_MAX_RETRIES="0")
    assert done.status == 2
    assert done.output.startswith("could not ask: HANKO_UNAVAILABLE: ")
    assert done.errors == "", "said once, and not logged as well"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"HANKO_API_URL": ""}, "could not ask: HANKO_MISCONFIGURED: HANKO_API_URL is not set"),
        ({"HANKO_TIMEOUT_MS": "soon"}, "could not ask: HANKO_MISCONFIGURED: HANKO_TIMEOUT_MS must be"),
        ({"HANKO_LIBRARY": "/nonexistent"}, "could not ask: cannot load libhanko"),
    ],
)
def test_a_machine_that_cannot_ask(variables: dict[str, str], words: str, hanko_standin: HankoStandIn) -> None:
    done = hanko("validate", given=b"token\n", **variables)
    assert done.status == 2 and done.errors == ""
    assert done.output.startswith(words)


def test_the_token_is_not_in_the_list_of_processes(hanko_standin: HankoStandIn) -> None:
    hanko_standin.break_down("hanging")
    process = subprocess.Popen(
        [sys.executable, "-m", "hanko", "validate"], stdin=subprocess.PIPE, env=environment(), stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None
    try:
        process.stdin.write(b"secret-token\n")
        process.stdin.close()
        while not hanko_standin.requests:
            assert process.poll() is None
            os.sched_yield()
        about = Path(f"/proc/{process.pid}")
        assert b"secret-token" not in (about / "cmdline").read_bytes() + (about / "environ").read_bytes()
        assert hanko_standin.requests[0].token == "secret-token"
    finally:
        process.kill()
        process.wait()
