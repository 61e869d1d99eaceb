"""The examples, built and run as their README says, against a stand-in Hanko."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest

from conftest import ROOT, STRICT, clean_environment, run

README = ROOT / "examples/README.md"
LANGUAGES = ["C", "Python", "Go"]
# By title: the token (None: no argument), the line that is printed, the exit status.
TOKENS = {
    "valid": ("valid HANKO_OK", 0),
    "forged": ("invalid HANKO_INVALID_TOKEN", 1),
    "expired": ("invalid HANKO_INVALID_TOKEN", 1),
    "revoked": ("invalid HANKO_INVALID_TOKEN", 1),
    "odd": ("invalid HANKO_INVALID_TOKEN", 1),
    "not UTF-8": ("invalid HANKO_INVALID_TOKEN", 1),
    "empty": ("invalid HANKO_NO_TOKEN", 1),
    "missing": ("invalid HANKO_NO_TOKEN", 1),
}


def readme_blocks(language: str) -> List[List[str]]:
    """The commands for a language: first those for the build folder, then those for an installed library."""
    text = README.read_text(encoding="utf-8")
    section = re.search(rf"^## {language}\b.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, f"no section about {language} in examples/README.md"
    blocks = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", section[0], re.DOTALL)]
    assert len(blocks) == 2, blocks
    return blocks


def build(lines: List[str], environment: Dict[str, str]) -> None:
    """Run the lines of the README but its last; C is compiled with every warning an error."""
    for line in lines[:-1]:
        run(["sh", "-ec", re.sub(r"^cc ", f"cc {' '.join(STRICT)} ", line)], env=environment)


def require(language: str) -> None:
    """Go may be missing, except where everything is tested."""
    if language == "Go" and shutil.which("go") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI=true, and there is no Go for the Go example")
        pytest.skip("there is no Go here (CI=true installs it)")


class Example:
    """An example, built by the lines of the README; each call runs the last of them with another token."""

    def __init__(self, lines: List[str], **environment: str) -> None:
        self._environment = clean_environment(
            # A stamp of version control fails where the checkout belongs to another user.
            GOFLAGS="-buildvcs=false",
            GOCACHE=os.environ.get("GOCACHE") or str(ROOT / ".build/go-cache"),
            **environment,
        )
        self._line = lines[-1]
        assert self._line.endswith(' "$TOKEN"'), self._line
        build(lines, self._environment)

    def ask(self, api_url: Optional[str], token: Optional[bytes]) -> subprocess.CompletedProcess[str]:
        environment: Dict[str, str] = dict(self._environment)
        if api_url is not None:
            environment["HANKO_API_URL"] = api_url
        line = self._line
        if token is None:
            line = line[: -len(' "$TOKEN"')]
        else:
            environment["TOKEN"] = os.fsdecode(token)
        return run(["sh", "-c", line], env=environment, expect=None)


@pytest.fixture(scope="module", params=LANGUAGES)
def example(request: pytest.FixtureRequest, library: Path) -> Example:
    """Each example, from the build folder."""
    require(request.param)
    return Example(readme_blocks(request.param)[0])


@pytest.fixture(scope="module")
def tokens(hanko) -> Dict[str, Optional[bytes]]:
    """A token of each kind."""
    revoked = hanko.mint_session()
    hanko.revoke(revoked)
    return {
        "valid": hanko.mint_session().token.encode(),
        "forged": hanko.mint_forged().token.encode(),
        "expired": hanko.mint_expired().token.encode(),
        "revoked": revoked.token.encode(),
        "odd": b"quote \" backslash \\ newline \n \xc3\xa9",
        "not UTF-8": b"\xff\xfe",
        "empty": b"",
        "missing": None,
    }


@pytest.mark.parametrize("title", TOKENS)
def test_answer(title: str, example: Example, tokens, hanko) -> None:
    line, status = TOKENS[title]
    done = example.ask(hanko.api_url, tokens[title])
    assert (done.stdout, done.returncode) == (line + "\n", status), done.stderr
    # The reason goes to standard error, and a success has none.
    assert bool(done.stderr) == (status != 0)


def test_stopped_server(example: Example, tokens, hanko) -> None:
    """A server that cannot be reached is no reason to log anybody out."""
    hanko.stop_listening()
    try:
        done = example.ask(hanko.api_url, tokens["valid"])
    finally:
        hanko.start_listening()
    assert (done.stdout, done.returncode) == ("invalid HANKO_UNAVAILABLE\n", 2), done.stderr
    assert done.stderr


def test_no_address(example: Example, tokens) -> None:
    done = example.ask(None, tokens["valid"])
    assert (done.stdout, done.returncode) == ("invalid HANKO_MISCONFIGURED\n", 2), done.stderr
    assert "HANKO_API_URL" in done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_installed(language: str, library: Path, hanko, tmp_path: Path) -> None:
    """The second block of each: with the library where `make install` has put it."""
    require(language)
    run(["make", "install", f"PREFIX={tmp_path}", "LDCONFIG=true"])
    example = Example(
        readme_blocks(language)[1],
        PKG_CONFIG_PATH=str(tmp_path / "lib/pkgconfig"),
        LD_LIBRARY_PATH=str(tmp_path / "lib"),
    )
    done = example.ask(hanko.api_url, hanko.mint_session().token.encode())
    assert (done.stdout, done.returncode) == ("valid HANKO_OK\n", 0), done.stderr


# The two programs that use a client


@pytest.fixture(scope="module")
def ada(hanko):
    """A stand-in of its own, whose tokens have a custom claim, and a session in it."""
    from hanko.standin import StandIn

    with StandIn(key=hanko.key, custom_claims={"plan": "pro"}) as running:
        running.ada = running.mint_session(email="ada@example.com")
        yield running


def installed_environment(folder: Path) -> Dict[str, str]:
    """Install into a folder; what programs need to be built and run with it."""
    run(["make", "install", f"PREFIX={folder}", "LDCONFIG=true"])
    return clean_environment(PKG_CONFIG_PATH=str(folder / "lib/pkgconfig"), LD_LIBRARY_PATH=str(folder / "lib"))


@pytest.fixture(scope="module", params=["built", "installed"])
def way(request: pytest.FixtureRequest, library: Path, tmp_path_factory: pytest.TempPathFactory):
    """The number of a README block and the environment that it needs."""
    if request.param == "built":
        return 0, clean_environment()
    return 1, installed_environment(tmp_path_factory.mktemp("prefix"))


@pytest.fixture(scope="module")
def session_program(way):
    """Runs `session` with headers."""
    block, environment = way
    lines = readme_blocks("Session")[block]
    assert lines[-1] == '.build/session "hanko=$TOKEN"'
    build(lines, environment)

    def ask(api_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run([".build/session", *arguments], env={**environment, "HANKO_API_URL": api_url}, expect=None)

    return ask


def test_session(session_program, ada) -> None:
    for arguments in ([f"hanko={ada.ada.token}"], ["", f"Bearer {ada.ada.token}"]):
        done = session_program(ada.api_url, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[0] == "valid HANKO_OK"
        fields = dict(line.split(maxsplit=1) for line in lines[1:])
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", fields.pop("expires"))
        assert fields == {"user": ada.ada.user_id, "e-mail": "ada@example.com", "plan": '"pro"'}


def test_session_without_e_mail_and_claim(session_program, hanko) -> None:
    user = hanko.add_user(username=f"ada-{os.urandom(4).hex()}")
    done = session_program(hanko.api_url, f"hanko={hanko.mint_session(user).token}")
    assert done.returncode == 0, done.stderr
    assert {"e-mail   -", "plan     -"} <= set(done.stdout.splitlines())


@pytest.mark.parametrize(
    "title, line, status", [(title, *TOKENS[title]) for title in ("forged", "expired", "revoked", "empty")]
)
def test_session_refused(title: str, line: str, status: int, session_program, tokens, hanko) -> None:
    done = session_program(hanko.api_url, f"hanko={os.fsdecode(tokens[title])}")
    assert (done.stdout, done.returncode) == (line + "\n", status), done.stderr
    assert done.stderr


def test_session_cannot_ask(session_program, tokens, hanko) -> None:
    hanko.stop_listening()
    try:
        done = session_program(hanko.api_url, f"hanko={os.fsdecode(tokens['valid'])}")
    finally:
        hanko.start_listening()
    assert (done.stdout, done.returncode) == ("invalid HANKO_UNAVAILABLE\n", 2), done.stderr
    done = session_program("https://127.0.0.1:1/?", "hanko=a")
    assert (done.stdout, done.returncode) == ("invalid HANKO_MISCONFIGURED\n", 2), done.stderr


class Backend:
    """A running `server`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        assert process.stdout
        assert select.select([process.stdout], [], [], 60)[0], "it does not print where it listens"
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)\n", process.stdout.readline())
        assert found, log.read_text()
        self.port = int(found[1])

    def ask(self, path: str, *headers: str, method: str = "GET"):
        """The answer to a request with headers of the form `Name: value`, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path)
        for header in headers:
            connection.putheader(*header.split(": ", 1))
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, json.loads(body) if body else None

    def send(self, data: bytes) -> bytes:
        """The first line of the answer to any bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            return connection.recv(4096).split(b"\r\n")[0]


@contextmanager
def running_backend(way, api_url: str, log: Path) -> Iterator[Backend]:
    block, environment = way
    lines = readme_blocks("Backend")[block]
    assert lines[-1] == ".build/server 8080"
    build(lines, environment)
    with log.open("w") as errors:
        process = subprocess.Popen(
            [".build/server"],
            cwd=ROOT,
            env={**environment, "HANKO_API_URL": api_url, "HANKO_LOG": "debug"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            yield Backend(process, log)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def backend(way, hanko, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The backend with the stand-in; at the end it must stop when it is told to, and have logged no token."""
    with running_backend(way, hanko.api_url, tmp_path_factory.mktemp("backend") / "log") as running:
        yield running
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=60) == 0, running.log.read_text()
    log = running.log.read_text()
    assert "/me HANKO_OK" in log and "HANKO_INVALID_TOKEN" in log
    assert "eyJ" not in log and "hunter2" not in log


def assert_private(answer) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Cookie, Authorization"


def test_backend_is_public(backend: Backend) -> None:
    answer, body = backend.ask("/?whatever")
    assert (answer.status, body) == (200, {"hello": "everybody"})


def test_backend_knows_the_user(backend: Backend, hanko) -> None:
    minted, expired = hanko.mint_session(), hanko.mint_expired().token
    for headers in (
        [f"Cookie: hanko={minted.token}"],
        [f"authorization: bearer {minted.token}"],
        [f"Cookie: hanko={expired}; theme=dark; hanko={minted.token}"],
        [f"Cookie: hanko={expired}", f"cookie: hanko={minted.token}"],
        [f"Authorization: Bearer {expired}", f"Cookie: hanko={minted.token}"],
    ):
        answer, body = backend.ask("/me", *headers)
        assert (answer.status, body) == (200, {"user_id": minted.user_id}), headers
        assert_private(answer)
    answer, body = backend.ask("/me", f"Cookie: hanko={minted.token}", method="HEAD")
    assert (answer.status, body) == (200, None)


@pytest.mark.parametrize("title", ["forged", "expired", "revoked", "empty", None])
def test_backend_refuses(title: Optional[str], backend: Backend, tokens) -> None:
    headers = [] if title is None else [f"Cookie: hanko={os.fsdecode(tokens[title])}"]
    answer, body = backend.ask("/me", *headers)
    assert (answer.status, body) == (401, {"error": "Invalid token"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_private(answer)


def test_backend_cannot_ask(backend: Backend, tokens, hanko) -> None:
    hanko.stop_listening()
    hanko.close_connections()
    try:
        answer, body = backend.ask("/me", f"Cookie: hanko={os.fsdecode(tokens['valid'])}")
    finally:
        hanko.start_listening()
    assert (answer.status, body) == (503, {"error": "Authentication service unavailable"})
    assert int(answer.headers["Retry-After"]) > 0
    assert_private(answer)


def test_backend_bounds(backend: Backend) -> None:
    """What is no request, or too large a one, asks nobody and stops nothing."""
    for method, path, status in (("POST", "/me", 405), ("GET", "/other", 404), ("GET", "/me/", 404)):
        assert backend.ask(path, method=method)[0].status == status
    for data, status in (
        (b"hunter2\r\n\r\n", b"400"),
        (b"\r\n\r\n", b"400"),
        (b"GET /me HTTP/1.1\r\nCookie : hanko=hunter2\r\n\r\n", b"400"),
        (b"GET /me HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", b"400"),
        (b"GET /me HTTP/1.1\r\nCookie: hanko=\0\r\n\r\n", b"400"),
        (b"GET /me HTTP/1.1\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 40_000, b"431"),
        (b"GET /me HTTP/1.1\r\n" + b"Cookie: \r\n" * 3_000 + b"\r\n", b"401"),
    ):
        assert backend.send(data).split()[1] == status, data[:60]


def test_backend_bounds_the_time(backend: Backend) -> None:
    """A client that sends byte by byte gets no more time than another."""
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as connection:
        connection.sendall(b"GET /me HTTP/1.1\r\nA: ")
        while not select.select([connection], [], [], 0.2)[0]:
            connection.sendall(b"a")
        assert connection.recv(4096).split()[1] == b"408"


def test_backend_starts_without_hanko_but_not_with_a_wrong_setting(library: Path, hanko, tmp_path: Path) -> None:
    build_folder = (0, clean_environment())
    hanko.stop_listening()
    try:
        with running_backend(build_folder, hanko.api_url, tmp_path / "log") as running:
            assert running.ask("/me", "Cookie: hanko=a")[0].status == 503
            hanko.start_listening()
            assert running.ask("/me", "Cookie: hanko=a")[0].status == 401
    finally:
        hanko.start_listening()
    for url in ("", hanko.api_url + "/no/such/tenant"):
        done = run([".build/server"], env=clean_environment(HANKO_API_URL=url), expect=1)
        assert done.stdout == "" and "server: " in done.stderr


def test_nothing_is_left_beside_the_sources(example: Example) -> None:
    """Whatever the lines of the README build goes into .build."""
    known = {".c", ".py", ".go", ".mod", ".md", ".html"}
    strange = [str(path) for path in (ROOT / "examples").rglob("*") if path.is_file() and path.suffix not in known]
    assert strange == []


def test_demo(library: Path) -> None:
    """`make demo` behind its installing and building: the table, and a verdict."""
    languages = [language for language in LANGUAGES if language != "Go" or shutil.which("go")]
    if "Go" not in languages:
        assert os.environ.get("CI") != "true", "CI=true, and there is no Go for the demo"
        print("without Go")
    done = run(["python3", "examples/demo/demo.py"])
    # Seven rows for each language, and eight for each of the two programs that use a client.
    assert done.stdout.rstrip().endswith(f"All {7 * len(languages) + 16} answers were right."), done.stdout
    assert ("the Go example is left out" in done.stdout) == ("Go" not in languages)
    rows = [line for line in done.stdout.splitlines() if re.search(r"  (valid|invalid) HANKO_", line)]
    assert len(rows) == 15, done.stdout
