"""Mistakes that a type checker must find: each line that says so, and no other. Never run. pyright: strict"""

from __future__ import annotations

import hanko
import hanko.django
import hanko.flask
from hanko.pytest_plugin import HankoStandIn

hanko.validate(7)  # wrong
hanko.Client(timeout="5")  # wrong
hanko.Client("https://tenant.hanko.io", "hanko")  # wrong
hanko.Client(retries=3)  # wrong
client = hanko.Client(timeout=5)
client.validate(["token"])  # wrong
length: int = client.validate("token").email  # wrong
client.validate("token").user  # wrong
client.validate("token").user_id = "eve"  # wrong
hanko.Session()  # wrong
is_valid: str = hanko.validate("token")  # wrong
hanko.flask.current_session.claim  # wrong


async def forgets_to_wait(client: hanko.AsyncClient, request: object) -> str:
    client.validate("token").user_id  # wrong
    hanko.django.get_session(request, optional=True).user_id  # wrong
    return (await client.validate("token")).user_id


def mistypes_an_outage(hanko_standin: HankoStandIn) -> None:
    hanko_standin.break_down("hangs")  # wrong
    hanko_standin.break_down("hanging")
