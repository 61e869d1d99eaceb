"""Fields of a session that are made when they are first read: nobody can tell."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from typing import Any, Callable

import pytest

import hanko
from hanko._late_fields import WithLateFields, assemble, make_late, time_of
from hanko.standin import StandIn

LATE = ("issued_at", "expires_at", "claims")

EVERYTHING: dict[str, Callable[[hanko.Session], Any]] = {
    "vars": lambda session: dict(vars(session)),
    "asdict": dataclasses.asdict,
    "replace": lambda session: vars(dataclasses.replace(session)),
    "copy": lambda session: vars(copy.copy(session)),
    "deepcopy": lambda session: vars(copy.deepcopy(session)),
    **{
        f"pickle {protocol}": lambda session, protocol=protocol: vars(pickle.loads(pickle.dumps(session, protocol)))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("take", EVERYTHING.values(), ids=EVERYTHING)
def test_whoever_takes_all_fields_gets_all(standin: StandIn, take: Callable[[hanko.Session], Any]) -> None:
    minted = standin.mint_session(email="ada@example.com", username="ada")
    with hanko.Client(standin.api_url) as client:
        read, unread = client.validate(minted.token), client.validate(minted.token)
    expected = {field.name: getattr(read, field.name) for field in dataclasses.fields(read)}
    assert all(expected[name] for name in LATE)
    assert take(unread) == expected


def test_unread_sessions_compare_hash_and_print_like_others(standin: StandIn) -> None:
    token = standin.mint_session().token
    with hanko.Client(standin.api_url) as client:
        first, second, third = (client.validate(token) for _ in range(3))
    made_by_hand = hanko.Session(**dataclasses.asdict(first))
    assert second == made_by_hand and made_by_hand == third
    assert hash(second) == hash(made_by_hand)
    assert repr(second) == repr(made_by_hand)


def test_each_is_made_once(standin: StandIn) -> None:
    with hanko.Client(standin.api_url) as client:
        session = client.validate(standin.mint_session().token)
    for name in LATE:
        assert getattr(session, name) is getattr(session, name)
    assert copy.copy(session).claims is session.claims
    with pytest.raises(dataclasses.FrozenInstanceError):
        session.claims = {}  # type: ignore[misc]


def test_threads_that_read_at_once_get_the_same_object() -> None:
    meeting = threading.Barrier(2)

    def make(sent: str) -> list[str]:
        meeting.wait(20)
        return [sent]

    @dataclasses.dataclass(frozen=True)
    class Example(WithLateFields):
        letters: list[str]

    make_late(Example, letters=make)
    example = assemble(Example, {}, {"letters": "a"})
    seen: list[list[str]] = []
    threads = [threading.Thread(target=lambda: seen.append(example.letters)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0] == ["a"] and seen[0] is seen[1]


def test_what_is_no_field_is_missing(standin: StandIn) -> None:
    with hanko.Client(standin.api_url) as client:
        session = client.validate(standin.mint_session().token)
    with pytest.raises(AttributeError, match="'Session' object has no attribute 'nothing'"):
        session.nothing  # type: ignore[attr-defined]


def test_a_dataclass_can_build_on_a_session() -> None:
    @dataclasses.dataclass(frozen=True)
    class Guest(hanko.Session):
        table: int = 1

    guest = Guest("ada", claims={"plan": "gold"})
    assert (guest.table, guest.issued_at, guest.claims) == (1, None, {"plan": "gold"})
    assert vars(guest)["table"] == 1


def test_a_time_that_was_not_sent() -> None:
    assert time_of(0) is None
