"""Websockets: accepted with a session, refused before they are accepted without."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from routes import bearer, cookie
from starlette.testclient import WebSocketDenialResponse

from hanko import Session
from hanko.fastapi import require_session
from hanko.standin import StandIn


def open_socket(app: FastAPI, headers: dict[str, str], **scope: Any) -> list[dict[str, Any]]:
    """What an application sends when a websocket is opened, on a server of one's own making."""
    sent: list[dict[str, Any]] = []
    full_scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "path": "/socket",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        **scope,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(full_scope, receive, send))
    return sent


@pytest.mark.parametrize("header", [cookie, bearer])
def test_a_session_opens_a_websocket(client: TestClient, standin: StandIn, header: Any) -> None:
    session = standin.mint_session()
    with client.websocket_connect("/socket", headers=header(session.token)) as socket:
        assert socket.receive_text() == session.user_id


def test_a_websocket_without_a_session_is_refused_with_401(client: TestClient, standin: StandIn) -> None:
    for headers in ({}, cookie(standin.mint_forged().token)):
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/socket", headers=headers):
            pass
        answer = refused.value
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "Cookie, Authorization"


@pytest.mark.parametrize("path", ["/socket", "/optional-socket"])
def test_a_websocket_in_an_outage_is_refused_with_503(client: TestClient, standin: StandIn, path: str) -> None:
    headers = cookie(standin.mint_session().token)
    standin.stop_listening()
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(path, headers=headers):
        pass
    assert refused.value.status_code == 503
    assert int(refused.value.headers["retry-after"]) > 0


def test_an_optional_session_of_a_websocket(client: TestClient, standin: StandIn) -> None:
    session = standin.mint_session()
    for headers, text in (({}, "nobody"), (cookie("stale"), "nobody"), (cookie(session.token), session.user_id)):
        with client.websocket_connect("/optional-socket", headers=headers) as socket:
            assert socket.receive_text() == text


def test_a_response_to_a_handshake_varies(client: TestClient, app: FastAPI, standin: StandIn) -> None:
    @app.websocket("/refusing")
    async def refuse(socket: WebSocket, session: Annotated[Session, Depends(require_session)]) -> None:
        await socket.send_denial_response(PlainTextResponse(f"not for {session.user_id}"))

    headers = cookie(standin.mint_session().token)
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/refusing", headers=headers):
        pass
    assert refused.value.headers["vary"] == "Cookie, Authorization"


def test_a_server_that_can_only_close_is_told_why(app: FastAPI, standin: StandIn) -> None:
    headers = cookie(standin.mint_session().token)
    without: list[dict[str, Any]] = [{}, {"extensions": None}, {"extensions": {}}]
    for scope in without:
        assert open_socket(app, {}, **scope) == [{"type": "websocket.close", "code": 1008, "reason": "Invalid token"}]
    standin.stop_listening()
    (closed,) = open_socket(app, headers)
    assert closed == {"type": "websocket.close", "code": 1013, "reason": "Authentication service unavailable"}


def test_an_old_starlette_closes_too(app: FastAPI, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    # Before 0.41 an HTTPException of a websocket was dropped, and the server was left without an answer.
    monkeypatch.setattr("hanko.fastapi._STARLETTE_VERSION", [0, 40])
    (closed,) = open_socket(app, {}, extensions={"websocket.http.response": {}})
    assert closed == {"type": "websocket.close", "code": 1008, "reason": "Invalid token"}
