"""Threads that are cancelled in a call (pthread_cancel): the call ends as if nothing were, and what it holds is given
back; the cancellation acts at the thread's next cancellation point."""

from __future__ import annotations

import pytest

from library import INVALID_TOKEN, TIMEOUT
from messages import NO, response
from resilience import compile_program, run_program

# Where the thread is, and the status of the call in which it is cancelled; None where there are several.
PLACES = {
    "asking": TIMEOUT,
    "in line": None,
    "probing": None,
    "logging": INVALID_TOKEN,
    "in the logger": INVALID_TOKEN,
    "hanko_validate": TIMEOUT,
    "queue": 0,
    "everywhere": 0,
}


def by_word(connection):
    """Answers no; a token with "hangs" in it is not answered, one with "fails" gets a 500."""
    while True:
        request = connection.read_request()
        token = request.token if request.body else ""
        if "hangs" in token:
            connection.hang()
        connection.send(response(b"", status=500) if "fails" in token else response(NO))


@pytest.fixture(scope="module")
def program(library, tmp_path_factory):
    """Compiled once."""
    return compile_program("cancel", tmp_path_factory.mktemp("cancel"), library=library.path)


@pytest.mark.parametrize("where", PLACES)
def test_a_cancelled_thread_gives_everything_back(serve, program, tls, where):
    server = serve(by_word)
    environment = {"TEST_URL": server.url(), "HANKO_LOG": "debug", "HANKO_TIMEOUT_MS": "2000"}
    environment["TEST_CA_FILE"] = str(tls.authority.certificate)
    (found,) = run_program(program, where, **environment)
    assert found["cancelled"] == 1, found
    assert found["after"] == INVALID_TOKEN, found
    assert found["in_flight"] == 0, found
    # The calls came back to the thread before it was cancelled.
    assert found["returned"] >= (1 if where not in ("queue", "everywhere") else 100), found
    if PLACES[where] is not None:
        assert found["status"] == PLACES[where], found
