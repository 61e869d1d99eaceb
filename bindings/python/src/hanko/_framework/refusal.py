"""The answer to a request that is not let through."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._errors import HankoError, InvalidToken
from .vary import merge_vary

RETRY_AFTER_SECONDS = 5
"""What `Retry-After` says when Hanko could not be asked: long enough that clients do not pile up on an outage."""


@dataclass(frozen=True)
class Refusal:
    """Status, headers and JSON body of a refusal. It holds nothing but what a client may see."""

    status: int
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, str]:
        """The body, to be sent as JSON: `{"detail": "Invalid token"}`, as Django's and FastAPI's own tools do."""
        return {"detail": self.detail}

    @classmethod
    def of(cls, error: HankoError) -> Refusal:
        """401 where Hanko refused the token or there was none, 503 where Hanko could not be asked."""
        if isinstance(error, InvalidToken):
            status, headers = 401, {"WWW-Authenticate": "Bearer"}
        else:
            status, headers = 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}
        headers.update({"Cache-Control": "no-store", "Vary": merge_vary(None)})
        return cls(status, error.client_message, headers)
