"""The sdist and the wheel that are looked at, and what an installation is tried with."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest
from builds import SONAME, Checkout, only_programs, run

from hanko.pytest_plugin import HankoStandIn

Variables = Mapping[str, Optional[str]]


@pytest.fixture(scope="session")
def distributions(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel: those that the tests run against, or else some made here."""
    made = os.environ.get("HANKO_TEST_DISTRIBUTIONS")
    if made:
        return Path(made)
    import sys

    folder = tmp_path_factory.mktemp("distributions")
    run([sys.executable, "-m", "build", "--no-isolation", "-o", folder, repository / "bindings/python"], folder=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel, which was built from the sdist, by Swift."""
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def sdist(distributions: Path) -> Path:
    """The sdist."""
    (sdist,) = distributions.glob("*.tar.gz")
    return sdist


@pytest.fixture(scope="session")
def version(repository: Path) -> str:
    """The version of the library, out of its header."""
    header = (repository / "include/hanko.h").read_text(encoding="utf-8")
    return header.partition('#define HANKO_VERSION_STRING "')[2].partition('"')[0]


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def library(unpacked: Path) -> Path:
    """The library in the wheel."""
    return unpacked / "hanko" / SONAME


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Checkout:
    """A copy of the repository that a test may change."""
    return Checkout.of(repository, tmp_path / "checkout")


@pytest.fixture
def without_swift(tmp_path: Path) -> Variables:
    """A machine without Swift."""
    return {"PATH": only_programs(tmp_path / "bin", "strip"), "SWIFT": None}


@pytest.fixture(scope="session")
def offline(repository: Path) -> Variables:
    """pip takes the build backend from what `.ci/setup` has kept, where it has."""
    wheels = repository / ".build/venv-python/wheels"
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri()} if wheels.is_dir() else {}


@pytest.fixture
def questions(hanko_standin: HankoStandIn) -> Variables:
    """A Hanko, a token that it accepts and one that it does not, for the program `ASKING`."""
    good, bad = hanko_standin.mint_session(), hanko_standin.mint_session()
    hanko_standin.revoke(bad)
    return {
        "HANKO_API_URL": hanko_standin.api_url,
        "GOOD": good.token,
        "BAD": bad.token,
        "USER_ID": good.user_id,
    }
