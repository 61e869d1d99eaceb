"""The package as somebody installs it, in an environment of its own and in another folder than the checkout."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from builds import ASKING, SONAME, Checkout, Environment, run
from conftest import Variables

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def site_packages(environment: Environment) -> Path:
    (folder,) = environment.folder.glob("lib/python*/site-packages")
    return folder


def test_pip_builds_it_with_swift_and_it_outlives_the_checkout(
    checkout: Checkout, tmp_path: Path, offline: Variables, questions: Variables
) -> None:
    # As in the manual, pip of the new environment included.
    run([sys.executable, "-m", "venv", "fresh"], folder=tmp_path)
    environment = Environment(tmp_path / "fresh")
    install = [environment.python, "-m", "pip", "install", "./bindings/python"]
    run(install, folder=checkout.root, variables=offline)
    assert not (checkout.root / ".build").exists(), "the build belongs into a scratch folder of its own"
    assert not list(checkout.project.rglob("libhanko.so*"))

    checkout.root.rename(tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = run([environment.python, "-c", ASKING], folder=elsewhere, variables=questions).output
    assert said.split()[1] == str(site_packages(environment) / "hanko" / SONAME)


def test_the_wheel_needs_nothing_but_python(wheel: Path, tmp_path: Path, questions: Variables) -> None:
    environment = Environment.make(tmp_path / "fresh")
    environment.pip("install", "--no-index", wheel, variables={})
    installed = {path.name for path in site_packages(environment).iterdir() if path.name != "_virtualenv.py"}
    assert {name for name in installed if not name.startswith(("hanko", "__"))} == set()
    said = run([environment.python, "-c", ASKING], folder=tmp_path, variables=questions).output
    assert said.split()[1] == str(site_packages(environment) / "hanko" / SONAME)


def test_an_editable_installation_follows_the_sources(
    checkout: Checkout,
    tmp_path: Path,
    offline: Variables,
    without_swift: Variables,
    library: Path,
    questions: Variables,
) -> None:
    environment = Environment.make(tmp_path / "fresh")
    variables = {**offline, **without_swift, "HANKO_LIBRARY": str(library)}
    environment.pip("install", "-e", checkout.project, variables=variables)
    said = run([environment.python, "-c", ASKING], folder=tmp_path, variables=questions).output
    assert said.split()[1] == str(checkout.project / "src/hanko" / SONAME)

    with (checkout.project / "src/hanko/__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nEDITED = True\n")
    run([environment.python, "-c", "import hanko; assert hanko.EDITED"], folder=tmp_path)


def test_what_an_editable_installation_left_behind_is_not_packed(
    checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path
) -> None:
    (checkout.project / "src/hanko" / SONAME).write_bytes(b"stale")
    (checkout.project / "src/hanko/__pycache__").mkdir()
    (checkout.project / "src/hanko/__pycache__/stale.pyc").write_bytes(b"stale")
    variables = {**without_swift, "HANKO_LIBRARY": str(library)}
    for target, suffix in (("wheel", ".whl"), ("sdist", ".tar.gz")):
        checkout.build(tmp_path / "out", variables=variables, target=target)
        (made,) = (tmp_path / "out").glob(f"*{suffix}")
        assert not [name for name in names_in(made) if "stale" in name]
    (made,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        assert archive.namelist().count(f"hanko/{SONAME}") == 1
        assert archive.read(f"hanko/{SONAME}") != b"stale"
    (made,) = (tmp_path / "out").glob("*.tar.gz")
    assert not [name for name in names_in(made) if "libhanko.so" in name]


def names_in(archive: Path) -> set[str]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return set(wheel.namelist())
    with tarfile.open(archive) as sdist:
        assert all(member.isfile() or member.isdir() for member in sdist.getmembers()), "no links"
        return {member.name.partition("/")[2] for member in sdist.getmembers()}


def test_the_sdist_holds_the_sources_of_the_library(sdist: Path, repository: Path) -> None:
    names = names_in(sdist)
    sources = [path for folder in ("Sources", "include") for path in (repository / folder).rglob("*") if path.is_file()]
    assert sources
    assert {str(path.relative_to(repository)) for path in sources} <= names
    assert {"Package.swift", "LICENSE", "README.md", "pyproject.toml", "hatch_build.py", "PKG-INFO"} <= names


def test_a_wheel_and_an_sdist_can_be_built_from_the_sdist(
    sdist: Path, tmp_path: Path, without_swift: Variables, library: Path, wheel: Path
) -> None:
    with tarfile.open(sdist) as archive:
        # Where there is a choice of filters, Python wants one to be made.
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (project,) = tmp_path.glob("hanko-*")
    for target in ("wheel", "sdist"):
        run(
            [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", tmp_path / "out"],
            folder=project,
            variables={**without_swift, "HANKO_LIBRARY": str(library)},
        )
    assert names_in(tmp_path / "out" / wheel.name) == names_in(wheel)
    assert names_in(tmp_path / "out" / sdist.name) == names_in(sdist)


def interpreter(version: str) -> str:
    """A Python of this version on this machine, or "" where there is none."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for program in [*map(str, found), shutil.which(f"python{version}") or ""]:
        # pyenv puts programs of all names into PATH, most of which say that they are not there.
        command = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if program and subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == version:
            return program
    return ""


@pytest.fixture(params=PYTHONS)
def program(request: pytest.FixtureRequest) -> str:
    """Each Python that the package is for, as far as it is on this machine."""
    found = interpreter(str(request.param))
    if not found:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found


def test_the_same_wheel_serves_every_python(program: str, unpacked: Path, tmp_path: Path, questions: Variables) -> None:
    variables = {**questions, "PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
    assert str(unpacked) in run([program, "-c", ASKING], folder=tmp_path, variables=variables).output
    asked = [program, "-W", "error", "-m", "hanko", "check"]
    assert run(asked, folder=tmp_path, variables=variables).output.endswith("Everything is right.\n")


def test_the_build_hook_runs_on_every_python(
    program: str, checkout: Checkout, tmp_path: Path, without_swift: Variables, library: Path, version: str
) -> None:
    """The hook, without the backend that calls it: that is there for the Python of the tests only."""
    building = (
        "import sys, types\n"
        "from pathlib import Path\n"
        "name = 'hatchling.builders.hooks.plugin.interface'\n"
        "for end in [*(place for place, letter in enumerate(name) if letter == '.'), len(name)]:\n"
        "    sys.modules[name[:end]] = types.ModuleType(name[:end])\n"
        "sys.modules[name].BuildHookInterface = object\n"
        "import hatch_build\n"
        "project, version, folder = Path.cwd(), *sys.argv[1:]\n"
        "root = hatch_build.source_root(project)\n"
        "hatch_build.require_version_of_header(root, version)\n"
        "hatch_build.require_supported_system(sys.platform, hatch_build.c_library())\n"
        "print(hatch_build.make_library(root, version, Path(folder)), hatch_build.platform_tag())\n"
    )
    variables = {**without_swift, "HANKO_LIBRARY": str(library), "PYTHONPATH": str(checkout.project)}
    done = run([program, "-c", building, version, tmp_path], folder=checkout.project, variables=variables)
    assert done.output == f"{tmp_path / SONAME} linux_{platform.machine()}\n"


def test_the_stand_in_runs_from_the_sources_without_any_library(repository: Path, tmp_path: Path) -> None:
    """What is pure Python runs where the library does not."""
    program = (
        "import re\n"
        "from hanko.standin import StandIn\n"
        "with StandIn(key_bits=2048) as standin:\n"
        "    assert standin.mint_session().token\n"
        "import hanko.pytest_plugin\n"
        "assert not re.search('/libhanko[^/]*$', open('/proc/self/maps').read(), re.MULTILINE)\n"
    )
    copied = tmp_path / "src"
    ignored = shutil.ignore_patterns("libhanko.so*", "__pycache__")
    shutil.copytree(repository / "bindings/python/src", copied, ignore=ignored)
    variables = {"PYTHONPATH": str(copied), "HANKO_LIBRARY": os.devnull}
    run([sys.executable, "-c", program], folder=tmp_path, variables=variables)
    run([sys.executable, "-m", "hanko.standin", "--help"], folder=tmp_path, variables=variables)
