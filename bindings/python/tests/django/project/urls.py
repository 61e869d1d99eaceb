"""Its views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from hanko import InvalidToken, NotChecked
from hanko.django import aget_session, get_session, session_required


def shown(request: HttpRequest) -> JsonResponse:
    """Whose session the request has."""
    session = request.hanko_session  # type: ignore[attr-defined]
    return JsonResponse({"user_id": session.user_id if session else None})


async def ashown(request: HttpRequest) -> JsonResponse:
    """The same in a coroutine."""
    await asyncio.sleep(0)
    return shown(request)


def asked(request: HttpRequest) -> JsonResponse:
    """Asks by itself, several times."""
    users = [get_session(request).user_id, get_session(request).user_id]
    maybe = get_session(request, optional=True)
    return JsonResponse({"user_ids": [*users, maybe and maybe.user_id]})


async def aasked(request: HttpRequest) -> JsonResponse:
    """The same in a coroutine, at once."""
    sessions = await asyncio.gather(aget_session(request), aget_session(request), aget_session(request, optional=True))
    return JsonResponse({"user_ids": [session and session.user_id for session in sessions]})


def maybe(request: HttpRequest) -> JsonResponse:
    """Asks by itself, and does without."""
    session = get_session(request, optional=True)
    return JsonResponse({"user_id": session and session.user_id})


async def amaybe(request: HttpRequest) -> JsonResponse:
    """The same in a coroutine."""
    session = await aget_session(request, optional=True)
    return JsonResponse({"user_id": session and session.user_id})


async def blocking(request: HttpRequest) -> JsonResponse:
    """The mistake of asking in the wrong way."""
    return JsonResponse({"user_id": get_session(request).user_id})


@session_required(optional=True)
@session_required
def nested(request: HttpRequest) -> JsonResponse:
    """Decorated twice."""
    return JsonResponse({"same": get_session(request) is request.hanko_session})  # type: ignore[attr-defined]


class Page(View):
    """A class with functions."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the session."""
        return shown(request)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer preflights."""
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Origin"] = "https://app.example.com"
        return response


@method_decorator(session_required, name="dispatch")
class GuardedPage(Page):
    """The same, decorated."""


class AsyncPage(View):
    """A class with coroutines."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """Show the session."""
        return await ashown(request)


@method_decorator(session_required, name="dispatch")
class GuardedAsyncPage(AsyncPage):
    """The same, decorated as a whole."""


class PartlyGuardedAsyncPage(AsyncPage):
    """The same, decorated in part."""

    @method_decorator(session_required)
    async def get(self, request: HttpRequest) -> HttpResponse:
        """Show the session."""
        return await ashown(request)


def secret(request: HttpRequest) -> HttpResponse:
    """A function serves every method."""
    return HttpResponse("secret")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """A response in parts."""

    def parts() -> Iterator[str]:
        yield "for "
        yield get_session(request).user_id

    return StreamingHttpResponse(parts())


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    """The same in a coroutine."""

    async def parts() -> AsyncIterator[str]:
        yield "for "
        yield (await aget_session(request)).user_id

    return StreamingHttpResponse(parts())


def template(request: HttpRequest) -> TemplateResponse:
    """A response that is rendered later."""
    from django.template import engines

    return TemplateResponse(
        request,
        engines["django"].from_string("for {{ user_id }}"),
        {"user_id": request.hanko_session.user_id},  # type: ignore[attr-defined]
    )


def missing(request: HttpRequest) -> HttpResponse:
    """A page that is not there."""
    raise Http404


def failure(request: HttpRequest) -> HttpResponse:
    """A view with a mistake."""
    raise ZeroDivisionError


def varied(request: HttpRequest) -> HttpResponse:
    """A response that varies with something else."""
    response = HttpResponse("")
    response["Vary"] = request.GET["with"]
    return response


def raising(request: HttpRequest, kind: str) -> HttpResponse:
    """A view that lets our errors pass."""
    raise {"refused": InvalidToken, "outage": NotChecked}[kind]("a text for logs")


urlpatterns = [
    path("open", shown),
    path("async/open", ashown),
    path("required", session_required(shown)),
    path("async/required", session_required(ashown)),
    path("optional", session_required(optional=True)(shown)),
    path("async/optional", session_required(optional=True)(ashown)),
    path("nested", nested),
    path("asked", asked),
    path("async/asked", aasked),
    path("maybe", maybe),
    path("async/maybe", amaybe),
    path("async/blocking", blocking),
    path("page", GuardedPage.as_view()),
    path("async/page", GuardedAsyncPage.as_view()),
    path("async/part", PartlyGuardedAsyncPage.as_view()),
    path("raise/<kind>", raising),
    path("async/raise/<kind>", raising),
    path("api", shown),
    path("api/", shown),
    path("api/me", shown),
    path("api/async/me", ashown),
    path("api/secret", secret),
    path("api/page", Page.as_view()),
    path("api/stream", stream),
    path("api/async/stream", astream),
    path("api/template", template),
    path("api/missing", missing),
    path("api/failure", failure),
    path("api/varied", varied),
    path("api/asked", asked),
    path("apiary", shown),
]
