"""What a session tells: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_session
from queue_driver import through_the_queue

# Makes no call that could go through a queue.
WITHOUT = [
    "test_accessors_do_not_touch_the_last_call",
]

globals().update(through_the_queue(test_session, WITHOUT))
