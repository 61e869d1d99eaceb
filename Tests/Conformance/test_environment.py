"""Configuration from the environment: every variable, good and bad, and changed between calls."""

from __future__ import annotations

import re

import pytest

import child
from fault_server import answers, refused_port
from library import INVALID_TOKEN, MISCONFIGURED, OK, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, Session, response


def assert_explains(error: str, variable: str, *words: str) -> None:
    """The text names the variable and what it should look like."""
    assert variable in error, error
    # However the thousands are set apart.
    plain = re.sub(r"(?<=\d)[,_' ](?=\d\d\d)", "", error)
    for word in words:
        assert word in plain, f"{word!r} is not in {error!r}"


# --- HANKO_API_URL ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, ""])
def test_api_url_missing(library, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("HANKO_API_URL", raising=False)
    else:
        monkeypatch.setenv("HANKO_API_URL", value)
    answer = library.ask(TOKEN)
    assert answer.status == MISCONFIGURED
    assert_explains(answer.error, "HANKO_API_URL", "http")


@pytest.mark.parametrize(
    "path, target",
    [
        ("", "/sessions/validate"),
        ("/", "/sessions/validate"),
        ("///", "/sessions/validate"),
        ("/tenant", "/tenant/sessions/validate"),
        ("/tenant/", "/tenant/sessions/validate"),
        ("/a/b//", "/a/b/sessions/validate"),
        ("/00000000-0000-0000-0000-000000000001", "/00000000-0000-0000-0000-000000000001/sessions/validate"),
        ("/a%20b", "/a%20b/sessions/validate"),
        ("/a%2Fb", "/a%2Fb/sessions/validate"),
        ("/~a_b-c.d", "/~a_b-c.d/sessions/validate"),
    ],
)
def test_api_url_path(library, answering, monkeypatch, path, target):
    server = answering()
    monkeypatch.setenv("HANKO_API_URL", server.url(path=path))
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert server.requests[0].line == f"POST {target} HTTP/1.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_api_url_loopback_hosts(library, answering, monkeypatch, host):
    server = answering()
    monkeypatch.setenv("HANKO_API_URL", server.url(host))
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert server.requests[0].header("Host") == [f"{host}:{server.port}"]


@pytest.mark.parametrize("address", ["127.0.0.2", "127.255.255.254", "::1"])
def test_api_url_other_loopback_addresses(library, answering, address):
    try:
        server = answering(address=address)
    except OSError as error:
        print(f"skipped: {address} cannot be listened on here ({error})")
        pytest.skip(f"{address} cannot be listened on here ({error})")
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert len(server.requests) == 1


def test_api_url_scheme_in_capitals(library, answering, monkeypatch):
    server = answering()
    monkeypatch.setenv("HANKO_API_URL", server.url().replace("http", "HTTP"))
    assert library.ask(TOKEN).status == INVALID_TOKEN


REFUSED_URLS = [
    "hanko",
    "example.com",
    "//example.com",
    "/sessions/validate",
    "http",
    "http:",
    "http:/",
    "http://",
    "https://",
    "https:///path",
    "https://:443",
    "https://:443/path",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "gopher://127.0.0.1",
    "ws://127.0.0.1",
    "httpss://127.0.0.1",
    "javascript:alert(1)",
    "https://ada@127.0.0.1",
    "https://ada:lovelace@127.0.0.1",
    "https://:lovelace@127.0.0.1",
    "http://127.0.0.1@example.com",
    "https://127.0.0.1?tenant=1",
    "https://127.0.0.1/path?tenant=1",
    "https://127.0.0.1#top",
    "https://127.0.0.1/path#top",
    " https://127.0.0.1",
    "https://127.0.0.1 ",
    "https://127.0.0.1/a b",
    "https://127.0.0.1\t",
    "https://127.0.0.1\n",
    "https://127.0.0.1/a\r\nHost: example.com",
    "https://127.0.0.1:65536",
    "https://127.0.0.1:99999",
    "https://127.0.0.1:4294967739",
    "https://127.0.0.1:port",
    "https://127.0.0.1:-1",
    "https://127.0.0.1:80:80",
    "https://[::1",
    "https://[nonsense]",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_api_url_refused(library, monkeypatch, url):
    monkeypatch.setenv("HANKO_API_URL", url)
    answer = library.ask(TOKEN)
    assert answer.status == MISCONFIGURED
    assert_explains(answer.error, "HANKO_API_URL")
    assert "lovelace" not in answer.error, "the text shows a password"


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "hanko.test",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "sub.localhost",
        "localhost.",
        "128.0.0.1",
        "126.255.255.255",
        "0.0.0.0",
        "10.0.0.1",
        "[::2]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
    ],
)
def test_api_url_http_for_other_hosts_is_refused(library, answering, monkeypatch, host):
    # Some of these names would lead to this very server, were they asked.
    server = answering()
    monkeypatch.setenv("HANKO_API_URL", server.url(host))
    for value in (None, "", "0"):
        if value is not None:
            monkeypatch.setenv("HANKO_ALLOW_INSECURE_HTTP", value)
        answer = library.ask(TOKEN)
        assert answer.status == MISCONFIGURED
        assert_explains(answer.error, "HANKO_A", "http")
    assert server.connections == 0


def test_api_url_http_for_other_hosts_when_allowed(library, answering, monkeypatch):
    server = answering(address="0.0.0.0")
    monkeypatch.setenv("HANKO_API_URL", server.url("0.0.0.0"))
    monkeypatch.setenv("HANKO_ALLOW_INSECURE_HTTP", "1")
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert len(server.requests) == 1


# --- malformed and out of range -----------------------------------------------------------------------

NO_WHOLE_NUMBERS = ["abc", "-1", "1.5", "1e3", "0x10", "10s", "1,000", "5 00", "٣", "99999999999999999999999"]

REFUSED = (
    [("HANKO_TIMEOUT_MS", value, ("1", "3600000")) for value in NO_WHOLE_NUMBERS + ["0", "3600001", "4294967297"]]
    + [("HANKO_CONNECT_TIMEOUT_MS", value, ()) for value in NO_WHOLE_NUMBERS]
    + [("HANKO_MAX_RETRIES", value, ("0", "10")) for value in NO_WHOLE_NUMBERS + ["11", "4294967296"]]
    + [("HANKO_MAX_CONNECTIONS", value, ("1", "10000")) for value in NO_WHOLE_NUMBERS + ["0", "10001"]]
    + [("HANKO_ALLOW_INSECURE_HTTP", value, ("0", "1")) for value in ["2", "y", "t", "truth", "on ", "-1", "1.0", "11"]]
    + [("HANKO_CONFIRM_REJECTIONS", value, ("0", "1")) for value in ["2", "y", "t", "truth", "on ", "-1", "1.0", "11"]]
    + [
        ("HANKO_LOG", value, ("off", "error", "warning", "info", "debug"))
        for value in ["verbose", "5", "errors", "err"]
    ]
    + [("HANKO_COOKIE_NAME", value, ()) for value in ["a b", "a;b", "a=b", "a,b", "a\tb", 'a"b', "a\x01", "ä"]]
    + [("HANKO_AUDIENCE", value, ()) for value in ["", ",", ",,"]]
)


@pytest.mark.parametrize("variable, value, words", REFUSED)
def test_refused_values(library, answering, monkeypatch, variable, value, words):
    server = answering()
    monkeypatch.setenv(variable, value)
    answer = library.ask(TOKEN)
    assert answer.status == MISCONFIGURED
    assert_explains(answer.error, variable, *words)
    assert len(answer.error) > len(variable) + 10, "the text says no more than the name"
    assert server.connections == 0


ACCEPTED = [
    ("HANKO_TIMEOUT_MS", "5000"),
    ("HANKO_TIMEOUT_MS", "3600000"),
    ("HANKO_CONNECT_TIMEOUT_MS", "3000"),
    ("HANKO_MAX_RETRIES", "0"),
    ("HANKO_MAX_RETRIES", "10"),
    ("HANKO_MAX_CONNECTIONS", "1"),
    ("HANKO_MAX_CONNECTIONS", "10000"),
    ("HANKO_ALLOW_INSECURE_HTTP", "0"),
    ("HANKO_ALLOW_INSECURE_HTTP", "1"),
    ("HANKO_CONFIRM_REJECTIONS", "0"),
    ("HANKO_CONFIRM_REJECTIONS", "False"),
    ("HANKO_ALLOW_INSECURE_HTTP", "YES"),
    ("HANKO_ALLOW_INSECURE_HTTP", "true"),
    ("HANKO_LOG", "Warning"),
    ("HANKO_COOKIE_NAME", "hanko"),
    ("HANKO_COOKIE_NAME", "__Host-session_1.x"),
    ("HANKO_LOG", "off"),
    ("HANKO_LOG", "error"),
    ("HANKO_LOG", "warning"),
    ("HANKO_LOG", "info"),
    ("HANKO_LOG", "debug"),
] + [
    (variable, "")
    for variable in (
        "HANKO_TIMEOUT_MS",
        "HANKO_CONNECT_TIMEOUT_MS",
        "HANKO_MAX_RETRIES",
        "HANKO_MAX_CONNECTIONS",
        "HANKO_ALLOW_INSECURE_HTTP",
        "HANKO_CONFIRM_REJECTIONS",
        "HANKO_COOKIE_NAME",
        "HANKO_CA_FILE",
        "HANKO_LOG",
    )
]


@pytest.mark.parametrize("variable, value", ACCEPTED)
def test_accepted_values(library, serve, monkeypatch, variable, value):
    session = Session()
    serve(answers(response(session.yes())))
    monkeypatch.setenv(variable, value)
    assert library.ask(session.token()).status == OK


def test_a_variable_that_is_not_ours_does_not_matter(library, answering, monkeypatch):
    answering()
    monkeypatch.setenv("HANKO_SOMETHING_ELSE", "nonsense")
    assert library.ask(TOKEN).status == INVALID_TOKEN


# --- misspelt ------------------------------------------------------------------------------------------


def misspelling_lines(code, **environment):
    """The lines about names that a process writes, which are errors."""
    lines = child.run(code + "\nreport(None)", environment).stderr.splitlines()
    return [line for line in lines if "did you mean" in line]


def line_about(name, meant):
    return f"libhanko: error: HANKO_MISCONFIGURED: {name} is set, but no such variable is read; did you mean {meant}?"


ASK = 'for _ in range(3): library.ask(b"test-token")'


def test_a_misspelt_variable_is_told_once(answering, monkeypatch):
    answering()
    monkeypatch.setenv("HANKO_LOG", "error")
    found = misspelling_lines(
        ASK + '\nos.environ["HANKO_TIMEOUT_MS"] = "5000"\n' + ASK,
        HANKO_TIMEOUT="5000",
        HANKO_AUDIENCES="x",
        HANKO_THEME="dark",
        HANKO_API_KEY="x",
    )
    assert sorted(found) == [
        line_about("HANKO_AUDIENCES", "HANKO_AUDIENCE"),
        line_about("HANKO_TIMEOUT", "HANKO_TIMEOUT_MS"),
    ]


@pytest.mark.parametrize("more", [{}, {"HANKO_MAX_RETRIES": "many"}])
def test_it_is_told_although_there_is_no_client(monkeypatch, more):
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    found = misspelling_lines(ASK, HANKO_API_URI="https://tenant.hanko.io", **more)
    assert found == [line_about("HANKO_API_URI", "HANKO_API_URL")]


def test_it_is_not_told_where_nothing_is_logged(answering):
    answering()
    assert misspelling_lines(ASK, HANKO_TIMEOUT="5000", HANKO_LOG="OFF") == []


@pytest.mark.parametrize("loads", [True, False])
def test_it_goes_to_the_logger_of_a_client_that_took_the_environment(answering, loads):
    server = answering()
    code = f"""
config = Config(library, api_url={server.url()!r})
{"config.load_environment(); config.set_logger(config.log.function, None, 1)" if loads else "pass"}
clients = [Client(library, config) for _ in range(2)]
report(config.log.texts)
"""
    result = child.run(code, {"HANKO_TIMEOUT": "5000"})
    line = line_about("HANKO_TIMEOUT", "HANKO_TIMEOUT_MS").replace("libhanko: error: ", "")
    assert result.report == ([line] if loads else [])
    assert "did you mean" not in result.stderr


# --- changed between calls ----------------------------------------------------------------------------


def test_api_url_changed(library, answering, monkeypatch):
    first = answering(response(NO))
    second = answering(response(BARE_YES), use=False)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_API_URL", second.url())
    assert library.ask(TOKEN).status == OK
    monkeypatch.setenv("HANKO_API_URL", first.url(path="/other"))
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert [request.line.split()[1] for request in first.requests] == ["/sessions/validate", "/other/sessions/validate"]
    assert len(second.requests) == 1


def test_api_url_set_and_unset(library, answering, monkeypatch):
    server = answering(use=False)
    for _ in range(3):
        monkeypatch.delenv("HANKO_API_URL", raising=False)
        assert library.ask(TOKEN).status == MISCONFIGURED
        monkeypatch.setenv("HANKO_API_URL", server.url())
        assert library.ask(TOKEN).status == INVALID_TOKEN
    assert len(server.requests) == 3


def test_bad_value_put_right(library, answering, monkeypatch):
    answering()
    for variable, bad, good in (
        ("HANKO_TIMEOUT_MS", "soon", "5000"),
        ("HANKO_MAX_RETRIES", "many", "1"),
        ("HANKO_AUDIENCE", "", "localhost"),
        ("HANKO_LOG", "loud", "off"),
    ):
        monkeypatch.setenv(variable, bad)
        assert library.ask(TOKEN).status == MISCONFIGURED
        monkeypatch.setenv(variable, good)
        assert library.ask(TOKEN).status == INVALID_TOKEN
        monkeypatch.delenv(variable)
        assert library.ask(TOKEN).status == INVALID_TOKEN


def test_audience_changed(library, answering, monkeypatch):
    session = Session(audience=("one.example",))
    answering(response(session.yes()))
    token = session.token()
    assert library.ask(token).status == OK
    monkeypatch.setenv("HANKO_AUDIENCE", "two.example")
    assert library.ask(token).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_AUDIENCE", "two.example,one.example")
    assert library.ask(token).status == OK
    monkeypatch.delenv("HANKO_AUDIENCE")
    assert library.ask(token).status == OK


def test_timeout_changed(library, serve, monkeypatch):
    def slow(connection):
        while True:
            connection.read_request()
            connection.wait(0.6)
            connection.send(response(NO))

    serve(slow)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "100")
    assert library.ask(TOKEN).status == TIMEOUT
    monkeypatch.delenv("HANKO_TIMEOUT_MS")
    assert library.ask(TOKEN).status == INVALID_TOKEN


def test_authority_changed(library, answering, tls, monkeypatch):
    answering(tls=tls.server_context())
    assert library.ask(TOKEN).status == UNAVAILABLE
    monkeypatch.setenv("HANKO_CA_FILE", str(tls.authority.certificate))
    assert library.ask(TOKEN).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_CA_FILE", str(tls.stranger.certificate))
    assert library.ask(TOKEN).status == UNAVAILABLE
    monkeypatch.delenv("HANKO_CA_FILE")
    assert library.ask(TOKEN).status == UNAVAILABLE


def test_unchanged_values_keep_the_connection(library, answering, monkeypatch):
    server = answering()
    for _ in range(5):
        monkeypatch.setenv("HANKO_API_URL", server.url())
        assert library.ask(TOKEN).status == INVALID_TOKEN
    assert server.connections == 1


def test_nobody_listens_any_more(library, answering, monkeypatch):
    answering()
    assert library.ask(TOKEN).status == INVALID_TOKEN
    monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    assert library.ask(TOKEN).status == UNAVAILABLE
