"""Cancelling: what has the tag and is not completed completes as cancelled, exactly once, and nothing else does."""

from __future__ import annotations

import threading
import time

import pytest

from completion_queue import hanko, new_queue  # noqa: F401
from deadline import eventually, within
from fault_server import BusyListener, answers
from library import CANCELLED, INVALID_TOKEN, OK, UNAVAILABLE
from messages import BARE_YES, NO, Session, response
from test_resilience_breaker import FAILURES, SICK, Switch

LONG_MS = 30_000
AMPLE = 10.0


def under_way(server, count):
    """Wait until a server has so many requests."""
    eventually(lambda: len(server.requests) >= count, f"{count} requests have arrived")


def test_cancelled_under_way(hanko, new_client, new_queue):
    client = new_client(hanko.url(), timeout_ms=LONG_MS)
    queue = new_queue(client)
    assert queue.submit(b"late.1", 1).status == OK
    under_way(hanko, 1)
    with within(AMPLE):
        assert queue.cancel(1).status == OK
        done = queue.only()
    assert (done.tag, done.status) == (1, CANCELLED)
    queue.at_rest()
    assert client.results() == {CANCELLED: 1}
    assert client.statistics().in_flight == 0


def test_connection_of_the_cancelled_one_is_given_up(serve, new_client, new_queue):
    """Its answer may still come, and must be nobody's."""
    cancelled, left = threading.Event(), threading.Event()

    def script(connection):
        connection.read_request()
        connection.wait_for(cancelled)
        try:
            connection.send(response(BARE_YES) * 2)
            connection.hang()
        finally:
            left.set()

    server = serve(script, answers(response(NO)))
    queue = new_queue(new_client(server.url(), timeout_ms=LONG_MS, max_connections=1))
    assert queue.submit(b"first-token", 1).status == OK
    under_way(server, 1)
    assert queue.cancel(1).status == OK
    assert queue.only().status == CANCELLED
    cancelled.set()
    assert left.wait(AMPLE), "the connection is still open"
    assert queue.submit(b"second-token", 2).status == OK
    assert queue.only().status == INVALID_TOKEN
    assert [request.connection for request in server.requests] == [1, 2]


def test_cancelled_before_it_had_a_connection(hanko, new_client, new_queue):
    client = new_client(hanko.url(), timeout_ms=LONG_MS, max_connections=1)
    queue = new_queue(client)
    assert queue.submit(b"late.1", 1).status == OK
    under_way(hanko, 1)
    for tag in (2, 3):
        assert queue.submit(b"ok.waiting", tag).status == OK
    assert queue.cancel(2).status == OK
    assert queue.only()[:2] == (2, CANCELLED)
    # Who waited behind it is still there, and gets the connection when it is free.
    assert queue.cancel(1).status == OK
    assert {done[:2] for done in queue.collect(2)} == {(1, CANCELLED), (3, OK)}
    assert len(hanko.requests) == 2


@pytest.mark.parametrize("way", ["connecting", "handshake"])
def test_cancelled_before_anything_was_sent(serve, new_client, new_queue, way):
    if way == "connecting":
        listener = BusyListener()
        url = listener.url()
    else:
        listener = None
        url = serve(lambda connection: connection.hang()).url().replace("http:", "https:")
    options = {"timeout_ms": LONG_MS, "connect_timeout_ms": LONG_MS}
    queue = new_queue(new_client(url, **options))
    assert queue.submit(b"test-token", 1).status == OK
    time.sleep(0.1)
    with within(AMPLE):
        assert queue.cancel(1).status == OK
        assert queue.only().status == CANCELLED
    if listener:
        listener.stop()


def test_cancelled_while_it_pauses_before_a_retry(serve, new_client, new_queue):
    server = serve(answers(response(b"", status=503, headers=[("Retry-After", "20")])))
    client = new_client(server.url(), timeout_ms=LONG_MS, max_retries=1)
    queue = new_queue(client)
    assert queue.submit(b"test-token", 1).status == OK
    under_way(server, 1)
    time.sleep(0.1)
    with within(AMPLE):
        assert queue.cancel(1).status == OK
        assert queue.only().status == CANCELLED
    assert len(server.requests) == 1


def test_cancelled_while_its_no_is_confirmed(serve, new_client, new_queue):
    """The one whose request asks for the keys and the one who waits for that answer; the others still get theirs."""
    go = threading.Event()

    def script(connection):
        while True:
            if connection.read_request().line.startswith("GET"):
                connection.wait_for(go)
                connection.send(response(b'{"keys":[]}'))
            else:
                connection.send(response(NO))

    server = serve(script, key_set=None)
    client = new_client(server.url(), timeout_ms=LONG_MS, confirm_rejections=1)
    queue = new_queue(client)
    for tag in range(4):
        assert queue.submit(Session().token(), tag).status == OK
    eventually(lambda: any(request.line.startswith("GET") for request in server.requests), "the keys are asked for")
    eventually(lambda: len(server.requests) >= 5, "all have been refused")
    time.sleep(0.1)
    with within(AMPLE):
        for tag in (0, 1):
            assert queue.cancel(tag).status == OK
        assert {done[:2] for done in queue.collect(2)} == {(0, CANCELLED), (1, CANCELLED)}
    go.set()
    assert {done[:2] for done in queue.collect(2)} == {(2, INVALID_TOKEN), (3, INVALID_TOKEN)}


def test_cancelled_between_candidates(serve, new_client, new_queue):
    """The search ends: no further candidate is asked about."""
    def script(connection):
        while True:
            if connection.read_request().token == "second":
                connection.hang()
            connection.send(response(NO))

    server = serve(script)
    queue = new_queue(new_client(server.url(), timeout_ms=LONG_MS))
    assert queue.submit_authenticate(b"hanko=first; hanko=second; hanko=third", tag=1).status == OK
    under_way(server, 2)
    assert queue.cancel(1).status == OK
    assert queue.only().status == CANCELLED
    assert [request.token for request in server.requests] == ["first", "second"]


def test_check_is_cancelled_as_well(serve, new_client, new_queue):
    server = serve(lambda connection: connection.hang())
    queue = new_queue(new_client(server.url(), timeout_ms=LONG_MS))
    assert queue.submit_check(1).status == OK
    eventually(lambda: server.connections == 1, "it is under way")
    assert queue.cancel(1).status == OK
    assert queue.only().status == CANCELLED


def test_all_with_the_tag_and_no_other(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url(), timeout_ms=LONG_MS, max_connections=3))
    # Some of each have a connection, most wait for one.
    for number in range(12):
        assert queue.submit(b"late.%d" % number, number % 2).status == OK
    assert queue.cancel(1).status == OK
    assert [done[:2] for done in queue.collect(6)] == [(1, CANCELLED)] * 6
    queue.at_rest()
    assert queue.cancel(0).status == OK
    assert [done[:2] for done in queue.collect(6)] == [(0, CANCELLED)] * 6


def test_nothing_left_to_cancel(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    assert queue.cancel(1).status == OK
    assert queue.submit(b"ok.1", 1).status == OK
    assert queue.cancel(2).status == OK
    assert queue.only()[:2] == (1, OK)
    # Drained, so gone.
    assert queue.cancel(1).status == OK
    queue.at_rest()


def test_what_is_completed_keeps_its_result(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(b"ok.1", 1).status == OK
    assert queue.readable(20)
    assert queue.cancel(1).status == OK
    done = queue.only()
    assert (done.tag, done.status) == (1, OK)
    assert done.session is not None


def test_later_ones_with_the_tag_are_not_cancelled(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url(), timeout_ms=LONG_MS))
    assert queue.submit(b"late.1", 1).status == OK
    assert queue.cancel(1).status == OK
    assert queue.submit(b"ok.1", 1).status == OK
    assert sorted(done[:2] for done in queue.collect(2)) == [(1, OK), (1, CANCELLED)]


def test_cancelled_twice_completes_once(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url(), timeout_ms=LONG_MS))
    assert queue.submit(b"late.1", 1).status == OK
    for _ in range(3):
        assert queue.cancel(1).status == OK
    assert queue.only().status == CANCELLED
    queue.at_rest()


def test_race_of_cancelling_and_answering(hanko, new_client, new_queue):
    """Whatever comes first: one completion, CANCELLED or the verdict; a session only with a yes."""
    client = new_client(hanko.url())
    queue = new_queue(client)
    count = 400
    statuses = []
    for tag in range(count):
        assert queue.submit(b"ok.%d" % tag, tag).status == OK
        if tag % 4:
            time.sleep(tag % 4 * 0.0002)
        assert queue.cancel(tag).status == OK
        done = queue.only()
        assert done.tag == tag
        statuses.append(done.status)
    assert set(statuses) <= {OK, CANCELLED}
    assert client.results() == {status: statuses.count(status) for status in set(statuses)}


def test_cancelling_counts_as_nothing_for_the_breaker(hanko, new_client, new_queue):
    """Ten of twenty would open it."""
    client = new_client(hanko.url(), timeout_ms=LONG_MS)
    queue = new_queue(client)
    for tag in range(25):
        assert queue.submit(b"late.%d" % tag, tag).status == OK
    under_way(hanko, 25)
    for tag in range(25):
        assert queue.cancel(tag).status == OK
    assert {done.status for done in queue.collect(25)} == {CANCELLED}
    assert client.statistics().breaker_opened == 0
    assert queue.submit(b"ok.1").status == OK
    assert queue.only().status == OK


def test_cancelled_probe_is_passed_on(serve, new_client, new_queue):
    """The next one probes in its place, without another pause."""
    switch = Switch(SICK)
    server = serve(switch)
    client = new_client(server.url(), timeout_ms=LONG_MS)
    queue = new_queue(client)
    for _ in range(FAILURES):
        assert queue.submit(b"test-token").status == OK
        assert queue.only().status == UNAVAILABLE
    assert client.statistics().breaker_opened == 1
    switch.hold, switch.reply = threading.Event(), response(BARE_YES)
    time.sleep(1.1)
    assert queue.submit(b"test-token", 1).status == OK
    under_way(server, FAILURES + 1)
    # Not alone any more: whoever comes now is told at once.
    assert queue.submit(b"test-token", 2).status == OK
    assert queue.only()[:2] == (2, UNAVAILABLE)
    assert queue.cancel(1).status == OK
    assert queue.only()[:2] == (1, CANCELLED)
    switch.hold.set()
    assert queue.submit(b"test-token", 3).status == OK
    assert queue.only()[:2] == (3, OK)


@pytest.mark.parametrize("last", ["queue", "blocking"])
def test_cancelled_confirmations_are_no_more_than_ten_a_second(serve, new_client, new_queue, last):
    """Whoever withdraws calls, as a host does whose clients go away, must not make the library ask more often."""
    key_times = []

    def script(connection):
        while True:
            if connection.read_request().line.startswith("POST"):
                connection.send(response(NO))
            else:
                key_times.append(time.monotonic())
                connection.wait(0.2)
                connection.send(response(b'{"keys":[]}'))

    client = new_client(serve(script, key_set=None).url(), confirm_rejections=1, timeout_ms=3000)
    queue = new_queue(client)
    began = time.monotonic()
    for tag in range(60):
        queue.submit(Session().token(), tag)
        time.sleep(0.02)
        queue.cancel(tag)
    # Those that were not withdrawn in time wait until another request may begin, and end as a no.
    if last == "blocking":
        assert client.validate(Session().token()).status == INVALID_TOKEN
    else:
        queue.submit(Session().token(), 1000)
    done = {completion.tag: completion.status for completion in queue.collect(60 + (last == "queue"))}
    assert done.pop(1000, INVALID_TOKEN) == INVALID_TOKEN
    assert set(done.values()) <= {CANCELLED, INVALID_TOKEN}
    assert len(key_times) <= 10 * (time.monotonic() - began + 1)
