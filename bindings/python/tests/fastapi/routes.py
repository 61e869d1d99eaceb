"""The application that the tests ask: each route answers in another way, and all of them know the session.

No `from __future__ import annotations` here: FastAPI finds only global names in annotations that are texts.
"""
# ruff: noqa: FA100

from collections.abc import Iterator
from typing import Annotated, Any, Optional

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse

from hanko import Session
from hanko.fastapi import Hanko, optional_session, require_session


def cookie(*tokens: str, name: str = "hanko") -> dict[str, str]:
    """The header of a browser that has these cookies."""
    return {"Cookie": "; ".join(f"{name}={token}" for token in tokens)}


def bearer(token: str) -> dict[str, str]:
    """The header of a client that sends the token itself."""
    return {"Authorization": f"Bearer {token}"}


def make_app(auth: Optional[Hanko] = None, **options: Any) -> FastAPI:
    """An application over a `Hanko`, or over the functions of the module."""
    app = FastAPI(**options)
    app.include_router(make_router(auth))
    return app


def make_router(auth: Optional[Hanko] = None) -> APIRouter:
    """The routes."""
    required = Depends(auth.require_session if auth else require_session)
    optional = Depends(auth.optional_session if auth else optional_session)
    secured = Security(auth.require_session if auth else require_session, scopes=["read"])
    router = APIRouter()

    @router.get("/me")
    @router.head("/me")
    async def me(session: Annotated[Session, required]) -> dict[str, Optional[str]]:
        return {"user_id": session.user_id, "email": session.email}

    @router.get("/blocking")
    def blocking(session: Annotated[Session, required]) -> dict[str, str]:
        return {"user_id": session.user_id}

    @router.get("/security")
    async def security(session: Annotated[Session, secured]) -> dict[str, str]:
        return {"user_id": session.user_id}

    @router.get("/optional")
    async def optional_me(session: Annotated[Optional[Session], optional]) -> dict[str, Optional[str]]:
        return {"user_id": session.user_id if session else None}

    @router.get("/both")
    async def both(
        session: Annotated[Session, required],
        again: Annotated[Optional[Session], optional],
        secured_session: Annotated[Session, secured],
    ) -> dict[str, bool]:
        return {"same": session is again is secured_session}

    @router.options("/options")
    async def options(session: Annotated[Optional[Session], required]) -> dict[str, Optional[str]]:
        return {"user_id": session.user_id if session else None}

    @router.get("/open")
    async def everybody() -> dict[str, str]:
        return {"hello": "world"}

    add_answers(router, required)

    @router.websocket("/socket")
    async def socket(socket: WebSocket, session: Annotated[Session, required]) -> None:
        await socket.accept()
        await socket.send_text(session.user_id)
        await socket.close()

    @router.websocket("/optional-socket")
    async def optional_socket(socket: WebSocket, session: Annotated[Optional[Session], optional]) -> None:
        await socket.accept()
        await socket.send_text(session.user_id if session else "nobody")
        await socket.close()

    return router


def add_answers(router: APIRouter, required: Any) -> None:
    """Routes that answer in every way there is, each after the session was found."""

    @router.get("/answer/response", dependencies=[required])
    async def response() -> PlainTextResponse:
        return PlainTextResponse("text", headers={"Vary": "Accept-Language"})

    @router.get("/answer/everything", dependencies=[required])
    async def everything() -> PlainTextResponse:
        return PlainTextResponse("text", headers={"Vary": "*"})

    @router.get("/answer/redirect", dependencies=[required])
    async def redirect() -> RedirectResponse:
        return RedirectResponse("/open")

    @router.get("/answer/stream", dependencies=[required])
    async def stream() -> StreamingResponse:
        def lines() -> Iterator[str]:
            yield "first\n"
            yield "second\n"

        return StreamingResponse(lines())

    @router.get("/answer/exception", dependencies=[required])
    async def exception() -> None:
        raise HTTPException(404, "no such thing")

    @router.get("/answer/failure", dependencies=[required])
    async def failure() -> None:
        raise RuntimeError("a mistake in a view")

    @router.get("/answer/validation", dependencies=[required])
    async def validation(number: int) -> int:
        return number

    @router.get("/answer/bad-answer", dependencies=[required], response_model=int)
    async def bad_answer() -> str:
        return "not a number"


async def show_error(request: Request, error: Exception) -> JSONResponse:
    """A handler of the application's own that drops the headers of an exception."""
    return JSONResponse({"error": "something"}, status_code=getattr(error, "status_code", 500))
