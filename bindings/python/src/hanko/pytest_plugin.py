"""A pytest plugin: the fixture `hanko_standin`, to test a backend without an account.

It is there wherever the package is installed, costs no more than the import of the package until a test asks for it,
and does not load the library.
`pytest -p no:hanko` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .standin import MintedSession, StandIn
    from .standin.for_tests import HankoStandIn, Outage
    from .standin.seen_request import SeenRequest

__all__ = ["HankoStandIn", "MintedSession", "Outage", "SeenRequest", "hanko_standin", "hanko_standin_url"]


@pytest.fixture(scope="session")
def _hanko_standin_server() -> Iterator[StandIn]:
    """One server for the whole run, because making its key takes longer than most tests."""
    from .standin import OpenSSLError, StandIn

    try:
        standin = StandIn(key_bits=2048)
    except OpenSSLError as reason:
        pytest.fail(str(reason), pytrace=False)
    with standin:
        yield standin


@pytest.fixture(scope="session")
def hanko_standin_url(_hanko_standin_server: StandIn) -> str:
    """Where the stand-in Hanko answers in every test, for fixtures that configure an app once for the whole run.

    The client of such an app remembers the outages of earlier tests: its circuit breaker opens when ten of its last
    twenty requests failed. `hanko_standin.api_url` is another address in each test and gets a client of its own.
    """
    return _hanko_standin_server.api_url


@pytest.fixture
def hanko_standin(_hanko_standin_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[HankoStandIn]:
    """A stand-in Hanko that knows nobody yet; HANKO_API_URL names it for the length of the test.

    Where your app takes the address from its own settings, give it `hanko_standin.api_url`; it is another one in each
    test, so that no client remembers the outages of the test before.
    """
    from .standin.for_tests import HankoStandIn

    standin = HankoStandIn(_hanko_standin_server)
    monkeypatch.setenv("HANKO_API_URL", standin.api_url)
    yield standin
    standin.close()


def __getattr__(name: str) -> Any:
    """The types, for annotations; imported only by those who ask, so that other test runs do not wait for them."""
    if name in ("HankoStandIn", "Outage"):
        from .standin import for_tests

        return getattr(for_tests, name)
    if name == "MintedSession":
        from .standin import MintedSession

        return MintedSession
    if name == "SeenRequest":
        from .standin.seen_request import SeenRequest

        return SeenRequest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
