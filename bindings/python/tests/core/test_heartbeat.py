"""The event loop is never held up, however many validations hang."""

from __future__ import annotations

import asyncio
import time
from typing import Callable

import pytest
from loops import NewLoop, each_loop

import hanko

HANGING = 200
SECONDS = 5.0
LONGEST_PAUSE = 0.5


@each_loop
def test_the_heart_beats_while_200_validations_hang(
    new_loop: NewLoop, serve_in_a_process: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve_in_a_process(SECONDS)
    pauses: list[float] = []

    async def beat() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            pauses.append(now - last)
            last = now

    async def program() -> float:
        async with hanko.AsyncClient(url, max_connections=HANGING, timeout=30) as client:
            heart = asyncio.ensure_future(beat())
            began = time.monotonic()
            sessions = await asyncio.gather(*[client.validate(f"token-{number}") for number in range(HANGING)])
            took = time.monotonic() - began
            heart.cancel()
            assert len(sessions) == HANGING
            return took

    loop = new_loop()
    took = loop.run_until_complete(program())
    loop.close()
    with capsys.disabled():
        kind = type(loop).__module__.split(".")[0]
        print(f"\n{kind}: longest pause of the loop {max(pauses) * 1000:.1f} ms, {len(pauses)} beats in {took:.1f} s")
    assert took >= SECONDS, "the validations did not hang"
    assert len(pauses) > 100
    assert max(pauses) < LONGEST_PAUSE
