"""A Django backend with one route for logged-in users, and a page that shows in the browser what that route answers.

    HANKO_API_URL=https://your-tenant.hanko.io python3 examples/django/app.py runserver
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from hanko.django import get_session

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=["hanko.django.HankoMiddleware"],
    HANKO_PROTECTED_PATHS=["/me", "/development/logout"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", "for this example, which signs nothing"),
)


def me(request: HttpRequest) -> JsonResponse:
    """Who is logged in. Without a session this is never reached: 401, or 503 while Hanko cannot be asked."""
    session = get_session(request)
    return JsonResponse({"user_id": session.user_id, "email": session.email})


def page(request: HttpRequest) -> HttpResponse:
    """The page for the browser."""
    text = (Path(__file__).parent.parent / "page.html").read_text("utf-8")
    return HttpResponse(text.replace("libhanko example", "Django example"))


urlpatterns = [path("", page), path("me", me)]


# --- For development only. HANKO_ADMIN_URL is the admin port of a stand-in Hanko; without it, nothing below exists. ---


def ask_standin(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request to the stand-in, never by a proxy."""
    request = urllib.request.Request(os.environ["HANKO_ADMIN_URL"] + path, json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return dict(json.loads(answer.read() or "{}"))


@require_POST
def login(request: HttpRequest) -> JsonResponse:
    """Make a new user with a session, and set the cookie as Hanko does: no script can read it."""
    email = f"user-{secrets.token_hex(3)}@example.com"
    minted = ask_standin("POST", "/standin/session", {"email": email})
    response = JsonResponse({"user_id": minted["user_id"], "email": email})
    response.set_cookie("hanko", minted["session_token"], httponly=True, samesite="Lax")
    return response


@require_POST
def logout(request: HttpRequest) -> JsonResponse:
    """End the session at the stand-in and delete the cookie."""
    session = get_session(request)
    ask_standin("DELETE", f"/users/{session.user_id}/sessions/{session.session_id}", {})
    response = JsonResponse({"user_id": None})
    response.delete_cookie("hanko", samesite="Lax")
    return response


@require_POST
def outage(request: HttpRequest, down: bool) -> JsonResponse:
    """Take the stand-in's database away, or give it back."""
    return JsonResponse(ask_standin("PUT", "/standin/database", {"down": down}))


if "HANKO_ADMIN_URL" in os.environ:
    urlpatterns += [
        path("development/login", login),
        path("development/logout", logout),
        path("development/break", outage, {"down": True}),
        path("development/restore", outage, {"down": False}),
    ]


# --- For a server: `gunicorn --chdir examples/django app:application`, or an ASGI server with `app:asynchronous`. -----

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
else:
    application = get_wsgi_application()
    asynchronous = get_asgi_application()
