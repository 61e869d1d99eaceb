"""The pool: at most so many requests at a time, and a line in which callers wait in order."""

from __future__ import annotations

import threading
import time

import pytest

from deadline import eventually, within
from library import OK, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, TOKEN, response
from resilience import Client, in_threads

YES = response(BARE_YES)


class Counting:
    """A script that answers after a while and knows how many requests were under way at the most."""

    def __init__(self, pause: float = 0.0, gate: threading.Event | None = None) -> None:
        self.pause, self.gate = pause, gate
        self.under_way = self.most = 0
        self.tokens: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, connection) -> None:
        while True:
            request = connection.read_request()
            with self._lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                self.tokens.append(request.token)
            if self.gate is not None:
                connection.wait_for(self.gate)
            elif self.pause:
                connection.wait(self.pause)
            with self._lock:
                self.under_way -= 1
            connection.send(YES)


@pytest.mark.parametrize("limit", [1, 5, 16])
def test_never_more_than_allowed(library, serve, limit):
    """64 threads with ten calls each; the limit is reached and never passed."""
    script = Counting(pause=0.002)
    server = serve(script)
    with Client(library, server.url(), max_connections=limit, timeout_ms=40000) as client:
        # 16 times the limit may wait: with one connection only so many threads.
        threads = min(64, 17 * limit)
        results = in_threads(threads, lambda number: [client.status(TOKEN) for _ in range(10)])
        assert client.statistics().in_flight == 0
    assert results == [[OK] * 10] * threads
    assert script.most == limit
    assert server.connections == limit


def test_served_in_the_order_of_coming(library, serve):
    gate = threading.Event()
    script = Counting(gate=gate)
    server = serve(script)
    with Client(library, server.url(), max_connections=1, timeout_ms=40000) as client:
        threads = []
        for number in range(12):
            thread = threading.Thread(target=client.status, args=(b"caller-%02d" % number,), daemon=True)
            thread.start()
            threads.append(thread)
            eventually(lambda: client.statistics().in_flight == number + 1, "the next one has called")
            # Counted just before it takes its place in the line.
            time.sleep(0.03)
        gate.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    assert script.tokens == [f"caller-{number:02d}" for number in range(12)]


def test_who_gives_up_leaves_the_line(library, serve):
    """The first in line run out of time; the connection goes to those that came later and still wait."""
    gate = threading.Event()
    server = serve(Counting(gate=gate))
    with Client(library, server.url(), max_connections=1, timeout_ms=1500) as client, within(15):
        outcomes: dict[int, int] = {}

        def ask(number):
            outcomes[number] = client.status(b"caller-%d" % number)

        first = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(4)]
        for thread in first:
            thread.start()
        time.sleep(0.9)
        later = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(4, 8)]
        for thread in later:
            thread.start()
        for thread in first:
            thread.join(10)
        assert outcomes == {number: TIMEOUT for number in range(4)}
        gate.set()
        for thread in later:
            thread.join(10)
    assert outcomes == {number: TIMEOUT if number < 4 else OK for number in range(8)}


def test_waiting_ends_at_the_deadline(library, serve):
    script = Counting(gate=threading.Event())
    server = serve(script)
    with Client(library, server.url(), max_connections=2, timeout_ms=600) as client, within(6):
        assert in_threads(12, lambda number: client.status(TOKEN)) == [TIMEOUT] * 12
        found = client.statistics()
    # A turn may come just before a deadline, and then a request goes out; never one for each.
    assert 2 <= found.requests < 12
    assert (found.in_flight, found.results[TIMEOUT]) == (0, 12)


def test_the_line_is_bounded(library, serve):
    """Two connections, 32 in line; whoever comes then is told at once and waits for nothing."""
    gate = threading.Event()
    server = serve(Counting(gate=gate))
    with Client(library, server.url(), max_connections=2, timeout_ms=40000) as client:
        refused = []

        def ask(number):
            status = client.status(TOKEN)
            if status == UNAVAILABLE:
                refused.append(number)
                if len(refused) == 6:
                    gate.set()
            return status

        results = in_threads(40, ask)
        assert client.statistics().breaker_opened == 0
        # The line is free again afterwards.
        assert in_threads(34, lambda number: client.status(TOKEN)) == [OK] * 34
    assert sorted(results) == [OK] * 34 + [UNAVAILABLE] * 6
    assert server.connections == 2


def test_a_connection_is_passed_on_when_its_call_fails(library, serve):
    """A broken exchange must not take its place in the pool with it."""

    def script(connection):
        connection.read_request()
        connection.wait(0.05)
        connection.close()

    server = serve(script, Counting())
    with Client(library, server.url(), max_connections=1, max_retries=0, timeout_ms=20000) as client, within(15):
        results = in_threads(8, lambda number: client.status(TOKEN))
    assert sorted(results) == [OK] * 7 + [UNAVAILABLE]
