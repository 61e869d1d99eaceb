"""What a test can do with its stand-in, seen through a client of this package."""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections.abc import Iterator
from typing import get_args
from urllib.parse import urlsplit

import pytest

import hanko
from hanko.pytest_plugin import HankoStandIn, MintedSession, Outage, SeenRequest
from hanko.standin.for_tests import OUTAGES


@pytest.fixture
def client(hanko_standin: HankoStandIn) -> Iterator[hanko.Client]:
    """A backend's client, configured by the environment."""
    with hanko.Client(timeout=30, max_retries=0) as client:
        yield client


def ask(client: hanko.Client, hanko_standin: HankoStandIn, session: MintedSession) -> hanko.Session:
    headers = {**hanko_standin.authorization_header(session), **hanko_standin.cookie_header(session)}
    assert client.authenticate(headers["Cookie"]) == client.authenticate(None, headers["Authorization"])
    return client.validate(session.token)


def test_a_session_of_a_made_up_user(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    minted = hanko_standin.mint_session()
    session = ask(client, hanko_standin, minted)
    assert (session.user_id, session.session_id) == (minted.user_id, minted.session_id)
    assert session.email is not None and session.email.endswith("@example.com")
    assert hanko_standin.mint_session().user_id != minted.user_id


def test_a_session_of_a_certain_user(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    user_id = uuid.uuid4()
    minted = hanko_standin.mint_session(
        user_id=user_id, email="ada@example.com", email_verified=False, username="ada", claims={"plan": "pro"}
    )
    session = ask(client, hanko_standin, minted)
    assert session.user_id == minted.user_id == str(user_id)
    assert (session.email, session.email_verified, session.username) == ("ada@example.com", False, "ada")
    assert session.claims["plan"] == "pro"


def test_custom_claims_do_not_replace_hanko_s(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    minted = hanko_standin.mint_session(claims={"sub": str(uuid.uuid4()), "session_id": "x"})
    session = client.validate(minted.token)
    assert (session.user_id, session.session_id) == (minted.user_id, minted.session_id)


def test_more_sessions_of_one_user(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    first = hanko_standin.mint_session(email="Ada@example.com")
    for again in (
        hanko_standin.mint_session(email="ada@example.com"),
        hanko_standin.mint_session(user_id=first.user_id),
    ):
        assert again.user_id == first.user_id and again.session_id != first.session_id
    hanko_standin.mint_session(email="eve@example.com", username="eve")
    with pytest.raises(ValueError, match="belong to a user that has another"):
        hanko_standin.mint_session(email="ada@example.com", username="eve")


def test_a_user_id_is_a_uuid(hanko_standin: HankoStandIn) -> None:
    with pytest.raises(ValueError, match="Hanko's user ids are UUIDs, and 'ada' is none"):
        hanko_standin.mint_session(user_id="ada")


def test_the_audience(hanko_standin: HankoStandIn) -> None:
    minted = [hanko_standin.mint_session(audience=audience) for audience in (None, "shop", ["blog", "shop"])]
    with hanko.Client(audiences=["shop"]) as client:
        with pytest.raises(hanko.InvalidToken):
            client.validate(minted[0].token)
        for accepted in minted[1:]:
            client.validate(accepted.token)


def test_sessions_end_in_all_the_ways_that_they_do(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    revoked, of_deleted, short = (hanko_standin.mint_session(lifespan=lifespan) for lifespan in (None, None, 30))
    for session in (revoked, of_deleted, short):
        client.validate(session.token)
    assert hanko_standin.revoke(revoked) and not hanko_standin.revoke(revoked)
    assert hanko_standin.delete_user(of_deleted.user_id) and not hanko_standin.delete_user(of_deleted.user_id)
    hanko_standin.advance_clock(31)
    for session in (revoked, of_deleted, short, hanko_standin.mint_expired(), hanko_standin.mint_forged()):
        with pytest.raises(hanko.InvalidToken):
            client.validate(session.token)


def test_the_cookie_has_the_name_that_the_backend_expects(
    hanko_standin: HankoStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hanko_standin.cookie_header("token") == {"Cookie": "hanko=token"}
    assert hanko_standin.cookie_header("token", "other") == {"Cookie": "other=token"}
    monkeypatch.setenv("HANKO_COOKIE_NAME", "login")
    assert hanko_standin.cookie_header("token") == {"Cookie": "login=token"}
    assert hanko_standin.authorization_header("token") == {"Authorization": "Bearer token"}


def test_the_requests_that_came(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    assert hanko_standin.requests == ()
    client.validate(session.token)
    hanko_standin.break_down("closing")
    with pytest.raises(hanko.NotChecked):
        client.validate("another")
    client_requests = [request for request in hanko_standin.requests if request.token == session.token]
    assert client_requests == [SeenRequest("POST", "/sessions/validate", session.token)]
    assert {request.token for request in hanko_standin.requests} == {session.token, "another"}


def test_nothing_shows_a_token(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    client.validate(session.token)
    assert session.token not in repr(session) + repr(hanko_standin) + repr(hanko_standin.requests)


OUTCOMES = {
    "unavailable": hanko.AuthenticationUnavailable,
    "closing": hanko.AuthenticationUnavailable,
    "refusing": hanko.AuthenticationUnavailable,
    "hanging": hanko.AuthenticationTimeout,
    "database-down": hanko.AuthenticationUnavailable,
}


def test_each_outage_is_looked_at_here() -> None:
    assert set(OUTCOMES) == set(OUTAGES) == set(get_args(Outage))


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_lasts_until_it_is_restored(outage: Outage, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    with hanko.Client(timeout=2, max_retries=0) as client:
        client.validate(session.token)
        for _ in range(2):
            with hanko_standin.broken(outage), pytest.raises(OUTCOMES[outage]) as caught:
                client.validate(session.token)
            assert caught.type is OUTCOMES[outage]
            client.validate(session.token)
        hanko_standin.break_down(outage)
        with pytest.raises(OUTCOMES[outage]):
            client.validate(session.token)
        hanko_standin.restore()
        assert client.validate(session.token).user_id == session.user_id


def test_an_outage_follows_another(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    for outage in ("refusing", "database-down", "closing"):
        hanko_standin.break_down(outage)
        with pytest.raises(OUTCOMES[outage]):
            client.validate(session.token)


def test_it_is_restored_where_a_test_fails(client: hanko.Client, hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    with pytest.raises(ZeroDivisionError), hanko_standin.broken():
        raise ZeroDivisionError
    client.validate(session.token)


def test_a_lost_database_is_a_no_where_rejections_are_not_confirmed(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.break_down("database-down")
    with hanko.Client(confirm_rejections=False) as client, pytest.raises(hanko.InvalidToken):
        client.validate(session.token)


def test_no_session_is_minted_without_a_database(hanko_standin: HankoStandIn) -> None:
    with hanko_standin.broken("database-down"), pytest.raises(RuntimeError, match="before the database goes down"):
        hanko_standin.mint_session()
    hanko_standin.mint_session()


def test_there_is_no_other_outage(hanko_standin: HankoStandIn) -> None:
    with pytest.raises(ValueError, match="an outage is one of unavailable, hanging, closing, refusing, database-down"):
        hanko_standin.break_down("503")  # type: ignore[arg-type]


def test_requests_that_hang_end_when_it_is_restored(hanko_standin: HankoStandIn) -> None:
    hanko_standin.break_down("hanging")
    address = urlsplit(hanko_standin.api_url)
    ended: list[str] = []

    def request() -> None:
        connection = http.client.HTTPConnection(address.netloc, timeout=120)
        try:
            connection.request("POST", address.path + "/sessions/validate", b'{"session_token":"a"}')
            ended.append(str(connection.getresponse().status))
        except http.client.RemoteDisconnected:
            ended.append("closed")
        finally:
            connection.close()

    threads = [threading.Thread(target=request) for _ in range(20)]
    for thread in threads:
        thread.start()
    while len(hanko_standin.requests) < len(threads):
        time.sleep(0.01)
    assert not ended
    hanko_standin.restore()
    for thread in threads:
        thread.join()
    assert ended == ["closed"] * len(threads)


def test_the_delay(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    hanko_standin.delay = 3600  # not waited for at the end of the test either
    assert hanko_standin.delay == 3600
    with hanko.Client(timeout=0.2) as client, pytest.raises(hanko.AuthenticationTimeout):
        client.validate(session.token)
    hanko_standin.delay = 0
    with hanko.Client() as client:
        client.validate(session.token)
