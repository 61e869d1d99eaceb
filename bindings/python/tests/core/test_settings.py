"""The options of a client: explicit ones before the environment before the defaults, and what is refused."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from answering import AnsweringServer, answering, session_token, yes

import hanko
from hanko import _library
from hanko._settings import Settings, milliseconds

URL = "http://127.0.0.1:1"
KINDS = [hanko.Client, hanko.AsyncClient]

WRONG_TYPES: list[tuple[str, Any]] = [
    ("api_url", b"http://127.0.0.1:1"),
    ("api_url", 5),
    ("cookie_name", b"hanko"),
    ("timeout", "5"),
    ("timeout", True),
    ("timeout", 1j),
    ("connect_timeout", False),
    ("max_retries", True),
    ("max_retries", 1.0),
    ("max_retries", "1"),
    ("max_connections", True),
    ("max_connections", 4.5),
    ("ca_file", 3),
    ("ca_file", b"/etc/ssl/cert.pem"),
    ("allow_insecure_http", 1),
    ("allow_insecure_http", "1"),
    ("confirm_rejections", 0),
    ("audiences", b"one"),
    ("audiences", 5),
    ("audiences", [b"one"]),
    ("audiences", [None]),
    ("audiences", {"one": 1}),
    ("logger", "hanko"),
]
NOT_ALLOWED: list[tuple[str, Any]] = [
    ("api_url", ""),
    ("api_url", "example.com"),
    ("api_url", "ftp://example.com"),
    ("api_url", "http://example.com"),
    ("api_url", "https://user:secret@example.com"),
    ("api_url", "https://example.com\0.evil.example"),
    ("api_url", "https://example.com/\ud800"),
    ("cookie_name", ""),
    ("cookie_name", "ha nko"),
    ("cookie_name", "hanko\0"),
    ("timeout", 0),
    ("timeout", -1),
    ("timeout", 0.0),
    ("timeout", 3600.001),
    ("timeout", math.nan),
    ("timeout", math.inf),
    ("timeout", 10**400),
    ("connect_timeout", -math.inf),
    ("connect_timeout", 4000),
    ("max_retries", -1),
    ("max_retries", 11),
    ("max_retries", 2**32),
    ("max_connections", 0),
    ("max_connections", 10_001),
    ("max_connections", 2**32 + 1),
    ("ca_file", ""),
    ("ca_file", "/nowhere.pem"),
    ("ca_file", "/etc/hosts\0"),
    ("ca_file", Path("/nowhere.pem")),
    ("audiences", "example.com"),
    ("audiences", [""]),
    ("audiences", ["good", "\ud800"]),
    ("audiences", ["good", "bad\0"]),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name, value", WRONG_TYPES)
def test_wrong_types(kind: type, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        kind(**{"api_url": URL, name: value})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name, value", NOT_ALLOWED)
def test_what_is_not_allowed(kind: type, name: str, value: Any) -> None:
    with pytest.raises(hanko.ConfigurationError) as caught:
        kind(**{"api_url": URL, name: value})
    text = str(caught.value)
    assert name in text or "HANKO_API_URL" in text
    assert "must" in text
    assert "secret" not in text
    assert caught.value.status == hanko.Status.MISCONFIGURED


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (0.001, 1),
        (0.0001, 1),
        (1e-12, 1),
        (0.0011, 2),
        (1, 1000),
        (1.1, 1100),
        (2.0005, 2001),
        (0.29, 290),
        (3600, 3600000),
    ],
)
def test_seconds_are_rounded_up_to_milliseconds(seconds: float, expected: int) -> None:
    assert milliseconds("timeout", seconds) == expected


def test_what_is_allowed(tmp_path: Path, tls_certificate: Path) -> None:
    hanko.Client(
        "https://example.com/tenant/",
        cookie_name="__Host-session",
        timeout=3600,
        connect_timeout=0.5,
        max_retries=10,
        max_connections=10_000,
        ca_file=tls_certificate,
        allow_insecure_http=True,
        audiences=("one", "two"),
        confirm_rejections=True,
    ).close()
    hanko.Client("http://example.com", allow_insecure_http=True, audiences=frozenset({"one"})).close()
    hanko.Client(URL, ca_file=str(tls_certificate), max_retries=0, max_connections=1).close()


@pytest.fixture(scope="session")
def tls_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that was made for this run."""
    import subprocess

    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run(
        [*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True,
        capture_output=True,
    )
    return folder / "certificate.pem"


def test_options_other_than_the_url_have_names() -> None:
    with pytest.raises(TypeError):
        hanko.Client(URL, "hanko")  # type: ignore[misc]
    with pytest.raises(TypeError):
        hanko.Client(URL, no_such_option=1)  # type: ignore[call-arg]


# --- The environment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_address(kind: type) -> None:
    with pytest.raises(hanko.ConfigurationError, match="HANKO_API_URL"):
        kind()


def test_the_environment_is_read(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    monkeypatch.setenv("HANKO_COOKIE_NAME", "mine")
    with hanko.Client() as client:
        client.authenticate("hanko=theirs; mine=ours")
    assert accepting.tokens == ["ours"]


def test_an_option_beats_the_environment(accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HANKO_COOKIE_NAME", "mine")
    with hanko.Client(accepting.url, cookie_name="hanko") as client:
        client.authenticate("hanko=theirs; mine=ours")
    assert accepting.tokens == ["theirs"]


@pytest.mark.parametrize(
    "name, value",
    [("HANKO_TIMEOUT_MS", "soon"), ("HANKO_API_URL", "nonsense"), ("HANKO_LOG", "loud"), ("HANKO_AUDIENCE", "")],
)
def test_a_malformed_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(hanko.ConfigurationError, match=name):
        hanko.Client(URL, timeout=5, audiences=())


def audience_answers(url: str, **options: Any) -> bool:
    """Whether a client with these options takes a session for the audience `here`."""
    with hanko.Client(url, **options) as client:
        try:
            client.validate(session_token(aud=["here"]))
        except hanko.InvalidToken:
            return False
        return True


def test_audiences(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: yes()) as server:
        assert audience_answers(server.url)
        assert audience_answers(server.url, audiences=["there", "here"])
        assert not audience_answers(server.url, audiences=["there"])
        monkeypatch.setenv("HANKO_AUDIENCE", "there")
        assert not audience_answers(server.url)
        assert audience_answers(server.url, audiences=["here"])
        assert audience_answers(server.url, audiences=())
        monkeypatch.setenv("HANKO_AUDIENCE", "here")
        assert audience_answers(server.url)
        assert not audience_answers(server.url, audiences=["there"])


def test_the_timeout_is_in_seconds(hanging: AnsweringServer) -> None:
    with hanko.Client(hanging.url, timeout=0.2, max_retries=0) as client:
        began = time.monotonic()
        with pytest.raises(hanko.AuthenticationTimeout):
            client.validate("token")
        assert 0.15 < time.monotonic() - began < 20


def test_max_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = 0
    most = 0
    lock = threading.Lock()

    def answer(_: str) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.05)
        with lock:
            under_way -= 1
        return yes()

    with answering(answer) as server, hanko.Client(server.url, max_connections=2) as client:
        threads = [threading.Thread(target=client.validate, args=("token",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 2


def test_confirm_rejections(standin, monkeypatch: pytest.MonkeyPatch) -> None:
    session = standin.mint_session()
    standin.database_down = True
    with hanko.Client(standin.api_url, confirm_rejections=False) as client, pytest.raises(hanko.InvalidToken):
        client.validate(session.token)
    with hanko.Client(standin.api_url) as client, pytest.raises(hanko.AuthenticationUnavailable):
        client.validate(session.token)
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "0")
    with hanko.Client(standin.api_url) as client, pytest.raises(hanko.InvalidToken):
        client.validate(session.token)
    with hanko.Client(standin.api_url, confirm_rejections=True) as client:
        with pytest.raises(hanko.AuthenticationUnavailable):
            client.validate(session.token)


def test_confirm_rejections_in_asyncio(standin) -> None:
    session = standin.mint_session()
    standin.database_down = True

    async def ask(**settings: Any) -> None:
        async with hanko.AsyncClient(standin.api_url, **settings) as client:
            await client.validate(session.token)

    with pytest.raises(hanko.AuthenticationUnavailable):
        asyncio.run(ask())
    with pytest.raises(hanko.InvalidToken):
        asyncio.run(ask(confirm_rejections=False))


def test_nothing_is_kept_of_a_config_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library = _library.library()
    freed: list[Any] = []
    made: list[Any] = []
    new, free = library.config_new, library.config_free

    def counting_new() -> Any:
        made.append(new())
        return made[-1]

    def counting_free(config: Any) -> None:
        freed.append(config)
        free(config)

    monkeypatch.setattr(library, "config_new", counting_new)
    monkeypatch.setattr(library, "config_free", counting_free)
    for options in ({"cookie_name": ""}, {"api_url": None}, {}):
        try:
            Settings(**{"api_url": URL, **options}).new_client(library)
        except hanko.ConfigurationError:
            pass
    assert made == freed and len(made) == 3
