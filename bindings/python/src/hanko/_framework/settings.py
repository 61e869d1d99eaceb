"""A framework's settings, which have the environment's names and units, as options of a client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from .._errors import ConfigurationError
from .._near_name import misspelled
from .._words import truth


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _path(value: object) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise ValueError("must be a path")
    return os.fspath(value)


def _whole_number(value: object) -> int:
    """A whole number, or one written as in the environment."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


def _milliseconds(value: object) -> float:
    """Milliseconds as the seconds that a client takes."""
    try:
        milliseconds = _whole_number(value)
    except ValueError:
        milliseconds = 0
    if not 1 <= milliseconds <= 3_600_000:  # here, because a client would speak of seconds
        raise ValueError("must be a whole number of milliseconds from 1 to 3600000")
    return milliseconds / 1000


def _truth(value: object) -> bool:
    if value in (False, True, 0, 1):
        return bool(value)
    meant = truth(value) if isinstance(value, str) else None
    if meant is None:
        raise ValueError("must be True or False")
    return meant


def _audiences(value: object) -> tuple[str, ...]:
    """A list of audiences, or text with commas between them. An empty list checks none, an empty text is an error."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple, set, frozenset)):
        raise ValueError("must be a list of audiences")
    if not all(isinstance(part, str) and part for part in parts):
        raise ValueError("must be one or more audiences, none of them empty; remove it to check none")
    return tuple(parts)


_SETTINGS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "HANKO_API_URL": ("api_url", _text),
    "HANKO_COOKIE_NAME": ("cookie_name", _text),
    "HANKO_TIMEOUT_MS": ("timeout", _milliseconds),
    "HANKO_CONNECT_TIMEOUT_MS": ("connect_timeout", _milliseconds),
    "HANKO_MAX_RETRIES": ("max_retries", _whole_number),
    "HANKO_MAX_CONNECTIONS": ("max_connections", _whole_number),
    "HANKO_CA_FILE": ("ca_file", _path),
    "HANKO_AUDIENCE": ("audiences", _audiences),
    "HANKO_ALLOW_INSECURE_HTTP": ("allow_insecure_http", _truth),
    "HANKO_CONFIRM_REJECTIONS": ("confirm_rejections", _truth),
}

SETTINGS = tuple(_SETTINGS)
"""The settings that a framework may hold for its client, by the names of the environment."""


def option_name(setting: str) -> str:
    """The keyword of `Client` that a setting becomes."""
    return _SETTINGS[setting][0]


def client_options(settings: Mapping[str, object]) -> dict[str, Any]:
    """The keywords for `Client` or `AsyncClient`; `None`, and text that is empty, count as not set.

    ConfigurationError names the setting that is of no use. An empty HANKO_AUDIENCE is one: a check must not vanish
    silently.
    """
    options: dict[str, Any] = {}
    for setting, (option, convert) in _SETTINGS.items():
        value = settings.get(setting)
        if value is None or (value == "" and setting != "HANKO_AUDIENCE"):
            continue
        try:
            options[option] = convert(value)
        except ValueError as reason:
            raise ConfigurationError(f"{setting} {reason}") from None
    return options


def misspelled_settings(names: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
    """Names that begin with `HANKO_`, are no setting and look like one, each with the setting that was meant.

    Others are left alone: a program may have settings of its own that begin so.
    """
    return misspelled(names, [*SETTINGS, *known])
