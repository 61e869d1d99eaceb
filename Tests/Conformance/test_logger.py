"""The logger callback: every line of its level, in the library's own words."""

from __future__ import annotations

import threading
import time

import pytest

import child
from client import LOG_DEBUG, LOG_ERROR, LOG_INFO, LOG_OFF, LOG_WARNING, Client, Config, Log, LogFunction
from deadline import within
from fault_server import answers, refused_port
from library import INVALID_TOKEN, MISCONFIGURED, NO_TOKEN, OK, PROTOCOL_ERROR, STATUS_NAMES, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, SERVER_MARKER, TOKEN, Session, error_body, response
from test_threads import run_threads

LEVELS = [LOG_OFF, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG]

# The status, how it comes about, and the least level that shows it (as the header describes the levels).
OUTCOMES = {
    "yes": (OK, response(BARE_YES), LOG_DEBUG),
    "no": (INVALID_TOKEN, response(NO), LOG_INFO),
    "busy": (UNAVAILABLE, response(b"", status=503), LOG_ERROR),
    "wrong address": (MISCONFIGURED, response(b"", status=404), LOG_ERROR),
    "odd": (PROTOCOL_ERROR, response(b"[]"), LOG_ERROR),
    "silence": (TIMEOUT, None, LOG_ERROR),
}


@pytest.fixture
def logged(library, serve):
    """Make a client with a logger of its own."""
    clients = []

    def start(script, level=LOG_DEBUG, context=None, log=None, **options):
        log = log or Log()
        config = Config(library, api_url=serve(script).url(), max_retries=0, **options)
        assert config.set_logger(log.function, context, level).status == OK
        client = Client(library, config)
        client.log = log
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.free()
        client.log.check()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", OUTCOMES)
def test_levels(logged, kind, level):
    status, reply, least = OUTCOMES[kind]
    script = answers(reply) if reply else lambda connection: connection.hang()
    client = logged(script, level, timeout_ms=200 if status == TIMEOUT else 10_000)
    assert client.validate(TOKEN).status == status
    lines = [text for text in client.log.texts if STATUS_NAMES[status] in text]
    assert bool(lines) == (level >= least), client.log.lines
    assert all(line_level <= level for line_level in client.log.levels)
    if lines:
        assert (least, lines[0]) in client.log.lines


def test_every_outcome_at_debug(logged):
    replies = iter([reply for _, reply, _ in OUTCOMES.values() if reply])
    client = logged(answers(lambda request: next(replies)))
    statuses = [client.validate(token).status for token in [TOKEN] * 5 + [b"", b"\xff"]]
    statuses.append(client.authenticate(b"theme=dark").status)
    assert len(client.log.lines) == len(statuses)
    for text, status in zip(client.log.texts, statuses):
        assert STATUS_NAMES[status] in text
    assert {OK, INVALID_TOKEN, NO_TOKEN, UNAVAILABLE, MISCONFIGURED, PROTOCOL_ERROR} == set(statuses)


def test_check_is_logged(logged):
    client = logged(answers(response(BARE_YES)), LOG_ERROR)
    assert client.check().status == MISCONFIGURED
    assert any("any token" in text for text in client.log.texts)


def test_audience_that_nobody_has_is_an_error(logged):
    session = Session()
    client = logged(answers(response(session.yes())), LOG_ERROR, audiences=("one.example", "two.example"))
    assert client.validate(session.token()).status == INVALID_TOKEN
    assert [(level, "one.example" in text and "two.example" in text) for level, text in client.log.lines] == [
        (LOG_ERROR, True)
    ]


@pytest.mark.parametrize("context", [None, 1, 0xDEADBEEF, 2**64 - 1])
def test_context_is_handed_over(logged, context):
    client = logged(answers(response(NO)), context=context)
    client.validate(TOKEN)
    assert client.log.contexts == [context]


def test_each_client_has_its_logger(logged):
    first, second = logged(answers(response(NO)), context=1), logged(answers(response(NO)), context=2)
    first.validate(TOKEN)
    second.validate(TOKEN)
    second.validate(TOKEN)
    assert (first.log.contexts, second.log.contexts) == ([1], [2, 2])


def test_every_line_comes(logged):
    """Standard error gets one a second; a logger gets them all."""
    client = logged(answers(response(b"", status=404)), LOG_ERROR)
    for _ in range(200):
        client.validate(TOKEN, wanted=False)
    assert len(client.log.lines) == 200


def test_every_line_comes_from_many_threads(logged):
    client = logged(answers(response(NO)))
    run_threads(8, lambda number: [client.validate(TOKEN) for _ in range(25)])
    assert len(client.log.lines) == 200


def test_slow_logger_holds_up_only_its_caller(logged):
    """No lock of the library is held meanwhile."""
    log = Log()
    inside, go = threading.Event(), threading.Event()

    def slow(context, level, message):
        if not inside.is_set():
            inside.set()
            go.wait(10)

    log.function = LogFunction(slow)
    client = logged(answers(response(NO)), log=log, max_connections=1)
    held_up = threading.Thread(target=client.validate, args=(b"first-token",))
    held_up.start()
    try:
        assert inside.wait(10)
        with within(5):
            assert client.validate(b"second-token").status == INVALID_TOKEN
            # The first one's key set serves the second as well.
            assert client.statistics().requests == 2 + 1
    finally:
        go.set()
        held_up.join()


def test_slow_logger_changes_no_verdict(logged):
    log = Log()
    log.function = LogFunction(lambda context, level, message: time.sleep(0.05))
    replies = iter([response(BARE_YES), response(NO)] * 3)
    client = logged(answers(lambda request: next(replies)), log=log)
    assert [client.validate(TOKEN).status for _ in range(6)] == [OK, INVALID_TOKEN] * 3


def test_no_words_of_the_server(logged):
    """It repeats the token and its own words in every place that it has."""
    tokens, replies = [], {}
    for status in (200, 200, 302, 400, 400, 401, 404, 413, 429, 500, 503, 999):
        token = Session().token()
        text = token.decode()
        body = {
            200: b'{"is_valid":"%s %s"}' % (SERVER_MARKER.encode(), token),
            400: error_body(400, f"failed to parse token claims: {SERVER_MARKER} {text}"),
        }.get(status, error_body(status % 1000, f"{SERVER_MARKER} {text}"))
        headers = [
            ("Location", f"http://{SERVER_MARKER}.example/{text}"),
            ("Set-Cookie", f"hanko={text}"),
            ("Retry-After", text),
            ("WWW-Authenticate", f'Bearer error="{text}"'),
        ]
        tokens.append(token)
        replies[text] = response(body, status=status, headers=headers)
    # Each on a client of its own: their breaker would open on some of these.
    for token in tokens:
        client = logged(answers(lambda request: replies[request.token]))
        outcome = client.authenticate(b"hanko=" + token, b"Bearer " + token)
        assert outcome.status != OK
        assert client.log.lines
        for text in [*client.log.texts, outcome.error]:
            assert not any(part in text for part in token.decode().split("."))
            assert SERVER_MARKER not in text.lower()


def test_no_secret_of_headers(logged):
    client = logged(answers(response(NO)))
    client.authenticate(b"other=a-secret-word; hanko=the-token-itself", b"Basic another-secret")
    for text in client.log.texts:
        for secret in ("a-secret-word", "the-token-itself", "another-secret"):
            assert secret not in text


STANDARD_ERROR = """
import ctypes
from client import LOG_DEBUG, LogFunction
config = Config(library, api_url=%r, max_retries=0)
assert config.set_logger(LogFunction(), None, %d).status == 0
client = Client(library, config)
for _ in range(%d):
    client.validate(b"test-token", wanted=False)
report(None)
"""


def test_null_logger_is_standard_error(serve):
    server = serve(answers(response(NO)))
    result = child.run(STANDARD_ERROR % (server.url(), LOG_DEBUG, 1))
    assert "HANKO_INVALID_TOKEN" in result.stderr
    result = child.run(STANDARD_ERROR % (server.url(), LOG_OFF, 1))
    assert result.stderr == ""


def test_standard_error_gets_few_lines():
    result = child.run(STANDARD_ERROR % (f"http://127.0.0.1:{refused_port()}", LOG_ERROR, 300))
    lines = result.stderr.splitlines()
    # Refusals are quick, and the breaker opens after ten of them: two kinds of lines, each once a second.
    assert 1 <= len(lines) <= 12, lines


def test_logger_is_not_called_after_the_client_is_gone(library, serve):
    log = Log()
    config = Config(library, api_url=serve(answers(response(NO))).url())
    config.set_logger(log.function, None, LOG_DEBUG)
    clients = [Client(library, config) for _ in range(2)]
    config.free()
    for client in clients:
        client.validate(TOKEN)
        client.free()
    count = len(log.lines)
    assert count == 2
    library.ask(None)
    time.sleep(0.05)
    assert len(log.lines) == count
