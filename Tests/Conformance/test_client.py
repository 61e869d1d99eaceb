"""`hanko_client_new`, `hanko_client_validate` and `hanko_client_statistics`."""

from __future__ import annotations

import ctypes
import pathlib
import re
import threading

import pytest

import child
import completion_queue
from client import SIGNATURES, Client, Config, Statistics, call, new_client_handle
from deadline import eventually, within
from fault_server import answers, refused_port
from library import (
    INVALID_ARGUMENT,
    INVALID_TOKEN,
    MISCONFIGURED,
    NO_TOKEN,
    OK,
    PROTOCOL_ERROR,
    TIMEOUT,
    UNAVAILABLE,
)
from messages import BARE_YES, NO, TOKEN, Session, response
from test_threads import run_threads

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "hanko.h"


def test_every_function_of_the_header_is_bound(library):
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    declared = re.findall(r"HANKO_API\s[^;(]*?(hanko_\w+)\(([^;]*)\);", text)
    assert len(declared) > 40
    completion_queue.bind_queue(library)
    bound = {**SIGNATURES, **completion_queue.SIGNATURES}
    for name, parameters in declared:
        count = 0 if parameters.strip() == "void" else len(parameters.split(","))
        types = getattr(library.api if name in bound else library.c, name).argtypes
        assert types is not None and len(types) == count, f"{name} takes {count} parameters"
    assert set(bound) <= {name for name, _ in declared}


# --- new ----------------------------------------------------------------------------------------------


def test_new_from_the_environment(library, answering, monkeypatch):
    server = answering()
    client = Client(library)
    assert client.validate(TOKEN).status == INVALID_TOKEN
    # What changes later is not for this client.
    monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "nonsense")
    assert client.validate(TOKEN).status == INVALID_TOKEN
    assert len(server.requests) == 2
    client.free()


def test_client_of_a_config_does_not_look_at_the_environment(library, answering, new_client, monkeypatch):
    mine, other = answering(use=False), answering()
    monkeypatch.setenv("HANKO_AUDIENCE", "nobody")
    client = new_client(mine.url())
    monkeypatch.setenv("HANKO_COOKIE_NAME", "other")
    monkeypatch.setenv("HANKO_LOG", "nonsense")
    assert client.authenticate(b"hanko=test-token").status == INVALID_TOKEN
    assert (len(mine.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize(
    "variable, value",
    [
        ("HANKO_API_URL", None),
        ("HANKO_API_URL", ""),
        ("HANKO_API_URL", "nonsense"),
        ("HANKO_API_URL", "http://hanko.test"),
        ("HANKO_TIMEOUT_MS", "0"),
        ("HANKO_CONNECT_TIMEOUT_MS", "3600001"),
        ("HANKO_MAX_RETRIES", "11"),
        ("HANKO_MAX_CONNECTIONS", "many"),
        ("HANKO_COOKIE_NAME", "a b"),
        ("HANKO_CA_FILE", "/no/such/file"),
        ("HANKO_AUDIENCE", ""),
        ("HANKO_ALLOW_INSECURE_HTTP", "y"),
        ("HANKO_CONFIRM_REJECTIONS", "2"),
        ("HANKO_LOG", "loud"),
    ],
)
def test_new_from_a_malformed_environment(library, answering, monkeypatch, variable, value):
    answering()
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    outcome, _ = new_client_handle(library, None)
    assert outcome.status == MISCONFIGURED
    assert variable in outcome.error


def test_new_without_a_place_for_the_client(library, answering):
    answering()
    assert call(library, "hanko_client_new", None, None).status == INVALID_ARGUMENT
    config = Config(library, api_url="https://127.0.0.1")
    assert call(library, "hanko_client_new", config.handle, None).status == INVALID_ARGUMENT


def test_new_makes_no_request(library, answering, new_client):
    server = answering()
    new_client(server.url()).free()
    Client(library).free()
    assert server.connections == 0


def test_free_nothing(library):
    library.api.hanko_client_free(None)


def test_free_closes_the_connections(serve, new_client):
    left = threading.Event()

    def script(connection):
        try:
            while connection.read_request():
                connection.send(response(NO))
        finally:
            left.set()

    client = new_client(serve(script).url())
    assert client.validate(TOKEN).status == INVALID_TOKEN
    assert not left.wait(0.1), "the connection was not kept"
    client.free()
    assert left.wait(10), "the connection is still open"


# --- validate -----------------------------------------------------------------------------------------


def test_yes(answering, new_client):
    session = Session()
    client = new_client(answering(response(session.yes())).url())
    outcome = client.validate(session.token())
    assert outcome.status == OK
    assert outcome.session.user_id == session.user_id


def test_yes_without_a_place_for_the_session(answering, new_client):
    session = Session()
    client = new_client(answering(response(session.yes())).url())
    assert client.validate(session.token(), wanted=False).status == OK
    assert client.results() == {OK: 1}


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize(
    "reply, expected",
    [
        (response(NO), INVALID_TOKEN),
        (response(b"", status=503), UNAVAILABLE),
        (response(b"", status=404), MISCONFIGURED),
        (response(b"[]"), PROTOCOL_ERROR),
        (None, TIMEOUT),
    ],
    ids=["no", "busy", "wrong address", "odd", "silence"],
)
def test_everything_else(serve, new_client, reply, expected, wanted):
    server = serve(answers(reply) if reply else lambda connection: connection.hang())
    client = new_client(server.url(), timeout_ms=300 if expected == TIMEOUT else 10_000)
    with within(10):
        assert client.validate(TOKEN, wanted=wanted).status == expected
    assert client.results() == {expected: 1}


@pytest.mark.parametrize("token, length", [(None, 0), (b"", 0), (TOKEN, 0), (None, 5)])
def test_no_token(answering, new_client, token, length):
    """NULL is no token, whatever length is claimed for it."""
    server = answering()
    client = new_client(server.url())
    assert client.validate(token, length).status == NO_TOKEN
    assert server.connections == 0


def test_the_length_counts(answering, new_client):
    server = answering()
    client = new_client(server.url())
    assert client.validate(b"test-token and what is none of it", len(TOKEN)).status == INVALID_TOKEN
    assert [request.token for request in server.requests] == [TOKEN.decode()]


NO_TOKENS = {
    "NUL": b"\0",
    "NUL first": b"\0test-token",
    "NUL inside": b"test\0token",
    "NUL last": b"test-token\0",
    "NUL after 200 KB": b"a" * 200_000 + b"\0",
    "FF": b"\xff",
    "NUL in two bytes": b"a\xc0\x80b",
    "one byte too many": b"a" * (256 * 1024 + 1),
    "16 MiB": b"a" * (16 << 20),
}


@pytest.mark.parametrize("kind", NO_TOKENS)
def test_what_cannot_be_a_token(answering, new_client, kind):
    server = answering(response(BARE_YES))
    assert new_client(server.url()).validate(NO_TOKENS[kind]).status == INVALID_TOKEN
    assert server.connections == 0


def test_nothing_behind_the_inputs_is_read(serve):
    """Each text ends where the next page may not be touched, and no NUL ends it."""
    code = """
import ctypes, mmap
c = ctypes.CDLL(None)
c.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
kept = []
def at_the_edge(text):
    pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    kept.append(pages)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    assert c.mprotect(start + mmap.PAGESIZE, mmap.PAGESIZE, 0) == 0
    pages[mmap.PAGESIZE - len(text):mmap.PAGESIZE] = text
    return ctypes.cast(start + mmap.PAGESIZE - len(text), ctypes.c_char_p), len(text)
client = Client(library)
statuses = []
for text in (b"test-token", b"x", b"\\xe2\\x82", b'"', b"a.b.c", b"a.b.", b"a" * 4096):
    statuses.append(library.api.hanko_client_validate(client.handle, *at_the_edge(text), None))
for cookie in (b"hanko=test-token", b"hanko=", b"hanko", b"h", b'hanko="', b'hanko="a"', b"hanko=a;", b"hanko=a; "):
    for header in (b"Bearer test-token", b"Bearer ", b"Bearer", b"B", b"Basic x"):
        both = *at_the_edge(cookie), *at_the_edge(header)
        library.api.hanko_client_authenticate(client.handle, *both, None)
        buffer = ctypes.create_string_buffer(100)
        library.api.hanko_extract_token(*both, None, ctypes.addressof(buffer), 100, None)
report(statuses)
os._exit(0)
"""
    serve(answers(response(NO)))
    result = child.run(code)
    assert result.returncode == 0, result.stderr
    assert result.report == [INVALID_TOKEN] * 7


@pytest.mark.parametrize("name", sorted(name for name in SIGNATURES if re.match("hanko_client_(?!new|free)", name)))
def test_client_is_null(library, name):
    out = ctypes.c_void_p(0xDEAD)
    statistics = Statistics(struct_size=ctypes.sizeof(Statistics), requests=7)
    arguments = {
        "hanko_client_check": [],
        "hanko_client_validate": [TOKEN, len(TOKEN), ctypes.byref(out)],
        "hanko_client_authenticate": [b"hanko=x", 7, None, 0, ctypes.byref(out)],
        "hanko_client_statistics": [ctypes.byref(statistics)],
    }
    assert call(library, name, None, *arguments[name]).status == INVALID_ARGUMENT
    if len(arguments[name]) > 2:
        assert out.value is None, "the session was not written"
    assert statistics.requests == 7


def test_each_call_has_its_own_verdict(serve, new_client):
    yes, no = Session(), Session()
    replies = {yes.token(): response(yes.yes()), no.token(): response(NO)}
    server = serve(answers(lambda request: replies[request.token.encode()]))
    client = new_client(server.url())
    tokens = list(replies)
    for _ in range(3):
        assert [client.validate(token).status for token in tokens] == [OK, INVALID_TOKEN]


def test_revoked_session_is_seen_at_once(serve, new_client):
    session = Session()
    token = session.token()
    client = new_client(serve(answers(response(session.yes()), response(NO))).url())
    assert [client.validate(token).status for _ in range(3)] == [OK, INVALID_TOKEN, INVALID_TOKEN]


def test_many_clients_at_once(answering, new_client):
    servers = [answering(use=False) for _ in range(8)]
    clients = [new_client(server.url()) for server in servers]

    def work(number):
        return {clients[number].validate(b"token-of-%d" % number).status for _ in range(20)}

    assert run_threads(8, work) == [{INVALID_TOKEN}] * 8
    for number, server in enumerate(servers):
        assert [request.token for request in server.requests] == [f"token-of-{number}"] * 20
        assert server.connections == 1
        assert clients[number].statistics().requests == 20 + len(server.key_set_requests)


def test_clients_that_come_and_go(answering, library):
    server = answering()
    config = Config(library, api_url=server.url())

    def work(number):
        for _ in range(10):
            client = Client(library, config)
            assert client.validate(TOKEN).status == INVALID_TOKEN
            client.free()

    run_threads(8, work)
    assert len(server.requests) == 80


def test_validate_and_client_stand_side_by_side(library, answering, new_client):
    """hanko_validate has a client of its own."""
    server = answering()
    client = new_client(server.url())
    assert client.validate(TOKEN).status == INVALID_TOKEN
    assert library.ask(TOKEN).status == INVALID_TOKEN
    client.free()
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert server.connections == 2


# --- statistics ---------------------------------------------------------------------------------------


def test_new_client_has_done_nothing(answering, new_client):
    statistics = new_client(answering().url()).statistics()
    assert bytes(statistics)[ctypes.sizeof(ctypes.c_size_t) :].strip(b"\0") == b""


def test_results_are_counted(serve, new_client):
    session = Session()
    replies = [response(session.yes()), response(NO), response(b"", status=404), response(b"[]")]
    server = serve(answers(lambda request: replies[int(request.token) if request.token.isdigit() else 0]))
    client = new_client(server.url())
    asked = [b"0", b"1", b"1", b"2", b"3", b"", b"", b"\xff", session.token()]
    statuses = [client.validate(token, wanted=False).status for token in asked]
    assert client.results() == {OK: 2, INVALID_TOKEN: 3, MISCONFIGURED: 1, PROTOCOL_ERROR: 1, NO_TOKEN: 2}
    assert client.results() == {status: statuses.count(status) for status in set(statuses)}
    statistics = client.statistics()
    assert len(server.requests) == 6 and 1 <= len(server.key_set_requests) <= 2
    assert statistics.requests == 6 + len(server.key_set_requests)
    assert statistics.connections_opened == server.connections
    assert (statistics.retries, statistics.breaker_opened, statistics.in_flight) == (0, 0, 0)


def test_authenticate_is_one_result(serve, new_client):
    server = serve(answers(response(NO)))
    client = new_client(server.url())
    assert client.authenticate(b"hanko=one; hanko=two; hanko=three").status == INVALID_TOKEN
    assert client.authenticate(b"other=one").status == NO_TOKEN
    assert client.results() == {INVALID_TOKEN: 1, NO_TOKEN: 1}
    # One key set serves all three.
    assert (len(server.requests), len(server.key_set_requests)) == (3, 1)
    assert client.statistics().requests == 3 + 1


def test_arguments_that_cannot_be_are_no_validation(library, answering, new_client):
    client = new_client(answering().url())
    assert call(library, "hanko_client_statistics", client.handle, None).status == INVALID_ARGUMENT
    assert client.results() == {}


def test_retries_are_counted(serve, new_client):
    server = serve(answers(response(b"", status=503)))
    client = new_client(server.url(), max_retries=2)
    assert client.validate(TOKEN).status == UNAVAILABLE
    statistics = client.statistics()
    assert (statistics.requests, statistics.retries) == (3, 2)
    assert statistics.connections_opened == server.connections
    assert client.results() == {UNAVAILABLE: 1}


def test_refused_connections_are_not_opened(new_client):
    client = new_client(f"http://127.0.0.1:{refused_port()}")
    assert client.validate(TOKEN).status == UNAVAILABLE
    assert client.statistics().connections_opened == 0


def test_in_flight(serve, new_client):
    go = threading.Event()

    def script(connection):
        while True:
            connection.read_request()
            connection.wait_for(go)
            connection.send(response(NO))

    server = serve(script)
    client = new_client(server.url(), max_connections=2)
    threads = [threading.Thread(target=client.validate, args=(TOKEN,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    try:
        # Those that wait for a connection are under way as well.
        eventually(lambda: client.statistics().in_flight == 5, "five calls under way")
        eventually(lambda: len(server.requests) == 2, "two requests")
        assert client.results() == {}
    finally:
        go.set()
        for thread in threads:
            thread.join()
    assert client.statistics().in_flight == 0
    assert client.results() == {INVALID_TOKEN: 5}
    assert client.statistics().connections_opened == server.connections == 2


def test_every_client_counts_for_itself(answering, new_client):
    first, second = (new_client(answering(response(BARE_YES)).url()) for _ in range(2))
    first.validate(TOKEN)
    assert (first.statistics().requests, second.statistics().requests) == (1, 0)


SIZE = ctypes.sizeof(Statistics)


@pytest.mark.parametrize("size", [8, 9, 12, 16, 20, 136, 144, SIZE - 8, SIZE - 1, SIZE, SIZE + 1, SIZE + 64, 2**63])
def test_no_more_is_written_than_the_caller_has(library, answering, new_client, size):
    """A program that was built against an older or a newer header."""
    client = new_client(answering().url())
    client.validate(TOKEN)
    whole = bytes(client.statistics())
    memory = ctypes.create_string_buffer(b"\xa5" * (SIZE + 128), SIZE + 128)
    struct = Statistics.from_buffer(memory)
    struct.struct_size = size
    assert call(library, "hanko_client_statistics", client.handle, ctypes.byref(struct)).status == OK
    assert struct.struct_size == size, "struct_size belongs to the caller"
    filled = min(size, SIZE)
    assert memory.raw[filled:] == b"\xa5" * (len(memory) - filled), "written beyond the struct"
    # Whole counters only; half of one would be a wrong number.
    fields = filled // 8 * 8
    assert memory.raw[8:fields] == whole[8:fields]


@pytest.mark.parametrize("size", [0, 1, 4, 7])
def test_struct_that_cannot_hold_its_own_size(library, answering, new_client, size):
    client = new_client(answering().url())
    memory = ctypes.create_string_buffer(b"\xa5" * SIZE, SIZE)
    struct = Statistics.from_buffer(memory)
    struct.struct_size = size
    assert call(library, "hanko_client_statistics", client.handle, ctypes.byref(struct)).status == INVALID_ARGUMENT
    assert memory.raw[8:] == b"\xa5" * (SIZE - 8)
