"""The circuit breaker: what opens it, what it lets through while it is open, and how it closes."""

from __future__ import annotations

import threading
import time

import pytest

from deadline import eventually, within
from fault_server import answers, refused_port
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, response
from resilience import Client, in_threads

YES = response(BARE_YES)
SICK = response(b"", status=500)

# After how many failed ones of the last twenty it opens.
FAILURES = 10


class Switch:
    """A server's script whose answer a test can change, with the time of each request."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.times: list[float] = []
        self.hold: threading.Event | None = None

    def __call__(self, connection) -> None:
        while True:
            connection.read_request()
            self.times.append(time.monotonic())
            if self.hold is not None:
                connection.wait_for(self.hold)
            connection.send(self.reply)


def opened(client) -> int:
    """How often the breaker of a client has opened."""
    return client.statistics().breaker_opened


def open_breaker(client) -> None:
    """Fail until the breaker is open."""
    for _ in range(FAILURES):
        assert client.status(TOKEN) == UNAVAILABLE
    assert opened(client) == 1


def replies(connection_end):
    """A script that reads requests and ends each connection in one way."""

    def script(connection):
        connection.read_request()
        connection_end(connection)

    return script


def test_opens_at_the_tenth_failure(library, serve):
    server = serve(answers(SICK))
    with Client(library, server.url(), max_retries=0) as client:
        for count in range(1, FAILURES + 1):
            assert client.status(TOKEN) == UNAVAILABLE
            assert opened(client) == (1 if count == FAILURES else 0)
        with within(0.9):
            for _ in range(50):
                assert client.status(TOKEN) == UNAVAILABLE
        found = client.statistics()
    assert len(server.requests) == found.requests == FAILURES
    assert found.results[UNAVAILABLE] == FAILURES + 50


def test_the_text_tells_a_refusal_by_the_breaker(library, serve):
    server = serve(answers(SICK))
    with Client(library, server.url(), max_retries=0) as client:
        asked = client.validate(TOKEN).error
        open_breaker(client)
        assert client.validate(TOKEN).error != asked


PATTERNS = {
    "ten of twenty, in turn": ([True, False] * 10, 19),
    "nine of any twenty": (([True] * 9 + [False] * 11) * 3, None),
    "ten, but over twenty-one": ([True] + [False] * 11 + [True] * 9, None),
    "ten within exactly twenty": ([True] + [False] * 10 + [True] * 9, 20),
    "eleven good ones do not make up for ten bad ones": ([False] * 30 + [True] * 10, 40),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_window_of_the_last_twenty(library, serve, pattern):
    """Opens with exactly the exchange at which ten of the last twenty have failed, or never."""
    failures, opens_at = PATTERNS[pattern]
    switch = Switch(YES)
    server = serve(switch)
    with Client(library, server.url(), max_retries=0) as client:
        opened_at = None
        for number, fails in enumerate(failures, 1):
            switch.reply = SICK if fails else YES
            assert client.status(TOKEN) == (UNAVAILABLE if fails else OK)
            if opened(client):
                opened_at = number
                break
    assert opened_at == opens_at


COUNTS_AS_A_FAILURE = {
    **{str(code): (answers(response(b"", status=code)), UNAVAILABLE) for code in (408, 425, 429, 500, 502, 503, 599)},
    "429 with Retry-After": (answers(response(b"", status=429, headers=[("Retry-After", "60")])), UNAVAILABLE),
    "closed": (replies(lambda connection: connection.close()), UNAVAILABLE),
    "reset": (replies(lambda connection: connection.reset()), UNAVAILABLE),
    "cut short": (
        replies(lambda connection: (connection.send(response(BARE_YES, length=100)), connection.close())),
        UNAVAILABLE,
    ),
    "silent": (replies(lambda connection: connection.hang()), TIMEOUT),
}


@pytest.mark.parametrize("end", COUNTS_AS_A_FAILURE)
def test_counts_as_a_failure(library, serve, end):
    script, status = COUNTS_AS_A_FAILURE[end]
    server = serve(script)
    with Client(library, server.url(), max_retries=0, timeout_ms=150 if end == "silent" else 10000) as client:
        for _ in range(FAILURES - 1):
            assert client.status(TOKEN) == status
        assert opened(client) == 0
        assert client.status(TOKEN) == status
        assert opened(client) == 1


def test_no_connection_counts_as_a_failure(library):
    with Client(library, f"http://127.0.0.1:{refused_port()}", max_retries=0) as client:
        open_breaker(client)


def test_tls_counts_as_a_failure(library, serve, tls):
    server = serve(answers(YES), tls=tls.server_context())
    with Client(library, server.url(), max_retries=0, ca_file=tls.stranger.certificate) as client:
        open_breaker(client)
        seen = server.connections
        assert client.status(TOKEN) == UNAVAILABLE
    assert server.connections == seen


def test_retries_count_as_exchanges_of_their_own(library, serve):
    """Five calls with one retry each are ten exchanges."""
    server = serve(answers(response(b"", status=503, headers=[("Retry-After", "0")])))
    with Client(library, server.url(), max_retries=1) as client:
        for _ in range(5):
            assert client.status(TOKEN) == UNAVAILABLE
        assert opened(client) == 1
    assert len(server.requests) == FAILURES


COUNTS_AS_A_SUCCESS = {
    "no": (response(NO), INVALID_TOKEN),
    "not JSON": (response(b"<html>"), PROTOCOL_ERROR),
    "another success": (response(b"", status=202), PROTOCOL_ERROR),
    "600 and above": (response(b"", status=600), PROTOCOL_ERROR),
    **{str(status): (response(b"", status=status), MISCONFIGURED) for status in (301, 400, 401, 403, 404, 405, 415)},
    "413": (response(b"", status=413), MISCONFIGURED),
    "431": (response(b"", status=431), MISCONFIGURED),
}


@pytest.mark.parametrize("answer", COUNTS_AS_A_SUCCESS)
def test_any_other_complete_answer_is_a_success(library, serve, answer):
    """Forty odd answers open nothing; and eleven of them make room after nine failures, as only successes do."""
    reply, status = COUNTS_AS_A_SUCCESS[answer]
    switch = Switch(reply)
    server = serve(switch)
    with Client(library, server.url(), max_retries=0) as client:
        for _ in range(40):
            assert client.status(TOKEN) == status
        assert opened(client) == 0
        switch.reply = SICK
        for _ in range(9):
            client.status(TOKEN)
        switch.reply = reply
        for _ in range(12):
            client.status(TOKEN)
        switch.reply = SICK
        for _ in range(9):
            client.status(TOKEN)
        assert opened(client) == 0
        client.status(TOKEN)
        # Ten of the last ten now: so the breaker was still watching.
        assert opened(client) == 1


def test_odd_tokens_lock_nobody_out(library, serve):
    """A firewall that answers 403 to one kind of token, from many threads at once, beside good ones."""
    server = serve(answers(lambda request: response(b"", status=403) if request.token.startswith("odd") else YES))
    with Client(library, server.url()) as client:

        def work(number):
            if number % 4:
                return {client.status(b"odd-token-number-%d-%d" % (number, index)) for index in range(25)}
            return {client.status(TOKEN) for index in range(25)}

        results = in_threads(8, work)
        assert opened(client) == 0
    assert results == [{MISCONFIGURED} if number % 4 else {OK} for number in range(8)]


def test_garbage_is_not_even_counted(library, serve):
    """What cannot be a token is answered without a request and says nothing about the server, well or sick."""
    switch = Switch(SICK)
    server = serve(switch)
    with Client(library, server.url(), max_retries=0) as client:
        for _ in range(9):
            assert client.status(TOKEN) == UNAVAILABLE
        for _ in range(100):
            assert client.status(b"\xff\xfe garbage") == INVALID_TOKEN
        assert opened(client) == 0
        assert client.status(TOKEN) == UNAVAILABLE
        assert opened(client) == 1
        # An open breaker is no reason to keep the user logged in.
        assert client.status(b"\xff\xfe garbage") == INVALID_TOKEN
    assert len(server.requests) == FAILURES


def test_a_timeout_with_less_than_half_of_the_time_counts_as_nothing(library, serve):
    """A first candidate that is answered late leaves the second little time: that it ends says nothing about Hanko."""

    def script(connection):
        while True:
            request = connection.read_request()
            if request.token == "late-candidate":
                connection.wait(0.6)
                # A success in the breaker's eyes, so that only the second one's timeout could count.
                connection.send(response(b"", status=403))
            elif request.token == "silent-candidate":
                connection.hang()
            else:
                connection.send(SICK)

    server = serve(script)
    with Client(library, server.url(), max_retries=0, timeout_ms=1000) as client:
        for _ in range(9):
            assert client.status(TOKEN) == UNAVAILABLE
        for _ in range(3):
            assert client.authenticate(b"hanko=late-candidate; hanko=silent-candidate").status == TIMEOUT
        assert opened(client) == 0
        assert client.status(TOKEN) == UNAVAILABLE
        assert opened(client) == 1


def test_waiting_in_line_counts_as_nothing(library, serve):
    """Those whose time passes while they wait for a connection have asked nobody."""
    gate = threading.Event()
    switch = Switch(YES)
    switch.hold = gate
    server = serve(switch)
    with Client(library, server.url(), max_retries=0, max_connections=1, timeout_ms=600) as client:
        results = in_threads(16, lambda number: client.status(TOKEN))
        assert results.count(TIMEOUT) == 16
        # One had the connection and counts; whoever came after it had no time left.
        assert opened(client) == 0
    assert len(server.requests) < FAILURES


# Open -----------------------------------------------------------------------------------------------------------------


def test_one_probe_although_many_ask(library, serve):
    """While it is open, threads that ask all the time bring one request a probe; the second comes twice as late."""
    switch = Switch(SICK)
    server = serve(switch)
    stop = threading.Event()
    with Client(library, server.url(), max_retries=0) as client:
        open_breaker(client)
        opened_at = time.monotonic()

        def ask(number):
            statuses = set()
            while not stop.is_set():
                statuses.add(client.status(TOKEN))
                time.sleep(0.005)
            return statuses

        def end():
            time.sleep(4.5)
            stop.set()

        ender = threading.Thread(target=end)
        ender.start()
        results = in_threads(16, ask)
        ender.join()
        assert opened(client) == 1
    assert results == [{UNAVAILABLE}] * 16
    probes = [moment - opened_at for moment in switch.times[FAILURES:]]
    # After 1 s and another 2 s; the third would come 4 s later.
    assert len(probes) == 2, probes
    assert probes[0] >= 0.9 and probes[1] - probes[0] >= 1.9
    assert len(server.requests) == FAILURES + 2


def test_a_probe_is_alone_until_it_is_answered(library, serve):
    """Others are told at once while the probe waits for its answer, and all are served once it was good."""
    switch = Switch(SICK)
    server = serve(switch)
    with Client(library, server.url(), max_retries=0) as client:
        open_breaker(client)
        switch.hold, switch.reply = threading.Event(), YES
        time.sleep(1.1)
        probe = threading.Thread(target=lambda: results.append(client.status(TOKEN)))
        results: list[int] = []
        probe.start()
        eventually(lambda: len(switch.times) == FAILURES + 1, "the probe has arrived")
        with within(5):
            assert in_threads(16, lambda number: client.status(TOKEN)) == [UNAVAILABLE] * 16
        assert len(server.requests) == FAILURES + 1
        switch.hold.set()
        probe.join(20)
        assert results == [OK]
        assert in_threads(16, lambda number: client.status(TOKEN)) == [OK] * 16
        assert opened(client) == 1


def test_a_good_probe_forgets_the_past(library, serve):
    """After it, it takes ten new failures, and the pause is one second again."""
    switch = Switch(SICK)
    serve_url = serve(switch).url()
    with Client(library, serve_url, max_retries=0) as client:
        open_breaker(client)
        time.sleep(1.1)
        assert client.status(TOKEN) == UNAVAILABLE  # the probe; now two seconds
        switch.reply = YES
        time.sleep(2.2)
        assert client.status(TOKEN) == OK
        switch.reply = SICK
        for _ in range(9):
            assert client.status(TOKEN) == UNAVAILABLE
        assert opened(client) == 1
        assert client.status(TOKEN) == UNAVAILABLE
        assert opened(client) == 2
        switch.reply = YES
        time.sleep(1.2)
        assert client.status(TOKEN) == OK


@pytest.mark.parametrize("reply", [response(NO), response(b"", status=403)], ids=["no", "403"])
def test_any_complete_answer_of_a_well_server_closes_it(library, serve, reply):
    switch = Switch(SICK)
    serve_url = serve(switch).url()
    with Client(library, serve_url, max_retries=0) as client:
        open_breaker(client)
        switch.reply = reply
        time.sleep(1.1)
        client.status(TOKEN)
        switch.reply = YES
        assert client.status(TOKEN) == OK


def test_a_retry_does_not_pass_an_open_breaker(library, serve):
    """The call whose failure opens it does not ask again, though it still may retry."""
    server = serve(answers(response(b"", status=503, headers=[("Retry-After", "0")])))
    with Client(library, server.url(), max_retries=10) as client, within(8):
        assert client.status(TOKEN) == UNAVAILABLE
        assert client.status(TOKEN) == UNAVAILABLE
    assert len(server.requests) == FAILURES


def test_each_client_has_its_own(library, serve):
    switch = Switch(SICK)
    serve_url = serve(switch).url()
    with Client(library, serve_url, max_retries=0) as client, Client(library, serve_url, max_retries=0) as other:
        open_breaker(client)
        switch.reply = YES
        assert client.status(TOKEN) == UNAVAILABLE
        assert other.status(TOKEN) == OK


def test_check_passes_an_open_breaker(library, serve):
    switch = Switch(SICK)
    server = serve(switch)
    with Client(library, server.url(), max_retries=0) as client:
        open_breaker(client)
        assert client.check().status == UNAVAILABLE
        assert len(server.requests) > FAILURES
