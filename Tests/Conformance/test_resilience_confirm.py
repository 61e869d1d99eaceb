"""Confirmed rejections: a "no" of a Hanko that cannot show its keys may be an outage in disguise."""

from __future__ import annotations

import functools
import sys
import threading
import time

import pytest

import child
from client import LOG_ERROR
from deadline import eventually, within
from library import INVALID_TOKEN, MISCONFIGURED, OK, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, Session, head, response
from resilience import HERE, Client, compile_program, in_threads

KEYS = response(b'{"keys":[]}')
KEY_SET = "GET /.well-known/jwks.json HTTP/1.1"
GARBAGE = b"garbage-without-a-payload"


class Hanko:
    """A script: one answer to validations, one to the key set, each of which a test can change; the times of both."""

    def __init__(self, keys=KEYS, verdict=None) -> None:
        self.keys, self.verdict = keys, verdict or response(NO)
        self.key_times: list[float] = []
        self.no_times: list[float] = []
        self.hold: threading.Event | None = None
        self.pause = 0.0
        self.heads: list[bytes] = []

    def __call__(self, connection) -> None:
        while True:
            request = connection.read_request()
            if request.line.startswith("POST"):
                self.no_times.append(time.monotonic())
                reply = self.verdict
            else:
                self.key_times.append(time.monotonic())
                if self.hold is not None:
                    connection.wait_for(self.hold)
                if self.pause:
                    connection.wait(self.pause)
                reply = self.keys
            if callable(reply):
                reply(connection)
            else:
                connection.send(reply)


@pytest.fixture
def serve(serve):
    """The scripts of this module answer for the key set as well."""
    return functools.partial(serve, key_set=None)


def key_requests(server):
    """The requests for the key set."""
    return [request for request in server.requests if request.line.startswith("GET")]


def good_token() -> bytes:
    """One that could be good, as far as one can see."""
    return Session().token()


@pytest.mark.parametrize("token", [good_token(), GARBAGE], ids=["good-looking", "garbage"])
def test_a_no_is_confirmed_by_default(library, serve, token):
    server = serve(Hanko(keys=response(b"", status=500)))
    with Client(library, server.url()) as client:
        assert client.status(token) == UNAVAILABLE
    assert [request.line[:4] for request in server.requests] == ["POST", "GET "]


@pytest.mark.parametrize("token", [good_token(), GARBAGE], ids=["good-looking", "garbage"])
def test_no_confirmation_where_it_is_turned_off(library, serve, token):
    server = serve(Hanko(keys=response(b"", status=500)))
    with Client(library, server.url(), confirm_rejections=0) as client:
        assert client.status(token) == INVALID_TOKEN
    assert [request.line[:4] for request in server.requests] == ["POST"]


def test_the_environment_turns_it_off(library, serve, monkeypatch):
    serve(Hanko(keys=response(b"", status=500)))
    assert library.ask(good_token()).status == UNAVAILABLE
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "0")
    assert library.ask(good_token()).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "1")
    assert library.ask(good_token()).status == UNAVAILABLE


def test_a_yes_is_not_confirmed(library, serve):
    server = serve(Hanko(verdict=response(BARE_YES), keys=response(b"", status=500)))
    with Client(library, server.url(), confirm_rejections=1) as client:
        assert client.status(GARBAGE) == OK
    assert not key_requests(server)


NOT_A_NO_OF_HANKO = {
    "503": (response(b"", status=503), UNAVAILABLE),
    "404": (response(b"", status=404), MISCONFIGURED),
}


@pytest.mark.parametrize("name", NOT_A_NO_OF_HANKO)
def test_only_a_no_is_confirmed(library, serve, name):
    reply, status = NOT_A_NO_OF_HANKO[name]
    server = serve(Hanko(verdict=reply))
    with Client(library, server.url(), confirm_rejections=1, max_retries=0) as client:
        assert client.status(good_token()) == status
        assert client.status(b"\xff") == INVALID_TOKEN
    assert not key_requests(server)


def closes(connection):
    connection.close()


def resets(connection):
    connection.reset()


def begins_and_closes(connection):
    connection.send(KEYS[:-5])
    connection.close()


# A gateway that keeps the key set from others than the front end, or a test double that has none.
HIDING = (401, 403, 404, 405, 410)

CONFIRMATIONS = {
    "200": (KEYS, INVALID_TOKEN),
    "200 with Age 0": (response(b"{}", headers=[("Age", "0")]), INVALID_TOKEN),
    "204": (response(b"", status=204), INVALID_TOKEN),
    **{str(code): (response(b"", status=code), INVALID_TOKEN) for code in HIDING},
    "200 with Age 1": (response(b"{}", headers=[("Age", "1")]), UNAVAILABLE),
    "200 with a great Age": (response(b"{}", headers=[("Age", "99999999999999999999")]), UNAVAILABLE),
    **{str(code): (response(b"", status=code), UNAVAILABLE) for code in (408, 425, 429, 500, 502, 503, 504, 599)},
    "closed": (closes, UNAVAILABLE),
    "reset": (resets, UNAVAILABLE),
    "cut short": (begins_and_closes, UNAVAILABLE),
    "two lengths in one field": (head(200, [("Content-Length", "2, 99")]) + b"{}", UNAVAILABLE),
    "a length beside chunks": (
        head(200, [("Content-Length", "2"), ("Transfer-Encoding", "chunked")]) + b"0\r\n\r\n",
        UNAVAILABLE,
    ),
    **{str(code): (response(b"", status=code), MISCONFIGURED) for code in (400, 402, 407, 415, 418)},
    "301": (response(b"", status=301, headers=[("Location", "https://elsewhere.test/")]), MISCONFIGURED),
}


@pytest.mark.parametrize("token", [good_token(), GARBAGE], ids=["good-looking", "garbage"])
def test_a_shortage_here_is_not_an_outage_there(serve, tmp_path, token):
    """No descriptor for the request for the key set: that is said, it opens no breaker, and nobody else gets it."""

    def script(connection):
        connection.read_request()
        connection.send(response(NO, headers=[("Connection", "close")]))
        connection.close()

    server = serve(script)
    code = f"""
import ctypes
failing = ctypes.CDLL(None)
assert failing.failing_find()
client = Client(library, Config(library, api_url={server.url()!r}, confirm_rejections=1))
def ask(call):
    time.sleep(0.11)  # not more than ten requests for the key set in a second
    failing.failing_arm(b"socket", ctypes.c_long(2))
    outcome = call()
    assert failing.failing_hits() == 1, outcome.error
    return [int(outcome.status), outcome.error]
found = [ask(lambda: client.validate({token!r})) for _ in range(12)]
found.append(ask(client.check))
report([found, client.statistics().breaker_opened])
"""
    # libcurl as well: what Python loads later is not behind the first.
    preloaded = f"{compile_program('failing', tmp_path, shared=True)} libcurl.so.4"
    found, opened = child.run(code, {"LD_PRELOAD": preloaded}).report
    for status, error in found:
        assert status == UNAVAILABLE
        assert "this machine ran out" in error
    assert opened == 0


@pytest.mark.parametrize("token", [good_token(), GARBAGE], ids=["good-looking", "garbage"])
@pytest.mark.parametrize("keys", CONFIRMATIONS)
def test_what_the_key_set_makes_of_a_no(library, serve, keys, token):
    reply, status = CONFIRMATIONS[keys]
    server = serve(Hanko(keys=reply))
    with Client(library, server.url(), confirm_rejections=1, max_retries=0) as client:
        assert client.status(token) == status
    assert key_requests(server)


class Lines:
    """A logger that keeps what it gets."""

    def __init__(self) -> None:
        self.all: list[tuple[int, str]] = []

    def __call__(self, context, level, message) -> None:
        self.all.append((level, message.decode()))

    def must_be_one_about(self, code: int) -> None:
        """Exactly one line, which says what was answered, what follows and what to do."""
        assert len(self.all) == 1, self.all
        level, text = self.all[0]
        assert level == LOG_ERROR
        for part in (f"GET /.well-known/jwks.json was answered with {code}", "told apart", "HANKO_CONFIRM_REJECTIONS=0"):
            assert part in text


@pytest.mark.parametrize("code", HIDING)
def test_a_hidden_key_set_is_told_once(library, serve, code):
    """Over many calls and threads, the start-up test among them."""
    server = serve(Hanko(keys=response(b"", status=code)))
    lines = Lines()
    with Client(library, server.url(), logger=lines, log_level=LOG_ERROR) as client:
        ask = [lambda: client.status(good_token()), lambda: client.status(GARBAGE)] * 5
        assert in_threads(8, lambda number: {call() for call in ask}) == [{INVALID_TOKEN}] * 8
        assert client.check().status == OK
        assert client.statistics().breaker_opened == 0
    assert len(key_requests(server)) > 1
    lines.must_be_one_about(code)


@pytest.mark.parametrize("code", HIDING)
def test_the_start_up_test_tells_of_a_hidden_key_set(library, serve, code):
    server = serve(Hanko(keys=response(b"", status=code)))
    lines, silent = Lines(), Lines()
    with Client(library, server.url(), logger=lines, log_level=LOG_ERROR) as client:
        assert [client.check().status for _ in range(3)] == [OK] * 3
        assert client.status(good_token()) == INVALID_TOKEN
    lines.must_be_one_about(code)
    with Client(library, server.url(), logger=silent, log_level=LOG_ERROR, confirm_rejections=0) as client:
        assert client.check().status == OK
        assert client.status(good_token()) == INVALID_TOKEN
    assert silent.all == []


@pytest.mark.parametrize("code", [301, 400, 407, 415])
def test_what_hides_nothing_is_an_operators_mistake(library, serve, code):
    server = serve(Hanko(keys=response(b"", status=code)))
    with Client(library, server.url()) as client:
        for result in (client.validate(good_token()), client.check()):
            assert result.status == MISCONFIGURED
            assert f"the key set was answered with {code}" in result.error
            assert "HANKO_CONFIRM_REJECTIONS=0" in result.error
    with Client(library, server.url(), confirm_rejections=0) as client:
        assert client.status(good_token()) == INVALID_TOKEN
        assert client.check().status == OK


def test_a_cache_is_named(library, serve):
    """What an operator must look for is a cache, and not Hanko's database."""
    server = serve(Hanko(keys=response(b"{}", headers=[("Age", "7")])))
    with Client(library, server.url(), confirm_rejections=1) as client:
        for result in (client.validate(good_token()), client.check()):
            assert result.status == UNAVAILABLE
            assert "cache" in result.error and "database" not in result.error
    with Client(library, server.url(), confirm_rejections=0) as client:
        assert client.check().status == OK


def test_a_cache_opens_no_breaker(library, serve):
    """Whoever only has garbage to send must not lock others out, whatever stands before Hanko."""
    hanko = Hanko(keys=response(b"{}", headers=[("Age", "7")]))
    server = serve(hanko)
    with Client(library, server.url(), confirm_rejections=1) as client:
        for _ in range(30):
            assert client.status(GARBAGE) == UNAVAILABLE
        hanko.verdict = response(BARE_YES)
        assert client.status(good_token()) == OK
        assert client.statistics().breaker_opened == 0


def test_the_request_for_the_key_set(library, serve):
    """Without the token, past every cache, on the connection of the "no"."""
    server = serve(Hanko())
    token = good_token()
    with Client(library, server.url(path="/tenant"), confirm_rejections=1) as client:
        assert client.status(token) == INVALID_TOKEN
        found = client.statistics()
        # And the connection goes on to serve validations.
        assert client.status(token) == INVALID_TOKEN
    post, get = server.requests[:2]
    assert get.line == "GET /tenant/.well-known/jwks.json HTTP/1.1"
    assert get.header("cache-control") == ["no-cache"]
    assert get.body == b"" and not get.header("content-length") and not get.header("content-type")
    assert not get.header("cookie") and not get.header("authorization")
    parts = [part for part in token.split(b".") if len(part) > 20]
    assert all(part in post.raw and part not in get.raw for part in parts)
    assert {request.connection for request in server.requests} == {1}
    assert (found.requests, found.connections_opened) == (2, 1)
    # A validation must not carry what the GET has: it goes over the same connection.
    later = server.requests[2]
    assert later.line == "POST /tenant/sessions/validate HTTP/1.1"
    fields = [[field for field in request.headers if field[0] != "x-request-id"] for request in (later, post)]
    assert fields[0] == fields[1]


def test_over_tls_too(library, serve, tls):
    server = serve(Hanko(), tls=tls.server_context())
    settings = {"ca_file": tls.authority.certificate}
    with Client(library, server.url(), confirm_rejections=1, **settings) as client:
        assert client.status(good_token()) == INVALID_TOKEN
    assert [request.line.split()[0] for request in server.requests] == ["POST", "GET"]
    assert server.connections == 1


def test_the_connection_is_replaced_when_the_no_closed_it(library, serve):
    server = serve(Hanko(verdict=response(NO, headers=[("Connection", "close")])))
    with Client(library, server.url(), confirm_rejections=1, max_retries=0) as client:
        assert client.status(good_token()) == INVALID_TOKEN
    assert server.connections == 2


def test_a_connection_that_dies_before_the_key_set_is_replaced(library, serve):
    """The kept connection was closed by the server after the "no": nothing says that Hanko is sick."""

    def once(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.close()

    server = serve(once, Hanko())
    with Client(library, server.url(), confirm_rejections=1, max_retries=0) as client:
        assert client.status(good_token()) == INVALID_TOKEN
    assert len(key_requests(server)) == 1


def test_within_the_deadline(library, serve):
    """A key set that never comes: could not ask, in time; and no yes and no "no" from it."""
    hanko = Hanko()
    hanko.hold = threading.Event()
    serve_url = serve(hanko).url()
    with Client(library, serve_url, confirm_rejections=1, timeout_ms=700) as client:
        for token in (good_token(), GARBAGE):
            with within(6):
                assert client.status(token) in (UNAVAILABLE, TIMEOUT)


def test_who_waits_for_anothers_request_keeps_his_own_deadline(library, serve):
    hanko = Hanko()
    hanko.hold = threading.Event()
    serve_url = serve(hanko).url()
    with Client(library, serve_url, confirm_rejections=1, timeout_ms=900) as client, within(8):
        results = in_threads(12, lambda number: client.status(good_token()))
    assert set(results) <= {UNAVAILABLE, TIMEOUT}


def test_one_request_serves_all_who_wait(library, serve):
    """64 good-looking tokens are refused while the first key set is under way; those whose "no" came later share."""
    hanko = Hanko()
    hanko.pause = 0.3
    server = serve(hanko)
    with Client(library, server.url(), confirm_rejections=1, timeout_ms=30000) as client:
        assert in_threads(64, lambda number: client.status(good_token())) == [INVALID_TOKEN] * 64
    assert 1 <= len(hanko.key_times) <= 10
    assert len(hanko.no_times) == 64


def busiest_second(times):
    """The most events in any one second."""
    return max(sum(1 for other in times if start <= other < start + 1) for start in times)


def test_at_most_ten_a_second(library, serve):
    """1000 good-looking tokens from many threads."""
    hanko = Hanko()
    server = serve(hanko)
    tokens = [[good_token() for _ in range(50)] for _ in range(20)]
    with Client(library, server.url(), confirm_rejections=1, timeout_ms=30000) as client:
        began = time.monotonic()
        results = in_threads(20, lambda number: {client.status(token) for token in tokens[number]})
        took = time.monotonic() - began
    assert results == [{INVALID_TOKEN}] * 20
    assert len(hanko.no_times) == 1000
    assert 1 <= len(hanko.key_times) <= 10 * (took + 1)
    # Measured where they arrive: a little of two seconds may fall into one.
    assert busiest_second(hanko.key_times) <= 12


def test_a_request_begins_after_the_no_of_a_good_looking_token(library, serve):
    """One after the other and slower than the rate: each "no" has a key set of its own that was asked for later."""
    hanko = Hanko()
    server = serve(hanko)
    with Client(library, server.url(), confirm_rejections=1) as client:
        for _ in range(6):
            assert client.status(good_token()) == INVALID_TOKEN
        assert [request.line[:3] for request in server.requests] == ["POS", "GET"] * 6
        # The last answer was good; Hanko loses its database now, and the next one must see it.
        hanko.keys = response(b"", status=500)
        assert client.status(good_token()) == UNAVAILABLE


def test_garbage_uses_an_answer_up_to_a_second_old(library, serve):
    hanko = Hanko()
    server = serve(hanko)
    with Client(library, server.url(), confirm_rejections=1) as client:
        began = time.monotonic()

        def ask(number):
            return {client.status(b"%s-%d-%d" % (GARBAGE, number, index)) for index in range(40)}

        results = in_threads(10, ask)
        took = time.monotonic() - began
        assert results == [{INVALID_TOKEN}] * 10
        assert 1 <= len(hanko.key_times) <= took + 1
        seen = len(hanko.key_times)
        # An old answer does not serve.
        time.sleep(1.2)
        assert client.status(GARBAGE) == INVALID_TOKEN
        assert len(hanko.key_times) == seen + 1
    assert len(server.requests) == len(hanko.key_times) + 401


LOOKS_BAD = {
    "expired": lambda: Session(lifetime=-60).token(),
    "no session id": lambda: Session().token(session_id="not a UUID"),
    "no JWS": lambda: b"a.b",
}


@pytest.mark.parametrize("kind", LOOKS_BAD)
def test_what_cannot_be_good_multiplies_no_requests(library, serve, kind):
    hanko = Hanko()
    serve_url = serve(hanko).url()
    with Client(library, serve_url, confirm_rejections=1) as client:
        began = time.monotonic()
        for _ in range(30):
            assert client.status(LOOKS_BAD[kind]()) == INVALID_TOKEN
        took = time.monotonic() - began
    assert 1 <= len(hanko.key_times) <= took + 1


def test_a_failed_confirmation_counts_for_the_breaker(library, serve):
    """A "no" whose confirmation failed is a failure; one that stands is a success."""
    hanko = Hanko()
    serve_url = serve(hanko).url()
    with Client(library, serve_url, confirm_rejections=1, max_retries=0) as client:
        for _ in range(25):
            assert client.status(GARBAGE) == INVALID_TOKEN
        assert client.statistics().breaker_opened == 0
        hanko.keys = response(b"", status=500)
        time.sleep(1.1)
        for _ in range(10):
            assert client.status(GARBAGE) == UNAVAILABLE
        assert client.statistics().breaker_opened == 1
        seen = len(hanko.no_times)
        assert client.status(GARBAGE) == UNAVAILABLE
        assert len(hanko.no_times) == seen


def test_an_unconfirmed_no_ends_the_search(library, serve):
    """The second cookie is not asked about while Hanko is sick."""
    hanko = Hanko(keys=response(b"", status=500))
    serve_url = serve(hanko).url()
    with Client(library, serve_url, confirm_rejections=1, max_retries=0) as client:
        assert client.authenticate(b"hanko=one-candidate; hanko=other-candidate").status == UNAVAILABLE
    assert len(hanko.no_times) == 1


def test_the_database_of_the_stand_in_goes_down(library):
    """As a real Hanko: 200 and "no" to a good token, ready as ever, and only the key set fails."""
    sys.path.insert(0, str(HERE.parents[1] / "bindings/python/src"))
    from hanko.standin import StandIn

    with StandIn(key_bits=2048) as hanko:
        token = hanko.mint_session(email="ada@example.com").token.encode()
        revoked = hanko.mint_session(email="bob@example.com")
        hanko.revoke(revoked)
        with Client(library, hanko.api_url, max_retries=0) as careful:
            with Client(library, hanko.api_url, confirm_rejections=0, max_retries=0) as trusting:
                for client in (careful, trusting):
                    assert client.status(token) == OK
                    assert client.status(revoked.token.encode()) == INVALID_TOKEN
                    assert client.check().status == OK
                hanko.database.is_down = True
                # Who turned it off logs a good user out.
                assert trusting.status(token) == INVALID_TOKEN
                assert careful.status(token) == UNAVAILABLE
                assert careful.status(revoked.token.encode()) == UNAVAILABLE
                assert careful.check().status == UNAVAILABLE
                hanko.database.is_down = False
                time.sleep(1.1)
                assert careful.status(token) == OK
                assert careful.status(revoked.token.encode()) == INVALID_TOKEN


def test_no_caller_is_left_waiting_when_the_asker_gives_up(library, serve):
    """The one who asks for the key set runs out of time; those who wait for it ask anew within their own."""
    hanko = Hanko()
    hanko.hold = threading.Event()
    server = serve(hanko)
    with Client(library, server.url(), confirm_rejections=1, timeout_ms=2500) as client, within(15):
        outcomes: list[int] = []
        asker = threading.Thread(target=lambda: outcomes.append(client.status(good_token())), daemon=True)
        asker.start()
        eventually(lambda: len(hanko.key_times) == 1, "the key set is asked for")
        time.sleep(1.2)
        waiting = threading.Thread(target=lambda: outcomes.append(client.status(GARBAGE)), daemon=True)
        waiting.start()
        asker.join(10)
        assert outcomes and outcomes[0] in (UNAVAILABLE, TIMEOUT)
        hanko.hold.set()
        waiting.join(10)
        assert outcomes[1:] == [INVALID_TOKEN]
