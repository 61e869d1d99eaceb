"""The audience: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_audience
from queue_driver import through_the_queue

globals().update(through_the_queue(test_audience))
