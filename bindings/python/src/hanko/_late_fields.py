"""Fields of a session that are made of what the library sent when somebody reads them for the first time.

Most programs read who it is and no more, and times and claims take longer than all the rest of a session.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Callable, Optional, TypeVar, cast

Owner = TypeVar("Owner", bound="WithLateFields")

_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
_LATEST = datetime.max.replace(microsecond=0, tzinfo=timezone.utc)


class _Stored:
    """Has the ``__dict__`` in which Python keeps attributes, and looks first."""


_stored = cast("property", _Stored.__dict__["__dict__"])


class WithLateFields(_Stored):
    """What a dataclass with late fields derives from."""

    __slots__ = ("_sent",)

    _sent: dict[str, Any]
    """What the library sent for each late field; unset where all fields were given to the constructor."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """All fields, because `vars` and serializers take what is in here for all."""
        for name in getattr(self, "_sent", ()):
            getattr(self, name)
        fields: dict[str, Any] = _stored.__get__(self)
        return fields

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled."""
        return self.__dict__


class LateField:
    """A field that is made when it is first read, and then kept."""

    def __init__(self, name: str, make: Callable[[Any], Any]) -> None:
        self._name = name
        self._make = make

    def __get__(self, owner: Optional[WithLateFields], kind: Optional[type[WithLateFields]] = None) -> Any:
        """The field of an object; of the class itself, the default."""
        if owner is None:
            return None
        made = self._make(owner._sent[self._name])
        # Another thread may have been faster: all of them get the same object.
        return _stored.__get__(owner).setdefault(self._name, made)


def make_late(kind: type[WithLateFields], **functions: Callable[[Any], Any]) -> None:
    """Make fields of a dataclass late, each by its function: after the class, which would take them for defaults."""
    for name, function in functions.items():
        setattr(kind, name, LateField(name, function))


def assemble(kind: type[Owner], fields: dict[str, Any], sent: dict[str, Any]) -> Owner:
    """An object with these fields, and late ones of what was sent for them.

    This goes past the constructor, which sets each field of a frozen dataclass by itself and takes much longer.
    """
    made = object.__new__(kind)
    _stored.__set__(made, fields)
    object.__setattr__(made, "_sent", sent)
    return made


def time_of(seconds: int) -> Optional[datetime]:
    """A time of the library, which has 0 for one that was not sent."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        # Beyond what Python can hold: still far in the past or in the future.
        return _EARLIEST if seconds < 0 else _LATEST


def claims_of(document: Optional[bytes]) -> dict[str, Any]:
    """The claims of a JSON object."""
    if not document:
        return {}
    text = document.decode()
    claims: dict[str, Any]
    try:
        claims = _decoder.raw_decode(text)[0]
    except ValueError:
        claims = _patient_decoder.raw_decode(text)[0]
    return claims  # the library hands out an object or nothing


def _long_integer(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_decoder = json.JSONDecoder()
# Python refuses to read whole numbers of thousands of digits.
_patient_decoder = json.JSONDecoder(parse_int=_long_integer)
