"""A Flask backend with one route for logged-in users, and a page that shows in the browser what that route answers.

    HANKO_API_URL=https://your-tenant.hanko.io flask --app examples/flask/app.py run
"""

from __future__ import annotations

import json
import os
import secrets
import urllib.request
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify
from hanko.flask import current_session, require_session

app = Flask(__name__)


@app.get("/me")
@require_session
def me() -> Response:
    """Who is logged in. Without a session this is never reached: 401, or 503 while Hanko cannot be asked."""
    return jsonify(user_id=current_session.user_id, email=current_session.email)


@app.get("/")
def page() -> str:
    """The page for the browser."""
    text = (Path(__file__).parent.parent / "page.html").read_text("utf-8")
    return text.replace("libhanko example", "Flask example")


# --- For development only. HANKO_ADMIN_URL is the admin port of a stand-in Hanko; without it, nothing below exists. ---


def ask_standin(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request to the stand-in, never by a proxy."""
    request = urllib.request.Request(os.environ["HANKO_ADMIN_URL"] + path, json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return dict(json.loads(answer.read() or "{}"))


if "HANKO_ADMIN_URL" in os.environ:

    @app.post("/development/login")
    def login() -> Response:
        """Make a new user with a session, and set the cookie as Hanko does: no script can read it."""
        email = f"user-{secrets.token_hex(3)}@example.com"
        minted = ask_standin("POST", "/standin/session", {"email": email})
        response = jsonify(user_id=minted["user_id"], email=email)
        response.set_cookie("hanko", minted["session_token"], httponly=True, samesite="Lax")
        return response

    @app.post("/development/logout")
    @require_session
    def logout() -> Response:
        """End the session at the stand-in and delete the cookie."""
        ask_standin("DELETE", f"/users/{current_session.user_id}/sessions/{current_session.session_id}", {})
        response = jsonify(user_id=None)
        response.delete_cookie("hanko", httponly=True, samesite="Lax")
        return response

    @app.post("/development/<any('break', 'restore'):what>")
    def outage(what: str) -> Response:
        """Take the stand-in's database away, or give it back."""
        return jsonify(ask_standin("PUT", "/standin/database", {"down": what == "break"}))
