"""One at a time: `requests` with a session that keeps its connection."""

import requests
from harness import API_URL, one_at_a_time

session = requests.Session()


def validate(token: str) -> bool:
    response = session.post(f"{API_URL}/sessions/validate", json={"session_token": token}, timeout=10)
    return response.status_code == 200 and response.json().get("is_valid") is True


one_at_a_time(validate)
