"""mypy --strict and pyright, on the installed package and on programs that use it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import pytest

import hanko

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
PACKAGE = Path(hanko.__file__).parent
PROGRAMS = ("right_program.py", "wrong_program.py")


def mypy(folder: Path, *arguments: object) -> str:
    """What mypy prints in a folder."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--cache-dir", folder / "cache"]
    done = subprocess.run(
        [str(word) for word in [*command, *arguments]], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


def pyright(folder: Path, configuration: dict[str, Any]) -> dict[str, Any]:
    """What pyright finds with this configuration; it must have looked at something."""
    (folder / "pyrightconfig.json").write_text(json.dumps(configuration))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found: Optional[dict[str, Any]] = json.loads(done.stdout) if done.returncode in (0, 1) else None
    assert found is not None, done.stdout + done.stderr
    assert found["summary"]["filesAnalyzed"] > 0
    return found


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs, away from the checkout."""
    folder = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        shutil.copy(HERE / name, folder)
    return folder


@pytest.fixture(scope="module")
def said_by_mypy(programs: Path) -> str:
    """What mypy says about the programs."""
    return mypy(programs, "--strict", "--warn-unreachable", *PROGRAMS)


@pytest.fixture(scope="module")
def found_by_pyright(programs: Path) -> list[dict[str, Any]]:
    """What pyright says about the programs."""
    findings: list[dict[str, Any]] = pyright(programs, {"include": PROGRAMS, "exclude": []})["generalDiagnostics"]
    return findings


def wrong_lines() -> set[int]:
    """The lines of the wrong program on which a mistake is."""
    text = (HERE / "wrong_program.py").read_text(encoding="utf-8")
    return {number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")}


def test_mypy_has_nothing_to_say_to_a_program_that_uses_everything(said_by_mypy: str) -> None:
    assert not [line for line in said_by_mypy.splitlines() if line.startswith("right_program.py")]


def test_pyright_has_nothing_to_say_to_it_either(found_by_pyright: list[dict[str, Any]]) -> None:
    assert not [finding for finding in found_by_pyright if finding["file"].endswith("right_program.py")]


def test_mypy_finds_every_mistake(said_by_mypy: str) -> None:
    assert {
        int(line) for line in re.findall(r"^wrong_program.py:(\d+): error", said_by_mypy, re.MULTILINE)
    } == wrong_lines()


def test_pyright_finds_every_mistake(found_by_pyright: list[dict[str, Any]]) -> None:
    lines = {
        finding["range"]["start"]["line"] + 1
        for finding in found_by_pyright
        if finding["file"].endswith("wrong_program.py") and finding["severity"] == "error"
    }
    assert lines == wrong_lines()


def test_the_program_uses_everything() -> None:
    from hanko import django, fastapi, flask, pytest_plugin

    text = (HERE / "right_program.py").read_text(encoding="utf-8")
    for module in (hanko, django, fastapi, flask, pytest_plugin):
        for name in module.__all__:
            assert re.search(rf"\b{name}\b", text), f"{module.__name__}.{name}"
    for kind in (hanko.Client, hanko.AsyncClient, pytest_plugin.HankoStandIn):
        methods = {name for name in dir(kind) if not name.startswith("_")}
        unused = {name for name in methods if not re.search(rf"\.{name}\b", text)}
        # Not typed in any other way than the methods beside them.
        assert unused <= {"mint_expired", "mint_forged", "delete_user", "advance_clock", "close"}, kind


def test_mypy_has_nothing_to_say_about_the_package(repository: Path, tmp_path: Path) -> None:
    configuration = repository / "bindings/python/pyproject.toml"
    assert mypy(tmp_path, "--config-file", configuration, "-p", "hanko") == ""


def test_pyright_has_nothing_to_say_about_the_package(repository: Path, tmp_path: Path) -> None:
    with (repository / "bindings/python/pyproject.toml").open("rb") as file:
        configuration = tomllib.load(file)["tool"]["pyright"]
    # A copy: what is installed it takes for somebody else's, and does not check.
    shutil.copytree(PACKAGE, tmp_path / "hanko", ignore=shutil.ignore_patterns("__pycache__"))
    found = pyright(tmp_path, {**configuration, "include": ["hanko"]})
    assert [
        f"{at['file']}:{at['range']['start']['line'] + 1}: {at['message']}" for at in found["generalDiagnostics"]
    ] == []
    assert found["summary"]["filesAnalyzed"] == sum(1 for _ in PACKAGE.rglob("*.py"))


def test_mypy_has_nothing_to_say_about_the_build_hook(repository: Path, tmp_path: Path) -> None:
    assert mypy(tmp_path, "--strict", repository / "bindings/python/hatch_build.py") == ""
