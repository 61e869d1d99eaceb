"""The C library: where it is found, and the types of its functions."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterable
from ctypes import POINTER, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ._fork import call_after_fork
from ._version import __version__

FILE_NAME = "libhanko.so.0"


class NativeStatistics(ctypes.Structure):
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


class Completion(ctypes.Structure):
    """``hanko_completion``."""

    _fields_ = [
        ("tag", c_uint64),
        ("session", c_void_p),
        ("status", c_int32),
        ("reserved", c_uint32),
        ("error", c_char * 232),
    ]


class Signature(NamedTuple):
    """The types of a function, and whether other Python threads run during a call.

    Giving up the interpreter lock costs more than a call that only reads a field, and getting it back can take a busy
    program milliseconds. So it is given up where a call can wait, and only there.
    """

    result: Any
    arguments: tuple[Any, ...]
    waits: bool = False


_SECTION = (c_char_p, c_size_t)  # a text and its length

SIGNATURES: dict[str, Signature] = {
    "hanko_version": Signature(c_char_p, ()),
    "hanko_version_number": Signature(c_uint32, ()),
    "hanko_status_name": Signature(c_char_p, (c_int32,)),
    "hanko_status_message": Signature(c_char_p, (c_int32,)),
    "hanko_initialize": Signature(c_int32, (), waits=True),
    "hanko_validate": Signature(c_int, (c_char_p,), waits=True),
    "hanko_last_status": Signature(c_int32, ()),
    "hanko_last_error": Signature(c_char_p, ()),
    "hanko_config_new": Signature(c_void_p, ()),
    "hanko_config_load_environment": Signature(c_int32, (c_void_p,)),
    "hanko_config_set_api_url": Signature(c_int32, (c_void_p, c_char_p)),
    "hanko_config_set_cookie_name": Signature(c_int32, (c_void_p, c_char_p)),
    "hanko_config_set_timeout_ms": Signature(c_int32, (c_void_p, c_uint32)),
    "hanko_config_set_connect_timeout_ms": Signature(c_int32, (c_void_p, c_uint32)),
    "hanko_config_set_max_retries": Signature(c_int32, (c_void_p, c_uint32)),
    "hanko_config_set_max_connections": Signature(c_int32, (c_void_p, c_uint32)),
    "hanko_config_set_ca_file": Signature(c_int32, (c_void_p, c_char_p)),
    "hanko_config_set_allow_insecure_http": Signature(c_int32, (c_void_p, c_int)),
    "hanko_config_add_audience": Signature(c_int32, (c_void_p, c_char_p)),
    "hanko_config_clear_audiences": Signature(c_int32, (c_void_p,)),
    "hanko_config_set_confirm_rejections": Signature(c_int32, (c_void_p, c_int)),
    # The logger as a plain pointer: this package only ever passes NULL.
    "hanko_config_set_logger": Signature(c_int32, (c_void_p, c_void_p, c_void_p, c_int32)),
    "hanko_config_free": Signature(None, (c_void_p,)),
    "hanko_client_new": Signature(c_int32, (c_void_p, POINTER(c_void_p)), waits=True),
    "hanko_client_check": Signature(c_int32, (c_void_p,), waits=True),
    "hanko_client_validate": Signature(c_int32, (c_void_p, *_SECTION, POINTER(c_void_p)), waits=True),
    "hanko_client_authenticate": Signature(c_int32, (c_void_p, *_SECTION, *_SECTION, POINTER(c_void_p)), waits=True),
    "hanko_client_statistics": Signature(c_int32, (c_void_p, POINTER(NativeStatistics))),
    "hanko_client_free": Signature(None, (c_void_p,), waits=True),
    "hanko_session_user_id": Signature(c_char_p, (c_void_p,)),
    "hanko_session_id": Signature(c_char_p, (c_void_p,)),
    "hanko_session_email": Signature(c_char_p, (c_void_p,)),
    "hanko_session_email_verified": Signature(c_int, (c_void_p,)),
    "hanko_session_username": Signature(c_char_p, (c_void_p,)),
    "hanko_session_issued_at": Signature(c_int64, (c_void_p,)),
    "hanko_session_expires_at": Signature(c_int64, (c_void_p,)),
    "hanko_session_idle_expires_at": Signature(c_int64, (c_void_p,)),
    "hanko_session_claims_json": Signature(c_char_p, (c_void_p,)),
    "hanko_session_claim_json": Signature(c_char_p, (c_void_p, c_char_p)),
    "hanko_session_free": Signature(None, (c_void_p,)),
    # The buffer is a c_void_p: as a c_char_p, a Python text could be passed and written to.
    "hanko_extract_token": Signature(c_int32, (*_SECTION, *_SECTION, c_char_p, c_void_p, c_size_t, POINTER(c_size_t))),
    "hanko_queue_new": Signature(c_int32, (c_void_p, POINTER(c_void_p)), waits=True),
    "hanko_queue_file_descriptor": Signature(c_int, (c_void_p,)),
    "hanko_queue_submit": Signature(c_int32, (c_void_p, *_SECTION, c_uint64)),
    "hanko_queue_submit_authenticate": Signature(c_int32, (c_void_p, *_SECTION, *_SECTION, c_uint64)),
    "hanko_queue_submit_check": Signature(c_int32, (c_void_p, c_uint64)),
    "hanko_queue_drain": Signature(c_size_t, (c_void_p, POINTER(Completion), c_size_t, c_size_t)),
    "hanko_queue_cancel": Signature(c_int32, (c_void_p, c_uint64)),
    "hanko_queue_free": Signature(None, (c_void_p,), waits=True),
}

# Handles are whole numbers here, and texts `bytes` whose length need not end at a NUL.
Text = Optional[bytes]


class Library:
    """The functions of the library, by their names without ``hanko_``, each with its real types.

    ``last_error`` and ``last_status`` speak of the thread's last call, so they follow it at once.
    """

    version: Callable[[], bytes]
    version_number: Callable[[], int]
    status_name: Callable[[int], bytes]
    status_message: Callable[[int], bytes]
    initialize: Callable[[], int]
    validate: Callable[[Text], int]
    last_status: Callable[[], int]
    last_error: Callable[[], bytes]
    config_new: Callable[[], Optional[int]]
    config_load_environment: Callable[[int], int]
    config_set_api_url: Callable[[int, Text], int]
    config_set_cookie_name: Callable[[int, Text], int]
    config_set_timeout_ms: Callable[[int, int], int]
    config_set_connect_timeout_ms: Callable[[int, int], int]
    config_set_max_retries: Callable[[int, int], int]
    config_set_max_connections: Callable[[int, int], int]
    config_set_ca_file: Callable[[int, Text], int]
    config_set_allow_insecure_http: Callable[[int, int], int]
    config_add_audience: Callable[[int, Text], int]
    config_clear_audiences: Callable[[int], int]
    config_set_confirm_rejections: Callable[[int, int], int]
    config_set_logger: Callable[[int, None, None, int], int]
    config_free: Callable[[Optional[int]], None]
    client_new: Callable[[Optional[int], Any], int]
    client_check: Callable[[int], int]
    client_validate: Callable[[int, Text, int, Any], int]
    client_authenticate: Callable[[int, Text, int, Text, int, Any], int]
    client_statistics: Callable[[int, Any], int]
    client_free: Callable[[Optional[int]], None]
    session_user_id: Callable[[Optional[int]], Text]
    session_id: Callable[[Optional[int]], Text]
    session_email: Callable[[Optional[int]], Text]
    session_email_verified: Callable[[Optional[int]], int]
    session_username: Callable[[Optional[int]], Text]
    session_issued_at: Callable[[Optional[int]], int]
    session_expires_at: Callable[[Optional[int]], int]
    session_idle_expires_at: Callable[[Optional[int]], int]
    session_claims_json: Callable[[Optional[int]], Text]
    session_claim_json: Callable[[Optional[int], Text], Text]
    session_free: Callable[[Optional[int]], None]
    extract_token: Callable[[Text, int, Text, int, Text, Optional[int], int, Any], int]
    queue_new: Callable[[int, Any], int]
    queue_file_descriptor: Callable[[int], int]
    queue_submit: Callable[[int, Text, int, int], int]
    queue_submit_authenticate: Callable[[int, Text, int, Text, int, int], int]
    queue_submit_check: Callable[[int, int], int]
    queue_drain: Callable[[int, Any, int, int], int]
    queue_cancel: Callable[[int, int], int]
    queue_free: Callable[[Optional[int]], None]

    def __init__(self, path: str) -> None:
        """Load the file; `OSError` where the loader cannot, `AttributeError` where a function is missing."""
        self.path = path
        waiting = ctypes.CDLL(path)
        quick = ctypes.PyDLL(path, handle=waiting._handle)
        for name, signature in SIGNATURES.items():
            # By an index a function object of its own, whose types nobody else can change.
            function = (waiting if signature.waits else quick)[name]
            function.restype = signature.result
            function.argtypes = signature.arguments
            setattr(self, name[len("hanko_") :], function)

    def last_text(self) -> str:
        """What happened in this thread's last call."""
        return self.last_error().decode("utf-8", "replace")


_lock = threading.Lock()
_library: Optional[Library] = None


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


call_after_fork(_renew_lock)


def library() -> Library:
    """The library, loaded on first use.

    Raises `ImportError` where there is none, with what was tried and what to install.
    """
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = _load(_candidates())
    return _library


def _candidates() -> list[str]:
    """Where the library may be: where ``HANKO_LIBRARY`` says, else inside the package, else where the system looks."""
    named = os.environ.get("HANKO_LIBRARY")
    if named:
        # Whoever names a file wants that one: another in its place would only hide the mistake.
        return [named]
    inside = Path(__file__).with_name(FILE_NAME)
    return [str(inside), FILE_NAME] if inside.exists() else [FILE_NAME]


def _load(candidates: Iterable[str]) -> Library:
    tried: list[str] = []
    for path in candidates:
        try:
            found = Library(path)
        except OSError as error:
            tried.append(f"{path}: {error}")
            continue
        except AttributeError as error:
            tried.append(f"{path}: not the libhanko that this package needs ({error})")
            continue
        version = found.version().decode("utf-8", "replace")
        if version == __version__:
            return found
        tried.append(f"{path}: it is version {version}, but this package needs {__version__}")
    raise ImportError("cannot load libhanko. Tried " + "; ".join(tried) + ". " + _advice(tried))


def _advice(tried: list[str]) -> str:
    if any("libcurl" in reason for reason in tried):
        return (
            "Install libcurl 7.87 or newer, with OpenSSL: the package libcurl4 on Debian and Ubuntu, "
            "libcurl on Fedora and Red Hat."
        )
    return (
        "Install the package hanko from a wheel that brings the library (pip install --force-reinstall hanko), or "
        f"libhanko {__version__} itself (make install in its repository), or set HANKO_LIBRARY to its path."
    )
