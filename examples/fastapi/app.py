"""A FastAPI backend with one route for logged-in users, and a page that shows in the browser what that route answers.

    HANKO_API_URL=https://your-tenant.hanko.io uvicorn --app-dir examples/fastapi app:app
"""

from __future__ import annotations

import json
import os
import secrets
import urllib.request
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

from fastapi import Depends, FastAPI, Response
from fastapi.responses import HTMLResponse
from hanko import Session
from hanko.fastapi import lifespan, require_session

app = FastAPI(title="FastAPI example", lifespan=lifespan)


@app.get("/me")
async def me(session: Annotated[Session, Depends(require_session)]) -> dict[str, Optional[str]]:
    """Who is logged in. Without a session this is never reached: 401, or 503 while Hanko cannot be asked."""
    return {"user_id": session.user_id, "email": session.email}


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    """The page for the browser."""
    text = (Path(__file__).parent.parent / "page.html").read_text("utf-8")
    return text.replace("libhanko example", "FastAPI example")


# --- For development only. HANKO_ADMIN_URL is the admin port of a stand-in Hanko; without it, nothing below exists. ---


def ask_standin(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request to the stand-in, never by a proxy."""
    request = urllib.request.Request(os.environ["HANKO_ADMIN_URL"] + path, json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return dict(json.loads(answer.read() or "{}"))


if "HANKO_ADMIN_URL" in os.environ:
    # No `async`: these wait for the stand-in, in a thread that FastAPI gives them.

    @app.post("/development/login")
    def login(response: Response) -> dict[str, str]:
        """Make a new user with a session, and set the cookie as Hanko does: no script can read it."""
        email = f"user-{secrets.token_hex(3)}@example.com"
        minted = ask_standin("POST", "/standin/session", {"email": email})
        response.set_cookie("hanko", minted["session_token"], httponly=True, samesite="lax")
        return {"user_id": minted["user_id"], "email": email}

    @app.post("/development/logout")
    def logout(session: Annotated[Session, Depends(require_session)], response: Response) -> dict[str, None]:
        """End the session at the stand-in and delete the cookie."""
        ask_standin("DELETE", f"/users/{session.user_id}/sessions/{session.session_id}", {})
        response.delete_cookie("hanko", httponly=True, samesite="lax")
        return {"user_id": None}

    @app.post("/development/{what}")
    def outage(what: Literal["break", "restore"]) -> dict[str, Any]:
        """Take the stand-in's database away, or give it back."""
        return ask_standin("PUT", "/standin/database", {"down": what == "break"})
