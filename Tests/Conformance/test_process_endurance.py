"""A process that lives long: descriptors and memory stay flat; signals, clocks and name servers disturb nothing."""

from __future__ import annotations

import pytest

import child
from deadline import within
from fault_server import KEY_SET, answers
from library import INVALID_TOKEN, OK, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, response
from resilience import FastServer, compile_program, run_program

VALIDATIONS, CLIENTS = 100_000, 1000
# Resident memory, in KiB: what the C library keeps for itself moves by some tens.
FLAT = 400

YES = response(BARE_YES)


@pytest.fixture
def fast_server(tmp_path):
    """A Hanko that answers in microseconds."""
    server = FastServer(compile_program("fast_server", tmp_path))
    yield server
    server.stop()


def test_memory_and_descriptors_stay_flat(library, fast_server, tmp_path):
    """Compared with what it was after the first tenth, when everything that is made once has been made."""
    program = compile_program("endurance", tmp_path, library=library.path)
    found = run_program(program, VALIDATIONS, CLIENTS, timeout=58, TEST_URL=fast_server.url)
    first_calls, calls, first_clients, clients = found
    assert calls["descriptors"] == first_calls["descriptors"]
    assert clients["descriptors"] == first_clients["descriptors"] < calls["descriptors"]
    assert calls["kilobytes"] - first_calls["kilobytes"] < FLAT, found
    assert clients["kilobytes"] - first_clients["kilobytes"] < FLAT, found
    seen = fast_server.stop()
    assert seen == {"connections": 1 + CLIENTS, "requests": VALIDATIONS + CLIENTS}
    # The fixture ends it a second time.
    fast_server.stop = lambda: None


@pytest.mark.parametrize("transport", ["http", "https"])
def test_failures_leave_nothing_behind(library, serve, trusted, transport):
    """Every call breaks another way; handles and sockets are made anew each time."""
    ends = ["close", "reset", "cut", "yes", "hang"]

    def script(connection):
        end = ends[connection.number % len(ends)]
        connection.read_request()
        if end == "close":
            connection.close()
        elif end == "reset":
            connection.reset()
        elif end == "cut":
            connection.send(YES[:-3])
            connection.close()
        elif end == "yes":
            connection.send(response(BARE_YES, headers=[("Connection", "close")]))
        else:
            connection.hang()

    context = trusted.server_context() if transport == "https" else None
    serve(script, tls=context)
    code = """
os.environ["HANKO_TIMEOUT_MS"] = "40"
def look():
    memory = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")][0]
    return [len(os.listdir("/proc/self/fd")), memory]
def work(calls):
    found = set()
    for number in range(calls):
        if number % 8 == 0:
            # Another client, before the breaker of this one opens.
            os.environ["HANKO_CONNECT_TIMEOUT_MS"] = str(3000 + number // 8 % 2)
        found.add(int(library.ask(b"test-token").status))
    return sorted(found)
statuses = work(100)
first = look()
statuses += work(300)
report([statuses, first, look()])
"""
    statuses, first, last = child.run(code, timeout=50).report
    assert set(statuses) >= {OK, TIMEOUT, UNAVAILABLE}
    assert last[0] <= first[0] + 3, "descriptors"
    assert last[1] - first[1] < 2 * FLAT, "memory"


# Signals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
def test_a_storm_of_signals_disturbs_nothing(library, serve, trusted, tmp_path, transport):
    """A timer fires every millisecond, without SA_RESTART, during 1000 validations; every tenth waits longer."""
    count = [0]

    def script(connection):
        while True:
            request = connection.read_request()
            count[0] += 1
            if count[0] % 10 == 0:
                connection.wait(0.01)
            connection.send(YES if request.token.startswith("yes") else response(NO))

    context = trusted.server_context() if transport == "https" else None
    server = serve(script, tls=context)
    environment = {"TEST_URL": server.url()}
    if context:
        environment["TEST_CA"] = trusted.authority.certificate
    (found,) = run_program(compile_program("signals", tmp_path, library=library.path), "storm", 1000, **environment)
    assert found["right"] == 1000
    assert found["ticks"] > 200
    assert len(server.requests) == 1000


@pytest.mark.parametrize("transport", ["http", "https"])
def test_sigpipe_at_its_default_action_never_fires(library, serve, trusted, tmp_path, transport):
    """Connections that are gone when the library writes to them, sometimes right after they were used."""

    def script(connection):
        for _ in range(connection.number % 3):
            request = connection.read_request()
            connection.send(YES if request.token.startswith("yes") else response(NO))
        (connection.reset if connection.number % 2 else connection.close)()

    context = trusted.server_context() if transport == "https" else None
    server = serve(script, tls=context)
    environment = {"TEST_URL": server.url()}
    if context:
        environment["TEST_CA"] = trusted.authority.certificate
    (found,) = run_program(compile_program("signals", tmp_path, library=library.path), "pipe", 100, **environment)
    # SIGPIPE would have ended it before it could say anything.
    assert found["default"] == 1
    assert found["right"] + found["unavailable"] == 100
    assert found["right"] > 0


# The clock ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jumping_clock(tmp_path_factory):
    """The variables for a child whose wall clock jumps by hours, back and forth, with every look at it."""
    shim = compile_program("jumping_clock", tmp_path_factory.mktemp("clock"), shared=True)
    return {"LD_PRELOAD": str(shim)}


def test_the_clock_of_a_child_jumps(jumping_clock):
    """The premise of the tests below."""
    code = """
import ctypes
class timespec(ctypes.Structure): _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]
libc, now = ctypes.CDLL(None), timespec()
seen = []
for _ in range(6):
    libc.clock_gettime(0, ctypes.byref(now))
    seen.append(now.seconds)
report([max(seen) - min(seen), seen[1] < seen[0] or seen[2] < seen[1]])
"""
    assert child.run(code, jumping_clock).report == [pytest.approx(7200, abs=60), True]


@pytest.mark.parametrize("kind", ["silent", "waiting in line", "retrying", "confirming", "answering"])
def test_deadlines_hold_while_the_clock_jumps(serve, jumping_clock, kind):
    """Each way of waiting ends at its time, not hours later and not at once."""

    def script(connection):
        while True:
            request = connection.read_request()
            if kind == "retrying":
                connection.send(response(b"", status=503))
            elif kind == "answering" or (kind == "confirming" and request.line.startswith("POST")):
                connection.wait(0.1)
                connection.send(response(NO))
            else:
                connection.hang()

    server = serve(script, key_set=None if kind == "confirming" else KEY_SET)
    settings = {"timeout_ms": 900, "max_retries": 10 if kind == "retrying" else 0}
    if kind == "waiting in line":
        settings["max_connections"] = 1
    if kind == "confirming":
        settings["confirm_rejections"] = 1
    code = f"""
from resilience import Client, in_threads
client = Client(library, {server.url()!r}, **{settings!r})
def timed(number):
    # Not time.time: that is the clock which jumps. Python's own may be as well, so the kernel's uptime counts.
    uptime = lambda: float(open("/proc/uptime").read().split()[0])
    began = uptime()
    status = client.status(b"test-token")
    return [int(status), uptime() - began]
report(in_threads(3, timed))
"""
    expected = {
        "silent": {TIMEOUT},
        "waiting in line": {TIMEOUT},
        "retrying": {UNAVAILABLE},
        "confirming": {UNAVAILABLE, TIMEOUT},
        "answering": {INVALID_TOKEN},
    }[kind]
    for status, took in child.run(code, jumping_clock).report:
        assert status in expected
        assert took < 6
        if TIMEOUT in expected:
            assert took > 0.8


# The name server ------------------------------------------------------------------------------------------------------


def test_a_silent_name_server_outlasts_no_deadline(serve, resolver, trusted):
    """Nor does it hold up other work: a client that asks another host is served meanwhile."""
    server = serve(answers(response(NO)))
    code = f"""
from resilience import Client
client = Client(library, "https://{resolver.name}", timeout_ms=1500, connect_timeout_ms=1500, max_retries=3)
other = Client(library, {server.url()!r})
outcomes = []
def ask():
    began = time.monotonic()
    outcomes.append([int(client.status(b"test-token")), time.monotonic() - began])
threads = [threading.Thread(target=ask) for _ in range(3)]
for thread in threads: thread.start()
time.sleep(0.3)
beside = []
for _ in range(50):
    began = time.monotonic()
    assert other.status(b"test-token") == 1
    beside.append(time.monotonic() - began)
still_waiting = any(thread.is_alive() for thread in threads)
for thread in threads: thread.join()
client.close(); other.close()
report([outcomes, max(beside), still_waiting])
sys.stdout.flush()
# Python would wait for libcurl's resolver thread at no point; a plain end shows that nothing else does.
"""
    with within(15):
        result = child.run(code, resolver.environment("silent"))
    outcomes, slowest, still_waiting = result.report
    assert result.returncode == 0
    assert len(outcomes) == 3
    for status, took in outcomes:
        assert status in (TIMEOUT, UNAVAILABLE)
        assert took < 6
    assert still_waiting and slowest < 1.0
    assert resolver.questions >= 3
