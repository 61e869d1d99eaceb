"""A queue holds 100,000 submissions or 64 MiB of token bytes: one more is refused, and draining makes room."""

from __future__ import annotations

import pytest

from completion_queue import SIZE, Completion, hanko, new_queue  # noqa: F401
from deadline import within
from library import CANCELLED, INVALID_TOKEN, NO_TOKEN, OK, UNAVAILABLE

MOST = 100_000
MOST_BYTES = 64 * 1024 * 1024
LONGEST_TOKEN = 256 * 1024


class Bulk:
    """Many calls on one queue, without looking at each."""

    def __init__(self, library, queue):
        self._api = library.api
        self._queue = queue
        self._completions = (Completion * 4096)()

    def submit(self, count, token=b"late.1", tag=1):
        """Submit so many; how many were taken before one was not."""
        submit, handle, length = self._api.hanko_queue_submit, self._queue.handle, len(token)
        for number in range(count):
            if submit(handle, token, length, tag) != OK:
                return number
        return count

    def drain(self, count, status):
        """Take so many completions, which must all have this status and no session."""
        left = count
        while left:
            assert self._queue.readable(20), f"{left} of {count} are missing"
            taken = self._api.hanko_queue_drain(self._queue.handle, self._completions, min(left, 4096), SIZE)
            assert {(done.status, done.session) for done in self._completions[:taken]} == {(status, None)}
            left -= taken


@pytest.fixture
def full(library, hanko, new_client, new_queue):
    """A queue of a client with one connection to a server that hangs, and its bulk calls."""
    client = new_client(hanko.url(), max_connections=1, timeout_ms=600_000)
    queue = new_queue(client)
    return queue, Bulk(library, queue), client


def test_count_of_submissions(full, hanko):
    queue, bulk, client = full
    with within(40):
        assert bulk.submit(MOST) == MOST
        assert queue.submit(b"late.1", 1).status == UNAVAILABLE
        assert queue.submit_authenticate(b"hanko=late.1", tag=1).status == UNAVAILABLE
        assert queue.submit_check(1).status == UNAVAILABLE
        assert not queue.readable(), "what was refused is not completed"
        assert client.statistics().in_flight == MOST
        assert client.statistics().breaker_opened == 0
        assert len(hanko.requests) <= 1
        assert queue.cancel(1).status == OK
        assert queue.readable(20)
        # Completed is not drained, and who never drains must not fill the memory.
        assert queue.submit(b"late.1", 1).status == UNAVAILABLE
        bulk.drain(1000, CANCELLED)
        assert bulk.submit(1001) == 1000
        assert queue.cancel(1).status == OK
        bulk.drain(MOST, CANCELLED)
        queue.at_rest()
        # And as good as new.
        assert queue.submit(b"ok.1", 2).status == OK
        assert queue.only()[:2] == (2, OK)


def test_bytes_of_tokens(full):
    queue, bulk, _ = full
    with within(40):
        # The first comes on its way at once and is kept for a retry, so it counts like all others.
        assert bulk.submit(MOST_BYTES // LONGEST_TOKEN, b"late." + b"t" * (LONGEST_TOKEN - 5)) == 256
        assert queue.submit(b"x", 1).status == UNAVAILABLE
        assert queue.submit_authenticate(b"hanko=x", tag=1).status == UNAVAILABLE
        assert not queue.readable()
        assert queue.cancel(1).status == OK
        bulk.drain(256, CANCELLED)
        queue.at_rest()
        assert queue.submit(b"ok." + b"t" * (LONGEST_TOKEN - 3), 2).status == OK
        assert queue.only()[:2] == (2, OK)


def test_a_token_that_does_not_fit_is_refused_and_a_smaller_one_is_not(full):
    queue, bulk, _ = full
    token = b"late." + b"t" * (LONGEST_TOKEN - 5)
    assert bulk.submit(255, token) == 255
    assert queue.submit(token[:-100], 1).status == OK
    assert queue.submit(b"t" * 101, 1).status == UNAVAILABLE
    assert queue.submit(b"t" * 100, 1).status == OK
    assert queue.submit(b"t", 1).status == UNAVAILABLE
    assert queue.cancel(1).status == OK
    bulk.drain(257, CANCELLED)


def test_the_limit_is_each_queues_own(full, new_queue):
    queue, bulk, client = full
    assert bulk.submit(256, b"late." + b"t" * (LONGEST_TOKEN - 5)) == 256
    assert queue.submit(b"x", 1).status == UNAVAILABLE
    other = new_queue(client)
    assert other.submit(b"ok.1", 7).status == OK
    assert queue.cancel(1).status == OK
    bulk.drain(256, CANCELLED)
    assert other.only()[:2] == (7, OK)


def test_cookies_that_are_not_asked_about_do_not_count(full):
    """At most four candidates are kept, not the headers."""
    queue, bulk, _ = full
    cookie = b"; ".join([b"theme=" + b"x" * 200_000] + [b"hanko=late.%d" % number for number in range(20)])
    for _ in range(400):
        assert queue.submit_authenticate(cookie, b"Basic " + b"x" * 100_000, 1).status == OK
    assert queue.cancel(1).status == OK
    bulk.drain(400, CANCELLED)


def test_sizes_do_not_overflow(full, hanko):
    """A length that no memory has is refused before it is looked at, as by the blocking call."""
    queue, _, client = full
    for length in (2**62, 2**63 - 1, 2**63, 2**64 - 1):
        refused = queue.submit(b"test-token", 1, length)
        assert refused.status in (INVALID_TOKEN, NO_TOKEN)
        assert refused.status == client.validate(b"test-token", length).status
    assert hanko.connections == 0
    queue.at_rest()
