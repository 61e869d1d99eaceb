#!/usr/bin/env python3
"""`make demo-python`: runs the Flask, Django and FastAPI examples in their servers against a stand-in Hanko.

    examples/demo/demo_python.py [--serve]

It logs in, reads the protected route, logs out, breaks Hanko and restores it, in each example, and prints what came
back. Then `wrk` puts the FastAPI example under load while Hanko takes its time; that is left out where there is none.
With `--serve` there is no load, and the examples are left running for a browser until Ctrl-C.

The package and the frameworks are installed into .build/venv-demo. Nothing is written outside .build, and but for that
installation nothing leaves this machine. The exit status is 0 only if every answer was right.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple

from demo import PATIENCE_SECONDS, ROOT, Failure, ask_admin, clean_environment, draw, end, run_quietly, standin

PACKAGE = ROOT / "bindings/python"
EXAMPLES = ROOT / "examples"
VENV = ROOT / ".build/venv-demo"
LOGS = ROOT / ".build/demo-python"

HANKO_DELAY_MS = 200
LOAD_CONNECTIONS = 64
LOAD_SECONDS = 5
LONGEST_PAUSE_MS = 500  # the bound that the package promises

NO_SESSION = "401 Invalid token"
OUTAGE = "503 Authentication service unavailable"
DONE = "200"


class Example(NamedTuple):
    """One example in its server; the command takes a port that is free."""

    name: str
    command: list[str]


class Answer(NamedTuple):
    """What a server answered; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: dict[str, object]

    def __str__(self) -> str:
        """The status, and what a person would look at."""
        what = self.body.get("email") or self.body.get("detail")
        return f"{self.status} {what}" if what else str(self.status)


def examples() -> list[Example]:
    """The three examples, each in a server that people run it in."""
    python = str(VENV / "bin/python")
    gunicorn = [python, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--preload"]
    uvicorn = [python, "-m", "uvicorn", "--port", "0"]
    return [
        Example("Flask, gunicorn", [*gunicorn, "--chdir", str(EXAMPLES / "flask"), "app:app"]),
        Example("Django, gunicorn", [*gunicorn, "--chdir", str(EXAMPLES / "django"), "app:application"]),
        Example("FastAPI, uvicorn", [*uvicorn, "--app-dir", str(EXAMPLES / "fastapi"), "app:app"]),
    ]


def install() -> None:
    """Make the virtual environment, and put the package and the frameworks into it."""
    print(
        f"Installing into {VENV.relative_to(ROOT)}: the package of bindings/python, flask, django, fastapi, gunicorn, "
        "uvicorn.",
        flush=True,
    )
    if not (VENV / "bin/python").exists():
        run_quietly([sys.executable, "-m", "venv", str(VENV)])
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pinned = ["--constraint", str(PACKAGE / "tests/requirements.txt")]
    # Each time, because pip builds a local folder anew: what was changed since is what is shown.
    run_quietly([*pip, *pinned, f"{PACKAGE}[flask,django,fastapi]", "gunicorn", "uvicorn"])


@contextmanager
def server(name: str, command: list[str], **settings: str) -> Iterator[str]:
    """A server on a free port of this machine: its URL."""
    folder = LOGS / re.sub(r"\W+", "-", name.lower())
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            # No caches beside the examples, and gunicorn's control socket here instead of in the home folder.
            env=clean_environment(PYTHONDONTWRITEBYTECODE="1", XDG_RUNTIME_DIR=str(folder), **settings),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield wait_for_url(name, process, log)
    finally:
        end(process)


def wait_for_url(name: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that a server has printed, as soon as it answers there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        printed = re.search(r"(?:Listening at|running on):? (http://127\.0\.0\.1:[1-9]\d*)", log.read_text("utf-8"))
        if printed:
            try:
                ask("GET", printed[1] + "/")
            except urllib.error.URLError:
                pass  # its socket is bound, and its workers are on their way
            else:
                return printed[1]
        time.sleep(0.05)
    raise Failure(f"{name} did not start:\n{log.read_text('utf-8')}")


def ask(method: str, url: str, token: str | None = None) -> Answer:
    """One request, never by a proxy; with a session token it has the cookie of a browser that is logged in."""
    request = urllib.request.Request(url, method=method)
    if token:
        request.add_header("Cookie", f"hanko={token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(request, timeout=PATIENCE_SECONDS)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        headers = {key.lower(): value for key, value in answer.headers.items()}
        text = answer.read().decode()
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(answer.status, headers, json.loads(text) if is_json else {})


class Walk:
    """A browser's way through one example; keeps what came back and what should not have."""

    def __init__(self, example: str, url: str) -> None:
        self._example = example
        self._url = url
        self._token: str | None = None
        self._user = ""
        self.column: dict[str, str] = {}
        self.wrong: list[str] = []

    def run(self) -> None:
        """All the steps. A step that went wrong does not end it."""
        self._expect("GET / (the page)", self._ask("GET", "/"), DONE)
        self._read("GET /me, nobody is logged in", NO_SESSION)
        self._log_in("log in")
        self._read("GET /me", f"200 {self._user}")
        left = self._token
        self._log_out("log out")
        self._read("GET /me", NO_SESSION)
        self._token = left
        self._read("GET /me, with the old cookie", NO_SESSION)
        self._log_in("log in again")
        self._read("GET /me", f"200 {self._user}")
        self._expect("break Hanko", self._ask("POST", "/development/break"), DONE)
        self._read("GET /me", OUTAGE)
        self._expect("restore Hanko", self._ask("POST", "/development/restore"), DONE)
        self._read("GET /me", f"200 {self._user}")

    def _ask(self, method: str, path: str) -> Answer:
        return ask(method, self._url + path, self._token)

    def _log_in(self, title: str) -> None:
        answer = self._ask("POST", "/development/login")
        self._user = str(answer.body.get("email"))
        self._expect(title, answer, f"200 {self._user}")
        cookie = SimpleCookie(answer.headers.get("set-cookie", "")).get("hanko")
        self._require(title, cookie is not None and bool(cookie["httponly"]), "no cookie that scripts cannot read")
        self._token = cookie.value if cookie else None

    def _log_out(self, title: str) -> None:
        answer = self._ask("POST", "/development/logout")
        self._expect(title, answer, DONE)
        cookie = SimpleCookie(answer.headers.get("set-cookie", "")).get("hanko")
        self._require(title, cookie is not None and cookie["max-age"] == "0", "the cookie stays")
        self._token = None

    def _read(self, title: str, expected: str) -> None:
        """Ask the protected route, and look at the headers as well."""
        answer = self._ask("GET", "/me")
        self._expect(title, answer, expected)
        varies = {name.strip().lower() for name in answer.headers.get("vary", "").split(",")}
        self._require(title, {"cookie", "authorization"} <= varies, "a cache may hand it to others (Vary)")
        if answer.status != 200:
            self._require(title, answer.headers.get("cache-control") == "no-store", "a cache may keep it")
            needed = "www-authenticate" if answer.status == 401 else "retry-after"
            self._require(title, needed in answer.headers, f"no {needed}")

    def _expect(self, title: str, answer: Answer, expected: str) -> None:
        # Steps of one name follow each other in every column, so numbers tell them apart.
        self.column[f"{len(self.column) + 1}. {title}"] = str(answer)
        self._require(title, str(answer) == expected, f"expected {expected!r}, got {str(answer)!r}")

    def _require(self, title: str, is_right: bool, what: str) -> None:
        if not is_right:
            self.wrong.append(f"{self._example}, {title}: {what}")


def walk_through(urls: dict[str, str]) -> list[str]:
    """Walk through all examples and print the table; what went wrong."""
    walks = {name: Walk(name, url) for name, url in urls.items()}
    for walk in walks.values():
        walk.run()
    columns = [walk.column for walk in walks.values()]
    rows = [[step, *(column.get(step, "nothing") for column in columns)] for step in columns[0]]
    print(f"\n{draw([['step', *walks], *rows])}\n", flush=True)
    return [text for walk in walks.values() for text in walk.wrong]


def load(wrk: str) -> list[str]:
    """The FastAPI example under load while Hanko takes its time; prints what came of it, and gives what went wrong."""
    command = [str(VENV / "bin/python"), "-m", "uvicorn", "--port", "0", "--no-access-log"]
    command += ["--app-dir", str(EXAMPLES / "demo"), "heartbeat:app"]
    with standin("--delay-ms", str(HANKO_DELAY_MS)) as (api_url, admin_url):
        token = ask_admin(f"{admin_url}/standin/session")["session_token"]
        with server("FastAPI under load", command, HANKO_API_URL=api_url) as url:
            if ask("GET", f"{url}/me", token).status != 200:
                return ["FastAPI under load: the first request was not answered with 200"]
            ask("GET", f"{url}/heartbeat")  # what was before does not count
            printed = subprocess.run(
                [
                    wrk,
                    "-t2",
                    f"-c{LOAD_CONNECTIONS}",
                    f"-d{LOAD_SECONDS}s",
                    "-H",
                    f"Cookie: hanko={token}",
                    f"{url}/me",
                ],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=True,
            ).stdout
            longest_pause = float(str(ask("GET", f"{url}/heartbeat").body["longest_pause_ms"]))
    return judge_load(printed, longest_pause)


def judge_load(printed: str, longest_pause: float) -> list[str]:
    """Say what `wrk` has printed, and what of it is wrong."""
    answers = re.search(r"(\d+) requests in ([\d.]+)s", printed)
    if answers is None:
        return [f"FastAPI under load: wrk printed\n{printed}"]
    others = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", printed))
    errors = sum(
        int(number) for line in re.findall(r"Socket errors:.*", printed) for number in re.findall(r"\d+", line)
    )
    a_second = int(answers[1]) / float(answers[2])
    limit = LOAD_CONNECTIONS * 1000 // HANKO_DELAY_MS
    print(
        f"FastAPI under load, {LOAD_CONNECTIONS} connections, Hanko answering after {HANKO_DELAY_MS} ms: {answers[1]} "
        f"answers, {a_second:.0f} a second\n(no more than {limit} are possible), {others} of them not 200, {errors} "
        f"socket errors; the loop's longest pause was {longest_pause:.1f} ms.\n"
    )
    wrong = []
    if others or errors or int(answers[1]) == 0:
        wrong.append("FastAPI under load: not every answer was 200")
    if a_second < limit / 8:  # one after another would be 5 a second
        wrong.append("FastAPI under load: requests waited for each other")
    if longest_pause > LONGEST_PAUSE_MS:
        wrong.append(f"FastAPI under load: the loop was held for more than {LONGEST_PAUSE_MS} ms")
    return wrong


def serve(urls: dict[str, str]) -> None:
    """Leave the examples to a browser."""
    print("\nOpen in a browser, and press the buttons there; Ctrl-C ends it:\n")
    for name, url in urls.items():
        print(f"  {name.ljust(max(map(len, urls)))}  {url}/")
    sys.stdout.flush()
    threading.Event().wait()


def main() -> int:
    """Install, walk, load; the exit status."""
    parser = argparse.ArgumentParser(
        description="Runs the Flask, Django and FastAPI examples against a stand-in Hanko."
    )
    parser.add_argument("--serve", action="store_true", help="leave the examples running for a browser until Ctrl-C")
    is_serving = parser.parse_args().serve
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # by way of every `finally`: nothing stays behind
    install()
    with ExitStack() as until_the_end:
        api_url, admin_url = until_the_end.enter_context(standin())
        # The stand-in is broken by taking its database away. A Hanko without one says no to everybody, and only a
        # backend that confirms rejections, as is the default, can tell that from a real no.
        settings = {"HANKO_API_URL": api_url, "HANKO_ADMIN_URL": admin_url}
        urls = {
            example.name: until_the_end.enter_context(server(example.name, example.command, **settings))
            for example in examples()
        }
        wrong = walk_through(urls)
        if is_serving:
            report(wrong)
            serve(urls)
    wrk = shutil.which("wrk")
    if wrk:
        wrong += load(wrk)
    else:
        print("The load test is left out: there is no wrk here (package wrk).\n")
    report(wrong)
    return 1 if wrong else 0


def report(wrong: list[str]) -> None:
    """Say what was wrong."""
    for text in wrong:
        print(text)
    if wrong:
        print(f"{len(wrong)} things were wrong; the servers' logs are in {LOGS.relative_to(ROOT)}.")
    else:
        print("All was right.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
    except Failure as failure:
        sys.exit(f"demo-python: {failure}")
