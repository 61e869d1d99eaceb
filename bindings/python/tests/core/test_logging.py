"""Failed calls in the log: where, at which level, how often, and nothing of a token."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answering import NO, AnsweringServer, answering, session_token, yes

import hanko
from hanko import Status, _library, _logging
from hanko._logging import AUDIENCE_TEXT, HIDDEN_KEY_SET_TEXT, FailureLog, LineLimit


class Lines(logging.Handler):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append((record.name, record.levelno, record.getMessage()))


class Unlimited:
    """In place of a `LineLimit`, so that every line is seen."""

    def admit(self, key: tuple[str, int], now: float) -> int:
        """Let all pass."""
        return 0


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, str]]]:
    """What reaches the logger `hanko`; what was said in other tests does not count."""
    monkeypatch.setattr(_logging._shared_limit, "_limit", LineLimit())
    monkeypatch.setattr(_logging, "_told", set())
    handler = Lines()
    logger = logging.getLogger("hanko")
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    yield handler.lines
    logger.removeHandler(handler)


def fail(client: hanko.Client, token: Any = "no") -> str:
    """A call that fails, and its text."""
    with pytest.raises(hanko.HankoError) as caught:
        client.validate(token)
    return str(caught.value)


def test_a_failed_call_is_logged_with_its_text(lines, refused_url: str) -> None:
    with hanko.Client(refused_url) as client:
        text = fail(client)
    assert lines == [("hanko", logging.ERROR, f"HANKO_UNAVAILABLE: {text}")]


def test_by_default_only_errors_are(lines, accepting: AnsweringServer) -> None:
    with hanko.Client(accepting.url) as client:
        fail(client)
        fail(client, None)
        client.validate("token")
    assert lines == []


@pytest.mark.parametrize(
    "word, expected",
    [
        ("off", []),
        ("error", ["HANKO_PROTOCOL_ERROR"]),
        ("warning", ["HANKO_PROTOCOL_ERROR"]),
        ("info", ["HANKO_PROTOCOL_ERROR", "HANKO_INVALID_TOKEN"]),
        ("debug", ["HANKO_PROTOCOL_ERROR", "HANKO_INVALID_TOKEN", "HANKO_NO_TOKEN"]),
        ("", ["HANKO_PROTOCOL_ERROR"]),
    ],
)
def test_the_threshold(lines, accepting, monkeypatch: pytest.MonkeyPatch, word: str, expected: list[str]) -> None:
    monkeypatch.setenv("HANKO_LOG", word)
    accepting.answer = lambda token: "nonsense" if token == "odd" else {"is_valid": False}
    with hanko.Client(accepting.url) as client:
        for token in ("odd", "no", None):
            fail(client, token)
    assert [text.split(":")[0] for _, _, text in lines] == expected


def test_levels(lines, accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_LOG", "debug")
    with hanko.Client(accepting.url) as client:
        fail(client)
        fail(client, None)
        accepting.answer = lambda _: {"is_valid": True}
        fail(client)
    assert [(level, text.split(":")[0]) for _, level, text in lines] == [
        (logging.INFO, "HANKO_INVALID_TOKEN"),
        (logging.DEBUG, "HANKO_NO_TOKEN"),
        (logging.ERROR, "HANKO_PROTOCOL_ERROR"),
    ]


def test_levels_are_those_of_the_library(repository: Path) -> None:
    """`logLevel` in the core says which status has which level; Cancelled cannot be provoked here."""
    text = (repository / "Sources/HankoCore/Verdict/VerdictReason.swift").read_text(encoding="utf-8")
    found = re.search(r"var logLevel: LogLevel \{(.*?)\n    \}", text, re.DOTALL)
    assert found
    assert re.findall(r"case (.*?): return \.(\w+)", found[1]) == [
        (".ok, .noToken", "debug"),
        (".invalidToken, .cancelled", "info"),
    ]
    assert "default: return .error" in found[1] and "if isForAudience { return .error }" in found[1]


def test_an_audience_that_matches_nothing_is_an_error(lines) -> None:
    with answering(lambda _: yes()) as server:
        with hanko.Client(server.url, audiences=["there", "elsewhere"]) as client:
            text = fail(client, session_token(aud=["here"]))
    assert text == f"{AUDIENCE_TEXT}holds none of the configured audiences: there, elsewhere"
    assert lines == [("hanko", logging.ERROR, f"HANKO_INVALID_TOKEN: {text}")]


def test_an_audience_that_is_not_known_is_an_error(lines) -> None:
    with answering(lambda _: yes(audience=["there"])) as server:
        with hanko.Client(server.url, audiences=["there"]) as client:
            text = fail(client, "test-token")
    assert text.startswith(f"{AUDIENCE_TEXT}is not known") and text.endswith(": there")
    assert lines == [("hanko", logging.ERROR, f"HANKO_INVALID_TOKEN: {text}")]


@pytest.fixture
def hiding() -> Iterator[AnsweringServer]:
    """A server that says yes to one token, behind a gateway that keeps its key set away."""
    with answering(lambda token: yes() if token == "token" else NO) as server:
        server.key_set_status = 403
        yield server


HIDDEN = ("hanko", logging.ERROR, f"HANKO_MISCONFIGURED: {HIDDEN_KEY_SET_TEXT % 403}")


def test_a_hidden_key_set_is_told_once(lines, hiding: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the default level, by each client: over many calls and threads, the start-up test among them."""
    monkeypatch.setattr(_logging._shared_limit, "_limit", Unlimited())
    for _ in range(2):
        with hanko.Client(hiding.url) as client:
            client.validate("token")
            assert lines == []
            threads = [threading.Thread(target=lambda: [fail(client) for _ in range(10)]) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            client.check()
            assert client.statistics().hidden_key_set == 403
        assert lines == [HIDDEN]
        lines.clear()


def test_the_start_up_test_tells_of_a_hidden_key_set(lines, hiding: AnsweringServer) -> None:
    with hanko.Client(hiding.url) as client:
        client.check()
        client.check()
        assert fail(client)
    assert lines == [HIDDEN]


def test_asyncio_tells_of_a_hidden_key_set(lines, hiding: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_logging._shared_limit, "_limit", Unlimited())

    async def ask() -> None:
        async with hanko.AsyncClient(hiding.url) as client:
            for _ in range(5):
                with pytest.raises(hanko.InvalidToken):
                    await client.validate("no")
        async with hanko.AsyncClient(hiding.url) as client:
            await client.check()

    asyncio.run(ask())
    assert lines == [HIDDEN] * 2


def test_a_function_tells_of_a_hidden_key_set(lines, hiding: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", hiding.url)
    assert not hanko.validate("no")
    assert not hanko.validate("no")
    assert lines == [HIDDEN]


def test_a_hidden_key_set_that_the_limit_holds_back_is_told_later(lines, hiding: AnsweringServer) -> None:
    with hanko.Client(hiding.url) as first, hanko.Client(hiding.url) as second:
        fail(first)
        fail(second)  # within the same second
        assert lines == [HIDDEN]
        time.sleep(1.1)
        fail(first)
        fail(second)
    assert [text.startswith(HIDDEN[2]) for _, _, text in lines] == [True, True]


@pytest.mark.parametrize("setting", ["off", "False"])
def test_no_word_of_a_hidden_key_set(lines, hiding: AnsweringServer, monkeypatch, setting: str) -> None:
    monkeypatch.setenv("HANKO_LOG", "off" if setting == "off" else "error")
    with hanko.Client(hiding.url, confirm_rejections=setting == "off") as client:
        fail(client)
        client.check()
    assert lines == []


def test_the_text_about_a_hidden_key_set_is_that_of_the_library(repository: Path) -> None:
    text = (repository / "Sources/HankoCore/Call/CallContext.swift").read_text(encoding="utf-8")
    literals = "".join(re.findall(r'"((?:GET | let it through).*)"', text))
    assert literals.replace("\\(code)", "%d") == HIDDEN_KEY_SET_TEXT


def test_another_logger(lines, refused_url: str) -> None:
    handler = Lines()
    logger = logging.getLogger("somebody.else")
    logger.addHandler(handler)
    with hanko.Client(refused_url, logger=logger) as client:
        fail(client)
    assert lines == [] and len(handler.lines) == 1 and handler.lines[0][0] == "somebody.else"


def test_at_most_one_line_a_second_for_each_status(lines, refused_url: str, accepting: AnsweringServer) -> None:
    now = 100.0
    log = FailureLog(None, "debug", clock=lambda: now)
    for _ in range(5):
        log.write(Status.TIMEOUT, "late")
        log.write(Status.UNAVAILABLE, "gone")
    assert [text for _, _, text in lines] == ["HANKO_TIMEOUT: late", "HANKO_UNAVAILABLE: gone"]
    now += 0.99
    log.write(Status.TIMEOUT, "late")
    assert len(lines) == 2
    now += 0.02
    log.write(Status.TIMEOUT, "late")
    log.write(Status.TIMEOUT, "late")
    now += 1
    log.write(Status.TIMEOUT, "late")
    assert [text for _, _, text in lines[2:]] == [
        "HANKO_TIMEOUT: late (5 more like this were not logged)",
        "HANKO_TIMEOUT: late (1 more like this were not logged)",
    ]


TOLD = "HANKO_MISCONFIGURED: HANKO_TIMEOUT is set, but no such variable is read; did you mean HANKO_TIMEOUT_MS?"


def test_a_misspelt_variable_is_told_once(
    lines, refused_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANKO_TIMEOUT", "5000")
    monkeypatch.setenv("HANKO_THEME", "dark")
    for _ in range(3):
        hanko.Client(refused_url).close()
    assert lines == [("hanko", logging.ERROR, TOLD)]
    # By Python alone: the library is silent where Python logs.
    assert "did you mean" not in capfd.readouterr().err


def test_it_is_told_although_there_is_no_client(lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    monkeypatch.setenv("HANKO_TIMEOUT", "5000")
    with pytest.raises(hanko.ConfigurationError):
        hanko.Client()
    assert lines == [("hanko", logging.ERROR, TOLD)]


def test_it_is_not_told_where_nothing_is_logged(lines, refused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_TIMEOUT", "5000")
    monkeypatch.setenv("HANKO_LOG", "OFF")
    hanko.Client(refused_url).close()
    assert lines == []


@pytest.mark.parametrize(("word", "count"), [("OFF", 0), ("Error", 0), ("INFO", 1), ("Debug", 1)])
def test_the_level_may_be_in_any_case(
    lines, accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch, word: str, count: int
) -> None:
    monkeypatch.setenv("HANKO_LOG", word)
    with hanko.Client(accepting.url) as client:
        fail(client)
    assert len(lines) == count


def test_all_clients_share_that_limit(lines, refused_url: str) -> None:
    for _ in range(4):
        with hanko.Client(refused_url, max_retries=0) as client:
            for _ in range(3):
                fail(client)
    assert 1 <= len(lines) <= 2  # two where a second began in between


def test_a_handler_that_fails_changes_nothing(lines, refused_url: str) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ZeroDivisionError

    logger = logging.getLogger("broken")
    logger.addHandler(Broken())
    with hanko.Client(refused_url, logger=logger) as client:
        with pytest.raises(hanko.AuthenticationUnavailable):
            client.validate("token")


def test_the_library_writes_nothing_itself(run_program, refused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = """
        import logging, os, sys, tempfile
        import hanko
        logging.getLogger("hanko").addHandler(logging.NullHandler())
        logging.getLogger("hanko").propagate = False
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            client = hanko.Client(sys.argv[1])
            for _ in range(3):
                try:
                    client.validate("token")
                except hanko.NotChecked:
                    pass
            assert hanko.validate("token") is False
            file.seek(0)
            print(file.read())
    """
    assert run_program(program, refused_url, HANKO_LOG="debug", HANKO_API_URL=refused_url) == "b''"


def test_there_is_no_callback_into_python() -> None:
    assert "CFUNCTYPE" not in Path(_library.__file__).read_text(encoding="utf-8")
