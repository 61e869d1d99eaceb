"""The project's settings, and the clients that they make."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from .._async_client import AsyncClient
from .._client import Client
from .._framework import SETTINGS, ClientSource, ProtectedPaths

PROTECTED_PATHS = "HANKO_PROTECTED_PATHS"

clients: ClientSource[Client] = ClientSource(Client)
async_clients: ClientSource[AsyncClient] = ClientSource(AsyncClient)


def client_settings() -> dict[str, Any]:
    """The settings for clients as they are now; `override_settings` may have changed them since the last request."""
    return {name: getattr(settings, name, None) for name in SETTINGS}


def protected_paths() -> ProtectedPaths:
    """The paths that need a session; ConfigurationError where the setting is no list of paths."""
    return ProtectedPaths.of(getattr(settings, PROTECTED_PATHS, None))
