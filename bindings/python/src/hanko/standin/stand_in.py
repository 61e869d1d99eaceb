"""The stand-in as one object: start it, mint tokens, end sessions, take its database away."""

from __future__ import annotations

import ssl
from typing import Any

from .admin import AdminAPI
from .public import PublicAPI
from .server import Listener
from .service import Service
from .settings import Settings, SettingsError, make_settings
from .tokens import SigningKey


class StandIn(Service):
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
        settings = make_settings(**options)
        tls = _tls_context(settings)  # before the key, which takes its time
        super().__init__(settings, database_down=database_down, delay_ms=delay_ms, key=key)
        self.public = Listener(
            "public", settings.host, settings.port, PublicAPI(self).handle, self.clock.now, tls, settings.verbose
        )
        answer = AdminAPI(self, lambda: {"requests": self.requests, "connections": self.connections}).handle
        self.admin = Listener(
            "admin", settings.host, settings.admin_port, answer, self.clock.now, None, settings.verbose
        )

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
        self.interrupt()
        self.public.stop()
        self.admin.stop()
        self.remove_keys()

    def reset(self) -> None:
        """As after a new start, on the same ports and with the same key: nothing is known, nothing is broken."""
        self.forget()
        self.close_connections()
        self.public.requests = self.public.connections = 0
        self.start_listening()

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

    def stop_listening(self) -> None:
        """Close the public port and its connections, as if Hanko had ended. The admin port stays."""
        self.interrupt()
        self.public.stop()

    def start_listening(self) -> None:
        """Open the public port again, on the same number and with all sessions."""
        self.public.start()

    def close_connections(self, only_idle: bool = False) -> int:
        """Close kept connections from the server's side; how many there were."""
        return self.public.close_connections(only_idle)


def _tls_context(settings: Settings) -> ssl.SSLContext | None:
    if settings.certificate_file is None or settings.key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A password of its own, so that an encrypted key fails instead of asking at the terminal.
        context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
    except (OSError, ValueError) as reason:
        raise SettingsError(f"the certificate or its key cannot be loaded: {reason}") from None
    return context
