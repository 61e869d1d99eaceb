"""The exceptions, sessions and statistics as Python objects."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import datetime, timezone

import pytest

import hanko
from hanko import Status
from hanko._errors import error_for

TREE = {
    hanko.HankoError: (Exception,),
    hanko.InvalidToken: (hanko.HankoError,),
    hanko.NoToken: (hanko.InvalidToken,),
    hanko.NotChecked: (hanko.HankoError,),
    hanko.AuthenticationTimeout: (hanko.NotChecked,),
    hanko.AuthenticationUnavailable: (hanko.NotChecked,),
    hanko.ProtocolError: (hanko.NotChecked,),
    hanko.Cancelled: (hanko.NotChecked,),
    hanko.Misconfigured: (hanko.NotChecked,),
    hanko.ConfigurationError: (hanko.Misconfigured, ValueError),
}
FOR_STATUS = [
    (Status.INVALID_TOKEN, hanko.InvalidToken, "Invalid token"),
    (Status.NO_TOKEN, hanko.NoToken, "Invalid token"),
    (Status.TIMEOUT, hanko.AuthenticationTimeout, "Authentication service timeout"),
    (Status.UNAVAILABLE, hanko.AuthenticationUnavailable, "Authentication service unavailable"),
    (Status.MISCONFIGURED, hanko.Misconfigured, "Authentication service unavailable"),
    (Status.PROTOCOL_ERROR, hanko.ProtocolError, "Authentication service unavailable"),
    (Status.CANCELLED, hanko.Cancelled, "Authentication service unavailable"),
    (Status.INVALID_ARGUMENT, hanko.NotChecked, "Authentication service unavailable"),
    (Status.BUFFER_TOO_SMALL, hanko.NotChecked, "Authentication service unavailable"),
    (77, hanko.NotChecked, "Authentication service unavailable"),
]


@pytest.mark.parametrize("kind", TREE)
def test_tree(kind: type[Exception]) -> None:
    assert kind.__bases__ == TREE[kind]


@pytest.mark.parametrize("status, kind, message", FOR_STATUS)
def test_each_status_has_its_exception(status: int, kind: type[hanko.HankoError], message: str) -> None:
    error = error_for(status, "what happened")
    assert type(error) is kind
    assert error.status == status
    assert str(error) == "what happened"
    assert error.client_message == message


@pytest.mark.parametrize("kind", TREE)
def test_they_can_be_raised_in_tests_of_others(kind: type[hanko.HankoError]) -> None:
    error = kind()
    assert str(error)
    assert error.status != Status.OK
    assert error.client_message in (
        "Invalid token",
        "Authentication service timeout",
        "Authentication service unavailable",
    )


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_they_pickle(kind: type[hanko.HankoError], protocol: int) -> None:
    error = kind("what happened", status=Status(77))
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert (type(copy), str(copy), copy.status) == (kind, "what happened", 77)
    assert copy.client_message == error.client_message


def test_a_configuration_error_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        raise hanko.ConfigurationError("bad")


def test_an_unknown_status() -> None:
    assert Status(77) == 77
    assert Status(77).full_name == "HANKO_UNKNOWN_STATUS"
    with pytest.raises(ValueError):
        Status("OK")
    with pytest.raises(ValueError):
        Status(None)


MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def whole_session() -> hanko.Session:
    """A session with everything in it."""
    claims = {"plan": "gold", "list": [1, {"two": None}]}
    return hanko.Session("user", "session", "a@example.com", True, "ada", MOMENT, MOMENT, MOMENT, claims)


def test_a_session_is_a_frozen_dataclass() -> None:
    session = whole_session()
    assert dataclasses.is_dataclass(session)
    with pytest.raises(dataclasses.FrozenInstanceError):
        session.user_id = "eve"  # type: ignore[misc]
    fields = [field.name for field in dataclasses.fields(hanko.Session)]
    assert fields == [
        "user_id",
        "session_id",
        "email",
        "email_verified",
        "username",
        "issued_at",
        "expires_at",
        "idle_expires_at",
        "claims",
    ]
    assert dataclasses.replace(session, email=None).email is None


def test_all_but_the_user_have_defaults() -> None:
    assert hanko.Session(user_id="ada") == hanko.Session("ada", None, None, False, None, None, None, None, {})
    with pytest.raises(TypeError):
        hanko.Session()  # type: ignore[call-arg]


def test_a_session_of_nobody_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="user_id"):
        hanko.Session(user_id="")


def test_claims_are_not_in_repr_or_hash() -> None:
    session = whole_session()
    assert "gold" not in repr(session) and "claims" not in repr(session)
    assert "a@example.com" in repr(session)
    other = dataclasses.replace(session, claims={"plan": "none"})
    assert hash(other) == hash(session)
    assert other != session
    assert session in {session}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_sessions_pickle(protocol: int) -> None:
    session = whole_session()
    copy = pickle.loads(pickle.dumps(session, protocol))
    assert copy == session
    assert copy.claims == session.claims


def test_statistics_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        hanko.Statistics().requests = 1  # type: ignore[misc]
