"""HANKO_PROTECTED_PATHS."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, override_settings

from hanko.pytest_plugin import HankoStandIn

PREFLIGHT = {"Access-Control-Request-Method": "GET", "Origin": "https://app.example.com"}

pytestmark = pytest.mark.usefixtures("hanko_standin")


@pytest.mark.parametrize("setting", [["/api"], ["/api/"], ("/nothing", "/api")])
def test_they_match_whole_segments(client: Client, setting: Any) -> None:
    with override_settings(HANKO_PROTECTED_PATHS=setting):
        assert [client.get(path).status_code for path in ("/api", "/api/", "/api/me", "/apiary", "/open")] == [
            401,
            401,
            401,
            200,
            200,
        ]


def test_an_unknown_path_below_is_asked_about_first(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    assert client.get("/api/none").status_code == 401
    assert client.get("/api/none", headers=headers).status_code == 404


def test_repeated_slashes_and_escapes_do_not_lead_around_them(client: Client) -> None:
    for path in ("/api//me", "/%61pi/me", "/api%2Fme"):
        assert client.get(path).status_code == 401
    assert client.get("/", PATH_INFO="//api/me").status_code == 401  # as a path it would name a host


def test_it_is_the_path_that_the_router_sees(client: Client) -> None:
    assert client.get("/api/me", SCRIPT_NAME="/site").status_code == 401
    assert client.get("/open", SCRIPT_NAME="/api").status_code == 200
    with override_settings(FORCE_SCRIPT_NAME="/site"):
        assert client.get("/api/me").status_code == 401


class Rewriting:
    """A middleware that sends /alias to /api/me, and /apiary away from what is protected."""

    def __init__(self, get_response: Any) -> None:
        """Remember what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Change the path."""
        request.path_info = {"/alias": "/api/me"}.get(request.path_info, request.path_info)
        return self.get_response(request)


@override_settings(MIDDLEWARE=["hanko.django.HankoMiddleware", "test_django_paths.Rewriting"])
def test_also_when_another_middleware_changes_it(client: Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    answer = client.get("/alias")
    assert (answer.status_code, answer["Vary"]) == (401, "Cookie, Authorization")
    answer = client.get("/alias", headers=hanko_standin.cookie_header(session))
    assert answer.json() == {"user_id": session.user_id}
    assert len(hanko_standin.requests) == 1


# Methods


def test_head_is_asked_like_get(client: Client, hanko_standin: HankoStandIn) -> None:
    assert client.head("/api/me").status_code == 401
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    assert client.head("/api/me", headers=headers).status_code == 200


def test_a_preflight_passes_unasked(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = {**PREFLIGHT, **hanko_standin.cookie_header(hanko_standin.mint_session())}
    answer = client.options("/api/page", headers=headers)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "https://app.example.com")
    assert client.options("/api/me", headers=headers).status_code == 200
    assert hanko_standin.requests == ()


def test_other_requests_with_options_do_not(client: Client) -> None:
    assert client.options("/api/page").status_code == 401
    assert client.get("/api/page", headers=PREFLIGHT).status_code == 401


def test_a_preflight_runs_no_function_which_would_serve_any_method(client: Client) -> None:
    answer = client.options("/api/secret", headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (200, b"")


class Preflights:
    """A middleware that answers preflights, as django-cors-headers does."""

    def __init__(self, get_response: Any) -> None:
        """Remember what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a preflight, and mark everything else."""
        from django.http import HttpResponse

        response = HttpResponse(status=202) if request.method == "OPTIONS" else self.get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        return response


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_middleware_for_preflights_may_stand_before_or_after_ours(client: Client, ours_first: bool) -> None:
    both = ["hanko.django.HankoMiddleware", "test_django_paths.Preflights"]
    with override_settings(MIDDLEWARE=both if ours_first else both[::-1]):
        assert client.options("/api/me", headers=PREFLIGHT).status_code == 202
        assert client.get("/api/me").status_code == 401
