"""The built library, read with binutils: what it needs, what it offers, how large it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, NamedTuple, Tuple

from conftest import BUILD, PROGRAMS, ROOT, STRICT, clean_environment, declared_functions, run

# 300 KB, stripped.
LARGEST = 300_000
# Nothing else, not even the dynamic linker: on a machine with libcurl the library must simply load.
MAY_NEED = {"libcurl.so.4", "libc.so.6", "libm.so.6"}
NEWEST_GLIBC = (2, 34)


class Symbol(NamedTuple):
    """A line of the dynamic symbol table."""

    kind: str
    binding: str
    section: str
    name: str


def dynamic_entries(path: Path, tag: str) -> List[str]:
    """The values of a tag in the dynamic section."""
    text = run(["readelf", "--dynamic", "--wide", path]).stdout
    return re.findall(rf"\({tag}\)\s+(?:[^\[\n]*\[([^\]]*)\]|.*)", text)


def dynamic_symbols(path: Path) -> List[Symbol]:
    """The dynamic symbol table."""
    text = run(["readelf", "--dyn-syms", "--wide", path]).stdout
    row = re.compile(r"\s*\d+: [0-9a-f]+ +\S+ (\S+) +(\S+) +\S+ +(?:\[.*\] +)?(\S+) (\S+)")
    symbols = [Symbol(*found.groups()) for found in map(row.match, text.splitlines()) if found]
    assert symbols, text
    return symbols


def exported(path: Path) -> List[str]:
    """Every name that other objects can link with, with its version."""
    # The name of a version is itself an absolute symbol, with no address that anybody could use.
    return sorted(
        symbol.name
        for symbol in dynamic_symbols(path)
        if symbol.section != "UND" and not (symbol.section == "ABS" and "@" not in symbol.name)
    )


def test_size(stripped: Path) -> None:
    size = stripped.stat().st_size
    print(f"{size} bytes stripped")
    assert size <= LARGEST


def test_needed_libraries(stripped: Path) -> None:
    needed = dynamic_entries(stripped, "NEEDED")
    assert "libcurl.so.4" in needed and "libc.so.6" in needed
    assert set(needed) <= MAY_NEED


def test_soname_and_link(library: Path) -> None:
    assert dynamic_entries(library, "SONAME") == ["libhanko.so.0"]
    # Programs that were linked in the build folder look for the soname there.
    assert (BUILD / "libhanko.so.0").resolve() == library.resolve()


def test_flags(stripped: Path) -> None:
    """It stays when it is closed, and it carries no folder of the machine that built it."""
    text = run(["readelf", "--dynamic", "--wide", stripped]).stdout
    assert re.search(r"\(FLAGS_1\).*\bNODELETE\b", text), text
    assert "TEXTREL" not in text
    for entry in dynamic_entries(stripped, "RPATH") + dynamic_entries(stripped, "RUNPATH"):
        assert all(folder.startswith("$ORIGIN") for folder in entry.split(":")), entry
    assert str(ROOT).encode() not in stripped.read_bytes()


def test_exports_are_those_of_header_and_list(stripped: Path) -> None:
    """Header, committed list and library agree on every name and its version."""
    listed = (Path(__file__).parent / "exported-symbols.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(listed)
    assert exported(stripped) == listed
    assert [name.partition("@@")[0] for name in listed] == declared_functions()
    assert {name.partition("@@")[2] for name in listed} == {"HANKO_0"}


def test_exports_are_functions(stripped: Path) -> None:
    """nm agrees with readelf, and there is only code: data in an interface can never change its size."""
    text = run(["nm", "--dynamic", "--defined-only", stripped]).stdout
    rows = [tuple(line.split()[1:]) for line in text.splitlines()]
    assert {name.partition("@")[0] for kind, name in rows if kind != "A"} == set(declared_functions())
    assert {kind for kind, _ in rows} <= {"T", "A"}
    functions = {symbol.kind for symbol in dynamic_symbols(stripped) if "@@HANKO_0" in symbol.name}
    assert functions == {"FUNC"}


def test_symbol_versions_that_it_needs(stripped: Path) -> None:
    """It runs wherever glibc 2.34 is, and every function of glibc that it uses names a version."""
    text = run(["objdump", "--private-headers", stripped]).stdout
    versions = re.findall(r"\bGLIBC_([0-9.]+)", text)
    assert versions, text
    newest: Tuple[int, ...] = max(tuple(map(int, version.split("."))) for version in versions)
    print("newest symbol version: GLIBC_" + ".".join(map(str, newest)))
    assert newest <= NEWEST_GLIBC
    # GLIBC_PRIVATE and the marker for DT_RELR (2.36) would slip past the numbers above.
    assert not re.search(r"\bGLIBC_(?![0-9])\w+", text), text
    # What has no version has no home: a missing symbol would only show when it is called.
    weak = {"__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"}
    homeless = {
        symbol.name
        for symbol in dynamic_symbols(stripped)
        if symbol.section == "UND" and "@" not in symbol.name and not symbol.name.startswith("curl_")
    }
    assert homeless <= weak


def test_no_memory_is_writable_and_executable(stripped: Path) -> None:
    text = run(["readelf", "--program-headers", "--wide", stripped]).stdout
    # Type, offset, two addresses, two sizes, flags such as `R E`, alignment.
    row = re.compile(r"^\s+(LOAD|GNU_STACK)\s+(?:0x[0-9a-f]+\s+){5}([RWE ]+?)\s+(?:0x)?[0-9a-f]+$", re.MULTILINE)
    segments = row.findall(text)
    assert sum(kind == "LOAD" for kind, _ in segments) >= 2, text
    assert any(kind == "GNU_STACK" for kind, _ in segments), text
    for kind, flags in segments:
        assert not ("W" in flags and "E" in flags), f"{kind} {flags}\n{text}"


def test_closed_and_loaded_again(library: Path, tmp_path: Path) -> None:
    """As plug-ins are: dlopen, use, dlclose, dlopen, with threads that outlive the dlclose."""
    program = tmp_path / "reload"
    run(["cc", "-std=c11", *STRICT, PROGRAMS / "reload.c", "-pthread", "-ldl", "-o", program])
    # Port 1 of the loopback device: nobody listens there, so every call ends at once.
    environment = clean_environment(HANKO_API_URL="http://127.0.0.1:1", HANKO_LOG="off")
    assert run([program, library], env=environment).stdout == "all right\n"
