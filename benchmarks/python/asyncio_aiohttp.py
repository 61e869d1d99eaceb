"""Many in flight: `aiohttp`."""

import asyncio

import aiohttp
from harness import API_URL, CONNECTIONS, in_flight


async def main() -> None:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as session:

        async def validate(token: str) -> bool:
            async with session.post(f"{API_URL}/sessions/validate", json={"session_token": token}) as response:
                return response.status == 200 and (await response.json()).get("is_valid") is True

        await in_flight(validate)


asyncio.run(main())
