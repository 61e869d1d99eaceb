"""`python -m hanko` as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Union


@dataclass(frozen=True)
class Finished:
    """How a program ended and what it printed."""

    status: int
    output: str
    errors: str


def environment(variables: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """The environment of the tests, which holds no setting, and some more."""
    return {**os.environ, **(variables or {})}


def hanko(*arguments: str, given: Union[bytes, None] = b"", **variables: str) -> Finished:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "hanko", *arguments],
        input=given,
        capture_output=True,
        env=environment(variables),
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
