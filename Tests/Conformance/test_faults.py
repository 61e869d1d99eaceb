"""Every fault that the scripted server can make, through `hanko_client_validate`.

Each of them says yes in one way or another, so that a library that reads too little or too much
would make a session of it. For each: the status, no session, an end within the deadline, the next
call well again, and nothing left behind: no descriptor, and no call under way.
"""

from __future__ import annotations

import gc
import gzip
import os
from typing import Callable, NamedTuple

import pytest

import child
from client import Client, Config
from deadline import eventually, within
from fault_server import BusyListener, Connection, answers, refused_port
from library import MISCONFIGURED, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, SERVER_MARKER, Session, chunked, chunked_response, head, response

# The deadline of a call that is meant to reach it, and what such a call may take on a busy machine.
SHORT_MS = 400
AMPLE = 8.0

CHUNKED = head(200, [("Transfer-Encoding", "chunked")])
KIB = 1024


class Fault(NamedTuple):
    """What the server does once it has the request, and the status that comes of it."""

    act: Callable[[Connection], object]
    status: int


def says(data: bytes, then: str = "close") -> Callable[[Connection], object]:
    """Send this, let it arrive, and then close, reset or hang."""
    return lambda connection: (connection.send(data), connection.wait(0.05), getattr(connection, then)())


def leaves(data: bytes) -> dict[str, Fault]:
    """The server is gone after these bytes, in both ways."""
    return {ending: Fault(says(data, ending), UNAVAILABLE) for ending in ("close", "reset")}


FAULTS: dict[str, Fault] = {
    **{f"{end} before the head": fault for end, fault in leaves(b"").items()},
    **{f"{end} in the status line": fault for end, fault in leaves(b"HTTP/1.1 200").items()},
    **{f"{end} in the head": fault for end, fault in leaves(response(BARE_YES)[:70]).items()},
    **{f"{end} after the head": fault for end, fault in leaves(response(BARE_YES)[: -len(BARE_YES)]).items()},
    **{f"{end} in the body": fault for end, fault in leaves(response(BARE_YES)[:-1]).items()},
    **{f"{end} in a chunk": fault for end, fault in leaves(chunked_response(BARE_YES)[:-12]).items()},
    **{f"{end} before the last chunk": fault for end, fault in leaves(CHUNKED + chunked(BARE_YES)[:-5]).items()},
    **{f"{end} after less than declared": fault for end, fault in leaves(response(BARE_YES, length=100)).items()},
    **{f"{end} after an interim answer": fault for end, fault in leaves(b"HTTP/1.1 100 Continue\r\n\r\n").items()},
    "silence": Fault(lambda connection: connection.hang(), TIMEOUT),
    "silence in the head": Fault(says(response(BARE_YES)[:70], "hang"), TIMEOUT),
    "silence after the head": Fault(says(response(BARE_YES)[: -len(BARE_YES)], "hang"), TIMEOUT),
    "silence after less than declared": Fault(says(response(BARE_YES, length=100), "hang"), TIMEOUT),
    "silence before the last chunk": Fault(says(CHUNKED + chunked(BARE_YES)[:-5], "hang"), TIMEOUT),
    "trickled head": Fault(lambda connection: connection.send_slowly(response(BARE_YES), 0.02), TIMEOUT),
    "trickled body": Fault(
        lambda connection: (
            connection.send(response(BARE_YES)[: -len(BARE_YES)]),
            connection.send_slowly(BARE_YES, 0.1),
        ),
        TIMEOUT,
    ),
    "trickled chunks": Fault(
        lambda connection: (connection.send(CHUNKED), connection.send_endlessly(b"1\r\n \r\n", 0.02)), TIMEOUT
    ),
    "trickled interim answers": Fault(
        lambda connection: connection.send_endlessly(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), PROTOCOL_ERROR
    ),
    "endless chunks": Fault(
        lambda connection: (
            connection.send(CHUNKED + b"12\r\n" + BARE_YES[:18] + b"\r\n"),
            connection.send_endlessly(b"1000\r\n" + b" " * 4096 + b"\r\n"),
        ),
        PROTOCOL_ERROR,
    ),
    "endless body": Fault(
        lambda connection: (connection.send(head() + BARE_YES), connection.send_endlessly(b" " * 4096)), PROTOCOL_ERROR
    ),
    "endless head": Fault(
        lambda connection: (connection.send(head()[:-2]), connection.send_endlessly(b"X-A: b\r\n" * 100)),
        PROTOCOL_ERROR,
    ),
    "endless interim answers": Fault(
        lambda connection: connection.send_endlessly(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), PROTOCOL_ERROR
    ),
    "huge head": Fault(says(response(BARE_YES, headers=[("X-Huge", "x" * 100 * KIB)]), "hang"), PROTOCOL_ERROR),
    "huge body": Fault(says(response(BARE_YES + b" " * 300 * KIB), "hang"), PROTOCOL_ERROR),
    "two lengths": Fault(
        says(head(200, [("Content-Length", "18"), ("Content-Length", "19")]) + BARE_YES), PROTOCOL_ERROR
    ),
    # Never asked for, so the bytes are taken as they are. A whole 200 keeps the connection, hence the end of it.
    "compressed": Fault(
        says(response(gzip.compress(BARE_YES), headers=[("Content-Encoding", "gzip")])), PROTOCOL_ERROR
    ),
    "HTTP/0.9": Fault(says(BARE_YES), PROTOCOL_ERROR),
    "another protocol": Fault(says(b"SSH-2.0-OpenSSH_9.2\r\n" + BARE_YES), PROTOCOL_ERROR),
    "noise": Fault(says(bytes(range(256)) * 8), PROTOCOL_ERROR),
    "switch of protocols": Fault(
        says(head(101, [("Upgrade", "h2c"), ("Connection", "Upgrade")]) + response(BARE_YES)), PROTOCOL_ERROR
    ),
    "redirect": Fault(says(response(BARE_YES, status=307, headers=[("Location", "/")])), MISCONFIGURED),
}


def descriptors() -> list[str]:
    """What every descriptor of this process is open on; the one of the folder itself left out."""
    gc.collect()
    targets = []
    for name in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            pass
    return sorted(target for target in targets if not target.startswith("/proc/"))


@pytest.fixture
def nothing_leaks():
    """Whatever the test opened is closed when it is done."""
    before = descriptors()
    yield
    eventually(lambda: descriptors() == before, f"the descriptors of before ({before}), now {descriptors()}")


@pytest.fixture
def client_for(library, nothing_leaks, serve, tls):
    """Serve scripts, make a client for them, and close both when the test is done."""
    opened = []

    def start(*scripts, transport="http", **options):
        server = serve(*scripts, tls=tls.server_context() if transport == "https" else None)
        opened.append(server)
        return client_of(server.url(), ca_file=str(tls.authority.certificate), **options)

    def client_of(api_url, **options):
        client = Client(library, Config(library, api_url=api_url, **{"max_retries": 0, **options}))
        opened.insert(0, client)
        return client

    start.of = client_of
    yield start
    for each in opened:
        if isinstance(each, Client):
            assert each.statistics().in_flight == 0
            each.free()
            each.log.check()
        else:
            each.stop()


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("name", FAULTS)
def test_fault(client_for, name, transport):
    fault = FAULTS[name]
    login = Session()
    client = client_for(
        lambda connection: (connection.read_request(), fault.act(connection)),
        answers(response(login.yes())),
        transport=transport,
        timeout_ms=SHORT_MS if fault.status == TIMEOUT else 10_000,
    )
    with within(AMPLE):
        outcome = client.validate(login.token())
    assert outcome.status == fault.status, outcome.error
    assert outcome.session is None
    assert client.statistics().requests == 1
    # What was left of that answer is nobody's, and the client is as good as before.
    well = client.validate(login.token())
    assert well.status == OK, well.error
    assert well.session.user_id == login.user_id
    assert client.statistics().connections_opened == 2


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("ending", ["close", "reset"])
def test_gone_before_the_request(client_for, ending, transport):
    client = client_for(lambda connection: getattr(connection, ending)(), transport=transport)
    with within(AMPLE):
        assert client.validate(Session().token()).status == UNAVAILABLE


def test_no_server(client_for):
    client = client_for.of(f"http://127.0.0.1:{refused_port()}")
    with within(AMPLE):
        assert client.validate(Session().token()).status == UNAVAILABLE


@pytest.mark.parametrize("option, expected", [("timeout_ms", TIMEOUT), ("connect_timeout_ms", UNAVAILABLE)])
def test_connecting_hangs(client_for, option, expected):
    listener = BusyListener()
    try:
        client = client_for.of(listener.url(), **{option: SHORT_MS})
        with within(AMPLE):
            assert client.validate(Session().token()).status == expected
    finally:
        listener.stop()


@pytest.mark.parametrize("option, expected", [("timeout_ms", TIMEOUT), ("connect_timeout_ms", UNAVAILABLE)])
def test_handshake_hangs(client_for, option, expected, serve):
    server = serve(lambda connection: connection.hang())
    client = client_for.of(server.url().replace("http:", "https:"), **{option: SHORT_MS})
    with within(AMPLE):
        assert client.validate(Session().token()).status == expected
    server.stop()


@pytest.mark.parametrize("way", ["plain HTTP", "noise", "close", "certificate of a stranger"])
def test_handshake_fails(client_for, serve, tls, way):
    scripts = {
        "plain HTTP": lambda connection: connection.send(response(BARE_YES)),
        "noise": lambda connection: connection.send(bytes(range(256))),
        "close": lambda connection: connection.close(),
        "certificate of a stranger": answers(response(BARE_YES)),
    }
    server = serve(scripts[way], tls=tls.server_context() if way.startswith("cert") else None)
    client = client_for.of(server.url().replace("http:", "https:"), ca_file=str(tls.stranger.certificate))
    with within(AMPLE):
        assert client.validate(Session().token()).status == UNAVAILABLE
    assert server.requests == []
    server.stop()


@pytest.mark.parametrize(
    "kind, option, expected",
    [
        ("unknown", "timeout_ms", UNAVAILABLE),
        ("silent", "timeout_ms", TIMEOUT),
        ("silent", "connect_timeout_ms", UNAVAILABLE),
    ],
)
def test_names(resolver, kind, option, expected):
    code = f"""
client = Client(library, Config(library, api_url="https://hanko.test", max_retries=0, {option}={SHORT_MS}))
start = time.monotonic()
outcome = client.validate(b"test-token")
took = time.monotonic() - start
flying = client.statistics().in_flight
client.free()
report([outcome.status, took, flying])
"""
    with within(2 * AMPLE):
        result = child.run(code, resolver.environment(kind))
    status, took, flying = result.report
    assert (status, flying, result.returncode) == (expected, 0, 0)
    assert took < AMPLE
    assert resolver.questions >= 1, "the preloaded function was not used: the test shows nothing"


def test_one_client_through_every_fault(client_for):
    """One after the other on one client, with good answers between, so that its breaker stays closed."""
    login = Session()
    # Those that nothing but a deadline ends would take their time.
    quick = [fault for fault in FAULTS.values() if fault.status != TIMEOUT]

    def well_twice_then_gone(connection):
        for _ in range(2):
            connection.read_request()
            connection.send(response(login.yes()))
        connection.close()

    scripts = []
    for fault in quick:
        scripts.append(lambda connection, fault=fault: (connection.read_request(), fault.act(connection)))
        scripts.append(well_twice_then_gone)
    client = client_for(*scripts)
    token = login.token()
    for fault in quick:
        assert client.validate(token, wanted=False).status == fault.status
        for _ in range(2):
            assert client.validate(token, wanted=False).status == OK
    results = client.results()
    assert results[OK] == 2 * len(quick)
    assert sum(results.values()) == 3 * len(quick)
    assert client.statistics().connections_opened == 2 * len(quick)


def test_no_words_of_the_server_in_any_text(client_for):
    """Each answer carries the marker that `call` and the log look for; here it is shown to be there."""
    assert SERVER_MARKER.encode() in head()
    client = client_for(answers(response(b"[]")))
    assert SERVER_MARKER not in client.validate(Session().token()).error
