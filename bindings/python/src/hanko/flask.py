"""Sessions for Flask: `@require_session`, `current_session`, and `Hanko(app)` for settings and protected paths.

::

    from flask import Flask
    from hanko.flask import current_session, require_session

    app = Flask(__name__)


    @app.get("/me")
    @require_session
    def me():
        return {"user_id": current_session.user_id}
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, Optional, TypeVar, Union, cast, overload

from ._framework import (
    ClientSource,
    Inquiry,
    Outcome,
    ProtectedPaths,
    Refusal,
    is_preflight,
    log_error,
    merge_vary,
    missing_package,
    misspelled_settings,
    wsgi_credentials,
)

try:
    from flask import Flask, Request, Response, after_this_request, current_app, has_request_context, jsonify, request
    from werkzeug.exceptions import HTTPException, ServiceUnavailable, Unauthorized
    from werkzeug.local import LocalProxy
except ModuleNotFoundError as _error:
    raise missing_package(_error, "flask", "Flask") from _error

from ._async_client import AsyncClient
from ._client import Client
from ._errors import ConfigurationError, HankoError
from ._session import Session

if TYPE_CHECKING:
    import logging
    import os

__all__ = ["Hanko", "current_session", "require_session"]

_EXTENSION = "hanko"
_INQUIRY = "_hanko_inquiry"
_PROTECTED_PATHS = "HANKO_PROTECTED_PATHS"

_View = TypeVar("_View", bound=Callable[..., Any])


class _AppState:
    """What one app has of its own: its clients, and what was given in code."""

    def __init__(self, options: Mapping[str, Any], protected_paths: Optional[Sequence[str]], is_guarded: bool) -> None:
        self.clients: ClientSource[Client] = ClientSource(Client, options)
        self.async_clients: ClientSource[AsyncClient] = ClientSource(AsyncClient, options)
        self.is_guarded = is_guarded
        self._protected_paths = None if protected_paths is None else ProtectedPaths(protected_paths, "protected_paths")

    def protected_paths(self, config: Mapping[str, Any]) -> ProtectedPaths:
        """Those given in code, else those in the app's configuration; ConfigurationError where these are no paths."""
        if self._protected_paths is not None:
            return self._protected_paths
        return ProtectedPaths.of(config.get(_PROTECTED_PATHS))


class Hanko:
    """Settings and protected paths of an app: ``Hanko(app)``, or ``hanko = Hanko()`` and later ``hanko.init_app(app)``.

    What is given here beats ``app.config["HANKO_…"]``, which has the environment's names and units and beats it.
    Changes of the configuration and of the environment take effect with the next request, so tests can make them.
    `require_session` works without this, too.
    """

    def __init__(
        self,
        app: Optional[Flask] = None,
        *,
        protected_paths: Optional[Sequence[str]] = None,
        api_url: Optional[str] = None,
        cookie_name: Optional[str] = None,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        max_connections: Optional[int] = None,
        ca_file: Union[str, os.PathLike[str], None] = None,
        allow_insecure_http: Optional[bool] = None,
        audiences: Optional[Sequence[str]] = None,
        confirm_rejections: Optional[bool] = None,
        logger: Optional[logging.Logger] = None,
    ) -> None:
        """Take prefixes of paths that need a session, and the options of `hanko.Client` (times in seconds)."""
        self._protected_paths = protected_paths
        self._options: dict[str, Any] = {
            "api_url": api_url,
            "cookie_name": cookie_name,
            "timeout": timeout,
            "connect_timeout": connect_timeout,
            "max_retries": max_retries,
            "max_connections": max_connections,
            "ca_file": ca_file,
            "allow_insecure_http": allow_insecure_http,
            "audiences": audiences,
            "confirm_rejections": confirm_rejections,
            "logger": logger,
        }
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Guard an app; may be called for any number of apps.

        ConfigurationError names the setting that is of no use. A missing API URL is none yet, because tests set it
        later; without one, what needs a session is answered 503, and the log says why.
        """
        state = _AppState(self._options, self._protected_paths, is_guarded=True)
        state.clients.check(app.config)
        state.protected_paths(app.config)
        for name, meant in misspelled_settings(app.config, [_PROTECTED_PATHS]).items():
            app.logger.warning("%s is not a setting of Hanko; did you mean %s?", name, meant)
        previous = app.extensions.get(_EXTENSION)
        app.extensions[_EXTENSION] = state
        if previous is None or not previous.is_guarded:
            app.before_request(_guard)
            if HankoError not in app.error_handler_spec[None][None]:
                app.register_error_handler(HankoError, _answer)


@overload
def require_session(view: _View) -> _View: ...
@overload
def require_session(*, optional: bool = ...) -> Callable[[_View], _View]: ...
def require_session(view: Optional[_View] = None, *, optional: bool = False) -> Any:
    """Let a view run only with a session that Hanko calls valid: `@require_session`, below the route.

    The client gets 401 without one and 503 where Hanko could not be asked; handlers for these codes, or for
    `HankoError` and its branches, are called as for any error. With ``optional=True`` a request without a token, or
    with a refused one, runs the view and `current_session` is falsy; an outage is still 503.

    A view may be a coroutine; it then waits without blocking its loop. Hanko is asked once a request, however many
    views and helpers are decorated.
    """

    def decorate(decorated: Callable[..., Any]) -> Callable[..., Any]:
        return _guarded(decorated, optional)

    return decorate if view is None else decorate(view)


def _guarded(view: Callable[..., Any], optional: bool) -> Callable[..., Any]:
    if not callable(view) or inspect.isclass(view):
        raise TypeError("@require_session decorates a view function; for a class, set decorators = [require_session]")

    if inspect.iscoroutinefunction(view):

        @wraps(view)
        async def guarded_coroutine(*args: Any, **kwargs: Any) -> Any:
            _let_through(await _ask_async(), optional)
            return await view(*args, **kwargs)

        return guarded_coroutine

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        _let_through(_ask(), optional)
        return view(*args, **kwargs)

    return guarded


class _NoSession(RuntimeError, AttributeError):
    """There is no session here. It makes `current_session` falsy, and `getattr` with a default give the default."""


def _find_session() -> Session:
    inquiry = getattr(request, _INQUIRY, None) if has_request_context() else None
    outcome = None if inquiry is None else inquiry.outcome
    if outcome is None or outcome.session is None:
        raise _NoSession("there is no session here: is @require_session on the view, below its route?")
    return cast(Session, outcome.session)


current_session: Session = cast(Session, LocalProxy(_find_session))
"""The session of the request that is being served; falsy where there is none, or where nobody asked."""


def _state() -> _AppState:
    """The state of the current app; without `Hanko(app)`, one that has nothing given in code."""
    state = current_app.extensions.get(_EXTENSION)
    if state is None:
        if current_app.config.get(_PROTECTED_PATHS) is not None:
            _refuse_all(
                ConfigurationError(f"{_PROTECTED_PATHS} is set, but nothing guards these paths: call Hanko(app)")
            )
        state = current_app.extensions.setdefault(_EXTENSION, _AppState({}, None, is_guarded=False))
    return cast(_AppState, state)


def _inquiry() -> Inquiry:
    """The inquiry about the current request. It is kept with the request: `flask.g` may outlive one in a test."""
    asked_about = cast("LocalProxy[Request]", request)._get_current_object()
    inquiry: Optional[Inquiry] = getattr(asked_about, _INQUIRY, None)
    if inquiry is None:
        inquiry = Inquiry(wsgi_credentials(asked_about.environ))
        setattr(asked_about, _INQUIRY, inquiry)
        after_this_request(_add_vary)
    return inquiry


def _ask() -> Outcome:
    return _inquiry().ask(_state().clients, current_app.config)


async def _ask_async() -> Outcome:
    return await _inquiry().ask_async(_state().async_clients, current_app.config)


def _let_through(outcome: Outcome, optional: bool = False) -> None:
    error = outcome.refusal(optional)
    if error is not None:
        _refuse(error)


def _guard() -> Optional[Response]:
    """Ask about a request for a protected path, before its view."""
    try:
        paths = _state().protected_paths(current_app.config)
    except ConfigurationError as error:  # changed since `init_app`
        _refuse_all(error)
    if not paths.covers(request.path):
        return None
    if is_preflight(request.method, request.headers.get("Access-Control-Request-Method")):
        return None if _answers_preflights() else current_app.make_default_options_response()
    _let_through(_ask())
    return None


def _answers_preflights() -> bool:
    """Whether what a preflight would reach is made for it.

    A plain view that merely lists OPTIONS is not: it would do its work for anybody who calls it a preflight.
    """
    if request.url_rule is None or getattr(request.url_rule, "provide_automatic_options", False):
        return True
    view = current_app.view_functions.get(request.url_rule.endpoint)
    view_class = getattr(view, "view_class", None)
    return hasattr(view_class, "options") or getattr(view, "provide_automatic_options", None) is False


def _refuse_all(error: ConfigurationError) -> NoReturn:
    """Refuse, because nobody knows what is protected."""
    log_error(error)
    _refuse(error)


def _refuse(error: HankoError) -> NoReturn:
    """Raise what Flask answers with: the error itself where the app handles it, else the HTTP error with our answer."""
    if _is_handled(error):
        raise copy.copy(error)  # the original is kept with the request and must not hold its frames
    raise _http_error(error) from error


def _is_handled(error: HankoError) -> bool:
    """Whether the app, or a blueprint of the request, has a handler of its own for this error as a HankoError."""
    classes = [cls for cls in type(error).__mro__ if issubclass(cls, HankoError)]
    for name in (*request.blueprints, None):
        handlers = current_app.error_handler_spec[name][None]
        if any(handlers.get(cls) not in (None, _answer) for cls in classes):
            return True
    return False


def _http_error(error: HankoError) -> HTTPException:
    """The error as werkzeug's own, so that handlers for 401 and 503 are called; by default our answer is sent."""
    refusal = Refusal.of(error)
    response = jsonify(refusal.body)
    response.status_code = refusal.status
    response.headers.update(refusal.headers)
    kind = Unauthorized if refusal.status == Unauthorized.code else ServiceUnavailable
    return kind(description=refusal.detail, response=response)


def _answer(error: HankoError) -> Any:
    """Answer a HankoError that a view let pass."""
    return current_app.handle_http_exception(_http_error(error))


def _add_vary(response: Response) -> Response:
    response.headers["Vary"] = merge_vary(", ".join(response.headers.getlist("Vary")))
    return response
