"""Processes that load the library, use it, and fork: as application servers with workers do."""

from __future__ import annotations

import pytest

import child
from deadline import within
from fault_server import BusyListener, answers, refused_port
from library import INVALID_TOKEN, TIMEOUT, UNAVAILABLE
from messages import NO, response

FORK = """
def in_child(function):
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        # A child that hangs ends here, and the parent reads nothing.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(8)
        os.write(writer, json.dumps(function()).encode())
        leave()
    os.close(writer)
    text = b""
    while True:
        piece = os.read(reader, 65536)
        if not piece: break
        text += piece
    os.waitpid(process, 0)
    return json.loads(text) if text else "the child did not answer"
def ask():
    return library.ask(b"test-token").status
"""

LEAVE = {
    "_exit": "def leave(): os._exit(0)\n",
    # The C library's exit runs every handler that a library has registered.
    "exit": "import ctypes\ndef leave(): ctypes.CDLL(None).exit(0)\n",
}


@pytest.mark.parametrize("leave", LEAVE)
@pytest.mark.parametrize("transport", ["http", "https"])
def test_fork_after_use(answering, trusted, transport, leave):
    server = answering(tls=trusted.server_context() if transport == "https" else None)
    code = LEAVE[leave] + FORK + "report([ask(), in_child(lambda: [ask(), ask()]), ask(), in_child(ask), ask()])"
    with within(20):
        result = child.run(code)
    assert result.report == [INVALID_TOKEN, [INVALID_TOKEN] * 2, INVALID_TOKEN, INVALID_TOKEN, INVALID_TOKEN]
    connections = [request.connection for request in server.requests]
    # parent, child, child, parent, second child, parent: no two processes on one connection,
    # and the parent's connection outlives its children.
    assert connections == [1, 2, 2, 1, 3, 1]


def test_fork_after_use_without_a_call_in_the_child(answering, trusted):
    """A child that only ends leaves the parent's connection alone, also over TLS."""
    server = answering(tls=trusted.server_context())
    code = (
        LEAVE["exit"]
        + FORK
        + "report([ask(), in_child(lambda: 0), ask(), in_child(lambda: library.last_status()), ask()])"
    )
    result = child.run(code)
    assert result.report == [INVALID_TOKEN, 0, INVALID_TOKEN, INVALID_TOKEN, INVALID_TOKEN]
    assert [request.connection for request in server.requests] == [1, 1, 1]


def test_fork_before_use(answering):
    server = answering()
    result = child.run(LEAVE["_exit"] + FORK + "report([in_child(ask), ask(), in_child(ask)])")
    assert result.report == [INVALID_TOKEN] * 3
    assert [request.connection for request in server.requests] == [1, 2, 3]


@pytest.mark.parametrize("transport", ["http", "https"])
def test_fork_while_another_thread_asks(serve, trusted, transport):
    """The thread and what it holds do not exist in the child; the child must not wait for them."""

    def slowly(connection):
        while True:
            connection.read_request()
            connection.wait(0.5)
            connection.send(response(NO))

    serve(slowly, tls=trusted.server_context() if transport == "https" else None)
    code = (
        LEAVE["_exit"]
        + FORK
        + """
os.environ["HANKO_MAX_CONNECTIONS"] = "1"
others = []
threads = [threading.Thread(target=lambda: others.append(ask())) for _ in range(2)]
for thread in threads: thread.start()
time.sleep(0.25)
answers = [in_child(ask), ask()]
for thread in threads: thread.join()
report([answers, others])
"""
    )
    with within(20):
        result = child.run(code)
    assert result.report == [[INVALID_TOKEN] * 2, [INVALID_TOKEN] * 2]


def test_fork_again_and_again_while_threads_ask(answering):
    """Forks at any moment, also while the library's own locks are held for an instant."""
    answering()
    code = (
        LEAVE["_exit"]
        + FORK
        + """
stop = threading.Event()
statuses = set()
def work():
    while not stop.is_set(): statuses.add(ask())
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
children = [in_child(ask) for _ in range(20)]
stop.set()
for thread in threads: thread.join()
report([children, sorted(statuses)])
"""
    )
    result = child.run(code, timeout=50)
    assert result.report == [[INVALID_TOKEN] * 20, [INVALID_TOKEN]]


def test_fork_of_a_child_of_a_child(answering):
    server = answering()
    code = LEAVE["_exit"] + FORK + "report([ask(), in_child(lambda: [ask(), in_child(ask), ask()]), ask()])"
    result = child.run(code)
    assert result.report == [INVALID_TOKEN, [INVALID_TOKEN] * 3, INVALID_TOKEN]
    assert [request.connection for request in server.requests] == [1, 2, 3, 2, 1]


# How a call may end, with the answer or without; each leaves other sockets behind in libcurl.
ENDS = {
    "answered": INVALID_TOKEN,
    "refused": UNAVAILABLE,
    "connecting hangs": UNAVAILABLE,
    "closed": UNAVAILABLE,
    "reset": UNAVAILABLE,
    "never answered": TIMEOUT,
    "TLS never answered": UNAVAILABLE,
    "TLS closed": UNAVAILABLE,
    "answered by localhost": INVALID_TOKEN,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_child_keeps_the_hosts_descriptors(serve, monkeypatch, end):
    """A child may close the library's sockets, but no number that has become something else of the host since."""

    def script(connection):
        if end.startswith("answered"):
            answers(response(NO))(connection)
        elif end in ("reset", "closed", "TLS closed"):
            connection.wait(0.05)
            (connection.reset if end == "reset" else connection.close)()
        else:
            connection.hang()

    server = serve(script)
    busy = BusyListener()
    if end == "refused":
        monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    elif end == "connecting hangs":
        monkeypatch.setenv("HANKO_API_URL", busy.url())
    elif end.startswith("TLS"):
        monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    elif end.endswith("localhost"):
        monkeypatch.setenv("HANKO_API_URL", server.url("localhost"))
    monkeypatch.setenv("HANKO_CONNECT_TIMEOUT_MS", "200")
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "1000")
    code = (
        LEAVE["_exit"]
        + FORK
        + """
statuses = [ask(), ask()]
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(64)]
def closed_ones():
    closed = []
    for file in files:
        try: os.fstat(file)
        except OSError: closed.append(file)
    return closed
report([statuses, closed_ones(), in_child(closed_ones)])
"""
    )
    result = child.run(code)
    busy.stop()
    assert result.report == [[ENDS[end]] * 2, [], []]
