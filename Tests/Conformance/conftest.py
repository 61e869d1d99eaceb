"""What every conformance test starts from: the library, a clean environment, servers that end with the test."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from typing import Callable

import pytest

import telltale
from certificates import Authority
from client import Client, ClientFactory, Config, bind
from fault_server import FaultServer, Script, answers
from library import Library
from messages import NO, response
from resolver import Resolver

# A call that never returns must end the run as a failure, not hang it.
LONGEST_TEST = 60.0

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(scope="session")
def library() -> Library:
    """The library under test, with the types of every function."""
    return bind(Library())


@pytest.fixture(scope="session")
def real_standard_error(pytestconfig: pytest.Config) -> int:
    """A descriptor of standard error as it was before pytest began to capture it."""
    manager = pytestconfig.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled():
        return os.dup(2)


@pytest.fixture(autouse=True)
def no_test_hangs(real_standard_error: int) -> Iterator[None]:
    """Print where every thread is and end the run when a test takes far too long."""
    faulthandler.dump_traceback_later(LONGEST_TEST, exit=True, file=real_standard_error)
    yield
    faulthandler.cancel_dump_traceback_later()


BELIEVED = "every_no_is_believed"


@pytest.fixture
def believed(request: pytest.FixtureRequest) -> bool:
    """Whether a test is about single requests, to which the question for the key set would add another."""
    return request.node.get_closest_marker(BELIEVED) is not None


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, believed: bool) -> None:
    """No setting of the library and no proxy from outside; the log is at its fullest unless a test turns it down."""
    for name in list(os.environ):
        if name.startswith("HANKO_") and name != "HANKO_LIBRARY":
            monkeypatch.delenv(name)
        if name.lower() in PROXY_VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HANKO_LOG", "debug")
    # One exchange a call: what a later retry would add is not looked at here.
    monkeypatch.setenv("HANKO_MAX_RETRIES", "0")
    if believed:
        monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "0")


Serve = Callable[..., FaultServer]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server with scripts and point HANKO_API_URL at it (unless ``use=False``)."""
    servers: list[FaultServer] = []

    def start(*scripts: Script, use: bool = True, **options: object) -> FaultServer:
        server = FaultServer(*scripts, **options)
        servers.append(server)
        if use:
            monkeypatch.setenv("HANKO_API_URL", server.url())
        return server

    yield start
    errors: list[AssertionError] = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def answering(serve: Serve) -> Callable[..., FaultServer]:
    """Start a server that gives one answer to every request; without one, Hanko's no."""

    def start(reply: bytes | None = None, **options: object) -> FaultServer:
        return serve(answers(response(NO) if reply is None else reply), **options)

    return start


@pytest.fixture
def status_of(library: Library, serve: Serve) -> Callable[..., int]:
    """Serve one raw answer and give the status that the library makes of it."""

    def status(raw: bytes, token: bytes = b"test-token") -> int:
        serve(answers(raw))
        return library.ask(token).status

    return status


class TLS:
    """The certificates of a test run."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.authority = Authority(folder, "authority")
        self.stranger = Authority(folder, "stranger")
        self.loopback_hosts = "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:hanko.test"

    def server_context(self):
        """A server's TLS settings with a good certificate; a fresh object, so that a test may change it."""
        return self.authority.context("loopback", self.loopback_hosts)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TLS:
    """Two authorities; the library trusts the first one where HANKO_CA_FILE names it."""
    return TLS(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(tls: TLS, monkeypatch: pytest.MonkeyPatch) -> TLS:
    """The same, with HANKO_CA_FILE set to the first authority."""
    monkeypatch.setenv("HANKO_CA_FILE", str(tls.authority.certificate))
    return tls


@pytest.fixture(scope="session")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Resolver:
    """The preloaded name resolver."""
    return Resolver(tmp_path_factory.mktemp("resolver"))


@pytest.fixture
def new_client(library: Library, believed: bool) -> Iterator[ClientFactory]:
    """Make a client of a config with these options; by default it sends nothing again.

    When the test ends each client must be at rest and is freed, and its log must be clean.
    """
    clients: list[Client] = []

    def start(api_url: str, **options: object) -> Client:
        if believed:
            options = {"confirm_rejections": 0, **options}
        config = Config(library, **{"api_url": api_url, "max_retries": 0, **options})
        clients.append(Client(library, config))
        config.free()
        return clients[-1]

    yield start
    for client in clients:
        if client.handle:
            assert client.statistics().in_flight == 0
            client.free()
        client.log.check()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what searches everything that was said after everything was said."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "last: runs when all other tests are done")
    config.addinivalue_line("markers", f"{BELIEVED}: rejections are not confirmed, so that a no costs one request")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what the library wrote to standard error during a test."""
    telltale.said(report.capstderr)
