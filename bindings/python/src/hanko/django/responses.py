"""Our answers, and the header of everybody else's."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from .._errors import HankoError
from .._framework import VARY, Refusal


def refusal_response(error: HankoError) -> HttpResponse:
    """401 where Hanko refused the token or there was none, 503 where Hanko could not be asked."""
    refusal = Refusal.of(error)
    return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)


def add_vary(response: HttpResponseBase) -> None:
    """Tell caches that the response depends on who asks; what is in `Vary` stays."""
    patch_vary_headers(response, VARY)
