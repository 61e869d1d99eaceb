"""The conformance cases that were collected from Hanko's sources and its own tests, by their numbers.

Left out are 28 to 41: they speak of local signature checks (key sets, algorithms, `exp` and `iat`
compared here), and this library leaves signatures to Hanko. Of 27 only what holds without the
coalescing of equal calls, which is not there, and of 25 and 26 what holds without a cache.
"""

from __future__ import annotations

import calendar
import json
import time
from typing import Any, Callable, NamedTuple, Union

import pytest

from deadline import within
from fault_server import Script, answers, refused_port
from library import INVALID_TOKEN, MISCONFIGURED, NO_TOKEN, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import (
    BARE_YES,
    NIL_UUID,
    NO,
    OMIT,
    TOKEN,
    Session,
    chunked_response,
    compact,
    error_body,
    head,
    http_date,
    response,
    timestamp,
)
from test_threads import run_threads

LOGIN = Session()
LOGIN_TOKEN = LOGIN.token()


class Case(NamedTuple):
    """One exchange: a whole answer or a script, the token, and what must come of it."""

    reply: Union[bytes, Script]
    status: int
    token: bytes = LOGIN_TOKEN
    # Attributes of the session and claims (by "claims.<name>", as JSON) with their values.
    facts: dict[str, Any] = {}


def yes(facts: dict[str, Any] | None = None, token: bytes = LOGIN_TOKEN, **changes: Any) -> Case:
    """A yes for the login with these changes."""
    return Case(response(LOGIN.yes(**changes)), OK, token, facts or {})


def claims(**changes: Any) -> dict[str, Any]:
    """The login's claims as an argument for `yes`."""
    return {"claims": LOGIN.claims(**changes)}


def refused(body: bytes, status: int = PROTOCOL_ERROR) -> Case:
    """A 200 with this body, which is no yes."""
    return Case(response(body), status)


def after_request(action: Callable[[Any], None]) -> Script:
    """A script that reads a request and then does this."""
    return lambda connection: (connection.read_request(), action(connection))


WHO = {"user_id": LOGIN.user_id, "session_id": LOGIN.session_id}
WHEN = {"issued_at": LOGIN.issued_at, "expires_at": LOGIN.expires_at}
PAST = Session(lifetime=-600)

CASES: dict[str, Case] = {
    "1 full body": yes(
        {**WHO, **WHEN, "email": "ada@example.com", "email_verified": 1, "username": "ada", "claims.amr": '["pwd"]'},
        **claims(amr=["pwd"], username="ada"),
        idle_expires_at=timestamp(LOGIN.expires_at),
    ),
    "2 minimal claims": Case(
        response(
            compact(
                {
                    "is_valid": True,
                    "claims": {
                        "expiration": timestamp(LOGIN.expires_at),
                        "session_id": LOGIN.session_id,
                        "subject": LOGIN.user_id,
                    },
                }
            )
        ),
        OK,
        facts={**WHO, **WHEN, "email": None, "email_verified": 0, "username": None, "idle_expires_at": 0},
    ),
    "3 body without claims": yes({"user_id": LOGIN.user_id, "claims_json": None}, claims=OMIT),
    "3 body without claims, token of somebody's own": yes(
        {"user_id": LOGIN.user_id, "session_id": None, "expires_at": LOGIN.expires_at}, TOKEN, claims=OMIT
    ),
    "4 without deprecated fields": yes({**WHO, **WHEN}, user_id=OMIT, expiration_time=OMIT),
    "4 without deprecated fields, token of somebody's own": yes(
        {**WHO, **WHEN}, TOKEN, user_id=OMIT, expiration_time=OMIT
    ),
    "5 no": refused(NO, INVALID_TOKEN),
    "6 no with Set-Cookie": Case(
        response(NO, headers=[("Set-Cookie", "hanko=; Path=/; Max-Age=0; HttpOnly; Secure")]), INVALID_TOKEN
    ),
    "7 is_valid missing": refused(b"{}"),
    "7 is_valid null": refused(b'{"is_valid":null}'),
    "7 is_valid text true": refused(b'{"is_valid":"true"}'),
    "7 is_valid 1": refused(b'{"is_valid":1}'),
    "7 is_valid text false": refused(b'{"is_valid":"false"}'),
    "8 empty body": refused(b""),
    "8 null": refused(b"null"),
    "8 array": refused(b"[]"),
    "8 HTML": refused(b"<!doctype html><title>is_valid</title>"),
    "8 truncated": refused(b'{"is_valid":true'),
    "8 garbage behind": refused(b'{"is_valid":true}x'),
    "8 two documents": refused(b'{"is_valid":true}{"is_valid":true}'),
    "8 duplicate key": refused(b'{"is_valid":false,"is_valid":true}'),
    "8 duplicate key, the same twice": refused(b'{"is_valid":true,"is_valid":true}'),
    "9 other subject in claims": yes({"user_id": LOGIN.user_id}, **claims(subject=Session().user_id)),
    "10 nil user": Case(response(LOGIN.yes(user_id=NIL_UUID, **claims(subject=NIL_UUID))), PROTOCOL_ERROR),
    "10 nil user, token of somebody's own": Case(response(LOGIN.yes(user_id=NIL_UUID)), PROTOCOL_ERROR, TOKEN),
    # Made while it is asked: a Date that is minutes old says that the clocks differ.
    "11 expired ten minutes ago": Case(
        answers(lambda request: response(PAST.yes())), PROTOCOL_ERROR, PAST.token()
    ),
    "11 expired, and the clocks differ": Case(
        response(PAST.yes(), date=http_date(time.time() - 7200)), MISCONFIGURED, PAST.token()
    ),
    "12 400 required": Case(
        response(error_body(400, "code=400, message=session_token is a required field"), status=400), MISCONFIGURED
    ),
    "12 400 claims": Case(response(error_body(400, "failed to parse token claims: x"), status=400), INVALID_TOKEN),
    "13 tenant not found": Case(response(error_body(404, "tenant not found"), status=404), MISCONFIGURED),
    "13 405": Case(response(error_body(405, "Method Not Allowed"), status=405), MISCONFIGURED),
    "13 415": Case(response(error_body(415, "Unsupported Media Type"), status=415), MISCONFIGURED),
    "14 429 with seconds": Case(response(b"", status=429, headers=[("Retry-After", "7")]), UNAVAILABLE),
    "14 429 with a date": Case(
        response(b"", status=429, headers=[("Retry-After", http_date(time.time() + 7))]), UNAVAILABLE
    ),
    "14 429": Case(response(b"", status=429), UNAVAILABLE),
    "17 nobody listens": Case(b"", UNAVAILABLE),
    "17 empty reply": Case(after_request(lambda connection: connection.close()), UNAVAILABLE),
    "17 reset in the body": Case(
        after_request(
            lambda connection: (
                connection.send(response(BARE_YES, length=1000)),
                connection.wait(0.05),
                connection.reset(),
            )
        ),
        UNAVAILABLE,
    ),
    # Unavailable as a backend sees it; the library tells the deadline from the rest.
    "17 slow head": Case(after_request(lambda connection: connection.send_slowly(response(BARE_YES), 0.05)), TIMEOUT),
    "17 slow body": Case(
        after_request(
            lambda connection: (
                connection.send(response(BARE_YES)[: -len(BARE_YES)]),
                connection.send_slowly(BARE_YES, 0.2),
            )
        ),
        TIMEOUT,
    ),
    "17 silence": Case(after_request(lambda connection: connection.hang()), TIMEOUT),
    "18 NULL": Case(response(BARE_YES), NO_TOKEN, token=None),
    "18 empty": Case(response(BARE_YES), NO_TOKEN, b""),
    "18 not UTF-8": Case(response(BARE_YES), INVALID_TOKEN, b"a\xff"),
    "18 NUL": Case(response(BARE_YES), INVALID_TOKEN, b"a\0b"),
    "18 1 MB": Case(response(BARE_YES), INVALID_TOKEN, b"a" * 1_000_000),
    "22 escapes": Case(
        response(LOGIN.yes(**claims(username="MARK")).replace(b"MARK", rb"\u003cb\u003e \ud83d\ude00 \u0026 \u00e4")),
        OK,
        facts={"username": "<b> 😀 & ä", **WHO},
    ),
    "23 unknown fields": yes(WHO, new={"is_valid": False}, other=[1, 2], claim="x"),
    "24 chunked": Case(chunked_response(LOGIN.yes(), 7), OK, facts=WHO),
    "24 another content type": Case(
        head(200, [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(LOGIN.yes())))])
        + LOGIN.yes(),
        OK,
        facts=WHO,
    ),
    "25 idle end before the end": yes(
        {"expires_at": LOGIN.expires_at, "idle_expires_at": LOGIN.expires_at - 600},
        idle_expires_at=timestamp(LOGIN.expires_at - 600),
    ),
    "25 idle end is the end": yes(
        {"expires_at": LOGIN.expires_at, "idle_expires_at": LOGIN.expires_at},
        idle_expires_at=timestamp(LOGIN.expires_at),
    ),
}

CASES.update(
    {
        f"15 {status} {kind}": Case(response(body, status=status), UNAVAILABLE)
        for status in (500, 502, 503, 504)
        for kind, body in (("JSON", error_body(status, "x")), ("HTML", b"<html></html>"), ("a yes", BARE_YES))
    }
)
CASES.update(
    {
        f"18 sent as it is, {name}": Case(response(NO), INVALID_TOKEN, token)
        for name, token in {
            "quotes": b'a"b","x":"',
            "backslashes": b"a\\b\\",
            "control": b"\x01\x1f\x7f",
            "Bearer": b"Bearer test-token",
            "cookie": b"hanko=test-token; Path=/",
        }.items()
    }
)
CASES.update(
    {
        f"18 refused unasked, {name}": Case(response(LOGIN.yes()), INVALID_TOKEN, token)
        for name, token in {
            "blanks": b"   ",
            "line ends": b"\r\n",
            "Bearer": b"Bearer " + LOGIN_TOKEN,
            "cookie": b"hanko=" + LOGIN_TOKEN + b"; Path=/",
        }.items()
    }
)
CASES.update(
    {
        f"20 fraction of {digits} digits": yes(
            {"idle_expires_at": calendar.timegm((2031, 1, 2, 3, 4, 5))},
            idle_expires_at=f"2031-01-02T03:04:05{'.987654321'[: digits + 1] if digits else ''}Z",
        )
        for digits in (0, 3, 6, 9)
    }
)
CASES.update(
    {
        f"21 custom claim {kind}": Case(
            response(LOGIN.yes(**claims(custom="MARK")).replace(b'"MARK"', value)),
            OK,
            facts={**WHO, "claims.custom": value.decode()},
        )
        for kind, value in {
            "object": b'{"a":{"b":[1,{"c":null}]}}',
            "array": b'["x",[],{}]',
            "bool": b"true",
            "text of a bool": b'"true"',
            "beyond 2^53": b"9007199254740993",
            "float": b"1e+21",
        }.items()
    }
)
CASES.update(
    {
        "21 unicode key": yes({**WHO, "claims.ключ": "1"}, **claims(**{"ключ": 1})),
        "21 key is_valid": yes({**WHO, "claims.is_valid": "false"}, **claims(is_valid=False)),
        "21 key subject": yes({**WHO, "claims.subject": '"admin"'}, **claims(subject="admin")),
    }
)


@pytest.mark.parametrize("name", sorted(CASES, key=lambda name: (int(name.split()[0]), name)))
def test_case(serve, new_client, name):
    case = CASES[name]
    server = serve(answers(case.reply) if isinstance(case.reply, bytes) else case.reply)
    url = f"http://127.0.0.1:{refused_port()}" if name == "17 nobody listens" else server.url()
    client = new_client(url, timeout_ms=500 if case.status == TIMEOUT else 10_000)
    with within(8):
        outcome = client.validate(case.token)
    assert outcome.status == case.status, outcome.error
    for fact, value in case.facts.items():
        if fact.startswith("claims."):
            assert outcome.session.claim_json(fact[len("claims.") :]) == value
        else:
            assert getattr(outcome.session, fact) == value, fact
    if name.startswith("18 sent"):
        assert [request.token.encode() for request in server.requests] == [case.token]
    elif name.startswith("18"):
        assert server.connections == 0


def test_case_6_cookie_is_not_sent_back(serve, new_client):
    server = serve(answers(response(NO, headers=[("Set-Cookie", "hanko=deleted; Path=/")])))
    client = new_client(server.url())
    assert [client.validate(TOKEN).status for _ in range(3)] == [INVALID_TOKEN] * 3
    assert [request.header("Cookie") for request in server.requests] == [[], [], []]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("target", ["another host", "the same host", "file:///etc/passwd", "gopher://127.0.0.1/"])
def test_case_16_redirects(serve, new_client, status, target):
    other = serve(answers(response(BARE_YES)), use=False)
    location = {"another host": other.url("localhost"), "the same host": "/elsewhere"}.get(target, target)
    server = serve(answers(response(BARE_YES, status=status, headers=[("Location", location)])))
    outcome = new_client(server.url()).validate(LOGIN_TOKEN)
    assert outcome.status == MISCONFIGURED
    assert (len(server.requests), other.connections) == (1, 0)


def test_case_17_certificate(serve, new_client, tls):
    server = serve(answers(response(BARE_YES)), tls=tls.server_context())
    assert new_client(server.url()).validate(LOGIN_TOKEN).status == UNAVAILABLE
    assert server.requests == []


def test_case_19_request(serve, new_client):
    server = serve(answers(response(LOGIN.yes())))
    assert new_client(server.url(path="/tenant/")).validate(LOGIN_TOKEN).status == OK
    (request,) = server.requests
    assert request.line == "POST /tenant/sessions/validate HTTP/1.1"
    assert request.header("Content-Type") == ["application/json"]
    assert json.loads(request.body) == {"session_token": LOGIN_TOKEN.decode()}
    for name in ("Expect", "Cookie", "Authorization"):
        assert request.header(name) == []


def test_case_26_revoked(serve, new_client):
    client = new_client(serve(answers(response(LOGIN.yes()), response(NO))).url())
    assert [client.validate(LOGIN_TOKEN).status for _ in range(3)] == [OK, INVALID_TOKEN, INVALID_TOKEN]


def test_case_27_many_threads(serve, new_client):
    """One token from many threads: each is asked for itself, and each gets the session."""
    server = serve(answers(response(LOGIN.yes())))
    client = new_client(server.url())
    users = run_threads(16, lambda number: client.validate(LOGIN_TOKEN).session.user_id)
    assert set(users) == {LOGIN.user_id}
    assert len(server.requests) == 16


def test_every_case_is_there():
    """The numbers that the list has, without those of local signature checks."""
    numbers = {int(name.split()[0]) for name in CASES}
    numbers |= {int(name.split("_")[2]) for name in globals() if name.startswith("test_case_")}
    assert numbers == set(range(1, 28))
