"""Many in flight: `httpx`."""

import asyncio

import httpx
from harness import API_URL, CONNECTIONS, in_flight


async def main() -> None:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=API_URL, timeout=30, limits=limits) as client:

        async def validate(token: str) -> bool:
            response = await client.post("/sessions/validate", json={"session_token": token})
            return response.status_code == 200 and response.json().get("is_valid") is True

        await in_flight(validate)


asyncio.run(main())
