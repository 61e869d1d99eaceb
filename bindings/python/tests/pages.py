"""Pages of the documentation, to be tried as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def code_blocks(page: str) -> list[str]:
    """The Python code of a page."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def promised(page: str, status: int) -> str:
    """What the table of a page says that a client is told."""
    (detail,) = re.findall(rf'^\|[^|]*\| {status},.*{{"detail": "(.*)"}}', page, re.MULTILINE)
    return str(detail)


def passed_tests(folder: Path, *options: str) -> str:
    """Run the tests in a folder with the plugin of this package, and what pytest said; fails if one of them does."""
    # By its module, because sources have no entry point; that of an installed package must not name it once more.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "hanko.pytest_plugin", *options]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
