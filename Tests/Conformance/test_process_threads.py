"""Many threads of one process on one client, and what they need of the process."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import time

import pytest

import child
from deadline import within
from fault_server import answers
from library import INVALID_TOKEN, OK, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, response
from resilience import Client, FastServer, compile_program, in_threads, run_program


@pytest.fixture
def fast_server(tmp_path):
    """A Hanko that answers in microseconds."""
    server = FastServer(compile_program("fast_server", tmp_path))
    yield server
    server.stop()


def test_64_threads_on_one_client(library, fast_server, tmp_path):
    """9600 calls with distinct tokens, a third of them valid: every one has its own verdict."""
    program = compile_program("many_threads", tmp_path, library=library.path)
    (found,) = run_program(program, TEST_URL=fast_server.url)
    assert (found["right"], found["wrong"]) == (64 * 150, 0)
    assert (found["ok"], found["refused"]) == (64 * 50, 64 * 100)
    # An address needs no resolver: no thread but the program's own, neither during the calls nor after them.
    assert found["threads_after"] == 1
    assert found["threads_within"] <= 65


@pytest.mark.parametrize("transport", ["http", "https"])
def test_no_thread_is_started(serve, trusted, transport):
    """The name localhost may be resolved on a thread of libcurl's; an address is not."""
    context = trusted.server_context() if transport == "https" else None
    serve(answers(response(NO)), tls=context)
    code = """
tasks = lambda: len(os.listdir("/proc/self/task"))
before = tasks()
statuses = [library.ask(b"test-token").status for _ in range(3)]
report([before, tasks(), statuses])
"""
    before, after, statuses = child.run(code).report
    assert statuses == [INVALID_TOKEN] * 3
    assert after == before


def test_a_slow_logger_holds_nobody_up(library, serve):
    """20 ms a line and eight threads: they wait for their own lines only, not for each other's."""
    server = serve(answers(response(BARE_YES)))
    lines = []

    def slow(context, level, message):
        lines.append(message)
        time.sleep(0.02)

    calls = 25
    with Client(library, server.url(), logger=slow, log_level=4, timeout_ms=20000) as client:
        client.status(TOKEN)
        one = len(lines)
        assert one >= 1
        began = time.monotonic()
        results = in_threads(8, lambda number: [client.status(TOKEN) for _ in range(calls)])
        took = time.monotonic() - began
    assert results == [[OK] * calls] * 8
    assert len(lines) == one * (8 * calls + 1)
    # One after the other they would take 8 × 25 × 20 ms = 4 s a line; each alone takes half a second.
    assert took < 0.6 * 8 * calls * 0.02 * one


@pytest.mark.parametrize("level", ["off", "debug"])
def test_standard_streams_closed(serve, level):
    """The numbers 0, 1 and 2 are then the next free ones: sockets get them, and no log line may go there."""
    server = serve(answers(response(NO)))
    code = """
os.dup2(1, 60)  # for the report
for number in (0, 1, 2): os.close(number)
statuses = []
for _ in range(3):
    statuses.append(library.ask(b"test-token").status)
    os.environ["HANKO_TIMEOUT_MS"] = str(9000 + len(statuses))  # a new client with new sockets
os.dup2(60, 1)
report(statuses)
"""
    result = child.run(code, {"HANKO_LOG": level})
    assert result.report == [INVALID_TOKEN] * 3
    # Nothing but requests has arrived at the server: no log line went into a socket.
    assert len(server.requests) == 3
    assert all(request.line.startswith("POST /sessions/validate") for request in server.requests)


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("way", ["blocking", "queue"])
def test_nothing_of_ours_has_the_number_of_a_standard_stream(library, serve, trusted, tmp_path, way, transport):
    """Neither a socket nor what a queue sleeps on: the host writes to these numbers, and so does the log."""
    server = serve(answers(response(NO)), tls=trusted.server_context() if transport == "https" else None)
    program = compile_program("streams_closed", tmp_path, library=library.path)
    (found,) = run_program(program, way, TEST_URL=server.url())
    assert found["seen"] == ""
    assert found["wrong"] == 0
    assert found["lowest"] > 2
    # No log line has arrived between the requests.
    assert {request.line for request in server.requests} == {"POST /sessions/validate HTTP/1.1"}
    assert len(server.requests) == (9 if way == "queue" else 12)
    assert not server.failures


def test_an_error_with_standard_streams_closed(serve):
    """A line at error level has nowhere to go, and goes nowhere."""
    server = serve(answers(response(b"", status=500)))
    code = """
os.dup2(1, 60)
for number in (0, 1, 2): os.close(number)
statuses = [library.ask(b"test-token").status for _ in range(3)]
os.dup2(60, 1)
report(statuses)
"""
    result = child.run(code, {"HANKO_LOG": "debug"})
    assert result.report == [UNAVAILABLE] * 3
    assert all(request.line.startswith("POST /sessions/validate") for request in server.requests)
    assert not server.failures


@pytest.mark.parametrize("name", ["tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8", "C.UTF-8"])
def test_any_locale(serve, tmp_path, name):
    """Turkish has another capital of i, German another decimal point: neither reaches header names or numbers."""
    environment = {"LC_ALL": name, "LANG": name}
    if name != "C.UTF-8":
        # Made here, because few machines have them installed; the sources come with the C library's locales.
        language = name.split(".")[0]
        if shutil.which("localedef") is None or not pathlib.Path("/usr/share/i18n/locales", language).exists():
            pytest.skip(f"this machine has no localedef or no source of the locale {language}")
        subprocess.run(["localedef", "-i", language, "-f", "UTF-8", str(tmp_path / name)], check=True)
        environment["LOCPATH"] = str(tmp_path)
    replies = [
        response(BARE_YES),
        response(NO),
        b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 18\r\nDATE: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n" + BARE_YES,
        response(b"", status=503, headers=[("RETRY-AFTER", "0")]),
        response(BARE_YES),
    ]
    left = list(replies)
    server = serve(answers(lambda request: left.pop(0)))
    code = f"""
import locale
locale.setlocale(locale.LC_ALL, {name!r})
from resilience import Client
with Client(library, {server.url()!r}, max_retries=1) as client, Client(library, {server.url("127.0.0.1")!r}) as other:
    report([client.status(b"test-token") for _ in range(4)] + [client.statistics().retries])
"""
    with within(25):
        result = child.run(code, environment)
    assert result.report == [OK, INVALID_TOKEN, OK, OK, 1]
