"""Runs code with the library in a process of its own.

For what one process can try only once or not at all: standard error of the library,
signals at their default action, fork, a preloaded function, proxy variables.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import telltale

HERE = pathlib.Path(__file__).resolve().parent

# What every child starts with. `report` hands one JSON value to the test.
PRELUDE = """
import json, os, signal, sys, threading, time
sys.path.insert(0, {here!r})
from client import Client, Config, bind
from library import Library
library = bind(Library())
def report(value):
    print("REPORT " + json.dumps(value), flush=True)
"""


class Child(NamedTuple):
    """How a child ended."""

    returncode: int
    report: Any
    stdout: str
    stderr: str


def run(
    code: str, environment: dict[str, str] | None = None, timeout: float = 30.0, within: Sequence[str] = ()
) -> Child:
    """Run Python code in a child that inherits the environment, with these variables on top.

    ``within`` is a program with its arguments that runs the child as its own last arguments say.

    ``report`` of the result is what the code handed to ``report(…)`` last. A child that neither
    ends nor reports is an error, shown with all it printed.
    """
    done = subprocess.run(
        # By standard input: an argument may not be as long as the longest token.
        [*within, sys.executable, "-"],
        input=(PRELUDE.format(here=str(HERE)) + code).encode("utf-8"),
        env={**os.environ, **(environment or {})},
        capture_output=True,
        timeout=timeout,
    )
    stdout, stderr = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    telltale.said(stderr)
    reports = [line[len("REPORT ") :] for line in stdout.splitlines() if line.startswith("REPORT ")]
    assert reports, f"the child ended with {done.returncode} and reported nothing\n{stdout}\n{stderr}"
    return Child(done.returncode, json.loads(reports[-1]), stdout, stderr)
