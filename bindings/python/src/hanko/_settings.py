"""The options of a client: what Python can check, and what the library makes of them."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from ctypes import byref, c_void_p
from dataclasses import dataclass
from typing import Callable, Optional, Union, cast

from ._errors import ConfigurationError, error_for
from ._library import Library
from ._status import Status

PathText = Union[str, "os.PathLike[str]"]

_LONGEST_TIMEOUT = 3600
_LOG_OFF = 0


@dataclass(frozen=True)
class Settings:
    """What a client was told; None is what the environment says, or else the default."""

    api_url: Optional[str] = None
    cookie_name: Optional[str] = None
    timeout: Optional[float] = None
    connect_timeout: Optional[float] = None
    max_retries: Optional[int] = None
    max_connections: Optional[int] = None
    ca_file: Optional[PathText] = None
    allow_insecure_http: Optional[bool] = None
    audiences: Optional[Sequence[str]] = None
    confirm_rejections: Optional[bool] = None
    logger: Optional[logging.Logger] = None

    def __post_init__(self) -> None:
        """Refuse what the library cannot be asked about: other types, and numbers that C would cut."""
        _check_type("api_url", self.api_url, str, "text such as 'https://tenant.hanko.io'")
        _check_type("cookie_name", self.cookie_name, str, "the name of a cookie as text")
        _check_type("ca_file", self.ca_file, (str, os.PathLike), "the path of a file")
        _check_type("allow_insecure_http", self.allow_insecure_http, bool, "True or False")
        _check_type("confirm_rejections", self.confirm_rejections, bool, "True or False")
        _check_type("logger", self.logger, logging.Logger, "a logging.Logger")
        milliseconds("timeout", self.timeout)
        milliseconds("connect_timeout", self.connect_timeout)
        _check_count("max_retries", self.max_retries, 0, 10)
        _check_count("max_connections", self.max_connections, 1, 10_000)
        _check_audiences(self.audiences)

    def new_client(self, library: Library) -> int:
        """A ``hanko_client``, which the caller frees; raises `ConfigurationError` where a setting is not allowed."""
        config = library.config_new()
        if config is None:
            raise error_for(Status.UNAVAILABLE, "there is no memory for a client")
        try:
            self._fill(library, config)
            client = c_void_p()
            _require(library, library.client_new(config, byref(client)))
        finally:
            library.config_free(config)
        if client.value is None:
            raise error_for(Status.UNAVAILABLE, "the library made no client")
        return client.value

    def _fill(self, library: Library, config: int) -> None:
        def set_text(name: str, setter: Callable[[int, Optional[bytes]], int], value: Optional[bytes]) -> None:
            if value is None:
                return
            if b"\0" in value:
                raise ConfigurationError(f"{name} must not hold U+0000")
            _require(library, setter(config, value), name)

        def set_number(name: str, setter: Callable[[int, int], int], value: Optional[int]) -> None:
            if value is not None:
                _require(library, setter(config, value), name)

        # A malformed variable is an error even where an option replaces it: nothing is passed over in silence.
        _require(library, library.config_load_environment(config))
        # A callback into Python would meet forks, re-entry and the interpreter's end: Python logs failed calls itself.
        _require(library, library.config_set_logger(config, None, None, _LOG_OFF))

        set_text("api_url", library.config_set_api_url, _encoded("api_url", self.api_url))
        set_text("cookie_name", library.config_set_cookie_name, _encoded("cookie_name", self.cookie_name))
        set_text("ca_file", library.config_set_ca_file, None if self.ca_file is None else os.fsencode(self.ca_file))
        set_number("timeout", library.config_set_timeout_ms, milliseconds("timeout", self.timeout))
        set_number(
            "connect_timeout",
            library.config_set_connect_timeout_ms,
            milliseconds("connect_timeout", self.connect_timeout),
        )
        set_number("max_retries", library.config_set_max_retries, self.max_retries)
        set_number("max_connections", library.config_set_max_connections, self.max_connections)
        set_number("allow_insecure_http", library.config_set_allow_insecure_http, self.allow_insecure_http)
        set_number("confirm_rejections", library.config_set_confirm_rejections, self.confirm_rejections)
        if self.audiences is not None:
            _require(library, library.config_clear_audiences(config), "audiences")
            for audience in self.audiences:
                set_text("audiences", library.config_add_audience, _encoded("audiences", audience))


def milliseconds(name: str, seconds: object) -> Optional[int]:
    """Seconds as whole milliseconds, rounded up; None stays None."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} is a number of seconds, not {type(seconds).__name__}")
    if not 0 < seconds <= _LONGEST_TIMEOUT:  # also false for what is not a number
        raise ConfigurationError(f"{name} must be a number of seconds from 0.001 to {_LONGEST_TIMEOUT}, not {seconds}")
    # 1.1 * 1000 is a little over 1100 in binary, which must not become 1101.
    return max(1, math.ceil(round(seconds * 1000, 6)))


def _check_type(name: str, value: object, kind: Union[type, tuple[type, ...]], what: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} is {what}, not {type(value).__name__}")


def _check_count(name: str, value: object, least: int, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is a whole number, not {type(value).__name__}")
    if not least <= value <= most:
        raise ConfigurationError(f"{name} must be a whole number from {least} to {most}, not {value}")


def _check_audiences(audiences: object) -> None:
    if audiences is None:
        return
    if isinstance(audiences, str):
        # Text is a sequence of texts as well: each letter would become an audience.
        raise ConfigurationError("audiences must be a list of texts such as ['example.com'], not one text")
    if isinstance(audiences, bytes) or not isinstance(audiences, (Sequence, AbstractSet)):
        raise TypeError(f"audiences is a sequence of texts, not {type(audiences).__name__}")
    for audience in cast("Iterable[object]", audiences):
        if not isinstance(audience, str):
            raise TypeError(f"each of audiences is text, not {type(audience).__name__}")


def _encoded(name: str, value: Optional[str]) -> Optional[bytes]:
    if value is None:
        return None
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name} must be text without half characters (lone surrogates)") from None


def _require(library: Library, status: int, name: str = "") -> None:
    """Raise unless a function that makes or fills a configuration was satisfied."""
    if status == Status.OK:
        return
    text = library.last_text()
    text = f"{name}: {text}" if name else text
    raise ConfigurationError(text) if status == Status.MISCONFIGURED else error_for(status, text)
