"""The header, as C99, C11 and C++17 programs see it."""

from __future__ import annotations

import ctypes
import re
import textwrap
from pathlib import Path
from typing import Dict

import pytest

from conftest import (
    HEADER,
    LANGUAGES,
    PROGRAMS,
    ROOT,
    STRICT,
    clean_environment,
    declared_functions,
    header_without_comments,
    link_flags,
    run,
)

INCLUDE = f"-I{ROOT / 'include'}"
languages = pytest.mark.parametrize("language", LANGUAGES)


def introduction_example() -> str:
    """The program in the header's introduction."""
    comment = HEADER.read_text(encoding="utf-8").split("*/")[0]
    lines = [re.sub(r"^ \* ?", "", line) for line in comment.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.strip() == "#include <hanko.h>")
    indentation = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    end = next(number for number in range(start, len(lines)) if lines[number] == indentation + "}")
    return textwrap.dedent("\n".join(lines[start : end + 1])) + "\n"


def statuses() -> Dict[str, int]:
    """The values of hanko_status, by name."""
    body = re.search(r"enum\s*\{([^}]*HANKO_OK[^}]*)\}", header_without_comments())
    assert body, "no enum with HANKO_OK in the header"
    found = {name: int(value) for name, value in re.findall(r"(HANKO_\w+)\s*=\s*(\d+)", body[1])}
    assert len(found) == body[1].count("="), "a value that this test cannot read"
    return found


@languages
def test_header_compiles_alone(language: str, tmp_path: Path) -> None:
    """Nothing before it, nothing beside it, no warning, also none that only some people switch on."""
    more = ["-Wshadow", "-Wconversion", "-Wundef"]
    run([*LANGUAGES[language], *STRICT, *more, INCLUDE, "-c", PROGRAMS / "alone.c", "-o", tmp_path / "alone.o"])


@languages
def test_contract(language: str, library: Path, tmp_path: Path) -> None:
    """Numbers, signatures, NULL everywhere, version macros against functions by value."""
    program = tmp_path / "contract"
    source = PROGRAMS / "contract.c"
    run([*LANGUAGES[language], *STRICT, INCLUDE, source, "-x", "none", *link_flags(), "-o", program])
    assert run([program]).stdout == "all right\n"


@languages
def test_introduction_example_builds_and_runs(language: str, library: Path, hanko, tmp_path: Path) -> None:
    """The first thing that anybody will copy."""
    source, program = tmp_path / "main.c", tmp_path / "main"
    source.write_text(introduction_example(), encoding="utf-8")
    run([*LANGUAGES[language], *STRICT, INCLUDE, source, "-x", "none", *link_flags(), "-o", program])

    asked = clean_environment(HANKO_API_URL=hanko.api_url)
    session = hanko.mint_session()
    assert run([program, session.token], env=asked).stdout == "200 welcome\n"
    assert run([program, "no-token-at-all"], env=asked).stdout == "401 please log in\n"
    assert run([program], env=asked).stdout == "401 please log in\n"
    unasked = run([program, session.token])
    assert unasked.stdout == "503 please try again\n"
    assert "HANKO_API_URL" in unasked.stderr


@pytest.mark.parametrize("compiler", ["cc -std=c99", "c++ -std=c++17 -x c++"])
def test_ignored_status_is_an_error(compiler: str, tmp_path: Path) -> None:
    """0 is OK for functions that return a status, so nobody should overlook one."""
    source = tmp_path / "ignored.c"
    source.write_text("#include <hanko.h>\nint main(void) { hanko_initialize(); return 0; }\n", encoding="utf-8")
    done = run([*compiler.split(), *STRICT, INCLUDE, "-c", source, "-o", tmp_path / "ignored.o"], expect=None)
    assert done.returncode != 0 and "unused-result" in done.stderr, done.stderr


def test_every_function_is_marked_as_exported() -> None:
    """A declaration without HANKO_API would vanish from a build with hidden visibility."""
    marked = re.findall(r"\bHANKO_API\b[^;()]*?\b(hanko_\w+)\s*\(", header_without_comments())
    assert sorted(marked) == declared_functions()


def test_status_names_are_those_of_the_header(library: Path) -> None:
    """Every value has its own name, and every other number the name for unknown ones."""
    loaded = ctypes.CDLL(str(library))
    loaded.hanko_status_name.argtypes = [ctypes.c_int32]
    loaded.hanko_status_name.restype = ctypes.c_char_p
    known = statuses()
    for name, value in known.items():
        assert loaded.hanko_status_name(value).decode() == name
    for value in (-1, len(known), 10, 255, 256, 2**31 - 1, -(2**31)):
        assert loaded.hanko_status_name(value) == b"HANKO_UNKNOWN_STATUS"


def test_status_messages_are_the_words_of_the_guide(library: Path) -> None:
    """They go to clients, so they tell nothing but these four things, whatever the number."""
    loaded = ctypes.CDLL(str(library))
    loaded.hanko_status_message.argtypes = [ctypes.c_int32]
    loaded.hanko_status_message.restype = ctypes.c_char_p
    words = {
        "HANKO_OK": b"OK",
        "HANKO_INVALID_TOKEN": b"Invalid token",
        "HANKO_NO_TOKEN": b"Invalid token",
        "HANKO_TIMEOUT": b"Authentication service timeout",
    }
    unavailable = b"Authentication service unavailable"
    for name, value in statuses().items():
        assert loaded.hanko_status_message(value) == words.get(name, unavailable), name
    for value in (-1, 10, 255, 256, 2**31 - 1, -(2**31)):
        assert loaded.hanko_status_message(value) == unavailable
