"""`@session_required`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Optional, TypeVar, overload

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .._framework import Outcome
from .responses import add_vary, refusal_response
from .sessions import ask, ask_async, http_request, set_session

_View = TypeVar("_View", bound=Callable[..., Any])


@overload
def session_required(view: _View) -> _View: ...
@overload
def session_required(*, optional: bool = ...) -> Callable[[_View], _View]: ...
def session_required(view: Optional[_View] = None, *, optional: bool = False) -> Any:
    """Let a view run only with a session that Hanko calls valid, which is then `request.hanko_session`.

    The client gets 401 without one and 503 where Hanko could not be asked. With ``optional=True`` a request without a
    token, or with a refused one, runs the view and `request.hanko_session` is None; an outage is still 503.

    For functions and coroutines, with the middleware or without it (errors that such a view raises then become
    responses without `Vary`); for classes, ``@method_decorator(session_required, name="dispatch")``.
    """

    def decorate(decorated: Callable[..., Any]) -> Callable[..., Any]:
        return _guarded(decorated, optional)

    return decorate if view is None else decorate(view)


def _guarded(view: Callable[..., Any], optional: bool) -> Callable[..., Any]:
    if not callable(view) or inspect.isclass(view):
        raise TypeError('for a class, use @method_decorator(session_required, name="dispatch")')

    if _gives_coroutines(view):

        @wraps(view)
        async def guarded_coroutine(request: Any, *args: Any, **kwargs: Any) -> Any:
            asked_about = http_request(request)
            refusal = admit(asked_about, await ask_async(asked_about), optional)
            return _varied(await view(request, *args, **kwargs)) if refusal is None else refusal

        return guarded_coroutine

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        asked_about = http_request(request)
        refusal = admit(asked_about, ask(asked_about), optional)
        return _varied(view(request, *args, **kwargs)) if refusal is None else refusal

    return guarded


def admit(request: HttpRequest, outcome: Outcome, optional: bool = False) -> Optional[HttpResponseBase]:
    """Set `request.hanko_session`; the response that refuses the request, or `None`."""
    set_session(request, outcome.session)
    error = outcome.refusal(optional)
    return None if error is None else refusal_response(error)


def _gives_coroutines(view: Any) -> bool:
    """Whether a view must be awaited: a coroutine function, or a method of a class whose handlers are some.

    The latter is mostly `dispatch`, a plain function that gives what the handler gives; `method_decorator` hands it
    over as a partial of the bound method, and other decorators may have wrapped that.
    """
    if iscoroutinefunction(view):
        return True
    while not hasattr(view, "__self__"):
        inner = view.func if isinstance(view, partial) else getattr(view, "__wrapped__", None)
        if inner is None:
            return False
        view = inner
    return bool(getattr(view.__self__, "view_is_async", False))


def _varied(response: Any) -> Any:
    if isinstance(response, HttpResponseBase):
        add_vary(response)
    return response
