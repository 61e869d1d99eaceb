"""A yes for somebody else: the audiences that HANKO_AUDIENCE asks for."""

from __future__ import annotations

import pytest

from library import INVALID_TOKEN, OK
from messages import BARE_YES, OMIT, Session, response


@pytest.mark.parametrize(
    "configured, audience, expected",
    [
        ("localhost", ["localhost"], OK),
        ("localhost", "localhost", OK),
        ("one.example,localhost", ["localhost"], OK),
        ("localhost", ["one.example", "localhost"], OK),
        ("localhost", ["one.example"], INVALID_TOKEN),
        ("localhost", "one.example", INVALID_TOKEN),
        ("localhost", [], INVALID_TOKEN),
        ("localhost", ["localhost.example"], INVALID_TOKEN),
        ("localhost", ["LOCALHOST"], INVALID_TOKEN),
        ("localhost.example", ["localhost"], INVALID_TOKEN),
        ("one.example,two.example", ["three.example"], INVALID_TOKEN),
        ("münchen.example", ["münchen.example"], OK),
    ],
)
def test_audience_of_the_token(status_of, monkeypatch, configured, audience, expected):
    monkeypatch.setenv("HANKO_AUDIENCE", configured)
    session = Session()
    body = session.yes(claims=session.claims(audience=audience))
    assert status_of(response(body), session.token(aud=audience)) == expected


@pytest.mark.parametrize(
    "audience, expected", [(["localhost"], OK), (["one.example"], INVALID_TOKEN), (OMIT, INVALID_TOKEN)]
)
def test_audience_in_claims_for_a_token_that_is_not_hankos(status_of, monkeypatch, audience, expected):
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    session = Session()
    body = session.yes(claims=session.claims(audience=audience))
    assert status_of(response(body)) == expected


def test_audience_of_nobody(status_of, monkeypatch):
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    assert status_of(response(BARE_YES)) == INVALID_TOKEN


def test_overwritten_audience_does_not_matter(status_of, monkeypatch):
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    session = Session()
    stolen = response(session.yes(claims=session.claims(audience=["localhost"])))
    assert status_of(stolen, session.token(aud=["one.example"])) == INVALID_TOKEN
    broken = response(session.yes(claims=session.claims(audience=["attacker-chosen"])))
    assert status_of(broken, session.token(aud=["localhost"])) == OK


def test_audience_is_not_looked_at_unless_configured(status_of):
    session = Session()
    body = session.yes(claims=session.claims(audience=["anything"]))
    assert status_of(response(body), session.token(aud=["anything"])) == OK
