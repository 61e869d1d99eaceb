"""The seed of the run, and the programs that read documents and answers with the library's readers."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from typing import Type, TypeVar

import pytest

from reader import Program, Reader, ResponseReader

ROOT = Path(__file__).resolve().parents[2]

P = TypeVar("P", bound=Program)

# A new one each run, so that every run looks at other documents; the same one makes the same documents again.
SEED = int(os.environ.get("HANKO_TEST_SEED") or secrets.randbelow(1 << 32))


def pytest_report_header() -> str:
    """Show the seed, also when everything passes."""
    return f"seed: {SEED} (HANKO_TEST_SEED={SEED} repeats this run)"


@pytest.fixture(scope="session")
def seed() -> int:
    """What the random generator starts from."""
    return SEED


def built(kind: Type[P]) -> P:
    """A program, compiled from the sources as they are now."""
    try:
        return kind.build(ROOT)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"the reader's program does not compile:\n{error.stdout}", pytrace=False)
    except OSError as error:
        pytest.fail(f"the Swift compiler could not be started: {error}", pytrace=False)


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The library's reader of JSON."""
    return built(Reader)


@pytest.fixture(scope="session")
def response_reader() -> ResponseReader:
    """The library's reader of answers."""
    return built(ResponseReader)
