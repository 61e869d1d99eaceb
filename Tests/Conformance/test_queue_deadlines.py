"""Deadlines in a queue count from the submission, also for who waits for a connection or for a name server."""

from __future__ import annotations

import threading
import time

import child
from completion_queue import hanko, new_queue  # noqa: F401
from deadline import within
from library import OK, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, TOKEN, response

# Timers may be a little early by their rounding, never by more.
ROUNDING = 0.02
AMPLE = 10.0


class Stopwatch:
    """How long each submission took, by its tag."""

    def __init__(self, queue):
        self.queue = queue
        self.began = {}
        self.took = {}
        self.statuses = {}

    def submit(self, token, tag):
        """Submit and look at the clock."""
        self.began[tag] = time.monotonic()
        assert self.queue.submit(token, tag).status == OK

    def collect(self):
        """Take all that was submitted, each at the moment when it is there."""
        while len(self.took) < len(self.began):
            assert self.queue.readable(AMPLE + 10)
            for done in self.queue.drain():
                assert done.tag not in self.took
                self.took[done.tag] = time.monotonic() - self.began[done.tag]
                self.statuses[done.tag] = done.status


def test_who_waits_for_a_connection_keeps_his_deadline(hanko, new_client, new_queue):
    client = new_client(hanko.url(), timeout_ms=600, max_connections=1)
    watch = Stopwatch(new_queue(client))
    for tag in range(3):
        watch.submit(b"late.1", tag)
    time.sleep(0.3)
    # The second half of the first one's time is the first half of these.
    for tag in range(3, 6):
        watch.submit(b"late.1", tag)
    watch.collect()
    assert set(watch.statuses.values()) == {TIMEOUT}
    for tag, took in watch.took.items():
        assert 0.6 - ROUNDING <= took < AMPLE, f"{tag} after {took:.2f} s"
    # One connection, given to the next only when a deadline has passed.
    assert len(hanko.requests) <= 6
    assert client.statistics().breaker_opened == 0


def test_waiting_in_line_is_part_of_the_time(serve, new_client, new_queue):
    """One connection, 0.4 s an answer, 1 s a deadline: two are answered, the others are told when their time is over."""

    def script(connection):
        while True:
            connection.read_request()
            connection.wait(0.4)
            connection.send(response(BARE_YES))

    server = serve(script)
    watch = Stopwatch(new_queue(new_client(server.url(), timeout_ms=1000, max_connections=1)))
    for tag in range(6):
        watch.submit(TOKEN, tag)
    watch.collect()
    assert [watch.statuses[tag] for tag in (0, 5)] == [OK, TIMEOUT]
    answered = [tag for tag, status in watch.statuses.items() if status == OK]
    assert sorted(answered) == list(range(len(answered))) and len(answered) <= 2
    assert all(1 - ROUNDING <= watch.took[tag] < AMPLE for tag in range(6) if tag not in answered)
    assert len(server.requests) <= 3


def test_result_waits_for_who_drains_late(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url(), timeout_ms=400))
    assert queue.submit(b"ok.1", 1).status == OK
    assert queue.readable(20)
    time.sleep(0.6)
    assert queue.only()[:2] == (1, OK)


def test_many_deadlines_at_once(hanko, new_client, new_queue):
    """Those that were asked about open the breaker, so that who then still has some time left is told at once."""
    client = new_client(hanko.url(), timeout_ms=500, max_connections=20)
    watch = Stopwatch(new_queue(client))
    with within(AMPLE):
        for tag in range(500):
            watch.submit(b"late.1", tag)
        watch.collect()
    late = [tag for tag, status in watch.statuses.items() if status == TIMEOUT]
    assert set(range(20)) <= set(late)
    assert min(watch.took[tag] for tag in late) >= 0.5 - ROUNDING
    assert all(watch.statuses[tag] == UNAVAILABLE for tag in range(500) if tag not in late)
    assert len(late) == 500 or client.statistics().breaker_opened == 1
    assert len(hanko.requests) <= 40


def test_clients_do_not_share_their_time(hanko, new_client, new_queue):
    slow = new_queue(new_client(hanko.url(), timeout_ms=20_000, max_connections=1))
    quick = Stopwatch(new_queue(new_client(hanko.url(), timeout_ms=300, max_connections=1)))
    assert slow.submit(b"late.1", 1).status == OK
    quick.submit(b"late.1", 1)
    quick.collect()
    assert quick.statuses == {1: TIMEOUT}
    assert not slow.readable()
    assert slow.cancel(1).status == OK
    slow.only()


def test_others_are_served_while_one_hangs(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url(), timeout_ms=20_000, max_connections=4))
    for tag in range(3):
        assert queue.submit(b"late.1", 100).status == OK
    with within(AMPLE):
        for tag in range(50):
            assert queue.submit(b"ok.1", tag).status == OK
        assert sorted(done[:2] for done in queue.collect(50)) == [(tag, OK) for tag in range(50)]
    assert queue.cancel(100).status == OK
    queue.collect(3)


def test_slow_reader_of_a_large_token_holds_nobody_up(serve, new_client, new_queue):
    """A request that the server does not read stays in parts on our side."""
    unread = threading.Event()

    def script(connection):
        if connection.number == 1:
            unread.wait(20)
        while True:
            connection.read_request()
            connection.send(response(BARE_YES))

    server = serve(script, small_window=True)
    queue = new_queue(new_client(server.url(), timeout_ms=20_000))
    assert queue.submit(b"\x01" * 256 * 1024, 1).status == OK
    time.sleep(0.1)
    with within(AMPLE):
        assert queue.submit(TOKEN, 2).status == OK
        assert queue.only()[:2] == (2, OK)
    unread.set()
    assert queue.only()[:2] == (1, OK)


def test_silent_name_server_holds_nobody_up(resolver):
    """Deadlines that end one after the other, a cancellation, and another client: all while a name is resolved."""
    code = """
from completion_queue import Queue, bind_queue
from fault_server import FaultServer, answers
from messages import BARE_YES, response
bind_queue(library)
server = FaultServer(answers(response(BARE_YES)))
def make(url): return Client(library, Config(library, api_url=url, timeout_ms=800, max_retries=0))
client, other = make("https://hanko.test"), make(server.url())
queue, others = Queue(library, client), Queue(library, other)
began, took = {}, {}
for tag in range(8):
    began[tag] = time.monotonic()
    assert queue.submit(b"test-token", tag).status == 0
    time.sleep(0.05)
assert queue.cancel(7).status == 0
assert others.submit(b"test-token", 1).status == 0
quick = others.only()[:2]
statuses = {}
while len(took) < 8:
    assert queue.readable(20)
    for done in queue.drain():
        took[done.tag] = time.monotonic() - began[done.tag]
        statuses[done.tag] = int(done.status)
report([quick, statuses, took])
os._exit(0)
"""
    quick, statuses, took = child.run(code, resolver.environment("silent")).report
    assert resolver.questions >= 1, "the preloaded function was not used: the test shows nothing"
    assert quick == [1, OK]
    assert statuses == {**{str(tag): TIMEOUT for tag in range(7)}, "7": 8}
    for tag in range(7):
        assert 0.8 - ROUNDING <= took[str(tag)] < 5, took
    assert took["7"] < 5
