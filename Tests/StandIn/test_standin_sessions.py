"""How sessions live and end, over the public and the admin port."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import Any

import pytest
from hanko.standin import StandIn
from raw_http import ask, validate

NO_SESSION = "00000000-0000-4000-8000-000000000000"


def seconds(text: str) -> float:
    """A time in an answer as seconds since 1970; the fraction is cut to microseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    start = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return start.timestamp() + int((fraction + "000000")[:6]) / 1e6


def is_valid(standin: StandIn, token: str) -> bool:
    answer = validate(standin.api_url, token)
    assert answer.status == 200
    return answer.json()["is_valid"] is True


def test_life_of_a_session_through_the_admin_api(standin: StandIn) -> None:
    """Create a user and a session, find it valid, list it, end it, delete the user."""
    created = ask(standin.admin_url, "POST", "/users", {"emails": [{"address": "Ada@Example.com", "is_primary": True}]})
    assert created.status == 200
    user = created.json()
    assert user["emails"][0]["address"] == "ada@example.com"
    assert user["emails"][0]["is_verified"] is False
    assert ask(standin.admin_url, "GET", f"/users/{user['id']}").json() == user
    assert [entry["id"] for entry in ask(standin.admin_url, "GET", "/users").json()] == [user["id"]]

    wanted = {"user_id": user["id"], "user_agent": "curl", "ip_address": "192.0.2.7"}
    minted = ask(standin.admin_url, "POST", "/sessions", wanted)
    assert minted.status == 200 and list(minted.json()) == ["session_token"]
    token = minted.json()["session_token"]
    answer = validate(standin.api_url, token).json()
    assert answer["is_valid"] is True and answer["user_id"] == user["id"]

    path = f"/users/{user['id']}/sessions"
    (row,) = ask(standin.admin_url, "GET", path).json()
    assert row["id"] == answer["claims"]["session_id"]
    assert (row["user_agent"], row["ip_address"]) == ("curl", "192.0.2.7")
    assert ask(standin.admin_url, "GET", f"{path}/{row['id']}").json() == row
    assert ask(standin.admin_url, "DELETE", f"{path}/{row['id']}").status == 204
    assert ask(standin.admin_url, "DELETE", f"{path}/{row['id']}").status == 404
    assert ask(standin.admin_url, "GET", path).json() == []
    assert not is_valid(standin, token)

    again = ask(standin.admin_url, "POST", "/sessions", {"user_id": user["id"]}).json()["session_token"]
    assert is_valid(standin, again)
    assert ask(standin.admin_url, "DELETE", f"/users/{user['id']}").status == 204
    assert not is_valid(standin, again)
    assert ask(standin.admin_url, "DELETE", f"/users/{user['id']}").status == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/users", {}, 400, "at least one of [Emails, Username] must be set"),
        ("/users", {"emails": [{"address": "a@b.example"}]}, 400, "at least one primary email must be provided"),
        ("/users", {"emails": [{"address": "nobody"}]}, 400, "address must be a valid email address"),
        ("/users", {"username": "carol", "id": "7"}, 400, 'uuid: incorrect UUID length 1 in string "7"'),
        ("/sessions", {}, 400, "user_id is a required field"),
        ("/sessions", {"user_id": "7"}, 400, "user_id must be a valid uuid"),
        ("/sessions", {"user_id": NO_SESSION}, 404, "user not found"),
        (
            "/sessions",
            {"ip_address": "here"},
            400,
            "user_id is a required field and ip_address must be a valid ip address (v4 or v6)",
        ),
        (
            "/sessions",
            {"user_id": 7},
            400,
            "Unmarshal type error: expected=string, got=number, field=user_id, offset=13",
        ),
        ("/nothing", {}, 404, "Not Found"),
    ],
)
def test_admin_errors(standin: StandIn, path: str, body: Any, status: int, message: str) -> None:
    response = ask(standin.admin_url, "POST", path, body)
    assert response.json() == {"code": status, "message": message}
    assert response.status == status


def test_taken_addresses_and_names(standin: StandIn) -> None:
    body = {"username": "carol", "id": NO_SESSION}
    assert ask(standin.admin_url, "POST", "/users", body).status == 200
    assert ask(standin.admin_url, "POST", "/users", body).status == 409
    assert ask(standin.admin_url, "POST", "/users", {"username": "Carol"}).status == 409


def test_session_of_another_user_is_not_found(standin: StandIn) -> None:
    session, other = standin.mint_session(), standin.mint_session()
    path = f"/users/{other.user_id}/sessions/{session.session_id}"
    assert ask(standin.admin_url, "DELETE", path).status == 404
    assert ask(standin.admin_url, "DELETE", f"/users/{other.user_id}/sessions/7").status == 400
    assert is_valid(standin, session.token)


def test_revoke_and_delete_user_in_python(standin: StandIn) -> None:
    user = standin.add_user("ada@example.com")
    first, second = standin.mint_session(user), standin.mint_session(user)
    assert standin.revoke(first) and not standin.revoke(first)
    assert not is_valid(standin, first.token) and is_valid(standin, second.token)
    assert standin.delete_user(user.id)
    assert not is_valid(standin, second.token)


def test_oldest_session_goes_at_the_limit(make_standin: Any) -> None:
    standin = make_standin(session_limit=2)
    user = standin.add_user()
    sessions = [standin.mint_session(user) for _ in range(3)]
    assert [is_valid(standin, session.token) for session in sessions] == [False, True, True]


def test_logout_by_bearer_and_what_it_answers(standin: StandIn) -> None:
    session = standin.mint_session()
    response = ask(standin.api_url, "POST", "/logout", token=session.token)
    assert response.status == 204
    assert response.header("Set-Cookie") == "hanko=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    assert not is_valid(standin, session.token)
    again = ask(standin.api_url, "POST", "/logout", token=session.token)
    assert (again.status, again.json()) == (401, {"code": 401, "message": "Unauthorized"})
    webhook = ask(standin.api_url, "POST", "/logout", token=standin.mint_webhook_token())
    assert webhook.status == 401


def test_expired_token(standin: StandIn) -> None:
    expired = standin.mint_expired()
    assert not is_valid(standin, expired.token)
    assert standin.database.session(expired.session_id) is not None


def test_session_expires_by_the_clock(make_standin: Any) -> None:
    standin = make_standin(lifespan="1h")
    session = standin.mint_session()
    standin.advance_clock(3500)
    assert is_valid(standin, session.token)
    standin.advance_clock(200)
    assert not is_valid(standin, session.token)


def test_idle_timeout_moves_by_post_only(make_standin: Any) -> None:
    """GET shows when the session ends for want of use; POST is a use."""
    standin = make_standin(idle_timeout="10m")
    session = standin.mint_session()
    standin.advance_clock(300)
    before = ask(standin.api_url, "GET", "/sessions/validate", token=session.token).json()["idle_expires_at"]
    posted = validate(standin.api_url, session.token).json()["idle_expires_at"]
    after = ask(standin.api_url, "GET", "/sessions/validate", token=session.token).json()["idle_expires_at"]
    now = standin.clock.now() / 1e9
    assert seconds(before) == pytest.approx(now + 300, abs=60)
    assert seconds(posted) == pytest.approx(now + 600, abs=60)
    assert seconds(after) == seconds(posted)
    for text, digits in ((before, 6), (posted, 9), (after, 6)):
        assert re.fullmatch(rf"[^.]+(\.\d{{0,{digits - 1}}}[1-9])?Z", text)


def test_idle_session_is_deleted_by_get_too(make_standin: Any) -> None:
    standin = make_standin(idle_timeout="10m", cookie_name="session")
    session = standin.mint_session()
    standin.advance_clock(601)
    response = ask(standin.api_url, "GET", "/sessions/validate", token=session.token)
    assert response.json() == {"is_valid": False}
    assert response.header("Set-Cookie") == "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    assert standin.database.session(session.session_id) is None
    assert ask(standin.api_url, "POST", "/logout", token=session.token).status == 401


def test_idle_end_is_capped_at_expiration(make_standin: Any) -> None:
    standin = make_standin(idle_timeout="24h", lifespan="2h")
    answer = validate(standin.api_url, standin.mint_session().token).json()
    assert answer["idle_expires_at"] == answer["expiration_time"] == answer["claims"]["expiration"]


def test_times_are_those_of_now(standin: StandIn) -> None:
    answer = validate(standin.api_url, standin.mint_session().token).json()
    assert seconds(answer["claims"]["issued_at"]) == pytest.approx(time.time(), abs=60)
    assert seconds(answer["expiration_time"]) == pytest.approx(time.time() + 12 * 3600, abs=60)


def test_database_switch_while_running(standin: StandIn) -> None:
    """Down: every token is "not valid", the key set fails, health says ready. Up: all as before."""
    session = standin.mint_session()
    switch = ("PUT", "/standin/database")
    assert ask(standin.admin_url, *switch, {"down": True}).json() == {"down": True}
    assert standin.database_down
    assert not is_valid(standin, session.token)
    assert ask(standin.api_url, "GET", "/.well-known/jwks.json").status == 500
    assert ask(standin.api_url, "GET", "/health/ready").json() == {"ready": True}
    assert ask(standin.api_url, "POST", "/sessions/validate", {}).status == 400
    assert ask(standin.admin_url, "POST", "/standin/session").status == 500
    assert ask(standin.admin_url, "GET", "/users").status == 500
    assert ask(standin.admin_url, "GET", "/standin/database").json() == {"down": True}
    assert ask(standin.admin_url, *switch, {"down": False}).json() == {"down": False}
    assert is_valid(standin, session.token)
    assert ask(standin.api_url, "GET", "/.well-known/jwks.json").status == 200


def test_database_down_from_the_start(make_standin: Any) -> None:
    standin = make_standin(database_down=True, tenant=True)
    response = validate(standin.api_url, "x")
    assert (response.status, response.json()["message"]) == (500, "failed to load tenant")


def test_standin_paths_mint_what_they_say(standin: StandIn) -> None:
    base = standin.admin_url
    user = ask(base, "POST", "/standin/session", {"email": "ada@example.com", "amr": ["pwd"]}).json()
    answer = validate(standin.api_url, user["session_token"]).json()
    assert answer["is_valid"] is True
    assert answer["claims"]["amr"] == ["pwd"]
    assert answer["claims"]["session_id"] == user["session_id"]
    named = {"user_id": user["user_id"]}
    expired = ask(base, "POST", "/standin/expired-token", {**named, "seconds_ago": 5}).json()
    assert expired["user_id"] == user["user_id"]
    assert not is_valid(standin, expired["session_token"])
    for how in ("signature", "other-key", "alg-none"):
        forged = ask(base, "POST", "/standin/forged-token", {**named, "how": how}).json()
        assert not is_valid(standin, forged["session_token"])
    webhook = ask(base, "POST", "/standin/webhook-token", {"event": "user.login"}).json()
    assert webhook["event"] == "user.login"
    assert validate(standin.api_url, webhook["token"]).status == 400
    counts = ask(base, "GET", "/standin/counts").json()
    assert counts == {"requests": standin.requests, "connections": standin.connections}
    assert counts["requests"] == 6
    ask(base, "POST", "/standin/clock", {"advance_seconds": 13 * 3600})
    assert not is_valid(standin, user["session_token"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/standin/session", {"e-mail": "x"}),
        ("/standin/session", {"email": 7}),
        ("/standin/session", {"amr": [7]}),
        ("/standin/session", {"lifespan": True}),
        ("/standin/session", []),
        ("/standin/forged-token", {"how": "well"}),
    ],
)
def test_standin_paths_refuse_what_they_do_not_know(standin: StandIn, path: str, body: Any) -> None:
    assert ask(standin.admin_url, "POST", path, body).status == 400


def test_standin_paths_are_not_on_the_public_port(standin: StandIn) -> None:
    assert ask(standin.api_url, "POST", "/standin/session").status == 404
    assert ask(standin.api_url, "POST", "/users", {"username": "carol"}).status == 404


def test_tenant_is_in_both_urls(make_standin: Any) -> None:
    tenant = "11111111-2222-4333-8444-555555555555"
    standin = make_standin(tenant=tenant)
    assert standin.api_url.endswith("/" + tenant) and standin.admin_url.endswith("/" + tenant)
    user = ask(standin.admin_url, "POST", "/users", {"username": "carol"}).json()
    token = ask(standin.admin_url, "POST", "/sessions", {"user_id": user["id"]}).json()["session_token"]
    assert is_valid(standin, token)
    assert ask(standin.admin_url, "POST", "/standin/session").status == 200
    assert ask(standin.admin_url.rpartition("/")[0], "POST", "/users", {"username": "x"}).status == 400
