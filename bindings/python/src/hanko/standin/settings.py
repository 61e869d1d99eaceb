"""What a stand-in can be told before it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DEFAULT_TENANT = "00000000-0000-0000-0000-000000000001"
"""The tenant that every Hanko has, also one that serves several."""

NANOSECONDS = 1_000_000_000

_DURATION_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|ms|s|m|h)")


class SettingsError(ValueError):
    """A setting has a value that cannot work; the text says which and why."""


def parse_duration(text: str | float) -> float:
    """Seconds in `text`: a number of seconds, or as Hanko's configuration writes them (`12h`, `1m30s`)."""
    if isinstance(text, (int, float)):
        seconds = float(text)
    else:
        text = text.strip()
        parts = _DURATION_PART.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            seconds = sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)
        else:
            try:
                seconds = float(text)
            except ValueError:
                raise SettingsError(f"not a duration: {text!r} (write 90, 90s, 15m or 1h30m)") from None
    if not 0 <= seconds < 1e9:
        raise SettingsError(f"a duration lies between 0 and a billion seconds, not {text!r}")
    return seconds


@dataclass(frozen=True)
class Settings:
    """Everything that is fixed while a stand-in runs. Durations are in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    admin_port: int = 0
    idle_timeout: float = 0.0
    lifespan: float = 12 * 3600.0
    issuer: str = ""
    audience: tuple[str, ...] = ("localhost",)
    custom_claims: Mapping[str, Any] = field(default_factory=dict)
    tenant: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    key_bits: int = 4096
    cookie_name: str = "hanko"
    session_limit: int = 5
    verbose: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work, before a port is opened."""
        for name in ("port", "admin_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise SettingsError(f"{name} lies between 0 and 65535, not {getattr(self, name)}")
        if not 1024 <= self.key_bits <= 8192:
            raise SettingsError(f"key_bits lies between 1024 and 8192, not {self.key_bits}")
        if self.session_limit < 1:
            raise SettingsError("session_limit is at least 1")
        if self.lifespan <= 0:
            raise SettingsError("lifespan is more than 0 seconds")
        if not self.audience:
            raise SettingsError("audience needs at least one value")
        if bool(self.certificate_file) != bool(self.key_file):
            raise SettingsError("TLS needs both the certificate file and the key file")
        if self.tenant is not None and not re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.tenant):
            raise SettingsError(f"a tenant is a UUID in lower case, not {self.tenant!r}")
        # What Go's net/http takes for a cookie's name; anything else could never be sent.
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", self.cookie_name):
            raise SettingsError(f"not a cookie name: {self.cookie_name!r}")


def make_settings(**options: Any) -> Settings:
    """Settings from keyword arguments, with the spellings that are handy in a test; `None` means the default."""
    known: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for name in ("idle_timeout", "lifespan"):
        if name in known:
            known[name] = parse_duration(known[name])
    audience: str | Sequence[str] | None = known.get("audience")
    if audience is not None:
        known["audience"] = (audience,) if isinstance(audience, str) else tuple(audience)
    if known.get("tenant") is True:
        known["tenant"] = DEFAULT_TENANT
    claims = known.get("custom_claims")
    if claims is not None and not isinstance(claims, Mapping):
        raise SettingsError("custom_claims is a JSON object")
    return Settings(**known)
