"""Only the right server is believed, and a broken connection never ends the host process."""

from __future__ import annotations

import os
import socket
import ssl
import warnings

import pytest

import child
from certificates import only_version
from library import INVALID_TOKEN, MISCONFIGURED, OK, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, Session, response
from resilience import compile_program


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_right_certificate(library, answering, trusted, monkeypatch, host, version):
    session = Session()
    server = answering(response(session.yes()), tls=only_version(trusted.server_context(), version))
    monkeypatch.setenv("HANKO_API_URL", server.url(host))
    assert library.ask(session.token()).status == OK


def test_right_certificate_for_a_name(answering, trusted, resolver, monkeypatch):
    server = answering(tls=trusted.server_context())
    monkeypatch.setenv("HANKO_API_URL", server.url("hanko.test"))
    result = child.run('report(library.ask(b"test-token").status)', resolver.environment("loopback"))
    assert result.report == INVALID_TOKEN
    assert resolver.questions >= 1


def assert_refused(library, server):
    """No request gets out: the token is not shown to a server that is not the right one."""
    answer = library.ask(TOKEN)
    assert answer.status == UNAVAILABLE
    assert server.connections >= 1
    assert server.requests == []


def test_unknown_authority(library, answering, tls):
    assert_refused(library, answering(response(BARE_YES), tls=tls.server_context()))


def test_other_authority(library, answering, trusted):
    context = trusted.stranger.context("loopback", trusted.loopback_hosts)
    assert_refused(library, answering(response(BARE_YES), tls=context))


@pytest.mark.parametrize("hosts", ["DNS:wrong.example", "IP:127.0.0.2", "DNS:127.0.0.1.example", "DNS:localhost"])
def test_wrong_host(library, answering, trusted, hosts):
    name = "wrong-" + hosts.replace(":", "-")
    assert_refused(library, answering(response(BARE_YES), tls=trusted.authority.context(name, hosts)))


def test_wrong_name(library, answering, trusted, monkeypatch):
    context = trusted.authority.context("address-only", "IP:127.0.0.1,DNS:localhost.example")
    server = answering(response(BARE_YES), tls=context)
    monkeypatch.setenv("HANKO_API_URL", server.url("localhost"))
    assert_refused(library, server)


@pytest.mark.parametrize(
    "name, dates", [("expired", "20200101000000Z/20200102000000Z"), ("not-yet", "20900101000000Z/20900102000000Z")]
)
def test_out_of_date(library, answering, trusted, name, dates):
    context = trusted.authority.context(name, trusted.loopback_hosts, dates)
    assert_refused(library, answering(response(BARE_YES), tls=context))


def test_self_signed(library, answering, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = trusted.stranger.folder
    context.load_cert_chain(folder / "authority.pem", folder / "authority.key")
    assert_refused(library, answering(response(BARE_YES), tls=context))


@pytest.fixture
def old_tls_allowed(tmp_path, monkeypatch):
    """An OpenSSL whose own settings would let TLS 1.0 and 1.1 pass: what refuses is the library."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(
        "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = lenient\n"
        "[lenient]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n"
    )
    monkeypatch.setenv("OPENSSL_CONF", str(settings))


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions(answering, trusted, old_tls_allowed, version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = trusted.server_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        only_version(context, getattr(ssl.TLSVersion, version))
        server = answering(response(BARE_YES), tls=context)
        # A client that allows it gets through, so it is not the server that refuses.
        lenient = ssl.create_default_context(cafile=str(trusted.authority.certificate))
        lenient.set_ciphers("ALL:@SECLEVEL=0")
        lenient.minimum_version = ssl.TLSVersion.TLSv1
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with lenient.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                assert secure.version() == version.replace("_", ".")
    result = child.run('report(library.ask(b"test-token").status)')
    assert result.report == UNAVAILABLE
    assert server.connections == 2
    assert server.requests == []


def test_plain_server_behind_an_https_url(library, serve, monkeypatch):
    server = serve(lambda connection: (connection.send(response(BARE_YES)), connection.hang()))
    monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    assert library.ask(TOKEN).status == UNAVAILABLE


BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "content", [None, b"", b"not a certificate", BROKEN], ids=["missing", "empty", "text", "broken"]
)
def test_unreadable_authority_file(library, answering, tls, monkeypatch, tmp_path, content):
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    server = answering(response(BARE_YES), tls=tls.server_context())
    monkeypatch.setenv("HANKO_CA_FILE", str(file))
    answer = library.ask(TOKEN)
    assert answer.status == MISCONFIGURED
    assert "HANKO_CA_FILE" in answer.error
    assert server.requests == []


def test_authority_file_that_is_a_folder(library, answering, tls, monkeypatch, tmp_path):
    answering(response(BARE_YES), tls=tls.server_context())
    monkeypatch.setenv("HANKO_CA_FILE", str(tmp_path))
    assert library.ask(TOKEN).status == MISCONFIGURED


def test_nothing_turns_verification_off(library, answering, tls, monkeypatch):
    server = answering(response(BARE_YES), tls=tls.server_context())
    for name in ("HANKO_INSECURE", "HANKO_VERIFY", "HANKO_TLS_VERIFY", "HANKO_SKIP_VERIFY", "CURLOPT_SSL_VERIFYPEER"):
        monkeypatch.setenv(name, "0" if "VERIFY" in name and "SKIP" not in name else "1")
    monkeypatch.setenv("HANKO_ALLOW_INSECURE_HTTP", "1")
    assert_refused(library, server)


# --- other TLS libraries ------------------------------------------------------------------------------

ASKS = """
from queue_driver import LibraryThroughQueue
asked = library if WAY == "blocking" else LibraryThroughQueue(library)
statuses = []
for _ in range(COUNT):
    statuses.append(asked.ask(b"test-token").status)
    time.sleep(0.1)
report(statuses)
"""


@pytest.fixture(scope="module")
def hiding_tls(tmp_path_factory):
    """The preloaded object that makes libcurl say AGAIN once before it gives what the socket has."""
    return compile_program("hiding_tls", tmp_path_factory.mktemp("hiding"), shared=True)


@pytest.fixture
def ask_hidden(hiding_tls, tmp_path, monkeypatch):
    """Ask some times with it in a child; gives the statuses."""
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "3000")
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "0")
    log = tmp_path / "hidden.log"
    preloaded = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(hiding_tls)]))

    def ask(way, count):
        code = f"WAY, COUNT = {way!r}, {count}\n" + ASKS
        result = child.run(code, {"LD_PRELOAD": preloaded, "HIDING_LOG": str(log)})
        assert log.stat().st_size > 0, "the preloaded function was not used: the test shows nothing"
        return result.report

    return ask


@pytest.mark.parametrize("way", ["blocking", "queue"])
def test_input_behind_what_holds_no_data_is_read(answering, trusted, ask_hidden, way):
    """libcurl says AGAIN after a session ticket where the TLS library returns behind it, with the answer still there."""
    server = answering(tls=trusted.server_context())
    assert ask_hidden(way, 5) == [INVALID_TOKEN] * 5
    assert server.connections == 1


@pytest.mark.parametrize("way", ["blocking", "queue"])
def test_surplus_behind_what_holds_no_data_is_seen(serve, trusted, ask_hidden, way):
    def script(connection):
        while True:
            connection.read_request()
            connection.send(response(NO))
            connection.wait(0.02)
            connection.send(response(BARE_YES))

    server = serve(script, tls=trusted.server_context())
    assert ask_hidden(way, 3) == [INVALID_TOKEN] * 3
    assert server.connections == 3


# --- SIGPIPE ------------------------------------------------------------------------------------------

BROKEN_PIPE = """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
def signals():
    with open("/proc/self/task/%d/status" % threading.get_native_id()) as status:
        return [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"))]
before = signals()
statuses = [library.ask(token).status for token in TOKENS]
assert signals() == before, "the library left the signals changed: %r, before %r" % (signals(), before)
report(statuses)
"""

# As JSON escapes it, six times as long: more than any buffer takes at once.
LARGE = 'TOKENS = [b"\\x01" * 262144] * 5\n'
SMALL = 'TOKENS = [b"test-token"] * 20\n'


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("transport", ["http", "https"])
def test_no_broken_pipe_while_sending(serve, trusted, transport, end):
    def script(connection):
        connection.read_head()
        getattr(connection, end)()

    serve(script, tls=trusted.server_context() if transport == "https" else None, small_window=True)
    result = child.run(LARGE + BROKEN_PIPE)
    assert (result.returncode, result.report) == (0, [UNAVAILABLE] * 5)


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("transport", ["http", "https"])
def test_no_broken_pipe_on_a_kept_connection(serve, trusted, transport, end):
    """Closing a dead connection makes a TLS library write as well."""

    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.wait(0.01)
        getattr(connection, end)()

    serve(script, tls=trusted.server_context() if transport == "https" else None)
    pause = SMALL + BROKEN_PIPE.replace("library.ask(token).status", "(library.ask(token).status, time.sleep(0.03))[0]")
    result = child.run(pause)
    assert (result.returncode, len(result.report)) == (0, 20)
    # A reset may overtake the answer that was sent before it.
    assert set(result.report) <= ({INVALID_TOKEN} if end == "close" else {INVALID_TOKEN, UNAVAILABLE})


@pytest.mark.parametrize("end", ["close", "reset"])
def test_no_broken_pipe_in_the_handshake(serve, monkeypatch, end):
    server = serve(lambda connection: getattr(connection, end)())
    monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    result = child.run(SMALL + BROKEN_PIPE)
    assert (result.returncode, result.report) == (0, [UNAVAILABLE] * 20)


def test_no_broken_pipe_at_the_end_of_the_process(serve, trusted):
    """Kept TLS connections whose server is gone, when the process ends."""

    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.wait(0.5)
        connection.reset()

    serve(script, tls=trusted.server_context())
    result = child.run(SMALL.replace("* 20", "* 1") + BROKEN_PIPE + "time.sleep(1)\n")
    assert (result.returncode, result.report) == (0, [INVALID_TOKEN])


def test_the_hosts_own_sigpipe_is_left_alone(answering):
    """A handler of the host, and a signal it has blocked and pending, are still there afterwards."""
    answering()
    code = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
os.kill(os.getpid(), signal.SIGPIPE)
status = library.ask(b"test-token").status
report([status, signal.SIGPIPE in signal.sigpending()])
"""
    assert child.run(code).report == [INVALID_TOKEN, True]
