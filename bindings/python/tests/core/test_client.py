"""The blocking client: answers, refusals, sessions, and its end."""

from __future__ import annotations

import copy
import dataclasses
import gc
import json
import pickle
import signal
import threading
import time
import traceback
import weakref
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from answering import SESSION, USER, AnsweringServer, answering, session_token, yes

import hanko
from hanko import _library
from hanko.standin import StandIn

# A token that stands out in whatever it must not get into.
SECRET = "s3cr3t-t0ken-s3cr3t-t0ken"


def test_a_valid_session(standin: StandIn) -> None:
    minted = standin.mint_session(email="ada@example.com", username="ada")
    with hanko.Client(standin.api_url) as client:
        session = client.validate(minted.token)
        assert client.validate(minted.token.encode()) == session
    assert (session.user_id, session.session_id) == (minted.user_id, minted.session_id)
    assert (session.email, session.email_verified, session.username) == ("ada@example.com", True, "ada")
    assert session.issued_at is not None and session.issued_at.tzinfo is not None
    assert session.issued_at.utcoffset() == timedelta(0)
    assert session.expires_at is not None and session.expires_at - session.issued_at == timedelta(hours=12)
    assert session.idle_expires_at is None
    assert session.claims["subject"] == minted.user_id
    assert session.claims["email"] == {"address": "ada@example.com", "is_primary": True, "is_verified": True}
    assert pickle.loads(pickle.dumps(session)) == session


def test_an_idle_timeout(signing_key) -> None:
    with StandIn(key=signing_key, idle_timeout="30m") as standin, hanko.Client(standin.api_url) as client:
        session = client.validate(standin.mint_session().token)
    assert session.idle_expires_at is not None and session.expires_at is not None
    assert session.idle_expires_at < session.expires_at


def test_refused_sessions(standin: StandIn) -> None:
    revoked = standin.mint_session()
    standin.revoke(revoked)
    tokens = [revoked.token, standin.mint_expired().token, standin.mint_forged().token, "nonsense", " "]
    with hanko.Client(standin.api_url) as client:
        for token in tokens:
            with pytest.raises(hanko.InvalidToken) as caught:
                client.validate(token)
            assert not isinstance(caught.value, hanko.NoToken)
            assert caught.value.client_message == "Invalid token"


@pytest.mark.parametrize("token", [None, "", b""])
def test_no_token_asks_nobody(accepting: AnsweringServer, token: Any) -> None:
    with hanko.Client(accepting.url) as client:
        with pytest.raises(hanko.NoToken):
            client.validate(token)
        assert client.statistics().requests == 0


@pytest.mark.parametrize(
    "token",
    [
        *("\ud800", "a\udfff", "\ud83d\ude00", b"\xff", b"\xed\xa0\x80", "a\0b", b"\0", "\0"),
        *("a" * 262_145, b"a" * 262_145, " ", "a.b.c", "{}", session_token() + "="),
    ],
    ids=range(14),
)
def test_what_cannot_be_a_token_asks_nobody(accepting: AnsweringServer, token: Any) -> None:
    with hanko.Client(accepting.url) as client:
        with pytest.raises(hanko.InvalidToken) as caught:
            client.validate(token)
        assert not isinstance(caught.value, hanko.NoToken)
        assert client.statistics().requests == 0
        assert client.statistics().results["HANKO_INVALID_TOKEN"] == 1


@pytest.mark.parametrize("token", ["héllo", "😀", '"quoted\\', "a" * 262_144, "a b", "x\r\ny"], ids=range(6))
def test_every_other_text_is_sent_as_it_is(accepting: AnsweringServer, token: str) -> None:
    with hanko.Client(accepting.url) as client:
        client.validate(token)
        client.validate(token.encode())
    assert accepting.tokens == [token, token]


@pytest.mark.parametrize("token", [5, 5.0, True, [], ("a",), bytearray(b"a"), memoryview(b"a"), object()], ids=repr)
def test_other_types(accepting: AnsweringServer, token: Any) -> None:
    with hanko.Client(accepting.url) as client:
        with pytest.raises(TypeError, match="a session token is str, bytes or None"):
            client.validate(token)
        with pytest.raises(TypeError, match="cookie_header is str, bytes or None"):
            client.authenticate(token)
        with pytest.raises(TypeError, match="authorization_header is str, bytes or None"):
            client.authenticate(None, token)


# --- What Hanko may send ----------------------------------------------------------------------------------------------


def session_of(answer: Any) -> hanko.Session:
    """The session that a client makes of an answer."""
    with answering(lambda _: answer) as server, hanko.Client(server.url) as client:
        return client.validate("token")


def test_claims_of_every_kind() -> None:
    odd = {"plan": "gold", "üñí": "😀", "nested": {"a": [1, 2.5, None, True, {"b": {}}]}, "empty": "", "big": 2**70}
    session = session_of(yes(**odd))
    assert {name: session.claims[name] for name in odd} == odd
    assert type(session.claims) is dict


def test_empty_texts_are_texts() -> None:
    session = session_of(yes(username="", email={"address": "", "is_primary": True, "is_verified": False}))
    assert session.username in ("", None) and session.email in ("", None)
    whole = session_of(yes(username="ada", email={"address": "a@b", "is_primary": True, "is_verified": False}))
    assert (whole.username, whole.email, whole.email_verified) == ("ada", "a@b", False)
    for found in (session, whole):
        # As the constructor would have made it, which reading a session passes by.
        assert dataclasses.replace(found) == found and vars(dataclasses.replace(found)) == vars(found)
        for field in dataclasses.fields(found):
            assert not isinstance(getattr(found, field.name), bytes)


def test_only_what_was_sent_is_there() -> None:
    session = session_of({"is_valid": True, "user_id": USER})
    assert session == hanko.Session(user_id=USER)
    assert session.claims == {}


def test_a_number_that_is_too_long_for_python() -> None:
    digits = "9" * 5000
    answer = json.dumps(yes(number=0, exact=2**60)).replace('"number": 0', f'"number": {digits}')
    claims = session_of(answer).claims
    assert claims["exact"] == 2**60
    assert claims["number"] == float("inf") or claims["number"] > 10**4998


def test_times_that_python_cannot_hold() -> None:
    answer = yes(issued_at="0001-01-01T00:00:00Z")
    answer["expiration_time"] = answer["claims"]["expiration"] = "9999-12-31T23:59:59Z"
    session = session_of(answer)
    assert session.expires_at == datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    assert session.issued_at is None or session.issued_at.year == 1


@pytest.mark.parametrize("seconds", [-(2**63), -(10**14), 10**14, 2**63 - 1])
def test_times_far_away(seconds: int) -> None:
    from hanko._late_fields import time_of

    moment = time_of(seconds)
    assert moment is not None and moment.tzinfo is timezone.utc
    assert moment.year == (1 if seconds < 0 else 9999)


def test_a_yes_that_names_no_user() -> None:
    with answering(lambda _: {"is_valid": True}) as server, hanko.Client(server.url) as client:
        with pytest.raises(hanko.ProtocolError, match="named no user"):
            client.validate("token")
        with pytest.raises(hanko.ProtocolError, match="named no user"):
            client.authenticate("hanko=token")


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (200, "<html>", hanko.ProtocolError),
        (200, {"is_valid": "true"}, hanko.ProtocolError),
        (404, "{}", hanko.Misconfigured),
        (403, "{}", hanko.Misconfigured),
        (500, "{}", hanko.AuthenticationUnavailable),
        (429, "{}", hanko.AuthenticationUnavailable),
    ],
)
def test_answers_that_are_no_verdict(status: int, body: Any, kind: type[hanko.NotChecked]) -> None:
    with answering(lambda _: body) as server, hanko.Client(server.url, max_retries=0) as client:
        server.status = status
        with pytest.raises(hanko.NotChecked) as caught:
            client.validate("token")
    # A request is never a matter of local settings.
    assert type(caught.value) is kind


def test_nobody_there(refused_url: str) -> None:
    with hanko.Client(refused_url) as client:
        with pytest.raises(hanko.AuthenticationUnavailable) as caught:
            client.validate("token")
    assert caught.value.client_message == "Authentication service unavailable"
    assert refused_url not in caught.value.client_message


# --- Headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie, authorization, asked",
    [
        ("hanko=one", None, ["one"]),
        (b"a=b; hanko=one", None, ["one"]),
        (None, "Bearer two", ["two"]),
        (None, b"bearer two", ["two"]),
        ("hanko=one", "Bearer two", ["two"]),
        ("hanko=no; hanko=one", None, ["no", "one"]),
        ("hanko=no", "Basic abc", ["no"]),
        ("other=\xe9; hanko=one", None, ["one"]),
        ("other=\u20ac\ud800; hanko=one", None, ["one"]),
    ],
)
def test_headers(accepting: AnsweringServer, cookie: Any, authorization: Any, asked: list[str]) -> None:
    with hanko.Client(accepting.url) as client:
        try:
            client.authenticate(cookie, authorization)
        except hanko.InvalidToken:
            assert asked == ["no"]
    assert accepting.tokens == asked


def test_headers_have_names(accepting: AnsweringServer) -> None:
    with hanko.Client(accepting.url) as client:
        client.authenticate(authorization_header="Bearer two")
        client.authenticate(cookie_header="hanko=one")
    assert accepting.tokens == ["two", "one"]


def test_text_of_a_header_is_latin_1_as_servers_hand_it_over(accepting: AnsweringServer) -> None:
    token = "héllo"
    with hanko.Client(accepting.url) as client:
        client.authenticate(None, "Bearer " + token.encode("utf-8").decode("latin-1"))
    assert accepting.tokens == [token]


@pytest.mark.parametrize("cookie, authorization", [(None, None), ("", ""), ("a=b", "Basic abc"), (b"", None)])
def test_headers_without_a_token(accepting: AnsweringServer, cookie: Any, authorization: Any) -> None:
    with hanko.Client(accepting.url) as client:
        with pytest.raises(hanko.NoToken):
            client.authenticate(cookie, authorization)
        assert client.statistics().requests == 0


# --- Check and statistics ---------------------------------------------------------------------------------------------


def test_check(standin: StandIn) -> None:
    with hanko.Client(standin.api_url) as client:
        assert client.check() is None
        assert client.statistics().connections_opened == 1


def test_check_finds_a_test_double(accepting: AnsweringServer) -> None:
    with hanko.Client(accepting.url) as client:
        with pytest.raises(hanko.Misconfigured, match="test double") as caught:
            client.check()
    assert not isinstance(caught.value, hanko.ConfigurationError)


def test_check_finds_nobody(refused_url: str) -> None:
    with hanko.Client(refused_url) as client:
        with pytest.raises(hanko.AuthenticationUnavailable):
            client.check()


def test_statistics(accepting: AnsweringServer) -> None:
    with hanko.Client(accepting.url) as client:
        for token in ("yes", "yes", "no", None):
            try:
                client.validate(token)
            except hanko.InvalidToken:
                pass
        statistics = client.statistics()
    assert statistics.results == {
        "HANKO_OK": 2,
        "HANKO_INVALID_TOKEN": 1,
        "HANKO_NO_TOKEN": 1,
        "HANKO_TIMEOUT": 0,
        "HANKO_UNAVAILABLE": 0,
        "HANKO_MISCONFIGURED": 0,
        "HANKO_PROTOCOL_ERROR": 0,
        "HANKO_INVALID_ARGUMENT": 0,
        "HANKO_CANCELLED": 0,
        "HANKO_BUFFER_TOO_SMALL": 0,
    }
    # The three tokens that were asked about, and the key set for the no.
    assert (statistics.requests, statistics.retries, statistics.connections_opened) == (3 + 1, 0, 1)
    assert (statistics.breaker_opened, statistics.in_flight, statistics.hidden_key_set) == (0, 0, 0)


def test_validations_under_way_are_counted(hanging: AnsweringServer) -> None:
    client = hanko.Client(hanging.url)
    threads = [threading.Thread(target=lambda: pytest.raises(hanko.InvalidToken, client.validate, "t")) for _ in "123"]
    for thread in threads:
        thread.start()
    wait_until(lambda: client.statistics().in_flight == 3)
    hanging.stopping.set()
    for thread in threads:
        thread.join()
    assert client.statistics().in_flight == 0
    client.close()


def wait_until(condition: Any, seconds: float = 20) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


# --- Secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [SECRET, SECRET + "\ud800", SECRET + "\0", SECRET * 20_000], ids=range(4))
def test_no_token_in_exceptions_or_logs(
    accepting: AnsweringServer, token: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANKO_LOG", "debug")
    caplog.set_level("DEBUG", "hanko")
    accepting.answer = lambda token: {"is_valid": False, "message": token}
    with hanko.Client(accepting.url) as client:
        for call in (lambda: client.validate(token), lambda: client.authenticate(f"hanko={token}", f"Bearer {token}")):
            with pytest.raises(hanko.InvalidToken) as caught:
                call()
            error: Any = caught.value
            while error is not None:
                assert SECRET not in "".join(traceback.format_exception_only(type(error), error))
                assert SECRET not in repr(error.__dict__) + repr(error.args)
                error = error.__cause__ or error.__context__
    assert SECRET not in caplog.text


# --- Threads ----------------------------------------------------------------------------------------------------------


def test_many_threads_at_once(accepting: AnsweringServer) -> None:
    accepting.answer = lambda token: yes(subject=USER) if token.startswith("yes") else {"is_valid": False}
    failures: list[str] = []

    def ask(number: int) -> None:
        for round_ in range(25):
            good = (number + round_) % 2 == 0
            try:
                session = client.validate(f"yes-{number}" if good else f"no-{number}")
                if not good or session.user_id != USER:
                    failures.append("a wrong yes")
            except hanko.InvalidToken as error:
                if good or str(error) != "Hanko rejected the session token":
                    failures.append(f"a wrong no: {error}")

    with hanko.Client(accepting.url) as client:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        results = client.statistics().results
    assert failures == []
    assert (results["HANKO_OK"], results["HANKO_INVALID_TOKEN"]) == (200, 200)


def test_each_thread_gets_its_own_text(refused_url: str, accepting: AnsweringServer) -> None:
    clients = [hanko.Client(refused_url, max_retries=0), hanko.Client(accepting.url)]
    texts: list[set[str]] = [set(), set()]

    def ask(index: int) -> None:
        for _ in range(50):
            try:
                clients[index].validate("no")
            except hanko.HankoError as error:
                texts[index].add(str(error))

    threads = [threading.Thread(target=ask, args=(index % 2,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert texts[1] == {"Hanko rejected the session token"}
    assert texts[0] and not texts[0] & texts[1]


def test_other_threads_run_during_a_call(hanging: AnsweringServer) -> None:
    with hanko.Client(hanging.url) as client:
        thread = threading.Thread(target=lambda: pytest.raises(hanko.InvalidToken, client.validate, "token"))
        thread.start()
        wait_until(lambda: client.statistics().in_flight == 1)
        began = time.monotonic()
        steps = 0
        while time.monotonic() - began < 0.3:
            time.sleep(0.001)
            steps += 1
        # If the call held the interpreter lock, nothing would have run before it ended.
        assert thread.is_alive() and steps > 10
        hanging.stopping.set()
        thread.join()


# --- The end ----------------------------------------------------------------------------------------------------------


def test_a_closed_client(accepting: AnsweringServer) -> None:
    client = hanko.Client(accepting.url)
    assert client.validate("token").session_id == SESSION
    client.close()
    client.close()
    for call in (lambda: client.validate("token"), lambda: client.authenticate("hanko=a"), client.check):
        with pytest.raises(RuntimeError, match="this Client is closed"):
            call()
    with pytest.raises(RuntimeError, match="closed"):
        client.statistics()
    assert accepting.tokens == ["token"]


def test_statistics_of_a_client_that_is_freed_meanwhile(accepting: AnsweringServer) -> None:
    client = hanko.Client(accepting.url)
    client._native.free()
    with pytest.raises(hanko.HankoError, match="is NULL"):
        client._native.statistics()
    client.close()


def test_with_closes_also_after_an_exception(accepting: AnsweringServer) -> None:
    with pytest.raises(KeyError):
        with hanko.Client(accepting.url) as client:
            raise KeyError
    with pytest.raises(RuntimeError):
        client.validate("token")


def test_close_waits_for_calls_and_refuses_new_ones(hanging: AnsweringServer) -> None:
    client = hanko.Client(hanging.url)
    ended: list[str] = []

    def ask() -> None:
        try:
            client.validate("token")
        except hanko.InvalidToken:
            ended.append("call")

    def close() -> None:
        client.close()
        ended.append("close")

    calls = [threading.Thread(target=ask) for _ in range(3)]
    for thread in calls:
        thread.start()
    wait_until(lambda: len(hanging.tokens) == 3)
    closers = [threading.Thread(target=close) for _ in range(2)]
    for thread in closers:
        thread.start()
    wait_until(lambda: client._closed)
    with pytest.raises(RuntimeError, match="closed"):
        client.validate("token")
    assert ended == []
    hanging.stopping.set()
    for thread in calls + closers:
        thread.join()
    assert sorted(ended) == ["call"] * 3 + ["close"] * 2
    assert len(hanging.tokens) == 3


def test_closing_from_a_signal_handler_in_the_middle_of_a_call(hanging: AnsweringServer) -> None:
    client = hanko.Client(hanging.url, timeout=1, max_retries=0)
    before = signal.signal(signal.SIGALRM, lambda *_: client.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(hanko.AuthenticationTimeout):
            client.validate("token")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(RuntimeError, match="closed"):
        client.validate("token")
    assert client._native.handle == 0


def test_an_exception_from_a_signal_handler_leaves_nothing_behind(hanging: AnsweringServer) -> None:
    class Alarm(Exception):
        pass

    def alarm(*_: object) -> None:
        raise Alarm

    client = hanko.Client(hanging.url, timeout=0.5, max_retries=0)
    before = signal.signal(signal.SIGALRM, alarm)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Alarm):
            client.validate("token")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    client.close()  # would wait for ever for a call that is not there
    assert client._native.handle == 0


def test_clients_are_freed_without_the_garbage_collector(
    accepting: AnsweringServer, refused_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = _library.library()
    freed: list[int] = []
    free = library.client_free
    monkeypatch.setattr(library, "client_free", lambda handle: (freed.append(handle), free(handle)))
    gc.collect()
    gc.disable()
    try:
        client = hanko.Client(accepting.url)
        handle = client._native.handle
        session = client.validate("token")
        for token in ("no", None):
            with pytest.raises(hanko.InvalidToken):
                client.validate(token)
        client.check
        references = [weakref.ref(client), weakref.ref(client._native)]
        del client
        assert [reference() for reference in references] == [None, None]
        assert freed == [handle]

        broken = hanko.Client(refused_url)
        with pytest.raises(hanko.NotChecked):
            broken.validate("token")
        reference = weakref.ref(broken)
        del broken
        assert reference() is None and len(freed) == 2

        errors = weakref.WeakSet()
        with hanko.Client(accepting.url) as client:
            for _ in range(10):
                try:
                    client.validate("no")
                except hanko.InvalidToken as error:
                    errors.add(error)
        assert len(errors) == 0
        assert len(freed) == 3
        assert session.user_id == USER
    finally:
        gc.enable()


def test_every_session_is_freed_once(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    library = _library.library()
    freed: list[int] = []
    read: list[int] = []
    free, user_id = library.session_free, library.session_user_id
    monkeypatch.setattr(library, "session_free", lambda handle: (freed.append(handle), free(handle)))
    monkeypatch.setattr(library, "session_user_id", lambda handle: (read.append(handle), user_id(handle))[1])
    with hanko.Client(accepting.url) as client:
        for _ in range(5):
            client.validate("token")
            with pytest.raises(hanko.InvalidToken):
                client.validate("no")
        monkeypatch.setattr(library, "session_id", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            client.validate("token")
    assert len(read) == 6 and freed == read


@pytest.mark.parametrize("kind", [hanko.Client, hanko.AsyncClient])
def test_clients_cannot_be_pickled_or_copied(kind: Any) -> None:
    client = kind("http://127.0.0.1:1")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=f"a {kind.__name__} cannot be pickled or copied: make one in each process"):
            attempt(client)
