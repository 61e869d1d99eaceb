"""The kinds of event loop, and programs that run in them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable

import pytest


def new_asyncio_loop() -> asyncio.AbstractEventLoop:
    """A loop of asyncio itself."""
    return asyncio.SelectorEventLoop()


def new_uvloop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop."""
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


NewLoop = Callable[[], asyncio.AbstractEventLoop]
each_loop = pytest.mark.parametrize("new_loop", [new_asyncio_loop, new_uvloop], ids=["asyncio", "uvloop"])


def run_in(loop: asyncio.AbstractEventLoop, program: Coroutine[Any, Any, Any], close: bool = True) -> Any:
    """Run a program in a loop as `asyncio.run` does, in debug mode."""
    loop.set_debug(True)
    problems: list[str] = []
    loop.set_exception_handler(lambda _, context: problems.append(str(context)))
    try:
        return loop.run_until_complete(asyncio.wait_for(program, 60))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        if close:
            loop.close()
        assert problems == []
