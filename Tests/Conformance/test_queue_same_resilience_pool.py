"""The limit of connections: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_resilience_pool
from queue_driver import through_the_queue

# The line of a queue is as long as the queue may be: see test_queue_full.py.
WITHOUT = [
    "test_the_line_is_bounded",
    # How many of 64 threads meet in one queue is chance; test_queue_load.py submits enough at once to fill the limit.
    "test_never_more_than_allowed",
]

globals().update(through_the_queue(test_resilience_pool, WITHOUT))
