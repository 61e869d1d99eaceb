"""Names that are near to those of ours, by the rules that the library follows as well."""

from __future__ import annotations

import pytest

from hanko._commands.environment import VARIABLES as LISTED
from hanko._near_name import VARIABLES, misspelled

NEAR = [
    ("HANKO_API_URI", "HANKO_API_URL"),
    ("HANKO_APIURL", "HANKO_API_URL"),
    ("HANKO_API_ULR", "HANKO_API_URL"),
    ("HANKO_AP_URL", "HANKO_API_URL"),
    ("HANKO_API_URLS", "HANKO_API_URL"),
    ("HANKO_API__URL", "HANKO_API_URL"),
    ("HANKO_api_url", "HANKO_API_URL"),
    ("HANKO_CAFILE", "HANKO_CA_FILE"),
    ("HANKO_CA_FIEL", "HANKO_CA_FILE"),
    ("HANKO_AUDIENZ", "HANKO_AUDIENCE"),
    ("HANKO_AUDIENCES", "HANKO_AUDIENCE"),
    ("HANKO_LOGS", "HANKO_LOG"),
    ("HANKO_CONFIRM_REJECTION", "HANKO_CONFIRM_REJECTIONS"),
    ("HANKO_COOKIENAME", "HANKO_COOKIE_NAME"),
    ("HANKO_CONFIRM_REJECTON", "HANKO_CONFIRM_REJECTIONS"),
    ("HANKO_TIMEOUTMS", "HANKO_TIMEOUT_MS"),
    ("HANKO_TIMEOUT_S", "HANKO_TIMEOUT_MS"),
    ("HANKO_MAX_CONNECTION", "HANKO_MAX_CONNECTIONS"),
    ("HANKO_MAX_CONECTIONS", "HANKO_MAX_CONNECTIONS"),
    ("HANKO_ALOW_INSECURE_HTTP", "HANKO_ALLOW_INSECURE_HTTP"),
    ("HANKO_ALLOW_INSECURE_HTTPS", "HANKO_ALLOW_INSECURE_HTTP"),
    ("HANKO_LIBARY", "HANKO_LIBRARY"),
    ("HANKO_PROTECTED_PATH", "HANKO_PROTECTED_PATHS"),
    ("HANKO_TIMEOUT", "HANKO_TIMEOUT_MS"),
    ("HANKO_CONNECT_TIMEOUT", "HANKO_CONNECT_TIMEOUT_MS"),
    ("HANKO_COOKIE", "HANKO_COOKIE_NAME"),
    ("HANKO_CA", "HANKO_CA_FILE"),
    ("HANKO_API", "HANKO_API_URL"),
    ("HANKO_ALLOW_INSECURE", "HANKO_ALLOW_INSECURE_HTTP"),
    ("HANKO_INSECURE_HTTP", "HANKO_ALLOW_INSECURE_HTTP"),
    ("HANKO_ALLOW_HTTP", "HANKO_ALLOW_INSECURE_HTTP"),
    ("HANKO_MAX_RETRY", "HANKO_MAX_RETRIES"),
    ("HANKO_URL_API", "HANKO_API_URL"),
    ("HANKO_LOG_LEVEL", "HANKO_LOG"),
    ("HANKO_TIMEOUT_SECONDS", "HANKO_TIMEOUT_MS"),
    ("HANKO_MAX_RETRIES_COUNT", "HANKO_MAX_RETRIES"),
]

FAR = [
    "HANKO_API_URL",
    "HANKO_LOG",
    "HANKO_LIBRARY",
    "HANKO_PROTECTED_PATHS",
    "HANKO_ADMIN_URL",
    "HANKO_TEST_SEED",
    "HANKO_TEST_TIMEOUT_MS",
    "HANKO_THEME",
    "HANKO_API_KEY",
    "HANKO_ADMIN_API_KEY",
    "HANKO_WEBHOOK_SECRET",
    "HANKO_APP_URL",
    "HANKO_UI_URL",
    "HANKO_LANG",
    "HANKO_ORG",
    "HANKO_PROJECT_ID",
    "HANKO_TENANT",
    "HANKO_URL",
    "HANKO_MAX",
    "HANKO_INSECURE",
    "HANKO_VERIFY",
    "HANKO_TLS_VERIFY",
    "HANKO_SOMETHING_ELSE",
    "HANKO_COOKIE_PATH",
    "HANKO_COOKIE_DOMAIN",
    "HANKO_ORDINARY_SWIFT",
    "HANKO_OTHER_THAN_ANY_PROCESS_HAS",
    "HANKO_SECRET_KEYS",
    "HANKO_DATABASE_URL",
    "",
    "HANKO",
    "HANKO_",
    "HANKO__",
    "HANKO_A",
    "API_URI",
    "hanko_api_uri",
    "XHANKO_API_URI",
    "HANKO_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
]


@pytest.mark.parametrize(("name", "meant"), NEAR)
def test_a_near_name_is_told(name: str, meant: str) -> None:
    assert misspelled([name]) == {name: meant}


@pytest.mark.parametrize("name", FAR)
def test_another_name_is_left_alone(name: str) -> None:
    assert misspelled([name]) == {}


def test_every_variable_is_known() -> None:
    names = [variable.name for variable in LISTED]
    assert set(names) < set(VARIABLES)
    assert misspelled(names) == {}
    assert misspelled([name + "X" for name in names]) == {name + "X": name for name in names}


def test_what_is_no_text_is_left_alone() -> None:
    assert misspelled([1, None, b"HANKO_TIMEOUT"]) == {}
