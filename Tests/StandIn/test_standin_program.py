"""The stand-in as a program: `python3 -m hanko.standin`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from raw_http import ask, validate

COMMAND = [sys.executable, "-m", "hanko.standin"]
LIMIT_SECONDS = 60


@pytest.fixture
def environment(sources: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which temporary files of the program can be counted."""
    return {**os.environ, "PYTHONPATH": str(sources), "TMPDIR": str(tmp_path)}


@contextmanager
def running(environment: dict[str, str], *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The program, and the variables that it printed."""
    command = [*COMMAND, "--key-bits", "2048", *options]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        variables = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
        assert process.stdout.readline().startswith("# ")
        yield process, variables
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT_SECONDS)


def run(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    return subprocess.run(
        [*COMMAND, *options], env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_prints_its_urls_and_stops_cleanly(environment: dict[str, str], tmp_path: Path, number: signal.Signals) -> None:
    with running(environment) as (process, variables):
        assert list(variables) == ["HANKO_API_URL", "HANKO_ADMIN_URL"]
        for url in variables.values():
            assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", url)
        session = ask(variables["HANKO_ADMIN_URL"], "POST", "/standin/session").json()
        answer = validate(variables["HANKO_API_URL"], session["session_token"]).json()
        assert answer["is_valid"] is True and answer["user_id"] == session["user_id"]
        assert len(list(tmp_path.glob("hanko-standin-*"))) == 1
        process.send_signal(number)
        output, errors = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 0
        assert output == "" and errors == ""
    assert list(tmp_path.iterdir()) == []


def test_shell_can_read_what_it_prints(environment: dict[str, str]) -> None:
    """Every line is an assignment or a comment."""
    script = 'eval "$1"; echo "$HANKO_API_URL|$HANKO_ADMIN_URL"'
    command = [*COMMAND, "--key-bits", "2048"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
        lines += process.stdout.readlines()
    shell = subprocess.run(["sh", "-c", script, "sh", "".join(lines)], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\|http://127\.0\.0\.1:\d+\n", shell.stdout)
    assert shell.stderr == ""


def test_options_reach_the_answers(environment: dict[str, str], tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    claims.write_text(json.dumps({"plan": "free", "seats": 3}), encoding="utf-8")
    options = ["--issuer", "https://issuer.example", "--audience", "one", "--audience", "two", "--tenant"]
    options += ["--idle-timeout", "30m", "--lifespan", "1h", "--custom-claims", str(claims), "--verbose"]
    with running(environment, *options) as (process, variables):
        assert variables["HANKO_API_URL"].endswith("/00000000-0000-0000-0000-000000000001")
        token = ask(variables["HANKO_ADMIN_URL"], "POST", "/standin/session").json()["session_token"]
        answer = validate(variables["HANKO_API_URL"], token).json()
        process.terminate()
        _, errors = process.communicate(timeout=LIMIT_SECONDS)
    found = {name: answer["claims"][name] for name in ("issuer", "audience", "plan", "seats")}
    assert found == {"issuer": "https://issuer.example", "audience": ["one", "two"], "plan": "free", "seats": 3}
    assert answer["idle_expires_at"] < answer["expiration_time"]
    assert "POST" in errors and "/sessions/validate' -> 200" in errors
    assert token not in errors


def test_database_down_and_claims_as_text(environment: dict[str, str]) -> None:
    options = ("--database-down", "--custom-claims", '{"plan":"free"}', "--delay-ms", "1")
    with running(environment, *options) as (_, variables):
        assert validate(variables["HANKO_API_URL"], "x").json() == {"is_valid": False}
        assert ask(variables["HANKO_API_URL"], "GET", "/.well-known/jwks.json").status == 500
        ask(variables["HANKO_ADMIN_URL"], "PUT", "/standin/database", {"down": False})
        token = ask(variables["HANKO_ADMIN_URL"], "POST", "/standin/session").json()["session_token"]
        assert validate(variables["HANKO_API_URL"], token).json()["claims"]["plan"] == "free"


def test_help_explains_all(environment: dict[str, str]) -> None:
    finished = run(environment, "--help")
    assert finished.returncode == 0 and finished.stderr == ""
    text = re.sub(r"\s+", " ", finished.stdout)
    for wanted in (
        "test double",
        "must not face the internet",
        "Example:",
        "--port",
        "--admin-port",
        "--host",
        "--idle-timeout",
        "--lifespan",
        "--issuer",
        "--audience",
        "--custom-claims",
        "--tenant",
        "--database-down",
        "--delay-ms",
        "--tls-cert",
        "--tls-key",
        "--key-bits",
        "--verbose",
        "/standin/webhook-token",
        "/standin/database",
    ):
        assert wanted in text


@pytest.mark.parametrize(
    "options",
    [
        ("--lifespan", "soon"),
        ("--custom-claims", "[1]"),
        ("--custom-claims", "/nonexistent"),
        ("--tls-cert", "x"),
        ("--key-bits", "7"),
    ],
)
def test_bad_options(environment: dict[str, str], options: tuple[str, str]) -> None:
    finished = run(environment, *options)
    assert finished.returncode == 2
    assert finished.stdout == "" and "Traceback" not in finished.stderr
    assert finished.stderr.strip()


def test_taken_port(environment: dict[str, str]) -> None:
    with running(environment) as (_, variables):
        port = variables["HANKO_API_URL"].rpartition(":")[2]
        finished = run(environment, "--key-bits", "2048", "--port", port)
    assert finished.returncode == 1
    assert "cannot listen on 127.0.0.1" in finished.stderr and "Traceback" not in finished.stderr


def test_missing_openssl_is_one_sentence_with_the_package(environment: dict[str, str], tmp_path: Path) -> None:
    finished = run({**environment, "PATH": str(tmp_path / "empty")})
    assert finished.returncode == 2 and finished.stdout == ""
    assert len(finished.stderr.strip().splitlines()) == 1
    assert "install the package openssl" in finished.stderr
    assert list(tmp_path.iterdir()) == []
