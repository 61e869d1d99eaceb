"""The middleware for WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Optional, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .._errors import ConfigurationError, HankoError
from .._framework import Outcome, is_preflight, log_error
from . import configuration
from .decorators import admit
from .responses import add_vary, refusal_response
from .sessions import ask, ask_async, was_looked_at

_Response = Union[HttpResponseBase, Awaitable[HttpResponseBase]]


class HankoMiddleware:
    """Asks about every request under HANKO_PROTECTED_PATHS, and sets `request.hanko_session` on all.

    It is a Session on these paths, and elsewhere None without asking. A HankoError that a view lets pass becomes 401
    or 503. Responses whose credentials were looked at get `Vary: Cookie, Authorization`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Look at the settings: ConfigurationError names the one that is of no use, and stops the server's start.

        A missing API URL is none yet, because tests set it later; `manage.py check` reports it.
        """
        configuration.protected_paths()
        configuration.clients.check(configuration.client_settings())
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        # In the mode of the handler, which would otherwise send each request through a thread.
        self.process_view: Callable[..., Any] = self._process_view
        if self._is_async:
            markcoroutinefunction(self)
            self.process_view = self._process_view_async

    def __call__(self, request: HttpRequest) -> _Response:
        """Answer a request."""
        if self._is_async:
            return self._answer_async(request)
        refusal = admit(request, _outcome_without_asking(request) or ask(request))
        return _with_vary(request, self.get_response(request) if refusal is None else refusal)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        refusal = admit(request, _outcome_without_asking(request) or await ask_async(request))
        return _with_vary(request, await self.get_response(request) if refusal is None else refusal)

    # Again before the view, because another middleware may have changed the path that the router sees.

    def _process_view(self, request: HttpRequest, view: Any, *_: Any) -> Optional[HttpResponseBase]:
        if not _is_protected(request):
            return None
        return _answer_to_preflight(view) if _is_preflight(request) else admit(request, ask(request))

    async def _process_view_async(self, request: HttpRequest, view: Any, *_: Any) -> Optional[HttpResponseBase]:
        if not _is_protected(request):
            return None
        return _answer_to_preflight(view) if _is_preflight(request) else admit(request, await ask_async(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> Optional[HttpResponse]:
        """Answer a HankoError that a view let pass."""
        return refusal_response(exception) if isinstance(exception, HankoError) else None


def _outcome_without_asking(request: HttpRequest) -> Optional[Outcome]:
    """What is to be done with a request about which nobody need ask; `None` for all others."""
    try:
        if not _is_protected(request) or _is_preflight(request):
            return Outcome()
    except ConfigurationError as error:  # changed since the start: nobody knows what is protected
        log_error(error)
        return Outcome(error=error)
    return None


def _is_protected(request: HttpRequest) -> bool:
    return configuration.protected_paths().covers(request.path_info)


def _is_preflight(request: HttpRequest) -> bool:
    return is_preflight(request.method, request.META.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"))


def _answer_to_preflight(view: Any) -> Optional[HttpResponse]:
    """`None` where a class with a method for OPTIONS answers, else an empty response.

    A function is not run: it serves any method, and would do its work for anybody who calls it a preflight.
    """
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)  # the latter in REST framework
    return None if hasattr(view_class, "options") else HttpResponse()


def _with_vary(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if was_looked_at(request):
        add_vary(response)
    return response
