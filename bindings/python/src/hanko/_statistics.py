"""Counters of one client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Statistics:
    """Counters of one client in this process since it was made, or since the process was forked."""

    results: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """Finished validations by the name of their status, for example ``results["HANKO_OK"]``; every status is in it."""
    requests: int = 0
    """Requests sent to Hanko, retries included."""
    retries: int = 0
    """Requests sent again."""
    connections_opened: int = 0
    breaker_opened: int = 0
    """How often the circuit breaker opened."""
    in_flight: int = 0
    """Validations under way now."""
    hidden_key_set: int = 0
    """401, 403, 404, 405 or 410 where Hanko's key set was last answered with that, so that outages cannot be told apart
    from rejections; 0 where it never was."""
