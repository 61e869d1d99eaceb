"""Where the environment is found, and what of its changes is seen: in programs of every kind, by every way to load."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from resilience import compile_program, run_program

NOT_SET = "HANKO_API_URL"
# After each change: the variable that the next call complains of.
CHANGES = {
    "as it was": "HANKO_TIMEOUT_MS",
    "unsetenv": NOT_SET,
    "setenv": "HANKO_MAX_RETRIES",
    "setenv of the same name": NOT_SET,
    "putenv": "HANKO_COOKIE_NAME",
    "the text of putenv changed": NOT_SET,
    "another variable": NOT_SET,
    "in the place of another": "HANKO_TIMEOUT_MS",
    "back in its place": NOT_SET,
    "setenv and unsetenv of another": "HANKO_CONNECT_TIMEOUT_MS",
    "a text of the program's": NOT_SET,
    "another at its address": "HANKO_TIMEOUT_MS",
    "another array": "HANKO_MAX_CONNECTIONS",
    "cut": NOT_SET,
    "entries without a value": NOT_SET,
    "its first place": "HANKO_TIMEOUT_MS",
    "the old array": NOT_SET,
    "clearenv": NOT_SET,
    "setenv after it": "HANKO_LOG",
    "none": NOT_SET,
    "setenv after none": "HANKO_TIMEOUT_MS",
}


@pytest.fixture(scope="module", params=["pie", "no-pie"])
def program(request, tmp_path_factory):
    """The program with and without a copy of environ of its own."""
    options = () if request.param == "pie" else ("-no-pie", "-fno-pie")
    return compile_program("environment_changes", tmp_path_factory.mktemp("environment"), options=options)


@pytest.mark.parametrize("others", [0, 3000])
@pytest.mark.parametrize("loading", ["plain", "deep"])
def test_every_change_is_seen(library, program, monkeypatch, loading, others):
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "x")
    monkeypatch.setenv("HANKO_LOG", "off")
    monkeypatch.delenv("HANKO_LIBRARY", raising=False)
    (found,) = run_program(program, library.path, loading, others)
    assert found == CHANGES


@pytest.mark.parametrize("loading", ["os.RTLD_NOW", "os.RTLD_NOW | os.RTLD_DEEPBIND"])
@pytest.mark.parametrize("python", ["/usr/bin/python3", "/usr/bin/env python3"])
def test_python(library, python, loading):
    """Debian's has a copy of environ."""
    if not pathlib.Path(python.split()[0]).exists():
        pytest.skip(f"this machine has no {python}")
    code = f"""
import ctypes, os
library = ctypes.CDLL({str(library.path)!r}, mode={loading})
library.hanko_last_error.restype = ctypes.c_char_p
def first_word():
    library.hanko_validate(b"token")
    return library.hanko_last_error().split()[0].decode()
print(first_word())
os.environ["HANKO_MAX_RETRIES"] = "x"
del os.environ["HANKO_TIMEOUT_MS"]
print(first_word())
del os.environ["HANKO_MAX_RETRIES"]
print(first_word())
"""
    environment = {"PATH": os.environ["PATH"], "HANKO_TIMEOUT_MS": "x", "HANKO_LOG": "off"}
    done = subprocess.run([*python.split(), "-c", code], env=environment, capture_output=True, text=True, timeout=50)
    assert done.stdout.split() == ["HANKO_TIMEOUT_MS", "HANKO_MAX_RETRIES", NOT_SET], done.stderr
