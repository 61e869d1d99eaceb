"""A yes for somebody else: the audiences that HANKO_AUDIENCE asks for."""

from __future__ import annotations

import pytest

from fault_server import answers
from library import INVALID_TOKEN, OK
from messages import BARE_YES, OMIT, TOKEN, Session, mint, response


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


@pytest.mark.parametrize("audience", [["localhost"], ["one.example"], OMIT])
def test_audience_of_a_token_that_is_not_hankos(library, serve, monkeypatch, audience):
    """Whoever writes `claims.audience`, it is not the token's."""
    session = Session()
    serve(answers(response(session.yes(claims=session.claims(audience=audience)))))
    tokens = [TOKEN, mint({"aud": ["localhost"]}), session.token(session_id="no UUID", aud=["localhost"])]
    for token in tokens:
        assert library.ask(token).status == OK
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    for token in tokens:
        answer = library.ask(token)
        assert answer.status == INVALID_TOKEN
        assert "audience" in answer.error and "localhost" in answer.error


@pytest.mark.parametrize("audience", [OMIT, None, 5, {}, "", []])
def test_claims_do_not_stand_in_for_an_audience_that_the_token_lacks(status_of, monkeypatch, audience):
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    session = Session()
    body = session.yes(claims=session.claims(audience=["localhost"]))
    assert status_of(response(body), session.token(aud=audience)) == INVALID_TOKEN


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
