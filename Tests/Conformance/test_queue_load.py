"""The queue under load, from C: many threads, many submissions, a long life, and nothing left behind."""

from __future__ import annotations

import ssl
import threading
import time

import pytest

from certificates import only_version
from completion_queue import new_queue  # noqa: F401
from fault_server import echoed
from library import INVALID_TOKEN, OK
from messages import NO, Session, response
from resilience import FastServer, compile_program, run_program
from test_process_shortage import ENDS

VALIDATIONS, CLIENTS = 100_000, 500
# Resident memory, in KiB: what the C library keeps for itself moves by some tens.
FLAT = 400


@pytest.fixture
def fast_server(tmp_path):
    """A Hanko that answers in microseconds."""
    server = FastServer(compile_program("fast_server", tmp_path))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """The preloaded object that counts what the library allocates, and looks at what it frees."""
    return compile_program("failing", tmp_path_factory.mktemp("failing"), shared=True)


def test_many_threads_on_several_queues(library, fast_server, tmp_path):
    """18,000 submissions on three queues, drained by six threads, some cancelled; each completes once."""
    program = compile_program("queue_threads", tmp_path, library=library.path)
    (found,) = run_program(program, TEST_URL=fast_server.url)
    assert (found["missing"], found["wrong"], found["under_way"]) == (0, 0, 0)
    assert found["submitted"] == found["drained"] == 18_000
    assert found["ok"] + found["refused"] + found["cancelled"] == 18_000
    # The blocking calls beside them were 200.
    assert found["counted_ok"] == found["ok"] + 200
    assert found["counted_cancelled"] == found["cancelled"]
    # What is refused without a request counts as it does for the blocking calls.
    assert found["counted_refused"] >= found["refused"]


@pytest.mark.parametrize("limit", [1, 8, 64])
def test_a_hundred_thousand_at_once(library, tmp_path, limit):
    """They wait for their turn, on no more connections than allowed, and each connection serves one after the other."""
    fast = FastServer(compile_program("fast_server", tmp_path))
    program = compile_program("queue_burst", tmp_path, library=library.path)
    count = 100_000 if limit == 8 else 20_000
    try:
        (found,) = run_program(program, count, limit, timeout=58, TEST_URL=fast.url)
    finally:
        seen = fast.stop()
    assert (found["taken"], found["wrong"]) == (count, 0)
    assert 1 <= found["connections"] <= limit
    # Nothing is wrong with any of them, so that none is given up.
    assert seen == {"connections": limit, "requests": count}


class HoldsUp(list):
    """The lines of a log; when it is armed the next one takes its time, and so does the worker that writes it."""

    def __init__(self):
        super().__init__()
        self.armed = threading.Event()

    def append(self, line):
        super().append(line)
        if self.armed.is_set():
            self.armed.clear()
            time.sleep(1.5)


@pytest.mark.every_no_is_believed
def test_connections_that_open_while_another_is_replaced(serve, trusted, new_client, new_queue):
    """libcurl looks once a second, when it begins a connection, for others that have input and are not in use. Those
    that have opened in the same round have: session tickets. It shows with libcurl 8.0 and later, in which that is a
    reason to close them."""
    opening = 30
    context = only_version(trusted.server_context(), ssl.TLSVersion.TLSv1_3)
    pauses = {"both": 0.3, "held": 0.15}

    def script(connection):
        if connection.number > 2:
            # Their handshakes reach the worker while it is held up.
            connection.wait(0.4)
        connection.start_tls(context)
        while True:
            request = connection.read_request()
            kind = request.token.split(".")[0]
            if kind == "reset" and connection.number <= 2:
                connection.wait(0.9)
                return connection.reset()
            connection.wait(pauses.get(kind, 0))
            connection.send(echoed(response(NO))(request))

    server = serve(script)
    client = new_client(
        server.url().replace("http:", "https:"),
        ca_file=str(trusted.authority.certificate),
        timeout_ms=20_000,
        max_connections=64,
    )
    client.log.lines = lines = HoldsUp()
    queue = new_queue(client)
    for tag in range(2):
        assert queue.submit(b"both.%d" % tag, tag).status == OK
    assert {done.status for done in queue.collect(2)} == {INVALID_TOKEN}
    assert server.connections == 2
    time.sleep(1.1)
    lines.armed.set()
    assert queue.submit(b"reset.1", 2).status == OK
    assert queue.submit(b"held.1", 3).status == OK
    for tag in range(4, 4 + opening):
        assert queue.submit(b"other.1", tag).status == OK
    found = {done.tag: done.status for done in queue.collect(2 + opening)}
    assert not lines.armed.is_set()
    # The one that was reset goes out again on a fresh connection.
    assert found == dict.fromkeys(range(2, 4 + opening), INVALID_TOKEN)


def test_memory_and_descriptors_stay_flat(library, fast_server, tmp_path):
    """Compared with what it was after the first tenth, when everything that is made once has been made."""
    program = compile_program("queue_endurance", tmp_path, library=library.path)
    found = run_program(program, VALIDATIONS, CLIENTS, timeout=58, TEST_URL=fast_server.url)
    first_calls, calls, first_clients, clients = found
    assert calls["descriptors"] == first_calls["descriptors"]
    assert calls["threads"] == first_calls["threads"] == 2
    assert clients["descriptors"] == first_clients["descriptors"] < calls["descriptors"]
    assert calls["kilobytes"] - first_calls["kilobytes"] < FLAT, found
    assert clients["kilobytes"] - first_clients["kilobytes"] < FLAT, found


@pytest.mark.parametrize("way", ["drained", "undrained", "under way", "cancelled", "refused", "client first"])
def test_nothing_is_left_behind(library, fast_server, failing, tmp_path, way):
    """Sessions above all: those that were handed out, and those that nobody ever took."""
    program = compile_program("queue_leaks", tmp_path, library=library.path)
    (found,) = run_program(program, way, TEST_URL=fast_server.url, LD_PRELOAD=failing)
    assert found["before"] > 0, "the counting counts nothing"
    assert (found["owed"], found["most"], found["least"], found["descriptors"]) == (0, 0, 0, 0), found


@pytest.mark.parametrize("end", ENDS)
def test_token_bytes_are_erased(library, serve, failing, tmp_path, end):
    """Nothing that the library frees still holds a token: completed, cancelled while it waited, or dropped."""
    server = serve(ENDS[end])
    program = compile_program("queue_erased", tmp_path, library=library.path)
    token = Session().token().decode()
    (found,) = run_program(program, token, f"127.0.0.1:{server.port}", TEST_URL=server.url(), LD_PRELOAD=failing)
    assert found["looked_at"] > 20
    assert found["control"] > 0, "looking finds nothing at all"
    assert found["dirty"] == 0
