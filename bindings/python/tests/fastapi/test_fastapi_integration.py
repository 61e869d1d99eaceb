"""FastAPI's own ways to use a dependency: overrides, routers, the OpenAPI page.

No `from __future__ import annotations` here: FastAPI finds only global names in annotations that are texts.
"""
# ruff: noqa: FA100

from collections.abc import Awaitable
from typing import Annotated, Any, Callable, Optional

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.testclient import TestClient
from routes import cookie, make_app

from hanko import Session
from hanko.fastapi import Hanko, optional_session, require_session
from hanko.standin import StandIn


def test_overrides_replace_the_dependencies(app: FastAPI, standin: StandIn) -> None:
    app.dependency_overrides[require_session] = lambda: Session(user_id="ada")
    app.dependency_overrides[optional_session] = lambda: None
    client = TestClient(app)
    assert client.get("/me").json() == {"user_id": "ada", "email": None}
    assert client.get("/security").json() == {"user_id": "ada"}
    assert client.get("/optional").json() == {"user_id": None}
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "ada"
    assert standin.requests == 0
    app.dependency_overrides.clear()
    assert client.get("/me").status_code == 401


def test_overrides_of_one_hanko(standin: StandIn) -> None:
    auth = Hanko()
    app = make_app(auth)
    app.dependency_overrides[auth.require_session] = lambda: Session(user_id="ada")
    client = TestClient(app)
    assert client.get("/me").json()["user_id"] == "ada"
    app.dependency_overrides = {require_session: lambda: Session(user_id="ada")}
    assert client.get("/me").status_code == 401


def test_a_dependency_on_the_dependency(app: FastAPI, standin: StandIn) -> None:
    async def user_id(session: Annotated[Session, Depends(require_session)]) -> str:
        return session.user_id

    @app.get("/nested")
    async def nested(user: Annotated[str, Depends(user_id)]) -> str:
        return user

    session = standin.mint_session()
    client = TestClient(app)
    assert client.get("/nested").status_code == 401
    assert client.get("/nested", headers=cookie(session.token)).json() == session.user_id


@pytest.mark.parametrize("place", ["application", "router", "include", "route"])
def test_the_dependency_of_many_routes(standin: StandIn, place: str) -> None:
    needed = [Depends(require_session)]
    app = FastAPI(dependencies=needed if place == "application" else None)
    router = APIRouter(dependencies=needed if place == "router" else None)

    @router.get("/data", dependencies=needed if place == "route" else None)
    async def data() -> str:
        return "data"

    app.include_router(router, dependencies=needed if place == "include" else None)
    client = TestClient(app)
    assert client.get("/data").status_code == 401
    assert client.get("/data", headers=cookie(standin.mint_session().token)).json() == "data"


def test_a_router_that_needs_a_session_and_a_route_that_takes_it_ask_once(standin: StandIn) -> None:
    app = FastAPI(dependencies=[Depends(require_session)])

    @app.get("/data")
    async def data(session: Annotated[Optional[Session], Depends(optional_session)]) -> Optional[str]:
        return session.user_id if session else None

    session = standin.mint_session()
    assert TestClient(app).get("/data", headers=cookie(session.token)).json() == session.user_id
    assert standin.requests == 1


def test_a_middleware_and_a_mounted_application_ask_once(app: FastAPI, standin: StandIn) -> None:
    outer = FastAPI()
    outer.mount("/inner", app)
    seen: list[Optional[Session]] = []

    @outer.middleware("http")
    async def note_user(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        seen.append(await optional_session(request))
        return await call_next(request)

    session = standin.mint_session()
    answer = TestClient(outer).get("/inner/me", headers=cookie(session.token))
    assert (answer.status_code, answer.headers["vary"]) == (200, "Cookie, Authorization")
    assert [found.user_id for found in seen if found] == [session.user_id]
    assert standin.requests == 1


def operation(app: FastAPI, path: str) -> dict[str, Any]:
    """What the OpenAPI page says of GET."""
    return dict(app.openapi()["paths"][path]["get"])


def test_the_openapi_page_shows_both_schemes(app: FastAPI) -> None:
    schemes = app.openapi()["components"]["securitySchemes"]
    assert schemes["HankoCookie"] == {
        "type": "apiKey",
        "in": "cookie",
        "name": "hanko",
        "description": "The session cookie that Hanko sets.",
    }
    assert schemes["HankoBearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A Hanko session token.",
    }
    for path in ("/me", "/optional", "/answer/response"):
        # A list of alternatives: one of them is enough.
        assert operation(app, path)["security"] == [{"HankoCookie": []}, {"HankoBearer": []}]
        assert "parameters" not in operation(app, path) and "requestBody" not in operation(app, path)
    assert "security" not in operation(app, "/open")


def test_the_openapi_page_names_the_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    def cookie_name(auth: Hanko) -> str:
        return str(make_app(auth).openapi()["components"]["securitySchemes"]["HankoCookie"]["name"])

    assert cookie_name(Hanko(cookie_name="session")) == "session"
    monkeypatch.setenv("HANKO_COOKIE_NAME", "from-environment")
    assert cookie_name(Hanko()) == "from-environment"
    assert cookie_name(Hanko(cookie_name="session")) == "session"
