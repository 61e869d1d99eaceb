"""What the tests of the binary interface share. They read and use the release library, as `make build` leaves it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/hanko.h"
BUILD = ROOT / ".build/release"
PROGRAMS = Path(__file__).parent / "programs"

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# As the C++ compiler takes them: a program that ends in .c is C to it only if it is told otherwise.
LANGUAGES = {"c99": ["cc", "-std=c99"], "c11": ["cc", "-std=c11"], "c++17": ["c++", "-std=c++17", "-x", "c++"]}

sys.path.insert(0, str(ROOT / "bindings/python/src"))


def clean_environment(**more: str) -> Dict[str, str]:
    """The caller's environment without settings for the library, proxies, and make's own variables."""
    dropped = re.compile(r"HANKO_.*|.*_proxy|MAKEFLAGS|MAKELEVEL|MFLAGS|LD_LIBRARY_PATH|PKG_CONFIG_.*", re.IGNORECASE)
    return {**{name: value for name, value in os.environ.items() if not dropped.fullmatch(name)}, **more}


def run(
    command: Sequence[object],
    *,
    cwd: Path = ROOT,
    env: Optional[Mapping[str, str]] = None,
    expect: Optional[int] = 0,
) -> subprocess.CompletedProcess[str]:
    """Run a program and give what it printed; any other exit status than `expect` fails the test."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if expect is not None:
        assert done.returncode == expect, (
            f"{' '.join(map(str, command))}\nexit status {done.returncode}, expected {expect}\n"
            f"{done.stdout}\n{done.stderr}"
        )
    return done


def link_flags(folder: Path = BUILD) -> List[str]:
    """What a program needs to be linked with, and to find, the library of a folder."""
    return [f"-L{folder}", "-lhanko", f"-Wl,-rpath,{folder}"]


def header_without_comments() -> str:
    """The header as a compiler reads it, with the preprocessor's lines."""
    text = HEADER.read_text(encoding="utf-8")
    return re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL))


def declared_functions() -> List[str]:
    """The names of all functions that the header declares."""
    code = re.sub(r"^\s*#.*(?:\\\n.*)*$", "", header_without_comments(), flags=re.MULTILINE)
    names = re.findall(r"\b(hanko_\w+)\s*\(", code)
    assert "hanko_validate" in names and len(names) == len(set(names)), names
    return sorted(names)


@pytest.fixture(scope="session")
def library() -> Path:
    """The release library. Its absence is a failure: no test here means anything without it."""
    path = BUILD / "libhanko.so"
    if not path.exists():
        pytest.fail(f"{path.relative_to(ROOT)} is missing: run `make build`")
    return path


@pytest.fixture(scope="session")
def stripped(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library as `make install` leaves it."""
    path = tmp_path_factory.mktemp("stripped") / "libhanko.so"
    shutil.copy(library, path)
    run(["strip", "--strip-unneeded", path])
    return path


@pytest.fixture(scope="session")
def hanko() -> Iterator[object]:
    """A stand-in Hanko in this process."""
    from hanko.standin import StandIn

    with StandIn(key_bits=2048) as running:
        yield running
