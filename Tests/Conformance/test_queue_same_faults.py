"""A server full of faults: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_faults
from queue_driver import through_the_queue

# All faults on one client, each before and after good answers, are in another test; the others are in
# test_queue_same_deadlines.py as well.
WITHOUT = [
    "test_fault",
    "test_connecting_hangs",
    "test_handshake_hangs",
    "test_names",
]

globals().update(through_the_queue(test_faults, WITHOUT))
