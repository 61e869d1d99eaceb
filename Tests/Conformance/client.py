"""The client API through ctypes: handles that free themselves, and a check of every call.

Each call is checked for what must hold whatever came back: the thread's last status is the one
that was returned, there is a text exactly where there is a failure, it is one printable line, and
an out parameter is written on success and NULL otherwise.
"""

from __future__ import annotations

import ctypes
import json
import threading
import types
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, NamedTuple

import telltale
from library import OK, STATUS_NAMES, Expected, Library
from messages import SERVER_MARKER

LOG_OFF = 0
LOG_ERROR = 1
LOG_WARNING = 2
LOG_INFO = 3
LOG_DEBUG = 4

LogFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)

# What an out parameter holds before a call: no address, so that a call that leaves it alone shows.
UNTOUCHED = 0xDEAD


class Statistics(ctypes.Structure):
    """``hanko_statistics``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("results", c_uint64 * 16),
        ("requests", c_uint64),
        ("retries", c_uint64),
        ("connections_opened", c_uint64),
        ("breaker_opened", c_uint64),
        ("in_flight", c_uint64),
        ("hidden_key_set", c_uint64),
    ]


SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "hanko_config_new": (c_void_p, []),
    "hanko_config_load_environment": (c_int32, [c_void_p]),
    "hanko_config_set_api_url": (c_int32, [c_void_p, c_char_p]),
    "hanko_config_set_cookie_name": (c_int32, [c_void_p, c_char_p]),
    "hanko_config_set_timeout_ms": (c_int32, [c_void_p, c_uint32]),
    "hanko_config_set_connect_timeout_ms": (c_int32, [c_void_p, c_uint32]),
    "hanko_config_set_max_retries": (c_int32, [c_void_p, c_uint32]),
    "hanko_config_set_max_connections": (c_int32, [c_void_p, c_uint32]),
    "hanko_config_set_ca_file": (c_int32, [c_void_p, c_char_p]),
    "hanko_config_set_allow_insecure_http": (c_int32, [c_void_p, c_int]),
    "hanko_config_add_audience": (c_int32, [c_void_p, c_char_p]),
    "hanko_config_clear_audiences": (c_int32, [c_void_p]),
    "hanko_config_set_confirm_rejections": (c_int32, [c_void_p, c_int]),
    "hanko_config_set_logger": (c_int32, [c_void_p, LogFunction, c_void_p, c_int32]),
    "hanko_config_free": (None, [c_void_p]),
    "hanko_client_new": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "hanko_client_check": (c_int32, [c_void_p]),
    "hanko_client_validate": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_void_p)]),
    "hanko_client_authenticate": (
        c_int32,
        [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_void_p)],
    ),
    "hanko_client_statistics": (c_int32, [c_void_p, POINTER(Statistics)]),
    "hanko_client_free": (None, [c_void_p]),
    "hanko_session_user_id": (c_char_p, [c_void_p]),
    "hanko_session_id": (c_char_p, [c_void_p]),
    "hanko_session_email": (c_char_p, [c_void_p]),
    "hanko_session_email_verified": (c_int, [c_void_p]),
    "hanko_session_username": (c_char_p, [c_void_p]),
    "hanko_session_issued_at": (c_int64, [c_void_p]),
    "hanko_session_expires_at": (c_int64, [c_void_p]),
    "hanko_session_idle_expires_at": (c_int64, [c_void_p]),
    "hanko_session_claims_json": (c_char_p, [c_void_p]),
    "hanko_session_claim_json": (c_char_p, [c_void_p, c_char_p]),
    "hanko_session_free": (None, [c_void_p]),
    # The buffer is a c_void_p: as a c_char_p, a Python text could be passed and written to.
    "hanko_extract_token": (
        c_int32,
        [c_char_p, c_size_t, c_char_p, c_size_t, c_char_p, c_void_p, c_size_t, POINTER(c_size_t)],
    ),
}


def bind(library: Library) -> Library:
    """Put the functions of the client API with their C types into ``library.api``; the others stay in ``library.c``."""
    library.api = types.SimpleNamespace()
    for name, (result, arguments) in SIGNATURES.items():
        # By an index a function object of its own, whose types nobody who uses `library.c` can change.
        function = library.c[name]
        function.restype = result
        function.argtypes = arguments
        setattr(library.api, name, function)
    return library


class Outcome(NamedTuple):
    """What a call that returns a ``hanko_status`` left behind."""

    status: int
    error: str
    session: Session | None = None


def call(library: Library, name: str, *arguments: Any) -> Outcome:
    """Call a function that returns a ``hanko_status``, and check what must hold after every one."""
    status = Expected(getattr(library.api, name)(*arguments))
    error = telltale.said(library.last_error())
    assert status in STATUS_NAMES, f"{name} returned {status}"
    assert library.last_status() == status, f"{name} returned {status!r}, hanko_last_status {library.last_status()!r}"
    assert (error == "") == (status == OK), f"{name}: {status!r} with the text {error!r}"
    assert error.isprintable(), f"{name}: not one printable line: {error!r}"
    assert SERVER_MARKER not in error.lower(), f"{name}: the server's words are in the error text: {error!r}"
    return Outcome(status, error)


class Log:
    """A logger that keeps every line and checks what must hold for each."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.contexts: list[int | None] = []
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self.function = LogFunction(self._receive)

    def _receive(self, context: int | None, level: int, message: bytes | None) -> None:
        # An exception would be lost in here, so what is wrong is kept for later.
        text = "NULL" if message is None else telltale.said(message.decode("utf-8", "replace"))
        with self._lock:
            self.lines.append((level, text))
            self.contexts.append(context)
            if message is None or not text or not text.isprintable() or "\ufffd" in text:
                self.problems.append(f"not one printable line: {message!r}")
            if not LOG_ERROR <= level <= LOG_DEBUG:
                self.problems.append(f"level {level} for {text!r}")
            if SERVER_MARKER in text.lower():
                self.problems.append(f"the server's words: {text!r}")

    @property
    def texts(self) -> list[str]:
        """The lines without their levels."""
        return [text for _, text in self.lines]

    @property
    def levels(self) -> list[int]:
        """The levels of the lines."""
        return [level for level, _ in self.lines]

    def check(self) -> None:
        """Fail when a line was not as a line must be."""
        assert self.problems == []


class Config:
    """A ``hanko_config``; everything that its clients do is logged to ``log`` at debug level."""

    def __init__(self, library: Library, **options: Any) -> None:
        self.library = library
        self.log = Log()
        self.handle = library.api.hanko_config_new()
        assert self.handle, "hanko_config_new returned NULL"
        self.set_logger(self.log.function, None, LOG_DEBUG)
        for name, value in options.items():
            if name == "audiences":
                for audience in value:
                    self.add_audience(audience)
            else:
                outcome = self.set(name, value)
                assert outcome.status == OK, f"{name} = {value!r}: {outcome.error}"

    def set(self, option: str, value: Any) -> Outcome:
        """Set an option by its name, text as `str` or `bytes`."""
        if isinstance(value, str):
            value = value.encode("utf-8")
        return call(self.library, f"hanko_config_set_{option}", self.handle, value)

    def add_audience(self, audience: str) -> Outcome:
        """Add an audience, which must be allowed."""
        outcome = call(self.library, "hanko_config_add_audience", self.handle, audience.encode("utf-8"))
        assert outcome.status == OK, outcome.error
        return outcome

    def clear_audiences(self) -> None:
        """Remove all audiences."""
        assert call(self.library, "hanko_config_clear_audiences", self.handle).status == OK

    def load_environment(self) -> Outcome:
        """Take what the environment sets."""
        return call(self.library, "hanko_config_load_environment", self.handle)

    def set_logger(self, function: Any, context: int | None, level: int) -> Outcome:
        """Set the logger; the caller keeps it alive."""
        return call(self.library, "hanko_config_set_logger", self.handle, function, context, level)

    def free(self) -> None:
        """Free the handle; a second time does nothing."""
        handle, self.handle = self.handle, None
        if handle:
            self.library.api.hanko_config_free(handle)

    __del__ = free


class Session:
    """A ``hanko_session``."""

    def __init__(self, library: Library, handle: int | None) -> None:
        self.library = library
        self.handle = handle

    def _text(self, name: str) -> str | None:
        value = getattr(self.library.api, name)(self.handle)
        return None if value is None else value.decode("utf-8")

    @property
    def user_id(self) -> str | None:
        """The id of the user."""
        return self._text("hanko_session_user_id")

    @property
    def session_id(self) -> str | None:
        """The id of the session."""
        return self._text("hanko_session_id")

    @property
    def email(self) -> str | None:
        """The address."""
        return self._text("hanko_session_email")

    @property
    def email_verified(self) -> int:
        """Whether it is verified."""
        return self.library.api.hanko_session_email_verified(self.handle)

    @property
    def username(self) -> str | None:
        """The name."""
        return self._text("hanko_session_username")

    @property
    def issued_at(self) -> int:
        """When it was made."""
        return self.library.api.hanko_session_issued_at(self.handle)

    @property
    def expires_at(self) -> int:
        """When it ends."""
        return self.library.api.hanko_session_expires_at(self.handle)

    @property
    def idle_expires_at(self) -> int:
        """When it ends unused."""
        return self.library.api.hanko_session_idle_expires_at(self.handle)

    @property
    def claims_json(self) -> str | None:
        """Every claim."""
        return self._text("hanko_session_claims_json")

    @property
    def claims(self) -> Any:
        """Every claim, read; floats as text, so that no digit is lost."""
        return json.loads(self.claims_json, parse_float=str)

    def claim_json(self, name: str | bytes | None) -> str | None:
        """One claim."""
        raw = name.encode("utf-8") if isinstance(name, str) else name
        value = self.library.api.hanko_session_claim_json(self.handle, raw)
        return None if value is None else value.decode("utf-8")

    def facts(self) -> tuple[Any, ...]:
        """Everything at once, to compare."""
        return (
            self.user_id,
            self.session_id,
            self.email,
            self.email_verified,
            self.username,
            self.issued_at,
            self.expires_at,
            self.idle_expires_at,
            self.claims_json,
        )

    def free(self) -> None:
        """Free the handle; a second time does nothing."""
        handle, self.handle = self.handle, None
        if handle:
            self.library.api.hanko_session_free(handle)

    __del__ = free


def new_client_handle(library: Library, config: Config | None) -> tuple[Outcome, int | None]:
    """Call ``hanko_client_new`` and check its out parameter."""
    out = c_void_p(UNTOUCHED)
    outcome = call(library, "hanko_client_new", config.handle if config else None, ctypes.byref(out))
    assert out.value != UNTOUCHED, "the client was not written"
    assert (out.value is not None) == (outcome.status == OK), f"{outcome.status!r} with the client {out.value}"
    return outcome, out.value


class Client:
    """A ``hanko_client`` that was made successfully; without a config from the environment."""

    def __init__(self, library: Library, config: Config | None = None) -> None:
        self.library = library
        # The logger lives in the config's Python object and must outlive this client.
        self.log = config.log if config else None
        outcome, self.handle = new_client_handle(library, config)
        assert outcome.status == OK, outcome.error

    def _with_session(self, name: str, *arguments: Any, wanted: bool) -> Outcome:
        if not wanted:
            return call(self.library, name, self.handle, *arguments, None)
        out = c_void_p(UNTOUCHED)
        outcome = call(self.library, name, self.handle, *arguments, ctypes.byref(out))
        assert out.value != UNTOUCHED, f"{name}: the session was not written"
        assert (out.value is not None) == (outcome.status == OK), f"{outcome.status!r} with the session {out.value}"
        return outcome._replace(session=Session(self.library, out.value) if out.value else None)

    def validate(self, token: bytes | None, length: int | None = None, wanted: bool = True) -> Outcome:
        """Ask about a token; ``wanted=False`` passes NULL for the session."""
        if token is not None:
            telltale.used(token)
        size = len(token or b"") if length is None else length
        return self._with_session("hanko_client_validate", token, size, wanted=wanted)

    def authenticate(
        self, cookie: bytes | None = None, authorization: bytes | None = None, wanted: bool = True
    ) -> Outcome:
        """Find the token in headers and ask about it."""
        return self._with_session(
            "hanko_client_authenticate",
            cookie,
            len(cookie or b""),
            authorization,
            len(authorization or b""),
            wanted=wanted,
        )

    def check(self) -> Outcome:
        """The start-up check."""
        return call(self.library, "hanko_client_check", self.handle)

    def statistics(self) -> Statistics:
        """All counters."""
        statistics = Statistics(struct_size=ctypes.sizeof(Statistics))
        assert call(self.library, "hanko_client_statistics", self.handle, ctypes.byref(statistics)).status == OK
        assert statistics.struct_size == ctypes.sizeof(Statistics)
        return statistics

    def results(self) -> dict[int, int]:
        """How many validations ended with which status, without those of which there was none."""
        return {Expected(status): count for status, count in enumerate(self.statistics().results) if count}

    def free(self) -> None:
        """Free the handle; a second time does nothing."""
        handle, self.handle = self.handle, None
        if handle:
            self.library.api.hanko_client_free(handle)

    __del__ = free


ClientFactory = Callable[..., Client]


class Extracted(NamedTuple):
    """What ``hanko_extract_token`` left behind."""

    status: int
    error: str
    token: bytes | None
    length: int


def extract(
    library: Library,
    cookie: bytes | None = None,
    authorization: bytes | None = None,
    name: bytes | None = None,
    capacity: int = 1 << 17,
) -> Extracted:
    """Call ``hanko_extract_token`` with a buffer, and check what is behind its capacity."""
    canary = b"\xa5"
    buffer = ctypes.create_string_buffer(canary * (capacity + 16), capacity + 16)
    length = c_size_t(UNTOUCHED)
    outcome = call(
        library,
        "hanko_extract_token",
        cookie,
        len(cookie or b""),
        authorization,
        len(authorization or b""),
        name,
        ctypes.addressof(buffer),
        capacity,
        ctypes.byref(length),
    )
    assert buffer.raw[capacity:] == canary * 16, "written beyond the capacity"
    if outcome.status != OK:
        assert buffer.raw == canary * (capacity + 16), f"{outcome.status!r}, but the buffer was written to"
        return Extracted(outcome.status, outcome.error, None, length.value)
    assert length.value < capacity
    assert buffer.raw[length.value] == 0, "no NUL behind the token"
    return Extracted(outcome.status, outcome.error, telltale.used(buffer.raw[: length.value]), length.value)
