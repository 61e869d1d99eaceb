"""What is in the wheel."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from builds import SONAME

# What the hidden names of a build could be: the folder of the person who built it.
TEMPORARY = re.compile(rb"/(?:home|root|tmp)/[\w.-]+")


def metadata(unpacked: Path, name: str = "METADATA") -> Message:
    (file,) = unpacked.glob(f"*.dist-info/{name}")
    return Parser().parsestr(file.read_text(encoding="utf-8"))


def readelf(library: Path, option: str) -> str:
    done = subprocess.run(["readelf", "-W", option, str(library)], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_tag_is_for_any_python_3_on_this_kind_of_linux(wheel: Path, unpacked: Path, version: str) -> None:
    assert wheel.name == f"hanko-{version}-py3-none-linux_{platform.machine()}.whl"
    assert metadata(unpacked, "WHEEL")["Root-Is-Purelib"] == "false"


def test_it_holds_the_package_the_library_and_nothing_else(wheel: Path, repository: Path, version: str) -> None:
    source = repository / "bindings/python/src"
    package = {str(path.relative_to(source)) for path in source.rglob("*") if path.name.endswith((".py", ".typed"))}
    about = {f"hanko-{version}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names == package | about | {f"hanko/{SONAME}", f"hanko-{version}.dist-info/licenses/LICENSE"}
    assert "hanko/py.typed" in names


def test_the_files_are_those_of_the_sources(unpacked: Path, repository: Path) -> None:
    for path in unpacked.rglob("*.py"):
        source = repository / "bindings/python/src" / path.relative_to(unpacked)
        assert path.read_bytes() == source.read_bytes(), path


def test_the_license_is_the_one_of_the_repository(unpacked: Path, repository: Path) -> None:
    (license_file,) = unpacked.glob("*.dist-info/licenses/LICENSE")
    assert license_file.read_bytes() == (repository / "LICENSE").read_bytes()


def test_the_version_is_the_one_of_the_header_everywhere(unpacked: Path, version: str, library: Path) -> None:
    import hanko
    from hanko._library import Library

    assert metadata(unpacked)["Version"] == version
    assert hanko.__version__ == version
    assert Library(str(library)).version().decode() == version


def test_the_metadata_says_what_a_package_index_shows(unpacked: Path) -> None:
    about = metadata(unpacked)
    assert about["Name"] == "hanko"
    assert about["Requires-Python"] == ">=3.9"
    assert about["License-Expression"] == "MIT"
    assert about["Summary"] and about["Keywords"] and about["Project-URL"]
    assert about["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in about.get_all("Classifier", [])
    text = str(about.get_payload())
    assert text.startswith("# hanko\n") and "import hanko" in text
    # A package index shows the page away from the repository, where such a link leads nowhere.
    assert not re.search(r"\]\((?!https://|#)", text)


def test_nothing_is_needed_but_python_and_each_extra_exists(unpacked: Path) -> None:
    about = metadata(unpacked)
    assert set(about.get_all("Provides-Extra", [])) == {"flask", "django", "fastapi", "test"}
    assert all("extra ==" in needed for needed in about.get_all("Requires-Dist", []))


def test_pytest_finds_the_plugin(unpacked: Path) -> None:
    (entry_points,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert entry_points.read_text().split() == ["[pytest11]", "hanko", "=", "hanko.pytest_plugin"]


def test_the_library_is_stripped_and_needs_libcurl_and_the_c_library_only(library: Path) -> None:
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf(library, "-d")))
    assert needed == {"libcurl.so.4", "libc.so.6"}
    assert f"[{SONAME}]" in readelf(library, "-d")
    if shutil.which("strip") is None:
        pytest.skip("there is no strip here, so the library is as Swift made it")
    assert ".symtab" not in readelf(library, "-S")


def test_nothing_tells_where_it_was_built(unpacked: Path, repository: Path) -> None:
    for path in unpacked.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(repository).encode() not in content, path
            if path.name == SONAME:
                assert not TEMPORARY.search(content), TEMPORARY.search(content)
