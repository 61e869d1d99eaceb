"""The page for Flask users: short, and its code works as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import code_blocks, passed_tests, promised
from three_answers import INVALID, UNAVAILABLE, check_three_answers
from web_server import WebServer

from hanko.pytest_plugin import HankoStandIn


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs/flask.md").read_text("utf-8")


def test_the_page_is_short(page: str) -> None:
    assert len(page.splitlines()) <= 60


def test_the_table_of_the_page_is_true(page: str) -> None:
    assert (promised(page, 401), promised(page, 503)) == (INVALID, UNAVAILABLE)


def test_the_first_code_block_works(page: str, hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(code_blocks(page)[0], "utf-8")
    with WebServer("flask", "run", "--port", "0", folder=tmp_path, log=tmp_path / "log") as server:
        (body,) = check_three_answers(server, "/me", hanko_standin)
    assert body["email"] == "ada@example.com"


def test_the_tests_of_the_page_pass(page: str, tmp_path: Path) -> None:
    program, tests = code_blocks(page)
    (tmp_path / "app.py").write_text(program, "utf-8")
    (tmp_path / "test_app.py").write_text(tests, "utf-8")
    assert "2 passed" in passed_tests(tmp_path)
