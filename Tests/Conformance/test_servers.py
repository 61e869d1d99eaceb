"""The servers of these tests say ``X-Request-Id`` as their files promise, or the tests with them would show nothing."""

from __future__ import annotations

import http.client
import json

import pytest

from fault_server import (
    another_and_own_id,
    another_id,
    answers,
    answers_in_turn,
    echoed,
    no_id,
    own_and_another_id,
    own_id,
)
from messages import BARE_YES, NO, chunked_response, response
from resilience import FastServer, compile_program

ID = "0123456789abcdef0123456789abcdef"


class Asking:
    """One kept connection to a server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ids(self, token: str | None, *ids: str) -> tuple[bytes, list[str]]:
        """Ask about a token, or for the key set, with these ids: the body and the ids of the answer."""
        method, path = ("GET", "/.well-known/jwks.json") if token is None else ("POST", "/sessions/validate")
        body = b"" if token is None else json.dumps({"session_token": token}, separators=(",", ":")).encode()
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for each in ids:
            self._connection.putheader("x-request-ID", each)
        if body:
            self._connection.putheader("Content-Length", str(len(body)))
        self._connection.endheaders(body)
        with self._connection.getresponse() as answer:
            return answer.read(), answer.headers.get_all("X-Request-Id", [])

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@pytest.fixture
def ask():
    """Make a connection to a port; it is closed with the test."""
    made = []

    def start(port: int) -> Asking:
        made.append(Asking(port))
        return made[-1]

    yield start
    for asking in made:
        asking.close()


# --- the fault server -------------------------------------------------------------------------------------------------


def test_the_fault_server_echoes_nothing_by_itself(serve, ask):
    asking = ask(serve(answers(response(NO))).port)
    assert asking.ids("a", ID) == (NO, [])
    assert asking.ids(None, ID) == (b'{"keys":[]}\n', [])


def test_each_way_to_echo(serve, ask):
    replies = [
        echoed(response(NO)),
        echoed(response(BARE_YES), another_id),
        echoed(chunked_response(NO), own_and_another_id),
        echoed(lambda request: response(NO), another_and_own_id),
        echoed(response(NO), no_id),
        response(NO),
    ]
    asking = ask(serve(answers(*replies)).port)
    found = [asking.ids("a", f"{ID}{number}") for number in range(len(replies))]
    assert [body for body, _ in found] == [NO, BARE_YES, NO, NO, NO, NO]
    own, another, first, second, none, unchanged = (ids for _, ids in found)
    assert (own, none, unchanged) == ([f"{ID}0"], [], [])
    assert len(another) == 1 and another != [f"{ID}1"]
    assert len(first) == 2 and first[0] == f"{ID}2" and first[1] != f"{ID}2"
    assert len(second) == 2 and second[0] != f"{ID}3" and second[1] == f"{ID}3"


@pytest.mark.parametrize("way", [answers, answers_in_turn])
def test_the_whole_server_can_echo(serve, ask, way):
    """Its own key set as well; an answer that says how it echoes is left as it is."""
    server = serve(way(response(NO), echoed(response(NO), another_id), response(NO)), echo=own_id)
    asking = ask(server.port)
    assert asking.ids("a", ID) == (NO, [ID])
    assert asking.ids("a", ID)[1] != [ID]
    assert asking.ids("a", ID) == (NO, [ID])
    assert asking.ids(None, ID) == (b'{"keys":[]}\n', [ID])


def test_what_is_echoed_may_depend_on_the_request(serve, ask):
    def echo(request):
        return no_id(request) if not request.asks_for_key_set and request.token == "gateway" else own_id(request)

    asking = ask(serve(answers(response(NO)), echo=echo).port)
    assert [asking.ids(token, ID)[1] for token in ("hanko", "gateway", None)] == [[ID], [], [ID]]


def test_a_script_may_echo(serve, ask):
    def script(connection):
        connection.answer(connection.read_request(), response(NO))
        connection.answer(connection.read_request(), response(NO), no_id)
        connection.answer(connection.read_request(), echoed(response(NO), another_id), own_id)
        connection.send(response(NO))

    asking = ask(serve(script, echo=own_id).port)
    assert asking.ids("a", ID) == (NO, [ID])
    assert asking.ids("a", ID) == (NO, [])
    assert asking.ids("a", ID)[1] not in ([], [ID])


def test_the_final_answer_echoes_and_not_what_comes_before_or_behind_it(serve, ask):
    interim = b"HTTP/1.1 100 Continue\r\nLink: x\r\n\r\n"
    asking = ask(serve(answers(echoed(interim * 2 + response(NO) + response(BARE_YES)))).port)
    assert asking.ids("a", ID) == (NO, [ID])
    assert echoed(interim + response(NO) + response(NO), lambda request: ["x"])(None).count(b"X-Request-Id") == 1


# --- who stands for Hanko ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["fault server", "fast server"])
def port_of_hanko(request, serve, tmp_path):
    """A server that echoes as Hanko does, and says yes to tokens with ``yes`` in front."""
    if request.param == "fault server":

        def script(connection):
            while True:
                asked = connection.read_request()
                connection.answer(asked, response(BARE_YES if asked.token.startswith("yes") else NO))

        yield serve(script, echo=own_id).port
    else:
        server = FastServer(compile_program("fast_server", tmp_path))
        yield server.port
        server.stop()


def test_hanko_echoes(port_of_hanko, ask):
    asking = ask(port_of_hanko)
    for number in range(3):
        for token, word in (("yes", b"true"), ("no", b"false"), (None, b"keys")):
            for sent in (f"{ID}{number}", "x" * 256, "a b"):
                body, ids = asking.ids(token, sent)
                assert word in body and ids == [sent]


def test_hanko_makes_one_where_the_request_has_none(port_of_hanko, ask):
    asking = ask(port_of_hanko)
    found = [ids for _ in range(3) for token in ("yes", "no", None) for _, ids in [asking.ids(token)]]
    assert all(len(ids) == 1 and ids[0] for ids in found), found
    assert len({ids[0] for ids in found}) == len(found)
    assert asking.ids("no", "")[1] not in ([], [""])


def test_a_token_that_looks_like_the_field(port_of_hanko, ask):
    asking = ask(port_of_hanko)
    body, ids = asking.ids("\r\nX-Request-Id: planted\r\n", ID)
    assert (json.loads(body), ids) == ({"is_valid": False}, [ID])
