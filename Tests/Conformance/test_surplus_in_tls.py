"""A surplus answer on a kept connection, wherever it waits: in the socket, in a TLS library's buffer, or in that of a
proxy's TLS around Hanko's.

Behind an `https://` proxy there are two layers of records. What shares an outer record with the first answer lies in
the outer TLS object, where a look at the socket or into the inner one finds nothing.
"""

from __future__ import annotations

import pathlib
import ssl
import subprocess

import pytest

import child
from certificates import only_version
from fault_server import Connection
from library import INVALID_TOKEN, UNAVAILABLE
from messages import BARE_YES, NO, response
from tls_by_hand import TLSByHand

# What a connection brings is looked at request by request.
pytestmark = pytest.mark.every_no_is_believed

FIRST, SURPLUS = response(NO), response(BARE_YES)

# Where libcurl looks for the authorities that it trusts, on one system or the other.
BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"]

# In namespaces of its own: every bundle is another one, then the program runs.
WITH_BUNDLE = """
authority=$1; shift
for bundle in {bundles}; do
  if [ -e "$bundle" ]; then mount --bind "$authority" "$bundle" || exit 1; fi
done
exec "$@"
""".format(bundles=" ".join(BUNDLES))

# What was written on loopback is there at once; the pause is room for a busy machine.
ASK = """
statuses = []
for token in (b"first token", b"second token", b"third token"):
    statuses.append(library.ask(token).status)
    time.sleep(0.03)
report(statuses)
"""

# How the first answer and the surplus are cut, by what makes a record of bytes: the writes that come of them.
CUTS = {
    "one record": lambda sealed: [sealed(FIRST + SURPLUS)],
    "two records in one write": lambda sealed: [sealed(FIRST) + sealed(SURPLUS)],
    "two writes": lambda sealed: [sealed(FIRST), sealed(SURPLUS)],
    "last byte with surplus": lambda sealed: [sealed(FIRST[:-1]), sealed(FIRST[-1:] + SURPLUS)],
    "last byte and surplus in one write": lambda sealed: [sealed(FIRST[:-1]), sealed(FIRST[-1:]) + sealed(SURPLUS)],
    "surplus begins in the first write": lambda sealed: cut_behind(len(FIRST) + 40, sealed(FIRST), sealed(SURPLUS)),
    "surplus ends in the second write": lambda sealed: cut_behind(-1, sealed(FIRST), sealed(SURPLUS)),
    "many surplus answers": lambda sealed: [sealed(FIRST) + b"".join(sealed(SURPLUS) for _ in range(200))],
}


def cut_behind(position, *records):
    """The records in two writes."""
    data = b"".join(records)
    return [data[:position], data[position:]]


def speaks(context, cut, tunnel=False):
    """A script that says no to everything, with a surplus yes behind its first answer unless there is no cut.

    With a context it speaks TLS within the connection, whatever that is; with a tunnel it is a proxy's end first.
    """

    def script(connection):
        hanko, sealed = connection, bytes
        if tunnel:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if context:
            tls = TLSByHand(context, lambda: connection.socket.recv(65536), connection.send)
            tls.shake_hands()
            hanko, sealed = Connection(connection.server, connection.number, tls), tls.sealed
        hanko.read_request()
        for write in CUTS[cut](sealed) if cut else [sealed(FIRST)]:
            connection.send(write)
        while True:
            hanko.read_request()
            hanko.send(FIRST)

    return script


def assert_each_has_its_own(statuses, server, cut):
    """No token has the surplus yes, whose connection is used no more; without a surplus there is one connection."""
    assert statuses == [INVALID_TOKEN] * 3
    asked = [(request.token, request.connection) for request in server.requests if request.body]
    later = 2 if cut else 1
    assert asked == [("first token", 1), ("second token", later), ("third token", later)]
    assert server.connections == later


def only(context, version):
    """The server's TLS settings for one version; without one there is no TLS."""
    return version and only_version(context, getattr(ssl.TLSVersion, version))


VERSIONS = pytest.mark.parametrize("version", [None, "TLSv1_2", "TLSv1_3"], ids=["http", "TLS 1.2", "TLS 1.3"])
EVERY_CUT = pytest.mark.parametrize("cut", [None, *CUTS])


@VERSIONS
@EVERY_CUT
def test_without_a_proxy(serve, trusted, monkeypatch, version, cut):
    context = only(trusted.server_context(), version)
    server = serve(speaks(context, cut), speaks(context, None))
    if context:
        monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    assert_each_has_its_own(child.run(ASK).report, server, cut)


@pytest.fixture
def within_namespaces(tls):
    """The program that runs another one where the system trusts the first authority alone."""
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", WITH_BUNDLE, "sh"]
    within.append(str(tls.authority.certificate))
    if not any(pathlib.Path(bundle).exists() for bundle in BUNDLES):
        reason = f"no bundle of authorities to replace: {', '.join(BUNDLES)}"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    try:
        subprocess.run([*within, "true"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"no namespaces here, in which the system's bundle could be replaced: {error} {error.stderr or ''}"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    return within


@VERSIONS
@EVERY_CUT
def test_behind_an_https_proxy(serve, trusted, within_namespaces, version, cut):
    context = only(trusted.server_context(), version)
    proxy = serve(
        speaks(context, cut, tunnel=True),
        speaks(context, None, tunnel=True),
        tls=trusted.server_context(),
        use=False,
    )
    environment = {
        "HANKO_API_URL": f"{'https' if version else 'http'}://hanko.test",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "HANKO_TIMEOUT_MS": "3000",
        "https_proxy" if version else "http_proxy": proxy.url(),
    }
    result = child.run(ASK, environment, within=within_namespaces)
    assert_each_has_its_own(result.report, proxy, cut)
    port = 443 if version else 80
    tunnels = [request.line for request in proxy.requests if not request.body]
    assert tunnels == [f"CONNECT hanko.test:{port} HTTP/1.1"] * proxy.connections
    assert all(b"token" not in request.head for request in proxy.requests)


def test_an_https_proxy_that_is_not_trusted(serve, trusted, tls, within_namespaces):
    """The bundle is what is trusted there: without it, nothing of the above would have asked."""
    stranger = trusted.stranger.context("loopback", trusted.loopback_hosts)
    proxy = serve(speaks(trusted.server_context(), None, tunnel=True), tls=stranger, use=False)
    environment = {"HANKO_API_URL": "https://hanko.test", "https_proxy": proxy.url()}
    result = child.run(ASK, environment, within=within_namespaces)
    assert result.report == [UNAVAILABLE] * 3
    assert proxy.requests == []
