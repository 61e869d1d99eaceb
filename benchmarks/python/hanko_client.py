"""One at a time: libhanko. An answer that is no yes is an exception."""

import hanko
from harness import API_URL, one_at_a_time

client = hanko.Client(API_URL)


def validate(token: str) -> bool:
    return client.validate(token).user_id != ""


one_at_a_time(validate)
client.close()
