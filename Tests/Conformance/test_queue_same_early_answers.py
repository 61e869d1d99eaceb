"""Answers that come before the request is sent: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_early_answers
from queue_driver import through_the_queue

globals().update(through_the_queue(test_early_answers))
