"""The FastAPI example with a heartbeat in its event loop, for `make demo-python` only: no backend needs it.

`uvicorn --app-dir examples/demo heartbeat:app` serves the example and, at `/heartbeat`, the longest pause of the loop
since that was last asked for.
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BEAT_SECONDS = 0.001
EXAMPLE = Path(__file__).resolve().parents[1] / "fastapi/app.py"


class WithHeartbeat:
    """An application whose loop is watched: how long nobody else was served, at the longest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._longest_pause = 0.0
        self._task: asyncio.Task[None] | None = None  # the loop itself does not keep it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the application, and `/heartbeat`."""
        if scope["type"] == "lifespan":
            self._task = asyncio.ensure_future(self._beat())
        if scope["type"] == "http" and scope["path"] == "/heartbeat":
            longest_pause, self._longest_pause = self._longest_pause, 0.0
            await JSONResponse({"longest_pause_ms": longest_pause * 1000})(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._longest_pause = max(self._longest_pause, time.monotonic() - before - BEAT_SECONDS)


def load_example() -> ASGIApp:
    """The example's application, from its file: the name of its folder is that of a package."""
    specification = importlib.util.spec_from_file_location("example", EXAMPLE)
    if specification is None or specification.loader is None:
        raise ImportError(f"there is no example at {EXAMPLE}")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    app: ASGIApp = module.app
    return app


app = WithHeartbeat(load_example())
