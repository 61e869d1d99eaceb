"""Settings: where they come from, when they take effect, and what `manage.py check` says about them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, override_settings

from hanko import ConfigurationError
from hanko.django import HankoMiddleware, configuration
from hanko.pytest_plugin import HankoStandIn

NOWHERE = "http://127.0.0.1:9"
URL = "https://tenant.hanko.io"


def found() -> dict[str, list[str]]:
    """What the check has found: texts by id."""
    messages: dict[str, list[str]] = {}
    for message in run_checks():
        if str(message.id).startswith("hanko."):
            messages.setdefault(str(message.id), []).append(f"{message.msg} {message.hint or ''}".strip())
    return messages


# Where they come from


def test_settings_beat_the_environment(
    client: Client, hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANKO_API_URL", NOWHERE)
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    assert client.get("/api/me", headers=headers).status_code == 503
    with override_settings(HANKO_API_URL=hanko_standin.api_url):
        assert client.get("/api/me", headers=headers).status_code == 200


def test_override_settings_takes_effect_and_ends(client: Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session(audience="mine")
    headers = hanko_standin.cookie_header(session, "session")
    assert client.get("/api/me", headers=headers).status_code == 401
    with override_settings(HANKO_COOKIE_NAME="session", HANKO_AUDIENCE=["mine"]):
        assert client.get("/api/me", headers=headers).status_code == 200
        with override_settings(HANKO_AUDIENCE="other"):
            assert client.get("/api/me", headers=headers).status_code == 401
        with override_settings(HANKO_PROTECTED_PATHS=["/open"]):
            assert client.get("/api/me").status_code == 200
            assert client.get("/open").status_code == 401
        assert client.get("/api/me", headers=headers).status_code == 200
    assert client.get("/api/me", headers=headers).status_code == 401


def test_it_does_so_for_coroutines(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session(), "session")
    assert client.get("/async/required", headers=headers).status_code == 401
    with override_settings(HANKO_COOKIE_NAME="session"):
        assert client.get("/async/required", headers=headers).status_code == 200


def test_a_changed_environment_takes_effect(
    client: Client, hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    assert client.get("/api/me", headers=headers).status_code == 200
    monkeypatch.setenv("HANKO_COOKIE_NAME", "session")
    assert client.get("/api/me", headers=headers).status_code == 401


def test_the_client_is_kept_between_requests(client: Client, hanko_standin: HankoStandIn) -> None:
    headers = hanko_standin.cookie_header(hanko_standin.mint_session())
    made = []
    for _ in range(3):
        assert client.get("/api/me", headers=headers).status_code == 200
        made.append(configuration.clients.client(configuration.client_settings()))
    assert made[0] is made[1] is made[2]


# Mistakes

BAD: list[tuple[str, Any]] = [
    ("HANKO_API_URL", "example.com"),
    ("HANKO_API_URL", "http://hanko.example.com"),
    ("HANKO_TIMEOUT_MS", "soon"),
    ("HANKO_MAX_RETRIES", 11),
    ("HANKO_AUDIENCE", ""),
    ("HANKO_CA_FILE", "/nowhere/ca.pem"),
    ("HANKO_ALLOW_INSECURE_HTTP", "y"),
    ("HANKO_PROTECTED_PATHS", "/api"),
    ("HANKO_PROTECTED_PATHS", ["api"]),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_the_check_finds_a_bad_setting(name: str, value: Any) -> None:
    with override_settings(**{"HANKO_API_URL": URL, name: value}):
        messages = found()
        assert list(messages) == ["hanko.E002"]
        assert len(messages["hanko.E002"]) == 1
        assert name in messages["hanko.E002"][0]
        with pytest.raises(SystemCheckError, match=name):
            call_command("check")


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_setting_stops_the_server_from_starting(name: str, value: Any) -> None:
    with override_settings(**{name: value}), pytest.raises(ConfigurationError, match=name):
        HankoMiddleware(lambda request: None)


def test_the_check_finds_several_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(HANKO_TIMEOUT_MS=0, HANKO_AUDIENCE=[""], HANKO_PROTECTED_PATHS="/api"):
        monkeypatch.setenv("HANKO_MAX_RETRIES", "many")
        messages = found()
    assert sorted(messages) == ["hanko.E001", "hanko.E002"]
    texts = "\n".join(messages["hanko.E002"])
    for name in ("HANKO_TIMEOUT_MS", "HANKO_AUDIENCE", "HANKO_PROTECTED_PATHS", "HANKO_MAX_RETRIES"):
        assert name in texts


def test_the_check_finds_a_missing_url(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(found()) == ["hanko.E001"]
    HankoMiddleware(lambda request: None)  # which is no reason not to start: tests set it later
    monkeypatch.setenv("HANKO_API_URL", URL)
    assert found() == {}


def test_the_check_finds_paths_that_nobody_guards() -> None:
    with override_settings(HANKO_API_URL=URL, MIDDLEWARE=["django.middleware.common.CommonMiddleware"]):
        assert list(found()) == ["hanko.E003"]
        with override_settings(HANKO_PROTECTED_PATHS=[]):
            assert found() == {}
    with override_settings(HANKO_API_URL=URL, MIDDLEWARE=["test_django_settings.OurMiddleware"]):
        assert found() == {}


class OurMiddleware(HankoMiddleware):
    """A project's own."""


def test_the_check_finds_a_misspelled_name() -> None:
    with override_settings(HANKO_API_URL=URL, HANKO_TIMEOUT=5, HANKO_WEBHOOK_SECRET="x"):
        assert found() == {"hanko.W001": ["HANKO_TIMEOUT is not a setting of Hanko. Did you mean HANKO_TIMEOUT_MS?"]}


def test_the_check_finds_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: Any) -> Any:
        raise ImportError("cannot load libhanko")

    monkeypatch.setattr(configuration.clients, "_factory", missing)
    with override_settings(HANKO_API_URL=URL):
        assert found() == {"hanko.E004": ["cannot load libhanko"]}


def test_the_check_asks_nobody(hanko_standin: HankoStandIn) -> None:
    call_command("check", stdout=io.StringIO())
    assert hanko_standin.requests == ()


def test_a_missing_url_is_503_and_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/open").status_code == 200
    answer = client.get("/api/me")
    assert (answer.status_code, answer.json()) == (503, {"detail": "Authentication service unavailable"})
    assert "HANKO_API_URL is not set" in caplog.text


def test_paths_that_became_no_list_close_the_site(
    client: Client, hanko_standin: HankoStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/open").status_code == 200
    with override_settings(HANKO_PROTECTED_PATHS="/api"):
        assert client.get("/open").status_code == 503
    assert "HANKO_PROTECTED_PATHS" in caplog.text
