"""The token in the headers of a request: `hanko_client_authenticate` and `hanko_extract_token`.

Left open on purpose, because the contract does not say: quotes around a Bearer credential.
"""

from __future__ import annotations

import ctypes
import json

import pytest

from client import call, extract
from deadline import within
from fault_server import FaultServer, answers
from library import (
    BUFFER_TOO_SMALL,
    INVALID_ARGUMENT,
    INVALID_TOKEN,
    MISCONFIGURED,
    NO_TOKEN,
    OK,
    PROTOCOL_ERROR,
    TIMEOUT,
    UNAVAILABLE,
)
from messages import BARE_YES, NO, Session, base64url, compact, error_body, mint, response
from test_recorded import RECORDED

ANSWERS = {
    "ok": response(BARE_YES),
    "no": response(NO),
    "forbidden": response(b"<html>no</html>", status=403),
    "odd": response(b"[]"),
    "down": response(b"", status=503),
    "claims": response(error_body(400, "failed to parse token claims: x"), status=400),
    "large": response(b"", status=413),
}


@pytest.fixture
def hanko(serve) -> FaultServer:
    """A server that answers each token by the word before its first dot; "late" is never answered."""

    def script(connection):
        while True:
            kind = connection.read_request().token.split(".")[0]
            if kind == "late":
                connection.hang()
            connection.send(ANSWERS.get(kind, response(NO)))

    return serve(script)


def asked(server: FaultServer) -> list[str]:
    """The tokens that the server was asked about, in order."""
    return [request.token for request in server.requests]


def cookies(*tokens: str, name: str = "hanko") -> bytes:
    """A Cookie header with a cookie for each token, between cookies of others."""
    pairs = ["theme=dark", *(f"{name}={token}" for token in tokens), "lang=en"]
    return "; ".join(pairs).encode()


# --- which are candidates, and in which order ----------------------------------------------------------


@pytest.mark.parametrize(
    "cookie, authorization, expected",
    [
        (cookies("no.1"), None, ["no.1"]),
        (None, b"Bearer no.1", ["no.1"]),
        (cookies("no.1"), b"Bearer no.2", ["no.2", "no.1"]),
        (cookies("no.1", "no.2", "no.3"), None, ["no.1", "no.2", "no.3"]),
        (cookies("no.1", "no.2"), b"Bearer no.3", ["no.3", "no.1", "no.2"]),
        (cookies("no.1"), b"Basic no.2", ["no.1"]),
        (cookies("no.1"), b"", ["no.1"]),
        (b"", b"Bearer no.1", ["no.1"]),
        # Equal ones count once, wherever they stand and however they are quoted.
        (cookies("no.1", "no.1"), None, ["no.1"]),
        (cookies("no.1", "no.2", "no.1", "no.2"), None, ["no.1", "no.2"]),
        (cookies("no.1"), b"Bearer no.1", ["no.1"]),
        (cookies("no.1", '"no.1"'), None, ["no.1"]),
        (cookies("no.1", "no.1x", "NO.1"), None, ["no.1", "no.1x", "NO.1"]),
        # Empty ones are none.
        (cookies("", "no.1", '""'), b"Bearer ", ["no.1"]),
        # At most four are asked about, equal ones not counted.
        (cookies("1", "2", "3", "4", "5", "6"), None, ["1", "2", "3", "4"]),
        (cookies("1", "2", "3", "4"), b"Bearer 0", ["0", "1", "2", "3"]),
        (cookies("1", "1", "2", "1", "3", "2", "4", "5"), None, ["1", "2", "3", "4"]),
    ],
)
def test_candidates_in_order(hanko, new_client, cookie, authorization, expected):
    client = new_client(hanko.url())
    assert client.authenticate(cookie, authorization).status == INVALID_TOKEN
    assert asked(hanko) == expected


@pytest.mark.parametrize(
    "cookie, authorization",
    [
        (None, None),
        (b"", b""),
        (b"theme=dark; lang=en", None),
        (b"hanko", None),
        (b"hanko=", None),
        (b'hanko=""', None),
        (b"=hanko", None),
        (b"xhanko=a; hanko2=b; Hanko=c; HANKO=d; hank=e; hanko-=f; x=hanko=g", None),
        (None, b"Bearer"),
        (None, b"Bearer "),
        (None, b"Basic YWRhOmxvdmVsYWNl"),
        (None, b"Bearerabc"),
        (None, b"Token abc"),
        (None, b"Bearer2 abc"),
        (None, b"Basic x, Bearer y"),
        (None, b"hanko=abc"),
        (b"Bearer abc", None),
        (b"hanko=\xff", b"Bearer \xc3"),
        (b'hanko="', None),
        (b'hanko="a', None),
        (b'hanko=a"', None),
        (b'hanko=""a""', None),
        (b"hanko=a\\b", None),
        (b"hanko=a\x01", None),
        ("hanko=ä".encode(), None),
    ],
)
def test_no_candidate(library, hanko, new_client, cookie, authorization):
    client = new_client(hanko.url())
    assert client.authenticate(cookie, authorization).status == NO_TOKEN
    assert client.authenticate(cookie, authorization, wanted=False).status == NO_TOKEN
    assert hanko.connections == 0
    assert extract(library, cookie, authorization).status == NO_TOKEN


def test_length_of_null_does_not_matter(library, hanko, new_client):
    client = new_client(hanko.url())
    assert call(library, "hanko_client_authenticate", client.handle, None, 9, None, 9, None).status == NO_TOKEN


GRAMMAR = {
    b"hanko=a": b"a",
    b"hanko=a;": b"a",
    b"hanko=a; ": b"a",
    b"; ;hanko=a;;": b"a",
    b";hanko=a": b"a",
    b"x=1;hanko=a": b"a",
    b"x=1;   hanko=a;y=2": b"a",
    b"x=1;\thanko=a": b"a",
    b"x; hanko=a": b"a",
    b"=x; hanko=a": b"a",
    b"x==; hanko=a": b"a",
    b"$Version=1; hanko=a; $Path=/": b"a",
    b"hanko=a=b": b"a=b",
    b"hanko=a==": b"a==",
    b"hanko==": b"=",
    b"hanko=a,b": b"a,b",
    b"hanko=a%20b": b"a%20b",
    b"hanko=a+b/c": b"a+b/c",
    b"hanko=a b": b"a b",
    b"hanko=hanko": b"hanko",
    b"hanko=hanko=a": b"hanko=a",
    b"xhanko=1; hanko2=2; Hanko=3; hanko=a": b"a",
    b'hanko="a"': b"a",
    b'hanko="a=b,c"': b"a=b,c",
    b'x="1; hanko=a': b"a",
    b'x="hanko=1"; hanko=a': b"a",
    # A cookie whose value Go does not take is dropped, and no other.
    b'hanko="b; hanko=a': b"a",
    b'hanko=b"; hanko=a': b"a",
    b"hanko=b\\; hanko=a": b"a",
    b"hanko=b\tc; hanko=a": b"a",
    b"hanko=b\x7f; hanko=a": b"a",
    "hanko=ä€😀; hanko=a".encode(): b"a",
    # A semicolon ends a cookie, also between quotes: browsers do not know of quotes.
    b'hanko="b;c"; hanko=a': b"a",
    b"\xff=1; hanko=a": b"a",
    b"x=\xff; hanko=a": b"a",
}


@pytest.mark.parametrize("header", GRAMMAR)
def test_cookie_grammar(library, hanko, new_client, header):
    assert extract(library, header).token == GRAMMAR[header]
    assert new_client(hanko.url()).authenticate(header).status == INVALID_TOKEN
    assert asked(hanko) == [GRAMMAR[header].decode()]


@pytest.mark.parametrize(
    "header", [b"Bearer abc", b"bearer abc", b"BEARER abc", b"bEaReR abc", b"Bearer  abc", b"Bearer abc "]
)
def test_scheme(library, hanko, new_client, header):
    assert extract(library, None, header).token == b"abc"
    assert new_client(hanko.url()).authenticate(None, header).status == INVALID_TOKEN
    assert asked(hanko) == ["abc"]


@pytest.mark.parametrize("name", ["session", "__Host-hanko", "!#$%&'*+-.^_`|~", "h"])
def test_name_of_the_cookie(library, hanko, new_client, name):
    header = cookies("wrong") + b"; " + cookies("right", name=name)
    assert extract(library, header, name=name.encode()).token == b"right"
    client = new_client(hanko.url(), cookie_name=name)
    assert client.authenticate(header).status == INVALID_TOKEN
    assert asked(hanko) == ["right"]
    assert client.authenticate(cookies("wrong")).status == NO_TOKEN


@pytest.mark.parametrize("bad", [b"\xff", b"a\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"abc\xe2\x82"])
def test_not_utf8_does_not_count(library, hanko, new_client, bad):
    """Neither as a candidate nor as one of four."""
    header = b"; ".join([b"hanko=" + bad + b"%d" % number for number in range(9)] + [b"hanko=ok.1"])
    assert new_client(hanko.url()).authenticate(header, b"Bearer " + bad).status == OK
    assert asked(hanko) == ["ok.1"]
    assert extract(library, header, b"Bearer " + bad).token == b"ok.1"


@pytest.mark.parametrize(
    "cookie, authorization",
    [
        (b"hanko=ok.1\0", None),
        (b"hanko=ok.1; x=\0", None),
        (b"\0", b"Bearer ok.1"),
        (b"hanko=ok.1", b"Basic \0"),
        (None, b"Bearer ok\0.1"),
        (b"hanko=ok.1", b"\0"),
    ],
)
def test_nul_in_a_header(library, hanko, new_client, cookie, authorization):
    assert new_client(hanko.url()).authenticate(cookie, authorization).status == INVALID_TOKEN
    assert hanko.connections == 0
    assert extract(library, cookie, authorization).status == INVALID_TOKEN


# --- who wins -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], ["no"], ["claims"], ["forbidden"], ["odd"], ["no", "forbidden", "odd"]])
@pytest.mark.parametrize("after", [[], ["no"], ["ok"], ["down"]])
def test_first_accepted_wins(hanko, new_client, before, after):
    tokens = [f"{kind}.before" for kind in before] + ["ok.1"] + [f"{kind}.after" for kind in after]
    outcome = new_client(hanko.url()).authenticate(cookies(*tokens))
    assert outcome.status == OK
    assert asked(hanko) == [*tokens[: len(before)], "ok.1"], "nobody is asked about after a yes"


def test_session_is_that_of_the_token_that_won(serve, new_client):
    logins = [Session() for _ in range(3)]
    tokens = [login.token() for login in logins]
    replies = {tokens[0]: response(NO), tokens[1]: response(logins[1].yes()), tokens[2]: response(logins[2].yes())}
    server = serve(answers(lambda request: replies[request.token.encode()]))
    outcome = new_client(server.url()).authenticate(b"; ".join(b"hanko=" + token for token in tokens))
    assert outcome.session.facts()[:2] == (logins[1].user_id, logins[1].session_id)


@pytest.mark.parametrize("kind, expected", [("down", UNAVAILABLE), ("late", TIMEOUT)])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_what_ends_the_search(hanko, new_client, kind, expected, place):
    """Also when one before could not be judged, and when one behind would be accepted."""
    tokens = [f"{word}.{index}" for index, word in enumerate(["no", "forbidden", "no"][:place])]
    client = new_client(hanko.url(), timeout_ms=400)
    with within(10):
        status = client.authenticate(cookies(*tokens, f"{kind}.1", "ok.1")).status
    assert status == expected
    assert asked(hanko) == [*tokens, f"{kind}.1"]


@pytest.mark.parametrize(
    "kinds, expected",
    [
        (["no", "no"], INVALID_TOKEN),
        (["claims", "no"], INVALID_TOKEN),
        (["forbidden"], MISCONFIGURED),
        (["odd"], PROTOCOL_ERROR),
        (["large"], MISCONFIGURED),
        (["no", "forbidden"], MISCONFIGURED),
        (["forbidden", "no"], MISCONFIGURED),
        (["no", "odd", "no", "no"], PROTOCOL_ERROR),
        # The first that could not be judged gives the status.
        (["odd", "forbidden"], PROTOCOL_ERROR),
        (["forbidden", "odd"], MISCONFIGURED),
        (["no", "forbidden", "odd", "no"], MISCONFIGURED),
    ],
)
def test_none_accepted(hanko, new_client, kinds, expected):
    tokens = [f"{kind}.{index}" for index, kind in enumerate(kinds)]
    client = new_client(hanko.url())
    assert client.authenticate(cookies(*tokens)).status == expected
    assert asked(hanko) == tokens
    assert client.results() == {expected: 1}


def test_retries_are_for_all_candidates_together(serve, new_client):
    """Each candidate is answered 503 once; the second one has no retry left."""
    seen = []

    def reply(request):
        seen.append(request.token)
        return response(NO) if seen.count(request.token) > 1 else response(b"", status=503)

    client = new_client(serve(answers(reply)).url(), max_retries=1)
    assert client.authenticate(cookies("one", "two")).status == UNAVAILABLE
    assert seen == ["one", "one", "two"]
    assert client.statistics().retries == 1


def test_deadline_is_for_all_candidates_together(serve, new_client):
    def slow(connection):
        while True:
            connection.read_request()
            connection.wait(0.4)
            connection.send(response(NO))

    server = serve(slow)
    with within(1.5):
        assert new_client(server.url(), timeout_ms=600).authenticate(cookies("1", "2", "3", "4")).status == TIMEOUT
    assert len(server.requests) == 2


# --- planted cookies ----------------------------------------------------------------------------------


PLANTED = {
    "refused": "no.x",
    "one that a firewall answers": "forbidden.x",
    "one that is answered oddly": "odd.x",
    "one with odd claims": "claims.x",
    "one that a gateway finds too large": "large.x",
    "control character": "\x01",
    "emoji": "🔓",
    "no canonical JWS": "a.b.c",
    "words": "a b",
    "too long to be asked about": "a" * 300_000,
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("place", ["before", "behind", "Bearer"])
def test_planted_cookie_locks_nobody_out(hanko, new_client, kind, place):
    planted = PLANTED[kind]
    pair = [planted, "ok.1"] if place == "before" else ["ok.1", planted]
    cookie, authorization = cookies(*pair), None
    if place == "Bearer":
        cookie, authorization = cookies("ok.1"), f"Bearer {planted}".encode()
    assert new_client(hanko.url()).authenticate(cookie, authorization).status == OK
    assert len(hanko.requests) <= 2


@pytest.mark.parametrize("kind", ["no", "forbidden", "odd"])
def test_many_planted_cookies_cost_four_requests(hanko, new_client, kind):
    client = new_client(hanko.url(), max_retries=10)
    client.authenticate(cookies(*(f"{kind}.{number}" for number in range(1000))), b"Bearer no.x")
    assert len(hanko.requests) == 4
    # None of them could be good, so that one key set serves every "no".
    assert len(hanko.key_set_requests) == 1
    assert client.statistics().requests == 4 + 1


def test_most_requests_of_one_call(serve, new_client):
    """Four candidates, and the retries of the call on top: whatever the headers hold and the server does."""
    seen = []

    def reply(request):
        seen.append(request.token)
        return response(b"", status=403 if seen.count(request.token) > 1 or len(set(seen)) > 2 else 503)

    client = new_client(serve(answers(reply)).url(), max_retries=2)
    assert client.authenticate(cookies(*"abcdefgh"), b"Bearer x").status == MISCONFIGURED
    assert seen == ["x", "x", "a", "a", "b", "c"]
    assert client.statistics().requests == 4 + 2


@pytest.mark.parametrize("kind", ["forbidden", "odd", "no", "claims"])
def test_planted_cookies_do_not_open_the_breaker(hanko, new_client, kind):
    client = new_client(hanko.url())
    for number in range(30):
        client.authenticate(cookies(f"{kind}.{number}"))
    assert client.authenticate(cookies("ok.1")).status == OK
    assert client.statistics().breaker_opened == 0


def test_planted_cookies_do_not_lock_out_what_could_be_good(serve, new_client):
    """However many stand before it; the good one is asked about first."""
    login, other = Session(), Session(lifetime=-60)
    good = login.token()
    planted = [f"planted{number}".encode() for number in range(50)] + [other.token(), mint({"sub": other.user_id})]
    replies = {good: response(login.yes())}
    server = serve(answers(lambda request: replies.get(request.token.encode(), response(NO))))
    header = b"; ".join(b"hanko=" + token for token in [*planted, good])
    outcome = new_client(server.url()).authenticate(header, b"Bearer planted")
    assert outcome.status == OK
    assert outcome.session.user_id == login.user_id
    assert [request.token.encode() for request in server.requests] == [good]


def test_order_of_what_could_be_good(serve, new_client):
    """Hanko's order among those, and among the others behind them."""
    first, second = Session().token(), Session().token()
    server = serve(answers(response(NO)))
    header = b"hanko=a; hanko=" + first + b"; hanko=b; hanko=" + second + b"; hanko=c"
    assert new_client(server.url()).authenticate(header, b"Bearer d").status == INVALID_TOKEN
    assert asked(server) == [first.decode(), second.decode(), "d", "a"]


@pytest.mark.parametrize("value", ['" "', "a.b.c", "e30.e30.c2ln.", "a" * 262_145])
def test_what_is_refused_without_a_request(hanko, new_client, value):
    """Alone it is a no, and it takes nobody's place."""
    client = new_client(hanko.url())
    assert client.authenticate(cookies(value)).status == INVALID_TOKEN
    assert client.authenticate(None, f"Bearer {value}".replace('"', "\u2003").encode()).status == INVALID_TOKEN
    assert not hanko.requests
    assert client.authenticate(cookies(*[value] * 9, "no.1", "no.2", "no.3", "ok.4")).status == OK
    assert asked(hanko) == ["no.1", "no.2", "no.3", "ok.4"]


def test_cookies_as_hanko_reads_them(library):
    """What Go's `net/http` reads in each of 3,092 headers; an empty value is no candidate."""
    recorded = json.loads((RECORDED / "cookies.json").read_text(encoding="utf-8"))
    assert len(recorded) == 3092
    wrong = []
    for header, values in recorded:
        expected = next((value.encode("latin-1") for value in values if value), None)
        found = extract(library, header.encode("latin-1"))
        status = INVALID_TOKEN if "\0" in header else NO_TOKEN if expected is None else OK
        if found.status != status or (status == OK and found.token != expected):
            wrong.append((header, values, found))
    assert not wrong, wrong[:5]


# --- large headers ------------------------------------------------------------------------------------


def many_objects(size: int, name: str = "") -> bytes:
    """A payload in which each of a great many objects has a member of this name, by default the shortest."""
    one = compact({name: 0}) + b","
    return base64url(b'{"a":[' + one * (size // len(one)) + b"0]}")


def test_one_name_in_a_great_many_objects_costs_no_more_than_its_length(hanko, new_client):
    """Nobody needs a key for such a token, and it is read before anybody is asked. One took a second once."""
    client = new_client(hanko.url())
    with within(20):
        for name in ("", "a"):
            payload = many_objects(190_000, name)
            header = b"; ".join(b"hanko=e30." + payload + b".%04d" % number for number in range(40))
            assert client.authenticate(header).status == INVALID_TOKEN


LARGE = {
    "other cookies": b"; ".join(b"name%d=value%d" % (number, number) for number in range(6000)) + b"; hanko=ok.1",
    "one large cookie": b"x=" + b"y" * 100_000 + b"; hanko=ok.1",
    "semicolons": b";" * 100_000 + b"hanko=ok.1",
    "blanks": b" " * 100_000 + b"hanko=ok.1" + b" " * 100_000,
    "equals signs": b"=" * 100_000 + b"; hanko=ok.1",
    "quotes": b'x="' + b'"' * 100_000 + b"; hanko=ok.1",
    "empty ones of the name": b"hanko=;" * 20_000 + b"hanko=ok.1",
    "equal ones of the name": b"hanko=no.1; " * 10_000 + b"hanko=ok.1",
    "one member's name in a great many objects": b"hanko=e30." + many_objects(180_000) + b".; hanko=ok.1",
    "ones of the name that do not count": b"hanko=\xff; " * 20_000 + b"hanko=ok.1",
}


@pytest.mark.parametrize("kind", LARGE)
def test_large_cookie_header(hanko, new_client, kind):
    header = LARGE[kind]
    assert len(header) >= 100_000
    with within(5):
        assert new_client(hanko.url()).authenticate(header, b"Basic " + b"x" * 100_000).status == OK


def test_large_token(library, hanko, new_client):
    token = b"ok." + b"a" * 100_000
    client = new_client(hanko.url())
    assert client.authenticate(b"hanko=" + token).status == OK
    assert client.authenticate(None, b"Bearer " + token).status == OK
    assert asked(hanko) == [token.decode()] * 2
    assert extract(library, b"hanko=" + token, capacity=len(token) + 1).token == token


# --- hanko_extract_token ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie, authorization, expected",
    [
        (cookies("one", "two"), None, b"one"),
        (cookies("one"), b"Bearer two", b"two"),
        (cookies("one"), b"Basic two", b"one"),
        (cookies("", '"one"'), b"Bearer ", b"one"),
    ],
)
def test_extract_gives_the_first_candidate(library, cookie, authorization, expected):
    extracted = extract(library, cookie, authorization)
    assert (extracted.status, extracted.token, extracted.length) == (OK, expected, len(expected))


@pytest.mark.parametrize(
    "token", [b"x", b"test-token", b"a" * 5000], ids=["one byte", "word", "5000 bytes"]
)
def test_extract_and_the_size_of_the_buffer(library, token):
    cookie = b"hanko=" + token
    size = ctypes.c_size_t(0xDEAD)
    asked_for = call(
        library, "hanko_extract_token", cookie, len(cookie), None, 0, None, None, 0, ctypes.byref(size)
    )
    assert (asked_for.status, size.value) == (BUFFER_TOO_SMALL, len(token))
    assert extract(library, cookie, capacity=len(token) + 1).token == token
    for capacity in {0, 1, len(token) - 1, len(token)}:
        extracted = extract(library, cookie, capacity=capacity)
        assert (extracted.status, extracted.length) == (BUFFER_TOO_SMALL, len(token)), f"capacity {capacity}"


@pytest.mark.parametrize("capacity", [0, 5, 11])
def test_extract_without_a_place_for_the_length(library, capacity):
    buffer = ctypes.create_string_buffer(11)
    place = ctypes.addressof(buffer) if capacity else None
    outcome = call(library, "hanko_extract_token", b"hanko=test-token", 16, None, 0, None, place, capacity, None)
    assert outcome.status == (OK if capacity == 11 else BUFFER_TOO_SMALL)
    assert buffer.raw == (b"test-token\0" if capacity == 11 else bytes(11))


@pytest.mark.parametrize("capacity", [2**63 - 1, 2**63, 2**64 - 1])
def test_extract_with_a_capacity_beyond_every_buffer(library, capacity):
    """A caller that says "as much as you like": the token and its NUL are written, no more."""
    buffer = ctypes.create_string_buffer(b"\xa5" * 16, 16)
    place = ctypes.addressof(buffer)
    assert call(library, "hanko_extract_token", b"hanko=abc", 9, None, 0, None, place, capacity, None).status == OK
    assert buffer.raw == b"abc\0" + b"\xa5" * 12


def test_extract_without_a_buffer_that_has_a_capacity(library):
    size = ctypes.c_size_t(0xDEAD)
    outcome = call(library, "hanko_extract_token", b"hanko=abc", 9, None, 0, None, None, 10, ctypes.byref(size))
    assert outcome.status == INVALID_ARGUMENT
    assert size.value == 0xDEAD


@pytest.mark.parametrize("name", [b"", b"a b", b"a;b", b"a=b", b'a"b', b"\xff", "ä".encode()])
def test_extract_with_a_name_that_is_none(library, name):
    extracted = extract(library, b"hanko=abc", name=name)
    assert (extracted.status, extracted.length) == (MISCONFIGURED, 0xDEAD)


@pytest.mark.parametrize(
    "cookie, expected", [(None, NO_TOKEN), (b"x=1", NO_TOKEN), (b"hanko=\0", INVALID_TOKEN), (b"\0", INVALID_TOKEN)]
)
def test_extract_that_finds_nothing_writes_nothing(library, cookie, expected):
    extracted = extract(library, cookie)
    assert (extracted.status, extracted.length) == (expected, 0xDEAD)


def test_extract_needs_no_configuration(library, monkeypatch):
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    monkeypatch.setenv("HANKO_COOKIE_NAME", "other")
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "nonsense")
    assert extract(library, b"hanko=abc; other=def").token == b"abc"
