"""What a queue shares with the blocking calls of its client: limit, breaker, confirmation, counters, shortage."""

from __future__ import annotations

import threading
import time

import pytest

import child
from completion_queue import hanko, new_queue  # noqa: F401
from deadline import eventually, within
from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, OK, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, Session, response
from test_resilience_breaker import FAILURES, SICK, Switch
from test_resilience_pool import Counting
from test_threads import run_threads

YES = response(BARE_YES)


def test_breaker_that_blocking_calls_opened(serve, new_client, new_queue):
    server = serve(answers(SICK))
    client = new_client(server.url())
    queue = new_queue(client)
    for _ in range(FAILURES):
        assert client.validate(TOKEN).status == UNAVAILABLE
    assert queue.submit(TOKEN).status == OK
    assert queue.only().status == UNAVAILABLE
    assert len(server.requests) == FAILURES


def test_breaker_that_a_queue_opened(serve, new_client, new_queue):
    server = serve(answers(SICK))
    client = new_client(server.url())
    queue = new_queue(client)
    for number in range(FAILURES):
        assert client.statistics().breaker_opened == 0
        assert queue.submit(TOKEN, number).status == OK
        assert queue.only().status == UNAVAILABLE
    assert client.statistics().breaker_opened == 1
    assert client.validate(TOKEN).status == UNAVAILABLE
    assert len(server.requests) == FAILURES


def test_one_probe_for_both(serve, new_client, new_queue):
    switch = Switch(SICK)
    server = serve(switch)
    client = new_client(server.url())
    queue = new_queue(client)
    for _ in range(FAILURES):
        client.validate(TOKEN)
    switch.hold, switch.reply = threading.Event(), YES
    time.sleep(1.1)
    assert queue.submit(TOKEN, 1).status == OK
    eventually(lambda: len(server.requests) == FAILURES + 1, "the probe has arrived")
    assert client.validate(TOKEN).status == UNAVAILABLE
    assert len(server.requests) == FAILURES + 1
    switch.hold.set()
    assert queue.only()[:2] == (1, OK)
    assert client.validate(TOKEN).status == OK


def test_limit_of_connections_is_the_clients(serve, new_client, new_queue):
    """Threads and queues together have no more requests under way than the client may."""
    script = Counting(pause=0.005)
    client = new_client(serve(script).url(), max_connections=3, timeout_ms=40_000)
    queues = [new_queue(client) for _ in range(2)]

    def work(number):
        if number < 6:
            assert [client.validate(TOKEN).status for _ in range(10)] == [OK] * 10
        else:
            queue = queues[number - 6]
            for tag in range(40):
                assert queue.submit(TOKEN, tag).status == OK
            assert {done.status for done in queue.collect(40)} == {OK}

    run_threads(8, work)
    assert script.most <= 3
    assert client.results() == {OK: 140}


def test_neither_starves_the_other(serve, new_client, new_queue):
    """A long line in the queue does not keep a blocking caller waiting to its deadline, and threads not a queue."""
    client = new_client(serve(Counting(pause=0.002)).url(), max_connections=1, timeout_ms=10_000)
    queue = new_queue(client)
    with within(30):
        for tag in range(500):
            assert queue.submit(TOKEN, tag).status == OK
        assert client.validate(TOKEN).status == OK
        assert {done.status for done in queue.collect(500)} == {OK}


def test_counters_are_the_same(hanko, new_client, new_queue):
    """One client asked by blocking calls, another through its queue, the same questions."""
    blocking, queued = new_client(hanko.url()), new_client(hanko.url())
    queue = new_queue(queued)
    words = ["ok", "no", "forbidden", "odd", "down"] * 4
    for word in words:
        token = f"{word}.1".encode()
        blocking.validate(token)
        assert queue.submit(token).status == OK
        queue.only()
    first, second = blocking.statistics(), queued.statistics()
    for name in ("requests", "retries", "connections_opened", "breaker_opened", "in_flight"):
        assert getattr(first, name) == getattr(second, name), name
    assert blocking.results() == queued.results()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(serve, new_client, new_queue, status):
    """While others are served."""
    arrivals = []

    def reply(request):
        if request.token == "another-token":
            return YES
        arrivals.append(time.monotonic())
        return YES if len(arrivals) > 1 else response(b"", status=status, headers=[("Retry-After", "1")])

    client = new_client(serve(answers(reply)).url(), max_retries=1, timeout_ms=20_000)
    queue = new_queue(client)
    assert queue.submit(TOKEN, 1).status == OK
    eventually(lambda: len(arrivals) == 1, "the first request has arrived")
    assert queue.submit(b"another-token", 2).status == OK
    assert [done[:2] for done in queue.collect(2)] == [(2, OK), (1, OK)]
    assert arrivals[1] - arrivals[0] >= 0.95
    assert client.statistics().retries == 1


def test_confirmations_are_shared(serve, new_client, new_queue):
    """A hundred refused at once, by threads and through a queue, cost as many requests as the contract allows."""
    keys = []

    def reply(request):
        if request.line.startswith("GET"):
            keys.append(time.monotonic())
            return response(b'{"keys":[]}')
        return response(NO)

    client = new_client(serve(answers(reply), key_set=None).url(), confirm_rejections=1, timeout_ms=20_000)
    queue = new_queue(client)
    began = time.monotonic()

    def work(number):
        if number:
            assert {client.validate(Session().token()).status for _ in range(10)} == {INVALID_TOKEN}
        else:
            for tag in range(100):
                assert queue.submit(Session().token(), tag).status == OK
            assert {done.status for done in queue.collect(100)} == {INVALID_TOKEN}

    run_threads(5, work)
    # At most ten a second, and those of the second that has begun.
    assert len(keys) <= 10 * (int(time.monotonic() - began) + 1)


def test_no_descriptor_left(serve):
    """A queue needs some; without them there is none, and there is one as soon as they are back."""
    server = serve(answers(YES))
    code = f"""
import ctypes, resource
from client import call
from completion_queue import Queue, bind_queue
bind_queue(library)
client = Client(library, Config(library, api_url={server.url()!r}, max_retries=0))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
def new():
    out = ctypes.c_void_p(1)
    outcome = call(library, "hanko_queue_new", client.handle, ctypes.byref(out))
    if out.value: library.api.hanko_queue_free(out)
    return [int(outcome.status), out.value is None]
found = []
for left in range(8):
    hogs = []
    while True:
        try: hogs.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: break
    for _ in range(left): os.close(hogs.pop())
    found.append(new())
    for hog in hogs: os.close(hog)
queue = Queue(library, client)
assert queue.submit(b"test-token", 3).status == 0
done = queue.only()
queue.free()
client.free()
report([found, [done.tag, int(done.status)]])
"""
    found, done = child.run(code).report
    assert found[0] == [UNAVAILABLE, True]
    assert all(outcome in ([OK, False], [UNAVAILABLE, True], [MISCONFIGURED, True]) for outcome in found)
    assert done == [3, OK]


def test_descriptors_run_out_under_way(serve):
    """No connection can be opened: each submission is told so, the breaker stays closed, and it is well afterwards."""
    server = serve(answers(YES))
    code = f"""
import resource
from completion_queue import Queue, bind_queue
bind_queue(library)
client = Client(library, Config(library, api_url={server.url()!r}, max_retries=0))
queue = Queue(library, client)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
hogs = []
while True:
    try: hogs.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: break
for tag in range(30): assert queue.submit(b"test-token", tag).status == 0
short = sorted({{int(done.status) for done in queue.collect(30)}})
opened = client.statistics().breaker_opened
for hog in hogs: os.close(hog)
for tag in range(30): assert queue.submit(b"test-token", tag).status == 0
well = sorted({{int(done.status) for done in queue.collect(30)}})
queue.free()
client.free()
report([short, opened, well])
"""
    assert child.run(code).report == [[UNAVAILABLE], 0, [OK]]


@pytest.mark.parametrize("cut", ["one write", "two writes"])
@pytest.mark.parametrize("transport", ["http", "https"])
def test_surplus_answers_while_many_are_under_way(serve, trusted, new_client, new_queue, transport, cut):
    """Every answer has a yes too many behind it; none of them may become anybody's."""

    def script(connection):
        while True:
            connection.read_request()
            if cut == "one write":
                connection.send(response(NO) + YES)
            else:
                connection.send(response(NO)[:-1])
                connection.send(response(NO)[-1:] + YES * 2)

    server = serve(script, tls=trusted.server_context() if transport == "https" else None)
    options = {"ca_file": str(trusted.authority.certificate)} if transport == "https" else {}
    queue = new_queue(new_client(server.url(), max_connections=4, timeout_ms=20_000, **options))
    for tag in range(80):
        assert queue.submit(b"token-%d" % tag, tag).status == OK
    assert sorted(done[:2] for done in queue.collect(80)) == [(tag, INVALID_TOKEN) for tag in range(80)]
    assert len(server.requests) == 80
