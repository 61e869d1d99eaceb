"""`import hanko.fastapi` where FastAPI is not installed, or is broken."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Missing())
import hanko
try:
    import hanko.fastapi
except ImportError as error:
    print(type(error).__name__, error.name, error)
"""


def run(name: str) -> str:
    """What the import says where a module is missing."""
    code = WITHOUT.format(name=name)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_without_fastapi_the_error_says_what_to_install() -> None:
    said = run("fastapi")
    assert said.startswith("ImportError fastapi ")
    assert "pip install 'hanko[fastapi]'" in said


def test_what_else_is_missing_is_told_as_it_is() -> None:
    assert run("pydantic").startswith("ModuleNotFoundError pydantic ")


def test_the_package_itself_imports_no_framework() -> None:
    code = "import hanko, sys; print(sorted({'fastapi', 'starlette', 'flask', 'django'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
