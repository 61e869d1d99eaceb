"""One at a time: `httpx`."""

import httpx
from harness import API_URL, one_at_a_time

client = httpx.Client(base_url=API_URL, timeout=10)


def validate(token: str) -> bool:
    response = client.post("/sessions/validate", json={"session_token": token})
    return response.status_code == 200 and response.json().get("is_valid") is True


one_at_a_time(validate)
