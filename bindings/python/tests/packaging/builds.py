"""Building and installing the package in all the ways there are, away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

SONAME = "libhanko.so.0"
# What an installation is given to ask about, and what it answers.
ASKING = """
import os, sys
import hanko, hanko._library
good, bad = os.environ["GOOD"], os.environ["BAD"]
client = hanko.Client()
assert client.validate(good).user_id == os.environ["USER_ID"]
assert hanko.validate(good) is True and hanko.validate(bad) is False
assert hanko.validate_session_token(bad) == (False, "Invalid token")
print(hanko.__version__, hanko._library.library().path)
"""


@dataclass(frozen=True)
class Finished:
    """What a program printed on both of its outputs, and how it ended."""

    status: int
    output: str


def run(
    command: Sequence[object],
    *,
    folder: Path,
    variables: Optional[Mapping[str, Optional[str]]] = None,
    expect: int = 0,
) -> Finished:
    """Run a program in a folder; fails the test if it ends otherwise than expected. None unsets a variable."""
    dropped = ("HANKO_", "PYTHON", "PIP_REQUIRE", "LD_LIBRARY_PATH")
    environment: dict[str, Optional[str]] = {
        name: value for name, value in os.environ.items() if not name.startswith(dropped)
    }
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", **(variables or {}))
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={name: value for name, value in environment.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == expect, (
        f"{' '.join(map(str, command))}\nexit status {done.returncode}, expected {expect}\n{done.stdout}"
    )
    return Finished(done.returncode, done.stdout)


@dataclass(frozen=True)
class Checkout:
    """A copy of what the package is built from, at another place."""

    root: Path

    @classmethod
    def of(cls, repository: Path, root: Path) -> Checkout:
        """Copy the repository, without what was built and without what the package does not need."""
        for name in ("Sources", "include", "Tests/HankoCoreTests"):
            shutil.copytree(repository / name, root / name)
        for name in ("Package.swift", "LICENSE", ".gitignore"):
            shutil.copy(repository / name, root / name)
        ignored = shutil.ignore_patterns("tests", "__pycache__", "libhanko.so*", ".*_cache")
        shutil.copytree(repository / "bindings/python", root / "bindings/python", symlinks=True, ignore=ignored)
        return cls(root)

    @property
    def project(self) -> Path:
        """Where pip is pointed to."""
        return self.root / "bindings/python"

    def build(
        self, out: Path, *, variables: Mapping[str, Optional[str]], target: str = "wheel", expect: int = 0
    ) -> Finished:
        """Build with the backend alone, which is what every front end comes down to."""
        command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out]
        return run(command, folder=self.project, variables=variables, expect=expect)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing in it but what a test puts there."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Environment:
        """Without a pip of its own, which takes seconds: the one of the tests serves."""
        run([sys.executable, "-m", "venv", "--without-pip", folder], folder=folder.parent)
        return cls(folder)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin/python"

    def pip(self, *arguments: object, variables: Mapping[str, Optional[str]], expect: int = 0) -> Finished:
        """What `pip …` does in it."""
        command = [sys.executable, "-m", "pip", "--python", self.python, *arguments]
        return run(command, folder=self.folder, variables=variables, expect=expect)


def only_programs(folder: Path, *names: str) -> str:
    """A PATH with these programs of the machine and no other."""
    folder.mkdir()
    for name in names:
        program = shutil.which(name)
        assert program is not None, f"the tests need {name}"
        (folder / name).symlink_to(program)
    return str(folder)


def compiler() -> str:
    """The C compiler, which the tests of the library need as well."""
    return shutil.which("cc") or sysconfig.get_config_var("CC").split()[0]


def compile_library(path: Path, source: str, *flags: object) -> Path:
    """A shared library from a line of C."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.with_suffix(".c")
    text.write_text(source)
    command = [compiler(), "-shared", "-fPIC", "-o", path, text, *flags]
    run(command, folder=path.parent)
    return path
