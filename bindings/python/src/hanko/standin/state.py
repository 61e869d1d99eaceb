"""What a Hanko keeps in its database: users and sessions. And the clock it goes by."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from .answers import HTTPError, format_time
from .settings import NANOSECONDS


class DatabaseDown(Exception):
    """The database was switched off."""


class Clock:
    """The time of day, which can be moved forward so that a test need not wait."""

    def __init__(self) -> None:
        """A clock that shows the real time."""
        self._ahead = 0

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, with a negative number)."""
        self._ahead += round(seconds * NANOSECONDS)

    def reset(self) -> None:
        """Show the real time again."""
        self._ahead = 0


@dataclass(frozen=True)
class Email:
    """One e-mail address of a user."""

    address: str
    is_primary: bool = True
    is_verified: bool = True
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class User:
    """A user, who can have sessions."""

    id: str
    emails: list[Email]
    username: str | None
    username_id: str
    created_at: int
    updated_at: int

    @property
    def primary_email(self) -> Email | None:
        """The address that goes into tokens."""
        return next((email for email in self.emails if email.is_primary), None)

    def as_json(self) -> dict[str, Any]:
        """The user as the Admin API shows it."""
        created, updated = format_time(self.created_at, 6), format_time(self.updated_at, 6)
        shown: dict[str, Any] = {"id": self.id}
        if self.emails:
            shown["emails"] = [
                {
                    "id": email.id,
                    "address": email.address,
                    "is_verified": email.is_verified,
                    "is_primary": email.is_primary,
                    "created_at": created,
                    "updated_at": created,
                }
                for email in self.emails
            ]
        if self.username is not None:
            shown["username"] = {
                "id": self.username_id,
                "username": self.username,
                "created_at": created,
                "updated_at": created,
            }
        shown["created_at"] = created
        shown["updated_at"] = updated
        return shown


@dataclass(frozen=True)
class Session:
    """A session: the row in the database, without the token."""

    id: str
    user_id: str
    user_agent: str | None
    ip_address: str | None
    created_at: int
    updated_at: int
    expires_at: int
    last_used: int

    def as_json(self, digits: int = 6) -> dict[str, Any]:
        """The session as the Admin API and webhooks show it; the database keeps microseconds."""
        return {
            "id": self.id,
            "user_id": self.user_id,
            "user_agent": self.user_agent,
            "ip_address": self.ip_address,
            "created_at": format_time(self.created_at, digits),
            "updated_at": format_time(self.updated_at, digits),
            "expires_at": format_time(self.expires_at, digits),
            "last_used": format_time(self.last_used, digits),
        }


class Database:
    """Users and sessions, safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        """An empty database."""
        self._clock = clock
        self._lock = threading.RLock()
        self._users: dict[str, User] = {}
        self._sessions: dict[str, Session] = {}
        self.is_down = False

    def clear(self) -> None:
        """Forget everybody, and be there again if it was switched off."""
        with self._lock:
            self._users.clear()
            self._sessions.clear()
            self.is_down = False

    def check(self) -> None:
        """Raise `DatabaseDown` if the database was switched off."""
        if self.is_down:
            raise DatabaseDown

    def add_user(
        self,
        emails: list[Email],
        username: str | None = None,
        user_id: str | None = None,
        created_at: int | None = None,
    ) -> User:
        """Keep a new user; an `HTTPError` 409 if the id, an address or the username is taken."""
        self.check()
        now = self._clock.now()
        emails = [replace(email, address=email.address.lower()) for email in emails]
        username = username.lower() if username is not None else None
        new = User(
            user_id or str(uuid.uuid4()), emails, username, str(uuid.uuid4()), created_at or now, created_at or now
        )
        with self._lock:
            if new.id in self._users:
                raise HTTPError(409, f"failed to create user with id '{new.id}': user already exists")
            taken = {email.address for user in self._users.values() for email in user.emails}
            for email in emails:
                if email.address in taken:
                    raise HTTPError(
                        409, f"failed to create email '{email.address}' for user '{new.id}': email already exists"
                    )
            if username is not None and any(user.username == username for user in self._users.values()):
                raise HTTPError(
                    409, f"failed to create username '{username}' for user '{new.id}': username already exists"
                )
            self._users[new.id] = new
        return new

    def users(self) -> list[User]:
        """All users, newest first."""
        self.check()
        with self._lock:
            return sorted(self._users.values(), key=lambda user: user.created_at, reverse=True)

    def user(self, user_id: str) -> User | None:
        """The user of this id, if there is one."""
        self.check()
        with self._lock:
            return self._users.get(user_id)

    def delete_user(self, user_id: str) -> bool:
        """Forget a user with all sessions; `False` if there is none of this id."""
        self.check()
        with self._lock:
            if self._users.pop(user_id, None) is None:
                return False
            for session in [row for row in self._sessions.values() if row.user_id == user_id]:
                del self._sessions[session.id]
            return True

    def add_session(self, session: Session, limit: int) -> None:
        """Keep a new session; of the user's others the oldest go, so that `limit` are left."""
        self.check()
        with self._lock:
            for old in self.active_sessions(session.user_id)[limit - 1 :]:
                del self._sessions[old.id]
            self._sessions[session.id] = session

    def active_sessions(self, user_id: str) -> list[Session]:
        """The sessions of a user that have not expired, newest first."""
        self.check()
        now = self._clock.now()
        with self._lock:
            rows = [row for row in self._sessions.values() if row.user_id == user_id and row.expires_at > now]
        # Reversed first, so that of two with the same time the later one comes first.
        return sorted(reversed(rows), key=lambda row: row.created_at, reverse=True)  # noqa: C414

    def session(self, session_id: str) -> Session | None:
        """The session of this id, if there is one."""
        self.check()
        with self._lock:
            return self._sessions.get(session_id)

    def touch_session(self, session_id: str, now: int) -> None:
        """Note that a session was used."""
        self.check()
        stored = now - now % 1000  # PostgreSQL keeps microseconds.
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None:
                self._sessions[session_id] = replace(session, last_used=stored, updated_at=stored)

    def delete_session(self, session_id: str) -> bool:
        """End a session; `False` if there is none of this id."""
        self.check()
        with self._lock:
            return self._sessions.pop(session_id, None) is not None
