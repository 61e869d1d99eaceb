"""CORS preflights: browsers send them without credentials, so nobody can be asked about."""

from __future__ import annotations

from typing import Optional


def is_preflight(method: Optional[str], requested_method: Optional[str]) -> bool:
    """Whether a request is a preflight: OPTIONS with the header `Access-Control-Request-Method`."""
    return method == "OPTIONS" and requested_method is not None
