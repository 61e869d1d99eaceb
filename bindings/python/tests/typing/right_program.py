"""A program that uses everything the package offers, each time with the type that it should have.

Never run: mypy and pyright read it. pyright: strict
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import fastapi
import flask
from fastapi.requests import HTTPConnection
from typing_extensions import assert_type

import hanko
import hanko.django
import hanko.fastapi
import hanko.flask
from hanko import (
    AsyncClient,
    AuthenticationTimeout,
    AuthenticationUnavailable,
    Cancelled,
    Client,
    ConfigurationError,
    HankoError,
    InvalidToken,
    Misconfigured,
    NotChecked,
    NoToken,
    ProtocolError,
    Session,
    Statistics,
    Status,
)
from hanko.standin import StandIn

if TYPE_CHECKING:
    from hanko.pytest_plugin import HankoStandIn, MintedSession, Outage, SeenRequest

assert_type(hanko.__version__, str)


def functions(token: Optional[str], header: Optional[bytes]) -> None:
    assert_type(hanko.validate(token), bool)
    assert_type(hanko.validate(b"token"), bool)
    valid, message = hanko.validate_session_token(header)
    assert_type(valid, bool)
    assert_type(message, Optional[str])


async def coroutines() -> bool:
    assert_type(await hanko.validate_async(None), bool)
    return await hanko.validate_async("token")


def clients() -> None:
    with Client(
        "https://tenant.hanko.io",
        cookie_name="hanko",
        timeout=1,
        connect_timeout=0.5,
        max_retries=0,
        max_connections=10,
        ca_file=Path("ca.pem"),
        allow_insecure_http=False,
        audiences=("a", "b"),
        confirm_rejections=True,
        logger=logging.getLogger("mine"),
    ) as client:
        assert_type(client, Client)
        assert_type(client.validate("token"), Session)
        assert_type(client.authenticate("hanko=token", None), Session)
        assert_type(client.authenticate(authorization_header=b"Bearer token"), Session)
        client.check()
        assert_type(client.statistics(), Statistics)
    client.close()
    Client(audiences=[]).close()


async def async_clients() -> None:
    async with AsyncClient(timeout=2.5) as client:
        assert_type(client, AsyncClient)
        assert_type(await client.validate(b"token"), Session)
        assert_type(await client.authenticate(cookie_header="hanko=token"), Session)
        await client.check()
        assert_type(client.statistics(), Statistics)
    await client.aclose()


def sessions(session: Session) -> None:
    assert_type(session.user_id, str)
    assert_type(session.session_id, Optional[str])
    assert_type(session.email, Optional[str])
    assert_type(session.email_verified, bool)
    assert_type(session.username, Optional[str])
    assert_type(session.issued_at, Optional[datetime])
    assert_type(session.expires_at, Optional[datetime])
    assert_type(session.idle_expires_at, Optional[datetime])
    claims: dict[str, Any] = session.claims
    Session(user_id="ada", claims=claims)


def counters(statistics: Statistics) -> None:
    results: Mapping[str, int] = statistics.results
    assert_type(results["HANKO_OK"], int)
    assert_type(statistics.requests, int)
    assert_type(statistics.retries, int)
    assert_type(statistics.connections_opened, int)
    assert_type(statistics.breaker_opened, int)
    assert_type(statistics.in_flight, int)


def answer(client: Client) -> tuple[int, str]:
    try:
        client.validate("token")
    except NoToken as error:
        return 401, error.client_message
    except InvalidToken as error:
        return 401, str(error)
    except ConfigurationError as error:
        value_error: ValueError = error
        return 503, str(value_error)
    except (AuthenticationTimeout, AuthenticationUnavailable, ProtocolError, Cancelled, Misconfigured) as error:
        not_checked: NotChecked = error
        return 503, not_checked.client_message
    except HankoError as error:
        assert_type(error.status, Status)
        assert_type(error.client_message, str)
        return 503, error.status.name
    return 200, ""


app = flask.Flask(__name__)
hanko.flask.Hanko(app, protected_paths=["/api"], timeout=2).init_app(app)


@app.get("/me")
@hanko.flask.require_session
def me(number: int) -> dict[str, Optional[str]]:
    return {"email": hanko.flask.current_session.email}


@app.get("/maybe")
@hanko.flask.require_session(optional=True)
def maybe() -> str:
    return hanko.flask.current_session.user_id if hanko.flask.current_session else "nobody"


assert_type(me(1), dict[str, Optional[str]])
assert_type(maybe(), str)

auth = hanko.fastapi.Hanko("https://tenant.hanko.io", timeout=2)
api = fastapi.FastAPI(lifespan=auth.lifespan)
other_api = fastapi.FastAPI(lifespan=hanko.fastapi.lifespan)


@api.get("/me")
async def my_session(session: Annotated[Session, fastapi.Depends(hanko.fastapi.require_session)]) -> str:
    return session.user_id


async def dependencies(connection: HTTPConnection) -> None:
    assert_type(await auth.require_session(connection), Session)
    assert_type(await auth.optional_session(connection), Optional[Session])
    assert_type(await hanko.fastapi.require_session(connection), Session)
    assert_type(await hanko.fastapi.optional_session(connection), Optional[Session])


@hanko.django.session_required
def view(request: object) -> str:
    assert_type(hanko.django.get_session(request), Session)
    assert_type(hanko.django.get_session(request, optional=True), Optional[Session])
    return ""


@hanko.django.session_required(optional=True)
async def async_view(request: object) -> str:
    assert_type(await hanko.django.aget_session(request), Session)
    assert_type(await hanko.django.aget_session(request, optional=True), Optional[Session])
    return ""


assert_type(view(None), str)
hanko.django.HankoMiddleware(lambda request: None)


def test_something(hanko_standin: HankoStandIn, hanko_standin_url: str) -> None:
    session = hanko_standin.mint_session(email="ada@example.com", claims={"plan": "pro"}, lifespan=60)
    minted: MintedSession = session
    assert_type(minted.user_id, str)
    assert_type(session.token, str)
    assert_type(hanko_standin.revoke(session), bool)
    assert_type(hanko_standin.authorization_header(session), dict[str, str])
    assert_type(hanko_standin.cookie_header(session.token, "name"), dict[str, str])
    assert_type(hanko_standin.api_url, str)
    seen: tuple[SeenRequest, ...] = hanko_standin.requests
    assert_type(seen[0].token, Optional[str])
    outage: Outage = "hanging"
    with hanko_standin.broken(outage):
        hanko_standin.break_down("refusing")
    hanko_standin.restore()
    hanko_standin.delay = 0.5


with StandIn(key_bits=2048, idle_timeout="30m") as standin:
    assert_type(standin, StandIn)
    assert_type(standin.mint_session().token, str)
