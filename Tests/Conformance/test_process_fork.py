"""Clients in processes that fork: before use, after it, while calls are under way, again; and gunicorn."""

from __future__ import annotations

import concurrent.futures
import importlib.util
import os
import signal
import socket
import subprocess
import sys

import pytest

import child
from deadline import eventually, within
from fault_server import answers
from library import INVALID_TOKEN, OK
from messages import BARE_YES, NO, response
from resilience import PROGRAMS, FastServer, compile_program, run_program

YES = response(BARE_YES)

FORK = """
import ctypes, socket
from resilience import Client
libc = ctypes.CDLL(None)
URL, CA = os.environ["TEST_URL"], os.environ.get("TEST_CA")
def make(**settings):
    if CA: settings["ca_file"] = CA
    return Client(library, URL, **settings)

def connections():
    "The inodes of the open connections: not of libcurl's own wake-up pairs, which nobody else can close."
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try: name = os.readlink("/proc/self/fd/" + number)
        except OSError: continue
        if name.startswith("socket:"):
            copy = socket.socket(fileno=os.dup(int(number)))
            if copy.family != socket.AF_UNIX: found[int(name[8:-1])] = int(number)
            copy.close()
    return found

def in_child(function, leave=lambda: os._exit(0), fork=os.fork):
    reader, writer = os.pipe()
    process = fork()
    if process == 0:
        # A child that hangs ends here, and its status tells.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(15)
        os.write(writer, json.dumps(function()).encode())
        os.close(writer)
        leave()
    os.close(writer)
    text = b""
    while True:
        piece = os.read(reader, 65536)
        if not piece: break
        text += piece
    os.close(reader)
    status = os.waitpid(process, 0)[1]
    if status != 0: return f"the child ended with {status}: {text!r}"
    return json.loads(text)

def leave_by_exit(): libc.exit(0)
"""


@pytest.fixture(params=["http", "https"])
def hanko(request, serve, trusted, monkeypatch):
    """Start a server over HTTP or TLS and tell the child where it is."""

    def start(script=None):
        context = trusted.server_context() if request.param == "https" else None
        server = serve(script or answers(YES), tls=context)
        monkeypatch.setenv("TEST_URL", server.url())
        if context:
            monkeypatch.setenv("TEST_CA", str(trusted.authority.certificate))
        server.transport = request.param
        return server

    return start


def used(server):
    """The numbers of the connections of all requests, in order."""
    return [request.connection for request in server.requests]


@pytest.mark.parametrize("leave", ["lambda: os._exit(0)", "leave_by_exit"])
def test_free_and_exit_in_the_child(hanko, leave):
    """No closing alert of a child may end the parent's connection."""
    server = hanko()
    code = f"""
client = make()
def asks(): return int(client.status(b"token-of-this"))
def frees():
    client.close()
    return "freed"
def asks_and_frees(): return [asks(), frees()]
leave = {leave}
found = [asks(), in_child(frees, leave), asks(), in_child(asks_and_frees, leave), asks()]
report(found + [in_child(lambda: "idle", leave), asks()])
"""
    with within(30):
        result = child.run(FORK + code)
    assert result.report == [OK, "freed", OK, [OK, "freed"], OK, "idle", OK]
    assert used(server) == [1, 1, 2, 1, 1]


def test_before_use(hanko):
    """The client is made, but has not asked yet."""
    server = hanko()
    code = """
client = make()
def asks(): return [int(client.status(b"token-of-this")) for _ in range(2)]
report([in_child(asks, leave_by_exit), asks(), in_child(asks)])
"""
    assert child.run(FORK + code).report == [[OK] * 2] * 3
    assert used(server) == [1, 1, 2, 2, 3, 3]


def test_a_child_of_a_child(hanko):
    server = hanko()
    code = """
client = make()
def asks(): return int(client.status(b"token-of-this"))
def grandchild(): return [asks(), asks()]
report([asks(), in_child(lambda: [asks(), in_child(grandchild, leave_by_exit), asks()], leave_by_exit), asks()])
"""
    assert child.run(FORK + code).report == [OK, [OK, [OK, OK], OK], OK]
    assert used(server) == [1, 2, 3, 3, 2, 1]


def test_the_counters_begin_anew(hanko):
    hanko()
    code = """
client = make()
def look():
    found = client.statistics()
    return [found.results[0], found.requests, found.connections_opened]
for _ in range(3): client.status(b"token-of-this")
def in_between():
    before = look()
    client.status(b"token-of-this")
    return [before, look()]
report([look(), in_child(in_between), look()])
"""
    assert child.run(FORK + code).report == [[3, 3, 1], [[0, 0, 0], [1, 1, 1]], [3, 3, 1]]


def test_no_inherited_socket_stays_open(hanko):
    """Neither an idle one nor those of calls under way; and what the host has opened itself stays."""

    def script(connection):
        while True:
            if "hangs" in connection.read_request().token:
                connection.hang()
            connection.send(YES)

    hanko(script)
    code = """
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(8)
own = socket.create_connection(listener.getsockname())
accepted = listener.accept()[0]
hosts = set(connections())
client, other = make(timeout_ms=8000), make()
other.status(b"token-of-this"); other.status(b"token-of-this")
threads = [threading.Thread(target=client.status, args=(b"it-hangs-%d" % number,), daemon=True) for number in range(4)]
for thread in threads: thread.start()
while len(set(connections()) - hosts) < 5: time.sleep(0.02)
time.sleep(0.3)
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(32)]
theirs = set(connections()) - hosts
def look():
    here = set(connections())
    own.sendall(b"ping")
    for file in files: os.fstat(file)  # raises when the library closed it
    return [len(here & theirs), here >= hosts, accepted.recv(4).decode()]
found = in_child(look)
report([len(theirs), found, len(set(connections()) & theirs)])
os._exit(0)
"""
    assert child.run(FORK + code).report == [5, [0, True, "ping"], 5]


def test_while_other_threads_are_in_a_call(hanko):
    """Over HTTP the child asks. Over TLS it only does what the header promises: it looks, frees and exits."""

    def slowly(connection):
        while True:
            connection.read_request()
            connection.wait(0.02)
            connection.send(YES)

    server = hanko(slowly)
    asks = "int(client.status(b'token-of-this'))" if server.transport == "http" else "0"
    code = f"""
client = make(max_connections=3)
stop = threading.Event()
statuses = set()
def work():
    while not stop.is_set(): statuses.add(int(client.status(b"token-of-thread")))
# More than may ask at a time: some wait in line whenever it forks.
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
def use():
    found = [{asks}, client.statistics().in_flight]
    client.close()
    return found
found = []
for number in range(25):
    time.sleep(0.003 * (number % 7))
    found.append(in_child(use, leave_by_exit if number % 2 else lambda: os._exit(0)))
stop.set()
for thread in threads: thread.join()
report([found, sorted(statuses), client.statistics().connections_opened])
"""
    with within(50):
        found, statuses, opened = child.run(FORK + code, timeout=55).report
    assert found == [[0, 0]] * 25
    assert statuses == [OK]
    # No child has closed, or spoken on, a connection of the parent.
    assert opened == 3


def test_a_child_that_execs_may_use_tls(hanko):
    """The header's way out: a new program starts afresh, however busy the parent was."""

    def slowly(connection):
        while True:
            connection.read_request()
            connection.wait(0.01)
            connection.send(YES)

    hanko(slowly)
    code = """
client = make()
stop = threading.Event()
def work():
    while not stop.is_set(): client.status(b"token-of-thread")
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
import subprocess
program = "import sys; sys.path[:0] = %r" % (sys.path[:1],) + '''
import os
from library import Library
from resilience import Client
settings = {"ca_file": os.environ["TEST_CA"]} if "TEST_CA" in os.environ else {}
sys.exit(40 + Client(Library(), os.environ["TEST_URL"], **settings).status(b"token-of-this"))
'''
found = [subprocess.run([sys.executable, "-c", program], preexec_fn=lambda: None).returncode for _ in range(3)]
# Without preexec_fn Python uses vfork, which no handler sees.
found += [subprocess.run([sys.executable, "-c", program], close_fds=False).returncode for _ in range(3)]
stop.set()
for thread in threads: thread.join()
report([found, client.statistics().connections_opened])
"""
    found, opened = child.run(FORK + code, timeout=50).report
    assert found == [40] * 6
    assert opened == 4


def test_a_busy_pool_of_the_parent_is_free_in_the_child(serve, monkeypatch):
    """One connection, taken by a call that hangs, and one thread in line behind it.

    Over HTTP: a TLS call in such a child is what the header advises against.
    """

    def script(connection):
        while True:
            if "hangs" in connection.read_request().token:
                connection.hang()
            connection.send(YES)

    monkeypatch.setenv("TEST_URL", serve(script).url())
    code = """
client = make(max_connections=1, timeout_ms=5000)
threads = [threading.Thread(target=client.status, args=(b"it-hangs",), daemon=True) for _ in range(2)]
for thread in threads: thread.start()
time.sleep(0.4)
report(in_child(lambda: int(client.status(b"token-of-this"))))
os._exit(0)
"""
    with within(20):
        assert child.run(FORK + code).report == OK


def test_a_fork_that_skips_the_handlers(hanko):
    """The system call itself: only the number of the process tells that this is another one."""
    server = hanko()
    code = """
client = make()
# SYS_clone is 56 on x86-64 and 220 on arm64; SIGCHLD as its flags makes it a plain fork.
number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
fork = lambda: libc.syscall(number, signal.SIGCHLD, 0, 0, 0, 0)
def asks(): return int(client.status(b"token-of-this"))
report([asks(), in_child(lambda: [asks(), asks()], fork=fork), asks()])
"""
    assert child.run(FORK + code).report == [OK, [OK, OK], OK]
    assert used(server) == [1, 2, 2, 1]


def test_a_session_of_the_parent_lives_in_the_child(hanko):
    hanko()
    code = """
import ctypes
client = make()
handle = ctypes.c_void_p()
assert library.c.hanko_client_validate(client._client, b"token-of-this", 13, ctypes.byref(handle)) == 0
library.c.hanko_session_claims_json.restype = ctypes.c_char_p
library.c.hanko_session_claims_json.argtypes = [ctypes.c_void_p]
def read():
    text = library.c.hanko_session_claims_json(handle)
    library.c.hanko_session_free(handle)
    return (text or b"").decode()
found = in_child(read, leave_by_exit)
report([found, read()])
"""
    found, own = child.run(FORK + code).report
    assert found == own


def test_the_first_calls_of_a_child_come_at_once(library, tmp_path):
    """Two threads at a barrier: neither gets the parent's objects while the other finds out that this is a child.

    The moment is short: where the order was wrong, about one child in 4,000 met it.
    """
    server = FastServer(compile_program("fast_server", tmp_path))
    program = compile_program("fork_race", tmp_path, library=library.path)
    (found,) = run_program(program, 2000, TEST_URL=server.url)
    server.stop()
    assert found == {"children": 2000, "with_what_is_the_parents": 0}


# gunicorn -------------------------------------------------------------------------------------------------------------


def ask_gunicorn(path, token):
    """One request over the socket of gunicorn: process, status, and the status of the master's own call."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(f"GET /?{token} HTTP/1.1\r\nHost: backend\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200"), answer
    return tuple(int(number) for number in body.split())


def test_gunicorn_with_preload(serve, trusted, tmp_path):
    """Two workers, TLS, one client made and used before they were forked; then a worker ends and another comes."""
    if importlib.util.find_spec("gunicorn") is None:
        pytest.fail("gunicorn is not installed: see Tests/requirements.txt")

    def reply(request):
        return YES if request.token.startswith("yes") else response(NO)

    server = serve(answers(reply), tls=trusted.server_context())
    path, log, output = tmp_path / "socket", tmp_path / "log", tmp_path / "output"
    environment = {
        **os.environ,
        "TEST_URL": server.url(),
        "TEST_CA": str(trusted.authority.certificate),
        "TEST_SOCKET": str(path),
        "TEST_LOG": str(log),
        "PYTHONPATH": os.pathsep.join([str(PROGRAMS), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:wsgi_app"]
    command += ["--worker-tmp-dir", str(tmp_path), "wsgi_app:application"]
    with open(output, "wb") as stream:
        master = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, cwd=tmp_path)
    try:
        eventually(lambda: path.exists() or master.poll() is not None, "gunicorn listens", 20)
        assert master.poll() is None, output.read_text()

        def ask(number):
            return number, ask_gunicorn(path, f"yes-{number}" if number % 3 else f"no-{number}")

        def round_of_requests(first):
            workers = set()
            with concurrent.futures.ThreadPoolExecutor(6) as executor:
                for number, (process, status, preloaded) in executor.map(ask, range(first, first + 60)):
                    assert status == (OK if number % 3 else INVALID_TOKEN)
                    assert preloaded == OK
                    workers.add(process)
            return workers

        workers: set[int] = set()
        for turn in range(10):
            workers |= round_of_requests(60 * turn)
            if len(workers) == 2:
                break
        assert len(workers) == 2 and master.pid not in workers
        # The master's connection is the first; no worker has used it.
        assert [request.token for request in server.requests if request.connection == 1] == ["yes-in-the-master"]

        gone = workers.pop()
        os.kill(gone, signal.SIGTERM)
        eventually(lambda: log.exists() and log.read_text().endswith("\n"), "the master has noticed", 20)
        assert log.read_text().split() == [str(master.pid), str(gone), str(int(OK))]
        later = [request for request in server.requests if request.token == "yes-after-a-worker"]
        assert [request.connection for request in later] == [1]
        new = set()
        for turn in range(10):
            new |= round_of_requests(1000 + 60 * turn) - workers
            if new:
                break
        assert new and gone not in new
    finally:
        if master.poll() is None:
            master.send_signal(signal.SIGTERM)
        try:
            ended = master.wait(15)
        except subprocess.TimeoutExpired:
            master.kill()
            raise
    assert ended == 0, output.read_text()
