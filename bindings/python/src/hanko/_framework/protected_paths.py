"""Which paths need a session."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .._errors import ConfigurationError

_REPEATED_SLASHES = re.compile("//+")


class ProtectedPaths:
    """Prefixes of paths: `/api` covers `/api`, `/api/` and `/api/me`, but not `/apiary`; `/` covers everything.

    Never changes, and may be read from any number of threads at once.
    """

    __slots__ = ("_prefixes",)

    def __init__(self, prefixes: object = None, name: str = "HANKO_PROTECTED_PATHS") -> None:
        """Take a list of prefixes, each with a leading slash; `None` is none.

        ConfigurationError for a plain string (its letters are not prefixes) and for an entry without a leading slash,
        naming the setting as `name`.
        """
        self._prefixes = tuple(_checked(prefix, name) for prefix in _listed(prefixes, name))

    @staticmethod
    def of(setting: object) -> ProtectedPaths:
        """The same for what stands in a framework's settings, which may change: cheap enough for every request."""
        if isinstance(setting, (list, tuple)) and all(isinstance(prefix, str) for prefix in setting):
            return _known(tuple(setting))
        return ProtectedPaths(setting)

    def covers(self, path: str) -> bool:
        """Whether a path, as the router sees it, lies under one of the prefixes.

        Repeated slashes count as one, because some routers serve such a path: rather one question too many.
        """
        segments = _segments(path)
        return any(segments.startswith(prefix) for prefix in self._prefixes)

    def __bool__(self) -> bool:
        """Whether there is any prefix."""
        return bool(self._prefixes)


@lru_cache(maxsize=64)
def _known(prefixes: tuple[str, ...]) -> ProtectedPaths:
    return ProtectedPaths(prefixes)


def _segments(path: str) -> str:
    """A path in which every segment is followed by exactly one slash."""
    return _REPEATED_SLASHES.sub("/", f"/{path}/")


def _listed(prefixes: object, name: str) -> Iterable[object]:
    if prefixes is None:
        return ()
    if isinstance(prefixes, (list, tuple, set, frozenset)):
        return prefixes
    raise ConfigurationError(f'{name} must be a list of paths, as in ["/api"]')


def _checked(prefix: object, name: str) -> str:
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        raise ConfigurationError(f'{name} must hold paths that begin with a slash, as in ["/api"]')
    if any(sign in prefix for sign in "*?#"):  # it would protect nothing
        raise ConfigurationError(f'{name} must hold paths, not patterns: ["/api"] covers everything below /api')
    return _segments(prefix)
