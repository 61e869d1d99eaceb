"""Replays what was recorded of a real Hanko against the stand-in and compares the answers.

The tokens in the recording are hidden and have expired, so each case gets one that is minted for it
on a stand-in that is configured as the `server` field says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Callable

import pytest
from hanko.standin import Email, MintedSession, SigningKey, StandIn, User
from raw_http import Connection, Response, ask, validate

RECORDED = Path(__file__).resolve().parents[1] / "Recorded"
CASES: list[dict[str, Any]] = json.loads((RECORDED / "cases.json").read_text(encoding="utf-8"))

# Cases that the stand-in has no part in, with the reason.
NOT_REPLAYED = {
    "webhook-session.create.admin": "a request that Hanko sends; the stand-in calls nobody",
    "webhook-session.delete.admin.revoke": "a request that Hanko sends; the stand-in calls nobody",
}
REPLAYED = [case for case in CASES if case["case"] not in NOT_REPLAYED]

# The configuration behind the words in the field `server`.
SERVERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "session.idle_timeout: 3s": {"idle_timeout": 3},
    "session.lifespan: 2s": {"lifespan": 2},
    "issuer, two audiences, idle_timeout 1h, jwt_template with awkward claims": {
        "issuer": "https://issuer.example",
        "audience": ["one.example", "two.example"],
        "idle_timeout": "1h",
        "custom_claims": {
            "big": 9007199254740993,
            "expiration": "2999-01-01T00:00:00Z",
            "is_valid": True,
            "nested": {"b": "<x>&", "a": [1, 2.5, None]},
            "role": "user",
            "subject": "attacker-chosen",
            "uni": "ä😀",
            "verified": False,
        },
    },
    "jwt_template with a 6 kB claim": {"custom_claims": {"blob": "x" * 6000}},
    "multi_tenancy.enabled": {"tenant": True},
    "webhooks enabled": {},
    "database stopped while serving": {},
    "database started again": {},
}

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SECONDS = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d"

# How each field that differs from one run to the next is made comparable. Everything else must be
# equal to the byte: other claims, their order, the blanks of `?pretty`, the newline at the end.
NORMALISED: list[tuple[str, str, str]] = [
    # field                            what is replaced                               by what
    ("user_id and claims.subject", rf'("(?:user_id|subject)": ?)"{UUID}"', r'\1"<user>"'),
    ("claims.session_id", rf'("session_id": ?)"{UUID}"', r'\1"<session>"'),
    ("idle_expires_at", rf'("idle_expires_at": ?)"{SECONDS}(?:\.\d{{0,8}}[1-9])?Z"', r'\1"<idle end>"'),
    ("kid of a key", rf'("kid": ?)"{UUID}"', r'\1"<kid>"'),
    ("modulus of a key", r'("n": ?)"[A-Za-z0-9_-]{300,}"', r'\1"<modulus>"'),
    ("a claim of 6 kB", r"x{1000,}", "<xxx>"),
]
# claims.issued_at, claims.expiration and expiration_time are not dropped but counted from the issue,
# so a wrong lifespan shows.
WHOLE_SECONDS = re.compile(rf'"({SECONDS})Z"')
ISSUED_AT = re.compile(rf'"issued_at": ?"({SECONDS})Z"')

# Header values that differ from one run to the next must match these; all others must be equal.
HEADER_FORMATS = {
    "Date": r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "X-Request-Id": r"[A-Za-z]{32}|my-id-1",
    "Content-Length": r"[1-9]\d*",
}


def normalise(body: str) -> str:
    """The body with everything replaced that may differ from run to run."""
    issued = ISSUED_AT.search(body)
    if issued is not None:
        start = datetime.fromisoformat(issued.group(1))

        def since_issue(match: re.Match[str]) -> str:
            return f'"<issue + {(datetime.fromisoformat(match.group(1)) - start).total_seconds():.0f} s>"'

        body = WHOLE_SECONDS.sub(since_issue, body)
    for _, pattern, placeholder in NORMALISED:
        body = re.sub(pattern, placeholder, body)
    return body


def ended_by_logout(standin: StandIn, session: MintedSession) -> None:
    assert ask(standin.api_url, "POST", "/logout", token=session.token).status == 204


def ended_with_user(standin: StandIn, session: MintedSession) -> None:
    assert ask(standin.admin_url, "DELETE", f"/users/{session.user_id}").status == 204


def ended_by_admin(standin: StandIn, session: MintedSession) -> None:
    path = f"/users/{session.user_id}/sessions/{session.session_id}"
    assert ask(standin.admin_url, "DELETE", path).status == 204


def used(standin: StandIn, session: MintedSession) -> None:
    assert validate(standin.api_url, session.token).json()["is_valid"] is True


def used_two_seconds_ago(standin: StandIn, session: MintedSession) -> None:
    used(standin, session)
    standin.advance_clock(2)


def idle_for_four_seconds(standin: StandIn, session: MintedSession) -> None:
    used(standin, session)
    standin.advance_clock(4)


def idle_and_found_out(standin: StandIn, session: MintedSession) -> None:
    idle_for_four_seconds(standin, session)
    assert validate(standin.api_url, session.token).json() == {"is_valid": False}


def past_expiration(standin: StandIn, session: MintedSession) -> None:
    used(standin, session)
    standin.advance_clock(3)


def database_stopped(standin: StandIn, session: MintedSession) -> None:
    standin.database_down = True


def database_came_back(standin: StandIn, session: MintedSession) -> None:
    standin.database_down = True
    assert validate(standin.api_url, session.token).json() == {"is_valid": False}
    standin.database_down = False


# What happened to the session before the recorded request.
BEFOREHAND: dict[str, Callable[[StandIn, MintedSession], None]] = {
    "valid-again": used,
    "revoked": ended_by_admin,
    "after-logout": ended_by_logout,
    "user-deleted": ended_with_user,
    "idle-get": used,
    "idle-extended": used_two_seconds_ago,
    "idle-expired": idle_for_four_seconds,
    "idle-expired-again": idle_and_found_out,
    "expired": past_expiration,
    "database-down-valid-token": database_stopped,
    "database-down-garbage": database_stopped,
    "database-down-get": database_stopped,
    "database-down-jwks": database_stopped,
    "database-down-ready": database_stopped,
    "database-back": database_came_back,
    "database-back-2": database_came_back,
}

# Cases whose token is not that of the live session.
OTHER_TOKENS: dict[str, Callable[[StandIn, User], str]] = {
    "token-one-byte-changed": lambda standin, user: standin.mint_forged(user, "signature").token,
    "alg-none": lambda standin, user: standin.mint_forged(user, "alg-none").token,
    "webhook-token": lambda standin, user: standin.mint_webhook_token(user=user),
}


def user_of(standin: StandIn, case: dict[str, Any]) -> User:
    """A user with the e-mail or username that the recorded answer shows."""
    body = case["response"]["body"]
    if "carol" in body:
        return standin.add_user(username="carol")
    address, verified = ("bob@example.com", False) if "bob@" in body else ("ada@example.com", True)
    return standin.database.add_user([Email(address, is_verified=verified)])


def request_body(case: dict[str, Any], token: str) -> bytes:
    """The recorded body with `token` in it, whole where the recording is shortened."""
    text: str = case["request"]["body"]
    shortened = re.search(r"…\((\d+) bytes\)$", text)
    if case["case"] == "big-claims":
        text = '{"session_token": "<token>"}'
    elif shortened is not None:
        start, end = '{"session_token": "', '"}'
        text = start + "a" * (int(shortened.group(1)) - len(start) - len(end)) + end
    elif case["case"] == "token-invalid-utf8":
        return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match.group(1).decode()), text.encode())
    body = text.replace("<token>", token).encode("utf-8")
    framed = re.fullmatch(rb"[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n", body, re.DOTALL)
    if framed is not None:
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(framed.group(1)), framed.group(1))
    return body


def rebuild(case: dict[str, Any], token: str) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Method, path, headers and body of the recorded request, with `token` in the place of the hidden one."""
    request = case["request"]
    body = request_body(case, token)
    path = re.sub(r"=eyJ[A-Za-z0-9_.-]+", f"={token}", request["path"])
    headers = []
    for name, value in request["headers"]:
        headers.append((name, str(len(body)) if name == "Content-Length" else value.replace("<token>", token)))
    return request["method"], path, headers, body


def recorded_response(case: dict[str, Any]) -> Response:
    """The recorded answer, without the framing of chunks."""
    recorded = case["response"]
    response = Response(recorded["status_line"], [tuple(header) for header in recorded["headers"]], b"", 0)
    text: str = recorded["body"]
    if response.header("Transfer-Encoding") == "chunked":
        framed = re.fullmatch(r"[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n", text, re.DOTALL)
        assert framed is not None
        text, response.chunks = framed.group(1), 1
    response.body = text.encode("utf-8")
    return response


@pytest.fixture
def configured(request: pytest.FixtureRequest, signing_key: SigningKey) -> Iterator[StandIn]:
    """A stand-in with the configuration of the case."""
    with StandIn(key=signing_key, **SERVERS[request.param]) as standin:
        yield standin


@pytest.mark.parametrize(
    ("configured", "case"),
    [pytest.param(case["server"], case, id=case["case"]) for case in REPLAYED],
    indirect=["configured"],
)
def test_recorded_case(configured: StandIn, case: dict[str, Any]) -> None:
    """The stand-in answers the recorded request as Hanko did."""
    name = case["case"]
    user = user_of(configured, case)
    session = configured.mint_session(user)
    token = OTHER_TOKENS[name](configured, user) if name in OTHER_TOKENS else session.token
    if name in BEFOREHAND:
        BEFOREHAND[name](configured, session)
    method, path, headers, body = rebuild(case, token)
    expected = recorded_response(case)
    root = configured.api_url.rpartition("/")[0] if configured.settings.tenant else configured.api_url
    with Connection(root) as connection:
        actual = connection.exchange(method, path, headers, body)
        if ("Connection", "close") in headers:
            assert connection.is_closed()
        else:
            # The next answer on the connection shows that the framing of this one was right.
            prefix = f"/{configured.settings.tenant}" if configured.settings.tenant else ""
            configured.database_down = False
            after = connection.exchange("GET", f"{prefix}/health/ready", [("Host", "localhost")])
            assert after.json() == {"ready": True}

    assert actual.status_line == expected.status_line
    assert actual.header("Content-Type") == expected.header("Content-Type")
    assert normalise(actual.body.decode("utf-8")) == normalise(expected.body.decode("utf-8"))
    assert actual.chunks == expected.chunks
    assert [header for header, _ in actual.headers] == [header for header, _ in expected.headers]
    for (header, value), (_, recorded) in zip(actual.headers, expected.headers):
        if header in HEADER_FORMATS:
            assert re.fullmatch(HEADER_FORMATS[header], value), header
            assert re.fullmatch(HEADER_FORMATS[header], recorded), header
        else:
            assert value == recorded, header
    if b'"user_id"' in actual.body:
        assert actual.json()["user_id"] == user.id
        assert actual.json()["claims"]["session_id"] == session.session_id


def test_every_case_is_replayed_or_listed() -> None:
    """No recorded case is left out without a reason, and no reason is left over."""
    names = [case["case"] for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 89
    assert set(NOT_REPLAYED) < set(names)
    assert all(reason for reason in NOT_REPLAYED.values())
    assert sorted([case["case"] for case in REPLAYED] + list(NOT_REPLAYED)) == sorted(names)
    assert set(BEFOREHAND) | set(OTHER_TOKENS) <= {case["case"] for case in REPLAYED}


def test_normalising_hides_no_other_claim() -> None:
    """A claim that only looks like an id or a time is compared as it is."""
    body = '{"is_valid":true,"claims":{"expiration":"2999-01-01T00:00:00Z","subject":"attacker-chosen"}}\n'
    assert normalise(body) == body


@pytest.mark.parametrize("name", sorted(NOT_REPLAYED))
def test_webhook_token_has_the_recorded_shape(standin: StandIn, name: str) -> None:
    """What Hanko sends to a webhook and what the stand-in mints hold the same fields, in the same order."""
    (case,) = [case for case in CASES if case["case"] == name]
    recorded = case["decoded_token"]["payload"]
    event = json.loads(case["request"]["body"])["event"]
    minted = standin.key.public.verify(standin.mint_webhook_token(event))
    assert list(minted) == list(recorded)
    assert list(minted["data"]) == list(recorded["data"])
    assert minted["exp"] - minted["iat"] == recorded["exp"] - recorded["iat"]
    for claim in ("aud", "evt", "sub"):
        assert minted[claim] == recorded[claim]
