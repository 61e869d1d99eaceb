"""No answer at all, or a part of one: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_no_answer
from queue_driver import through_the_queue

globals().update(through_the_queue(test_no_answer))
