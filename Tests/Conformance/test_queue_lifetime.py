"""Who may be freed when, what a free waits for, and the thread behind the queues."""

from __future__ import annotations

import socket
import threading
import time

import pytest

import child
from client import LOG_DEBUG, Client, Config, Log, LogFunction
from completion_queue import Queue, bind_queue, hanko, new_queue  # noqa: F401
from deadline import eventually, within
from fault_server import BusyListener, answers
from library import CANCELLED, INVALID_TOKEN, OK
from messages import BARE_YES, NO, TOKEN, response

LONG_MS = 30_000
# Far less than the deadline of what is under way, far more than a free needs.
AMPLE = 10.0


# --- the client goes first ----------------------------------------------------------------------------


def test_queue_keeps_its_client_alive(serve, new_client, new_queue):
    """Under way, waiting for a connection, and submitted afterwards: all complete."""
    gate = threading.Event()

    def script(connection):
        while True:
            connection.read_request()
            connection.wait_for(gate)
            connection.send(response(NO))

    server = serve(script)
    client = new_client(server.url(), max_connections=1)
    queue = new_queue(client)
    for tag in range(3):
        assert queue.submit(TOKEN, tag).status == OK
    eventually(lambda: len(server.requests) == 1, "one is under way")
    with within(AMPLE):
        client.free()
    assert queue.submit(TOKEN, 3).status == OK
    assert queue.submit_authenticate(b"hanko=test-token", tag=4).status == OK
    gate.set()
    assert sorted(done[:2] for done in queue.collect(5)) == [(tag, INVALID_TOKEN) for tag in range(5)]
    assert queue.submit(TOKEN, 5).status == OK
    assert queue.only()[:2] == (5, INVALID_TOKEN)


def test_client_freed_beside_an_idle_queue(hanko, new_client, new_queue):
    client = new_client(hanko.url())
    queue = new_queue(client)
    client.free()
    assert queue.submit(b"ok.1", 1).status == OK
    assert queue.only()[:2] == (1, OK)
    assert queue.submit(b"late.1", 2).status == OK
    assert queue.cancel(2).status == OK
    assert queue.only()[:2] == (2, CANCELLED)


def test_settings_of_the_client_outlive_it(serve, new_client, new_queue, trusted):
    """Authority, cookie name and audience as well."""
    server = serve(answers(response(BARE_YES)), tls=trusted.server_context())
    options = {"ca_file": str(trusted.authority.certificate), "cookie_name": "other", "timeout_ms": LONG_MS}
    client = new_client(server.url(), **options)
    queue = new_queue(client)
    client.free()
    assert queue.submit_authenticate(b"hanko=wrong; other=right").status == OK
    assert queue.only().status == OK
    assert [request.token for request in server.requests] == ["right"]


# --- the queue goes -----------------------------------------------------------------------------------


def test_free_drops_what_is_under_way(serve, new_client, new_queue):
    """The connection goes with it, and the client stays well."""
    left = threading.Event()

    def script(connection):
        connection.read_request()
        try:
            connection.hang()
        finally:
            left.set()

    server = serve(script, answers(response(NO)))
    client = new_client(server.url(), timeout_ms=LONG_MS, max_connections=1)
    queue = new_queue(client)
    for tag in range(5):
        assert queue.submit(TOKEN, tag).status == OK
    eventually(lambda: len(server.requests) == 1, "one is under way")
    with within(AMPLE):
        queue.free()
    assert left.wait(AMPLE), "the connection is still open"
    eventually(lambda: client.statistics().in_flight == 0, "nothing is under way")
    with within(AMPLE):
        assert client.validate(TOKEN).status == INVALID_TOKEN
    again = new_queue(client)
    assert again.submit(TOKEN, 1).status == OK
    assert again.only()[:2] == (1, INVALID_TOKEN)
    # Of those that waited for a connection none was asked about.
    assert len(server.requests) == 3


def test_free_drops_what_is_completed(hanko, new_client, new_queue):
    client = new_client(hanko.url())
    queue = new_queue(client)
    for tag in range(20):
        assert queue.submit(b"ok.1" if tag % 2 else b"no.1", tag).status == OK
    eventually(lambda: client.results() == {OK: 10, INVALID_TOKEN: 10}, "all are completed")
    assert queue.readable(20)
    queue.free()
    assert client.results() == {OK: 10, INVALID_TOKEN: 10}


def test_free_touches_no_other_queue(hanko, new_client, new_queue):
    client = new_client(hanko.url(), timeout_ms=LONG_MS)
    first, second = new_queue(client), new_queue(client)
    for queue in (first, second):
        assert queue.submit(b"late.1", 1).status == OK
        assert queue.submit(b"ok.1", 2).status == OK
    assert second.readable(20)
    first.free()
    assert second.only()[:2] == (2, OK)
    assert second.cancel(1).status == OK
    assert second.only()[:2] == (1, CANCELLED)


@pytest.mark.parametrize("order", ["queue first", "client first"])
@pytest.mark.parametrize("way", ["connecting", "handshake", "answer"])
def test_frees_do_not_wait_for_the_network(serve, new_client, new_queue, way, order):
    listener = BusyListener() if way == "connecting" else None
    url = listener.url() if listener else serve(lambda connection: connection.hang()).url()
    if way == "handshake":
        url = url.replace("http:", "https:")
    client = new_client(url, timeout_ms=LONG_MS, connect_timeout_ms=LONG_MS)
    queue = new_queue(client)
    for tag in range(10):
        assert queue.submit(TOKEN, tag).status == OK
    time.sleep(0.1)
    with within(AMPLE):
        for handle in (queue, client) if order == "queue first" else (client, queue):
            handle.free()
    if listener:
        listener.stop()


def test_frees_do_not_wait_for_a_name_server(resolver):
    code = """
from completion_queue import Queue, bind_queue
bind_queue(library)
config = Config(library, api_url="https://hanko.test", timeout_ms=20000, connect_timeout_ms=20000)
client = Client(library, config)
queue = Queue(library, client)
for tag in range(5): assert queue.submit(b"test-token", tag).status == 0
time.sleep(0.5)
start = time.monotonic()
queue.free()
client.free()
report(time.monotonic() - start)
os._exit(0)
"""
    with within(20):
        result = child.run(code, resolver.environment("silent"))
    assert resolver.questions >= 1, "the preloaded function was not used: the test shows nothing"
    assert result.report < AMPLE


def test_many_queues_come_and_go(hanko, new_client, library):
    """Beside one that stays; some leave work behind."""
    bind_queue(library)
    client = new_client(hanko.url(), timeout_ms=LONG_MS)
    stays = Queue(library, client)
    for number in range(200):
        queue = Queue(library, client)
        assert queue.submit(b"late.1" if number % 3 == 0 else b"ok.1", number).status == OK
        if number % 3 == 1:
            assert queue.only()[:2] == (number, OK)
        queue.free()
    assert stays.submit(b"ok.1", 1).status == OK
    assert stays.only()[:2] == (1, OK)
    stays.free()
    eventually(lambda: client.statistics().in_flight == 0, "nothing is under way")


# --- the logger ---------------------------------------------------------------------------------------


class SlowLog(Log):
    """Holds its first line until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()
        receive = self._receive

        def slow(context, level, message):
            self.inside.set()
            self.go.wait(20)
            receive(context, level, message)

        self.function = LogFunction(slow)


@pytest.fixture
def slowly_logged(library, hanko):
    """A client and its queue, whose logger is being called on the queue's thread."""
    bind_queue(library)
    log = SlowLog()
    config = Config(library, api_url=hanko.url(), max_retries=0)
    assert config.set_logger(log.function, None, LOG_DEBUG).status == OK
    client = Client(library, config)
    client.log = log
    queue = Queue(library, client)
    assert queue.submit(b"ok.1").status == OK
    assert log.inside.wait(20)
    yield client, queue, log
    log.go.set()
    log.check()


@pytest.mark.parametrize("order", ["queue first", "client first"])
def test_last_free_waits_for_the_logger(slowly_logged, order):
    """Afterwards the context is the caller's again, so no call of the logger may be under way or still come."""
    client, queue, log = slowly_logged
    handles = [queue, client] if order == "queue first" else [client, queue]
    freed = threading.Event()

    def free_both():
        for handle in handles:
            handle.free()
        freed.set()

    thread = threading.Thread(target=free_both)
    thread.start()
    assert not freed.wait(0.5), "both are freed while the logger runs"
    log.go.set()
    assert freed.wait(20)
    thread.join()
    count = len(log.lines)
    time.sleep(0.1)
    assert len(log.lines) == count


def test_logger_outlives_the_client_while_there_is_a_queue(serve, new_client, new_queue):
    client = new_client(serve(answers(response(NO))).url())
    queue = new_queue(client)
    client.free()
    before = len(client.log.lines)
    assert queue.submit(TOKEN).status == OK
    assert queue.only().status == INVALID_TOKEN
    eventually(lambda: len(client.log.lines) == before + 1, "the line has come")
    queue.free()
    client.log.check()


# --- the thread ---------------------------------------------------------------------------------------

THREADS = """
from completion_queue import Queue, bind_queue
from resilience import in_threads
bind_queue(library)
def tasks(): return set(os.listdir("/proc/self/task"))
def make(): return Client(library, Config(library, api_url={url!r}, timeout_ms=20000, max_retries=0))
def ask(queue):
    assert queue.submit(b"ok.1").status == 0
    assert queue.only().status == 0
def until_gone(others):
    "A thread that was joined may still be listed for a moment."
    end = time.monotonic() + 10
    while tasks() != others and time.monotonic() < end: time.sleep(0.005)
    return sorted(tasks() - others)
before = tasks()
"""


def run_in_child(hanko, code):
    """Run code with the functions above; gives what it reported."""
    return child.run(THREADS.format(url=hanko.url()) + code).report


def test_one_thread_for_each_client(hanko):
    code = """
client, other = make(), make()
assert client.validate(b"ok.1").status == other.validate(b"ok.1").status == 0
found = [len(tasks() - before)]
queues = [Queue(library, client)]
ask(queues[0])
found.append(len(tasks() - before))
for _ in range(5):
    queues.append(Queue(library, client))
    ask(queues[-1])
found.append(len(tasks() - before))
queues.append(Queue(library, other))
ask(queues[-1])
found.append(len(tasks() - before))
for queue in queues: queue.free()
client.free()
other.free()
report([found, until_gone(before)])
"""
    assert run_in_child(hanko, code) == [[0, 1, 1, 2], []]


def test_one_thread_although_many_begin_at_once(hanko):
    code = """
client = make()
queues = in_threads(8, lambda number: Queue(library, client))
for queue in queues: ask(queue)
found = len(tasks() - before)
in_threads(8, lambda number: queues[number].free())
client.free()
report([found, until_gone(before)])
"""
    assert run_in_child(hanko, code) == [1, []]


@pytest.mark.parametrize("order", ["queue first", "client first"])
def test_thread_ends_with_the_last_of_them(hanko, order):
    """Also with work under way."""
    code = f"""
for round in range(20):
    client = make()
    queue = Queue(library, client)
    ask(queue)
    if round % 2: assert queue.submit(b"late.1").status == 0
    for handle in {"(queue, client)" if order == "queue first" else "(client, queue)"}: handle.free()
report(until_gone(before))
"""
    assert run_in_child(hanko, code) == []


def test_a_queue_after_all_queues_were_freed(hanko):
    code = """
client = make()
for _ in range(10):
    queue = Queue(library, client)
    ask(queue)
    queue.free()
queue = Queue(library, client)
ask(queue)
found = len(tasks() - before)
queue.free()
client.free()
report([found, until_gone(before)])
"""
    assert run_in_child(hanko, code) == [1, []]


def test_thread_blocks_all_signals(hanko):
    """A handler of the host must never run on it, whatever mask the thread had that made the queue."""
    code = """
client = make()
queue = Queue(library, client)
ask(queue)
(thread,) = tasks() - before
masks = [line.split()[1] for line in open(f"/proc/self/task/{thread}/status") if line.startswith("SigBlk")]
own = signal.pthread_sigmask(signal.SIG_BLOCK, [])
report([int(masks[0], 16), len(own)])
"""
    blocked, own = run_in_child(hanko, code)
    # KILL and STOP cannot be blocked; 32 and 33 are the C library's own.
    free = {9, 19, 32, 33}
    missing = [number for number in range(1, 65) if number not in free and not blocked >> (number - 1) & 1]
    assert missing == []
    assert own == 0, "the mask of the caller was changed"


def test_thread_sleeps_while_nothing_happens(hanko):
    """Idle, and while 50 hang: how often it woke up and how long it ran within a second."""
    code = """
client = make()
queue = Queue(library, client)
ask(queue)
(thread,) = tasks() - before
def look():
    folder = f"/proc/self/task/{thread}"
    switches = [int(line.split()[1]) for line in open(folder + "/status") if "ctxt_switches" in line]
    fields = open(folder + "/stat").read().rpartition(")")[2].split()
    return sum(switches), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
def over_a_second():
    first = look()
    time.sleep(1)
    last = look()
    return [last[0] - first[0], last[1] - first[1]]
idle = over_a_second()
for tag in range(50): assert queue.submit(b"late.1", 1).status == 0
assert client.statistics().in_flight == 50
time.sleep(0.5)
hanging = over_a_second()
ask_again = queue.submit(b"ok.1", 2).status
assert queue.readable(20)
waiting = over_a_second()
report([idle, hanging, waiting])
"""
    for switches, ran in run_in_child(hanko, code):
        assert switches < 100
        assert ran < 0.25


# --- kept connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
def test_kept_connection_that_the_server_closes_is_closed(serve, trusted, new_client, new_queue, transport):
    """At once, and not only when it would be used again: after a burst that may be never."""
    left = threading.Event()

    def script(connection):
        connection.answer(connection.read_request(), response(BARE_YES))
        plain = socket.socket(fileno=connection.socket.detach())
        plain.settimeout(AMPLE)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(4096):
            pass
        left.set()
        plain.close()

    server = serve(script, tls=trusted.server_context() if transport == "https" else None)
    queue = new_queue(new_client(server.url(), ca_file=str(trusted.authority.certificate)))
    assert queue.submit(TOKEN, 1).status == OK
    assert queue.only()[:2] == (1, OK)
    assert left.wait(AMPLE)
    assert queue.submit(TOKEN, 2).status == OK
    assert queue.only()[:2] == (2, OK)
    assert server.connections == 2
