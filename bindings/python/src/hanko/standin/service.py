"""What a Hanko does, without its ports: mint tokens, end sessions, lose its database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from .answers import Answer, DropConnection, as_float64
from .server import Request
from .settings import NANOSECONDS, Settings
from .state import Clock, Database, Email, Session, User
from .tokens import SigningKey, with_broken_signature, without_signature

WEBHOOK_LIFESPAN = 300
FORGERIES = ("signature", "other-key", "alg-none")


@dataclass(frozen=True)
class MintedSession:
    """A session that was just made, with the token that opens it."""

    token: str = field(repr=False)
    session_id: str
    user_id: str


class Service:
    """Users, sessions and the key that signs their tokens."""

    def __init__(
        self, settings: Settings, *, database_down: bool = False, delay_ms: float = 0, key: SigningKey | None = None
    ) -> None:
        """Make the signing key, unless a `key` is given, which is then not closed by `remove_keys`."""
        self.settings = settings
        self._custom_claims: Mapping[str, Any] = as_float64(self.settings.custom_claims)
        self.delay_ms = delay_ms
        self.intercept: Callable[[Request], Answer | None] | None = None
        """Called with each request to the public port; an answer that it gives is sent instead of Hanko's."""
        self.prefix = ""
        """A first part of paths that is as good as none, such as ``/one``: one server is then at several addresses."""
        self._interruption = threading.Event()
        self.clock = Clock()
        self.database = Database(self.clock)
        self.database.is_down = database_down
        self._owns_key = key is None
        self.key = SigningKey(self.settings.key_bits) if key is None else key
        self._other_key: SigningKey | None = None

    def own_path(self, path: str) -> str:
        """A path without the prefix."""
        return path[len(self.prefix) :] if self.prefix and path.startswith(self.prefix + "/") else path

    def wait(self) -> None:
        """Wait as long as answers are delayed; without an answer where the wait was cut short."""
        if self.delay_ms > 0 and self._interruption.wait(self.delay_ms / 1000):
            raise DropConnection

    def interrupt(self) -> None:
        """Cut short all that waits now."""
        interruption, self._interruption = self._interruption, threading.Event()
        interruption.set()

    def remove_keys(self) -> None:
        """Remove the keys that were made here; a `key` that was given stays."""
        if self._owns_key:
            self.key.close()
        if self._other_key is not None:
            self._other_key.close()

    def forget(self) -> None:
        """As if it had been started anew: no user, no session, no trouble, the right time."""
        self.delay_ms = 0
        self.interrupt()
        self.intercept = None
        self.prefix = ""
        self.clock.reset()
        self.database.clear()

    # Outages

    @property
    def database_down(self) -> bool:
        """Whether the database is switched off. Can be assigned at any time."""
        return self.database.is_down

    @database_down.setter
    def database_down(self, down: bool) -> None:
        self.database.is_down = down

    # Users and sessions

    def add_user(
        self,
        email: str | None = None,
        *,
        verified: bool = True,
        username: str | None = None,
        user_id: str | None = None,
    ) -> User:
        """A new user. Without an address and a username, one with a made-up address."""
        if email is None and username is None:
            email = f"user-{uuid.uuid4()}@example.com"
        emails = [] if email is None else [Email(email, is_verified=verified)]
        return self.database.add_user(emails, username, user_id)

    def mint_session(
        self,
        user: User | None = None,
        *,
        email: str | None = None,
        username: str | None = None,
        amr: Sequence[str] = (),
        claims: Mapping[str, Any] | None = None,
        audience: Sequence[str] | None = None,
        lifespan: float | None = None,
        issued_ago: float = 0,
        user_agent: str | None = None,
        ip_address: str | None = None,
    ) -> MintedSession:
        """A session that Hanko calls valid, of `user` or of a new one.

        `amr` are the authentication methods that a login through the browser leaves in the token.
        `claims` are further custom claims, besides those of the settings. `lifespan` (seconds) and
        `audience` replace the settings; `issued_ago` moves the issue into the past.
        """
        self.database.check()
        if user is None:
            user = self.add_user(email, username=username)
        issued_at = self.clock.now() - round(issued_ago * NANOSECONDS)
        lifespan = self.settings.lifespan if lifespan is None else lifespan
        expires_at = issued_at + round(lifespan * NANOSECONDS)
        session_id = str(uuid.uuid4())
        payload = self._payload(user, session_id, issued_at, expires_at, amr, claims or {}, audience)
        token = self.key.sign(payload)
        session = Session(
            id=session_id,
            user_id=user.id,
            user_agent=user_agent,
            ip_address=ip_address,
            created_at=issued_at,
            updated_at=issued_at,
            expires_at=expires_at,
            last_used=issued_at - issued_at % 1000,  # PostgreSQL keeps microseconds.
        )
        self.database.add_session(session, self.settings.session_limit)
        return MintedSession(token, session_id, user.id)

    def _payload(
        self,
        user: User,
        session_id: str,
        issued_at: int,
        expires_at: int,
        amr: Sequence[str],
        claims: Mapping[str, Any],
        audience: Sequence[str] | None,
    ) -> dict[str, Any]:
        # Custom claims first: what Hanko sets itself must not be replaced by them.
        payload: dict[str, Any] = {**self._custom_claims, **as_float64(claims)}
        payload.update(
            sub=user.id,
            iat=issued_at // NANOSECONDS,
            exp=expires_at // NANOSECONDS,
            aud=list(self.settings.audience if audience is None else audience),
            session_id=session_id,
        )
        email = user.primary_email
        if email is not None:
            payload["email"] = {
                "address": email.address,
                "is_primary": email.is_primary,
                "is_verified": email.is_verified,
            }
        if user.username is not None:
            payload["username"] = user.username
        if amr:
            payload["amr"] = list(amr)
        if self.settings.issuer:
            payload["iss"] = self.settings.issuer
        return payload

    def mint_expired(self, user: User | None = None, seconds_ago: float = 60) -> MintedSession:
        """A session that was good until `seconds_ago`; its row is still in the database."""
        return self.mint_session(user, issued_ago=seconds_ago + 3600, lifespan=3600)

    def mint_forged(self, user: User | None = None, how: str = "signature") -> MintedSession:
        """A live session with a token that Hanko did not sign.

        `how` is `signature` (one character changed), `other-key` (well signed, by a key that is not
        in the key set but bears the name of one that is) or `alg-none` (no signature at all).
        """
        if how not in FORGERIES:
            raise ValueError(f"how is one of {', '.join(FORGERIES)}, not {how!r}")
        session = self.mint_session(user)
        if how == "signature":
            token = with_broken_signature(session.token)
        elif how == "alg-none":
            token = without_signature(session.token)
        else:
            if self._other_key is None:
                self._other_key = SigningKey(2048)
            header = {"alg": "RS256", "kid": self.key.public.kid, "typ": "JWT"}
            token = self._other_key.sign(self.key.public.verify(session.token), header)
        return MintedSession(token, session.session_id, session.user_id)

    def mint_webhook_token(self, event: str = "session.create.admin", user: User | None = None) -> str:
        """A token of the kind that Hanko sends to webhooks: well signed, but no session's."""
        session = self.mint_session(user)
        row = self.database.session(session.session_id)
        now = self.clock.now() // NANOSECONDS
        return self.key.sign(
            {
                "aud": list(self.settings.audience),
                "data": row.as_json() if row is not None else None,
                "evt": event,
                "exp": now + WEBHOOK_LIFESPAN,
                "iat": now,
                "sub": "hanko webhooks",
            }
        )

    def sign(self, payload: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """Any payload as a token signed by the stand-in's key, for cases that no session has."""
        return self.key.sign(payload, header)

    def revoke(self, session: MintedSession) -> bool:
        """End a session, as the Admin API does; `False` if it had ended already."""
        return self.database.delete_session(session.session_id)

    def delete_user(self, user_id: str) -> bool:
        """Delete a user with all sessions."""
        return self.database.delete_user(user_id)

    def advance_clock(self, seconds: float) -> None:
        """Move the stand-in's clock, so that a test need not wait for a session to expire."""
        self.clock.advance(seconds)

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The key set as `/.well-known/jwks.json` gives it."""
        return {"keys": [self.key.public.as_jwk()]}
