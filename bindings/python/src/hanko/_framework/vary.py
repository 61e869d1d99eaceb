"""`Vary`, without which a page cache hands one user's page to another."""

from __future__ import annotations

from typing import Optional

VARY = ("Cookie", "Authorization")
"""The request headers that decide who is asking."""


def merge_vary(existing: Optional[str]) -> str:
    """The value of `Vary` with both headers in it: what is there is kept, nothing stands twice, `*` says it all."""
    names = [name.strip() for name in (existing or "").split(",") if name.strip()]
    if "*" in names:
        return "*"
    known = {name.lower() for name in names}
    return ", ".join(names + [name for name in VARY if name.lower() not in known])
