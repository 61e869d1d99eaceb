"""What the build does where there is no Swift, or nothing that would work: one sentence, and no traceback."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from builds import SONAME, Checkout, Environment, compile_library, run
from conftest import Variables

OTHER_VERSION = 'const char *hanko_version(void) { return "9.9.9"; }\n'


@pytest.fixture(scope="session")
def hook(repository: Path) -> ModuleType:
    """The build hook as a module, for what depends on the machine."""
    path = repository / "bindings/python/hatch_build.py"
    specification = importlib.util.spec_from_file_location("hatch_build", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def refusal(checkout: Checkout, out: Path, variables: Variables) -> str:
    """Build, and give the one sentence that it must end with."""
    output = checkout.build(out, variables=variables, expect=1).output
    assert "Traceback" not in output, output
    last = output.rstrip("\n").splitlines()[-1]
    assert re.fullmatch(r"hanko: .+\.", last), output
    assert not list(out.glob("*.whl"))
    return last


def fake_swift(folder: Path, version: str, build: str = "exit 1") -> str:
    """A PATH with a program of that name, in front of `strip` and the shell."""
    program = folder / "swift"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{build}\n')
    program.chmod(0o755)
    return str(folder)


def packed(out: Path) -> bytes:
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"hanko/{SONAME}")


# --- A library that was built elsewhere -------------------------------------------------------------------------------


def test_without_swift_the_named_library_is_packed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    out = tmp_path / "out"
    checkout.build(out, variables={**without_swift, "HANKO_LIBRARY": str(library)})
    assert packed(out) == library.read_bytes()  # stripped once, it does not change again


def test_without_swift_the_release_library_of_the_checkout_is_packed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    (checkout.root / ".build/release").mkdir(parents=True)
    shutil.copy(library, checkout.root / ".build/release/libhanko.so")
    checkout.build(tmp_path / "out", variables=without_swift)
    assert packed(tmp_path / "out") == library.read_bytes()


def test_without_swift_the_library_of_the_system_is_packed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    checkout.build(tmp_path / "out", variables={**without_swift, "LD_LIBRARY_PATH": str(library.parent)})
    assert packed(tmp_path / "out") == library.read_bytes()


def test_without_strip_it_is_packed_as_it_is(checkout: Checkout, tmp_path: Path, library: Path) -> None:
    (tmp_path / "bin").mkdir()
    variables = {"PATH": str(tmp_path / "bin"), "SWIFT": None, "HANKO_LIBRARY": str(library)}
    checkout.build(tmp_path / "out", variables=variables)
    assert packed(tmp_path / "out") == library.read_bytes()


def test_a_library_of_another_version_is_refused(checkout: Checkout, tmp_path: Path, without_swift: Variables) -> None:
    other = compile_library(tmp_path / "other" / SONAME, OTHER_VERSION)
    for variables in ({"HANKO_LIBRARY": str(other)}, {"LD_LIBRARY_PATH": str(other.parent)}):
        said = refusal(checkout, tmp_path / "out", {**without_swift, **variables})
        assert f"{other} is libhanko 9.9.9, and 0.1.0 is needed" in said
        assert "there is no swift" in said and "install Swift 6.3" in said


def test_no_other_library_stands_in_for_the_one_that_was_named(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    missing = {"HANKO_LIBRARY": str(tmp_path / "missing.so"), "LD_LIBRARY_PATH": str(library.parent)}
    assert "missing.so: cannot open shared object file" in refusal(
        checkout, tmp_path / "out", {**without_swift, **missing}
    )


def test_what_is_no_libhanko_is_refused(checkout: Checkout, tmp_path: Path, without_swift: Variables) -> None:
    text = tmp_path / "text.so"
    text.write_text("not a library")
    empty = compile_library(tmp_path / "empty" / SONAME, "int nothing;\n")
    for path, reason in ((text, "invalid ELF header|file too short"), (empty, "undefined symbol: hanko_version")):
        said = refusal(checkout, tmp_path / "out", {**without_swift, "HANKO_LIBRARY": str(path)})
        assert re.search(reason, said)


def test_a_debug_build_is_refused(checkout: Checkout, tmp_path: Path, without_swift: Variables, version: str) -> None:
    runtime = compile_library(tmp_path / "debug/libswiftCore.so", "int swift_runtime;\n")
    source = (
        f'extern int swift_runtime;\nconst char *hanko_version(void) {{ return swift_runtime ? 0 : "{version}"; }}\n'
    )
    debug = compile_library(tmp_path / "debug/libhanko.so", source, runtime, f"-Wl,-rpath,{runtime.parent}")
    said = refusal(checkout, tmp_path / "out", {**without_swift, "HANKO_LIBRARY": str(debug)})
    assert "is a debug build, which needs the Swift runtime" in said


def test_where_there_is_nothing_the_sentence_says_what_to_do(
    checkout: Checkout, tmp_path: Path, without_swift: Variables
) -> None:
    # A folder in front of the system's, so that this does not depend on what is installed on the machine.
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / SONAME).write_bytes(b"")
    said = refusal(checkout, tmp_path / "out", {**without_swift, "LD_LIBRARY_PATH": str(tmp_path / "broken")})
    assert "there is no swift" in said and SONAME in said
    assert "install Swift 6.3 (https://www.swift.org/install/linux/) and the package libcurl4-openssl-dev" in said
    assert "HANKO_LIBRARY" in said


def test_pip_shows_the_sentence_without_a_traceback(
    checkout: Checkout, tmp_path: Path, offline: Variables, without_swift: Variables
) -> None:
    environment = Environment.make(tmp_path / "fresh")
    variables = {**offline, **without_swift, "HANKO_LIBRARY": str(tmp_path / "missing.so")}
    for editable in ([], ["-e"]):
        said = environment.pip("install", *editable, checkout.project, variables=variables, expect=1).output
        assert re.search(r"hanko: no libhanko: there is no swift, and .*missing\.so.*; install Swift 6\.3", said)
        assert "Traceback" not in said, said


# --- Swift that is none, or does not work -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("swift 4.7.0", "swift is not the Swift compiler"),  # the client of OpenStack
        ("Swift version 5.10.1 (swift-5.10.1-RELEASE)", "swift is Swift 5.10, older than 6.3"),
    ],
)
def test_a_program_that_cannot_build_it_counts_as_none(
    answer: str, reason: str, checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    variables = {**without_swift, "PATH": fake_swift(tmp_path / "bin", answer)}
    said = refusal(checkout, tmp_path / "out", {**variables, "HANKO_LIBRARY": str(tmp_path / "missing.so")})
    assert reason in said
    checkout.build(tmp_path / "out", variables={**variables, "HANKO_LIBRARY": str(library)})
    assert packed(tmp_path / "out") == library.read_bytes()


def test_where_swift_fails_no_prebuilt_library_is_packed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    build = "echo 'error: header curl/curl.h not found' >&2; exit 1"
    variables = {"PATH": fake_swift(tmp_path / "bin", "Swift version 6.3.1", build), "SWIFT": None}
    output = checkout.build(tmp_path / "out", variables={**variables, "HANKO_LIBRARY": str(library)}, expect=1).output
    assert "error: header curl/curl.h not found" in output
    assert output.endswith(
        "hanko: swift build failed, its output is above; it needs Swift 6.3 and the package libcurl4-openssl-dev.\n"
    )
    assert "Traceback" not in output


def test_swift_builds_in_a_scratch_folder_that_is_removed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    """A stale file in a scratch folder that is kept could be packed."""
    # In place of a compiler: copies a library to where Swift would put it, and notes how it was called.
    build = (
        f'echo "$@" >{tmp_path}/arguments; echo "$HANKO_ORDINARY_SWIFT$HANKO_LIBRARY" >{tmp_path}/variables\n'
        'while [ "$1" != --scratch-path ]; do shift; done\n'
        f'{shutil.which("mkdir")} -p "$2/release" && {shutil.which("cp")} {library} "$2/release/libhanko.so"'
    )
    variables = {"PATH": fake_swift(tmp_path / "bin", "Apple Swift version 6.3", build), "SWIFT": None}
    others = {"HANKO_ORDINARY_SWIFT": "1", "HANKO_LIBRARY": str(tmp_path / "missing.so")}
    checkout.build(tmp_path / "out", variables={**variables, **others})
    assert packed(tmp_path / "out") == library.read_bytes()
    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments[:5] == ["build", "-c", "release", "--product", "hanko"]
    assert arguments[arguments.index("--package-path") + 1] == str(checkout.root)
    scratch = Path(arguments[arguments.index("--scratch-path") + 1])
    assert checkout.root not in scratch.parents and not scratch.exists()
    assert (tmp_path / "variables").read_text() == "\n", "settings of the library reached its build"
    assert not (checkout.root / ".build").exists()


# --- Elsewhere than on Linux with glibc -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "c_library", "sentence"),
    [
        ("darwin", None, "libhanko runs on Linux with glibc, not on darwin"),
        ("win32", None, "libhanko runs on Linux with glibc, not on win32"),
        ("linux", None, "libhanko runs on Linux with glibc, and this Linux has another C library"),
        ("linux", "glibc 2.31", "libhanko needs glibc 2.34 or newer, and this is 2.31"),
    ],
)
def test_systems_that_it_does_not_run_on(hook: ModuleType, platform: str, c_library: str, sentence: str) -> None:
    with pytest.raises(hook.CannotBuild, match=f"^{re.escape(sentence)}$"):
        hook.require_supported_system(platform, c_library)


def test_systems_that_it_runs_on(hook: ModuleType) -> None:
    hook.require_supported_system("linux", "glibc 2.34")
    hook.require_supported_system(sys.platform, hook.c_library())


def test_the_build_stops_there_with_one_sentence(checkout: Checkout, tmp_path: Path) -> None:
    """Through the backend itself, on a machine that says it is a Mac."""
    program = f"import sys, hatchling.build; sys.platform = 'darwin'; hatchling.build.build_wheel({str(tmp_path)!r})"
    said = run([sys.executable, "-c", program], folder=checkout.project, expect=1).output
    assert said == "hanko: libhanko runs on Linux with glibc, not on darwin.\n"


# --- Not the whole of it ----------------------------------------------------------------------------------------------


def test_a_project_without_its_repository_is_refused(
    checkout: Checkout, tmp_path: Path, without_swift: Variables
) -> None:
    lone = Checkout(tmp_path / "lone")
    shutil.copytree(checkout.project, lone.project, symlinks=True)
    os.remove(lone.project / "LICENSE")
    shutil.copy(checkout.root / "LICENSE", lone.project / "LICENSE")
    assert "build from a whole checkout or from the sdist" in refusal(lone, tmp_path / "out", without_swift)


def test_a_version_that_is_not_the_header_s_is_refused(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    header = checkout.root / "include/hanko.h"
    header.write_text(header.read_text().replace('STRING "0.1.0"', 'STRING "0.2.0"'))
    said = refusal(checkout, tmp_path / "out", {**without_swift, "HANKO_LIBRARY": str(library)})
    assert "src/hanko/_version.py is 0.1.0 and the one in include/hanko.h 0.2.0" in said
