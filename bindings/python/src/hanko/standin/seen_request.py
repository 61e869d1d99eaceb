"""What a test may want to know of a request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .server import Request


@dataclass(frozen=True)
class SeenRequest:
    """A request that came to the stand-in."""

    method: str
    path: str
    token: str | None = field(default=None, repr=False)
    """The token that was asked about; None where the request names none."""

    @classmethod
    def of(cls, request: Request, path: str) -> SeenRequest:
        """What is kept of a request; `path` is that behind the stand-in's own prefix."""
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            body = None
        token = body.get("session_token") if isinstance(body, dict) else None
        return cls(request.method, path, token if isinstance(token, str) else None)
