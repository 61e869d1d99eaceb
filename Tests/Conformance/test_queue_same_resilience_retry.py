"""Retries: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_resilience_retry
from queue_driver import through_the_queue

# Takes six seconds: one of its cases is in test_queue_shared.py.
WITHOUT = [
    "test_retry_after_is_waited_for",
]

globals().update(through_the_queue(test_resilience_retry, WITHOUT))
