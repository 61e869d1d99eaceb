"""A surplus answer on a kept connection: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_surplus_in_tls
from queue_driver import through_the_queue

globals().update(through_the_queue(test_surplus_in_tls))
