"""Time, only ever asserted against a limit with ample room."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Callable


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the block took longer."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took < seconds, f"took {took:.1f} s, allowed were {seconds} s"


def eventually(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.005)
