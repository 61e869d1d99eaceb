"""Hanko sessions for FastAPI: dependencies that ask Hanko who sent a request or opened a websocket.

::

    from typing import Annotated

    from fastapi import Depends, FastAPI
    from hanko import Session
    from hanko.fastapi import lifespan, require_session

    app = FastAPI(lifespan=lifespan)


    @app.get("/me")
    async def me(session: Annotated[Session, Depends(require_session)]):
        return {"user_id": session.user_id}

The token comes from the cookie or from `Authorization: Bearer`. A refused one is answered with 401, and with 503 where
Hanko could not be asked. `Hanko(...)` makes such dependencies with settings of their own.

Importing this module wraps `FastAPI.__call__`: a dependency cannot reach a response that a route returns itself, nor
one of an exception handler, and each of them needs `Vary: Cookie, Authorization` once its credentials were looked at.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import threading
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Callable, cast

from ._framework import ClientSource, Inquiry, Refusal, asgi_credentials, merge_vary, missing_package

try:
    from fastapi import FastAPI, HTTPException, Security, WebSocketException
    from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
    from fastapi.requests import HTTPConnection
    from fastapi.security.base import SecurityBase
except ModuleNotFoundError as error:
    raise missing_package(error, "fastapi", "FastAPI") from None

import starlette
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from ._async_client import AsyncClient
from ._errors import HankoError
from ._session import Session
from ._settings import PathText, Settings

__all__ = ["Hanko", "lifespan", "optional_session", "require_session"]

_EXCHANGE = "hanko.exchange"
_STARLETTE_VERSION = [int(number) for number in re.findall(r"\d+", starlette.__version__)[:2]]
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013  # RFC 6455 and IANA: why a websocket is closed


class Hanko:
    """The dependencies and the lifespan for one Hanko.

    The arguments are those of `hanko.AsyncClient`: what is `None` comes from the environment. The client is made with
    the first request, or by `lifespan`, and anew when a HANKO_* variable has changed since. May be used by any number
    of applications, event loops and threads at once.

    Raises `ConfigurationError` or `TypeError` for an argument that no client could take. What is missing or wrong in
    the environment shows when the client is made: `lifespan` stops the start of the application, and without it
    requests are answered with 503 and the reason is logged.
    """

    require_session: Callable[[HTTPConnection], Awaitable[Session]]
    """A dependency: the session, or the request ends here with 401, or with 503 where Hanko could not be asked.

    A websocket is refused in the same way before it is accepted; where server or Starlette cannot answer a handshake
    so (the extension `websocket.http.response`), it is closed with 1008 or 1013, which clients see as a 403.

    A CORS preflight is answered by `CORSMiddleware`, or by the router where no route takes OPTIONS, before anybody is
    asked. One that reaches a route with this dependency is asked like every request: it must not run without a session.
    """

    optional_session: Callable[[HTTPConnection], Awaitable[Session | None]]
    """A dependency: the session, or `None` without a token or with only refused ones, such as a stale cookie.

    The request ends with 503 where Hanko could not be asked: nobody knows then whether there is a session.
    """

    def __init__(
        self,
        api_url: str | None = None,
        *,
        cookie_name: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_retries: int | None = None,
        max_connections: int | None = None,
        ca_file: PathText | None = None,
        allow_insecure_http: bool | None = None,
        audiences: Sequence[str] | None = None,
        confirm_rejections: bool | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        """Check the arguments; no request is made, and no client yet."""
        settings = Settings(
            api_url,
            cookie_name,
            timeout,
            connect_timeout,
            max_retries,
            max_connections,
            ca_file,
            allow_insecure_http,
            audiences,
            confirm_rejections,
            logger,
        )
        self._options = vars(settings)
        self._source = self._new_source()
        self._client: AsyncClient | None = None
        self._lifespans = 0
        self._lock = threading.Lock()
        # Functions, not methods: FastAPI reads the security schemes of this instance from their signatures, and
        # finds `app.dependency_overrides[auth.require_session]` because each of them is always the same object.
        self.require_session, self.optional_session = self._new_dependencies(cookie_name)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None, None]:
        """Make the client when an application starts, and close it when the last one has ended.

        For `FastAPI(lifespan=auth.lifespan)`, or `async with auth.lifespan(app):` inside a lifespan of your own. It
        asks nothing, so that an application starts while Hanko is away; `python -m hanko check` asks.

        Raises `ConfigurationError` where a setting is missing or not allowed.
        """
        self._source.client({})
        with self._lock:
            self._lifespans += 1
        try:
            yield
        finally:
            with self._lock:
                self._lifespans -= 1
                client = None if self._lifespans else self._take_client()
            if client is not None:
                await client.aclose()

    def _take_client(self) -> AsyncClient | None:
        """The client, to be closed; requests that come later make another one."""
        client, self._client = self._client, None
        self._source = self._new_source()
        return client

    def _new_source(self) -> ClientSource[AsyncClient]:
        return ClientSource(self._new_client, self._options)

    def _new_client(self, **options: Any) -> AsyncClient:
        self._client = client = AsyncClient(**options)
        return client

    def _new_dependencies(
        self, cookie_name: str | None
    ) -> tuple[
        Callable[[HTTPConnection], Awaitable[Session]],
        Callable[[HTTPConnection], Awaitable[Session | None]],
    ]:
        cookie, bearer = Security(_SessionCookie(cookie_name)), Security(_SessionBearer())

        async def require_session(
            connection: HTTPConnection, _cookie: None = cookie, _bearer: None = bearer
        ) -> Session:
            return cast(Session, await self._ask(connection, optional=False))

        async def optional_session(
            connection: HTTPConnection, _cookie: None = cookie, _bearer: None = bearer
        ) -> Session | None:
            return await self._ask(connection, optional=True)

        return require_session, optional_session

    async def _ask(self, connection: HTTPConnection, optional: bool) -> Session | None:
        scope = connection.scope
        outcome = await _Exchange.of(scope).inquiry(self, scope).ask_async(self._source, {})
        refusal = outcome.refusal(optional)
        if refusal is not None:
            raise _refused(scope, refusal) from refusal
        return outcome.session


class _Exchange:
    """What is known about one request while it is served; it is kept in its scope."""

    def __init__(self) -> None:
        self._inquiries: dict[Hanko, Inquiry] = {}

    @staticmethod
    def of(scope: Scope) -> _Exchange:
        """The one of a request."""
        return cast(_Exchange, scope.setdefault(_EXCHANGE, _Exchange()))

    def inquiry(self, auth: Hanko, scope: Scope) -> Inquiry:
        """Asks once for each `Hanko`, however many dependencies of a request want to know."""
        if auth not in self._inquiries:
            self._inquiries[auth] = Inquiry(asgi_credentials(scope["headers"]))
        return self._inquiries[auth]

    def mark_responses(self, send: Send) -> Send:
        """A `send` that adds `Vary` to the response if somebody has looked at the credentials by then."""

        async def send_marked(message: Message) -> None:
            if self._inquiries and message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers["vary"] = merge_vary(", ".join(headers.getlist("vary")))
                message = {**message, "headers": headers.raw}
            await send(message)

        return send_marked


def _refused(scope: Scope, error: HankoError) -> Exception:
    """What ends a request or a handshake, in the words that a client may see."""
    refusal = Refusal.of(error)
    if scope["type"] != "websocket" or _can_respond_to_handshake(scope):
        return HTTPException(refusal.status, refusal.detail, refusal.headers)
    return WebSocketException(_POLICY_VIOLATION if refusal.status == 401 else _TRY_AGAIN_LATER, refusal.detail)


def _can_respond_to_handshake(scope: Scope) -> bool:
    """Whether the server sends a response instead of opening a websocket, and Starlette (0.41) makes one of errors."""
    return _STARLETTE_VERSION >= [0, 41] and "websocket.http.response" in (scope.get("extensions") or {})


class _Scheme(SecurityBase):
    """Tells the OpenAPI page how to log in; FastAPI's own schemes would look at the headers, some not of websockets."""

    async def __call__(self) -> None:
        """Find nothing: the credentials are read together, by the dependency that names this scheme."""


class _SessionCookie(_Scheme):
    """The session cookie, as Hanko sets it."""

    scheme_name = "HankoCookie"

    def __init__(self, cookie_name: str | None) -> None:
        name = cookie_name or os.environ.get("HANKO_COOKIE_NAME") or "hanko"
        place: dict[str, Any] = {"in": APIKeyIn.cookie}  # no name that Python lets one write
        self.model = APIKey(**place, name=name, description="The session cookie that Hanko sets.")


class _SessionBearer(_Scheme):
    """The session token in the header `Authorization`."""

    scheme_name = "HankoBearer"

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="A Hanko session token.")


def _mark_responses_of_applications() -> None:
    """Have every application of FastAPI send its responses through the exchange of their request."""
    serve = FastAPI.__call__

    @functools.wraps(serve)
    async def serve_marked(self: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and _EXCHANGE not in scope:  # it is there in mounted applications
            exchange = _Exchange()
            scope, send = {**scope, _EXCHANGE: exchange}, exchange.mark_responses(send)
        await serve(self, scope, receive, send)

    FastAPI.__call__ = serve_marked  # type: ignore[method-assign]


_mark_responses_of_applications()

_default = Hanko()

require_session = _default.require_session
"""`Hanko.require_session` of a Hanko that is configured by the environment."""

optional_session = _default.optional_session
"""`Hanko.optional_session` of a Hanko that is configured by the environment."""

lifespan: Callable[[Any], AbstractAsyncContextManager[None]] = _default.lifespan
"""`Hanko.lifespan` of a Hanko that is configured by the environment."""
