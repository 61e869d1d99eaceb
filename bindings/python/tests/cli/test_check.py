"""`python -m hanko check`, against a stand-in Hanko in all its states."""

from __future__ import annotations

import http.server
import re
import threading
from pathlib import Path

import pytest
from program import hanko

from hanko._commands.environment import VARIABLES, shown_url
from hanko.pytest_plugin import HankoStandIn


def lines(output: str, mark: str) -> list[str]:
    """The findings with this mark."""
    return [line[10:] for line in output.splitlines() if line[2:10].strip() == mark]


def test_all_is_right(hanko_standin: HankoStandIn, repository: Path) -> None:
    done = hanko("check", HANKO_AUDIENCE="localhost")
    assert done.status == 0
    assert done.errors == ""
    assert done.output.endswith("Everything is right.\n")
    assert not lines(done.output, "wrong") and not lines(done.output, "advice")
    assert any(line.startswith("libhanko 0.1.0, /") for line in lines(done.output, "ok"))
    assert any(line.startswith(f"{hanko_standin.api_url} refuses") for line in lines(done.output, "ok"))
    assert [request.method for request in hanko_standin.requests][:1] == ["POST"]


def test_it_names_the_file_that_it_has_loaded(hanko_standin: HankoStandIn, tmp_path: Path) -> None:
    from hanko._library import library

    named = tmp_path / "libhanko.so.0"
    loaded = library().path
    if not Path(loaded).exists():
        pytest.skip("the library was found by the system, and has no path to link to")
    named.symlink_to(loaded)
    done = hanko("check", HANKO_LIBRARY=str(named))
    assert f"libhanko 0.1.0, {named} (named by HANKO_LIBRARY)" in lines(done.output, "ok")


def test_every_setting_is_shown_with_where_it_comes_from(hanko_standin: HankoStandIn) -> None:
    done = hanko("check", HANKO_TIMEOUT_MS="2500", HANKO_AUDIENCE="localhost,example.com", HANKO_CA_FILE="")
    facts = dict(line.split(None, 1) for line in lines(done.output, "") if line.startswith("HANKO_"))
    assert list(facts) == [variable.name for variable in VARIABLES]
    assert facts["HANKO_API_URL"] == f"{hanko_standin.api_url} (environment)"
    assert facts["HANKO_TIMEOUT_MS"] == "2500 (environment)"
    assert facts["HANKO_AUDIENCE"] == "localhost,example.com (environment)"
    assert facts["HANKO_CONNECT_TIMEOUT_MS"] == "3000 (default)"
    assert facts["HANKO_CA_FILE"] == "none (default)"


def test_the_variables_and_defaults_are_those_of_the_header(repository: Path) -> None:
    header = (repository / "include/hanko.h").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^ \*      (HANKO_[A-Z_]+) +(\S+)", header, re.MULTILINE))
    ours = {variable.name: variable.default for variable in VARIABLES}
    assert set(documented) == set(ours)
    assert documented.pop("HANKO_API_URL") == "required:"
    assert documented == {name: default for name, default in ours.items() if name != "HANKO_API_URL"}


def test_every_bad_setting_is_named_with_what_to_do(hanko_standin: HankoStandIn) -> None:
    bad = {
        "HANKO_TIMEOUT_MS": "soon",
        "HANKO_CONNECT_TIMEOUT_MS": "0",
        "HANKO_MAX_RETRIES": "-1",
        "HANKO_MAX_CONNECTIONS": "many",
        "HANKO_COOKIE_NAME": "a b",
        "HANKO_CA_FILE": "/nonexistent.pem",
        "HANKO_AUDIENCE": "",
        "HANKO_ALLOW_INSECURE_HTTP": "y",
        "HANKO_CONFIRM_REJECTIONS": "truth",
        "HANKO_LOG": "loud",
    }
    done = hanko("check", **bad)
    assert done.status == 1
    wrong = lines(done.output, "wrong")
    assert len(wrong) == len(bad)
    for name in bad:
        assert sum(line.startswith(f"{name} must be ") for line in wrong) == 1
    assert done.output.endswith("\n10 things are wrong.\n")
    assert not hanko_standin.requests, "a Hanko is asked only with good settings"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "HANKO_API_URL is not set"),
        ("tenant.hanko.io", "HANKO_API_URL must begin with https://"),
        ("http://tenant.hanko.io", "must begin with https://, because http:// would send tokens in the clear"),
        ("https://ada:secret-word@tenant.hanko.io", "HANKO_API_URL must not contain a user name or password"),
        ("https://tenant.hanko.io/?key=secret-word", "HANKO_API_URL must not have a query"),
        ("https://tenant.hanko.io:secret-word/", "HANKO_API_URL "),
    ],
)
def test_a_wrong_address(url: str, words: str) -> None:
    done = hanko("check", HANKO_API_URL=url)
    assert done.status == 1
    (wrong,) = lines(done.output, "wrong")
    assert words in wrong
    assert done.output.endswith("\n1 thing is wrong.\n")
    assert "secret-word" not in done.output + done.errors


def test_an_address_is_shown_without_secrets() -> None:
    assert shown_url("https://a:b@host:8443/tenant?c=d#e") == "https://(hidden)@host:8443/tenant?(hidden)"
    assert shown_url("https://[::1]:1/") == "https://[::1]:1/"
    assert shown_url("https://host:secret") == "(malformed, not shown)"


def test_a_mistyped_variable_is_pointed_out_unless_the_right_one_is_set(hanko_standin: HankoStandIn) -> None:
    done = hanko("check", HANKO_AUDIENC="localhost", HANKO_ADMIN_URL="http://127.0.0.1:1")
    assert done.status == 0
    hints = [line for line in lines(done.output, "advice") if "mistyping" in line]
    assert len(hints) == 1 and "HANKO_AUDIENC is no setting" in hints[0] and "HANKO_AUDIENCE" in hints[0]


@pytest.mark.parametrize("word", ["0", "off", "False", "NO"])
def test_what_is_recommended_in_production(hanko_standin: HankoStandIn, word: str) -> None:
    done = hanko("check", HANKO_CONFIRM_REJECTIONS=word)
    assert done.status == 0
    assert [line.split()[1].strip(":") for line in lines(done.output, "advice")] == [
        "HANKO_CONFIRM_REJECTIONS",
        "HANKO_AUDIENCE",
    ]


def test_tokens_in_the_clear_are_pointed_out() -> None:
    done = hanko("check", HANKO_API_URL="http://tenant.invalid", HANKO_ALLOW_INSECURE_HTTP="1", HANKO_TIMEOUT_MS="2000")
    assert any(line.startswith("tokens travel in the clear") for line in lines(done.output, "advice"))


def test_tls_and_a_proxy_are_told() -> None:
    done = hanko("check", HANKO_API_URL="https://127.0.0.1:9", https_proxy="http://ada:secret-word@127.0.0.1:9")
    assert "TLS 1.2 or newer, with a certificate by an authority of the system" in lines(done.output, "ok")
    assert any("https_proxy is set" in line for line in lines(done.output, ""))
    assert "secret-word" not in done.output


@pytest.mark.parametrize(
    ("outage", "words"),
    [
        ("refusing", "HANKO_UNAVAILABLE: no connection to Hanko could be made"),
        ("unavailable", "HANKO_UNAVAILABLE: "),
        ("closing", "HANKO_UNAVAILABLE: "),
        ("hanging", "HANKO_TIMEOUT: "),
        ("database-down", "HANKO_UNAVAILABLE: "),
    ],
)
def test_a_hanko_that_is_out_of_order(outage: str, words: str, hanko_standin: HankoStandIn) -> None:
    hanko_standin.break_down(outage)  # type: ignore[arg-type]  # from the list above
    done = hanko("check", HANKO_TIMEOUT_MS="1000", HANKO_MAX_RETRIES="0")
    assert done.status == 1
    (wrong,) = lines(done.output, "wrong")
    assert wrong.startswith(words)
    assert done.errors == "", "said once, and not logged as well"


def test_a_key_set_that_a_gateway_hides() -> None:
    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.answer(200, b'{"is_valid":false}')

        def do_GET(self) -> None:
            self.answer(403, b"")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = hanko("check", HANKO_API_URL=url)
        silent = hanko("check", HANKO_API_URL=url, HANKO_CONFIRM_REJECTIONS="0")
        server.shutdown()
    assert done.status == silent.status == 0
    assert done.errors == "", "said once, and not logged as well"
    assert len([line for line in lines(done.output, "advice") if "answered with 403, so outages" in line]) == 1
    assert "403" not in silent.output


def test_a_wrong_path_at_the_right_host(hanko_standin: HankoStandIn) -> None:
    done = hanko("check", HANKO_API_URL=f"{hanko_standin.api_url}/wrong")
    assert done.status == 1
    (wrong,) = lines(done.output, "wrong")
    assert wrong.startswith("HANKO_MISCONFIGURED: ")


def test_a_clock_that_is_off(hanko_standin: HankoStandIn) -> None:
    hanko_standin.advance_clock(600)
    done = hanko("check")
    assert done.status == 1
    (wrong,) = lines(done.output, "wrong")
    assert wrong.startswith("HANKO_MISCONFIGURED: ") and "clock" in wrong


def test_a_library_that_cannot_be_loaded(tmp_path: Path, hanko_standin: HankoStandIn) -> None:
    broken = tmp_path / "libhanko.so.0"
    broken.write_text("no library")
    done = hanko("check", HANKO_LIBRARY=str(broken))
    assert done.status == 1 and done.errors == ""
    (wrong,) = lines(done.output, "wrong")
    assert wrong.startswith("cannot load libhanko") and str(broken) in wrong


def test_what_comes_from_outside_does_not_control_the_terminal(hanko_standin: HankoStandIn) -> None:
    done = hanko("check", HANKO_AUDIENCE="\x1b[31mred\x07")
    assert "?[31mred? (environment)" in done.output and "\x1b" not in done.output
