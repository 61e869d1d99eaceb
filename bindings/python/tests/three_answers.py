"""What every page that needs a session answers, in every framework and server."""

from __future__ import annotations

from typing import Any

from web_server import WebServer

from hanko.pytest_plugin import HankoStandIn

INVALID = "Invalid token"
UNAVAILABLE = "Authentication service unavailable"


def check_three_answers(server: WebServer, path: str, standin: HankoStandIn, times: int = 1) -> list[Any]:
    """Ask with a good session, during an outage and without a good session; the bodies for the good one.

    It must be asked for several `times` where several processes serve. Its user is the `user_id` of each body.
    """
    session = standin.mint_session(email="ada@example.com")
    headers = standin.cookie_header(session)
    good = [server.get(path, headers) for _ in range(times)]
    for answer in good:
        assert (answer.status, answer.body["user_id"]) == (200, session.user_id)
        assert answer.headers["vary"] == "Cookie, Authorization"

    with standin.broken("refusing"):
        answer = server.get(path, headers)
    assert (answer.status, answer.body) == (503, {"detail": UNAVAILABLE})
    assert (int(answer.headers["retry-after"]) > 0, answer.headers["cache-control"]) == (True, "no-store")
    assert answer.headers["vary"] == "Cookie, Authorization"

    standin.revoke(session)
    for refused in (headers, {}):
        answer = server.get(path, refused)
        assert (answer.status, answer.body) == (401, {"detail": INVALID})
        assert (answer.headers["www-authenticate"], answer.headers["cache-control"]) == ("Bearer", "no-store")
        assert answer.headers["vary"] == "Cookie, Authorization"
    assert session.token not in server.log
    return [answer.body for answer in good]
