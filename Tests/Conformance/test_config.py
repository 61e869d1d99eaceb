"""Every option of a `hanko_config`: what it does, what is allowed, and who wins.

An option cannot be read back, so each is seen by its *effect*: what a client of that config does.
"""

from __future__ import annotations

import ctypes
import re
import threading
from typing import Any, Callable, NamedTuple

import pytest

from client import (
    LOG_DEBUG,
    LOG_OFF,
    SIGNATURES,
    Client,
    Config,
    Log,
    LogFunction,
    call,
    new_client_handle,
)
from fault_server import BusyListener, answers
from library import INVALID_ARGUMENT, INVALID_TOKEN, MISCONFIGURED, OK, TIMEOUT, UNAVAILABLE
from messages import NO, TOKEN, Session, response
from test_environment import REFUSED_URLS
from test_threads import run_threads

KEY_SET = response(b'{"keys":[]}\n')


def plain(text: str) -> str:
    """A text with its numbers in one piece, however the thousands are set apart."""
    return re.sub(r"(?<=\d)[,_' ](?=\d\d\d)", "", text)


def asked(request) -> bytes:
    """Hanko's no to a POST, and a set without keys to a GET."""
    return response(NO) if request.line.startswith("POST") else KEY_SET


# --- effects ------------------------------------------------------------------------------------------


class Bench:
    """Servers and tokens with which the effect of each option can be seen."""

    def __init__(self, library, serve, tls) -> None:
        self.library = library
        self.serve = serve
        self.tls = tls
        self.server = serve(answers(asked), use=False)
        # What a test wants to do between the making of a client and its first use.
        self.after_new: Callable[[], None] = lambda: None

    def client(self, config: Config, **options: Any) -> Client:
        """A client of this config with further options that the effect needs."""
        for name, value in options.items():
            assert config.set(name, value).status == OK
        client = Client(self.library, config)
        self.after_new()
        return client

    def api_url(self, config: Config) -> str:
        """The address that was asked."""
        assert self.client(config).validate(TOKEN).status == INVALID_TOKEN
        request = self.server.requests[-1]
        return f"http://{request.header('Host')[0]}{request.line.split()[1]}"[: -len("/sessions/validate")]

    def cookie_name(self, config: Config) -> str:
        """The name of the cookie whose value was sent."""
        names = ("hanko", "one", "__Host-two!#$%&'*+-.^_`|~")
        cookie = "; ".join(f"{name}=token-of-{name}" for name in names).encode()
        assert self.client(config, api_url=self.server.url()).authenticate(cookie).status == INVALID_TOKEN
        return self.server.requests[-1].token[len("token-of-") :]

    def timeout_ms(self, config: Config) -> int:
        """The status of a call that is answered after 0.4 s."""

        def late(connection):
            connection.read_request()
            connection.wait(0.4)
            connection.send(response(NO))

        return self.client(config, api_url=self.serve(late, use=False).url()).validate(TOKEN).status

    def connect_timeout_ms(self, config: Config) -> int:
        """The status where connecting hangs and the call may take half a second."""
        listener = BusyListener()
        try:
            return self.client(config, api_url=listener.url(), timeout_ms=500, max_retries=0).validate(TOKEN).status
        finally:
            listener.stop()

    def max_retries(self, config: Config) -> int:
        """How many further requests a 503 brings."""
        server = self.serve(answers(response(b"", status=503)), use=False)
        assert self.client(config, api_url=server.url()).validate(TOKEN).status == UNAVAILABLE
        return len(server.requests) - 1

    def max_connections(self, config: Config) -> int:
        """How many of three calls are with the server at once."""
        three = threading.Event()
        waiting: list[int] = []
        most = [0]

        def script(connection):
            while True:
                connection.read_request()
                waiting.append(1)
                most[0] = max(most[0], len(waiting))
                if most[0] == 3:
                    three.set()
                three.wait(0.2)
                waiting.pop()
                connection.send(response(NO))

        client = self.client(config, api_url=self.serve(script, use=False).url())
        assert set(run_threads(3, lambda number: client.validate(TOKEN).status)) == {INVALID_TOKEN}
        return most[0]

    def ca_file(self, config: Config) -> int:
        """The status over TLS with a certificate of the first authority."""
        server = self.serve(answers(response(NO)), use=False, tls=self.tls.server_context())
        return self.client(config, api_url=server.url()).validate(TOKEN).status

    def allow_insecure_http(self, config: Config) -> int:
        """What becomes of a client for http to another host; nothing is asked."""
        assert config.set("api_url", "http://hanko.test:8000").status == OK
        outcome, handle = new_client_handle(self.library, config)
        self.library.api.hanko_client_free(handle)
        return outcome.status

    def confirm_rejections(self, config: Config) -> bool:
        """Whether a "no" makes the library ask for the keys."""
        server = self.serve(answers(asked), use=False, key_set=None)
        assert self.client(config, api_url=server.url()).validate(Session().token()).status == INVALID_TOKEN
        lines = [request.line for request in server.requests]
        assert lines[0].startswith("POST")
        return lines[1:] == ["GET /.well-known/jwks.json HTTP/1.1"]

    def audience(self, config: Config) -> tuple[str, ...]:
        """The audiences that are let in."""
        let_in = []
        for audience in ("one", "two", "three"):
            session = Session(audience=(audience,))
            server = self.serve(answers(response(session.yes())), use=False)
            status = self.client(config, api_url=server.url()).validate(session.token()).status
            assert status in (OK, INVALID_TOKEN)
            let_in += [audience] if status == OK else []
        return tuple(let_in)


@pytest.fixture
def bench(library, serve, tls) -> Bench:
    return Bench(library, serve, tls)


class Option(NamedTuple):
    """Two values of an option, as a setter and as the environment takes them, with their effects."""

    first: Any
    first_effect: Any
    second: Any
    second_effect: Any
    refused: Any


def options_of(bench: Bench) -> dict[str, Option]:
    """The values, which hold addresses and files of this run."""
    url, tls = bench.server.url(), bench.tls
    return {
        "api_url": Option(url + "/one/", url + "/one", url + "/a%20b/two//", url + "/a%20b/two", "nonsense"),
        "cookie_name": Option("one", "one", "__Host-two!#$%&'*+-.^_`|~", "__Host-two!#$%&'*+-.^_`|~", "a b"),
        "timeout_ms": Option(100, TIMEOUT, 3_600_000, INVALID_TOKEN, 0),
        "connect_timeout_ms": Option(100, UNAVAILABLE, 3_600_000, TIMEOUT, 0),
        "max_retries": Option(0, 0, 2, 2, 11),
        "max_connections": Option(1, 1, 10_000, 3, 0),
        "ca_file": Option(
            str(tls.authority.certificate), INVALID_TOKEN, str(tls.stranger.certificate), UNAVAILABLE, "/no/such/file"
        ),
        "allow_insecure_http": Option(1, OK, 0, MISCONFIGURED, 2),
        "confirm_rejections": Option(1, True, 0, False, 2),
    }


OPTIONS = [
    "api_url",
    "cookie_name",
    "timeout_ms",
    "connect_timeout_ms",
    "max_retries",
    "max_connections",
    "ca_file",
    "allow_insecure_http",
    "confirm_rejections",
]


@pytest.fixture(params=OPTIONS)
def option(request, bench) -> tuple[str, Option, Callable[[Config], Any]]:
    """The name of an option, its values, and how to see its effect."""
    return request.param, options_of(bench)[request.param], getattr(bench, request.param)


def variable(name: str) -> str:
    """The variable that belongs to an option."""
    return "HANKO_" + name.upper()


def test_every_setter_is_tried():
    setters = {name[len("hanko_config_set_") :] for name in SIGNATURES if name.startswith("hanko_config_set_")}
    assert setters == {*OPTIONS, "logger"}


def test_set_twice(library, option):
    name, values, effect = option
    config = Config(library)
    assert config.set(name, values.first).status == OK
    assert effect(config) == values.first_effect
    assert config.set(name, values.second).status == OK
    assert effect(config) == values.second_effect


def test_refused_value_changes_nothing(library, option):
    name, values, effect = option
    config = Config(library, **{name: values.first})
    assert config.set(name, values.refused).status == MISCONFIGURED
    assert effect(config) == values.first_effect


def test_environment_after_the_setter_wins(library, monkeypatch, option):
    name, values, effect = option
    config = Config(library, **{name: values.first})
    monkeypatch.setenv(variable(name), str(values.second))
    assert config.load_environment().status == OK
    assert effect(config) == values.second_effect


def test_setter_after_the_environment_wins(library, monkeypatch, option):
    name, values, effect = option
    monkeypatch.setenv(variable(name), str(values.second))
    config = Config(library)
    assert config.load_environment().status == OK
    assert config.set(name, values.first).status == OK
    assert effect(config) == values.first_effect


@pytest.mark.parametrize("value", [None, ""])
def test_variable_that_is_not_set_changes_nothing(library, monkeypatch, option, value):
    name, values, effect = option
    config = Config(library, **{name: values.first})
    monkeypatch.delenv(variable(name), raising=False)
    if value is not None:
        monkeypatch.setenv(variable(name), value)
    assert config.load_environment().status == OK
    assert effect(config) == values.first_effect


def test_malformed_variable_leaves_the_whole_config_as_it_was(library, monkeypatch, option):
    """Whichever of the others is malformed, and whichever the library reads first."""
    name, values, effect = option
    config = Config(library, **{name: values.first})
    monkeypatch.setenv(variable(name), str(values.second))
    others = {"HANKO_LOG": "loud", "HANKO_COOKIE_NAME": "a b", "HANKO_API_URL": "nonsense", "HANKO_MAX_RETRIES": "x"}
    for other, value in others.items():
        if other == variable(name):
            continue
        with monkeypatch.context() as patch:
            patch.setenv(other, value)
            outcome = config.load_environment()
        assert outcome.status == MISCONFIGURED
        assert other in outcome.error
    assert effect(config) == values.first_effect


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "allow_insecure_http"])
def test_client_keeps_what_the_config_said(library, bench, name):
    """Neither a change nor the end of the config reaches a client. (Plain http is looked at while it is made.)"""
    values = options_of(bench)[name]
    config = Config(library, **{name: values.first})

    def change() -> None:
        assert config.set(name, values.second).status == OK
        config.free()

    bench.after_new = change
    assert getattr(bench, name)(config) == values.first_effect


def test_one_config_for_several_clients(library, serve, bench):
    config = Config(library, api_url=bench.server.url("localhost"))
    clients = [Client(library, config) for _ in range(3)]
    other = serve(answers(response(NO)), use=False)
    assert config.set("api_url", other.url()).status == OK
    clients.append(Client(library, config))
    config.free()
    for client in clients:
        assert client.validate(TOKEN).status == INVALID_TOKEN
    assert (bench.server.connections, other.connections) == (3, 1), "each client has connections of its own"


def test_config_that_never_served(library):
    for _ in range(100):
        Config(library, api_url="https://127.0.0.1", cookie_name="one").free()
    library.api.hanko_config_free(None)


# --- defaults -----------------------------------------------------------------------------------------


def test_no_address(library):
    outcome, _ = new_client_handle(library, Config(library))
    assert outcome.status == MISCONFIGURED
    assert "URL" in outcome.error


def test_environment_is_not_read_unasked(library, bench, monkeypatch):
    monkeypatch.setenv("HANKO_API_URL", bench.server.url())
    assert new_client_handle(library, Config(library))[0].status == MISCONFIGURED
    # Malformed as well: nobody looks.
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "nonsense")
    assert bench.client(Config(library), api_url=bench.server.url()).validate(TOKEN).status == INVALID_TOKEN


@pytest.mark.parametrize(
    "name, effect",
    [
        ("cookie_name", "hanko"),
        ("timeout_ms", INVALID_TOKEN),
        ("connect_timeout_ms", TIMEOUT),
        ("max_retries", 1),
        ("max_connections", 3),
        ("ca_file", UNAVAILABLE),
        ("allow_insecure_http", MISCONFIGURED),
        ("confirm_rejections", True),
        ("audience", ("one", "two", "three")),
    ],
)
def test_default(library, bench, name, effect):
    assert getattr(bench, name)(Config(library)) == effect


# --- what is allowed ----------------------------------------------------------------------------------

NO_COOKIE_NAMES = [
    "", " ", "a b", "a;b", "a=b", "a,b", "a\tb", 'a"b', "a\x01",
    "a\x7f", "a(b", "a/b", "a@b", "{}", "ä",
]

REFUSED = (
    [("timeout_ms", value, ("1", "3600000")) for value in (0, 3_600_001, 2**32 - 1)]
    + [("connect_timeout_ms", value, ("1", "3600000")) for value in (0, 3_600_001, 2**32 - 1)]
    + [("max_retries", value, ("0", "10")) for value in (11, 2**31, 2**32 - 1)]
    + [("max_connections", value, ("1", "10000")) for value in (0, 10_001, 2**32 - 1)]
    + [("allow_insecure_http", value, ("0", "1")) for value in (-1, 2, 256, -(2**31))]
    + [("confirm_rejections", value, ("0", "1")) for value in (-1, 2, 256, -(2**31))]
    + [("cookie_name", value, ("letters",)) for value in NO_COOKIE_NAMES]
    + [("cookie_name", b"a\xff", ("letters",))]
    + [("api_url", value, ("API URL",)) for value in [*REFUSED_URLS, "", b"https://\xff.example"]]
    + [("ca_file", value, ("PEM",)) for value in ("", "/no/such/file.pem")]
)


@pytest.mark.parametrize("name, value, words", REFUSED)
def test_refused(library, name, value, words):
    outcome = Config(library).set(name, value)
    assert outcome.status == MISCONFIGURED
    for word in words:
        assert word in plain(outcome.error), outcome.error
    assert "lovelace" not in outcome.error, "the text shows a password"


@pytest.mark.parametrize("kind", ["folder", "empty file", "file without a certificate", "binary file"])
def test_refused_ca_file(library, tmp_path, kind):
    path = tmp_path / "authorities.pem"
    contents = {"empty file": b"", "file without a certificate": b"nothing of use\n", "binary file": bytes(range(256))}
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(contents[kind])
    outcome = Config(library).set("ca_file", str(path))
    assert outcome.status == MISCONFIGURED
    assert "PEM" in outcome.error


@pytest.mark.parametrize(
    "name, value",
    [
        ("timeout_ms", 1),
        ("timeout_ms", 3_600_000),
        ("connect_timeout_ms", 1),
        ("connect_timeout_ms", 3_600_000),
        ("max_retries", 0),
        ("max_retries", 10),
        ("max_connections", 1),
        ("max_connections", 10_000),
        ("allow_insecure_http", 0),
        ("allow_insecure_http", 1),
        ("confirm_rejections", 0),
        ("confirm_rejections", 1),
        ("cookie_name", "x"),
        ("cookie_name", "!#$%&'*+-.^_`|~0189AZaz"),
        ("api_url", "https://tenant.hanko.io"),
        ("api_url", "https://tenant.hanko.io:8443/tenant/"),
        ("api_url", "https://[2001:db8::1]:8443"),
        # Whether plain http may leave this machine is asked when the client is made.
        ("api_url", "http://hanko.test:8000"),
        ("ca_file", None),
    ],
)
def test_allowed(library, name, value):
    assert Config(library).set(name, value) == (OK, "", None)


@pytest.mark.parametrize("name", sorted(name for name in SIGNATURES if re.match("hanko_config_(?!new|free)", name)))
def test_config_is_null(library, name):
    values = {ctypes.c_char_p: b"https://127.0.0.1", ctypes.c_uint32: 1, ctypes.c_int: 1, ctypes.c_int32: LOG_DEBUG}
    arguments = [values.get(kind) for kind in SIGNATURES[name][1][1:]]
    if name.endswith("_logger"):
        arguments[0] = LogFunction()
    outcome = call(library, name, None, *arguments)
    assert outcome.status == INVALID_ARGUMENT
    assert "NULL" in outcome.error


def test_allowed_name_of_any_length(library, bench):
    name = "n" * 4096
    client = bench.client(Config(library, cookie_name=name), api_url=bench.server.url())
    assert client.authenticate(f"{name[1:]}=one; {name}=two".encode()).status == INVALID_TOKEN
    assert [request.token for request in bench.server.requests] == ["two"]


@pytest.mark.parametrize("name", ["set_api_url", "set_cookie_name", "add_audience"])
def test_text_is_null(library, name):
    outcome = call(library, f"hanko_config_{name}", Config(library).handle, None)
    assert outcome.status == INVALID_ARGUMENT
    assert "NULL" in outcome.error


def test_text_is_copied(library, bench):
    config = Config(library)
    text = ctypes.create_string_buffer(bench.server.url(path="/copied").encode())
    assert library.api.hanko_config_set_api_url(config.handle, ctypes.cast(text, ctypes.c_char_p)) == OK
    ctypes.memset(text, ord("x"), len(text) - 1)
    assert bench.api_url(config) == bench.server.url(path="/copied")


def test_system_authorities_again(library, tls, bench):
    config = Config(library, ca_file=str(tls.authority.certificate))
    assert bench.ca_file(config) == INVALID_TOKEN
    assert config.set("ca_file", None).status == OK
    assert bench.ca_file(config) == UNAVAILABLE


# --- plain http ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["address first", "permission first"])
def test_http_to_another_host_is_for_the_client_to_decide(library, serve, order):
    server = serve(answers(response(NO)), use=False, address="0.0.0.0")
    settings = [("api_url", server.url()), ("allow_insecure_http", 1)]
    config = Config(library, **dict(settings if order == "address first" else settings[::-1]))
    assert Client(library, config).validate(TOKEN).status == INVALID_TOKEN
    assert config.set("allow_insecure_http", 0).status == OK
    outcome, _ = new_client_handle(library, config)
    assert outcome.status == MISCONFIGURED
    assert "http" in outcome.error
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.255.254", "[::1]"])
def test_http_to_loopback_needs_no_permission(library, host):
    assert new_client_handle_status(library, f"http://{host}:8000/tenant") == OK


@pytest.mark.parametrize("host", ["localhost.example.com", "sub.localhost", "128.0.0.1", "0.0.0.0", "[::]", "10.0.0.1"])
def test_http_to_what_only_looks_like_loopback(library, host):
    assert new_client_handle_status(library, f"http://{host}:8000") == MISCONFIGURED


def new_client_handle_status(library, api_url: str) -> int:
    """What comes of a client for an address; it is freed unused."""
    outcome, handle = new_client_handle(library, Config(library, api_url=api_url))
    library.api.hanko_client_free(handle)
    return outcome.status


# --- audiences ----------------------------------------------------------------------------------------


def test_one_audience(library, bench):
    assert bench.audience(Config(library, audiences=("one",))) == ("one",)


def test_several_audiences(library, bench):
    assert bench.audience(Config(library, audiences=("three", "one", "nobody", "one"))) == ("one", "three")


def test_audiences_of_the_environment(library, bench, monkeypatch):
    monkeypatch.setenv("HANKO_AUDIENCE", "one,two")
    config = Config(library)
    assert config.load_environment().status == OK
    assert bench.audience(config) == ("one", "two")


def test_first_audience_replaces_those_of_the_environment(library, bench, monkeypatch):
    monkeypatch.setenv("HANKO_AUDIENCE", "one")
    config = Config(library)
    assert config.load_environment().status == OK
    config.add_audience("two")
    assert bench.audience(config) == ("two",)
    config.add_audience("three")
    assert bench.audience(config) == ("two", "three"), "only the first one replaces"


def test_environment_replaces_the_audiences_before_it(library, bench, monkeypatch):
    config = Config(library, audiences=("one", "two"))
    monkeypatch.setenv("HANKO_AUDIENCE", "three")
    assert config.load_environment().status == OK
    assert bench.audience(config) == ("three",)


def test_environment_without_audience_leaves_them(library, bench):
    config = Config(library, audiences=("one",))
    assert config.load_environment().status == OK
    assert bench.audience(config) == ("one",)


@pytest.mark.parametrize("value", ["", ",", "one,", ",one", "one,,two"])
def test_malformed_audience_of_the_environment(library, bench, monkeypatch, value):
    config = Config(library, audiences=("one",))
    monkeypatch.setenv("HANKO_AUDIENCE", value)
    outcome = config.load_environment()
    assert outcome.status == MISCONFIGURED
    assert "HANKO_AUDIENCE" in outcome.error
    assert bench.audience(config) == ("one",)


@pytest.mark.parametrize("source", ["setter", "environment"])
def test_no_audience_again(library, bench, monkeypatch, source):
    if source == "environment":
        monkeypatch.setenv("HANKO_AUDIENCE", "nobody")
        config = Config(library)
        assert config.load_environment().status == OK
    else:
        config = Config(library, audiences=("nobody",))
    config.clear_audiences()
    assert bench.audience(config) == ("one", "two", "three")
    config.add_audience("one")
    assert bench.audience(config) == ("one",)


def test_clearing_nothing(library, bench):
    config = Config(library)
    config.clear_audiences()
    assert bench.audience(config) == ("one", "two", "three")


@pytest.mark.parametrize("audience", [b"", b"\xff"])
def test_refused_audience(library, bench, audience):
    config = Config(library, audiences=("one",))
    outcome = call(library, "hanko_config_add_audience", config.handle, audience)
    assert outcome.status == MISCONFIGURED
    assert bench.audience(config) == ("one",)


def test_refused_audience_leaves_those_of_the_environment(library, bench, monkeypatch):
    monkeypatch.setenv("HANKO_AUDIENCE", "one")
    config = Config(library)
    assert config.load_environment().status == OK
    assert call(library, "hanko_config_add_audience", config.handle, b"").status == MISCONFIGURED
    assert bench.audience(config) == ("one",)


def test_audience_with_a_comma_is_one(library, serve):
    session = Session(audience=("one,two",))
    server = serve(answers(response(session.yes())), use=False)
    config = Config(library, api_url=server.url(), audiences=("one,two",))
    assert Client(library, config).validate(session.token()).status == OK
    config = Config(library, api_url=server.url(), audiences=("one", "two"))
    assert Client(library, config).validate(session.token()).status == INVALID_TOKEN


def test_audience_is_not_taken_from_claims(library, serve):
    """A claims template may overwrite it there; in the token that Hanko has verified it cannot."""
    session = Session()
    server = serve(answers(response(session.yes(claims=session.claims(audience=["one"])))), use=False)
    client = Client(library, Config(library, api_url=server.url(), audiences=("one",)))
    assert client.validate(session.token(aud=["other"])).status == INVALID_TOKEN
    assert client.validate(session.token(aud=["one"])).status == OK


# --- logger -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [-1, 5, 2**31 - 1, -(2**31)])
def test_refused_level(library, bench, level):
    log = Log()
    config = Config(library)
    assert config.set_logger(log.function, None, LOG_DEBUG).status == OK
    outcome = config.set_logger(LogFunction(), None, level)
    assert outcome.status == MISCONFIGURED
    bench.client(config, api_url=bench.server.url()).validate(TOKEN)
    assert log.levels, "the logger from before is gone"


@pytest.mark.parametrize("first, second", [(LOG_DEBUG, "off"), (LOG_OFF, "debug")])
def test_level_of_the_environment_after_the_setter(library, bench, monkeypatch, first, second, capfd):
    """Where the lines go is not said; that those of the level come, and no others, is."""
    log = Log()
    config = Config(library)
    assert config.set_logger(log.function, None, first).status == OK
    monkeypatch.setenv("HANKO_LOG", second)
    assert config.load_environment().status == OK
    bench.client(config, api_url=bench.server.url()).validate(TOKEN)
    written = log.texts + capfd.readouterr().err.splitlines()
    assert bool(written) == (second == "debug"), written


def test_logger_after_the_environment(library, bench, monkeypatch):
    monkeypatch.setenv("HANKO_LOG", "off")
    config = Config(library)
    assert config.load_environment().status == OK
    log = Log()
    assert config.set_logger(log.function, None, LOG_DEBUG).status == OK
    bench.client(config, api_url=bench.server.url()).validate(TOKEN)
    assert log.lines


# --- whole environment --------------------------------------------------------------------------------


def test_every_variable_at_once(library, serve, tls, monkeypatch):
    session = Session(audience=("two",))
    server = serve(answers(response(session.yes())), use=False, tls=tls.server_context())
    for name, value in {
        "API_URL": server.url(path="/tenant/"),
        "TIMEOUT_MS": "5000",
        "CONNECT_TIMEOUT_MS": "5000",
        "MAX_RETRIES": "0",
        "MAX_CONNECTIONS": "2",
        "COOKIE_NAME": "crumb",
        "CA_FILE": str(tls.authority.certificate),
        "AUDIENCE": "one,two",
        "ALLOW_INSECURE_HTTP": "0",
        "CONFIRM_REJECTIONS": "1",
        "LOG": "off",
    }.items():
        monkeypatch.setenv("HANKO_" + name, value)
    config = Config(library)
    assert config.load_environment().status == OK
    token = session.token()
    assert Client(library, config).authenticate(b"hanko=other; crumb=" + token).status == OK
    assert [request.token for request in server.requests] == [token.decode()]
    assert server.requests[0].line == "POST /tenant/sessions/validate HTTP/1.1"


def test_environment_without_an_address_is_no_error(library, monkeypatch):
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    config = Config(library)
    assert config.load_environment().status == OK
    assert new_client_handle(library, config)[0].status == MISCONFIGURED
