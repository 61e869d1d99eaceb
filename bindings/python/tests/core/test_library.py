"""Where the library comes from, and that importing the package loads nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import hanko
from hanko import _library

PRINT_PATH = "from hanko import _library; print(_library.library().path)"


@pytest.fixture
def library_file() -> Path:
    """The file that the tests use."""
    _library.library()
    # By the file's own name: everything of a virtual environment lies below the checkout, whose folder is often called
    # libhanko as well.
    found = re.findall(r"(/.*/libhanko\.so[^/]*)$", Path("/proc/self/maps").read_text(), re.MULTILINE)
    return Path(found[0])


@pytest.fixture
def bare_package(tmp_path: Path) -> Path:
    """A folder with the package and without any library."""
    source = Path(hanko.__file__ or "").parent
    shutil.copytree(source, tmp_path / "packages" / "hanko", ignore=shutil.ignore_patterns("libhanko*", "__pycache__"))
    return tmp_path / "packages"


def test_import_loads_nothing_native(run_program) -> None:
    program = """
        import re
        import hanko, hanko.standin
        def is_mapped(name): return re.search(f"/{name}[^/]*$", open("/proc/self/maps").read(), re.M) is not None
        assert not is_mapped("libhanko") and not is_mapped("libcurl")
        hanko.Client("http://127.0.0.1:1").close()
        assert is_mapped("libhanko") and is_mapped("libcurl")
    """
    run_program(program)


def test_import_works_where_there_is_no_library(run_program, bare_package: Path) -> None:
    program = """
        import hanko, hanko.standin
        print(hanko.__file__)
        assert hanko.validate(None) is False and hanko.validate("") is False
        assert hanko.Session(user_id="ada").user_id == "ada"
    """
    out = run_program(program, PYTHONPATH=str(bare_package), HANKO_LIBRARY="/nowhere.so")
    assert out.startswith(str(bare_package))


def test_public_names() -> None:
    for name in hanko.__all__:
        assert getattr(hanko, name) is not None
    assert sorted(hanko.__all__, key=str.lower) == sorted(set(hanko.__all__), key=str.lower)


def test_the_environment_names_the_library(run_program, bare_package: Path, library_file: Path, tmp_path) -> None:
    named = shutil.copy(library_file, tmp_path / "elsewhere.so")
    shutil.copy(library_file, bare_package / "hanko" / "libhanko.so.0")
    out = run_program(PRINT_PATH, PYTHONPATH=str(bare_package), HANKO_LIBRARY=str(named))
    assert out == str(named)


def test_then_the_one_inside_of_the_package(run_program, bare_package: Path, library_file: Path, tmp_path) -> None:
    inside = shutil.copy(library_file, bare_package / "hanko" / "libhanko.so.0")
    (tmp_path / "system").mkdir()
    shutil.copy(library_file, tmp_path / "system" / "libhanko.so.0")
    system = str(tmp_path / "system")
    out = run_program(PRINT_PATH, PYTHONPATH=str(bare_package), HANKO_LIBRARY="", LD_LIBRARY_PATH=system)
    assert out == str(inside)


def test_then_the_one_of_the_system(run_program, bare_package: Path, library_file: Path, tmp_path) -> None:
    (tmp_path / "system").mkdir()
    shutil.copy(library_file, tmp_path / "system" / "libhanko.so.0")
    system = str(tmp_path / "system")
    out = run_program(PRINT_PATH, PYTHONPATH=str(bare_package), HANKO_LIBRARY="", LD_LIBRARY_PATH=system)
    assert out == "libhanko.so.0"


def test_one_import_error_says_what_was_tried_and_what_to_install(run_program, bare_package: Path) -> None:
    (bare_package / "hanko" / "libhanko-broken.so.0").write_bytes(b"no library")
    # Another name, so that a library that is installed on this machine is not found.
    program = """
        import hanko
        from hanko import _library
        _library.FILE_NAME = "libhanko-broken.so.0"
        try:
            hanko.Client("http://127.0.0.1:1")
        except ImportError as error:
            print(error)
    """
    text = run_program(program, PYTHONPATH=str(bare_package), HANKO_LIBRARY="", LD_LIBRARY_PATH="")
    assert str(bare_package / "hanko" / "libhanko-broken.so.0") + ": file too short" in text.replace("invalid", "file")
    assert "libhanko-broken.so.0: cannot open shared object file" in text
    assert "pip install" in text and "HANKO_LIBRARY" in text


def test_a_named_library_that_is_not_there_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_LIBRARY", "/nowhere/libhanko.so")
    assert _library._candidates() == ["/nowhere/libhanko.so"]
    with pytest.raises(ImportError, match=r"/nowhere/libhanko\.so: cannot open shared object file"):
        _library._load(_library._candidates())


def test_a_missing_libcurl_is_named() -> None:
    tried = ["/x/libhanko.so.0: libcurl.so.4: cannot open shared object file: No such file or directory"]
    assert "libcurl4" in _library._advice(tried)
    assert "libcurl4" not in _library._advice(["/x/libhanko.so.0: cannot open shared object file"])


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, library_file: Path) -> None:
    monkeypatch.setattr(_library, "__version__", "9.9.9")
    with pytest.raises(ImportError, match=r"it is version 0\.\d+\.\d+, but this package needs 9\.9\.9"):
        _library._load([str(library_file)])


def test_another_library_is_refused() -> None:
    with pytest.raises(ImportError, match="not the libhanko that this package needs"):
        _library._load(["libc.so.6"])


def test_the_package_and_the_library_have_one_version() -> None:
    assert _library.library().version().decode() == hanko.__version__


def test_it_is_loaded_once_from_many_threads(run_program) -> None:
    program = """
        import threading
        from hanko import _library
        loads = []
        real = _library.Library.__init__
        def counting(self, path):
            loads.append(path)
            real(self, path)
        _library.Library.__init__ = counting
        barrier = threading.Barrier(16)
        found = []
        def load():
            barrier.wait()
            found.append(_library.library())
        threads = [threading.Thread(target=load) for _ in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(loads) == 1 and len(set(map(id, found))) == 1, loads
    """
    run_program(program)
