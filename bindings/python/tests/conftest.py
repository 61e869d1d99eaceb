"""What the tests of the Python package share.

`Tests/run` runs them against the installed wheel, each folder in a process of its own. While you write, the sources do:

    cd bindings/python && PYTHONPATH=src HANKO_LIBRARY=../../.build/release/libhanko.so python -m pytest tests/core
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# A call that never returns must end the run as a failure, not hang it. Ample: one test builds the library.
LONGEST_TEST = 300.0

pytest_plugins = ["pytester"]

KEPT = {"HANKO_LIBRARY", "HANKO_TEST_REPOSITORY", "HANKO_TEST_DISTRIBUTIONS"}
PROXY_VARIABLES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


def pytest_configure(config: pytest.Config) -> None:
    """Run against the installed package where there should be one, and have its plugin in any case."""
    import hanko

    if "HANKO_TEST_REPOSITORY" in os.environ and not Path(hanko.__file__ or "").is_relative_to(sys.prefix):
        raise pytest.UsageError(f"the installed package is to be tested, not {hanko.__file__}")
    if not config.pluginmanager.has_plugin("hanko"):  # sources have no entry point
        from hanko import pytest_plugin

        config.pluginmanager.register(pytest_plugin, "hanko")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the checkout."""
    return Path(os.environ.get("HANKO_TEST_REPOSITORY") or Path(__file__).resolve().parents[3])


@pytest.fixture(scope="session")
def real_standard_error(pytestconfig: pytest.Config) -> int:
    """A descriptor of standard error as it was before pytest began to capture it."""
    manager = pytestconfig.pluginmanager.getplugin("capturemanager")
    if manager is None:
        return os.dup(2)
    with manager.global_and_fixture_disabled():
        return os.dup(2)


@pytest.fixture(autouse=True)
def no_test_hangs(real_standard_error: int) -> Iterator[None]:
    """Print where every thread is and end the run when a test takes far too long."""
    faulthandler.dump_traceback_later(LONGEST_TEST, exit=True, file=real_standard_error)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the library and no proxy from outside."""
    for name in list(os.environ):
        if (name.startswith("HANKO_") and name not in KEPT) or name.lower() in PROXY_VARIABLES:
            monkeypatch.delenv(name)
