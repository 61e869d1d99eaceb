"""One at a time: `urllib3`."""

import json

import urllib3
from harness import API_URL, one_at_a_time

pool = urllib3.PoolManager(timeout=10)


def validate(token: str) -> bool:
    response = pool.request("POST", f"{API_URL}/sessions/validate", json={"session_token": token})
    return response.status == 200 and json.loads(response.data).get("is_valid") is True


one_at_a_time(validate)
