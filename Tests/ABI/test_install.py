"""`make install` and `make uninstall` into a temporary folder, and a program built against the result."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Dict, List

import pytest

from conftest import HEADER, ROOT, STRICT, clean_environment, run

VERSION = re.search(r'HANKO_VERSION_STRING "([^"]+)"', HEADER.read_text(encoding="utf-8"))[1]  # type: ignore[index]

# Only a real installation may touch the system's list of libraries.
NO_LDCONFIG = "LDCONFIG=true"


def files_below(folder: Path) -> Dict[str, str]:
    """Every file with its mode, and every link with its target, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = oct(stat.S_IMODE(path.stat().st_mode))
    return found


def expected(library: str = "lib", include: str = "include") -> Dict[str, str]:
    return {
        f"{include}/hanko.h": "0o644",
        f"{library}/libhanko.so": "-> libhanko.so.0",
        f"{library}/libhanko.so.0": f"-> libhanko.so.{VERSION}",
        f"{library}/libhanko.so.{VERSION}": "0o755",
        f"{library}/pkgconfig/hanko.pc": "0o644",
    }


def make(target: str, *variables: str) -> str:
    return run(["make", target, NO_LDCONFIG, *variables]).stdout


def pkg_config(*arguments: str, **environment: str) -> List[str]:
    return run(["pkg-config", *arguments, "hanko"], env=clean_environment(**environment)).stdout.split()


def build_and_run(flags: List[str], folder: Path, library_path: Path, api_url: str, token: str) -> str:
    """Build the C example as a user of an installed library does, and ask about a token."""
    program = folder / "validate"
    run(["cc", *STRICT, ROOT / "examples/c/validate.c", *flags, "-o", program])
    environment = clean_environment(HANKO_API_URL=api_url, LD_LIBRARY_PATH=str(library_path))
    return run([program, token], env=environment).stdout


def test_install_use_uninstall(library: Path, hanko, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    before = library.stat()
    output = make("install", f"PREFIX={prefix}")
    assert files_below(prefix) == expected()
    assert (prefix / "include/hanko.h").read_bytes() == HEADER.read_bytes()

    # What was built is installed, and not built again (as root, in somebody's checkout).
    assert "swift" not in output
    assert (library.stat().st_mtime_ns, library.stat().st_ino) == (before.st_mtime_ns, before.st_ino)

    # Stripped, and still everything that the committed list names.
    installed = prefix / f"lib/libhanko.so.{VERSION}"
    assert ".symtab" not in run(["readelf", "--sections", "--wide", installed]).stdout
    exported = run(["nm", "--dynamic", "--defined-only", installed]).stdout
    assert "hanko_validate" in exported

    search = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    assert pkg_config("--modversion", **search) == [VERSION]
    flags = pkg_config("--cflags", "--libs", **search)
    assert flags == [f"-I{prefix}/include", f"-L{prefix}/lib", "-lhanko"]
    token = hanko.mint_session().token
    assert build_and_run(flags, tmp_path, prefix / "lib", hanko.api_url, token) == "valid HANKO_OK\n"

    make("install", f"PREFIX={prefix}")  # over itself
    assert files_below(prefix) == expected()

    make("uninstall", f"PREFIX={prefix}")
    assert files_below(prefix) == {}
    make("uninstall", f"PREFIX={prefix}")  # nothing there is no error


def test_destdir(library: Path, hanko, tmp_path: Path) -> None:
    """As a packager does: staged below DESTDIR, with the final paths inside hanko.pc."""
    stage = tmp_path / "stage"
    make("install", f"DESTDIR={stage}", "PREFIX=/usr")
    assert files_below(stage / "usr") == expected()
    assert str(tmp_path) not in (stage / "usr/lib/pkgconfig/hanko.pc").read_text(encoding="utf-8")

    search = {"PKG_CONFIG_PATH": str(stage / "usr/lib/pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(stage)}
    flags = pkg_config("--cflags", "--libs", "--keep-system-cflags", "--keep-system-libs", **search)
    token = hanko.mint_session().token
    assert build_and_run(flags, tmp_path, stage / "usr/lib", hanko.api_url, token) == "valid HANKO_OK\n"

    make("uninstall", f"DESTDIR={stage}", "PREFIX=/usr")
    assert files_below(stage) == {}


def test_default_prefix(library: Path, tmp_path: Path) -> None:
    make("install", f"DESTDIR={tmp_path}")
    assert files_below(tmp_path / "usr/local") == expected()
    assert "prefix=/usr/local\n" in (tmp_path / "usr/local/lib/pkgconfig/hanko.pc").read_text(encoding="utf-8")
    make("uninstall", f"DESTDIR={tmp_path}")
    assert files_below(tmp_path) == {}


@pytest.mark.parametrize("folder", ["lib64", "lib/x86_64-linux-gnu"])
def test_libdir(folder: str, library: Path, tmp_path: Path) -> None:
    """Where a distribution keeps its libraries elsewhere."""
    variables = [f"PREFIX={tmp_path}", f"LIBDIR={tmp_path}/{folder}"]
    make("install", *variables)
    assert files_below(tmp_path) == expected(library=folder)
    assert f"-L{tmp_path}/{folder}" in pkg_config("--libs", PKG_CONFIG_PATH=f"{tmp_path}/{folder}/pkgconfig")
    make("uninstall", *variables)
    assert files_below(tmp_path) == {}


def test_install_without_strip(library: Path, tmp_path: Path) -> None:
    """Binutils are not needed to install; the library is only larger then."""
    assert "not stripped" in make("install", f"PREFIX={tmp_path}", "STRIP=no-such-program")
    assert files_below(tmp_path) == expected()


def test_a_tight_umask_does_not_hide_the_installation(library: Path, tmp_path: Path) -> None:
    run(["sh", "-c", f'umask 077 && make install {NO_LDCONFIG} PREFIX="{tmp_path}/prefix"'])
    assert files_below(tmp_path / "prefix") == expected()
    for folder in ("lib", "lib/pkgconfig", "include"):
        assert stat.S_IMODE((tmp_path / "prefix" / folder).stat().st_mode) == 0o755, folder
