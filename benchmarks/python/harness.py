"""What the Python programs of the benchmark have in common: settings, distinct tokens, the clock, and the report.

The settings are those of `c/bench.h`. A program gives a function that asks about one token and says whether the answer
was a yes; the first that was none ends it with an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Iterator
from typing import Callable

API_URL = os.environ["BENCH_API_URL"]
IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "1"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", str(IN_FLIGHT)))
_SECONDS = float(os.environ.get("BENCH_SECONDS", "0"))
_COUNT = int(os.environ.get("BENCH_COUNT", "0"))


def _tokens() -> Iterator[str]:
    with open(os.environ["BENCH_TOKEN"], encoding="ascii") as file:
        start, signature = file.readline().strip().rsplit(".", 1)
    number = (os.getpid() & 0xFFFFFF) << 40
    while True:
        yield f"{start}.{number:016x}{signature[16:]}"
        number += 1


class _Run:
    """How long it goes on, and what was answered since everything was warm."""

    def __init__(self) -> None:
        self.tokens = _tokens()
        self.begun = 0
        self.answered = 0
        self.answered_warm = 0
        self.since = time.perf_counter()
        self.warm = self.since + _SECONDS / 10
        self.ends = float("inf")

    def goes_on(self) -> bool:
        if _COUNT:
            self.begun += 1
            return self.begun <= _COUNT
        now = time.perf_counter()
        if self.ends == float("inf") and now >= self.warm and self.answered >= IN_FLIGHT:
            self.answered_warm = self.answered
            self.since = now
            self.ends = now + _SECONDS
        # As many answers as were in flight: slow programs give them in bursts.
        if now < self.ends or self.answered - self.answered_warm < IN_FLIGHT:
            return True
        # What is in flight now is not counted, and with slow programs would take long to wait for.
        self.report(now)
        os._exit(0)

    def took(self, is_valid: object) -> None:
        if is_valid is not True:
            sys.exit(f"{sys.argv[0]}: the answer was not a yes")
        self.answered += 1

    def report(self, now: float) -> None:
        result = {"validations": self.answered - self.answered_warm, "seconds": now - self.since}
        print(json.dumps(result), flush=True)


def one_at_a_time(validate: Callable[[str], object]) -> None:
    """Measures a function that blocks."""
    run = _Run()
    while run.goes_on():
        run.took(validate(next(run.tokens)))
    run.report(time.perf_counter())


async def in_flight(validate: Callable[[str], Awaitable[object]]) -> None:
    """Measures a coroutine, with so many of them under way at a time."""
    run = _Run()

    async def work() -> None:
        while run.goes_on():
            run.took(await validate(next(run.tokens)))

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    run.report(time.perf_counter())
