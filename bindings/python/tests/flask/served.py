"""The app that the tests serve. It has asked before the server forks, so that the workers inherit a client in use."""

from __future__ import annotations

import asyncio
import os

from flask import Flask

from hanko.flask import Hanko, current_session, require_session

app = Flask(__name__)
Hanko(app, protected_paths=["/api"])


@app.get("/api/me")
def me() -> dict[str, object]:
    """Whose session it is, and which worker says so."""
    return {"user_id": current_session.user_id, "process": os.getpid()}


@app.get("/async/me")
@require_session
async def async_me() -> dict[str, object]:
    """The same in a coroutine."""
    await asyncio.sleep(0)
    return {"user_id": current_session.user_id, "process": os.getpid()}


@app.get("/open")
def unguarded() -> dict[str, object]:
    """A page for everybody."""
    return {"process": os.getpid()}


before_the_fork = app.test_client()
for path in ("/api/me", "/async/me"):
    assert before_the_fork.get(path, headers={"Authorization": "Bearer refused"}).status_code == 401
