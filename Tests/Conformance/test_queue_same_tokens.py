"""Which tokens are sent, and how: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_tokens
from queue_driver import through_the_queue

# A queue has a client, which has a configuration.
WITHOUT = [
    "test_no_token_needs_no_configuration",
]

globals().update(through_the_queue(test_tokens, WITHOUT))
