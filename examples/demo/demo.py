#!/usr/bin/env python3
"""`make demo`: runs the C, Python and Go examples against a stand-in Hanko and prints what each of them got.

Needs the library in .build/release, a C compiler, the openssl program and, for its column, Go. Nothing is written
outside .build, nothing leaves this machine. The exit status is 0 only if every answer was right.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".build/release/libhanko.so"
EXAMPLES = ROOT / "examples"
BUILT = ROOT / ".build/examples"

# Nothing here takes a tenth of it; a demo that hangs should say so and end.
PATIENCE_SECONDS = 60

# An example's exit status for what it prints first: 0 valid, 1 refused, 2 could not ask.
EXIT_STATUS = {"HANKO_OK": 0, "HANKO_INVALID_TOKEN": 1, "HANKO_NO_TOKEN": 1, "HANKO_UNAVAILABLE": 2}


class Failure(Exception):
    """The demo cannot go on; the text says why."""


class Case(NamedTuple):
    """A row of the table: what is handed to the examples, and what they must print."""

    title: str
    token: Optional[str]  # None: no argument at all
    expected: str


def clean_environment(**more: str) -> Dict[str, str]:
    """The caller's environment without settings of a Hanko that is not ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANKO_")}
    return {**kept, **more}


def build(command: List[str], folder: Path = ROOT, **environment: str) -> None:
    """Run a compiler; its messages are shown only if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}\n{done.stdout}")


def build_examples() -> Dict[str, List[str]]:
    """The command of each example by language, compiled where it needs to be."""
    BUILT.mkdir(parents=True, exist_ok=True)
    link = [f"-L{LIBRARY.parent}", "-lhanko", f"-Wl,-rpath,{LIBRARY.parent}"]
    c_program, go_program = str(BUILT / "validate"), str(BUILT / "validate-go")

    build(["cc", "-O2", f"-I{ROOT / 'include'}", str(EXAMPLES / "c/validate.c"), *link, "-o", c_program])
    commands = {"C": [c_program], "Python": [sys.executable, str(EXAMPLES / "python/validate.py")]}

    if shutil.which("go"):
        build(
            # Without its version control stamp, because that fails where the checkout belongs to another user.
            ["go", "build", "-buildvcs=false", "-o", go_program, "."],
            EXAMPLES / "go",
            CGO_ENABLED="1",
            CGO_CFLAGS=f'"-I{ROOT / "include"}"',
            # The list that cgo takes apart again at blanks, unless they are quoted.
            CGO_LDFLAGS=" ".join(f'"{flag}"' for flag in link if flag != "-lhanko"),
            GOCACHE=os.environ.get("GOCACHE") or str(ROOT / ".build/go-cache"),
        )
        commands["Go"] = [go_program]
    else:
        print("There is no Go here, so the Go example is left out.")
    return commands


@contextmanager
def standin() -> Iterator[Tuple[str, str]]:
    """A stand-in Hanko on free ports of this machine: its API URL and its Admin URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hanko.standin", "--key-bits", "2048"],
        env=clean_environment(PYTHONPATH=str(ROOT / "bindings/python/src"), PYTHONDONTWRITEBYTECODE="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Ends the readline below should the stand-in say nothing for so long.
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.start()
    try:
        urls: Dict[str, str] = {}
        while not {"HANKO_API_URL", "HANKO_ADMIN_URL"} <= urls.keys():
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise Failure("the stand-in Hanko did not start")
            name, _, value = line.strip().partition("=")
            urls[name] = value
        watchdog.cancel()
        yield urls["HANKO_API_URL"], urls["HANKO_ADMIN_URL"]
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def ask_admin(url: str, method: str = "POST") -> Dict[str, str]:
    """One request to the Admin API, directly: a proxy has no business on this machine's own ports."""
    request = urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
        body = answer.read()
    return json.loads(body) if body else {}


def make_cases(admin_url: str) -> List[Case]:
    """Mint one token of each kind."""
    valid = ask_admin(f"{admin_url}/standin/session")
    forged = ask_admin(f"{admin_url}/standin/forged-token")
    expired = ask_admin(f"{admin_url}/standin/expired-token")
    revoked = ask_admin(f"{admin_url}/standin/session")
    ask_admin(f"{admin_url}/users/{revoked['user_id']}/sessions/{revoked['session_id']}", "DELETE")
    return [
        Case("valid", valid["session_token"], "valid HANKO_OK"),
        Case("forged", forged["session_token"], "invalid HANKO_INVALID_TOKEN"),
        Case("expired", expired["session_token"], "invalid HANKO_INVALID_TOKEN"),
        Case("revoked", revoked["session_token"], "invalid HANKO_INVALID_TOKEN"),
        Case("empty", "", "invalid HANKO_NO_TOKEN"),
        Case("missing", None, "invalid HANKO_NO_TOKEN"),
    ]


class Table:
    """Runs the cases and keeps what came of them."""

    def __init__(self, commands: Dict[str, List[str]]) -> None:
        self._commands = commands
        self._rows: List[List[str]] = []
        self.answers = 0
        self.wrong: List[str] = []

    def run(self, case: Case, api_url: str) -> None:
        """Hand one token to every example."""
        row = [case.title]
        for language, command in self._commands.items():
            row.append(self._run_one(case, language, command, api_url))
        self._rows.append(row)

    def _run_one(self, case: Case, language: str, command: List[str], api_url: str) -> str:
        arguments = [] if case.token is None else [case.token]
        # HANKO_LOG=off: the examples print the same text themselves.
        settings = {"HANKO_API_URL": api_url, "HANKO_LIBRARY": str(LIBRARY), "HANKO_LOG": "off"}
        self.answers += 1
        try:
            done = subprocess.run(
                command + arguments,
                env=clean_environment(**settings),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{language}, {case.title}: no answer in {PATIENCE_SECONDS} seconds")
            return "no answer"
        printed = done.stdout.strip()
        if printed != case.expected or done.returncode != EXIT_STATUS[case.expected.split()[1]]:
            self.wrong.append(
                f"{language}, {case.title}: expected {case.expected!r}, got {printed!r} with exit status "
                f"{done.returncode} and on standard error {done.stderr.strip()!r}"
            )
            return f"{printed or 'nothing'} (wrong)"
        return printed

    def __str__(self) -> str:
        rows = [["token", *self._commands], *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        rows.insert(1, ["-" * width for width in widths])
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
        )


def main() -> int:
    if not LIBRARY.exists():
        raise Failure(f"there is no {LIBRARY.relative_to(ROOT)}: run `make build` first")
    table = Table(build_examples())
    with standin() as (api_url, admin_url):
        cases = make_cases(admin_url)
        for case in cases:
            table.run(case, api_url)
    # The same token that was valid a moment ago. Nobody can say now, which is not the same as "no".
    table.run(Case("valid, Hanko stopped", cases[0].token, "invalid HANKO_UNAVAILABLE"), api_url)

    print(f"\n{table}\n")
    for text in table.wrong:
        print(text)
    if table.wrong:
        print(f"{len(table.wrong)} of {table.answers} answers were wrong.")
        return 1
    print(f"All {table.answers} answers were right.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"demo: {failure}")
