"""What Hanko said about a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

from ._late_fields import WithLateFields, claims_of, make_late, time_of


@dataclass(frozen=True)
class Session(WithLateFields):
    """What Hanko said about a token, at the moment it was asked.

    ``None`` means that Hanko did not send it. Times are in UTC. ``user_id`` and the times come from where users and
    claims templates cannot overwrite them, as long as Hanko sends them there; ``claims`` holds every claim as it was
    sent, custom ones among them, and what users can change, such as unsafe metadata, is not to be trusted.

    Times and claims are made when they are first read. Programs do not notice, serializers written in C that look past
    Python's attributes do (msgspec leaves out what nobody has read): give those ``dataclasses.asdict(session)``.

    It can be made by hand in tests: ``Session(user_id="...")``.
    """

    user_id: str
    session_id: Optional[str] = None
    email: Optional[str] = None
    email_verified: bool = False
    username: Optional[str] = None
    issued_at: Optional[datetime] = None
    expires_at: Optional[datetime] = None
    idle_expires_at: Optional[datetime] = None
    claims: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    def __post_init__(self) -> None:
        """Refuse a session of nobody."""
        if not self.user_id:
            raise ValueError("a session has a user: user_id must not be empty")


make_late(Session, issued_at=time_of, expires_at=time_of, idle_expires_at=time_of, claims=claims_of)
