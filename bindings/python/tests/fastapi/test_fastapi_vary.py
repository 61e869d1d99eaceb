"""Every response whose credentials were looked at says so: a page cache must not hand one user's page to another."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Annotated, Callable

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.testclient import TestClient
from routes import cookie, make_app, show_error
from starlette.applications import Starlette
from starlette.routing import Mount

from hanko import Session
from hanko.fastapi import require_session
from hanko.standin import StandIn

ANSWERS = {
    "/me": 200,
    "/optional": 200,
    "/answer/response": 200,
    "/answer/redirect": 307,
    "/answer/stream": 200,
    "/answer/exception": 404,
    "/answer/validation": 422,
    "/answer/failure": 500,
    "/answer/bad-answer": 500,
}


def varies_with(headers: Mapping[str, str]) -> set[str]:
    """The headers of requests that an answer varies with, in lower case; each must stand there once."""
    listed = [name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()]
    assert len(listed) == len(set(listed))
    return set(listed)


@pytest.mark.parametrize(("path", "status"), ANSWERS.items())
def test_every_kind_of_response_varies(client: TestClient, standin: StandIn, path: str, status: int) -> None:
    # The very first request of an application as well as later ones.
    for _ in range(2):
        answer = client.get(path, headers=cookie(standin.mint_session().token), follow_redirects=False)
        assert answer.status_code == status
        assert {"cookie", "authorization"} <= varies_with(answer.headers)


@pytest.mark.parametrize("path", ["/open", "/no-such-route", "/docs", "/openapi.json"])
def test_a_response_that_nobody_was_asked_for_does_not(client: TestClient, standin: StandIn, path: str) -> None:
    answer = client.get(path, headers=cookie(standin.mint_session().token))
    assert "vary" not in answer.headers
    assert standin.requests == 0


def test_what_is_there_is_kept(client: TestClient, standin: StandIn) -> None:
    headers = cookie(standin.mint_session().token)
    assert client.get("/answer/response", headers=headers).headers["vary"] == "Accept-Language, Cookie, Authorization"
    assert client.get("/answer/everything", headers=headers).headers["vary"] == "*"


def test_handlers_of_the_application_cannot_lose_it(app: FastAPI, standin: StandIn) -> None:
    app.add_exception_handler(HTTPException, show_error)
    app.add_exception_handler(Exception, show_error)
    client = TestClient(app, raise_server_exceptions=False)
    headers = cookie(standin.mint_session().token)
    for path, status, sent in (
        ("/me", 401, {}),
        ("/answer/exception", 404, headers),
        ("/answer/failure", 500, headers),
    ):
        answer = client.get(path, headers=sent)
        assert (answer.status_code, answer.json()) == (status, {"error": "something"})
        assert varies_with(answer.headers) == {"cookie", "authorization"}


def test_with_the_middleware_of_others(app: FastAPI, standin: StandIn) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_credentials=True)

    @app.middleware("http")
    async def timing(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["X-Timing"] = "0"
        return response

    client = TestClient(app)
    headers = {**cookie(standin.mint_session().token), "Origin": "https://app.example"}
    answer = client.get("/me", headers=headers)
    assert varies_with(answer.headers) == {"accept-encoding", "origin", "cookie", "authorization"}
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["x-timing"] == "0"


def test_cors_answers_its_preflights_and_lets_scripts_read_refusals(app: FastAPI, standin: StandIn) -> None:
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_credentials=True)
    client = TestClient(app)
    origin = {"Origin": "https://app.example"}
    preflight = client.options("/me", headers={**origin, "Access-Control-Request-Method": "GET"})
    assert preflight.status_code == 200
    refusal = client.get("/me", headers=origin)
    assert refusal.status_code == 401
    assert refusal.headers["access-control-allow-origin"] == "https://app.example"
    assert standin.requests == 0


def test_in_mounted_applications(standin: StandIn) -> None:
    headers = cookie(standin.mint_session().token)
    inner = make_app()
    outer = FastAPI()
    outer.mount("/inner", inner)
    for client in (TestClient(outer), TestClient(Starlette(routes=[Mount("/inner", inner)]))):
        for path in ("/inner/me", "/inner/answer/response"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 200
            assert {"cookie", "authorization"} <= varies_with(answer.headers)


def test_an_application_that_is_an_own_class(standin: StandIn) -> None:
    class Application(FastAPI):
        pass

    app = Application(dependencies=[Depends(require_session)])

    @app.get("/direct")
    async def direct() -> Response:
        return Response("text")

    answer = TestClient(app).get("/direct", headers=cookie(standin.mint_session().token))
    assert (answer.status_code, varies_with(answer.headers)) == (200, {"cookie", "authorization"})


def test_background_tasks_still_run(app: FastAPI, standin: StandIn) -> None:
    done: list[str] = []

    @app.get("/background")
    async def background(
        session: Annotated[Session, Depends(require_session)], tasks: BackgroundTasks
    ) -> dict[str, str]:
        tasks.add_task(done.append, session.user_id)
        return {"user_id": session.user_id}

    session = standin.mint_session()
    answer = TestClient(app).get("/background", headers=cookie(session.token))
    assert varies_with(answer.headers) == {"cookie", "authorization"}
    assert done == [session.user_id]
