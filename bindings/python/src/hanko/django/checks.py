"""What `manage.py check` says about the settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .._errors import ConfigurationError
from .._framework import client_options, misspelled_settings
from . import configuration
from .configuration import PROTECTED_PATHS
from .middleware import HankoMiddleware


def check_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Everything that is wrong; makes no request.

    hanko.E001: there is no HANKO_API_URL. hanko.E002: a setting, or a variable of the environment, is of no use.
    hanko.E003: protected paths, but no middleware. hanko.E004: the library cannot be loaded. hanko.W001: a name that
    looks like a misspelled setting.
    """
    return [*_missing_url(), *_bad_settings(), *_missing_middleware(), *_misspelled()]


def _missing_url() -> Iterator[CheckMessage]:
    if not getattr(settings, "HANKO_API_URL", None) and not os.environ.get("HANKO_API_URL"):
        yield Error(
            "HANKO_API_URL is not set.",
            hint='Set it to the address of your Hanko, as in HANKO_API_URL = "https://<tenant>.hanko.io".',
            id="hanko.E001",
        )


def _bad_settings() -> Iterator[CheckMessage]:
    held = configuration.client_settings()
    try:
        configuration.protected_paths()
    except ConfigurationError as error:
        yield Error(str(error), id="hanko.E002")
    good = {}
    for name, value in held.items():
        try:
            client_options({name: value})
            good[name] = value
        except ConfigurationError as error:
            yield Error(str(error), id="hanko.E002")
    try:
        configuration.clients.check(good)
    except ConfigurationError as error:
        yield Error(str(error), id="hanko.E002")
    except ImportError as error:
        yield Error(str(error), id="hanko.E004")


def _missing_middleware() -> Iterator[CheckMessage]:
    if getattr(settings, PROTECTED_PATHS, None) and not any(map(_is_ours, settings.MIDDLEWARE)):
        yield Error(
            f"{PROTECTED_PATHS} is set, but nothing guards these paths.",
            hint='Add "hanko.django.HankoMiddleware" to MIDDLEWARE.',
            id="hanko.E003",
        )


def _is_ours(path: str) -> bool:
    try:
        middleware = import_string(path)
    except ImportError:  # told by Django itself
        return False
    return isinstance(middleware, type) and issubclass(middleware, HankoMiddleware)


def _misspelled() -> Iterator[CheckMessage]:
    for name, meant in misspelled_settings(dir(settings), [PROTECTED_PATHS]).items():
        yield Warning(f"{name} is not a setting of Hanko.", hint=f"Did you mean {meant}?", id="hanko.W001")
