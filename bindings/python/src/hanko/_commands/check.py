"""`python -m hanko check`: is everything in place, and does Hanko answer?"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

from .. import _library
from .._client import Client
from .._errors import ConfigurationError, HankoError
from .._framework.settings import misspelled_settings
from .._library import Library
from .._logging import HIDDEN_KEY_SET_TEXT
from .._status import Status
from .._words import truth
from .environment import VARIABLES, complaint, is_set, shown_url
from .report import Report

# Names of the package that do not configure a client.
_OTHER_NAMES = ("HANKO_LIBRARY", "HANKO_LOG", "HANKO_PROTECTED_PATHS")
_PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY")


def check() -> int:
    """Print what is right and what is wrong; 0 if nothing is wrong, else 1."""
    # A call in the library is not interrupted by a handler of Python's, and must not make Ctrl-C wait.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    report = Report()
    report.section("Library")
    library = _check_library(report)
    report.section("Settings")
    _show_settings(report, library)
    report.section("Hanko")
    if library is None or report.mistakes:
        report.fact("not asked, because of what is wrong above")
    else:
        _ask(report)
    count = report.mistakes
    print("Everything is right." if not count else f"{count} {'thing is' if count == 1 else 'things are'} wrong.")
    return 1 if count else 0


def _check_library(report: Report) -> Library | None:
    try:
        library = _library.library()
    except ImportError as error:
        report.wrong(str(error))
        return None
    status = library.initialize()  # looks at the version of libcurl
    if status != Status.OK:
        report.wrong(library.last_text())
        return None
    report.good(f"libhanko {library.version().decode()}, {_origin(library.path)}")
    return library


def _origin(path: str) -> str:
    """Which file was loaded, and who named it."""
    if os.environ.get("HANKO_LIBRARY"):
        return f"{path} (named by HANKO_LIBRARY)"
    if Path(path).parent == Path(_library.__file__).parent:
        return f"{path} (inside the package)"
    return f"{path} (where the system looks for libraries)"


def _show_settings(report: Report, library: Library | None) -> None:
    complaints: list[str] = []
    for variable in VARIABLES:
        given = is_set(variable.name, os.environ)
        against = complaint(library, variable.name) if library is not None and given else ""
        if against:
            complaints.append(against)
        if not given:
            shown = f"{variable.default} (default)"
        elif against and variable.name != "HANKO_API_URL":
            shown = "malformed, see below"  # not shown: nobody knows what it was meant to be
        else:
            value = os.environ[variable.name]
            shown = f"{shown_url(value) if variable.name == 'HANKO_API_URL' else value} (environment)"
        report.fact(f"{variable.name:<26} {shown}")
    for text in complaints:
        report.wrong(text)
    for name, meant in misspelled_settings(sorted(os.environ), _OTHER_NAMES).items():
        if not is_set(meant, os.environ):  # else it is a variable of somebody else's
            report.advice(f"{name} is no setting of this package, and {meant}, which is one, is not set: a mistyping?")
    if library is not None and not complaints:
        _check_together(report)


def _check_together(report: Report) -> None:
    """What shows only when all settings are taken together."""
    try:
        Client(logger=_silent_logger()).close()
    except ConfigurationError as error:
        report.wrong(str(error))
        return
    url = urlsplit(os.environ.get("HANKO_API_URL", ""))
    if url.scheme.lower() == "https":
        authorities = os.environ.get("HANKO_CA_FILE") or "the system"
        report.good(f"TLS 1.2 or newer, with a certificate by an authority of {authorities}")
    elif truth(os.environ.get("HANKO_ALLOW_INSECURE_HTTP", "")):
        report.advice("tokens travel in the clear over http://; use https:// unless the whole way is your own network")
    else:
        report.fact("http:// to this very machine, without TLS")
    proxies = [name for name in _PROXIES if os.environ.get(name)]
    if proxies:
        report.fact(f"a proxy may be used: {', '.join(proxies)} is set (never for this machine itself)")
    if truth(os.environ.get("HANKO_CONFIRM_REJECTIONS", "")) is False:
        report.advice("unset HANKO_CONFIRM_REJECTIONS: a Hanko that has lost its database says no to everybody")
    if not is_set("HANKO_AUDIENCE", os.environ):
        report.advice("set HANKO_AUDIENCE if several applications share this Hanko: sessions of all are accepted now")


def _ask(report: Report) -> None:
    address = shown_url(os.environ.get("HANKO_API_URL", ""))
    try:
        with Client(logger=_silent_logger()) as client:
            began = time.monotonic()
            client.check()
            milliseconds = (time.monotonic() - began) * 1000
            hidden = client.statistics().hidden_key_set
    except HankoError as error:
        report.wrong(f"{error.status.full_name}: {error}")
    else:
        report.good(f"{address} refuses a token that is none, and its key set does not fail ({milliseconds:.0f} ms)")
        if hidden:
            report.advice(HIDDEN_KEY_SET_TEXT % hidden)


def _silent_logger() -> logging.Logger:
    """What is wrong is reported here, and need not be logged as well."""
    logger = logging.getLogger("hanko.check")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
