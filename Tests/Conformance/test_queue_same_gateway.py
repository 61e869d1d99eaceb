"""A gateway in front of Hanko: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_gateway
from queue_driver import through_the_queue

globals().update(through_the_queue(test_gateway))
