"""The examples, built and run as their README says, against a stand-in Hanko."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from conftest import ROOT, clean_environment, run

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
        for line in lines[:-1]:
            run(["sh", "-ec", line], env=self._environment)

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


def test_nothing_is_left_beside_the_sources(example: Example) -> None:
    """Whatever the lines of the README build goes into .build."""
    known = {".c", ".py", ".go", ".mod", ".md"}
    strange = [str(path) for path in (ROOT / "examples").rglob("*") if path.is_file() and path.suffix not in known]
    assert strange == []


def test_demo(library: Path) -> None:
    """`make demo` behind its installing and building: the table, and a verdict."""
    languages = [language for language in LANGUAGES if language != "Go" or shutil.which("go")]
    if "Go" not in languages:
        assert os.environ.get("CI") != "true", "CI=true, and there is no Go for the demo"
        print("without Go")
    done = run(["python3", "examples/demo/demo.py"])
    assert done.stdout.rstrip().endswith(f"All {7 * len(languages)} answers were right."), done.stdout
    assert ("the Go example is left out" in done.stdout) == ("Go" not in languages)
    rows = [line for line in done.stdout.splitlines() if re.search(r"  (valid|invalid) HANKO_", line)]
    assert len(rows) == 7, done.stdout
