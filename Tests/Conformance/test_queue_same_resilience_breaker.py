"""The circuit breaker: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_resilience_breaker
from queue_driver import through_the_queue

# These take twelve seconds together, and nothing in them depends on who asks.
WITHOUT = [
    "test_one_probe_although_many_ask",
    "test_a_good_probe_forgets_the_past",
    "test_a_timeout_with_less_than_half_of_the_time_counts_as_nothing",
]

globals().update(through_the_queue(test_resilience_breaker, WITHOUT))
