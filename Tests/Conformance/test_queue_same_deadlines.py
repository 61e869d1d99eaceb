"""Deadlines and sizes: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import pytest

import test_deadlines
from queue_driver import through_the_queue

# Takes its three seconds, and is about a default that both share.
WITHOUT = [
    "test_connecting_may_take_three_seconds_by_default",
]

globals().update(through_the_queue(test_deadlines, WITHOUT))


@pytest.fixture
def short(monkeypatch):
    """Still shorter than theirs, because there are many."""
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "200")
