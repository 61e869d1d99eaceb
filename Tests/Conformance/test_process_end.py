"""The end of the process or of the library in it: exit while calls are under way, exec, dlclose."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import time

import pytest

import child
from fault_server import answers
from library import CANCELLED
from messages import BARE_YES, NO, response
from resilience import compile_program, reports

EXITS = 200
# Far more than an exit may take; a hang lasts for ever, a wait for the server 30 s.
LONGEST_EXIT = 10.0

YES = response(BARE_YES)


def slow(connection):
    """Answers, but late."""
    while True:
        connection.read_request()
        connection.wait(0.02)
        connection.send(YES)


def streaming(connection):
    """Sends a body that never ends, within the size that is allowed."""
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send_endlessly(b"1\r\n \r\n", pause=0.005)


def hanging(connection):
    """Takes the request and says nothing."""
    connection.hang()


def prompt(connection):
    """Answers at once, so that calls end and begin all the time."""
    answers(YES)(connection)


def sick(connection):
    """Makes the library pause before it asks again."""
    connection.read_request()
    connection.send(response(b"", status=503))
    connection.close()


def mixed(connection):
    """Each connection another way."""
    (slow, streaming, hanging, prompt, sick)[connection.number % 5](connection)


def run_exit(program, arguments, environment):
    began = time.monotonic()
    try:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, timeout=LONGEST_EXIT)
    except subprocess.TimeoutExpired:
        return "hangs"
    took = time.monotonic() - began
    if done.returncode == 42 and not done.stderr:
        return "fine" if took < LONGEST_EXIT else f"took {took:.1f} s"
    return f"ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}"


@pytest.mark.parametrize("transport", ["http", "https"])
def test_exit_while_calls_are_under_way(library, serve, trusted, tmp_path, transport):
    """Calls wait, read or shake hands in four threads when another one calls exit or returns from main."""
    context = trusted.server_context() if transport == "https" else None
    server = serve(mixed, tls=context, use=False)
    program = str(compile_program("exit_while_busy", tmp_path, library=library.path))
    environment = {**os.environ, "TEST_URL": server.url()}
    if context:
        environment["TEST_CA"] = str(trusted.authority.certificate)
    ways = [["exit"], ["return"]]
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        runs = [executor.submit(run_exit, program, ways[number % 2], environment) for number in range(EXITS)]
        outcomes = [run.result() for run in runs]
    wrong = [outcome for outcome in outcomes if outcome != "fine"]
    assert not wrong, f"{len(wrong)} of {EXITS}: {sorted(set(wrong))[:5]}"
    # And calls really were under way.
    assert server.connections > EXITS


@pytest.mark.parametrize("transport", ["http", "https"])
def test_exit_while_a_handshake_or_a_connect_hangs(library, serve, trusted, tmp_path, transport):
    """The server accepts and never says anything: over TLS the handshake waits."""
    server = serve(lambda connection: connection.leave_unread(), use=False)
    program = str(compile_program("exit_while_busy", tmp_path, library=library.path))
    url = server.url() if transport == "http" else server.url().replace("http:", "https:")
    environment = {**os.environ, "TEST_URL": url, "TEST_CA": str(trusted.authority.certificate)}
    outcomes = [run_exit(program, ["exit"], environment) for _ in range(10)]
    assert outcomes == ["fine"] * 10


def test_exit_while_a_name_is_resolved(library, resolver, tmp_path):
    """libcurl's own thread asks a name server that never answers."""
    program = str(compile_program("exit_while_busy", tmp_path, library=library.path))
    environment = {**os.environ, **resolver.environment("silent"), "TEST_URL": f"https://{resolver.name}"}
    outcomes = [run_exit(program, ["exit"], environment) for _ in range(2)]
    assert outcomes == ["fine"] * 2
    assert resolver.questions > 0


def hanging_with_the_keys(connection):
    """Says no, and nothing about its key set."""
    while connection.read_request().line.startswith("POST"):
        connection.send(response(NO))
    connection.hang()


@pytest.mark.parametrize("call", ["validate", "check"])
@pytest.mark.parametrize("script", [hanging, hanging_with_the_keys])
def test_cancelled_calls_say_so(serve, script, call):
    """What a thread gets that is in a call when the process exits; it must not be taken for a "no" or a yes."""
    server = serve(script, key_set=None)
    code = f"""
URL, CALL = {server.url()!r}, {call!r}
""" + """
import ctypes
libc = ctypes.CDLL(None)
# Handlers run in the reverse order: this one, registered before the library's, gives the thread time to tell.
# __cxa_atexit is what atexit calls, which is no symbol of the shared C library.
pause = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: time.sleep(1))
libc.__cxa_atexit(pause, None, None)
client = Client(library, Config(library, api_url=URL, confirm_rejections=1))
entered = threading.Event()
def work():
    entered.set()
    status = (client.check() if CALL == "check" else client.validate(b"test-token")).status
    os.write(1, f"REPORT {int(status)}\\n".encode())
    time.sleep(20)
threading.Thread(target=work, daemon=True).start()
entered.wait()
time.sleep(0.3)
libc.exit(0)
"""
    result = child.run(code)
    assert result.returncode == 0
    assert result.report == CANCELLED


# exec -----------------------------------------------------------------------------------------------------------------


# Runs before and after exec: the open descriptors that are connections, and those that are eventfds.
LOOK = """
import os, socket
def look():
    found = []
    for number in os.listdir("/proc/self/fd"):
        try: name = os.readlink("/proc/self/fd/" + number)
        except OSError: continue
        if "eventfd" in name: found.append("eventfd")
        # libcurl's own wake-up pairs are sockets of the family AF_UNIX, and not close-on-exec: not ours to change.
        if name.startswith("socket:") and socket.socket(fileno=os.dup(int(number))).family != socket.AF_UNIX:
            found.append("connection")
    return sorted(found)
"""


@pytest.mark.parametrize("transport", ["http", "https"])
def test_exec_keeps_no_socket(serve, trusted, transport):
    """Idle connections and those of calls under way: the new program has none of them."""

    def script(connection):
        while True:
            if "hangs" in connection.read_request().token:
                connection.hang()
            connection.send(response(NO))

    serve(script, tls=trusted.server_context() if transport == "https" else None)
    code = f"""
look_code = {LOOK!r}
exec(look_code)
before = look()
for _ in range(2): assert library.ask(b"test-token").status == 1
idle = look()
threads = [threading.Thread(target=library.ask, args=(b"it-hangs",), daemon=True) for _ in range(3)]
for thread in threads: thread.start()
time.sleep(0.5)
known = json.dumps([before, idle, look()])
later = look_code + "\\nimport json; print('REPORT', json.dumps([*" + known + ", look()]))"
os.execv(sys.executable, [sys.executable, "-c", later])
"""
    before, idle, busy, after = child.run(code).report
    assert (before, idle) == ([], ["connection"])
    # The idle one serves one of the three calls.
    assert busy == ["connection"] * 3
    assert after == []


# dlclose --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
def test_load_use_unload_load(library, serve, trusted, tmp_path, transport):
    server = serve(
        answers(lambda request: YES if request.token.startswith("yes") else response(NO)),
        tls=trusted.server_context() if transport == "https" else None,
    )
    program = compile_program("load_again", tmp_path)
    done = subprocess.run([program, library.path], capture_output=True, text=True, timeout=40)
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    (found,) = reports(done.stdout)
    assert found == {"right": 10, "of": 10, "threads": 1}
    assert len(server.requests) == 30
