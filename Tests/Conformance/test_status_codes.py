"""What each status but 200 means."""

from __future__ import annotations

import pytest

from fault_server import answers, sends
from library import INVALID_TOKEN, MISCONFIGURED, PROTOCOL_ERROR, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, compact, error_body, head, response

CLAIMS_ERROR = "failed to parse token claims: 'subject' is not a uuid"


@pytest.mark.parametrize(
    "body",
    [
        error_body(400, CLAIMS_ERROR),
        error_body(400, "failed to parse token claims"),
        compact({"code": 400, "message": CLAIMS_ERROR, "error": "details"}),
        compact({"message": CLAIMS_ERROR, "code": 400}),
    ],
)
def test_400_that_the_token_caused(status_of, body):
    assert status_of(response(body, status=400)) == INVALID_TOKEN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        CLAIMS_ERROR.encode(),
        b"<html>failed to parse token claims</html>",
        error_body(400, "code=400, message=session_token is a required field"),
        error_body(400, "invalid tenant ID format"),
        error_body(400, "Failed to parse token claims"),
        error_body(400, "we failed to parse token claims"),
        error_body(400, "failed to parse token claim"),
        compact({"code": 400, "message": [CLAIMS_ERROR]}),
        compact({"error": CLAIMS_ERROR}),
        compact([CLAIMS_ERROR]),
        compact(CLAIMS_ERROR),
        error_body(400, CLAIMS_ERROR)[:-3],
        error_body(400, CLAIMS_ERROR) + b"x",
        b'{"code":400,"message":"failed to parse token claims","message":"failed to parse token claims"}',
        NO,
        BARE_YES,
    ],
)
def test_400_that_something_else_caused(status_of, body):
    assert status_of(response(body, status=400)) == MISCONFIGURED


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_that_message_with_another_code(status_of, status):
    assert status_of(response(error_body(status, CLAIMS_ERROR), status=status)) == MISCONFIGURED


@pytest.mark.parametrize("status", [413, 431])
@pytest.mark.parametrize(
    "length, expected",
    [(10, MISCONFIGURED), (16 * 1024, MISCONFIGURED), (16 * 1024 + 1, INVALID_TOKEN), (200_000, INVALID_TOKEN)],
)
def test_too_large_for_a_gateway(status_of, status, length, expected):
    assert status_of(response(b"too large", status=status), b"t" * length) == expected


# --- every other status ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", BARE_YES, b"<html></html>"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 505, 511, 520, 599])
def test_busy_or_broken(status_of, status, body):
    assert status_of(response(body, status=status)) == UNAVAILABLE


@pytest.mark.parametrize("wait", ["1", "0", "3600", "Sun, 22 Nov 2099 13:00:34 GMT", "soon"])
def test_too_many_requests_with_a_time_to_wait(status_of, wait):
    assert status_of(response(b"", status=429, headers=[("Retry-After", wait)])) == UNAVAILABLE


@pytest.mark.parametrize(
    "status",
    [
        401,
        402,
        403,
        404,
        405,
        406,
        407,
        409,
        410,
        411,
        412,
        414,
        415,
        416,
        417,
        418,
        421,
        422,
        423,
        424,
        426,
        428,
        451,
        499,
    ],
)
def test_other_client_errors(status_of, status):
    assert status_of(response(BARE_YES, status=status)) == MISCONFIGURED


@pytest.mark.parametrize("status, name", [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
@pytest.mark.parametrize("scheme", ['Basic realm="x"', "Negotiate", "NTLM", 'Digest realm="x", nonce="y"', "Bearer"])
def test_asked_for_credentials(library, serve, status, name, scheme):
    server = serve(answers(response(b"", status=status, headers=[(name, scheme)])))
    assert library.ask(TOKEN).status == MISCONFIGURED
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308, 399])
def test_redirect_is_not_followed(library, serve, answering, status):
    elsewhere = answering(response(BARE_YES), use=False)
    location = ("Location", elsewhere.url(path="/sessions/validate"))
    server = serve(answers(response(BARE_YES, status=status, headers=[location])))
    assert library.ask(TOKEN).status == MISCONFIGURED
    assert len(server.requests) == 1
    assert elsewhere.connections == 0


def test_not_modified(status_of):
    assert status_of(head(304)) == MISCONFIGURED


@pytest.mark.parametrize("status", [201, 202, 203, 206, 207, 226, 299, 600, 700, 999])
def test_status_that_hanko_never_sends(status_of, status):
    assert status_of(response(BARE_YES, status=status)) == PROTOCOL_ERROR


@pytest.mark.parametrize("status", [204, 205])
def test_yes_without_content(status_of, status):
    assert status_of(head(status, [("Content-Length", "0")])) == PROTOCOL_ERROR


def test_switching_protocols(library, serve):
    serve(sends(head(101, [("Upgrade", "websocket"), ("Connection", "Upgrade")]) + BARE_YES, close=True))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


@pytest.mark.parametrize("status, expected", [(503, UNAVAILABLE), (403, MISCONFIGURED), (201, PROTOCOL_ERROR)])
def test_the_status_is_looked_at_before_a_huge_body(status_of, status, expected):
    assert status_of(response(b"y" * 300_000, status=status)) == expected


def test_misconfigured_says_something_to_check(library, serve):
    for status in (301, 400, 401, 403, 404, 405, 415):
        serve(answers(response(BARE_YES, status=status)))
        error = library.ask(TOKEN).error
        assert "HANKO_" in error or "URL" in error or "gateway" in error or "proxy" in error, error
