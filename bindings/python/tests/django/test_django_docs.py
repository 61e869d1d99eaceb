"""The page for Django users: short, and its code works as it stands, in a project as Django makes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import code_blocks, passed_tests, promised
from three_answers import INVALID, UNAVAILABLE, check_three_answers
from web_server import WebServer

from hanko.pytest_plugin import HankoStandIn

# What pytest-django does before the tests.
LIKE_PYTEST_DJANGO = """
import django
from django.test.utils import setup_test_environment

django.setup()
setup_test_environment()
"""


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs/django.md").read_text("utf-8")


@pytest.fixture
def site(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project with what the page adds to it."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "site_of_mine.settings")
    subprocess.run(
        [sys.executable, "-m", "django", "startproject", "site_of_mine", "."],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        check=True,
    )
    for name, block in zip(("settings", "urls"), code_blocks(page)):
        with (tmp_path / "site_of_mine" / f"{name}.py").open("a", encoding="utf-8") as file:
            file.write(block)
    return tmp_path


def manage(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=site, capture_output=True, text=True, check=False
    )


def test_the_page_is_short(page: str) -> None:
    assert len(page.splitlines()) <= 60


def test_the_table_of_the_page_is_true(page: str) -> None:
    assert (promised(page, 401), promised(page, 503)) == (INVALID, UNAVAILABLE)


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
def test_the_code_blocks_work(site: Path, hanko_standin: HankoStandIn, kind: str) -> None:
    if kind == "gunicorn":
        server = WebServer.gunicorn("site_of_mine.wsgi", folder=site, log=site / "log")
    else:
        server = WebServer.uvicorn("site_of_mine.asgi:application", "--lifespan", "off", folder=site, log=site / "log")
    with server:
        (body,) = check_three_answers(server, "/api/me", hanko_standin)
    assert body["email"] == "ada@example.com"


def test_manage_py_check_looks_at_the_settings(site: Path, hanko_standin: HankoStandIn) -> None:
    assert "no issues" in manage(site, "check").stdout
    with (site / "site_of_mine" / "settings.py").open("a", encoding="utf-8") as file:
        file.write('HANKO_PROTECTED_PATHS = "/api"\nHANKO_TIMEOUT_MS = "soon"\n')
    found = manage(site, "check")
    assert found.returncode == 1
    assert "HANKO_PROTECTED_PATHS must be a list" in found.stderr
    assert "HANKO_TIMEOUT_MS must be" in found.stderr


def test_the_tests_of_the_page_pass(page: str, site: Path) -> None:
    (site / "conftest.py").write_text(LIKE_PYTEST_DJANGO, "utf-8")
    (site / "test_site.py").write_text(code_blocks(page)[2], "utf-8")
    assert "1 passed" in passed_tests(site)
