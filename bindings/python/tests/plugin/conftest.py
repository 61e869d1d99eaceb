"""The plugin as pytest finds it: by the entry point of the installed package."""

from __future__ import annotations

import sys

import pytest

if sys.version_info >= (3, 10):
    from importlib.metadata import entry_points

    IS_INSTALLED = bool(entry_points(group="pytest11", name="hanko"))
else:
    from importlib.metadata import entry_points

    IS_INSTALLED = any(found.name == "hanko" for found in entry_points().get("pytest11", ()))


@pytest.fixture
def installed_pytester(pytester: pytest.Pytester) -> pytest.Pytester:
    """Runs pytest as users do."""
    if not IS_INSTALLED:
        pytest.skip("only the installed package has the plugin's entry point; see Tests/run")
    return pytester
