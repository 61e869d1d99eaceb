"""The functions of Hanko's guide: true only for a yes, whatever happens."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from answering import AnsweringServer, answering, session_token, yes

import hanko
from hanko.standin import StandIn

UNAVAILABLE = "Authentication service unavailable"


def ask_async(token: Any) -> bool:
    """`validate_async` in a loop of its own."""
    return asyncio.run(hanko.validate_async(token))


def ask_with_message(token: Any) -> bool:
    """`validate_session_token` without the message."""
    return hanko.validate_session_token(token)[0]


all_three = pytest.mark.parametrize("ask", [hanko.validate, ask_async, ask_with_message])


@all_three
def test_sessions(ask, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", standin.api_url)
    good = standin.mint_session()
    assert ask(good.token) is True
    assert ask(good.token.encode()) is True
    for token in (standin.mint_forged().token, standin.mint_expired().token, "nonsense"):
        assert ask(token) is False
    standin.revoke(good)
    assert ask(good.token) is False


@all_three
@pytest.mark.parametrize("token", [None, "", b""])
@pytest.mark.parametrize("url", [None, "nonsense"])
def test_no_token_is_false_before_the_address_is_looked_at(ask, monkeypatch, token: Any, url: Any) -> None:
    if url:
        monkeypatch.setenv("HANKO_API_URL", url)
    assert ask(token) is False


@all_three
@pytest.mark.parametrize("token", [5, [], bytearray(b"a"), object()], ids=repr)
def test_other_types(ask, token: Any) -> None:
    with pytest.raises(TypeError, match="str, bytes or None"):
        ask(token)


@all_three
@pytest.mark.parametrize("token", ["\ud800", b"\xff", "a\0b", b"a\0", "a" * 262_145], ids=range(5))
def test_what_cannot_be_a_token(ask, accepting: AnsweringServer, monkeypatch, token: Any) -> None:
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    assert ask(token) is False
    assert accepting.tokens == []


@all_three
@pytest.mark.parametrize("url", [None, "", "nonsense", "ftp://example.com", "http://example.com"])
def test_a_missing_or_malformed_address(ask, monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    if url is not None:
        monkeypatch.setenv("HANKO_API_URL", url)
    with pytest.raises(hanko.ConfigurationError, match="HANKO_API_URL") as caught:
        ask("token")
    assert isinstance(caught.value, ValueError)


@all_three
def test_another_malformed_variable(ask, accepting: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "soon")
    with pytest.raises(hanko.ConfigurationError, match="HANKO_TIMEOUT_MS"):
        ask("token")


@all_three
@pytest.mark.parametrize("status, body", [(200, "<html>"), (404, "{}"), (500, "{}"), (302, "{}"), (204, "")])
def test_everything_else_is_false(ask, monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> None:
    with answering(lambda _: body) as server:
        server.status = status
        monkeypatch.setenv("HANKO_API_URL", server.url)
        monkeypatch.setenv("HANKO_MAX_RETRIES", "0")
        monkeypatch.setenv("HANKO_TIMEOUT_MS", "2000")
        assert ask("token") is False


@all_three
def test_nobody_there(ask, refused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", refused_url)
    assert ask("token") is False


@all_three
def test_a_yes_that_names_no_user_stays_true(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: {"is_valid": True}) as server:
        monkeypatch.setenv("HANKO_API_URL", server.url)
        assert ask("token") is True


@all_three
def test_the_environment_is_read_at_each_call(ask, accepting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    assert ask("one") is True
    with answering(lambda _: {"is_valid": False}) as refusing:
        monkeypatch.setenv("HANKO_API_URL", refusing.url)
        assert ask("two") is False
        assert refusing.tokens == ["two"]
    monkeypatch.delenv("HANKO_API_URL")
    with pytest.raises(hanko.ConfigurationError):
        ask("three")
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    accepting.answer = lambda _: yes()
    token = session_token(aud=["here"])
    monkeypatch.setenv("HANKO_AUDIENCE", "there")
    assert ask(token) is False
    monkeypatch.setenv("HANKO_AUDIENCE", "here")
    assert ask(token) is True
    assert accepting.tokens == ["one", token, token]


def test_one_client_serves_as_long_as_nothing_changes(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", standin.api_url)
    token = standin.mint_session().token
    for _ in range(5):
        monkeypatch.setenv("HANKO_API_URL", standin.api_url)
        assert hanko.validate(token)
        assert hanko.validate_session_token(token) == (True, None)
    assert standin.connections == 1


def test_messages(accepting: AnsweringServer, hanging: AnsweringServer, refused_url: str, monkeypatch) -> None:
    assert hanko.validate_session_token(None) == (False, "Invalid token")
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    assert hanko.validate_session_token("token") == (True, None)
    assert hanko.validate_session_token("no") == (False, "Invalid token")
    assert hanko.validate_session_token(b"\xff") == (False, "Invalid token")
    monkeypatch.setenv("HANKO_API_URL", refused_url)
    assert hanko.validate_session_token("token") == (False, UNAVAILABLE)
    monkeypatch.setenv("HANKO_API_URL", hanging.url)
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "100")
    assert hanko.validate_session_token("token") == (False, "Authentication service timeout")
    monkeypatch.delenv("HANKO_TIMEOUT_MS")
    accepting.status = 404
    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    assert hanko.validate_session_token("token") == (False, UNAVAILABLE)


def test_they_change_in_one_thread_while_others_ask(accepting: AnsweringServer, monkeypatch) -> None:
    """The library itself forbids changing the environment during a call, so the others pause for the change."""
    wrong: list[Any] = []
    barrier = threading.Barrier(5)

    def ask() -> None:
        for _ in range(6):
            barrier.wait()
            for _ in range(5):
                if hanko.validate("token") is not True:
                    wrong.append("no")
            barrier.wait()

    monkeypatch.setenv("HANKO_API_URL", accepting.url)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(6):
        monkeypatch.setenv("HANKO_API_URL", f"{accepting.url}/{number}")
        barrier.wait()
        barrier.wait()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(accepting.tokens) == 120


def test_a_missing_library_is_no_no(monkeypatch: pytest.MonkeyPatch, run_program) -> None:
    program = """
        import hanko
        assert hanko.validate(None) is False
        try:
            hanko.validate("token")
        except ImportError:
            print("cannot be loaded")
    """
    out = run_program(program, HANKO_LIBRARY="/nowhere.so", HANKO_API_URL="http://127.0.0.1:1")
    assert out == "cannot be loaded"


def test_the_environment_is_compared_as_python_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from hanko._functions import _read_environment
    from hanko._variables import LIBRARY_VARIABLES

    seen = {_read_environment()}
    for name in LIBRARY_VARIABLES:
        monkeypatch.setenv(name, "something")
        seen.add(_read_environment())
    assert len(seen) == len(LIBRARY_VARIABLES) + 1
    monkeypatch.setattr("os.environ", {"HANKO_API_URL": "something"})
    assert _read_environment() == ("something", *[None] * 10)


def test_the_environment_that_is_compared_is_the_one_of_the_library(repository) -> None:
    import re

    from hanko._variables import LIBRARY_VARIABLES

    header = (repository / "include" / "hanko.h").read_text(encoding="utf-8")
    introduction = header.split("*  Configuration")[1].split("*  Resilience")[0]
    assert set(LIBRARY_VARIABLES) == set(re.findall(r"^ \*      (HANKO_\w+)", introduction, re.MULTILINE))
