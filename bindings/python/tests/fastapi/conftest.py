"""A stand-in Hanko for each test, and an application whose routes show what the dependencies found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from routes import make_app

from hanko.standin import SigningKey, StandIn


@pytest.fixture(scope="session")
def signing_key() -> Iterator[SigningKey]:
    """One key for all stand-ins: making it takes longest."""
    key = SigningKey(2048)
    yield key
    key.close()


@pytest.fixture
def standin(signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in Hanko that the environment names."""
    with StandIn(key=signing_key) as standin:
        monkeypatch.setenv("HANKO_API_URL", standin.api_url)
        yield standin


@pytest.fixture
def app() -> FastAPI:
    """An application with the dependencies of the module."""
    return make_app()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A browser for it, which gets 500 as others do; each request runs in an event loop of its own."""
    return TestClient(app, raise_server_exceptions=False)
