"""`requests.post` for each token, as in Hanko's guide for Python; `os.environ` holds the authorities that TLS trusts."""

from __future__ import annotations

import requests
from harness import API_URL


def validate(token: str) -> bool:
    response = requests.post(f"{API_URL}/sessions/validate", json={"session_token": token}, timeout=10)
    return response.status_code == 200 and response.json().get("is_valid") is True
