"""Many in flight: libhanko. An answer that is no yes is an exception."""

import asyncio

import hanko
from harness import API_URL, CONNECTIONS, in_flight


async def main() -> None:
    async with hanko.AsyncClient(API_URL, max_connections=CONNECTIONS) as client:

        async def validate(token: str) -> bool:
            return (await client.validate(token)).user_id != ""

        await in_flight(validate)


asyncio.run(main())
