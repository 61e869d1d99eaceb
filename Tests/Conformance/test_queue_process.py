"""The queue and its process: fork, exit, exec, dlclose."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import time

import pytest

import child
from deadline import within
from fault_server import answers
from library import CANCELLED, INVALID_ARGUMENT, OK
from messages import BARE_YES, NO, response
from resilience import FastServer, compile_program, reports, run_program
from test_process_end import mixed, run_exit
from test_process_fork import FORK

YES = response(BARE_YES)
EXITS = 50

QUEUE = (
    FORK
    + """
import fcntl, types
from completion_queue import Queue, bind_queue, is_readable
bind_queue(library)
def queue_of(client): return Queue(library, types.SimpleNamespace(handle=client._client, log=None))
def eventfds():
    found = []
    for number in os.listdir("/proc/self/fd"):
        try: name = os.readlink("/proc/self/fd/" + number)
        except OSError: continue
        if "eventfd" in name: found.append(int(number))
    return sorted(found)
def is_open(number):
    try: os.fstat(number)
    except OSError: return False
    return True
def dead(queue):
    "What the calls on an inherited queue give."
    return [int(queue.submit(b"token-of-this", 1).status),
            int(queue.submit_authenticate(b"hanko=token-of-this", None, 1).status),
            int(queue.submit_check(1).status), int(queue.cancel(1).status), len(queue.drain()), queue.descriptor]
def ask(queue, tag=1):
    assert queue.submit(b"token-of-this", tag).status == 0
    return list(map(int, queue.only()[:2]))
"""
)

# As the contract has it.
DEAD = [INVALID_ARGUMENT] * 4 + [0, -1]


def by_word(connection):
    """Answers yes; a token with "hangs" in it is not answered."""
    while True:
        if "hangs" in connection.read_request().token:
            connection.hang()
        connection.send(YES)


@pytest.fixture(params=["http", "https"])
def server(request, serve, trusted, monkeypatch):
    """A server, over HTTP and over TLS; a child finds it by the environment."""
    context = trusted.server_context() if request.param == "https" else None
    started = serve(by_word, tls=context)
    monkeypatch.setenv("TEST_URL", started.url())
    if context:
        monkeypatch.setenv("TEST_CA", str(trusted.authority.certificate))
    return started


# --- fork ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", ["lambda: os._exit(0)", "leave_by_exit"])
def test_inherited_queue_is_dead_in_the_child(server, leave):
    """The parent's goes on: what waits there waits still, and what is under way completes."""
    code = f"""
client = make(timeout_ms=20000)
queue = queue_of(client)
found = [ask(queue)]
assert queue.submit(b"token-of-this", 7).status == 0
assert queue.readable(20)
assert queue.submit(b"it-hangs", 8).status == 0
time.sleep(0.2)
def child():
    found = dead(queue)
    queue.free()
    client.close()
    return found
found.append(in_child(child, {leave}))
found.append(queue.readable())
found.append(list(map(int, queue.only()[:2])))
found.append(ask(queue, 9))
assert queue.cancel(8).status == 0
found.append(list(map(int, queue.only()[:2])))
queue.free()
client.close()
report(found)
"""
    with within(30):
        result = child.run(QUEUE + code)
    assert result.report == [[1, OK], DEAD, True, [7, OK], [9, OK], [8, CANCELLED]]
    assert result.returncode == 0


def test_child_never_frees_its_queue(server):
    """It only leaves, with and without the handlers of exit."""
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
found = [ask(queue)]
for leave in (leave_by_exit, lambda: os._exit(0)) * 3:
    assert queue.submit(b"it-hangs", 8).status == 0
    found.append(in_child(lambda: dead(queue), leave))
    assert queue.cancel(8).status == 0
    assert queue.only()[0] == 8
found.append(ask(queue, 9))
report(found)
os._exit(0)
"""
    assert child.run(QUEUE + code).report == [[1, OK], *[DEAD] * 6, [9, OK]]


def test_parents_eventfd_is_neither_read_nor_written(server):
    """Both would show in the parent, because it is one open file: once with a completion waiting, once without."""
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
ask(queue)
def child():
    mine = queue_of(client)
    found = [dead(queue), mine.readable()]
    queue.free()
    mine.free()
    return found
found = [in_child(child), queue.readable()]
assert queue.submit(b"token-of-this", 2).status == 0
assert queue.readable(20)
found += [in_child(child), queue.readable(), list(map(int, queue.only()[:2])), queue.readable()]
report(found)
os._exit(0)
"""
    expected = [[DEAD, False], False, [DEAD, False], True, [2, OK], False]
    assert child.run(QUEUE + code).report == expected


def test_inherited_descriptors_are_closed(server):
    """All of the library's own, and none that the child has opened since under the same number."""
    code = """
before = eventfds()
client = make(timeout_ms=20000)
queues = [queue_of(client) for _ in range(3)]
for queue in queues: ask(queue)
descriptors = [queue.descriptor for queue in queues]
assert queues[0].submit(b"it-hangs", 8).status == 0
time.sleep(0.2)
inherited = set(connections())
def child():
    # Whatever is closed by now has its number taken again.
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(32)]
    for queue in queues: queue.free()
    client.close()
    still = [number for number in descriptors if is_open(number) and "eventfd" in os.readlink(f"/proc/self/fd/{number}")]
    intact = all(is_open(number) for number in files)
    return [still, len(eventfds()) - len(before), len(set(connections()) & inherited), intact]
found = in_child(child)
report([found, [is_open(number) for number in descriptors], ask(queues[1], 2), len(inherited) > 0])
os._exit(0)
"""
    assert child.run(QUEUE + code).report == [[[], 0, 0, True], [True] * 3, [2, OK], True]


def test_new_queue_in_the_child(server):
    """On the inherited client, beside the dead one, and in a child of the child."""
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
found = [ask(queue)]
def child(generations):
    mine = queue_of(client)
    found = [ask(mine, 10 + generations), dead(queue)]
    if generations: found.append(in_child(lambda: child(generations - 1), leave_by_exit))
    found += [ask(mine, 20 + generations)]
    mine.free()
    if generations: queue.free()
    return found
found += [in_child(lambda: child(1), leave_by_exit), ask(queue, 2)]
report(found)
os._exit(0)
"""
    grandchild = [[10, OK], DEAD, [20, OK]]
    expected = [[1, OK], [[11, OK], DEAD, grandchild, [21, OK]], [2, OK]]
    assert child.run(QUEUE + code).report == expected
    # Each process has its own connection and thread.
    assert [request.connection for request in server.requests] == [1, 2, 3, 3, 2, 1]


def test_client_and_counters_of_the_child(server):
    """Validations of the parent are not under way in the child, and blocking calls work there."""
    code = """
client = make(timeout_ms=20000, max_connections=1)
queue = queue_of(client)
for tag in range(5): assert queue.submit(b"it-hangs", tag).status == 0
time.sleep(0.2)
def child():
    found = client.statistics()
    return [found.in_flight, sum(found.results), int(client.status(b"token-of-this"))]
found = in_child(child)
report([found, client.statistics().in_flight])
os._exit(0)
"""
    assert child.run(QUEUE + code).report == [[0, 0, OK], 5]


def test_queue_of_a_client_that_was_freed_before_the_fork(server):
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
client.close()
found = [ask(queue)]
def child():
    found = dead(queue)
    queue.free()
    return found
report(found + [in_child(child, leave_by_exit), ask(queue, 2)])
queue.free()
"""
    assert child.run(QUEUE + code).report == [[1, OK], DEAD, [2, OK]]


def test_a_fork_that_skips_the_handlers(server):
    """Only the number of the process tells."""
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
found = [ask(queue)]
number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
fork = lambda: libc.syscall(number, signal.SIGCHLD, 0, 0, 0, 0)
def child():
    mine = queue_of(client)
    found = [dead(queue), ask(mine, 3)]
    mine.free()
    queue.free()
    return found
found += [in_child(child, fork=fork), ask(queue, 2)]
report(found)
os._exit(0)
"""
    assert child.run(QUEUE + code).report == [[1, OK], [DEAD, [3, OK]], [2, OK]]


def test_fork_under_load(library, tmp_path):
    """Threads submit and drain while the process forks 25 times; each child uses a queue of its own and ends."""
    fast = FastServer(compile_program("fast_server", tmp_path))
    try:
        program = compile_program("queue_fork", tmp_path, library=library.path)
        (found,) = run_program(program, 25, TEST_URL=fast.url)
    finally:
        fast.stop()
    assert (found["children"], found["well"]) == (25, 25)
    assert found["submitted"] == found["completed"] > 25
    assert found["wrong"] == 0


# --- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
def test_exit_while_validations_are_under_way(library, serve, trusted, tmp_path, transport):
    """By exit and by return, on the thread that drains and on another, with nothing freed."""
    context = trusted.server_context() if transport == "https" else None
    server = serve(mixed, tls=context, use=False)
    program = str(compile_program("queue_exit", tmp_path, library=library.path))
    environment = {**os.environ, "TEST_URL": server.url()}
    if context:
        environment["TEST_CA"] = str(trusted.authority.certificate)
    ways = ["exit", "return", "thread"]
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        runs = [executor.submit(run_exit, program, [ways[number % 3]], environment) for number in range(EXITS)]
        outcomes = [run.result() for run in runs]
    wrong = [outcome for outcome in outcomes if outcome != "fine"]
    assert not wrong, f"{len(wrong)} of {EXITS}: {sorted(set(wrong))[:5]}"
    # And validations really were under way.
    assert server.connections > EXITS


def test_exit_while_a_name_is_resolved(library, resolver, tmp_path):
    program = str(compile_program("queue_exit", tmp_path, library=library.path))
    environment = {**os.environ, **resolver.environment("silent"), "TEST_URL": f"https://{resolver.name}"}
    assert [run_exit(program, [way], environment) for way in ("exit", "return")] == ["fine"] * 2
    assert resolver.questions > 0


def test_exit_ends_what_is_under_way(library, serve, tmp_path):
    """A handler of the host that runs at exit and waits for a completion gets it, however long its deadline is."""
    server = serve(lambda connection: connection.hang(), use=False)
    program = str(compile_program("queue_exit_handler", tmp_path, library=library.path))
    result = subprocess.run(
        [program], env={**os.environ, "TEST_URL": server.url()}, capture_output=True, text=True, timeout=50
    )
    assert (result.stdout, result.returncode) == ("8\n", 0), result.stderr


def test_exit_with_an_idle_queue(server):
    """Nothing under way, nothing freed."""
    code = """
client = make(timeout_ms=20000)
queue = queue_of(client)
report(ask(queue))
sys.stdout.flush()
libc.exit(0)
"""
    began = time.monotonic()
    result = child.run(QUEUE + code)
    assert (result.report, result.returncode) == ([1, OK], 0)
    assert time.monotonic() - began < 10


def test_exec_keeps_no_descriptor(server):
    """Neither the queue's own nor a connection."""
    look = """
import os
def look():
    names = []
    for number in os.listdir("/proc/self/fd"):
        try: names.append(os.readlink("/proc/self/fd/" + number))
        except OSError: pass
    return sum("eventfd" in name for name in names)
"""
    code = f"""
client = make(timeout_ms=20000)
queue = queue_of(client)
ask(queue)
assert queue.submit(b"it-hangs", 8).status == 0
time.sleep(0.2)
look = {look!r}
before = len(eventfds())
later = look + "\\nimport json; print('REPORT', json.dumps([" + str(before) + ", look()]))"
os.execv(sys.executable, [sys.executable, "-c", later])
"""
    before, after = child.run(QUEUE + code).report
    assert before > 0
    assert after == 0


@pytest.mark.parametrize("transport", ["http", "https"])
def test_load_use_unload_load(library, serve, trusted, tmp_path, transport):
    """Unloaded after everything was freed, and with a queue at work."""
    context = trusted.server_context() if transport == "https" else None
    server = serve(
        answers(lambda request: YES if request.token.startswith("yes") else response(NO)), tls=context, use=False
    )
    program = compile_program("queue_load_again", tmp_path)
    environment = {**os.environ, "HANKO_API_URL": server.url()}
    done = subprocess.run([program, library.path], capture_output=True, text=True, timeout=40, env=environment)
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    (found,) = reports(done.stdout)
    assert found["right"] == found["of"]
    # The program's own and, of the queue that was never freed, one.
    assert found["threads"] == [1, 2]
