"""The queue under load, from C: many threads, many submissions, a long life, and nothing left behind."""

from __future__ import annotations

import pytest

from messages import Session
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
