"""Proxies are taken from the environment as usual, but never for loopback hosts."""

from __future__ import annotations

import pytest

import child
from fault_server import answers
from library import INVALID_TOKEN, OK, UNAVAILABLE
from messages import BARE_YES, NO, response
from resilience import compile_program

ASK = 'report(library.ask(b"test-token").status)'
EVERY_PROXY = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"]


def tunnel(context, *replies):
    """A proxy that makes a connection, behind which is a server that gives these replies, with TLS unless it is None."""

    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
        if context is not None:
            connection.start_tls(context)
        answers(*replies)(connection)

    return script


@pytest.fixture
def proxy(serve):
    """A proxy that makes a connection to a Hanko that says yes, whatever it is asked for."""
    return serve(tunnel(None, response(BARE_YES)), use=False)


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "[::1]"])
def test_never_for_loopback(answering, trusted, proxy, monkeypatch, host, transport):
    context = None
    if transport == "https":
        context = trusted.authority.context("every-loopback", "IP:127.0.0.1,IP:127.0.0.2,IP:::1,DNS:localhost")
    address = {"localhost": "127.0.0.1"}.get(host, host.strip("[]"))
    try:
        server = answering(tls=context, address=address)
    except OSError as error:
        print(f"skipped: {address} cannot be listened on here ({error})")
        pytest.skip(f"{address} cannot be listened on here ({error})")
    monkeypatch.setenv("HANKO_API_URL", server.url(host))
    result = child.run(ASK, {name: proxy.url() for name in EVERY_PROXY})
    assert result.report == INVALID_TOKEN
    assert len(server.requests) == 1
    assert proxy.connections == 0


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY", "all_proxy"])
def test_http_through_a_proxy(resolver, proxy, name):
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "http://hanko.test/tenant",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        name: proxy.url(),
    }
    assert child.run(ASK, environment).report == OK
    connect, request = proxy.requests
    assert connect.line == "CONNECT hanko.test:80 HTTP/1.1"
    assert connect.header("User-Agent") == request.header("User-Agent")
    assert b"test-token" not in connect.raw
    assert request.line == "POST /tenant/sessions/validate HTTP/1.1"
    assert request.header("Host") == ["hanko.test"]
    assert request.token == "test-token"
    assert b"test-token" not in request.head
    # Finding the host is the proxy's business.
    assert resolver.questions == 0


def test_upper_case_http_proxy_is_ignored(resolver, proxy):
    """In a CGI program a request header Proxy becomes HTTP_PROXY: whoever asks could choose it."""
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "http://hanko.test",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "HTTP_PROXY": proxy.url(),
    }
    assert child.run(ASK, environment).report == UNAVAILABLE
    assert resolver.questions >= 1
    assert proxy.connections == 0


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy(resolver, proxy, name):
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "http://hanko.test",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "http_proxy": proxy.url(),
        name: "example.com,hanko.test",
    }
    assert child.run(ASK, environment).report == UNAVAILABLE
    assert resolver.questions >= 1
    assert proxy.connections == 0


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_https_through_a_proxy(serve, trusted, resolver, name):
    proxy = serve(tunnel(trusted.server_context(), response(NO), response(BARE_YES)), use=False)
    environment = {**resolver.environment("unknown"), "HANKO_API_URL": "https://hanko.test", name: proxy.url()}
    result = child.run('report([library.ask(b"test-token").status for _ in range(2)])', environment)
    assert result.report == [INVALID_TOKEN, OK]
    connect, first, second = proxy.requests
    assert connect.line == "CONNECT hanko.test:443 HTTP/1.1"
    assert b"test-token" not in connect.raw
    assert (first.line, second.line) == ("POST /sessions/validate HTTP/1.1",) * 2
    assert proxy.connections == 1


@pytest.mark.parametrize("status, expected", [(503, UNAVAILABLE), (200, OK)])
def test_the_proxys_own_answer_is_not_the_servers(serve, trusted, resolver, status, expected):
    proxy = serve(tunnel(trusted.server_context(), response(BARE_YES, status=status)), use=False)
    environment = {**resolver.environment("unknown"), "HANKO_API_URL": "https://hanko.test", "https_proxy": proxy.url()}
    assert child.run(ASK, environment).report == expected


def test_tunnel_to_the_wrong_server(serve, tls, resolver):
    proxy = serve(tunnel(tls.server_context(), response(BARE_YES)), use=False)
    environment = {**resolver.environment("unknown"), "HANKO_API_URL": "https://hanko.test", "https_proxy": proxy.url()}
    assert child.run(ASK, environment).report == UNAVAILABLE
    assert [request.line for request in proxy.requests] == ["CONNECT hanko.test:443 HTTP/1.1"]


def test_proxy_that_answers_instead_of_opening_a_tunnel(serve, resolver):
    """A yes that comes before TLS is from nobody we know."""
    refusing = serve(answers(response(BARE_YES, status=403)), use=False)
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "https://hanko.test",
        "https_proxy": refusing.url(),
    }
    assert child.run('report(library.ask(b"test-token").value)', environment).report == 0
    assert all(b"test-token" not in request.raw for request in refusing.requests)
    assert len(refusing.requests) >= 1


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [302, 403, 407, 503])
def test_a_proxy_that_refuses_is_named_with_its_answer(serve, resolver, scheme, status):
    """Squid lets CONNECT through to port 443 alone, unless it is told otherwise."""
    refusing = serve(answers(response(b"<html>", status=status)), use=False)
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": f"{scheme}://hanko.test",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "ALL_PROXY": refusing.url(),
    }
    found = child.run('answer = library.ask(b"test-token"); report([answer.status, answer.error])', environment)
    assert found.report[0] == UNAVAILABLE
    assert f"the proxy answered {status}" in found.report[1]
    assert "NO_PROXY" in found.report[1] and "X-Request-Id" not in found.report[1]


def test_what_a_proxy_sends_behind_its_answer_is_no_answer_of_hanko(serve, resolver):
    """A 200 to CONNECT has no body: what comes behind its head would be read as Hanko's answer."""
    talkative = serve(answers(response(BARE_YES)), use=False)
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "http://hanko.test",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "ALL_PROXY": talkative.url(),
    }
    assert child.run(ASK, environment).report == UNAVAILABLE


# --- Who reads the environment ----------------------------------------------------------------------------------------

WATCH = """
import ctypes
from completion_queue import Queue, bind_queue
bind_queue(library)
watch = ctypes.CDLL(None)
client = Client(library)
watch.getenv_watch_start()
statuses = [client.validate(b"test-token").status for _ in range(3)]
queue = Queue(library, client)
for tag in range(3):
    queue.submit(b"test-token", tag)
statuses += [done.status for done in queue.collect(3)]
first = ctypes.c_char_p()
count = watch.getenv_watch_count(ctypes.byref(first))
report([statuses, count, (first.value or b"").decode()])
"""


@pytest.mark.parametrize("transport", ["http", "https"])
def test_no_thread_reads_the_environment_once_there_is_a_client(serve, trusted, tmp_path, monkeypatch, transport):
    """A host may change a variable of its own while a queue works (Node's `process.env`): getenv would then crash it."""
    server = serve(answers(response(BARE_YES)), tls=trusted.server_context() if transport == "https" else None)
    monkeypatch.setenv("HANKO_API_URL", server.url("localhost"))
    shim = compile_program("getenv_watch", tmp_path, shared=True)
    assert child.run(WATCH, {"LD_PRELOAD": str(shim)}).report == [[OK] * 6, 0, ""]


def test_a_proxy_is_that_of_the_moment_when_the_client_is_made(resolver, proxy):
    code = """
client = Client(library)
for name in ("http_proxy", "ALL_PROXY", "no_proxy"): os.environ[name] = "http://127.0.0.1:9" if name != "no_proxy" else "*"
report([client.validate(b"test-token").status, Client(library).validate(b"test-token").status == 0])
"""
    environment = {
        **resolver.environment("unknown"),
        "HANKO_API_URL": "http://hanko.test/tenant",
        "HANKO_ALLOW_INSECURE_HTTP": "1",
        "http_proxy": proxy.url(),
    }
    assert child.run(code, environment).report == [OK, False]
    assert [request.line.split()[0] for request in proxy.requests] == ["CONNECT", "POST"]
