"""The seed of the run, and the program that reads documents with the library's reader."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

import pytest

from reader import Reader

ROOT = Path(__file__).resolve().parents[2]

# A new one each run, so that every run looks at other documents; the same one makes the same documents again.
SEED = int(os.environ.get("HANKO_TEST_SEED") or secrets.randbelow(1 << 32))


def pytest_report_header() -> str:
    """Show the seed, also when everything passes."""
    return f"seed: {SEED} (HANKO_TEST_SEED={SEED} repeats this run)"


@pytest.fixture(scope="session")
def seed() -> int:
    """What the random generator starts from."""
    return SEED


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The library's reader as a program, compiled from the sources as they are now."""
    try:
        return Reader.build(ROOT)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"the reader's program does not compile:\n{error.stdout}", pytrace=False)
    except OSError as error:
        pytest.fail(f"the Swift compiler could not be started: {error}", pytrace=False)
