"""The build hook: puts the shared library into the wheel, and the library's sources into the sdist.

The library is built by Swift wherever there is Swift, in a scratch folder of its own, so that no stale file is packed.
Without Swift a release library of the same version will do that somebody else has built. Whatever is wrong ends the
build with one sentence.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Optional

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SONAME = "libhanko.so.0"
# The name that the package looks for in its own folder.
IN_PACKAGE = f"hanko/{SONAME}"
SWIFT_VERSION = (6, 3)
GLIBC_VERSION = (2, 34)
HOW_TO_GET_ONE = (
    "install Swift 6.3 (https://www.swift.org/install/linux/) and the package libcurl4-openssl-dev, "
    "or let HANKO_LIBRARY name a libhanko.so that was built elsewhere"
)

# Run in a process of its own: what it loads stays loaded, and may belong to another version or be no library at all.
INSPECTION = """
import ctypes, re, sys
library = ctypes.CDLL(sys.argv[1])
library.hanko_version.restype = ctypes.c_char_p
mapped = {line.split(None, 5)[5].rstrip("\\n") for line in open("/proc/self/maps") if line.count("/")}
print(library.hanko_version().decode())
print(next(name for name in mapped if re.search(r"/libhanko[^/]*$", name) or name == sys.argv[1]))
print(any("/libswift" in name for name in mapped))
"""


class CannotBuild(Exception):
    """Why there can be no wheel, in one sentence for the person who asked for it."""


# --- Where ------------------------------------------------------------------------------------------------------------


def require_supported_system(platform: str, c_library: Optional[str]) -> None:
    """Refuse what the library does not run on; `c_library` is what `c_library()` gives."""
    if not platform.startswith("linux"):
        raise CannotBuild(f"libhanko runs on Linux with glibc, not on {platform}")
    name, _, version = (c_library or "").partition(" ")
    if name != "glibc":
        raise CannotBuild("libhanko runs on Linux with glibc, and this Linux has another C library")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < GLIBC_VERSION:
        raise CannotBuild(f"libhanko needs glibc {'.'.join(map(str, GLIBC_VERSION))} or newer, and this is {version}")


def c_library() -> Optional[str]:
    """`glibc 2.36`, or None where the C library is another one."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None


def platform_tag() -> str:
    """The wheel's platform: `linux_x86_64`.

    Not manylinux: that promises a library which needs nothing but a listed few of the system's, and libcurl is not
    among them. A copy of libcurl inside of the wheel would have no security updates.
    """
    return re.sub(r"[^0-9a-z]", "_", sysconfig.get_platform().lower())


def source_root(project: Path) -> Path:
    """The folder with Package.swift: the project itself in an sdist, the top of the repository in a checkout."""
    for folder in (project, project.parent.parent):
        if (folder / "Package.swift").is_file() and (folder / "include/hanko.h").is_file():
            return folder
    raise CannotBuild(
        f"neither {project} nor the repository around it has Package.swift and include/hanko.h; "
        "build from a whole checkout or from the sdist"
    )


def require_version_of_header(root: Path, version: str) -> None:
    """Refuse a package that is not of the library's version: it would refuse the library."""
    text = (root / "include/hanko.h").read_text(encoding="utf-8")
    found = re.search(r'^#define HANKO_VERSION_STRING "(.+)"$', text, re.MULTILINE)
    if found is None or found[1] != version:
        raise CannotBuild(
            f"the version in src/hanko/_version.py is {version} and the one in include/hanko.h "
            f"{found[1] if found else 'missing'}; they must be the same"
        )


# --- Built here -------------------------------------------------------------------------------------------------------


def find_swift() -> tuple[Optional[str], str]:
    """The Swift compiler to use, or None and why. OpenStack has a program of the same name."""
    name = os.environ.get("SWIFT") or "swift"
    program = shutil.which(name)
    if program is None:
        return None, f"there is no {name}"
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{program} does not run ({error})"
    found = re.search(r"Swift version (\d+)\.(\d+)", answer.stdout)
    if found is None:
        return None, f"{program} is not the Swift compiler"
    if (int(found[1]), int(found[2])) < SWIFT_VERSION:
        return None, f"{program} is Swift {found[1]}.{found[2]}, older than {'.'.join(map(str, SWIFT_VERSION))}"
    return program, ""


def build_with_swift(swift: str, root: Path, scratch: Path) -> Path:
    """The release library, built from the sources in `root`."""
    command = [swift, "build", "-c", "release", "--product", "hanko"]
    command += ["--package-path", str(root), "--scratch-path", str(scratch)]
    # HANKO_ORDINARY_SWIFT and the like are for those who work on the library.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANKO_")}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        check=False,
    )
    library = scratch / "release/libhanko.so"
    if done.returncode != 0 or not library.is_file():
        print(done.stdout.decode("utf-8", "replace"), file=sys.stderr)
        raise CannotBuild(
            f"swift build failed, its output is above; it needs Swift {'.'.join(map(str, SWIFT_VERSION))} "
            "and the package libcurl4-openssl-dev"
        )
    return library


# --- Built elsewhere --------------------------------------------------------------------------------------------------


def inspect(library: str, version: str) -> Path:
    """The file behind a library's name or path; refuses all but a release build of this version."""
    done = subprocess.run([sys.executable, "-c", INSPECTION, library], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise CannotBuild(f"{library} cannot be used: {re.sub(r'^[A-Za-z.]*Error: ', '', reason)}")
    found, path, is_debug = done.stdout.splitlines()
    if found != version:
        raise CannotBuild(f"{path} is libhanko {found}, and {version} is needed")
    if is_debug == "True":
        raise CannotBuild(f"{path} is a debug build, which needs the Swift runtime; build it with -c release")
    return Path(path)


def find_prebuilt(root: Path, version: str) -> Path:
    """A release library of this version: the one that HANKO_LIBRARY names, of the checkout, or of the system."""
    named = os.environ.get("HANKO_LIBRARY")
    if named:  # somebody has chosen: no other will do
        return inspect(os.path.abspath(named) if "/" in named else named, version)
    problems: list[str] = []
    for candidate in (str(root / ".build/release/libhanko.so"), SONAME):
        if "/" in candidate and not os.path.exists(candidate):
            continue
        try:
            return inspect(candidate, version)
        except CannotBuild as reason:
            problems.append(str(reason))
    raise CannotBuild("; ".join(problems))


# --- Together ---------------------------------------------------------------------------------------------------------


def make_library(root: Path, version: str, folder: Path) -> Path:
    """A stripped release library in `folder`, loaded once to see that it works here."""
    swift, why_not = find_swift()
    if swift is not None:
        built = build_with_swift(swift, root, folder / "scratch")
    else:
        try:
            built = find_prebuilt(root, version)
        except CannotBuild as reason:
            raise CannotBuild(f"no libhanko: {why_not}, and {reason}; {HOW_TO_GET_ONE}") from None
    library = folder / SONAME
    shutil.copyfile(built, library)
    library.chmod(0o755)
    strip = shutil.which("strip")
    if strip is not None:  # it works as well without
        subprocess.run([strip, "--strip-unneeded", str(library)], check=True)
    inspect(str(library), version)
    return library


class LibraryBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # not generic at run time in every release
    """What hatchling calls before and after it makes an sdist or a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Prepare what goes into the archive; `version` is `standard` or `editable`."""
        self._folder = Path(tempfile.mkdtemp(prefix="hanko-build-"))
        try:
            project = Path(self.root)
            root = source_root(project)
            require_version_of_header(root, self.metadata.version)
            if self.target_name == "sdist":
                self._add_sources(project, root, build_data)
            else:
                require_supported_system(sys.platform, c_library())
                library = make_library(root, self.metadata.version, self._folder)
                self._add_library(library, project, version, build_data)
        except CannotBuild as reason:
            self.finalize(version, build_data, "")
            self.app.abort(f"hanko: {reason}.")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _add_sources(self, project: Path, root: Path, build_data: dict[str, Any]) -> None:
        """All that `swift build` wants, at the top of the sdist."""
        included = build_data["force_include"]
        # The manifest names the tests, and Swift insists on finding what it names.
        for name in ("Package.swift", "Sources", "include", "Tests/HankoCoreTests"):
            included[str(root / name)] = name
        # In a checkout the license is a link to the one of the whole repository.
        for path in [path for path in included if os.path.islink(path)]:
            included[os.path.realpath(path)] = included.pop(path)

    def _add_library(self, library: Path, project: Path, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            # The package is used where it stands, so the library goes there too; .gitignore knows it. Replaced, not
            # overwritten: a running program may have the old one mapped.
            placed = project / "src" / IN_PACKAGE
            shutil.copy2(library, placed.with_suffix(".new"))
            os.replace(placed.with_suffix(".new"), placed)
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["force_include"][str(library)] = IN_PACKAGE
