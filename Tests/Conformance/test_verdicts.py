"""What a 200 means: yes, no, or nothing that Hanko says."""

from __future__ import annotations

import gzip
import re
import time
import uuid

import pytest

from fault_server import answers, sends
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR
from messages import (
    BARE_YES,
    NIL_UUID,
    NO,
    OMIT,
    TOKEN,
    Session,
    chunked_response,
    compact,
    error_body,
    head,
    http_date,
    mint,
    response,
    timestamp,
)


def test_full_yes(status_of):
    session = Session()
    assert status_of(response(session.yes()), session.token()) == OK


def test_bare_yes_of_a_test_double(status_of):
    assert status_of(response(BARE_YES)) == OK


def test_yes_of_the_first_releases_without_claims(status_of):
    session = Session()
    assert status_of(response(session.yes(claims=OMIT)), session.token()) == OK


def test_yes_without_the_deprecated_fields(status_of):
    session = Session()
    assert status_of(response(session.yes(expiration_time=OMIT, user_id=OMIT)), session.token()) == OK


def test_yes_with_minimal_claims(status_of):
    session = Session()
    claims = session.claims(audience=OMIT, email=OMIT, issued_at=OMIT)
    assert status_of(response(session.yes(claims=claims)), session.token()) == OK


def test_chunked_yes(status_of):
    session = Session()
    assert status_of(chunked_response(session.yes(), size=7), session.token()) == OK


def test_yes_that_ends_with_the_connection(library, serve):
    session = Session()
    serve(sends(head(200) + session.yes(), close=True))
    assert library.ask(session.token()).status == OK


def test_yes_over_http_1_0(library, serve):
    session = Session()
    serve(sends(response(session.yes(), version="HTTP/1.0"), close=True))
    assert library.ask(session.token()).status == OK


@pytest.mark.parametrize("idle", ["", ".1", ".123", ".12345", ".123456", ".66542492", ".123456789"])
def test_fractions_of_a_second(status_of, idle):
    session = Session()
    later = timestamp(time.time() + 600)[:-1] + idle + "Z"
    body = session.yes(idle_expires_at=later, expiration_time=timestamp(session.expires_at)[:-1] + idle + "Z")
    assert status_of(response(body), session.token()) == OK


@pytest.mark.parametrize(
    "changes",
    [
        {"more": {"unknown": [1, 2.5, None, "x"]}, "amr": ["pwd"]},
        {"claims": None, "expiration_time": None, "user_id": None, "idle_expires_at": None},
        {"claims": "text"},
        {"claims": []},
        {"claims": 1},
        {"idle_expires_at": 17},
        {"idle_expires_at": {}},
    ],
)
def test_unknown_null_and_unexpected_fields_do_not_matter(status_of, changes):
    session = Session()
    assert status_of(response(session.yes(**changes)), session.token()) == OK


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "a@b.c"},
        {"email": None},
        {"email": []},
        {"email": {"address": 1, "is_verified": "yes"}},
        {"username": 5},
        {"username": False},
        {"session_id": None},
        {"issued_at": 1795352434},
        {"issued_at": "yesterday"},
        {"audience": 5},
        {"audience": [1, None, {}]},
        {"issuer": []},
        {"amr": "pwd"},
        {"is_valid": False},
    ],
)
def test_unexpected_claims_do_not_matter(status_of, changes):
    session = Session()
    assert status_of(response(session.yes(claims=session.claims(**changes))), session.token()) == OK


def test_custom_claims_of_every_kind(status_of):
    session = Session()
    claims = session.claims(
        big=2**80,
        tiny=1e-300,
        nested={"a": [1, 2.5, None, {"b": {}}], "": ""},
        uni="ä😀",
        key_ü=True,
        control='\n\t"\\',
    )
    assert status_of(response(session.yes(claims=claims)), session.token()) == OK


def test_yes_without_content_type(status_of):
    assert status_of(head(200, [("Content-Length", str(len(BARE_YES)))]) + BARE_YES) == OK


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
def test_yes_after_an_interim_answer(status_of, early):
    assert status_of(early * 3 + response(BARE_YES)) == OK


def test_no_after_an_interim_answer(status_of):
    assert status_of(b"HTTP/1.1 100 Continue\r\n\r\n" + response(NO)) == INVALID_TOKEN


def test_equal_lengths_sent_twice(status_of):
    """A server that sends two does not know what it sends (RFC 9112 section 6.3 lets a reader refuse them)."""
    fields = [("Content-Length", str(len(BARE_YES)))] * 2
    assert status_of(head(200, fields) + BARE_YES) == PROTOCOL_ERROR


# --- no ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        NO,
        b'{"is_valid":false}',
        b' \r\n\t{ "is_valid" : false } \n',
        b'{"is_valid":false,"user_id":"","claims":null}',
        b'{"claims":{"is_valid":true},"is_valid":false}',
        b'{"is_valid":false,"is_Valid":true,"IS_VALID":true,"isValid":true}',
        b'{"is\\u005fvalid":false}',
    ],
)
def test_no(status_of, body):
    assert status_of(response(body)) == INVALID_TOKEN


def test_no_with_a_cookie_that_ends_the_session(status_of):
    cookie = ("Set-Cookie", "hanko=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    assert status_of(response(NO, headers=[cookie])) == INVALID_TOKEN


# --- neither -----------------------------------------------------------------------------------------------------


NEITHER = {
    "missing": b"{}",
    "only nested": b'{"claims":{"is_valid":true}}',
    "other spelling": b'{"isValid":true}',
    "other case": b'{"IS_VALID":true}',
    "null": b'{"is_valid":null}',
    "text true": b'{"is_valid":"true"}',
    "text false": b'{"is_valid":"false"}',
    "one": b'{"is_valid":1}',
    "zero": b'{"is_valid":0}',
    "list": b'{"is_valid":[true]}',
    "object": b'{"is_valid":{}}',
    "upper-case literal": b'{"is_valid":True}',
    "longer literal": b'{"is_valid":truee}',
    "shorter literal": b'{"is_valid":tru}',
    "top level true": b"true",
    "top level null": b"null",
    "top level list": b'[{"is_valid":true}]',
    "top level text": b'"{\\"is_valid\\":true}"',
    "top level number": b"1",
    "empty": b"",
    "blanks": b" \n",
    "truncated": b'{"is_valid":true',
    "truncated after comma": b'{"is_valid":true,',
    "HTML": b"<!DOCTYPE html><html><body>is_valid true</body></html>",
    "bytes after": b'{"is_valid":true}x',
    "second value after": b'{"is_valid":true}{"is_valid":true}',
    "NUL after": b'{"is_valid":true}\0',
    "NUL inside": b'{"x":1\0,"is_valid":true}',
    "NUL in text": b'{"x":"\0","is_valid":true}',
    "byte order mark": b'\xef\xbb\xbf{"is_valid":true}',
    "UTF-16": '{"is_valid":true}'.encode("utf-16-le"),
    "duplicate, true last": b'{"is_valid":false,"is_valid":true}',
    "duplicate, false last": b'{"is_valid":true,"is_valid":false}',
    "duplicate, both true": b'{"is_valid":true,"is_valid":true}',
    "duplicate, both false": b'{"is_valid":false,"is_valid":false}',
    "duplicate, escaped": b'{"is_valid":true,"is\\u005fvalid":true}',
    "duplicate, unknown name": b'{"is_valid":true,"x":1,"x":1}',
    "duplicate, far apart": b'{"x":1,'
    + b",".join(b'"k%d":%d' % (n, n) for n in range(200))
    + b',"x":2,"is_valid":true}',
    "duplicate in claims": b'{"is_valid":true,"claims":{"a":1,"b":2,"a":1}}',
    "duplicate in claims, escaped": b'{"is_valid":true,"claims":{"a\\/b":1,"a/b":1}}',
    "duplicate deep inside": b'{"is_valid":true,"claims":{"x":[[{"y":{"z":1,"z":2}}]]}}',
    "duplicate in an unknown field": b'{"is_valid":true,"more":[{"":1,"":2}]}',
    "duplicate in a no": b'{"is_valid":false,"more":{"a":1,"a":2}}',
    "single quotes": b"{'is_valid':true}",
    "name without quotes": b"{is_valid:true}",
    "comma at the end": b'{"is_valid":true,}',
    "comma at the end of a list": b'{"is_valid":true,"x":[1,]}',
    "two commas": b'{"is_valid":true,,"x":1}',
    "no colon": b'{"is_valid" true}',
    "comment": b'{"is_valid":true/* yes */}',
    "NaN": b'{"is_valid":true,"x":NaN}',
    "Infinity": b'{"is_valid":true,"x":-Infinity}',
    "leading zero": b'{"is_valid":true,"x":01}',
    "leading plus": b'{"is_valid":true,"x":+1}',
    "bare point": b'{"is_valid":true,"x":1.}',
    "leading point": b'{"is_valid":true,"x":.5}',
    "bare minus": b'{"is_valid":true,"x":-}',
    "empty exponent": b'{"is_valid":true,"x":1e}',
    "hexadecimal": b'{"is_valid":true,"x":0x10}',
    "unknown escape": b'{"is_valid":true,"x":"\\x41"}',
    "short escape": b'{"is_valid":true,"x":"\\u12"}',
    "raw newline in text": b'{"is_valid":true,"x":"a\nb"}',
    "raw tab in text": b'{"is_valid":true,"x":"a\tb"}',
    "text without end": b'{"is_valid":true,"x":"a}',
    "not UTF-8": b'{"is_valid":true,"x":"\xff"}',
    "overlong UTF-8": b'{"is_valid":true,"x":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"is_valid":true,"x":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"is_valid":true,"x":"\xf4\x90\x80\x80"}',
    "truncated UTF-8": b'{"is_valid":true,"x":"\xe2\x82"}',
    "form feed as a blank": b'{"is_valid":\x0ctrue}',
    "no-break space as a blank": '{"is_valid":\u00a0true}'.encode(),
    "wrong bracket": b'{"is_valid":true,"x":[1}}',
    "too deep": b'{"is_valid":true,"x":' + b"[" * 70 + b"]" * 70 + b"}",
    "too deep objects": b'{"is_valid":true,"x":' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}",
    "very deep, never closed": b'{"is_valid":true,"x":' + b"[" * 200_000,
    "error shape": error_body(200, "ok"),
}


@pytest.mark.parametrize("case", NEITHER)
def test_200_that_is_no_answer_of_hanko(status_of, case):
    assert status_of(response(NEITHER[case])) == PROTOCOL_ERROR


def test_depth_within_the_limit(status_of):
    assert status_of(response(b'{"is_valid":true,"x":' + b"[" * 60 + b"]" * 60 + b"}")) == OK


@pytest.mark.parametrize("lengths", [(18, 19), (19, 18), (18, 0), (18, 180)])
def test_differing_lengths(library, serve, lengths):
    fields = [("Content-Length", str(length)) for length in lengths]
    serve(sends(head(200, fields) + BARE_YES, close=True))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
def test_compressed_answer_that_was_not_asked_for(status_of, coding):
    assert status_of(response(gzip.compress(BARE_YES), headers=[("Content-Encoding", coding)])) == PROTOCOL_ERROR


def test_body_of_exactly_the_limit(status_of):
    start, end = b'{"is_valid":true,"x":"', b'"}'
    body = start + b"y" * (256 * 1024 - len(start) - len(end)) + end
    assert len(body) == 256 * 1024
    assert status_of(response(body)) == OK


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_body_one_byte_over_the_limit(library, serve, framing):
    body = BARE_YES + b" " * (256 * 1024 + 1 - len(BARE_YES))
    raw = {"length": response(body), "chunks": chunked_response(body, 4096), "close": head(200) + body}[framing]
    serve(sends(raw, close=True))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


# --- yes, but something speaks against it ------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", NIL_UUID, 5, True, [], {}, ["x"]])
def test_user_that_is_none(status_of, user):
    session = Session()
    assert status_of(response(session.yes(user_id=user))) == PROTOCOL_ERROR
    assert status_of(response(compact({"is_valid": True, "user_id": user}))) == PROTOCOL_ERROR


@pytest.mark.parametrize("user", ["", NIL_UUID, 5])
def test_user_that_is_none_in_claims_when_nothing_else_names_one(status_of, user):
    body = Session().yes(user_id=OMIT, claims=Session().claims(subject=user))
    assert status_of(response(body)) == PROTOCOL_ERROR


def test_user_that_is_none_in_the_token_when_the_answer_names_none(status_of):
    session = Session()
    body = session.yes(user_id=OMIT, claims=session.claims(subject=OMIT))
    assert status_of(response(body), session.token(sub=NIL_UUID)) == PROTOCOL_ERROR


def test_user_of_the_token_comes_before_claims(status_of):
    session = Session()
    body = session.yes(user_id=OMIT, claims=session.claims(subject=NIL_UUID))
    assert status_of(response(body), session.token()) == OK


def test_user_that_is_no_uuid_is_a_user(status_of):
    assert status_of(response(compact({"is_valid": True, "user_id": "ada"}))) == OK


def test_overwritten_subject_does_not_matter(status_of):
    session = Session()
    for subject in ("attacker-chosen", NIL_UUID, "", 5, str(uuid.uuid4())):
        body = session.yes(claims=session.claims(subject=subject))
        assert status_of(response(body), session.token()) == OK
        assert status_of(response(body)) == OK


def test_answer_to_another_session(status_of):
    mine, other = Session(), Session()
    other.user_id = mine.user_id
    assert status_of(response(other.yes()), mine.token()) == PROTOCOL_ERROR


def test_answer_to_another_user(status_of):
    mine, other = Session(), Session()
    other.session_id = mine.session_id
    assert status_of(response(other.yes()), mine.token()) == PROTOCOL_ERROR


def test_answer_to_another_token_without_claims(status_of):
    assert status_of(response(Session().yes(claims=OMIT)), Session().token()) == PROTOCOL_ERROR


def test_answer_to_another_token_without_user(status_of):
    assert status_of(response(Session().yes(user_id=OMIT)), Session().token()) == PROTOCOL_ERROR


@pytest.mark.parametrize(
    "token",
    [TOKEN, b"a.b", mint({"sub": "x"}), mint({})],
    ids=["word", "dot", "no session", "no claims"],
)
def test_token_that_names_no_session_is_bound_to_nothing(status_of, token):
    assert status_of(response(Session().yes()), token) == OK


def test_another_user_than_the_tokens_however_it_is_written(status_of):
    session, other = Session(), Session()
    spellings = ["admin", f"urn:uuid:{other.user_id}", other.user_id.replace("-", ""), " ", "", NIL_UUID, 7, [], True]
    for user in [*spellings, f"urn:uuid:{session.user_id}", session.user_id.replace("-", ""), f"{session.user_id} "]:
        assert status_of(response(session.yes(user_id=user)), session.token()) == PROTOCOL_ERROR, user
        assert status_of(response(session.yes(user_id=user, claims=OMIT)), session.token()) == PROTOCOL_ERROR, user
    assert status_of(response(session.yes(user_id=session.user_id.upper())), session.token()) == OK
    assert status_of(response(session.yes(user_id=None)), session.token()) == OK
    assert status_of(response(session.yes()), session.token(sub="hanko webhooks")) == PROTOCOL_ERROR
    assert status_of(response(session.yes(user_id="ada")), session.token(sub="ada")) == OK


def test_another_session_than_the_tokens_however_it_is_written(status_of):
    session = Session()
    for sent in ["evil", "", f"urn:uuid:{session.session_id}", NIL_UUID, 5, [], {}, True, [session.session_id]]:
        body = session.yes(claims=session.claims(session_id=sent))
        assert status_of(response(body), session.token()) == PROTOCOL_ERROR, sent
    for sent in [None, session.session_id.upper(), OMIT]:
        assert status_of(response(session.yes(claims=session.claims(session_id=sent))), session.token()) == OK, sent
    # A token that names none of Hanko's sessions is bound to nothing.
    assert status_of(response(session.yes()), session.token(session_id="session", sub="somebody")) == OK


def test_another_expiry_than_the_tokens(status_of):
    session = Session()
    for difference in (-1, 1, 3600, 10**9):
        body = session.yes(expiration_time=timestamp(session.expires_at + difference))
        assert status_of(response(body), session.token()) == PROTOCOL_ERROR, difference
    same = timestamp(session.expires_at)
    for sent in (same, same.replace("Z", ".999Z"), same.replace("Z", "+00:00"), OMIT, None):
        assert status_of(response(session.yes(expiration_time=sent)), session.token()) == OK, sent


@pytest.mark.parametrize(
    "expiry",
    [
        "",
        "soon",
        "2999-01-01",
        "2999-01-01T00:00:00",
        "2999-13-01T00:00:00Z",
        "2999-02-29T00:00:00Z",
        "2999-01-01T25:00:00Z",
        "2999-01-01T00:61:00Z",
        "2999-00-01T00:00:00Z",
        "2999-01-01T00:00:00.Z",
        " 2999-01-01T00:00:00Z",
        "2999-01-01T00:00:00Zx",
        "+2999-01-01T00:00:00Z",
        "32472144000",
        32472144000,
        True,
        [],
        {},
    ],
)
def test_unreadable_expiry(status_of, expiry):
    session = Session()
    assert status_of(response(session.yes(expiration_time=expiry)), session.token()) == PROTOCOL_ERROR
    assert (
        status_of(response(session.yes(expiration_time=OMIT, claims=session.claims(expiration=expiry))))
        == PROTOCOL_ERROR
    )


@pytest.mark.parametrize("expiry", ["9999-12-31T23:59:59Z", "2996-02-29T00:00:00Z", "2400-02-29T23:59:59.999999999Z"])
def test_readable_expiry(status_of, expiry):
    assert status_of(response(compact({"is_valid": True, "expiration_time": expiry}))) == OK


@pytest.mark.parametrize("expiry", ["soon", True, [], {}, "32472144000"])
def test_unreadable_expiry_of_the_token_when_the_answer_has_none(status_of, expiry):
    session = Session()
    assert status_of(response(session.yes(expiration_time=OMIT)), session.token(exp=expiry)) == PROTOCOL_ERROR


def test_expiry_less_than_a_minute_ago(status_of):
    session = Session(lifetime=-30)
    assert status_of(response(session.yes()), session.token()) == OK


@pytest.mark.parametrize("ago", [90, 3600, 10**9])
def test_expiry_over_a_minute_ago(status_of, ago):
    session = Session(lifetime=-ago)
    assert status_of(response(session.yes()), session.token()) == PROTOCOL_ERROR


def test_expiry_that_hanko_sends_for_a_token_without_one(status_of):
    body = compact({"is_valid": True, "expiration_time": "0001-01-01T00:00:00Z"})
    assert status_of(response(body)) == PROTOCOL_ERROR


def test_which_expiry_counts(status_of):
    session = Session()
    past, future = int(time.time()) - 3600, int(time.time()) + 3600

    def status(top, token, claims):
        body = session.yes(
            expiration_time=OMIT if top is None else timestamp(top),
            claims=session.claims(expiration=OMIT if claims is None else timestamp(claims)),
        )
        return status_of(response(body), session.token(exp=OMIT if token is None else token))

    # The top of the answer first, which says what the token says …
    assert status(future, future, past) == OK
    assert status(past, past, future) == PROTOCOL_ERROR
    assert status(future, past, past) == PROTOCOL_ERROR
    assert status(past, future, future) == PROTOCOL_ERROR
    assert status(future, None, past) == OK
    assert status(past, None, future) == PROTOCOL_ERROR
    # … then the token, whose payload Hanko has just verified …
    assert status(None, future, past) == OK
    assert status(None, past, future) == PROTOCOL_ERROR
    # … and claims, whose names a custom claim may take, last.
    assert status(None, None, future) == OK
    assert status(None, None, past) == PROTOCOL_ERROR
    assert status(None, None, None) == OK


def test_expiry_in_claims_for_a_token_that_is_not_hankos(status_of):
    past = int(time.time()) - 3600
    for token in (TOKEN, mint({"exp": past + 7200, "session_id": "no uuid"}), mint({"exp": past + 7200})):
        session = Session()
        alive = session.yes(expiration_time=OMIT)
        over = session.yes(expiration_time=OMIT, claims=session.claims(expiration=timestamp(past)))
        assert status_of(response(alive), token) == OK
        assert status_of(response(over), token) == PROTOCOL_ERROR


def test_token_expiry_with_a_fraction(status_of):
    session = Session()
    assert status_of(response(session.yes(expiration_time=OMIT)), session.token(exp=session.expires_at + 0.5)) == OK


@pytest.mark.parametrize("difference", [-7200, 7200])
def test_own_clock_off_by_the_date_of_the_answer(library, serve, difference):
    session = Session(lifetime=-3600)
    serve(answers(response(session.yes(), date=http_date(time.time() + difference))))
    answer = library.ask(session.token())
    assert answer.status == MISCONFIGURED
    assert re.search(r"\d", answer.error), f"the text does not give the difference: {answer.error!r}"


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 99:99:99 GMT", "0"])
def test_date_that_cannot_be_read_says_nothing_about_the_clock(status_of, date):
    session = Session(lifetime=-3600)
    assert status_of(response(session.yes(), date=date), session.token()) == PROTOCOL_ERROR


def test_no_date_says_nothing_about_the_clock(status_of):
    session = Session(lifetime=-3600)
    body = session.yes()
    assert status_of(head(200, [("Content-Length", str(len(body)))]) + body, session.token()) == PROTOCOL_ERROR


def test_clock_off_by_seconds_is_no_excuse(status_of):
    session = Session(lifetime=-3600)
    assert status_of(response(session.yes(), date=http_date(time.time() - 20)), session.token()) == PROTOCOL_ERROR


def test_clock_off_does_not_matter_while_the_session_lives(status_of):
    session = Session()
    assert status_of(response(session.yes(), date=http_date(time.time() - 7200)), session.token()) == OK


@pytest.mark.parametrize(
    "body",
    [
        b'{"is_valid":true,"user_id":"ada\\u0000root"}',
        b'{"is_valid":true,"user_id":"\\u0000"}',
        b'{"is_valid":true,"claims":{"subject":"ada\\u0000root"}}',
        b'{"is_valid":true,"claims":{"session_id":"one\\u0000two"}}',
        b'{"is_valid":true,"claims":{"username":"ada\\u0000root"}}',
        b'{"is_valid":true,"claims":{"email":{"address":"ada@example.com\\u0000.evil"}}}',
    ],
)
def test_nul_inside_a_text_that_c_would_cut(status_of, body):
    assert status_of(response(body)) == PROTOCOL_ERROR


def test_nul_elsewhere_does_not_matter(status_of):
    assert status_of(response(b'{"is_valid":true,"x":"\\u0000","claims":{"nick":"a\\u0000b"}}')) == OK
