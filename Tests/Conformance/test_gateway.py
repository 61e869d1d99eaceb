"""A gateway before Hanko that answers some requests itself, on the same connections on which Hanko answers the others.

Hanko echoes ``X-Request-Id``, a gateway's own answers do not. A yes or a no without the echo, on a connection that
began with one, is nobody's answer; every other answer stands, costs one request and keeps its connection.
"""

from __future__ import annotations

from collections import Counter

import pytest

from fault_server import another_and_own_id, another_id, echoed, no_id, own_and_another_id, own_id
from library import INVALID_TOKEN, MISCONFIGURED, OK, UNAVAILABLE
from messages import BARE_YES, NO, chunked_response, compact, error_body, response
from resilience import in_threads

# What a gateway answers is looked at request by request; the tests of the key set ask for its confirmation.
pytestmark = pytest.mark.every_no_is_believed

PAGE = b"<html><body>the gateway says no more than this</body></html>"
TENANT = error_body(400, "invalid tenant ID format")
CLAIMS = error_body(400, "failed to parse token claims: 'subject' is not a uuid")
KEYS = response(b'{"keys":[]}')

# What Hanko answers to a token, by the token's word before its dot; it echoes.
HANKO = {"ok": response(BARE_YES), "no": response(NO), "tenant": response(TENANT, status=400)}


def page(status, body=PAGE):
    """An answer that the gateway makes itself."""
    return response(body, status=status)


@pytest.fixture
def gateway(serve):
    """Start a gateway that answers tokens by their word itself, as ``own`` says, with no id unless told by ``echoed``.

    Everything else Hanko answers behind it, and names ids by ``echo``. ``requests`` has those for the key set as well.
    """

    def start(own=(), echo=own_id, key_set=KEYS):
        answers = dict(own)

        def script(connection):
            while True:
                request = connection.read_request()
                if request.asks_for_key_set:
                    connection.answer(request, key_set)
                    continue
                word = request.token.split(".")[0]
                if word in answers:
                    connection.answer(request, answers[word], no_id)
                else:
                    connection.answer(request, HANKO[word])

        return serve(script, echo=echo, key_set=None)

    return start


def by_connection(first, later):
    """What is answered on the first connection, and what on every other."""
    return lambda request: (first if request.connection == 1 else later)(request)


def ask(client, *words):
    """Ask about a token of each word, none of them twice; the statuses."""
    return [client.validate(b"%s.%d" % (word.encode(), number)).status for number, word in enumerate(words)]


def course(server):
    """What was asked, on which connections."""
    return [
        ("keys" if request.asks_for_key_set else request.token.split(".")[0], request.connection)
        for request in server.requests
    ]


# What the connection has carried before: nothing, an answer of Hanko, or one that names no id or another one.
BEFORE = {"first": [], "after an echo": ["ok"], "after no echo": ["plain"], "after another id": ["foreign"]}
EARLIER = {"plain": response(BARE_YES), "foreign": echoed(response(BARE_YES), another_id)}


@pytest.fixture(params=BEFORE)
def before(request):
    """The words of tokens that are accepted."""
    return BEFORE[request.param]


# --- how many requests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_retries", [0, 1])
def test_one_request_for_each_429(gateway, new_client, before, max_retries):
    server = gateway({**EARLIER, "429": page(429)})
    client = new_client(server.url(), max_retries=max_retries)
    assert ask(client, *before, *["429"] * 5) == [OK] * len(before) + [UNAVAILABLE] * 5
    assert [word for word, _ in course(server)] == [*before, *["429"] * 5]
    assert len({request.token for request in server.requests}) == len(server.requests)
    assert client.statistics().retries == 0


@pytest.mark.parametrize("max_retries", [0, 1])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_retried_by_the_ordinary_rule(gateway, new_client, before, status, max_retries):
    word = str(status)
    server = gateway({**EARLIER, word: page(status)})
    client = new_client(server.url(), max_retries=max_retries)
    assert ask(client, *before, word) == [OK] * len(before) + [UNAVAILABLE]
    assert [word for word, _ in course(server)] == [*before, *[word] * (1 + max_retries)]
    assert client.statistics().retries == max_retries


@pytest.mark.parametrize("status", [401, 403, 404, 405, 415, 500])
def test_one_request_for_every_other(gateway, new_client, before, status):
    word = str(status)
    server = gateway({**EARLIER, word: page(status)})
    client = new_client(server.url(), max_retries=1)
    ask(client, *before, word)
    assert [word for word, _ in course(server)] == [*before, word]


# --- what keeps its connection ----------------------------------------------------------------------------------------

KEPT = {
    429: UNAVAILABLE,
    503: UNAVAILABLE,
    401: MISCONFIGURED,
    403: MISCONFIGURED,
    404: MISCONFIGURED,
    415: MISCONFIGURED,
    500: UNAVAILABLE,
    502: UNAVAILABLE,
    504: UNAVAILABLE,
    302: MISCONFIGURED,
    405: MISCONFIGURED,
    410: MISCONFIGURED,
}

# Whose answers these are: the gateway's beside Hanko's, Hanko's own, those of a gateway that echoes nothing or that
# names an id of its own in every answer, Hanko's too.
WHOSE = {
    "the gateway's": (no_id, own_id),
    "Hanko's": (own_id, own_id),
    "no echo at all": (no_id, no_id),
    "other ids alone": (another_id, another_id),
    "the gateway's, with ids of its own": (another_id, own_id),
}


@pytest.mark.parametrize("whose", WHOSE)
def test_one_connection_for_all_of_them(gateway, new_client, whose):
    echo, echo_of_hanko = WHOSE[whose]
    own = {str(status): echoed(page(status), echo) for status in KEPT}
    server = gateway(own, echo_of_hanko)
    client = new_client(server.url())
    assert ask(client, *own) == list(KEPT.values())
    assert ask(client, "ok") == [OK]
    assert course(server) == [(word, 1) for word in [*own, "ok"]]
    assert server.connections == 1


@pytest.mark.parametrize("status", KEPT)
def test_each_of_them_between_two_of_hanko(gateway, new_client, status):
    word = str(status)
    server = gateway({word: page(status)})
    client = new_client(server.url())
    assert ask(client, "ok", word, "ok", word, "ok") == [OK, KEPT[status], OK, KEPT[status], OK]
    assert course(server) == [("ok", 1), (word, 1), ("ok", 1), (word, 1), ("ok", 1)]


BODIES = {
    "empty": page(403, b""),
    "in chunks": chunked_response(PAGE, 7).replace(b"HTTP/1.1 200", b"HTTP/1.1 403"),
    "16 KiB": page(403, b"x" * 16384),
    "JSON that looks like a yes": page(403, BARE_YES),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_nobody_needs_is_read(gateway, new_client, before, body):
    server = gateway({**EARLIER, "page": BODIES[body]})
    client = new_client(server.url())
    assert ask(client, *before, "page", "ok") == [OK] * len(before) + [MISCONFIGURED, OK]
    assert server.connections == 1


def test_hankos_own_400_keeps_the_connection(gateway, new_client):
    server = gateway({"claims": echoed(response(CLAIMS, status=400))})
    client = new_client(server.url())
    assert ask(client, "tenant", "claims", "ok") == [MISCONFIGURED, INVALID_TOKEN, OK]
    assert course(server) == [("tenant", 1), ("claims", 1), ("ok", 1)]


def test_threads_share_their_connections_with_the_gateways_answers(gateway, new_client):
    """A share that the circuit breaker lets pass, however four threads are mixed: at most eight of any twenty."""
    server = gateway({"429": page(429)})
    client = new_client(server.url(), max_retries=1)

    def body(number):
        words = [b"ok", b"ok", b"ok", b"429"] * 10
        tokens = [b"%s.%d" % (word, 100 * number + index) for index, word in enumerate(words)]
        return [client.validate(token).status for token in tokens]

    assert in_threads(4, body) == [[OK, OK, OK, UNAVAILABLE] * 10] * 4
    assert Counter(word for word, _ in course(server)) == {"ok": 120, "429": 40}
    assert server.connections <= 4


# --- what ends its connection -----------------------------------------------------------------------------------------

ENDING = {
    "413": (page(413), MISCONFIGURED),
    "431": (page(431), MISCONFIGURED),
    "400 with a page": (page(400), MISCONFIGURED),
    "400 without a body": (page(400, b""), MISCONFIGURED),
    "400 in another JSON": (page(400, compact({"error": "bad request"})), MISCONFIGURED),
    "400 that looks like a yes": (page(400, BARE_YES), MISCONFIGURED),
    "400 with half of Hanko's body": (page(400, TENANT[:-4]), MISCONFIGURED),
    "far too long a body": (page(403, b"x" * 300_000), MISCONFIGURED),
    "close": (response(PAGE, status=403, headers=[("Connection", "close")]), MISCONFIGURED),
    "HTTP/1.0": (response(PAGE, status=403, version="HTTP/1.0"), MISCONFIGURED),
}


@pytest.mark.parametrize("echo", [no_id, own_id], ids=["without an echo", "with it"])
@pytest.mark.parametrize("kind", ENDING)
def test_ends_its_connection(gateway, new_client, before, kind, echo):
    answer, status = ENDING[kind]
    server = gateway({**EARLIER, "ends": echoed(answer, echo)})
    client = new_client(server.url(), max_retries=1)
    assert ask(client, *before, "ends", "ok") == [OK] * len(before) + [status, OK]
    assert course(server) == [*((word, 1) for word in before), ("ends", 1), ("ok", 2)]


def test_408_ends_its_connection(gateway, new_client):
    server = gateway({"408": page(408)})
    client = new_client(server.url(), max_retries=1)
    assert ask(client, "408", "ok") == [UNAVAILABLE, OK]
    assert course(server) == [("408", 1), ("ok", 2)]


@pytest.mark.parametrize("echo", [no_id, own_id], ids=["without an echo", "with it"])
def test_408_on_a_kept_connection_is_a_connection_that_died(gateway, new_client, echo):
    """The server closes what was idle for too long, so the request goes out once more, which is no retry."""
    server = gateway({"408": echoed(page(408), echo)})
    client = new_client(server.url(), max_retries=1)
    assert ask(client, "ok", "408", "ok") == [OK, UNAVAILABLE, OK]
    assert course(server) == [("ok", 1), ("408", 1), ("408", 2), ("ok", 3)]
    assert client.statistics().retries == 0


# --- whose answer -----------------------------------------------------------------------------------------------------

LACKING = {"no id": no_id, "another id": another_id}

DECISIVE = {
    "yes": (response(BARE_YES), OK),
    "no": (response(NO), INVALID_TOKEN),
    "yes in chunks": (chunked_response(BARE_YES, 5), OK),
    "400 for the token": (response(CLAIMS, status=400), INVALID_TOKEN),
}


@pytest.mark.parametrize("echo", [own_id, no_id], ids=["then an echo", "then none"])
@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("then", ["yes", "no"])
@pytest.mark.parametrize("kind", DECISIVE)
def test_without_its_echo_it_is_nobodys_answer(gateway, new_client, kind, then, lacking, echo):
    """The request goes out once more on a fresh connection, whose answer counts; its first answer need not echo."""
    answer, status = DECISIVE[then]
    lost = by_connection(echoed(DECISIVE[kind][0], LACKING[lacking]), echoed(answer, echo))
    server = gateway({"lost": lost})
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "ok", "lost", "ok") == [OK, status, OK]
    assert course(server) == [("ok", 1), ("lost", 1), ("lost", 2), ("ok", 2)]
    assert server.connections == 2
    assert client.statistics().retries == 0


@pytest.mark.parametrize("lacking", LACKING)
def test_too_large_for_a_gateway_is_a_no_as_well(gateway, new_client, lacking):
    """INVALID_TOKEN for so long a token, so it needs the echo; the gateway's second one opens its connection."""
    server = gateway({"long": echoed(page(413), LACKING[lacking])})
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "ok") == [OK]
    assert client.validate(b"long." + b"t" * 17_000).status == INVALID_TOKEN
    assert course(server) == [("ok", 1), ("long", 1), ("long", 2)]
    assert client.statistics().retries == 0


def test_a_retry_is_left_after_nobodys_answer(gateway, new_client):
    replies = iter([echoed(response(BARE_YES), no_id), echoed(page(503), no_id), echoed(response(NO))])
    server = gateway({"lost": lambda request: next(replies)(request)})
    client = new_client(server.url(), max_retries=1)
    assert ask(client, "ok", "lost") == [OK, INVALID_TOKEN]
    assert course(server)[:3] == [("ok", 1), ("lost", 1), ("lost", 2)]
    assert len(server.requests) == 4
    assert client.statistics().retries == 1


@pytest.mark.parametrize("status", [429, 503, 403])
def test_what_the_fresh_connection_brings_stands(gateway, new_client, status):
    lost = by_connection(echoed(response(BARE_YES), no_id), echoed(page(status), no_id))
    server = gateway({"lost": lost})
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "ok", "lost") == [OK, KEPT[status]]
    assert course(server) == [("ok", 1), ("lost", 1), ("lost", 2)]


def test_each_call_may_lose_an_answer(gateway, new_client):
    """Once a call, not once a client."""
    asked = Counter()

    def lost(request):
        asked[request.token] += 1
        return echoed(response(NO), no_id if asked[request.token] == 1 else own_id)(request)

    server = gateway({"lost": lost})
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "ok", "lost", "lost", "lost") == [OK, INVALID_TOKEN, INVALID_TOKEN, INVALID_TOKEN]
    assert course(server) == [("ok", 1)] + [("lost", number) for number in (1, 2, 2, 3, 3, 4)]
    assert client.statistics().retries == 0


def test_the_gateways_errors_do_not_loosen_the_bond(gateway, new_client):
    server = gateway(
        {
            "429": page(429),
            "403": echoed(page(403), another_id),
            "lost": by_connection(echoed(response(BARE_YES), no_id), echoed(response(NO))),
        }
    )
    client = new_client(server.url())
    assert ask(client, "ok", "429", "403", "lost") == [OK, UNAVAILABLE, MISCONFIGURED, INVALID_TOKEN]
    assert course(server) == [("ok", 1), ("429", 1), ("403", 1), ("lost", 1), ("lost", 2)]


# --- the key set ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("then, status", [(KEYS, INVALID_TOKEN), (page(500), UNAVAILABLE)], ids=["keys", "500"])
@pytest.mark.parametrize("lacking", LACKING)
def test_a_key_set_without_its_echo_is_nobodys(gateway, new_client, lacking, then, status):
    """Else a surplus answer would confirm the "no" of a Hanko that has lost its database."""
    key_set = by_connection(echoed(KEYS, LACKING[lacking]), echoed(then))
    server = gateway(key_set=key_set)
    client = new_client(server.url(), max_retries=0, confirm_rejections=1)
    assert ask(client, "no") == [status]
    assert course(server) == [("no", 1), ("keys", 1), ("keys", 2)]
    assert server.connections == 2
    assert client.statistics().retries == 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_no_key_set_is_that_without_an_echo_too(gateway, new_client, status):
    server = gateway(key_set=echoed(page(status), no_id))
    client = new_client(server.url(), max_retries=0, confirm_rejections=1)
    assert ask(client, "no") == [UNAVAILABLE]
    assert course(server) == [("no", 1), ("keys", 1)]


# --- other gateways ---------------------------------------------------------------------------------------------------

OTHER_GATEWAYS = {
    "that never echoes": no_id,
    "that makes an id for each answer": another_id,
    "that has one id for all": lambda request: ["gateway"],
    "with an empty field": lambda request: [""],
    "with part of the id": lambda request: [own_id(request)[0][:-1]],
    "with two ids in one field": lambda request: [", ".join(own_and_another_id(request))],
}


@pytest.mark.parametrize("kind", OTHER_GATEWAYS)
def test_a_gateway_that_does_not_echo_works(gateway, new_client, kind):
    server = gateway(echo=OTHER_GATEWAYS[kind])
    client = new_client(server.url(), max_retries=0, confirm_rejections=1)
    assert ask(client, "ok", "ok", "no", "ok") == [OK, OK, INVALID_TOKEN, OK]
    assert course(server) == [("ok", 1), ("ok", 1), ("no", 1), ("keys", 1), ("ok", 1)]


def test_a_connection_whose_first_answer_did_not_echo_is_bound_to_nothing(gateway, new_client):
    server = gateway({**EARLIER, "refused": response(NO)})
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "plain", "ok", "foreign", "refused") == [OK, OK, OK, INVALID_TOKEN]
    assert course(server) == [("plain", 1), ("ok", 1), ("foreign", 1), ("refused", 1)]


BESIDE = {"behind the echo": own_and_another_id, "before it": another_and_own_id}


@pytest.mark.parametrize("where", BESIDE)
def test_a_second_id_beside_the_echo_changes_nothing(gateway, new_client, where):
    server = gateway(echo=BESIDE[where])
    client = new_client(server.url(), max_retries=0, confirm_rejections=1)
    assert ask(client, "ok", "ok", "no", "ok") == [OK, OK, INVALID_TOKEN, OK]
    assert course(server) == [("ok", 1), ("ok", 1), ("no", 1), ("keys", 1), ("ok", 1)]


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("where", BESIDE)
def test_a_second_id_beside_the_echo_binds_all_the_same(gateway, new_client, where, lacking):
    lost = by_connection(echoed(response(BARE_YES), LACKING[lacking]), echoed(response(NO), BESIDE[where]))
    server = gateway({"lost": lost}, BESIDE[where])
    client = new_client(server.url(), max_retries=0)
    assert ask(client, "ok", "lost", "ok") == [OK, INVALID_TOKEN, OK]
    assert course(server) == [("ok", 1), ("lost", 1), ("lost", 2), ("ok", 2)]
