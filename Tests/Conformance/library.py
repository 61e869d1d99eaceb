"""The built library, loaded through ctypes as a Python user would load it.

The path comes from the environment variable ``HANKO_LIBRARY``, else it is
``.build/release/libhanko.so`` of this repository. A missing library is an
error: a conformance test that silently tests nothing is worse than none.

``ctypes.CDLL`` releases the interpreter lock during a call, so the servers that
answer the library may run in threads of the same process.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
from typing import NamedTuple

import telltale
from messages import SERVER_MARKER

OK = 0
INVALID_TOKEN = 1
NO_TOKEN = 2
TIMEOUT = 3
UNAVAILABLE = 4
MISCONFIGURED = 5
PROTOCOL_ERROR = 6
INVALID_ARGUMENT = 7
CANCELLED = 8
BUFFER_TOO_SMALL = 9

STATUS_NAMES = {
    OK: "HANKO_OK",
    INVALID_TOKEN: "HANKO_INVALID_TOKEN",
    NO_TOKEN: "HANKO_NO_TOKEN",
    TIMEOUT: "HANKO_TIMEOUT",
    UNAVAILABLE: "HANKO_UNAVAILABLE",
    MISCONFIGURED: "HANKO_MISCONFIGURED",
    PROTOCOL_ERROR: "HANKO_PROTOCOL_ERROR",
    INVALID_ARGUMENT: "HANKO_INVALID_ARGUMENT",
    CANCELLED: "HANKO_CANCELLED",
    BUFFER_TOO_SMALL: "HANKO_BUFFER_TOO_SMALL",
}


class Answer(NamedTuple):
    """What one call of ``hanko_validate`` left behind on its thread."""

    value: int
    status: int
    error: str


class Expected(int):
    """A status that shows its name when an assertion prints it."""

    def __repr__(self) -> str:
        return STATUS_NAMES.get(int(self), str(int(self)))


def library_path() -> pathlib.Path:
    """Where the library under test is; raises when it is not there."""
    configured = os.environ.get("HANKO_LIBRARY")
    if configured:
        path = pathlib.Path(configured)
    else:
        path = pathlib.Path(__file__).resolve().parents[2] / ".build" / "release" / "libhanko.so"
    if not path.is_file():
        raise FileNotFoundError(f"no library at {path}: build it first (swift build -c release), or set HANKO_LIBRARY")
    return path


class Library:
    """The exported functions with their C types, and ``ask`` on top of them."""

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self.path = path or library_path()
        self.c = ctypes.CDLL(str(self.path))
        for name, result, arguments in (
            ("hanko_version", ctypes.c_char_p, []),
            ("hanko_version_number", ctypes.c_uint32, []),
            ("hanko_initialize", ctypes.c_int32, []),
            ("hanko_validate", ctypes.c_int, [ctypes.c_char_p]),
            ("hanko_last_status", ctypes.c_int32, []),
            ("hanko_last_error", ctypes.c_char_p, []),
            ("hanko_status_name", ctypes.c_char_p, [ctypes.c_int32]),
            ("hanko_status_message", ctypes.c_char_p, [ctypes.c_int32]),
        ):
            function = getattr(self.c, name)
            function.restype = result
            function.argtypes = arguments

    def last_status(self) -> int:
        """The status of this thread's last call."""
        return Expected(self.c.hanko_last_status())

    def last_error(self) -> str:
        """The text of this thread's last call; fails on NULL and on bytes that are not UTF-8."""
        text = self.c.hanko_last_error()
        assert text is not None, "hanko_last_error returned NULL"
        return text.decode("utf-8")

    def ask(self, token: bytes | None) -> Answer:
        """Call ``hanko_validate`` and check what must hold after every call, whatever came back."""
        value = self.c.hanko_validate(token)
        status = self.last_status()
        error = telltale.said(self.last_error())
        assert value in (0, 1), f"hanko_validate returned {value}"
        assert (value == 1) == (status == OK), f"returned {value} with {status!r}"
        assert (error == "") == (status == OK), f"{status!r} with the text {error!r}"
        assert SERVER_MARKER not in error.lower(), f"the server's words are in the error text: {error!r}"
        if token is not None and len(token) >= telltale.SHORTEST_TOKEN:
            telltale.used(token)
            assert token.decode("utf-8", "replace") not in error, f"the token is in the error text: {error!r}"
        return Answer(value, status, error)
