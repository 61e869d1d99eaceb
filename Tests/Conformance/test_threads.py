"""Many threads at once."""

from __future__ import annotations

import threading
import time

import pytest

import child
from deadline import eventually, within
from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, NO_TOKEN, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import NO, TOKEN, Session, response

THREADS = 32
CALLS = 20


def run_threads(count, function):
    """Run a function with its number on so many threads at once; give the results in order."""
    results = [None] * count
    errors = []
    start = threading.Barrier(count)

    def body(number):
        try:
            start.wait(10)
            results[number] = function(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@pytest.mark.parametrize("transport", ["http", "https"])
def test_each_thread_gets_its_own_verdicts(library, serve, trusted, transport):
    """Distinct tokens, each with its one right status, from many threads at once."""
    replies = {}
    work = []
    for number in range(THREADS):
        mine = []
        for index in range(CALLS):
            session = Session()
            kind = (number + index) % 6
            token = session.token()
            reply, status = [
                (response(session.yes()), OK),
                (response(NO), INVALID_TOKEN),
                # Not a status that counts as a failure: so many would open the circuit breaker.
                (response(b"", status=403), MISCONFIGURED),
                (response(b"", status=404), MISCONFIGURED),
                (response(Session().yes()), PROTOCOL_ERROR),
                (None, NO_TOKEN),
            ][kind]
            if reply is None:
                mine.append((None, status))
                continue
            replies[token.decode()] = reply
            mine.append((token, status))
        work.append(mine)

    server = serve(
        answers(lambda request: replies[request.token]), tls=trusted.server_context() if transport == "https" else None
    )

    def ask_mine(number):
        # The status is asked for only after others have had time to call.
        return [library.ask(token).status for token, _ in work[number]]

    results = run_threads(THREADS, ask_mine)
    assert results == [[status for _, status in mine] for mine in work]
    assert len(server.requests) == len(replies)


def test_last_status_is_each_threads_own(library, answering):
    answering()
    called = threading.Barrier(4)

    def call(number):
        statuses = {0: TOKEN, 1: None, 2: b"\xff", 3: None}
        if number != 3:
            library.ask(statuses[number])
        called.wait(10)
        return library.last_status(), library.last_error()

    results = run_threads(4, call)
    assert [status for status, _ in results] == [INVALID_TOKEN, NO_TOKEN, INVALID_TOKEN, NO_TOKEN]
    # The last one never called anything.
    assert results[3][1] == ""
    assert results[1][1] != ""


def test_first_use_by_many_threads_at_once(answering):
    """The client is made on first use: by one thread, whoever comes first."""
    answering()
    code = """
barrier = threading.Barrier(32)
statuses = []
def work():
    barrier.wait()
    statuses.append(library.ask(b"test-token").status)
threads = [threading.Thread(target=work) for _ in range(32)]
for thread in threads: thread.start()
for thread in threads: thread.join()
report(statuses)
"""
    assert child.run(code).report == [INVALID_TOKEN] * 32


def test_threads_that_come_and_go(library, answering):
    """What is kept for a thread goes with it; many short threads leave everything working."""
    server = answering()
    for _ in range(10):
        results = run_threads(10, lambda number: [library.ask(None).status for _ in range(10)])
        assert results == [[NO_TOKEN] * 10] * 10
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert len(server.requests) == 1


class Gate:
    """A script that counts how many requests are under way and answers none before it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.under_way = 0
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, connection) -> None:
        while True:
            connection.read_request()
            with self._lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            connection.wait_for(self.opened)
            with self._lock:
                self.under_way -= 1
            connection.send(response(NO))


def test_no_more_connections_than_allowed(library, serve, monkeypatch):
    monkeypatch.setenv("HANKO_MAX_CONNECTIONS", "3")
    gate = Gate()
    server = serve(gate)

    def open_after_a_while():
        eventually(lambda: gate.under_way == 3, "three under way")
        # A fourth one would come now.
        time.sleep(0.3)
        gate.opened.set()

    opener = threading.Thread(target=open_after_a_while)
    opener.start()
    results = run_threads(20, lambda number: library.ask(TOKEN).status)
    opener.join()
    assert results == [INVALID_TOKEN] * 20
    assert gate.most == 3
    assert server.connections == 3


def test_waiting_for_a_connection_ends_with_the_deadline(library, serve, monkeypatch):
    monkeypatch.setenv("HANKO_MAX_CONNECTIONS", "1")
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "500")
    gate = Gate()
    serve(gate)
    with within(5):
        results = run_threads(4, lambda number: library.ask(TOKEN).status)
    assert results == [TIMEOUT] * 4


def test_too_many_waiting(library, serve, monkeypatch):
    """At most 16 times as many wait as there may be connections; the others are told at once."""
    monkeypatch.setenv("HANKO_MAX_CONNECTIONS", "1")
    gate = Gate()
    serve(gate)
    refused = []

    def ask(number):
        status = library.ask(TOKEN).status
        if status == UNAVAILABLE:
            refused.append(number)
        return status

    def open_when_all_are_there():
        eventually(lambda: len(refused) == 13, "13 told at once", 8)
        gate.opened.set()

    opener = threading.Thread(target=open_when_all_are_there)
    opener.start()
    results = run_threads(30, ask)
    opener.join()
    assert sorted(results) == [INVALID_TOKEN] * 17 + [UNAVAILABLE] * 13
