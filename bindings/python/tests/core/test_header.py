"""The types of the functions, against the header."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import pytest

import hanko
from hanko import Status, _library

SIMPLE = {
    "int": ctypes.c_int,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "hanko_status": ctypes.c_int32,
    "hanko_log_level": ctypes.c_int32,
    "hanko_log_function": ctypes.c_void_p,
    "void": None,
}
POINTERS = {
    "const char *": ctypes.c_char_p,
    "char *": ctypes.c_void_p,  # a buffer that is written to
    "void *": ctypes.c_void_p,
    "size_t *": ctypes.POINTER(ctypes.c_size_t),
    "hanko_client **": ctypes.POINTER(ctypes.c_void_p),
    "hanko_session **": ctypes.POINTER(ctypes.c_void_p),
    "hanko_queue **": ctypes.POINTER(ctypes.c_void_p),
    "hanko_statistics *": ctypes.POINTER(_library.NativeStatistics),
    "hanko_completion *": ctypes.POINTER(_library.Completion),
}
STRUCTURES = {"hanko_statistics": _library.NativeStatistics, "hanko_completion": _library.Completion}


def c_type(declaration: str) -> Any:
    """The ctypes type for a C type."""
    text = " ".join(declaration.replace("*", " * ").split())
    text = re.sub(r"\* \*", "**", text)
    if text in SIMPLE:
        return SIMPLE[text]
    if text in POINTERS:
        return POINTERS[text]
    assert re.fullmatch(r"(const )?hanko_(config|client|session|queue) \*", text), f"a type that is not known: {text}"
    return ctypes.c_void_p


@pytest.fixture(scope="session")
def header(repository: Path) -> str:
    """The header without its comments and directives."""
    text = (repository / "include" / "hanko.h").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    return re.sub(r"^#.*?(?<!\\)$", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def functions(header: str) -> dict[str, tuple[Any, list[Any]]]:
    """Every function of the header with its types."""
    found: dict[str, tuple[Any, list[Any]]] = {}
    for result, name, parameters in re.findall(r"HANKO_API\s+([^;]*?)\b(hanko_\w+)\s*\(([^)]*)\)\s*;", header):
        kept = [part.strip() for part in parameters.split(",") if part.strip() != "void"]
        types = [c_type(re.fullmatch(r"(.*?)\w+", part, re.DOTALL)[1]) for part in kept]
        found[name] = (c_type(result.replace("HANKO_MUST_USE", "")), types)
    return found


def test_every_function_is_there_and_no_other(functions: dict[str, Any]) -> None:
    assert len(functions) > 40
    assert sorted(_library.SIGNATURES) == sorted(functions)


def test_every_type(functions: dict[str, tuple[Any, list[Any]]]) -> None:
    library = _library.library()
    for name, (result, arguments) in functions.items():
        function = getattr(library, name[len("hanko_") :])
        assert function.restype is result, name
        assert list(function.argtypes) == arguments, name


def test_checkers_see_every_function() -> None:
    names = {name[len("hanko_") :] for name in _library.SIGNATURES}
    assert set(_library.Library.__annotations__) == names


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_structures(header: str, name: str) -> None:
    body = re.search(r"typedef struct %s \{([^}]*)\}" % name, header)
    assert body, name
    members = [" ".join(line.split()) for line in body[1].split(";") if line.strip()]
    expected = []
    for member in members:
        kind, field, length = re.fullmatch(r"(.*?[ *])(\w+)(?:\[(\d+)\])?", member).groups()
        simple = ctypes.c_char if kind.strip() == "char" else c_type(kind)
        expected.append((field, simple * int(length) if length else simple))
    assert STRUCTURES[name]._fields_ == expected


def test_statuses(header: str) -> None:
    found = dict(re.findall(r"HANKO_(\w+)\s*=\s*(\d+)", re.search(r"enum\s*\{([^}]*HANKO_OK[^}]*)\}", header)[1]))
    assert {name: int(value) for name, value in found.items()} == {status.name: int(status) for status in Status}


@pytest.mark.parametrize("number", [*range(-1, 12), 1000])
def test_names_and_messages_are_those_of_the_library(number: int) -> None:
    library = _library.library()
    assert Status(number).full_name == library.status_name(number).decode()
    assert Status(number).client_message == library.status_message(number).decode()


def test_version(repository: Path) -> None:
    text = (repository / "include" / "hanko.h").read_text(encoding="utf-8")
    assert f'#define HANKO_VERSION_STRING "{hanko.__version__}"' in text
