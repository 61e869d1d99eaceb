"""Who sent a request: asked once, and kept with it."""

from __future__ import annotations

from typing import Any, Literal, Optional, cast, overload

from django.http import HttpRequest
from django.utils.asyncio import async_unsafe

from .._framework import Inquiry, Outcome, asgi_credentials
from .._session import Session
from . import configuration

_INQUIRY = "_hanko_inquiry"
_SESSION = "hanko_session"


@overload
def get_session(request: Any, *, optional: Literal[False] = ...) -> Session: ...
@overload
def get_session(request: Any, *, optional: bool) -> Optional[Session]: ...
def get_session(request: Any, *, optional: bool = False) -> Optional[Session]:
    """The session of a request, on any path; Hanko is asked once a request, however often this is called.

    Raises `InvalidToken` without a valid one and `NotChecked` where Hanko could not be asked; the middleware makes 401
    and 503 of these. With ``optional=True`` no token, or only refused ones, gives `None`; an outage still raises.

    Blocks until the deadline at most, so coroutines use `aget_session`: here they get SynchronousOnlyOperation. In
    tests a request whose attribute `hanko_session` holds a `Session` is believed.
    """
    return ask(http_request(request)).result(optional)


@overload
async def aget_session(request: Any, *, optional: Literal[False] = ...) -> Session: ...
@overload
async def aget_session(request: Any, *, optional: bool) -> Optional[Session]: ...
async def aget_session(request: Any, *, optional: bool = False) -> Optional[Session]:
    """`get_session` for coroutines; never blocks the loop."""
    return (await ask_async(http_request(request))).result(optional)


def http_request(request: Any) -> HttpRequest:
    """Django's request, also from inside the one of Django REST framework; TypeError for anything else."""
    if not isinstance(request, HttpRequest):
        request = getattr(request, "_request", request)
    if not isinstance(request, HttpRequest):
        raise TypeError(
            f"expected a request, not {type(request).__name__};"
            " methods of classes are decorated with @method_decorator(session_required)"
        )
    return request


def known_outcome(request: HttpRequest) -> Optional[Outcome]:
    """What is already known about a request; `None` as long as nobody asked."""
    session = getattr(request, _SESSION, None)
    if isinstance(session, Session):
        return Outcome(session=session)
    inquiry = _inquiry_of(request)
    return None if inquiry is None else inquiry.outcome


def ask(request: HttpRequest) -> Outcome:
    """Ask Hanko, unless it is known; not from a coroutine."""
    return known_outcome(request) or cast(Outcome, _ask_now(request))


_not_on_event_loop: Any = async_unsafe(
    "Asking Hanko would block the event loop: use `await aget_session(request)` in coroutines."
)


@_not_on_event_loop
def _ask_now(request: HttpRequest) -> Outcome:
    return _inquiry(request).ask(configuration.clients, configuration.client_settings())


async def ask_async(request: HttpRequest) -> Outcome:
    """Ask Hanko, unless it is known."""
    return known_outcome(request) or await _inquiry(request).ask_async(
        configuration.async_clients, configuration.client_settings()
    )


def was_looked_at(request: HttpRequest) -> bool:
    """Whether a response may depend on the credentials of its request."""
    return _inquiry_of(request) is not None


def set_session(request: HttpRequest, session: Optional[Session]) -> None:
    """Set `request.hanko_session`."""
    setattr(request, _SESSION, session)


def _inquiry_of(request: HttpRequest) -> Optional[Inquiry]:
    return cast(Optional[Inquiry], getattr(request, _INQUIRY, None))


def _inquiry(request: HttpRequest) -> Inquiry:
    inquiry = _inquiry_of(request)
    if inquiry is None:
        cookie, authorization = request.META.get("HTTP_COOKIE"), request.META.get("HTTP_AUTHORIZATION")
        scope = getattr(request, "scope", None)
        if scope is not None:  # ASGI: older Djangos join several Cookie fields with a comma
            cookie = asgi_credentials(scope.get("headers", []))[0]
        inquiry = Inquiry((cookie, authorization))
        setattr(request, _INQUIRY, inquiry)
    return inquiry
