"""`hanko_client_check`: each row of its contract, with the likely mistake in the text."""

from __future__ import annotations

import functools
import time

import pytest

from client import Client, Config
from deadline import within
from fault_server import BusyListener, answers, refused_port, sends
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, error_body, http_date, response
from standin import start_standin
from test_threads import run_threads

KEYS = b'{"keys":[{"alg":"RS256","e":"AQAB","kid":"1","kty":"RSA","n":"AQAB","use":"sig"}]}\n'


def hanko(post: bytes | None = None, get: bytes | None = None):
    """A script: one answer to the question about a token, another to that for the keys.

    By default those of a Hanko that is well, dated when they are sent.
    """
    return answers(
        lambda request: (post or response(NO)) if request.line.startswith("POST ") else (get or response(KEYS))
    )


@pytest.fixture
def serve(serve):
    """The scripts of this module answer for the key set as well."""
    return functools.partial(serve, key_set=None)


@pytest.fixture
def checked(serve, new_client):
    """Check against a server with these two answers."""

    def check(*replies, **options):
        return new_client(serve(hanko(*replies), **options).url()).check()

    return check


@pytest.mark.parametrize("tenant", [None, True], ids=["one tenant", "several tenants"])
def test_all_is_well(new_client, tenant):
    with start_standin(tenant=tenant) as standin:
        client = new_client(standin.api_url)
        assert client.check().status == OK
        assert client.check().status == OK


def test_tenant_is_missing(new_client):
    """In a Hanko that serves several, the id of the tenant belongs into the path."""
    with start_standin(tenant=True) as standin:
        address = standin.api_url.rsplit("/", 1)[0]
        outcome = new_client(address).check()
        assert outcome.status == MISCONFIGURED
        assert "tenant" in outcome.error
        outcome = new_client(f"{address}/11111111-1111-1111-1111-111111111111").check()
        assert outcome.status == MISCONFIGURED
        assert "tenant" in outcome.error


def test_what_is_asked(serve, new_client):
    server = serve(hanko())
    client = new_client(server.url(path="/tenant"))
    assert client.check().status == OK
    assert client.validate(TOKEN).status == INVALID_TOKEN
    assert [request.line for request in server.requests] == [
        "POST /tenant/sessions/validate HTTP/1.1",
        "GET /tenant/.well-known/jwks.json HTTP/1.1",
    ] * 2
    keys = server.requests[1]
    assert keys.body == b""
    for name in ("Cookie", "Authorization", "Content-Type"):
        assert keys.header(name) == []
    assert server.connections == 1, "the connection was not kept warm"
    assert client.statistics().connections_opened == 1


def test_is_no_validation(serve, new_client):
    client = new_client(serve(hanko()).url())
    assert client.check().status == OK
    assert client.results() == {}


def test_404(checked):
    outcome = checked(response(error_body(404, "Not Found"), status=404))
    assert outcome.status == MISCONFIGURED
    assert "404" in outcome.error
    assert "tenant" in outcome.error


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 405, 415])
def test_other_answers_of_a_wrong_address(checked, status):
    outcome = checked(response(b"<html></html>", status=status, headers=[("Location", "https://example.com/")]))
    assert outcome.status == MISCONFIGURED
    assert str(status) in outcome.error


def test_accepts_any_token(checked):
    outcome = checked(response(BARE_YES))
    assert outcome.status == MISCONFIGURED
    assert "any token" in outcome.error


@pytest.mark.parametrize("status", [500, 502, 503])
def test_lost_database(checked, status):
    """It says no to everybody, and only the key set shows why."""
    outcome = checked(response(NO), response(error_body(status, "Internal Server Error"), status=status))
    assert outcome.status == UNAVAILABLE
    assert "key" in outcome.error


def test_lost_database_of_a_real_looking_hanko(new_client):
    with start_standin() as standin:
        client = new_client(standin.api_url)
        assert client.check().status == OK
        standin.database_down = True
        assert client.check().status == UNAVAILABLE
        standin.database_down = False
        assert client.check().status == OK


def test_no_key_set(checked):
    """A test double that has none; only one that fails speaks against it."""
    assert checked(response(NO), response(b"", status=404)).status == OK


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_busy_or_broken(checked, status):
    outcome = checked(response(b"", status=status))
    assert outcome.status == UNAVAILABLE
    assert str(status) in outcome.error


@pytest.mark.parametrize("body", [b"<html></html>", b"", b"[]", b'{"is_valid":"false"}'])
def test_something_else_answers(checked, body):
    assert checked(response(body)).status == PROTOCOL_ERROR


@pytest.mark.parametrize("difference", [-86400, -90, 90, 86400])
def test_clocks_apart(checked, difference):
    outcome = checked(response(NO, date=http_date(time.time() + difference)))
    assert outcome.status == MISCONFIGURED
    assert "clock" in outcome.error


@pytest.mark.parametrize("difference", [-40, 0, 40])
def test_clocks_near_enough(checked, difference):
    date = http_date(time.time() + difference)
    assert checked(response(NO, date=date), response(KEYS, date=date)).status == OK


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_date_that_says_nothing(checked, date):
    assert checked(response(NO, date=date), response(KEYS, date=date)).status == OK


# --- nobody there -------------------------------------------------------------------------------------


def test_nobody_listens(new_client):
    outcome = new_client(f"http://127.0.0.1:{refused_port()}").check()
    assert outcome.status == UNAVAILABLE
    assert "connection" in outcome.error


def test_connecting_hangs(new_client):
    listener = BusyListener()
    try:
        with within(10):
            assert new_client(listener.url(), connect_timeout_ms=300).check().status == UNAVAILABLE
    finally:
        listener.stop()


def test_silence(serve, new_client):
    server = serve(lambda connection: connection.hang())
    with within(10):
        assert new_client(server.url(), timeout_ms=300).check().status == TIMEOUT


def test_silence_about_the_keys(serve, new_client):
    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.hang()

    with within(10):
        assert new_client(serve(script).url(), timeout_ms=300).check().status in (TIMEOUT, UNAVAILABLE)


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_hangs_up(serve, new_client, ending):
    server = serve(lambda connection: (connection.read_request(), getattr(connection, ending)()))
    assert new_client(server.url()).check().status == UNAVAILABLE


def test_not_http(serve, new_client):
    server = serve(sends(b"SSH-2.0-OpenSSH_9.2\r\n", close=True))
    assert new_client(server.url()).check().status == PROTOCOL_ERROR


# --- TLS ----------------------------------------------------------------------------------------------


def test_tls(serve, new_client, tls):
    server = serve(hanko(), tls=tls.server_context())
    assert new_client(server.url(), ca_file=str(tls.authority.certificate)).check().status == OK


@pytest.mark.parametrize("authorities", ["the system's", "another"])
def test_certificate_of_a_stranger(serve, new_client, tls, authorities):
    server = serve(hanko(), tls=tls.server_context())
    options = {"ca_file": str(tls.stranger.certificate)} if authorities == "another" else {}
    outcome = new_client(server.url(), **options).check()
    assert outcome.status == UNAVAILABLE
    assert "certificate" in outcome.error
    assert server.requests == []


def test_https_where_http_is_spoken(serve, new_client):
    server = serve(hanko())
    client = new_client(server.url().replace("http:", "https:"), connect_timeout_ms=300)
    assert client.check().status == UNAVAILABLE


def test_http_where_tls_is_spoken(serve, new_client, tls):
    server = serve(hanko(), tls=tls.server_context())
    assert new_client(server.url().replace("https:", "http:")).check().status in (UNAVAILABLE, PROTOCOL_ERROR)


# --- breaker ------------------------------------------------------------------------------------------


def test_asks_while_the_breaker_is_open(serve, new_client):
    well = []

    def reply(request):
        if not well:
            return response(b"", status=503)
        return response(NO) if request.line.startswith("POST ") else response(KEYS)

    server = serve(answers(reply))
    client = new_client(server.url())
    for _ in range(20):
        assert client.validate(TOKEN).status == UNAVAILABLE
    assert client.statistics().breaker_opened == 1
    count = len(server.requests)
    assert count == 10, "ten failures open it"
    assert client.check().status == UNAVAILABLE, "it asks, and says what came back"
    assert len(server.requests) > count
    well.append(True)
    assert client.check().status == OK


def test_from_many_threads(serve, library):
    client = Client(library, Config(library, api_url=serve(hanko()).url()))
    assert set(run_threads(8, lambda number: client.check().status)) == {OK}
    client.free()
