"""The rules that Flask, Django and FastAPI share, without any of them."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from typing import Any, Callable

import pytest

import hanko
from hanko import (
    AuthenticationTimeout,
    AuthenticationUnavailable,
    Cancelled,
    Client,
    ConfigurationError,
    HankoError,
    InvalidToken,
    Misconfigured,
    NotChecked,
    NoToken,
    ProtocolError,
    Session,
)
from hanko._framework import (
    SETTINGS,
    ClientSource,
    Inquiry,
    Outcome,
    ProtectedPaths,
    Refusal,
    asgi_credentials,
    client_options,
    is_preflight,
    merge_vary,
    misspelled_settings,
    wsgi_credentials,
)
from hanko.pytest_plugin import HankoStandIn

LOOPBACK = "http://127.0.0.1"

# Refusals


@pytest.mark.parametrize("kind", [InvalidToken, NoToken])
def test_a_refused_token_is_401(kind: type[HankoError]) -> None:
    refusal = Refusal.of(kind("a text for logs"))
    assert refusal.status == 401
    assert refusal.body == {"detail": "Invalid token"}
    assert refusal.headers["WWW-Authenticate"] == "Bearer"
    assert refusal.headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in refusal.headers


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (AuthenticationTimeout, "Authentication service timeout"),
        (AuthenticationUnavailable, "Authentication service unavailable"),
        (ProtocolError, "Authentication service unavailable"),
        (Cancelled, "Authentication service unavailable"),
        (Misconfigured, "Authentication service unavailable"),
        (ConfigurationError, "Authentication service unavailable"),
        (NotChecked, "Authentication service unavailable"),
        (HankoError, "Authentication service unavailable"),
    ],
)
def test_what_could_not_be_asked_is_503(kind: type[HankoError], message: str) -> None:
    refusal = Refusal.of(kind("a text for logs"))
    assert refusal.status == 503
    assert refusal.body == {"detail": message}
    assert int(refusal.headers["Retry-After"]) > 0
    assert refusal.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in refusal.headers


# Vary


@pytest.mark.parametrize(
    ("existing", "merged"),
    [
        (None, "Cookie, Authorization"),
        ("", "Cookie, Authorization"),
        ("Accept-Encoding", "Accept-Encoding, Cookie, Authorization"),
        ("cookie", "cookie, Authorization"),
        ("AUTHORIZATION ,Accept", "AUTHORIZATION, Accept, Cookie"),
        ("Cookie, Authorization", "Cookie, Authorization"),
        ("*", "*"),
        ("Accept, *", "*"),
    ],
)
def test_vary_is_merged(existing: str | None, merged: str) -> None:
    assert merge_vary(existing) == merged


# Outcomes

SESSION = Session(user_id="ada")


def test_a_session_is_the_result() -> None:
    assert Outcome(session=SESSION).result() is SESSION
    assert Outcome(session=SESSION).result(optional=True) is SESSION


@pytest.mark.parametrize("kind", [InvalidToken, NoToken])
def test_where_a_session_is_optional_refused_tokens_mean_none(kind: type[HankoError]) -> None:
    outcome = Outcome(error=kind())
    assert outcome.result(optional=True) is None
    with pytest.raises(kind):
        outcome.result()


@pytest.mark.parametrize("kind", [AuthenticationTimeout, AuthenticationUnavailable, ProtocolError, Misconfigured])
def test_where_a_session_is_optional_an_outage_is_still_one(kind: type[HankoError]) -> None:
    with pytest.raises(kind):
        Outcome(error=kind()).result(optional=True)


def test_a_kept_error_does_not_collect_frames() -> None:
    error = InvalidToken("a text for logs")
    for _ in range(2):
        with pytest.raises(InvalidToken, match="a text for logs"):
            Outcome(error=error).result()
    assert error.__traceback__ is None


# Protected paths


@pytest.mark.parametrize("prefix", ["/api", "/api/"])
@pytest.mark.parametrize(
    ("path", "is_covered"),
    [
        ("/api", True),
        ("/api/", True),
        ("/api/me", True),
        ("/api/me/", True),
        ("/apiary", False),
        ("/ap", False),
        ("/", False),
        ("/v1/api", False),
        ("/API/me", False),
        ("//api/me", True),
        ("/api//me", True),
    ],
)
def test_prefixes_match_whole_segments(prefix: str, path: str, is_covered: bool) -> None:
    assert ProtectedPaths([prefix]).covers(path) is is_covered


def test_prefixes_of_several_segments() -> None:
    paths = ProtectedPaths(["/one", "/two/three/"])
    assert [paths.covers(path) for path in ("/one/x", "/two", "/two/three", "/two//three/4", "/two/threefold")] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_slash_covers_everything_and_no_prefix_nothing() -> None:
    assert all(ProtectedPaths(["/"]).covers(path) for path in ("/", "", "/x", "/x/y"))
    assert not any(ProtectedPaths(none).covers("/x") for none in (None, [], ()))


@pytest.mark.parametrize(
    "setting",
    ["/api", b"/api", ["api"], [""], ["/api", 1], [None], [["/api"]], {"/api": True}, 7, ["/api/*"], ["/a?b"]],
)
@pytest.mark.parametrize("make", [ProtectedPaths, ProtectedPaths.of])
def test_what_is_no_list_of_paths_is_a_configuration_error(make: Any, setting: object) -> None:
    with pytest.raises(ConfigurationError, match="HANKO_PROTECTED_PATHS"):
        make(setting)


# Preflights and credentials


@pytest.mark.parametrize(
    ("method", "requested", "expected"),
    [("OPTIONS", "GET", True), ("OPTIONS", "", True), ("OPTIONS", None, False), ("GET", "GET", False)],
)
def test_a_preflight_is_options_with_the_method_to_come(method: str, requested: str | None, expected: bool) -> None:
    assert is_preflight(method, requested) is expected


def test_split_cookie_fields_are_joined() -> None:
    headers = [(b"host", b"x"), (b"cookie", b"a=1"), (b"authorization", b"Bearer t"), (b"cookie", b"hanko=2")]
    assert asgi_credentials(headers) == (b"a=1; hanko=2", b"Bearer t")
    assert asgi_credentials([]) == (None, None)


def test_wsgi_credentials() -> None:
    assert wsgi_credentials({"HTTP_COOKIE": "hanko=1", "HTTP_AUTHORIZATION": "Bearer 2"}) == ("hanko=1", "Bearer 2")
    assert wsgi_credentials({}) == (None, None)


# Settings


def test_settings_have_the_names_and_units_of_the_environment() -> None:
    assert client_options(
        {
            "HANKO_API_URL": LOOPBACK,
            "HANKO_COOKIE_NAME": "session",
            "HANKO_TIMEOUT_MS": 1500,
            "HANKO_CONNECT_TIMEOUT_MS": "250",
            "HANKO_MAX_RETRIES": 0,
            "HANKO_MAX_CONNECTIONS": "10",
            "HANKO_CA_FILE": "/ca.pem",
            "HANKO_AUDIENCE": "one, two",
            "HANKO_ALLOW_INSECURE_HTTP": True,
            "HANKO_CONFIRM_REJECTIONS": "0",
            "SOMETHING_ELSE": 1,
        }
    ) == {
        "api_url": LOOPBACK,
        "cookie_name": "session",
        "timeout": 1.5,
        "connect_timeout": 0.25,
        "max_retries": 0,
        "max_connections": 10,
        "ca_file": "/ca.pem",
        "audiences": ("one", "two"),
        "allow_insecure_http": True,
        "confirm_rejections": False,
    }


def test_every_setting_is_one_of_the_environments() -> None:
    from hanko._variables import LIBRARY_VARIABLES

    # HANKO_LOG is about the log: only the environment sets it.
    assert set(SETTINGS) == set(LIBRARY_VARIABLES) - {"HANKO_LOG"}


def test_what_is_none_or_empty_is_not_set() -> None:
    assert client_options({"HANKO_API_URL": "", "HANKO_TIMEOUT_MS": None}) == {}


def test_audiences_may_be_a_list_and_an_empty_one_checks_none() -> None:
    assert client_options({"HANKO_AUDIENCE": ["one", "two"]}) == {"audiences": ("one", "two")}
    assert client_options({"HANKO_AUDIENCE": []}) == {"audiences": ()}


BAD = [
    ("HANKO_API_URL", 1),
    ("HANKO_API_URL", "example.com"),
    ("HANKO_API_URL", "http://hanko.example.com"),
    ("HANKO_COOKIE_NAME", "a b"),
    ("HANKO_COOKIE_NAME", b"hanko"),
    ("HANKO_TIMEOUT_MS", 0),
    ("HANKO_TIMEOUT_MS", 3_600_001),
    ("HANKO_TIMEOUT_MS", 1.5),
    ("HANKO_TIMEOUT_MS", True),
    ("HANKO_TIMEOUT_MS", "10s"),
    ("HANKO_CONNECT_TIMEOUT_MS", "-1"),
    ("HANKO_MAX_RETRIES", 11),
    ("HANKO_MAX_RETRIES", "many"),
    ("HANKO_MAX_CONNECTIONS", 0),
    ("HANKO_CA_FILE", "/nowhere/ca.pem"),
    ("HANKO_CA_FILE", 1),
    ("HANKO_AUDIENCE", ""),
    ("HANKO_AUDIENCE", "one,,two"),
    ("HANKO_AUDIENCE", [""]),
    ("HANKO_AUDIENCE", 1),
    ("HANKO_ALLOW_INSECURE_HTTP", "y"),
    ("HANKO_ALLOW_INSECURE_HTTP", 2),
    ("HANKO_CONFIRM_REJECTIONS", "truth"),
    ("HANKO_CONFIRM_REJECTIONS", []),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}={value!r}" for name, value in BAD])
def test_a_bad_setting_is_a_configuration_error_that_names_it(name: str, value: object) -> None:
    settings = {"HANKO_API_URL": LOOPBACK, name: value}
    for use in (ClientSource(Client).client, ClientSource(Client).check):
        with pytest.raises(ConfigurationError, match=name):
            use(settings)


@pytest.mark.parametrize("word", ["0", "false", "no", "off", "1", "true", "yes", "on"])
@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_flags_may_be_words(word: str, change: Callable[[str], str]) -> None:
    options = client_options({"HANKO_ALLOW_INSECURE_HTTP": change(word), "HANKO_CONFIRM_REJECTIONS": change(word)})
    value = word in ("1", "true", "yes", "on")
    assert options == {"allow_insecure_http": value, "confirm_rejections": value}


def test_a_bad_variable_is_one_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_MAX_RETRIES", "many")
    with pytest.raises(ConfigurationError, match="^HANKO_MAX_RETRIES"):
        ClientSource(Client).client({"HANKO_API_URL": LOOPBACK, "HANKO_TIMEOUT_MS": 5})


def test_a_missing_url_is_an_error_when_a_client_is_needed_and_none_before() -> None:
    ClientSource(Client).check({})
    with pytest.raises(ConfigurationError, match="HANKO_API_URL"):
        ClientSource(Client).client({})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HANKO_TIMEOUT", "HANKO_TIMEOUT_MS"),
        ("HANKO_APIURL", "HANKO_API_URL"),
        ("HANKO_AUDIENCES", "HANKO_AUDIENCE"),
        ("HANKO_PROTECTED_PATH", "HANKO_PROTECTED_PATHS"),
    ],
)
def test_a_misspelled_setting_is_found(name: str, meant: str) -> None:
    assert misspelled_settings([name], ["HANKO_PROTECTED_PATHS"]) == {name: meant}


def test_settings_of_somebody_else_are_left_alone() -> None:
    names = [*SETTINGS, "HANKO_PROTECTED_PATHS", "HANKO_WEBHOOK_SECRET", "HANKO_ADMIN_API_KEY", "API_URL", "DEBUG"]
    assert misspelled_settings(names, ["HANKO_PROTECTED_PATHS"]) == {}


# Clients


class Recorded:
    """A client that remembers what it was made with."""

    def __init__(self, **options: Any) -> None:
        """Remember it."""
        self.options = options


def test_explicit_beats_the_framework() -> None:
    source = ClientSource(Recorded, {"api_url": "explicit", "timeout": None})
    assert source.client({"HANKO_API_URL": "framework", "HANKO_TIMEOUT_MS": 5000}).options == {
        "api_url": "explicit",
        "timeout": 5.0,
    }


def test_a_client_is_kept_as_long_as_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ClientSource(Recorded)
    audiences = ["one"]
    settings = {"HANKO_API_URL": LOOPBACK, "HANKO_AUDIENCE": audiences}
    first = source.client(settings)
    assert source.client(dict(settings)) is first

    audiences.append("two")
    second = source.client(settings)
    assert second is not first
    assert second.options["audiences"] == ("one", "two")

    for variable in ("HANKO_TIMEOUT_MS", "HANKO_LOG"):
        monkeypatch.setenv(variable, "off" if variable == "HANKO_LOG" else "77")
        third = source.client(settings)
        assert third is not second
        second = third


# Inquiries


class Asked:
    """A client that counts how often it was asked."""

    calls = 0

    def __init__(self, **options: Any) -> None:
        """Nothing to do."""

    async def authenticate(self, *credentials: object) -> Session:
        """Take a moment, and say no."""
        type(self).calls += 1
        await asyncio.sleep(0.01)
        raise InvalidToken


def test_coroutines_of_one_request_ask_once_at_once() -> None:
    inquiry = Inquiry((None, None))
    source: Any = ClientSource(Asked)

    async def five_times() -> list[Outcome]:
        return await asyncio.gather(*[inquiry.ask_async(source, {}) for _ in range(5)])

    outcomes = asyncio.run(five_times())
    assert all(outcome is outcomes[0] for outcome in outcomes)
    assert isinstance(outcomes[0].error, InvalidToken)
    assert Asked.calls == 1


def test_who_is_cancelled_does_not_answer_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asked, "calls", 0)
    inquiry = Inquiry((None, None))
    source: Any = ClientSource(Asked)

    async def two_of_which_one_is_cancelled() -> Outcome:
        first = asyncio.ensure_future(inquiry.ask_async(source, {}))
        second = asyncio.ensure_future(inquiry.ask_async(source, {}))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert isinstance(asyncio.run(two_of_which_one_is_cancelled()).error, InvalidToken)
    assert Asked.calls == 2


def test_an_error_without_a_client_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    outcome = Inquiry((None, "Bearer secret-token")).ask(ClientSource(Client), {})
    assert isinstance(outcome.error, ConfigurationError)
    assert "HANKO_API_URL is not set" in caplog.text
    assert "secret-token" not in caplog.text


def test_an_inquiry_asks_with_the_headers_as_they_came(hanko_standin: HankoStandIn) -> None:
    session = hanko_standin.mint_session()
    for credentials in [
        (f"other=1; hanko={session.token}", None),
        (None, f"bearer {session.token}"),
        (f"hanko={session.token}".encode(), b"Basic eDp5"),
    ]:
        inquiry = Inquiry(credentials)
        outcome = inquiry.ask(ClientSource(Client), {})
        assert outcome.session is not None
        assert outcome.session.user_id == session.user_id
        assert inquiry.ask(ClientSource(Client), {}) is outcome
    assert len(hanko_standin.requests) == 3


# Imports

WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name == {framework!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
try:
    import hanko.{framework}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("framework", ["flask", "django", "fastapi"])
def test_a_missing_framework_is_named_with_what_to_install(framework: str) -> None:
    program = [sys.executable, "-c", WITHOUT.format(framework=framework)]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert f"pip install 'hanko[{framework}]'" in said


def test_the_package_imports_no_framework() -> None:
    program = "import sys, hanko, hanko._framework; print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    frameworks = ["flask", "werkzeug", "django", "asgiref", "fastapi", "starlette"]
    said = subprocess.run([sys.executable, "-c", program, *frameworks], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_outcomes_can_be_copied_because_exceptions_can_be_pickled() -> None:
    for kind in (InvalidToken, NoToken, AuthenticationTimeout, ConfigurationError):
        again = pickle.loads(pickle.dumps(kind("a text for logs")))
        assert (type(again), str(again), again.status) == (kind, "a text for logs", kind().status)
    assert hanko.NoToken().client_message == "Invalid token"
