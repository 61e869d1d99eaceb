"""What a thread can ask about its last call, and the fixed texts."""

from __future__ import annotations

import re
import threading

import pytest

from fault_server import answers, answers_in_turn
from library import INVALID_TOKEN, MISCONFIGURED, NO_TOKEN, OK, STATUS_NAMES, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, response

INVALID_MESSAGE = b"Invalid token"
TIMEOUT_MESSAGE = b"Authentication service timeout"
UNAVAILABLE_MESSAGE = b"Authentication service unavailable"

UNKNOWN = [10, 11, 99, 1000, -1, -2, 2**31 - 1, -(2**31)]


def on_a_new_thread(function):
    """Call a function on a thread that has never called the library."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_before_the_first_call(library):
    assert on_a_new_thread(lambda: (library.last_status(), library.last_error())) == (NO_TOKEN, "")


def test_before_the_first_call_although_others_called(library, answering):
    answering(response(b"", status=503))
    assert library.ask(b"test-token").status == UNAVAILABLE
    assert on_a_new_thread(lambda: (library.last_status(), library.last_error())) == (NO_TOKEN, "")
    assert library.last_status() == UNAVAILABLE


def test_the_last_call_counts(library, serve):
    serve(answers_in_turn(response(BARE_YES), response(NO), response(b"", status=503), response(BARE_YES)))
    seen = [library.ask(token).status for token in (b"one", None, b"two", b"three", b"four")]
    assert seen == [OK, NO_TOKEN, INVALID_TOKEN, UNAVAILABLE, OK]
    assert library.last_error() == ""


def test_asking_twice_gives_the_same(library, answering):
    answering(response(b"", status=503))
    library.ask(b"test-token")
    texts = {(library.last_status(), library.last_error()) for _ in range(5)}
    assert len(texts) == 1


def test_other_functions_leave_the_last_call_alone(library, answering):
    answering(response(b"", status=503))
    error = library.ask(b"test-token").error
    library.c.hanko_version()
    library.c.hanko_version_number()
    library.c.hanko_status_name(OK)
    library.c.hanko_status_message(OK)
    assert (library.last_status(), library.last_error()) == (UNAVAILABLE, error)


@pytest.mark.parametrize("token", [b"abcdefghijklmnop", b"a" * 300, b"\xffabcdefghijkl", b"b" * 300_000, b"%s%n%s%n%d"])
def test_texts_hold_no_token(library, serve, token):
    # The server repeats the token wherever it can.
    echo = token[:1000].replace(b"\xff", b"?")
    body = b'{"code":400,"message":"' + echo + b'"}'
    headers = [("Location", "/" + echo.decode()), ("X-Token", echo.decode())]
    for status in (200, 400, 401, 302, 413, 503):
        serve(answers(response(body, status=status, headers=headers)))
        answer = library.ask(token)
        assert answer.value == 0
        assert answer.error
        assert echo.decode() not in answer.error


def test_texts_are_short_and_one_line(library, serve, monkeypatch):
    for status in (200, 400, 404, 429, 500, 999):
        serve(answers(response(b"", status=status)))
        error = library.ask(b"test-token").error
        assert "\n" not in error and "\r" not in error
    monkeypatch.delenv("HANKO_API_URL")
    assert library.ask(b"test-token").status == MISCONFIGURED
    assert "\n" not in library.last_error()


def test_initialize(library, answering):
    answering()
    assert library.ask(None).status == NO_TOKEN
    for _ in range(3):
        assert library.c.hanko_initialize() == OK
        assert (library.last_status(), library.last_error()) == (OK, "")
    assert library.ask(b"test-token").status == INVALID_TOKEN


@pytest.mark.parametrize("status", STATUS_NAMES)
def test_status_names(library, status):
    assert library.c.hanko_status_name(status) == STATUS_NAMES[status].encode()


@pytest.mark.parametrize("status", STATUS_NAMES)
def test_status_messages(library, status):
    message = library.c.hanko_status_message(status)
    if status == OK:
        assert message and message not in (INVALID_MESSAGE, TIMEOUT_MESSAGE)
    elif status in (INVALID_TOKEN, NO_TOKEN):
        assert message == INVALID_MESSAGE
    elif status == TIMEOUT:
        assert message == TIMEOUT_MESSAGE
    else:
        assert message == UNAVAILABLE_MESSAGE


@pytest.mark.parametrize("status", UNKNOWN)
def test_unknown_status(library, status):
    name = library.c.hanko_status_name(status)
    assert name and name.decode() not in STATUS_NAMES.values()
    assert library.c.hanko_status_message(status) == UNAVAILABLE_MESSAGE


def test_version(library):
    version = library.c.hanko_version().decode()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert library.c.hanko_version() == version.encode()
    major, minor, patch = (int(part) for part in version.split("."))
    # As HANKO_VERSION_NUMBER of the header puts them together.
    assert library.c.hanko_version_number() == major * 10_000 + minor * 100 + patch
