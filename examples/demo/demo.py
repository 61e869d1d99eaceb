#!/usr/bin/env python3
"""`make demo`: runs the C, Python and Go examples against a stand-in Hanko and prints what each of them got.

A second table is of the two C programs that use a client: one that prints whose session it is, and an HTTP backend.

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
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".build/release/libhanko.so"
EXAMPLES = ROOT / "examples"
BUILT = ROOT / ".build/examples"

LINK = [f"-L{LIBRARY.parent}", "-lhanko", f"-Wl,-rpath,{LIBRARY.parent}"]

# Nothing here takes a tenth of it; a demo that hangs should say so and end.
PATIENCE_SECONDS = 60

# An example's exit status for what it prints first: 0 valid, 1 refused, 2 could not ask.
EXIT_STATUS = {"HANKO_OK": 0, "HANKO_INVALID_TOKEN": 1, "HANKO_NO_TOKEN": 1, "HANKO_UNAVAILABLE": 2}


class Failure(Exception):
    """The demo cannot go on; the text says why."""


class Minted(NamedTuple):
    """One token of each kind, and whose the valid one is."""

    valid: str
    forged: str
    expired: str
    revoked: str
    user_id: str


class Case(NamedTuple):
    """A row of the table: what is handed to the examples, and what they must print."""

    title: str
    token: Optional[str]  # None: no argument at all
    expected: str


class Request(NamedTuple):
    """A row of the second table: the headers of a request, and what must come of them."""

    title: str
    cookie: str
    authorization: str
    status: str
    code: int


def clean_environment(**more: str) -> Dict[str, str]:
    """The caller's environment without settings of a Hanko that is not ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANKO_")}
    return {**kept, **more}


def run_quietly(command: List[str], folder: Path = ROOT, **environment: str) -> None:
    """Run a compiler or an installer; its messages are shown only if it fails."""
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
    c_program, go_program = str(BUILT / "validate"), str(BUILT / "validate-go")

    run_quietly(["cc", "-O2", f"-I{ROOT / 'include'}", str(EXAMPLES / "c/validate.c"), *LINK, "-o", c_program])
    commands = {"C": [c_program], "Python": [sys.executable, str(EXAMPLES / "python/validate.py")]}

    if shutil.which("go"):
        run_quietly(
            # Without its version control stamp, because that fails where the checkout belongs to another user.
            ["go", "build", "-buildvcs=false", "-o", go_program, "."],
            EXAMPLES / "go",
            CGO_ENABLED="1",
            CGO_CFLAGS=f'"-I{ROOT / "include"}"',
            # The list that cgo takes apart again at blanks, unless they are quoted.
            CGO_LDFLAGS=" ".join(f'"{flag}"' for flag in LINK if flag != "-lhanko"),
            GOCACHE=os.environ.get("GOCACHE") or str(ROOT / ".build/go-cache"),
        )
        commands["Go"] = [go_program]
    else:
        print("There is no Go here, so the Go example is left out.")
    return commands


def build_client_examples() -> Dict[str, str]:
    """The C programs that use a client, by name."""
    programs = {}
    for name in ("session", "server"):
        programs[name] = str(BUILT / name)
        source = str(EXAMPLES / f"c/{name}.c")
        run_quietly(["cc", "-O2", "-pthread", f"-I{ROOT / 'include'}", source, *LINK, "-o", programs[name]])
    return programs


@contextmanager
def standin(*options: str) -> Iterator[Tuple[str, str]]:
    """A stand-in Hanko on free ports of this machine: its API URL and its Admin URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hanko.standin", "--key-bits", "2048", *options],
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
        end(process)
        if process.stdout:
            process.stdout.close()


def end(process: "subprocess.Popen[Any]") -> None:
    """End a server as an operator does, and by force if that does not help."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ask_admin(url: str, method: str = "POST") -> Dict[str, str]:
    """One request to the Admin API, directly: a proxy has no business on this machine's own ports."""
    request = urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
        body = answer.read()
    return json.loads(body) if body else {}


def mint(admin_url: str) -> Minted:
    """Mint one token of each kind."""
    valid = ask_admin(f"{admin_url}/standin/session")
    forged = ask_admin(f"{admin_url}/standin/forged-token")
    expired = ask_admin(f"{admin_url}/standin/expired-token")
    revoked = ask_admin(f"{admin_url}/standin/session")
    ask_admin(f"{admin_url}/users/{revoked['user_id']}/sessions/{revoked['session_id']}", "DELETE")
    tokens = (answer["session_token"] for answer in (valid, forged, expired, revoked))
    return Minted(*tokens, valid["user_id"])


def make_cases(minted: Minted) -> List[Case]:
    """The rows of the first table."""
    return [
        Case("valid", minted.valid, "valid HANKO_OK"),
        Case("forged", minted.forged, "invalid HANKO_INVALID_TOKEN"),
        Case("expired", minted.expired, "invalid HANKO_INVALID_TOKEN"),
        Case("revoked", minted.revoked, "invalid HANKO_INVALID_TOKEN"),
        Case("empty", "", "invalid HANKO_NO_TOKEN"),
        Case("missing", None, "invalid HANKO_NO_TOKEN"),
    ]


def make_requests(minted: Minted) -> List[Request]:
    """The rows of the second table."""
    cookie = "hanko={}".format
    # Browsers send two cookies of one name when an old one was set for another path or a parent domain.
    two = f"{cookie(minted.expired)}; theme=dark; {cookie(minted.valid)}"
    return [
        Request("valid", cookie(minted.valid), "", "HANKO_OK", 200),
        Request("valid, in Authorization", "", f"Bearer {minted.valid}", "HANKO_OK", 200),
        Request("two cookies, the second valid", two, "", "HANKO_OK", 200),
        Request("forged", cookie(minted.forged), "", "HANKO_INVALID_TOKEN", 401),
        Request("expired", cookie(minted.expired), "", "HANKO_INVALID_TOKEN", 401),
        Request("revoked", cookie(minted.revoked), "", "HANKO_INVALID_TOKEN", 401),
        Request("no token", "", "", "HANKO_NO_TOKEN", 401),
    ]


@contextmanager
def backend(program: str, api_url: str) -> Iterator[str]:
    """The HTTP backend on a free port of this machine: its URL. It must end well when it is told to."""
    process = subprocess.Popen(
        [program],
        env=clean_environment(HANKO_API_URL=api_url, HANKO_LOG="off"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.start()
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise Failure("the HTTP backend did not start")
        yield url
        process.terminate()
        if process.wait() != 0:
            raise Failure(f"the HTTP backend ended with {process.returncode}")
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


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
        return draw([["token", *self._commands], *self._rows])


class ClientTable:
    """Runs the requests of the second table and keeps what came of them."""

    def __init__(self, session_program: str, backend_url: str, user_id: str) -> None:
        self._session_program = session_program
        self._backend_url = backend_url
        self._user_id = user_id
        self._rows: List[List[str]] = []
        self.answers = 0
        self.wrong: List[str] = []

    def run(self, request: Request, api_url: str) -> None:
        """Hand the headers of one request to both programs."""
        self._rows.append([request.title, self._run_session(request, api_url), self._ask_backend(request)])

    def _run_session(self, request: Request, api_url: str) -> str:
        done = subprocess.run(
            [self._session_program, request.cookie, request.authorization],
            env=clean_environment(HANKO_API_URL=api_url, HANKO_LOG="off"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        lines = done.stdout.splitlines() or ["nothing"]
        is_valid = request.status == "HANKO_OK"
        is_right = (
            lines[0] == f"{'valid' if is_valid else 'invalid'} {request.status}"
            and done.returncode == EXIT_STATUS[request.status]
            and (["user", self._user_id] in [line.split() for line in lines]) == is_valid
        )
        return self._note("session", request, lines[0], is_right)

    def _ask_backend(self, request: Request) -> str:
        question = urllib.request.Request(f"{self._backend_url}/me")
        for name, value in (("Cookie", request.cookie), ("Authorization", request.authorization)):
            if value:
                question.add_header(name, value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(question, timeout=PATIENCE_SECONDS)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            code, body = answer.status, json.loads(answer.read())
        # What the browser is told: whose session it is, or one of the three texts that are made for it.
        got = f"{code} {body.get('error', 'with the user')}"
        is_right = code == request.code and ("user_id" in body) == (code == 200)
        return self._note("backend", request, got, is_right and body.get("user_id") in (None, self._user_id))

    def _note(self, program: str, request: Request, got: str, is_right: bool) -> str:
        self.answers += 1
        if is_right:
            return got
        self.wrong.append(f"{program}, {request.title}: expected {request.status} and {request.code}, got {got!r}")
        return f"{got} (wrong)"

    def __str__(self) -> str:
        return draw([["request", "C, session", "C, HTTP backend"], *self._rows])


def draw(rows: List[List[str]]) -> str:
    """A table as text; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def main() -> int:
    if not LIBRARY.exists():
        raise Failure(f"there is no {LIBRARY.relative_to(ROOT)}: run `make build` first")
    table = Table(build_examples())
    programs = build_client_examples()
    with ExitStack() as until_the_end:
        with standin() as (api_url, admin_url):
            minted = mint(admin_url)
            for case in make_cases(minted):
                table.run(case, api_url)
            url = until_the_end.enter_context(backend(programs["server"], api_url))
            clients = ClientTable(programs["session"], url, minted.user_id)
            for request in make_requests(minted):
                clients.run(request, api_url)
        # The same token that was valid a moment ago. Nobody can say now, which is not the same as "no".
        title, status = "valid, Hanko stopped", "HANKO_UNAVAILABLE"
        table.run(Case(title, minted.valid, f"invalid {status}"), api_url)
        clients.run(Request(title, f"hanko={minted.valid}", "", status, 503), api_url)

    print(f"\n{table}\n\n{clients}\n")
    wrong, answers = table.wrong + clients.wrong, table.answers + clients.answers
    for text in wrong:
        print(text)
    if wrong:
        print(f"{len(wrong)} of {answers} answers were wrong.")
        return 1
    print(f"All {answers} answers were right.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"demo: {failure}")
