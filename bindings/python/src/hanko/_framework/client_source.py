"""The client for settings that may change while the program runs, as they do in tests."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Callable, Generic, Optional, TypeVar

from .._errors import ConfigurationError
from .settings import SETTINGS, client_options, option_name

ClientType = TypeVar("ClientType")

_NAMES_A_SETTING = re.compile(r"\bHANKO_[A-Z]")
_HARMLESS_URL = "http://127.0.0.1"


class ClientSource(Generic[ClientType]):
    """Makes a client when it is first needed, and anew when a setting or a HANKO_* variable has changed since.

    Explicit options beat the framework's settings, which beat the environment. May be used from any number of threads
    at once. It takes no lock (one that another thread holds would stay locked in a forked child): in a race two
    clients are made and one is dropped. A client that was replaced goes when its last call is over.
    """

    def __init__(self, factory: Callable[..., ClientType], explicit: Optional[Mapping[str, Any]] = None) -> None:
        """Remember how to make a client: `Client` or `AsyncClient`, and options that beat all settings.

        An explicit option that is `None` counts as not given.
        """
        self._factory = factory
        self._explicit = {name: value for name, value in (explicit or {}).items() if value is not None}
        self._made: Optional[tuple[tuple[object, ...], ClientType]] = None

    def client(self, settings: Mapping[str, object]) -> ClientType:
        """The client for these settings of the framework; ConfigurationError where one is bad or the API URL missing.

        `settings` may be the framework's whole configuration: only the names in `SETTINGS` are read.
        """
        state = _state(settings)
        made = self._made
        if made is None or made[0] != state:
            made = (state, self._make(settings))
            self._made = made
        return made[1]

    def check(self, settings: Mapping[str, object]) -> None:
        """Raise ConfigurationError where a setting is bad; a missing API URL may still come, and is none.

        Makes no request, and keeps no client.
        """
        options = self._options(settings)
        if "api_url" not in options and not os.environ.get("HANKO_API_URL"):
            options["api_url"] = _HARMLESS_URL
        self._named(options, settings)

    def _options(self, settings: Mapping[str, object]) -> dict[str, Any]:
        return {**client_options(settings), **self._explicit}

    def _make(self, settings: Mapping[str, object]) -> ClientType:
        return self._named(self._options(settings), settings)

    def _named(self, options: Mapping[str, Any], settings: Mapping[str, object]) -> ClientType:
        """A client; the error of one that cannot be made names the setting at fault."""
        try:
            return self._factory(**options)
        except ConfigurationError as error:
            if _NAMES_A_SETTING.search(str(error)):
                raise
            setting = self._setting_at_fault(error, settings)
            if setting is None:
                raise
            raise ConfigurationError(f"{setting}: {error}") from None

    def _setting_at_fault(self, error: ConfigurationError, settings: Mapping[str, object]) -> Optional[str]:
        """The setting that alone gives the same error."""
        for setting in SETTINGS:
            option = option_name(setting)
            alone = client_options({setting: settings.get(setting)})
            if option in alone and option not in self._explicit:
                try:
                    self._factory(**{"api_url": _HARMLESS_URL, **alone})
                except ConfigurationError as same:
                    if str(same) == str(error):
                        return setting
        return None


def _state(settings: Mapping[str, object]) -> tuple[object, ...]:
    """All that a client depends on, to be compared."""
    held = [settings.get(name) for name in SETTINGS]
    return (
        *(tuple(value) if isinstance(value, (list, set)) else value for value in held),
        *(os.environ.get(name) for name in (*SETTINGS, "HANKO_LOG")),
    )
