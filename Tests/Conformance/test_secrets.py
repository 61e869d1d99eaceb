"""No token comes out of the library, in no text of the whole run."""

from __future__ import annotations

import pytest

import child
import telltale
from fault_server import answers
from library import OK
from messages import BARE_YES, NO, Session, error_body, response


@pytest.mark.parametrize(
    "text",
    [
        "refused: {token}",
        "refused: {token:.40}",
        "{payload}",
        "{signature}",
        "the token ends in {ending}",
    ],
)
def test_the_search_finds_what_leaks(text):
    # Not noted as used: the search at the end must not find what is planted here.
    token = Session().token()
    telltale.tokens.discard(token)
    _, payload, signature = token.decode().split(".")
    planted = text.format(token=token.decode(), payload=payload, signature=signature, ending=token.decode()[-40:])
    assert telltale.leaks([token], ["something else", planted])


def test_the_search_finds_no_more():
    token, other = Session().token(), Session().token()
    assert telltale.leaks([token, b"test-token"], ["HANKO_INVALID_TOKEN: the test token", "fingerprint 0a1b2c3d"]) == []
    assert telltale.leaks([b"test-token"], ["refused test-token"]) == ["test-token"]
    # The heads of two tokens begin alike; what is said of one must not be told from the other.
    signature = other.decode().split(".")[2]
    assert telltale.leaks([token], [signature]) == []


@pytest.mark.parametrize("framing", ["body", "head", "reason", "not HTTP"])
@pytest.mark.parametrize("status", [200, 400, 404, 503])
def test_server_that_echoes_the_token(serve, new_client, status, framing):
    def echo(request):
        token = request.token
        if framing == "not HTTP":
            return f"{token}\r\n\r\n".encode()
        if framing == "reason":
            return f"HTTP/1.1 {status} {token}\r\nContent-Length: 0\r\n\r\n".encode()
        if framing == "head":
            return response(b"", status=status, headers=[("X-Echo", token), ("Location", token)])
        return response(error_body(400, f"failed to parse token claims: {token}"), status=status)

    client = new_client(serve(answers(echo)).url())
    token = Session().token()
    outcomes = [client.validate(token), client.authenticate(b"hanko=" + token, b"Bearer " + Session().token())]
    assert client.log.lines
    for outcome in outcomes:
        assert outcome.status != OK
    assert telltale.leaks([token], [*client.log.texts, *(outcome.error for outcome in outcomes)]) == []


def test_good_sessions_at_debug(serve, new_client):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    token = login.token()
    assert client.validate(token).status == OK
    assert client.log.lines
    assert telltale.leaks([token, login.user_id.encode(), login.session_id.encode()], client.log.texts) == []


@pytest.mark.parametrize("reply", [BARE_YES, NO, b"[]"])
def test_standard_error_at_debug(serve, monkeypatch, reply):
    monkeypatch.setenv("HANKO_LOG", "debug")
    token = Session().token()
    serve(answers(response(reply)))
    result = child.run(f"Client(library).authenticate(b'hanko=' + {token!r}); report(None)")
    assert "HANKO_" in result.stderr
    assert telltale.leaks([token], [result.stderr]) == []


@pytest.mark.last
def test_no_token_in_any_text_of_the_run():
    """Runs after all other tests: every error text, log line and standard error, and every token."""
    assert telltale.tokens, "no token was noted"
    assert telltale.texts, "no text was noted"
    print(f"searched {len(telltale.texts)} lines for {len(telltale.tokens)} tokens")
    assert telltale.leaks(telltale.tokens, telltale.texts) == []
