"""The stand-in as one object: start it, mint tokens, end sessions, take its database away."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .admin import AdminAPI
from .answers import as_float64
from .public import PublicAPI
from .server import Listener
from .settings import NANOSECONDS, Settings, SettingsError, make_settings
from .state import Clock, Database, Email, Session, User
from .tokens import SigningKey, with_broken_signature, without_signature

WEBHOOK_LIFESPAN = 300
FORGERIES = ("signature", "other-key", "alg-none")


@dataclass(frozen=True)
class MintedSession:
    """A session that was just made, with the token that opens it."""

    token: str
    session_id: str
    user_id: str


class StandIn:
    """A stand-in Hanko in this process.

    ::

        with StandIn(key_bits=2048, idle_timeout="30m") as hanko:
            session = hanko.mint_session(email="ada@example.com")
            ...  # ask hanko.api_url about session.token
            hanko.revoke(session)

    Keyword arguments are the fields of `Settings`; `audience` may be one string, `tenant=True` takes
    Hanko's default tenant, and durations may be written as `"12h"`.
    """

    def __init__(
        self,
        *,
        database_down: bool = False,
        delay_ms: float = 0,
        key: SigningKey | None = None,
        **options: Any,
    ) -> None:
        """Make the signing key and open no port yet. A `key` that is given is not closed by `stop`."""
        self.settings: Settings = make_settings(**options)
        self._custom_claims: Mapping[str, Any] = as_float64(self.settings.custom_claims)
        self.delay_ms = delay_ms
        self.clock = Clock()
        self.database = Database(self.clock)
        self.database.is_down = database_down
        tls = self._tls_context()
        settings = self.settings
        self.public = Listener(
            "public", settings.host, settings.port, PublicAPI(self).handle, self.clock.now, tls, settings.verbose
        )
        self.admin = Listener(
            "admin", settings.host, settings.admin_port, AdminAPI(self).handle, self.clock.now, None, settings.verbose
        )
        self._owns_key = key is None
        self.key = SigningKey(settings.key_bits) if key is None else key
        self._other_key: SigningKey | None = None

    def _tls_context(self) -> ssl.SSLContext | None:
        if self.settings.certificate_file is None or self.settings.key_file is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # A password of its own, so that an encrypted key fails instead of asking at the terminal.
            context.load_cert_chain(self.settings.certificate_file, self.settings.key_file, password="")
        except (OSError, ValueError) as reason:
            raise SettingsError(f"the certificate or its key cannot be loaded: {reason}") from None
        return context

    def __enter__(self) -> StandIn:
        """Start both ports."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop, and remove the key."""
        self.stop()

    def start(self) -> StandIn:
        """Open the public and the admin port."""
        try:
            self.public.start()
            self.admin.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close both ports with their connections, and remove the keys that were made here."""
        self.public.stop()
        self.admin.stop()
        if self._owns_key:
            self.key.close()
        if self._other_key is not None:
            self._other_key.close()

    # Addresses and counts

    def _url(self, listener: Listener, scheme: str) -> str:
        host = f"[{listener.host}]" if ":" in listener.host else listener.host
        tenant = f"/{self.settings.tenant}" if self.settings.tenant else ""
        return f"{scheme}://{host}:{listener.port}{tenant}"

    @property
    def api_url(self) -> str:
        """What belongs into `HANKO_API_URL`: the public port, with the tenant if there is one."""
        return self._url(self.public, "http" if self.public.tls is None else "https")

    @property
    def admin_url(self) -> str:
        """The Admin API, which is never behind TLS here."""
        return self._url(self.admin, "http")

    @property
    def requests(self) -> int:
        """How many requests the public port has answered, whatever the answer."""
        return self.public.requests

    @property
    def connections(self) -> int:
        """How many connections the public port has accepted."""
        return self.public.connections

    # Outages

    @property
    def database_down(self) -> bool:
        """Whether the database is switched off. Can be assigned at any time."""
        return self.database.is_down

    @database_down.setter
    def database_down(self, down: bool) -> None:
        self.database.is_down = down

    def stop_listening(self) -> None:
        """Close the public port and its connections, as if Hanko had ended. The admin port stays."""
        self.public.stop()

    def start_listening(self) -> None:
        """Open the public port again, on the same number and with all sessions."""
        self.public.start()

    def close_connections(self, only_idle: bool = False) -> int:
        """Close kept connections from the server's side; how many there were."""
        return self.public.close_connections(only_idle)

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
        lifespan: float | None = None,
        issued_ago: float = 0,
        user_agent: str | None = None,
        ip_address: str | None = None,
    ) -> MintedSession:
        """A session that Hanko calls valid, of `user` or of a new one.

        `amr` are the authentication methods that a login through the browser leaves in the token.
        `lifespan` (seconds) replaces the setting; `issued_ago` moves the issue into the past.
        """
        self.database.check()
        if user is None:
            user = self.add_user(email, username=username)
        issued_at = self.clock.now() - round(issued_ago * NANOSECONDS)
        lifespan = self.settings.lifespan if lifespan is None else lifespan
        expires_at = issued_at + round(lifespan * NANOSECONDS)
        session_id = str(uuid.uuid4())
        token = self.key.sign(self._payload(user, session_id, issued_at, expires_at, amr))
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
        self, user: User, session_id: str, issued_at: int, expires_at: int, amr: Sequence[str]
    ) -> dict[str, Any]:
        # Custom claims first: what Hanko sets itself must not be replaced by them.
        payload: dict[str, Any] = dict(self._custom_claims)
        payload.update(
            sub=user.id,
            iat=issued_at // NANOSECONDS,
            exp=expires_at // NANOSECONDS,
            aud=list(self.settings.audience),
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
