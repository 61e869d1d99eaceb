"""What the blocking and the asynchronous client have in common."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NoReturn, Optional

from ._fork import renew_after_fork
from ._native_client import NativeClient
from ._settings import PathText, Settings


class BaseClient:
    """Takes the options of a client and makes it."""

    def __init__(
        self,
        api_url: Optional[str] = None,
        *,
        cookie_name: Optional[str] = None,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        max_connections: Optional[int] = None,
        ca_file: Optional[PathText] = None,
        allow_insecure_http: Optional[bool] = None,
        audiences: Optional[Sequence[str]] = None,
        confirm_rejections: Optional[bool] = None,
        logger: Optional[logging.Logger] = None,
    ) -> None:
        """Make a client; no request is sent. What is None comes from the environment, else it is the default.

        - ``api_url``: ``https://<tenant>.hanko.io`` or your own Hanko (``HANKO_API_URL``); required in one of the two.
        - ``cookie_name``: the cookie that `authenticate` reads (``HANKO_COOKIE_NAME``, ``hanko``).
        - ``timeout``: seconds for a whole call, waiting and retries included (``HANKO_TIMEOUT_MS``, 10 s).
        - ``connect_timeout``: seconds for resolving, connecting and TLS (``HANKO_CONNECT_TIMEOUT_MS``, 3 s).
        - ``max_retries``: 0 to 10 further requests of one call (``HANKO_MAX_RETRIES``, 1).
        - ``max_connections``: 1 to 10,000 requests at a time (``HANKO_MAX_CONNECTIONS``, 64).
        - ``ca_file``: a PEM file of a private authority (``HANKO_CA_FILE``).
        - ``allow_insecure_http``: http to other hosts than this one (``HANKO_ALLOW_INSECURE_HTTP``, False).
        - ``audiences``: the token must name one of them; ``()`` means that it is not checked (``HANKO_AUDIENCE``).
        - ``confirm_rejections``: a *no* counts only when Hanko can show its keys, because a Hanko that has lost its
          database says no to everybody (``HANKO_CONFIRM_REJECTIONS``, True).
        - ``logger``: gets the text of failed calls instead of the logger ``hanko``, at most one line a second for each
          status and none below ``HANKO_LOG`` (off, error, warning, info or debug; error).

        Raises `ConfigurationError` for a setting that is missing or not allowed (a malformed variable also where an
        option replaces it), `TypeError` for one of the wrong type, `ImportError` where the library cannot be loaded.
        """
        self._native = NativeClient(
            Settings(
                api_url,
                cookie_name,
                timeout,
                connect_timeout,
                max_retries,
                max_connections,
                ca_file,
                allow_insecure_http,
                audiences,
                confirm_rejections,
                logger,
            )
        )
        self._prepare()
        renew_after_fork(self, type(self)._after_fork_in_child)

    def _prepare(self) -> None:
        """Set up what a kind of client has of its own."""
        raise NotImplementedError

    def _after_fork_in_child(self) -> None:
        """Make new what a forked child must not share with its parent."""
        raise NotImplementedError

    def __reduce__(self) -> NoReturn:
        """A client holds connections, and each process makes its own."""
        kind = type(self).__name__
        raise TypeError(f"a {kind} cannot be pickled or copied: make one in each process")


def closed_error(client: BaseClient) -> RuntimeError:
    """What a call on a closed client raises."""
    return RuntimeError(f"this {type(client).__name__} is closed")
