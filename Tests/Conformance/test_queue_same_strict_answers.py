"""Answers that break a rule of HTTP/1.1: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_strict_answers
from queue_driver import through_the_queue

globals().update(through_the_queue(test_strict_answers))
