"""A client of the library for the tests of what surrounds a verdict: retries, breaker, pool, confirmation, process.

Small on purpose: the functions that these tests need, with what must hold after every call checked in one place.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import subprocess
import threading
from collections.abc import Iterator
from typing import Callable, NamedTuple

from library import OK, Expected, Library
from messages import SERVER_MARKER

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
INCLUDE = HERE.parents[1] / "include"


class Statistics(ctypes.Structure):
    """``hanko_statistics`` as the header declares it."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("results", ctypes.c_uint64 * 16),
        ("requests", ctypes.c_uint64),
        ("retries", ctypes.c_uint64),
        ("connections_opened", ctypes.c_uint64),
        ("breaker_opened", ctypes.c_uint64),
        ("in_flight", ctypes.c_uint64),
        ("hidden_key_set", ctypes.c_uint64),
    ]


LOGGER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)

_POINTER, _TEXT, _STATUS = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32
_FUNCTIONS = {
    "hanko_config_new": (_POINTER, []),
    "hanko_config_free": (None, [_POINTER]),
    "hanko_config_set_api_url": (_STATUS, [_POINTER, _TEXT]),
    "hanko_config_set_ca_file": (_STATUS, [_POINTER, _TEXT]),
    "hanko_config_set_timeout_ms": (_STATUS, [_POINTER, ctypes.c_uint32]),
    "hanko_config_set_connect_timeout_ms": (_STATUS, [_POINTER, ctypes.c_uint32]),
    "hanko_config_set_max_retries": (_STATUS, [_POINTER, ctypes.c_uint32]),
    "hanko_config_set_max_connections": (_STATUS, [_POINTER, ctypes.c_uint32]),
    "hanko_config_set_confirm_rejections": (_STATUS, [_POINTER, ctypes.c_int]),
    "hanko_config_set_allow_insecure_http": (_STATUS, [_POINTER, ctypes.c_int]),
    "hanko_config_set_logger": (_STATUS, [_POINTER, LOGGER, _POINTER, ctypes.c_int32]),
    "hanko_client_new": (_STATUS, [_POINTER, ctypes.POINTER(_POINTER)]),
    "hanko_client_free": (None, [_POINTER]),
    "hanko_client_check": (_STATUS, [_POINTER]),
    "hanko_client_validate": (_STATUS, [_POINTER, _TEXT, ctypes.c_size_t, ctypes.POINTER(_POINTER)]),
    "hanko_client_authenticate": (
        _STATUS,
        [_POINTER, _TEXT, ctypes.c_size_t, _TEXT, ctypes.c_size_t, ctypes.POINTER(_POINTER)],
    ),
    "hanko_client_statistics": (_STATUS, [_POINTER, ctypes.POINTER(Statistics)]),
    "hanko_session_free": (None, [_POINTER]),
}


class Result(NamedTuple):
    """What one call came to."""

    status: int
    error: str


class Client:
    """A ``hanko_client`` with the settings that are given; everything else is the default, never the environment."""

    def __init__(self, library: Library, url: str, *, logger: object = None, log_level: int = 0, **settings: object):
        self._library = library
        self._c = library.c
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._c, name)
            function.restype, function.argtypes = result, arguments
        config = self._c.hanko_config_new()
        assert config, "no memory for a config"
        # Must live as long as the client.
        self._logger = LOGGER(logger) if callable(logger) else LOGGER()
        self._must(self._c.hanko_config_set_logger(config, self._logger, None, log_level), "set_logger")
        self._must(self._c.hanko_config_set_api_url(config, url.encode()), "set_api_url")
        for name, value in settings.items():
            argument = str(value).encode() if name == "ca_file" else value
            self._must(getattr(self._c, f"hanko_config_set_{name}")(config, argument), name)
        self._client = ctypes.c_void_p()
        self._must(self._c.hanko_client_new(config, ctypes.byref(self._client)), "hanko_client_new")
        self._c.hanko_config_free(config)

    def _must(self, status: int, what: str) -> None:
        assert status == OK, f"{what}: {Expected(status)!r} {self._library.last_error()}"

    def _result(self, status: int, session: ctypes.c_void_p, tokens: bytes) -> Result:
        error = self._library.last_error()
        assert self._library.last_status() == status
        assert bool(session) == (status == OK), f"{Expected(status)!r} with session {session}"
        assert (error == "") == (status == OK), f"{Expected(status)!r} with the text {error!r}"
        assert SERVER_MARKER not in error.lower(), f"the server's words are in the error text: {error!r}"
        for token in tokens.split():
            if len(token) >= 12:
                assert token.decode("utf-8", "replace") not in error, f"a token is in the error text: {error!r}"
        self._c.hanko_session_free(session)
        return Result(Expected(status), error)

    def validate(self, token: bytes) -> Result:
        """``hanko_client_validate``, and what must hold after it."""
        session = ctypes.c_void_p()
        status = self._c.hanko_client_validate(self._client, token, len(token), ctypes.byref(session))
        return self._result(status, session, token)

    def status(self, token: bytes) -> int:
        """Only the status of ``validate``."""
        return self.validate(token).status

    def authenticate(self, cookie: bytes, authorization: bytes | None = None) -> Result:
        """``hanko_client_authenticate``, and what must hold after it."""
        session = ctypes.c_void_p()
        status = self._c.hanko_client_authenticate(
            self._client, cookie, len(cookie), authorization, len(authorization or b""), ctypes.byref(session)
        )
        return self._result(status, session, b"")

    def check(self) -> Result:
        """``hanko_client_check``."""
        status = self._c.hanko_client_check(self._client)
        return Result(Expected(status), self._library.last_error())

    def statistics(self) -> Statistics:
        """The counters."""
        found = Statistics(struct_size=ctypes.sizeof(Statistics))
        self._must(self._c.hanko_client_statistics(self._client, ctypes.byref(found)), "statistics")
        return found

    def close(self) -> None:
        """Free the client; a second time does nothing."""
        self._c.hanko_client_free(self._client)
        self._client = ctypes.c_void_p()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def in_threads(count: int, function: Callable[[int], object], join: float = 50.0) -> list:
    """Run a function with its number on so many threads at once; give the results in order."""
    results: list = [None] * count
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def body(number: int) -> None:
        try:
            start.wait(20)
            results[number] = function(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(join)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def compile_program(
    name: str,
    folder: pathlib.Path,
    *,
    shared: bool = False,
    library: pathlib.Path | None = None,
    options: tuple[str, ...] = (),
) -> pathlib.Path:
    """Compile ``programs/<name>.c``; with a library it is linked against it, else the program finds it by dlopen."""
    output = folder / (f"{name}.so" if shared else name)
    command = ["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}"]
    command += ["-shared", "-fPIC"] if shared else []
    command += options
    command += ["-o", str(output), str(PROGRAMS / f"{name}.c")]
    if library is not None:
        # By its path: the name of the file may be another one than the soname.
        link = folder / "libhanko.so.0"
        if not link.exists():
            link.symlink_to(library.resolve())
        command += [str(link), f"-Wl,-rpath,{folder}"]
    command += ["-pthread", "-ldl"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return output


class FastServer:
    """``programs/fast_server.c``: a Hanko that answers in microseconds; yes to tokens with ``yes`` in front."""

    def __init__(self, program: pathlib.Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    @property
    def url(self) -> str:
        """The API URL of this server."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> dict[str, int]:
        """End it; how many connections and requests about tokens it saw."""
        # It ends when its standard input does.
        output, _ = self._process.communicate(timeout=20)
        connections, requests = output.split()
        return {"connections": int(connections), "requests": int(requests)}


def memory_kilobytes() -> int:
    """Resident memory of this process."""
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS in /proc/self/status")


def reports(stdout: str) -> Iterator[object]:
    """The JSON lines that a C program printed."""
    for line in stdout.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def run_program(program: pathlib.Path, *arguments: object, timeout: float = 50, **environment: object) -> list:
    """Run a program and give its JSON lines; any exit status but 0 fails."""
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return list(reports(done.stdout))
