"""Programs that export a TLS library of their own, as Node does: libcurl may be bound to it, and we call neither.

Bindings of such programs load the library with ``RTLD_DEEPBIND``, so that libcurl is bound to the system's. Without it
libcurl has the program's connections; whoever handed one to a function of the system's would crash.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess

import pytest

from fault_server import answers
from messages import BARE_YES, response
from resilience import compile_program, run_program

CALLS = 5

WAYS = pytest.mark.parametrize("way", ["blocking", "queue"])


@pytest.fixture
def host(tmp_path):
    """Compile the program in one of its kinds."""

    def build(kind):
        return compile_program("host_with_tls", tmp_path, options=("-rdynamic", f"-D{kind}"))

    return build


@pytest.fixture
def libcurl(library):
    """The libcurl that the library under test has loaded, if its TLS library is OpenSSL."""
    maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
    path = next(pathlib.Path(line.split()[-1]) for line in maps if "/libcurl" in line)
    code = path.read_bytes()
    if b"\0SSL_new\0" not in code:
        reason = f"{path} does not call OpenSSL as a shared library"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    return code


@pytest.fixture
def server(serve, trusted):
    """A TLS server that says yes."""
    return serve(answers(response(BARE_YES)), tls=trusted.server_context())


@WAYS
def test_connections_are_the_programs(library, libcurl, server, host, way):
    (found,) = run_program(host("OWN"), library.path, "plain", way, CALLS)
    assert found == {"right": CALLS, "connections": 1}
    assert (server.connections, len(server.requests)) == (1, CALLS)


@WAYS
def test_loaded_with_deep_binding(library, libcurl, server, host, way):
    program = host("FOREIGN")
    (found,) = run_program(program, library.path, "deep", way, CALLS)
    assert found == {"right": CALLS}
    assert (server.connections, len(server.requests)) == (1, CALLS)


def test_deep_binding_is_what_helps(library, libcurl, server, host):
    """Without it libcurl itself calls the program's functions."""
    command = [str(host("FOREIGN")), str(library.path), "plain", "blocking", "1"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGABRT
    assert "the program's own SSL_" in done.stderr


@WAYS
def test_we_do_not_look_into_the_tls_library(library, libcurl, server, host, way):
    if b"\0SSL_has_pending\0" in libcurl:
        reason = "this libcurl calls SSL_has_pending itself"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    (found,) = run_program(host("ALONE"), library.path, "plain", way, CALLS)
    assert found == {"right": CALLS}
    assert (server.connections, len(server.requests)) == (1, CALLS)
