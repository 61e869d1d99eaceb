"""The completion queue: each submission has exactly one completion, and the descriptor tells when one is there."""

from __future__ import annotations

import ctypes
import fcntl
import re
import threading
from ctypes import c_void_p

import pytest

from client import UNTOUCHED, call
from completion_queue import CANARY, SIZE, Completion, bind_queue, hanko, is_readable, new_queue  # noqa: F401
from completion_queue import read_completion
from deadline import eventually, within
from fault_server import answers, refused_port
from library import (
    CANCELLED,
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

LARGEST_TAG = 2**64 - 1
VERDICTS = {
    "ok": OK,
    "no": INVALID_TOKEN,
    "forbidden": MISCONFIGURED,
    "odd": PROTOCOL_ERROR,
    "down": UNAVAILABLE,
    "late": TIMEOUT,
}


def token_of(word: str) -> bytes:
    """A token that the server answers in this way."""
    return b"%s.of-this-test" % word.encode()


# --- one completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", VERDICTS)
@pytest.mark.parametrize("way", ["submit", "submit_authenticate"])
def test_each_verdict_is_one_completion(hanko, new_client, new_queue, word, way):
    client = new_client(hanko.url(), timeout_ms=300 if word == "late" else 20_000)
    queue = new_queue(client)
    argument = token_of(word) if way == "submit" else b"theme=dark; hanko=" + token_of(word)
    outcome = queue.submit(argument, 7) if way == "submit" else queue.submit_authenticate(argument, tag=7)
    assert outcome.status == OK
    done = queue.only()
    assert (done.tag, done.status) == (7, VERDICTS[word])
    queue.at_rest()
    assert client.results() == {VERDICTS[word]: 1}
    assert client.statistics().in_flight == 0
    assert [request.token for request in hanko.requests] == [token_of(word).decode()]


def test_nobody_listens(new_client, new_queue):
    queue = new_queue(new_client(f"http://127.0.0.1:{refused_port()}"))
    assert queue.submit(TOKEN, 1).status == OK
    assert queue.only().status == UNAVAILABLE


def test_open_breaker_completes_too(hanko, new_client, new_queue):
    """Submitting is no question to Hanko: it is taken, and told by its completion."""
    client = new_client(hanko.url())
    queue = new_queue(client)
    for tag in range(30):
        assert queue.submit(token_of("down"), tag).status == OK
        done = queue.only()
        assert (done.tag, done.status) == (tag, UNAVAILABLE)
    assert client.statistics().breaker_opened == 1
    assert len(hanko.requests) == 10


def test_session_is_that_of_the_blocking_call(serve, new_client, new_queue):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    queue = new_queue(client)
    token = login.token()
    assert queue.submit(token).status == OK
    assert queue.only().session.facts() == client.validate(token).session.facts()
    assert queue.submit_authenticate(None, b"Bearer " + token).status == OK
    assert queue.only().session.user_id == login.user_id


def test_session_outlives_queue_and_client(serve, new_client, new_queue):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    queue = new_queue(client)
    assert queue.submit(login.token()).status == OK
    done = queue.only()
    queue.free()
    client.free()
    assert (done.session.user_id, done.session.expires_at) == (login.user_id, login.expires_at)


@pytest.mark.parametrize("status, expected", [(404, MISCONFIGURED), (503, UNAVAILABLE)])
def test_check(serve, new_client, new_queue, status, expected):
    """What a good server gets is tried where the blocking check is."""
    queue = new_queue(new_client(serve(answers(response(b"", status=status))).url()))
    assert queue.submit_check(LARGEST_TAG).status == OK
    assert queue.only()[:2] == (LARGEST_TAG, expected)
    queue.at_rest()


def test_input_is_copied(library, serve, new_client, new_queue):
    gate = threading.Event()

    def script(connection):
        while True:
            connection.read_request()
            connection.wait_for(gate)
            connection.send(response(NO))

    server = serve(script)
    queue = new_queue(new_client(server.url(), max_connections=1))
    assert queue.submit(b"keeps-the-only-connection").status == OK
    buffer = ctypes.create_string_buffer(b"the-token-as-submitted")
    text = ctypes.cast(buffer, ctypes.c_char_p)
    assert library.api.hanko_queue_submit(queue.handle, text, 22, 1) == OK
    header = ctypes.create_string_buffer(b"hanko=the-cookie-as-submitted")
    text = ctypes.cast(header, ctypes.c_char_p)
    assert library.api.hanko_queue_submit_authenticate(queue.handle, text, 29, None, 0, 2) == OK
    for used in (buffer, header):
        ctypes.memset(used, ord("x"), len(used))
    gate.set()
    queue.collect(3)
    asked = [request.token for request in server.requests[1:]]
    assert sorted(asked) == ["the-cookie-as-submitted", "the-token-as-submitted"]


def test_tags_may_repeat_and_are_handed_back(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    tags = [0, 0, 5, LARGEST_TAG, 5, 2**63, LARGEST_TAG]
    for tag in tags:
        assert queue.submit(token_of("ok"), tag).status == OK
    assert sorted(done.tag for done in queue.collect(len(tags))) == sorted(tags)


# --- no completion ------------------------------------------------------------------------------------

REFUSED_TOKENS = {
    "NULL": (None, 0, NO_TOKEN),
    "NULL with a length": (None, 9, NO_TOKEN),
    "empty": (b"", 0, NO_TOKEN),
    "length 0": (b"test-token", 0, NO_TOKEN),
    "not UTF-8": (b"test-token\xff", None, INVALID_TOKEN),
    "cut UTF-8": (b"test-token\xe2\x82", None, INVALID_TOKEN),
    "NUL inside": (b"test\0token", None, INVALID_TOKEN),
    "only NUL": (b"\0", 1, INVALID_TOKEN),
    "one byte too long": (b"t" * (256 * 1024 + 1), None, INVALID_TOKEN),
}


@pytest.mark.parametrize("kind", REFUSED_TOKENS)
def test_token_that_is_refused_at_once(hanko, new_client, new_queue, kind):
    token, length, expected = REFUSED_TOKENS[kind]
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(token, 1, length).status == expected
    assert hanko.connections == 0
    # Only what comes after it is completed.
    assert queue.submit(token_of("ok"), 2).status == OK
    assert queue.only().tag == 2
    queue.at_rest()


def test_longest_token(serve, new_client, new_queue):
    server = serve(answers(response(BARE_YES)))
    queue = new_queue(new_client(server.url()))
    token = b"t" * (256 * 1024)
    assert queue.submit(token).status == OK
    assert queue.only().status == OK
    assert server.requests[0].token.encode() == token


REFUSED_HEADERS = {
    "none": (None, None, NO_TOKEN),
    "empty": (b"", b"", NO_TOKEN),
    "no candidate": (b"theme=dark", b"Basic abc", NO_TOKEN),
    "empty candidates": (b'hanko=; hanko=""', b"Bearer ", NO_TOKEN),
    "none that is UTF-8": (b"hanko=\xff", b"Bearer \xff", NO_TOKEN),
    "NUL in the cookie": (b"hanko=ok.1\0", None, INVALID_TOKEN),
    "NUL in the authorization": (b"hanko=ok.1", b"\0", INVALID_TOKEN),
}


@pytest.mark.parametrize("kind", REFUSED_HEADERS)
def test_headers_that_are_refused_at_once(hanko, new_client, new_queue, kind):
    cookie, authorization, expected = REFUSED_HEADERS[kind]
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit_authenticate(cookie, authorization, 1).status == expected
    assert hanko.connections == 0
    assert queue.submit(token_of("ok"), 2).status == OK
    assert queue.only().tag == 2
    queue.at_rest()


NULL_CALLS = {
    "hanko_queue_submit": (TOKEN, len(TOKEN), 1),
    "hanko_queue_submit_authenticate": (b"hanko=a", 7, None, 0, 1),
    "hanko_queue_submit_check": (1,),
    "hanko_queue_cancel": (1,),
}


@pytest.mark.parametrize("name", NULL_CALLS)
def test_null_queue(library, name):
    bind_queue(library)
    assert call(library, name, None, *NULL_CALLS[name]).status == INVALID_ARGUMENT


def test_null_queue_elsewhere(library):
    bind_queue(library)
    assert library.api.hanko_queue_file_descriptor(None) == -1
    completions = (Completion * 2)()
    ctypes.memset(completions, CANARY, ctypes.sizeof(completions))
    assert library.api.hanko_queue_drain(None, completions, 2, SIZE) == 0
    assert bytes(memoryview(completions).cast("B")) == bytes([CANARY]) * (2 * SIZE)
    library.api.hanko_queue_free(None)


def test_null_client(library):
    bind_queue(library)
    out = c_void_p(UNTOUCHED)
    assert call(library, "hanko_queue_new", None, ctypes.byref(out)).status == INVALID_ARGUMENT
    assert out.value is None


def test_no_place_for_the_queue(library, hanko, new_client):
    bind_queue(library)
    assert call(library, "hanko_queue_new", new_client(hanko.url()).handle, None).status == INVALID_ARGUMENT


# --- the descriptor -----------------------------------------------------------------------------------


def test_descriptor_is_readable_exactly_while_completions_wait(hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    assert not queue.readable()
    for tag in range(3):
        assert queue.submit(token_of("ok"), tag).status == OK
        assert queue.readable(20)
        # Level-triggered: it does not matter how often one looks.
        assert all(queue.readable() for _ in range(5))
        assert queue.only().tag == tag
        assert not queue.readable()
        assert queue.drain() == []
        assert not queue.readable()


def test_partial_drains_keep_it_readable(hanko, new_client, new_queue):
    client = new_client(hanko.url())
    queue = new_queue(client)
    for tag in range(10):
        assert queue.submit(token_of("no"), tag).status == OK
    eventually(lambda: client.statistics().results[INVALID_TOKEN] == 10, "all are answered")
    assert queue.readable(20)
    tags: list[int] = []
    for size in (1, 3, 2, 3):
        drained = queue.drain(size)
        assert len(drained) == size
        tags += [done.tag for done in drained]
        assert queue.readable(), f"one is left after {len(tags)}"
    tags += [done.tag for done in queue.drain(64)]
    assert sorted(tags) == list(range(10))
    assert not queue.readable()


def test_drain_that_takes_the_last_leaves_it_unreadable(hanko, new_client, new_queue):
    """Also when there was just enough room for it."""
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(token_of("no"), 1).status == OK
    assert queue.readable(20)
    assert len(queue.drain(1)) == 1
    assert not queue.readable()


def test_drain_without_room(library, hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    for tag in range(2):
        assert queue.submit(token_of("ok"), tag).status == OK
    assert queue.readable(20)
    completions = (Completion * 2)()
    ctypes.memset(completions, CANARY, ctypes.sizeof(completions))
    for place, capacity in ((completions, 0), (None, 0), (None, 2)):
        assert library.api.hanko_queue_drain(queue.handle, place, capacity, SIZE) == 0
        assert queue.readable()
    assert bytes(memoryview(completions).cast("B")) == bytes([CANARY]) * (2 * SIZE)
    assert {done.tag for done in queue.collect(2)} == {0, 1}


def test_drain_never_blocks(hanko, new_client, new_queue):
    client = new_client(hanko.url(), timeout_ms=20_000)
    queue = new_queue(client)
    assert queue.submit(token_of("late"), 1).status == OK
    eventually(lambda: len(hanko.requests) == 1, "it is under way")
    with within(5):
        for _ in range(1000):
            assert queue.drain() == []
    assert queue.cancel(1).status == OK
    assert queue.only().status == CANCELLED


def test_drain_does_not_touch_the_last_call(library, hanko, new_client, new_queue):
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(token_of("ok")).status == OK
    assert queue.readable(20)
    assert queue.submit(None).status == NO_TOKEN
    text = library.last_error()
    assert queue.only().status == OK
    queue.readable()
    assert (library.last_status(), library.last_error()) == (NO_TOKEN, text)


def test_descriptor_is_closed_on_exec_and_stays_the_same(hanko, new_client, new_queue):
    client = new_client(hanko.url())
    queue, other = new_queue(client), new_queue(client)
    descriptor = queue.descriptor
    assert descriptor >= 0 and other.descriptor not in (-1, descriptor)
    assert fcntl.fcntl(descriptor, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    assert queue.submit(token_of("ok")).status == OK
    assert queue.only().status == OK
    assert queue.descriptor == descriptor


def test_each_queue_has_its_own_completions(hanko, new_client, new_queue):
    client = new_client(hanko.url())
    first, second = new_queue(client), new_queue(client)
    assert first.submit(token_of("ok"), 1).status == OK
    assert first.readable(20)
    assert not second.readable()
    assert second.drain() == []
    assert second.cancel(1).status == OK
    assert second.submit(token_of("no"), 1).status == OK
    assert second.only().status == INVALID_TOKEN
    assert first.only().status == OK


def test_readable_means_that_there_is_something(hanko, new_client, new_queue):
    """Whoever is the only one to drain never wakes for nothing, however completions and drains fall together."""
    queue = new_queue(new_client(hanko.url(), max_connections=8))
    count, tags = 3000, []

    def submit():
        for tag in range(count):
            assert queue.submit(token_of("ok" if tag % 2 else "no"), tag).status == OK

    submitter = threading.Thread(target=submit)
    submitter.start()
    while len(tags) < count:
        assert is_readable(queue.descriptor, 20)
        drained = queue.drain(1 + len(tags) % 5)
        assert drained, "readable, but nothing to drain"
        tags += [done.tag for done in drained]
        assert all(done.status == (OK if done.tag % 2 else INVALID_TOKEN) for done in drained)
    submitter.join()
    assert sorted(tags) == list(range(count))
    queue.at_rest()


# --- the size of a completion -------------------------------------------------------------------------


@pytest.mark.parametrize("more", [8, 16, 256, 4096])
def test_completions_of_a_later_version_are_larger(library, hanko, new_client, new_queue, more):
    """The program was compiled with a header whose struct has grown; each completion stands at the start of its own."""
    client = new_client(hanko.url())
    queue = new_queue(client)
    for tag in range(3):
        assert queue.submit(token_of("ok"), tag).status == OK
    eventually(lambda: client.statistics().results[OK] == 3, "all are answered")
    stride = SIZE + more
    buffer = ctypes.create_string_buffer(bytes([CANARY]) * (4 * stride), 4 * stride)
    eventually(lambda: queue.readable(), "they are there")
    found = []
    while len(found) < 3:
        count = library.api.hanko_queue_drain(queue.handle, ctypes.addressof(buffer), 3, stride)
        assert 1 <= count <= 3
        for index in range(count):
            found.append(read_completion(library, Completion.from_buffer(buffer, index * stride)))
            beyond = buffer.raw[index * stride + SIZE : (index + 1) * stride]
            # What this version does not know it leaves alone or clears.
            assert set(beyond) in ({CANARY}, {0})
    assert sorted((done.tag, done.status) for done in found) == [(tag, OK) for tag in range(3)]
    assert buffer.raw[3 * stride :] == bytes([CANARY]) * stride, "written beyond the capacity"


@pytest.mark.parametrize("size", [0, 1, 8, 24, SIZE - 8, SIZE - 1])
def test_completions_that_are_too_small(library, hanko, new_client, new_queue, size):
    """No such header was ever published: nothing is written, and nothing is lost."""
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(token_of("ok"), 5).status == OK
    assert queue.readable(20)
    buffer = ctypes.create_string_buffer(bytes([CANARY]) * (2 * SIZE), 2 * SIZE)
    assert library.api.hanko_queue_drain(queue.handle, ctypes.addressof(buffer), 2, size) == 0
    assert buffer.raw == bytes([CANARY]) * (2 * SIZE)
    assert queue.only().tag == 5


@pytest.mark.parametrize("size", [2**64 - 1, 2**64 - 8, 2**63, 2**63 - 8, 2**64 - SIZE])
@pytest.mark.parametrize("capacity", [1, 2, 2**63, 2**64 - 1])
def test_sizes_that_no_array_has(library, hanko, new_client, new_queue, size, capacity):
    """Where the second element would lie outside of memory only the first can be written, or none."""
    client = new_client(hanko.url())
    queue = new_queue(client)
    for tag in range(2):
        assert queue.submit(token_of("ok"), tag).status == OK
    eventually(lambda: client.statistics().results[OK] == 2, "both are answered")
    assert queue.readable(20)
    buffer = ctypes.create_string_buffer(bytes([CANARY]) * (3 * SIZE), 3 * SIZE)
    count = library.api.hanko_queue_drain(queue.handle, ctypes.addressof(buffer) + SIZE, capacity, size)
    assert count <= 1
    assert buffer.raw[:SIZE] == buffer.raw[2 * SIZE :] == bytes([CANARY]) * SIZE
    tags = []
    if count:
        tags.append(read_completion(library, Completion.from_buffer(buffer, SIZE)).tag)
    tags += [done.tag for done in queue.collect(2 - count)]
    assert sorted(tags) == [0, 1]


@pytest.mark.parametrize("capacity", [2**63, 2**64 - 1])
def test_capacity_beyond_every_array(library, hanko, new_client, new_queue, capacity):
    """A caller that says "as much as you like" gets what there is."""
    queue = new_queue(new_client(hanko.url()))
    assert queue.submit(token_of("ok"), 5).status == OK
    assert queue.readable(20)
    buffer = ctypes.create_string_buffer(bytes([CANARY]) * (2 * SIZE), 2 * SIZE)
    count = library.api.hanko_queue_drain(queue.handle, ctypes.addressof(buffer), capacity, SIZE)
    assert count in (0, 1)
    assert buffer.raw[count * SIZE :] == bytes([CANARY]) * ((2 - count) * SIZE)
    tags = [read_completion(library, Completion.from_buffer(buffer)).tag] if count else [queue.only().tag]
    assert tags == [5]


# --- texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [word for word in VERDICTS if word != "ok"])
def test_text_is_that_of_the_blocking_call(hanko, new_client, new_queue, word):
    client = new_client(hanko.url(), timeout_ms=300 if word == "late" else 20_000)
    queue = new_queue(client)
    assert queue.submit(token_of(word)).status == OK
    queued, blocking = queue.only(), client.validate(token_of(word))
    # Each request has an id of its own.
    texts = [re.sub(r" \(X-Request-Id: [0-9a-f]{32}\)$", "", outcome.error) for outcome in (queued, blocking)]
    assert queued.status == blocking.status and texts[0] == texts[1]


def cut(text: str, limit: int = 231) -> str:
    """As much of a text as fits, with no character cut in two."""
    return text.encode("utf-8")[:limit].decode("utf-8", "ignore")


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("letters", ["xy", "öü", "₤₪", "🜁🜂"])
def test_long_text_is_cut_at_a_character(serve, new_client, new_queue, letters, shift):
    """The letters are in no token, which test_secrets.py would take for one that came out."""
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url(), audiences=["x" * shift + letters * 150])
    queue = new_queue(client)
    token = login.token()
    blocking = client.validate(token)
    assert blocking.status == INVALID_TOKEN
    assert len(blocking.error.encode("utf-8")) > 231, "no text to cut"
    assert queue.submit(token).status == OK
    assert queue.only().error == cut(blocking.error)


# --- several threads ----------------------------------------------------------------------------------


def test_submit_and_drain_from_many_threads(library, hanko, new_client, new_queue):
    """Each tag comes out once, whoever takes it."""
    client = new_client(hanko.url(), max_connections=16)
    queue = new_queue(client)
    threads, each = 8, 100
    found, lock = [], threading.Lock()

    def work(number):
        for index in range(each):
            word = "ok" if index % 2 else "no"
            assert queue.submit(token_of(word), number * each + index).status == OK
            drained = queue.drain(3)
            with lock:
                found.extend(drained)

    run_threads(threads, work)
    found += queue.collect(threads * each - len(found))
    assert sorted(done.tag for done in found) == list(range(threads * each))
    assert all(done.status == (OK if done.tag % 2 else INVALID_TOKEN) for done in found)
    assert client.results() == {OK: threads * each // 2, INVALID_TOKEN: threads * each // 2}


def test_submitting_waits_for_nobody(hanko, new_client, new_queue):
    """Neither for a connection nor for an answer: none of a thousand hangs, while Hanko does."""
    client = new_client(hanko.url(), timeout_ms=40_000, max_connections=2)
    queue = new_queue(client)
    with within(10):
        for _ in range(1000):
            assert queue.submit(token_of("late"), 3).status == OK
    # Whoever waits for a connection is under way as well.
    assert client.statistics().in_flight == 1000
    assert queue.cancel(3).status == OK
    assert {done.status for done in queue.collect(1000)} == {CANCELLED}
    assert len(hanko.requests) <= 2
