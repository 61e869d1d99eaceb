"""A Django project of one file, and what its tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: E402

from hanko import AsyncClient, _logging  # noqa: E402
from hanko import Client as HankoClient  # noqa: E402
from hanko._framework import ClientSource  # noqa: E402
from hanko.django import configuration  # noqa: E402

django.setup()


@pytest.fixture(autouse=True, scope="session")
def test_environment() -> Iterator[None]:
    """What Django's own test runner prepares."""
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture(autouse=True)
def fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was logged in the second before: of equal lines only one a second is written."""
    monkeypatch.setattr(_logging, "_shared_limit", _logging._SharedLimit())


@pytest.fixture(autouse=True)
def fresh_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client of the test before: its circuit breaker remembers the outages."""
    monkeypatch.setattr(configuration, "clients", ClientSource(HankoClient))
    monkeypatch.setattr(configuration, "async_clients", ClientSource(AsyncClient))


@pytest.fixture
def client() -> Client:
    """A browser, which gets 500 as others do."""
    return Client(raise_request_exception=False)
