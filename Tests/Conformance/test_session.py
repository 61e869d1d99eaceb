"""Every accessor of a `hanko_session`: what Hanko sent, and nothing else."""

from __future__ import annotations

import calendar
import ctypes
import json

import pytest

from client import SIGNATURES
from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR
from messages import BARE_YES, NO, OMIT, TOKEN, Session, chunked_response, compact, mint, response, timestamp
from test_threads import run_threads

NOTHING = (None, None, None, 0, None, 0, 0, 0)


@pytest.fixture
def told(serve, new_client):
    """Serve one body and give the session that comes of it for a token that is bound to nothing."""

    def ask(body: bytes, token: bytes = TOKEN, framed=response):
        outcome = new_client(serve(answers(framed(body))).url()).validate(token)
        assert outcome.status == OK, outcome.error
        return outcome.session

    return ask


@pytest.fixture
def refused(serve, new_client):
    """Serve one body and give the status of the failure that comes of it."""

    def ask(body: bytes, token: bytes = TOKEN) -> int:
        outcome = new_client(serve(answers(response(body))).url()).validate(token)
        assert outcome.status != OK
        return outcome.status

    return ask


# --- bodies of every release ---------------------------------------------------------------------------


def test_full_body(told):
    login = Session()
    claims = login.claims(username="ada", amr=["passkey"], issuer="https://hanko.example", department="engines")
    session = told(login.yes(claims=claims, idle_expires_at="2026-11-22T15:00:00.123456789Z"), login.token())
    assert session.facts()[:-1] == (
        login.user_id,
        login.session_id,
        "ada@example.com",
        1,
        "ada",
        login.issued_at,
        login.expires_at,
        calendar.timegm((2026, 11, 22, 15, 0, 0)),
    )
    assert session.claims_json == compact(claims).decode()
    for name, value in claims.items():
        assert session.claim_json(name) == compact(value).decode()


def test_minimal_claims(told):
    login = Session()
    claims = {
        "subject": login.user_id,
        "session_id": login.session_id,
        "expiration": timestamp(login.expires_at),
    }
    session = told(compact({"is_valid": True, "claims": claims}))
    assert session.facts()[:-1] == (login.user_id, login.session_id, None, 0, None, 0, login.expires_at, 0)
    assert session.claims == claims


def test_first_releases_without_claims(told):
    """For a token that is not Hanko's: only what the answer says."""
    login = Session()
    session = told(login.yes(claims=OMIT))
    assert session.facts() == (login.user_id, None, None, 0, None, 0, login.expires_at, 0, None)
    assert session.claim_json("subject") is None


def test_first_releases_and_the_token_that_hanko_verified(told):
    """Issued-at is taken from its payload."""
    login = Session()
    session = told(login.yes(claims=OMIT), login.token())
    assert session.user_id == login.user_id
    assert session.issued_at == login.issued_at
    assert session.expires_at == login.expires_at
    assert session.claims_json is None


def test_without_deprecated_fields(told):
    login = Session()
    session = told(login.yes(user_id=OMIT, expiration_time=OMIT), login.token())
    assert (session.user_id, session.expires_at) == (login.user_id, login.expires_at)
    session = told(login.yes(user_id=OMIT, expiration_time=OMIT))
    assert (session.user_id, session.expires_at) == (login.user_id, login.expires_at)


def test_bare_yes(told):
    session = told(BARE_YES)
    assert session.facts() == (*NOTHING, None)
    assert session.claim_json("subject") is None


def test_null_is_not_sent(told):
    body = {"is_valid": True, "claims": None, "user_id": None, "expiration_time": None, "idle_expires_at": None}
    assert told(compact(body)).facts() == (*NOTHING, None)
    claims = dict.fromkeys(("subject", "session_id", "email", "username", "issued_at", "expiration"))
    session = told(compact({"is_valid": True, "claims": claims}))
    assert session.facts()[:-1] == NOTHING
    assert session.claim_json("username") == "null", "as Hanko sent it"


def test_empty_claims(told):
    session = told(b'{"is_valid":true,"claims":{ }}')
    assert session.facts() == (*NOTHING, "{}")


@pytest.mark.parametrize(
    "email, address, verified",
    [
        ({"address": "a@b.c", "is_primary": True, "is_verified": True}, "a@b.c", 1),
        ({"address": "a@b.c", "is_primary": True, "is_verified": False}, "a@b.c", 0),
        ({"address": "a@b.c"}, "a@b.c", 0),
        ({"address": "a@b.c", "is_verified": None}, "a@b.c", 0),
        ({"address": "a@b.c", "is_verified": "true"}, "a@b.c", 0),
        ({"address": "a@b.c", "is_verified": 1}, "a@b.c", 0),
        ({"is_verified": False}, None, 0),
        ({"address": 5, "is_verified": False}, None, 0),
        ({}, None, 0),
        ("a@b.c", None, 0),
        (["a@b.c"], None, 0),
        (5, None, 0),
        (True, None, 0),
    ],
)
def test_email(told, email, address, verified):
    login = Session()
    session = told(login.yes(claims=login.claims(email=email)))
    assert (session.email, session.email_verified) == (address, verified)
    assert json.loads(session.claim_json("email")) == email


@pytest.mark.parametrize("value", [5, -1.5, True, False, [], ["ada"], {}, {"a": "b"}])
@pytest.mark.parametrize("name", ["username", "session_id", "issued_at"])
def test_unexpected_type_counts_as_not_sent(told, name, value):
    login = Session()
    session = told(login.yes(claims=login.claims(**{name: value})))
    assert {"username": session.username, "session_id": session.session_id, "issued_at": session.issued_at or None}[
        name
    ] is None
    assert (session.user_id, session.email) == (login.user_id, "ada@example.com")


@pytest.mark.parametrize("value", [5, True, [], {}, "soon", ""])
def test_unexpected_idle_end_counts_as_not_sent(told, value):
    assert told(Session().yes(idle_expires_at=value)).idle_expires_at == 0


@pytest.mark.parametrize("claims", [5, True, "claims", [], [{"subject": "x"}]])
def test_claims_of_an_unexpected_type_count_as_not_sent(told, claims):
    login = Session()
    session = told(login.yes(claims=claims))
    assert session.facts() == (login.user_id, None, None, 0, None, 0, login.expires_at, 0, None)


def test_unknown_fields_do_not_matter(told):
    login = Session()
    session = told(login.yes(subject="x", email="x", username="x", claim={"username": "x"}, new={"claims": {}}))
    assert (session.user_id, session.email, session.username) == (login.user_id, "ada@example.com", None)


# --- whose claims --------------------------------------------------------------------------------------


def test_overwritten_subject_does_not_matter(told):
    login = Session()
    for token in (login.token(), TOKEN):
        session = told(login.yes(claims=login.claims(subject="attacker-chosen")), token)
        assert session.user_id == login.user_id
        assert session.claim_json("subject") == '"attacker-chosen"'


def test_overwritten_expiration_does_not_matter(told):
    login = Session()
    for value in ("2099-01-01T00:00:00Z", "soon", 5):
        session = told(login.yes(claims=login.claims(expiration=value)), login.token())
        assert session.expires_at == login.expires_at


def test_overwritten_issued_at_does_not_matter(told):
    login = Session()
    session = told(login.yes(claims=login.claims(issued_at="1999-01-01T00:00:00Z")), login.token())
    assert session.issued_at == login.issued_at


def test_user_and_expiry_of_the_token_where_the_top_lacks_them(told):
    login = Session()
    claims = login.claims(subject="attacker-chosen", expiration="2099-01-01T00:00:00Z")
    session = told(login.yes(claims=claims, user_id=OMIT, expiration_time=OMIT), login.token())
    assert (session.user_id, session.expires_at) == (login.user_id, login.expires_at)


def test_custom_claims_stand_beside_hankos_own(told):
    login = Session()
    custom = {
        "is_valid": False,
        "user_id": "x",
        "nested": {"a": [1, {"b": None}], "": ""},
        "flag": True,
        "Subject": "other",
        "名前": "エイダ",
    }
    session = told(login.yes(claims=login.claims(**custom)), login.token())
    assert session.user_id == login.user_id
    for name, value in custom.items():
        assert session.claim_json(name) == compact(value).decode()


# --- times ---------------------------------------------------------------------------------------------

MOMENT = calendar.timegm((2031, 5, 6, 7, 8, 9))


@pytest.mark.parametrize("zone, shift", [("Z", 0), ("+00:00", 0), ("-00:00", 0), ("+02:00", -7200), ("-05:30", 19800)])
@pytest.mark.parametrize("digits", range(10))
def test_times_with_fractions_and_offsets(told, digits, zone, shift):
    """A fraction never rounds up."""
    fraction = "." + "9" * digits if digits else ""
    text = f"2031-05-06T07:08:09{fraction}{zone}"
    login = Session()
    session = told(
        login.yes(expiration_time=text, idle_expires_at=text, claims=login.claims(issued_at=text, expiration=text))
    )
    assert session.issued_at == session.expires_at == session.idle_expires_at == MOMENT + shift


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("2000-02-29T00:00:00Z", 951782400),
        ("2024-12-31T23:59:59Z", 1735689599),
        ("1970-01-01T00:00:01Z", 1),
        ("1969-12-31T23:59:59Z", -1),
        ("0001-01-01T00:00:00Z", -62135596800),
        ("9999-12-31T23:59:59Z", 253402300799),
        ("2038-01-19T03:14:08Z", 2**31),
        ("2026-11-22T23:30:00+14:00", calendar.timegm((2026, 11, 22, 9, 30, 0))),
        ("2026-11-22T23:30:00-12:00", calendar.timegm((2026, 11, 23, 11, 30, 0))),
    ],
)
def test_moments(told, text, seconds):
    login = Session()
    session = told(login.yes(idle_expires_at=text, claims=login.claims(issued_at=text)))
    assert (session.issued_at, session.idle_expires_at) == (seconds, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026-11-22T13:00:00",
        "2026-11-22 13:00:00Z",
        "2026-11-22T13:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T13:60:00Z",
        "2026-11-22T13:00:00.Z",
        "2026-11-22T13:00:00.1234567890Z",
        "2026-11-22T13:00:00,5Z",
        "2026-11-22T13:00:00+0200",
        "2026-11-22T13:00:00+02:00x",
        "2026-11-22T13:00:00+25:00",
        "+2026-11-22T13:00:00Z",
        "26-11-22T13:00:00Z",
        " 2026-11-22T13:00:00Z",
        "２０26-11-22T13:00:00Z",
        "1795352400",
    ],
)
def test_texts_that_are_no_time_count_as_not_sent(told, text):
    login = Session()
    session = told(login.yes(idle_expires_at=text, claims=login.claims(issued_at=text)))
    assert (session.issued_at, session.idle_expires_at) == (0, 0)


# --- texts ---------------------------------------------------------------------------------------------

TEXTS = {
    "empty": "",
    "ASCII": "".join(map(chr, range(1, 128))),
    "Latin": "Ædä Løvelåçe",
    "three bytes": "エイダ\u0800\ufffd\ufeff\uffff",
    "emoji": "👩🏽\u200d💻",
    "every plane": "".join(chr(plane * 0x10000 + 0x41) for plane in range(17)),
    "last of every plane": "".join(chr(plane * 0x10000 + 0xFFFF) for plane in range(17)),
    "around the surrogates": "\ud7ff\ue000",
    "right to left": "\u202eعربي",
    "combining": "e\u0301 \u1100\u1161",
    "line ends": "a\r\nb\u2028c\u2029d\x85e",
    "markup": "</script><b>&amp;\"'\\",
    "100 KB": "äöü€😀" * 7000,
}


@pytest.mark.parametrize("escaped", [False, True], ids=["as it is", "escaped"])
@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_comes_through(told, kind, escaped):
    text = TEXTS[kind]
    login = Session()
    claims = login.claims(username=text, email={"address": text, "is_verified": True}, custom=[text])
    answer = {"is_valid": True, "claims": claims, "user_id": login.user_id}
    # Python writes non-ASCII as escapes, surrogate pairs included; 100 KB of them thrice would be too much.
    body = json.dumps(answer, ensure_ascii=escaped).encode("utf-8")
    if len(body) > 256 * 1024:
        claims.update(email=None, custom=[text[:100]])
        body = json.dumps(answer, ensure_ascii=escaped).encode("utf-8")
    session = told(body)
    assert session.username == text
    assert session.email == (claims["email"] or {}).get("address")
    assert session.claims == claims
    assert json.loads(session.claim_json("custom")) == claims["custom"]


def test_escapes_that_go_writes(told):
    login = Session()
    body = login.yes().replace(b"ada@example.com", rb"\u003cada\u003e\u0026\u2028\/\b\f\n\r\t\"\\@example.com")
    assert told(body).email == '<ada>&\u2028/\b\f\n\r\t"\\@example.com'


@pytest.mark.parametrize("where", ["user_id", "subject", "session_id", "username", "email"])
def test_nul_where_c_would_cut(refused, where):
    login = Session()
    cut = "ada\0x"
    changes = {
        "user_id": {"user_id": cut},
        "subject": {"user_id": OMIT, "claims": login.claims(subject=cut)},
        "session_id": {"claims": login.claims(session_id=cut)},
        "username": {"claims": login.claims(username=cut)},
        "email": {"claims": login.claims(email={"address": cut})},
    }
    assert refused(login.yes(**changes[where])) == PROTOCOL_ERROR


def test_nul_in_a_custom_claim_stays_escaped(told):
    """JSON holds it as an escape, which C does not cut; a custom claim may hold anything."""
    login = Session()
    session = told(login.yes(claims=login.claims(custom="a\0b")))
    assert session.claim_json("custom") == r'"a\u0000b"'
    assert session.claims["custom"] == "a\0b"


@pytest.mark.parametrize(
    "bad", [rb'"\ud800"', rb'"\udc00"', rb'"\ud800\u0041"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\x80"']
)
def test_text_that_is_none(refused, bad):
    login = Session()
    body = login.yes(claims=login.claims(username="MARK")).replace(b'"MARK"', bad)
    assert refused(body) == PROTOCOL_ERROR


# --- claims as JSON ------------------------------------------------------------------------------------

VALUES = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"1",
    b"9007199254740993",
    b"18446744073709551616",
    b"123456789012345678901234567890.123456789012345678901234567890",
    b"1e400",
    b"-1E-400",
    b"1.50",
    b"1E+2",
    b'""',
    b'"text"',
    b"[]",
    b"{}",
    b"[1,2.0,[3e0,[]],{}]",
    b'{"a":{"b":[null,true,false,"x"]},"":0}',
    "\"ä€😀\"".encode(),
]


@pytest.mark.parametrize("value", VALUES)
def test_values_keep_every_digit(told, value):
    session = told(b'{"is_valid":true,"claims":{"before":1,"value":%s,"after":2}}' % value)
    assert session.claims_json == '{"before":1,"value":%s,"after":2}' % value.decode()
    assert session.claim_json("value") == value.decode()


@pytest.mark.parametrize("framed", [response, chunked_response])
def test_no_blanks_between_the_parts(told, framed):
    """And those inside of texts stay."""
    spaced = b'{ "a b" : [ 1 , { "c" : " x\\t, y " } , [ ] , { } ] , "d" : -1 }'
    body = b' { "is_valid" :\r\n true , "claims"\t: %s } \n' % spaced
    session = told(body, framed=framed)
    assert session.claims_json == '{"a b":[1,{"c":" x\\t, y "},[],{}],"d":-1}'
    assert session.claim_json("a b") == '[1,{"c":" x\\t, y "},[],{}]'
    assert session.claim_json("d") == "-1"


def test_order_is_kept(told):
    names = ["z", "a", "M", "sub", "0", "é"]
    session = told(compact({"is_valid": True, "claims": {name: index for index, name in enumerate(names)}}))
    assert [name for name, _ in json.loads(session.claims_json, object_pairs_hook=list)] == names


NAMES = {
    "plain": "department",
    "blank": "two words",
    "empty": "",
    "quote": 'a"b',
    "backslash": "a\\b",
    "slash": "a/b",
    "control": "a\tb\x01",
    "unicode": "ключ",
    "emoji": "🔑",
    "dots and brackets": "a.b[0]",
}


@pytest.mark.parametrize("escaped", [False, True], ids=["as it is", "escaped"])
@pytest.mark.parametrize("kind", NAMES)
def test_claim_by_its_name(told, kind, escaped):
    name = NAMES[kind]
    key = "".join(rf"\u{unit:04x}" for unit in utf16(name)) if escaped else json.dumps(name, ensure_ascii=False)[1:-1]
    body = '{"is_valid":true,"claims":{"before":0,"%s":[1],"after":{"%s":2}}}' % (key, key)
    session = told(body.encode())
    assert session.claim_json(name) == "[1]"
    for other in (name + "x", name.upper() + "X", name[:-1] if len(name) > 1 else name + " ", '"' + name + '"'):
        assert session.claim_json(other) is None, other


def utf16(text: str) -> list[int]:
    """The units of a text in UTF-16, as JSON escapes them."""
    data = text.encode("utf-16-be")
    return [data[index] << 8 | data[index + 1] for index in range(0, len(data), 2)]


def test_name_must_match_exactly(told):
    session = told(b'{"is_valid":true,"claims":{"name":1,"Caf\xc3\xa9":2,"a\\u0000b":3}}')
    for name in ("Name", "NAME", "nam", "names", "name\n", " name", "Cafe\u0301", "Caf", "a", "claims", "is_valid"):
        assert session.claim_json(name) is None, name
    assert session.claim_json(b"name\xff") is None
    assert session.claim_json("Café") == "2"


def test_claim_that_is_only_deeper_is_not_found(told):
    session = told(b'{"is_valid":true,"claims":{"outer":{"inner":1},"list":[{"inner":2}]},"inner":3}')
    assert session.claim_json("inner") is None


def test_claim_without_a_name(told):
    session = told(Session().yes())
    assert session.claim_json(None) is None
    assert session.claim_json("") is None


def test_texts_of_claims_live_as_long_as_the_session(told, library):
    """Asked for again or in between, each stays where it is."""
    session = told(b'{"is_valid":true,"claims":{"a":[1],"b":{"c":2}}}')
    # By an index, not as an attribute: a function object of its own, which may have types of its own.
    raw = library.c["hanko_session_claim_json"]
    raw.restype, raw.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]
    first, second = raw(session.handle, b"a"), raw(session.handle, b"b")
    for _ in range(100):
        raw(session.handle, b"a")
        assert session.claims_json == '{"a":[1],"b":{"c":2}}'
    assert (ctypes.string_at(first), ctypes.string_at(second)) == (b"[1]", b'{"c":2}')


# --- no contradiction ----------------------------------------------------------------------------------


def test_answer_for_another(refused):
    login, other = Session(), Session()
    assert refused(other.yes(), login.token()) == PROTOCOL_ERROR
    assert refused(other.yes(claims=OMIT), login.token()) == PROTOCOL_ERROR
    assert refused(login.yes(claims=login.claims(session_id=other.session_id)), login.token()) == PROTOCOL_ERROR


def test_user_that_is_none(refused):
    login = Session()
    for user in ("", "00000000-0000-0000-0000-000000000000", 5):
        assert refused(login.yes(user_id=user)) == PROTOCOL_ERROR


def test_expired(refused, serve, new_client):
    login = Session(lifetime=-3600)
    assert refused(login.yes(), login.token()) == PROTOCOL_ERROR
    server = serve(answers(response(login.yes(), date="Sun, 22 Nov 2020 13:00:00 GMT")))
    outcome = new_client(server.url()).validate(login.token())
    assert outcome.status == MISCONFIGURED
    assert "clock" in outcome.error


def test_no(refused):
    assert refused(NO) == INVALID_TOKEN
    assert refused(b'{"is_valid":false,"user_id":"x","claims":{"subject":"x"}}') == INVALID_TOKEN


def test_token_that_is_no_jwt_of_hanko_binds_nothing(told):
    login = Session()
    for token in (mint({"sub": "someone"}), mint({}), b"test-token", b"a.b"):
        assert told(login.yes(), token).user_id == login.user_id


# --- lifetime ------------------------------------------------------------------------------------------


def test_session_outlives_its_client(serve, new_client):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    session = client.validate(login.token()).session
    before = session.facts()
    client.free()
    assert session.facts() == before
    assert session.user_id == login.user_id


def test_session_does_not_change(serve, new_client):
    first, second = Session(), Session()
    replies = {first.token(): response(first.yes()), second.token(): response(second.yes())}
    server = serve(answers(lambda request: replies[request.token.encode()]))
    client = new_client(server.url())
    sessions = [client.validate(token).session for token in list(replies) * 3]
    assert [session.user_id for session in sessions] == [first.user_id, second.user_id] * 3
    for session in sessions[:4]:
        session.free()
    assert [session.user_id for session in sessions[4:]] == [first.user_id, second.user_id]


@pytest.mark.parametrize("name", sorted(name for name in SIGNATURES if name.startswith("hanko_session_")))
def test_null_session(library, name):
    arguments = [None, b"subject"] if name.endswith("claim_json") else [None]
    assert not getattr(library.api, name)(*arguments)


def test_accessors_do_not_touch_the_last_call(library, serve, new_client):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    session = client.validate(login.token()).session
    failed = client.validate(b"\xff")
    session.facts()
    session.claim_json("subject")
    session.free()
    assert library.last_status() == failed.status == INVALID_TOKEN
    assert library.last_error() == failed.error


def test_read_by_many_threads(told):
    login = Session()
    claims = login.claims(**{f"claim-{number}": [number, {"x": "y" * number}] for number in range(50)})
    session = told(login.yes(claims=claims), login.token())
    expected = session.facts()

    def work(number):
        for _ in range(20):
            assert session.facts() == expected
            for name in (number % 50, (number * 7) % 50):
                assert session.claim_json(f"claim-{name}") == compact(claims[f"claim-{name}"]).decode()

    run_threads(16, work)


def test_made_in_one_thread_and_freed_in_another(serve, new_client):
    login = Session()
    client = new_client(serve(answers(response(login.yes()))).url())
    token = login.token()
    sessions = run_threads(8, lambda number: client.validate(token).session)
    assert {session.user_id for session in sessions} == {login.user_id}
    run_threads(8, lambda number: sessions[number].free())
