"""The limit of connections: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_resilience_pool
from queue_driver import through_the_queue

# The line of a queue is as long as the queue may be: see test_queue_full.py.
WITHOUT = [
    "test_the_line_is_bounded",
]

globals().update(through_the_queue(test_resilience_pool, WITHOUT))
