"""Every answer that a real Hanko gave to a POST has its one right verdict."""

from __future__ import annotations

import email.utils
import json
import pathlib
import re
import time
from datetime import datetime, timezone

import pytest

import child
from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR
from messages import Session
from resilience import compile_program

RECORDED = pathlib.Path(__file__).resolve().parents[1] / "Recorded"

CASES = {
    case["case"]: case
    for case in json.loads((RECORDED / "cases.json").read_text(encoding="utf-8"))
    if case["request"]["method"] == "POST" and "response" in case
}

# Written down by hand, not derived: the point is to say what is right.
EXPECTED = {
    OK: (
        "valid valid-again chunked-valid content-type-charset field-upper-case duplicate-keys-last-good extra-field "
        "trailing-bytes token-surrounded-by-blanks pretty valid-email-unverified valid-username-only valid-last "
        "idle-valid idle-extended short-valid custom-claims big-claims tenant-valid database-back database-back-2"
    ),
    INVALID_TOKEN: (
        "garbage-token blank-token duplicate-keys-last-bad token-bearer-prefix token-one-byte-changed token-nul-byte "
        "token-quotes token-invalid-utf8 token-1mib token-16mib accept-html request-id-echo http-1.0-close revoked "
        "after-logout user-deleted alg-none idle-expired idle-expired-again expired webhook-token "
        "database-down-valid-token database-down-garbage"
    ),
    MISCONFIGURED: (
        "empty-token null-token missing-field number-token array-token object-token top-level-array top-level-string "
        "broken-json broken-json-2 no-body chunked-empty-body no-content-type text-plain upper-case-content-type form "
        "trailing-slash double-slash wrong-path token-in-query tenant-missing tenant-unknown tenant-not-a-uuid"
    ),
}
VERDICTS = {name: status for status, names in EXPECTED.items() for name in names.split()}

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=(\.\d+)?Z)")


def recorded_at(case: dict) -> float:
    """When Hanko sent the answer, by its own Date."""
    dates = [value for name, value in case["response"]["headers"] if name == "Date"]
    return email.utils.parsedate_to_datetime(dates[0]).timestamp()


def move_to_now(case: dict) -> int:
    """By how many seconds every time has to be moved so that the answer was recorded just now."""
    return int(time.time() - recorded_at(case))


def shifted(case: dict, move: int | None = None) -> bytes:
    """The answer as it was on the wire, with every time moved; by default as if it was recorded just now."""
    if move is None:
        move = move_to_now(case)

    def moved(match: re.Match[str]) -> str:
        moment = datetime.strptime(match.group(), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
        return datetime.fromtimestamp(moment + move, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")

    answer = case["response"]
    headers = [
        (name, email.utils.formatdate(recorded_at(case) + move, usegmt=True) if name == "Date" else value)
        for name, value in answer["headers"]
    ]
    head = "\r\n".join([answer["status_line"]] + [f"{name}: {value}" for name, value in headers])
    return (head + "\r\n\r\n" + TIMESTAMP.sub(moved, answer["body"])).encode("utf-8")


def token_for(case: dict, move: int) -> bytes:
    """A token like the one that was hidden in the recording: of the session that the answer names, its times moved."""
    session = Session()
    answer = case["response"]["body"]
    expiry = re.search(r'"expiration_time":\s*"([^"]+)"', answer)
    if expiry:
        session.expires_at = int(datetime.fromisoformat(expiry.group(1).replace("Z", "+00:00")).timestamp()) + move
    for name, pattern in (("session_id", r'"session_id":\s*"([^"]+)"'), ("user_id", r'"user_id":\s*"([^"]+)"')):
        found = re.search(pattern, answer)
        if found:
            setattr(session, name, found.group(1))
    return session.token()


def test_every_case_has_a_verdict():
    assert sorted(CASES) == sorted(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_recorded_answer(library, serve, name):
    case = CASES[name]
    move = move_to_now(case)
    serve(answers(shifted(case, move)))
    assert library.ask(token_for(case, move)).status == VERDICTS[name]


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status == OK])
def test_recorded_yes_with_another_expiry(library, serve, name):
    case = CASES[name]
    move = move_to_now(case)
    serve(answers(shifted(case, move)))
    assert library.ask(token_for(case, move + 1)).status == PROTOCOL_ERROR


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status == OK])
def test_recorded_yes_for_another_token(library, serve, name):
    serve(answers(shifted(CASES[name])))
    assert library.ask(Session().token()).status == PROTOCOL_ERROR


@pytest.fixture(scope="module")
def moved_clock(tmp_path_factory):
    """The preloaded object that moves the clock."""
    return compile_program("moved_clock", tmp_path_factory.mktemp("clock"), shared=True)


@pytest.mark.parametrize("name, expected", [("valid", OK), ("valid-email-unverified", PROTOCOL_ERROR)])
def test_real_token_with_its_answer(serve, moved_clock, name, expected):
    """Both as they were recorded, at the time of the recording; and the answer about another session."""
    token = json.loads((RECORDED / "signed.json").read_text(encoding="utf-8"))["session_token"]
    server = serve(answers(shifted(CASES[name], 0)))
    outcome = child.run(
        f"answer = library.ask({token.encode()!r})\nreport([answer.status, int(time.time())])",
        {
            "HANKO_API_URL": server.url(),
            "LD_PRELOAD": str(moved_clock),
            "TEST_CLOCK_OFFSET": str(-move_to_now(CASES[name])),
        },
    )
    assert outcome.report == [expected, pytest.approx(recorded_at(CASES[name]), abs=600)]


def test_recorded_yes_a_day_after_it_ended(library, serve):
    case = CASES["valid"]
    late = {
        **case,
        "response": {**case["response"], "body": case["response"]["body"].replace("2026-11-2", "2026-10-2")},
    }
    serve(answers(shifted(late)))
    assert library.ask(token_for(late, move_to_now(late))).status == PROTOCOL_ERROR
