"""hanko_validate while a disk hangs on which what it needs first lies."""

from __future__ import annotations

from fault_server import answers
from library import INVALID_TOKEN, TIMEOUT
from messages import NO, response
from resilience import compile_program, run_program


def test_nobody_waits_beyond_his_deadline_for_another_thread(library, serve, tls, tmp_path):
    """One thread reads the CA file; the others wait for that, as long as their calls may take."""
    serve(answers(response(NO)))
    preloaded = compile_program("slow_open", tmp_path, shared=True)
    program = compile_program("slow_disk", tmp_path, library=library.path)
    authority = tls.authority.certificate
    (found,) = run_program(
        program,
        LD_PRELOAD=preloaded,
        HANKO_CA_FILE=authority,
        HANKO_TIMEOUT_MS=500,
        HANKO_LOG="off",
        TEST_SLOW_FILE=authority,
        TEST_RELEASE=tmp_path / "release",
    )
    # All came back while the first one was still at it.
    assert (found["late"], found["earlier"]) == (8, 8)
    assert (found["child"], found["child_was_earlier"]) == (INVALID_TOKEN, 1)
    # Its own time was up as well when the disk answered; the client that it made serves the next call.
    assert (found["maker"], found["after"]) == (TIMEOUT, INVALID_TOKEN)
    assert found["opened"] == 1
