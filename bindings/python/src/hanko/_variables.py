"""The variables of the environment that the library reads."""

from __future__ import annotations

LIBRARY_VARIABLES = (
    "HANKO_API_URL",
    "HANKO_TIMEOUT_MS",
    "HANKO_CONNECT_TIMEOUT_MS",
    "HANKO_MAX_RETRIES",
    "HANKO_MAX_CONNECTIONS",
    "HANKO_COOKIE_NAME",
    "HANKO_CA_FILE",
    "HANKO_AUDIENCE",
    "HANKO_ALLOW_INSECURE_HTTP",
    "HANKO_CONFIRM_REJECTIONS",
    "HANKO_LOG",
)
