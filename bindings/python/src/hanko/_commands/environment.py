"""The variables that configure a client, and what the library makes of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._library import Library
from .._status import Status


@dataclass(frozen=True)
class Variable:
    """One variable, and what holds where it is not set."""

    name: str
    default: str


VARIABLES = (
    Variable("HANKO_API_URL", "none"),
    Variable("HANKO_TIMEOUT_MS", "10000"),
    Variable("HANKO_CONNECT_TIMEOUT_MS", "3000"),
    Variable("HANKO_MAX_RETRIES", "1"),
    Variable("HANKO_MAX_CONNECTIONS", "64"),
    Variable("HANKO_COOKIE_NAME", "hanko"),
    Variable("HANKO_CA_FILE", "none"),
    Variable("HANKO_AUDIENCE", "none"),
    Variable("HANKO_ALLOW_INSECURE_HTTP", "0"),
    Variable("HANKO_CONFIRM_REJECTIONS", "1"),
    Variable("HANKO_LOG", "error"),
)


def is_set(name: str, environment: Mapping[str, str]) -> bool:
    """Whether the library takes a variable for set: an empty one is not, unless a check would vanish with it."""
    return bool(environment.get(name)) or (name == "HANKO_AUDIENCE" and name in environment)


def complaint(library: Library, name: str) -> str:
    """What the library has to say against a variable as it is now; "" where it is well."""
    config = library.config_new()
    if config is None:
        return "there is no memory"
    try:
        with _alone(name):
            status = library.config_load_environment(config)
            return "" if status == Status.OK else library.last_text()
    finally:
        library.config_free(config)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hide every other variable: the library names the first that is wrong. Only for a program with one thread."""
    hidden = {variable.name: os.environ.pop(variable.name, None) for variable in VARIABLES if variable.name != name}
    try:
        yield
    finally:
        os.environ.update({key: value for key, value in hidden.items() if value is not None})


def shown_url(url: str) -> str:
    """An address without what could be a secret in it."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return "(malformed, not shown)"
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    hidden = "" if parts.username is None and parts.password is None else "(hidden)@"
    return f"{parts.scheme}://{hidden}{host}{port}{parts.path}" + ("?(hidden)" if parts.query else "")
