"""The token in the headers of a request: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import test_credentials
from queue_driver import through_the_queue

# These make no call that could go through a queue.
WITHOUT = [
    "test_extract_gives_the_first_candidate",
    "test_extract_and_the_size_of_the_buffer",
    "test_extract_without_a_place_for_the_length",
    "test_extract_with_a_capacity_beyond_every_buffer",
    "test_extract_without_a_buffer_that_has_a_capacity",
    "test_extract_with_a_name_that_is_none",
    "test_extract_that_finds_nothing_writes_nothing",
    "test_extract_needs_no_configuration",
    "test_cookies_as_hanko_reads_them",
    "test_length_of_null_does_not_matter",
]

globals().update(through_the_queue(test_credentials, WITHOUT))
