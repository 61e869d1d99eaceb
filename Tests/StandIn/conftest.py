"""What the tests of the stand-in Hanko share: one signing key, and stand-ins that are stopped again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"
sys.path.insert(0, str(SOURCES))

from hanko.standin import SigningKey, StandIn  # noqa: E402  # the path comes first

MakeStandIn = Callable[..., StandIn]


@pytest.fixture(scope="session")
def sources() -> Path:
    """The folder that goes into PYTHONPATH."""
    return SOURCES


@pytest.fixture(scope="session")
def signing_key() -> Iterator[SigningKey]:
    """One key for all stand-ins in this process: making one takes longer than any test."""
    with SigningKey(2048) as key:
        yield key


@pytest.fixture
def make_standin(signing_key: SigningKey) -> Iterator[MakeStandIn]:
    """Starts stand-ins with the given options; they are stopped when the test ends."""
    started: list[StandIn] = []

    def make(**options: Any) -> StandIn:
        standin = StandIn(key=signing_key, **options)
        started.append(standin)
        return standin.start()

    yield make
    for standin in started:
        standin.stop()


@pytest.fixture
def standin(make_standin: MakeStandIn) -> StandIn:
    """A stand-in with Hanko's defaults."""
    return make_standin()
