"""The stand-in as the tests of somebody's backend use it: the fixture `hanko_standin`."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from .answers import Answer, DropConnection
from .seen_request import SeenRequest
from .server import Request
from .service import MintedSession
from .stand_in import StandIn
from .state import DatabaseDown, User

Outage = Literal["unavailable", "hanging", "closing", "refusing", "database-down"]
"""How Hanko can be out of order:

- ``unavailable``: it answers 503;
- ``hanging``: it takes requests and never answers;
- ``closing``: it closes the connection instead of answering;
- ``refusing``: nothing listens at its address;
- ``database-down``: it says no to every token, as a Hanko without its database does. Only a backend that confirms
  rejections, as is the default, can tell that from a real no.
"""

OUTAGES: tuple[Outage, ...] = ("unavailable", "hanging", "closing", "refusing", "database-down")


class HankoStandIn:
    """A Hanko of your own for one test: mint sessions, revoke them, put it out of order.

    ::

        def test_profile(client, hanko_standin):
            session = hanko_standin.mint_session(email="ada@example.com")
            headers = hanko_standin.authorization_header(session)
            assert client.get("/profile", headers=headers).status_code == 200

            hanko_standin.revoke(session)
            assert client.get("/profile", headers=headers).status_code == 401

            with hanko_standin.broken():
                assert client.get("/profile", headers=headers).status_code == 503
    """

    def __init__(self, standin: StandIn) -> None:
        """Take over a running stand-in, which the caller stops in the end."""
        self._standin = standin
        self._requests: list[SeenRequest] = []
        # Together, so that a request never sees the one of now and the other of before.
        self._trouble: tuple[Outage | None, threading.Event] = (None, threading.Event())
        standin.intercept = self._before_answer
        standin.prefix = f"/{uuid.uuid4()}"
        self._api_url = standin.api_url + standin.prefix

    def __repr__(self) -> str:
        """Where it is and how it does."""
        return f"<{type(self).__name__} {self.api_url} {self._trouble[0] or 'working'}>"

    @property
    def api_url(self) -> str:
        """Where it answers: what belongs into ``HANKO_API_URL``.

        Another address in each test, so that no client of the test before serves this one: its circuit breaker would
        still remember the outages of that test.
        """
        return self._api_url

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """The requests that came in this test, oldest first, also those that an outage left unanswered."""
        return tuple(self._requests)

    # Sessions

    def mint_session(
        self,
        *,
        user_id: str | uuid.UUID | None = None,
        email: str | None = None,
        email_verified: bool = True,
        username: str | None = None,
        claims: Mapping[str, Any] | None = None,
        audience: str | Sequence[str] | None = None,
        lifespan: float | None = None,
    ) -> MintedSession:
        """Log a user in: a session that is valid until it is revoked or has lived for `lifespan` seconds (12 hours).

        Without `user_id`, `email` and `username` it is a new user with a made-up address. Of a user who is known
        already, from the same test, it is one more session; of these a user has five at most, and the oldest go.
        `claims` are custom claims; the `audience` is `localhost` unless another is given.
        """
        wanted = None if user_id is None else _uuid(user_id)
        try:
            user = self._known_user(wanted, email, username)
            if user is None:
                made_up = wanted is not None and email is None and username is None
                user = self._standin.add_user(
                    f"{wanted}@example.com" if made_up else email,
                    verified=email_verified,
                    username=username,
                    user_id=wanted,
                )
            return self._standin.mint_session(
                user, claims=claims, audience=[audience] if isinstance(audience, str) else audience, lifespan=lifespan
            )
        except DatabaseDown:
            raise RuntimeError("mint sessions before the database goes down, or restore() it first") from None

    def _known_user(self, user_id: str | None, email: str | None, username: str | None) -> User | None:
        for user in self._standin.database.users():
            address = user.primary_email.address if user.primary_email is not None else None
            pairs = ((user_id, user.id), (email, address), (username, user.username))
            agreed = [given.lower() == had for given, had in pairs if given is not None]
            if any(agreed):
                if not all(agreed):
                    raise ValueError("user_id, email and username belong to a user that has another of the three")
                return user
        return None

    def mint_expired(self) -> MintedSession:
        """A session that was valid until a minute ago."""
        return self._standin.mint_expired()

    def mint_forged(self) -> MintedSession:
        """A session whose token was not signed by this Hanko."""
        return self._standin.mint_forged()

    def revoke(self, session: MintedSession) -> bool:
        """End a session, as a logout does; False if it had ended already."""
        return self._standin.revoke(session)

    def delete_user(self, user_id: str) -> bool:
        """Delete a user with all sessions; False if there was none of this id."""
        return self._standin.delete_user(user_id)

    def advance_clock(self, seconds: float) -> None:
        """Move its clock forward, so that a test need not wait for a session to expire."""
        self._standin.advance_clock(seconds)

    # Headers for a test client

    def authorization_header(self, session: MintedSession | str) -> dict[str, str]:
        """The header with the token of a session, or with any token, as a bearer credential."""
        return {"Authorization": f"Bearer {_token(session)}"}

    def cookie_header(self, session: MintedSession | str, name: str | None = None) -> dict[str, str]:
        """The same as a cookie; without a `name` it is that of ``HANKO_COOKIE_NAME``, or ``hanko``."""
        return {"Cookie": f"{name or os.environ.get('HANKO_COOKIE_NAME') or 'hanko'}={_token(session)}"}

    # Outages

    @property
    def delay(self) -> float:
        """Seconds that it waits before each answer. Can be assigned at any time."""
        return self._standin.delay_ms / 1000

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._standin.delay_ms = seconds * 1000

    def break_down(self, outage: Outage = "unavailable") -> None:
        """Put it out of order, until `restore` or the end of the test."""
        if outage not in OUTAGES:
            raise ValueError(f"an outage is one of {', '.join(OUTAGES)}, not {outage!r}")
        self.restore()
        self._trouble = (outage, threading.Event())
        self._standin.database_down = outage == "database-down"
        if outage == "refusing":
            self._standin.stop_listening()

    def restore(self) -> None:
        """Put it in order again. Requests that hang are closed without an answer."""
        _, restored = self._trouble
        self._trouble = (None, threading.Event())
        restored.set()
        self._standin.database_down = False
        self._standin.start_listening()

    @contextmanager
    def broken(self, outage: Outage = "unavailable") -> Iterator[None]:
        """`break_down` for the length of a `with`."""
        self.break_down(outage)
        try:
            yield
        finally:
            self.restore()

    def close(self) -> None:
        """The test is over: restore it, and forget its users and sessions."""
        self.restore()
        self._standin.reset()

    def _before_answer(self, request: Request) -> Answer | None:
        """Called with each request, on the thread of its connection."""
        self._requests.append(SeenRequest.of(request, self._standin.own_path(request.path)))
        outage, restored = self._trouble
        if outage == "unavailable":
            return Answer(503, {"code": 503, "message": "Service Unavailable"})
        if outage == "hanging":
            restored.wait()
        if outage in ("hanging", "closing"):
            raise DropConnection
        return None


def _uuid(user_id: str | uuid.UUID) -> str:
    try:
        return str(uuid.UUID(str(user_id)))
    except ValueError:
        raise ValueError(f"Hanko's user ids are UUIDs, and {user_id!r} is none") from None


def _token(session: MintedSession | str) -> str:
    return session if isinstance(session, str) else session.token
