"""pytest with the plugin, as users run it."""

from __future__ import annotations

import os
import re

import pytest

USERS_TEST = """
    import hanko
    import pytest

    def answer(headers):
        try:
            hanko.Client(max_retries=0, timeout=5).authenticate(headers.get("Cookie"), headers.get("Authorization"))
        except hanko.InvalidToken:
            return 401
        except hanko.NotChecked:
            return 503
        return 200

    def test_me(hanko_standin):
        session = hanko_standin.mint_session(email="ada@example.com")
        for headers in (hanko_standin.authorization_header(session), hanko_standin.cookie_header(session)):
            assert answer(headers) == 200
        hanko_standin.revoke(session)
        assert answer(headers) == 401
        with hanko_standin.broken():
            assert answer(headers) == 503
"""


def test_users_test_their_backend(installed_pytester: pytest.Pytester) -> None:
    installed_pytester.makepyfile(USERS_TEST)
    installed_pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_each_test_begins_with_an_empty_hanko_in_order_at_the_same_address(
    installed_pytester: pytest.Pytester,
) -> None:
    installed_pytester.makepyfile(
        """
        import os
        import time
        import hanko
        import pytest

        seen = []

        @pytest.fixture(scope="session")
        def app(hanko_standin_url):
            return hanko.Client(hanko_standin_url, max_retries=0, timeout=5)

        @pytest.mark.parametrize("outage", ["unavailable", "hanging", "closing", "refusing", "database-down"])
        def test_it(outage, hanko_standin, hanko_standin_url, app):
            assert os.environ["HANKO_API_URL"] == hanko_standin.api_url
            assert hanko_standin.api_url.startswith(hanko_standin_url + "/")
            assert hanko_standin.requests == () and hanko_standin.delay == 0
            for session in seen:
                with pytest.raises(hanko.InvalidToken):
                    app.validate(session.token)
            # The same address and name as in each test before.
            seen.append(hanko_standin.mint_session(email="ada@example.com", username="ada"))
            assert seen[-1].user_id not in [session.user_id for session in seen[:-1]]
            assert abs(app.validate(seen[-1].token).issued_at.timestamp() - time.time()) < 60
            hanko_standin.advance_clock(3600)
            hanko_standin.delay = 30
            hanko_standin.break_down(outage)

        def test_without_it():
            assert "HANKO_API_URL" not in os.environ
        """
    )
    installed_pytester.runpytest_subprocess().assert_outcomes(passed=6)


def test_what_was_set_before_is_set_again(installed_pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_API_URL", "https://tenant.example.com")
    installed_pytester.makepyfile(
        """
        import os

        def test_with(hanko_standin):
            assert os.environ["HANKO_API_URL"].startswith("http://127.0.0.1:")

        def test_without():
            assert os.environ["HANKO_API_URL"] == "https://tenant.example.com"
        """
    )
    installed_pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_it_works_with_xdist(installed_pytester: pytest.Pytester) -> None:
    installed_pytester.makepyfile(
        """
        import hanko
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(number, hanko_standin, worker_id):
            session = hanko_standin.mint_session(email="ada@example.com")
            assert hanko.Client().validate(session.token).user_id == session.user_id
            print("worker", worker_id)
        """
    )
    result = installed_pytester.runpytest_subprocess("-n", "2", "-rP")
    result.assert_outcomes(passed=8)
    assert len(set(re.findall(r"worker (gw\d)", result.stdout.str()))) == 2


def test_it_can_be_left_out(installed_pytester: pytest.Pytester) -> None:
    installed_pytester.makepyfile(
        """
        import sys

        def test_it(request):
            assert "hanko" not in sys.modules
            assert not request.config.pluginmanager.has_plugin("hanko")

        def test_there_is_no_fixture(hanko_standin):
            pass
        """
    )
    result = installed_pytester.runpytest_subprocess("-p", "no:hanko")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'hanko_standin' not found"])


def test_who_does_not_use_it_pays_nothing(installed_pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANKO_LIBRARY", "/nonexistent")
    installed_pytester.makepyfile(
        """
        import re
        import sys
        from pathlib import Path

        def test_it(request):
            assert request.config.pluginmanager.has_plugin("hanko")
            assert not [name for name in sys.modules if name.startswith("hanko.standin")]
            assert not re.search("/libhanko[^/]*$", Path("/proc/self/maps").read_text(), re.MULTILINE)
        """
    )
    installed_pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_the_stand_in_alone_needs_no_library(
    installed_pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANKO_LIBRARY", "/nonexistent")
    installed_pytester.makepyfile(
        """
        def test_it(hanko_standin):
            assert hanko_standin.mint_session().token.count(".") == 2
        """
    )
    installed_pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_pytest_explains_the_fixtures(installed_pytester: pytest.Pytester) -> None:
    shown = installed_pytester.runpytest_subprocess("--fixtures").stdout.str()
    assert re.search(r"^hanko_standin -- .*\n +A stand-in Hanko that knows nobody yet", shown, re.MULTILINE)
    assert re.search(r"^hanko_standin_url \[session scope\] -- ", shown, re.MULTILINE)
    assert "_hanko_standin_server" not in shown


def test_a_missing_openssl_is_one_sentence(
    installed_pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    installed_pytester.makepyfile("def test_it(hanko_standin): pass")
    result = installed_pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The stand-in Hanko signs its tokens with the openssl program, which is not there*"])
    assert "Traceback" not in result.stdout.str()


def test_the_types_can_be_imported_and_nothing_else_is_there() -> None:
    from hanko import pytest_plugin
    from hanko.standin import MintedSession
    from hanko.standin.for_tests import HankoStandIn

    assert pytest_plugin.HankoStandIn is HankoStandIn
    assert pytest_plugin.MintedSession is MintedSession
    for name in pytest_plugin.__all__:
        assert getattr(pytest_plugin, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'hanko_stand_in'"):
        pytest_plugin.hanko_stand_in  # noqa: B018


def test_outages_of_one_test_do_not_reach_the_next(installed_pytester: pytest.Pytester) -> None:
    """The circuit breaker of a client that is kept for the whole run would refuse the last test."""
    installed_pytester.makepyfile(
        """
        import hanko
        import pytest

        @pytest.mark.parametrize("number", range(15))
        def test_outage(number, hanko_standin):
            with hanko_standin.broken():
                assert not hanko.validate(hanko_standin.mint_session().token)

        def test_afterwards(hanko_standin):
            assert hanko.validate(hanko_standin.mint_session().token)
        """
    )
    installed_pytester.runpytest_subprocess().assert_outcomes(passed=16)
