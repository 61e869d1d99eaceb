"""Many in flight: Hanko's guide on asyncio's own threads."""

import asyncio

from guide import validate
from harness import in_flight


async def validate_in_thread(token: str) -> bool:
    return await asyncio.to_thread(validate, token)


asyncio.run(in_flight(validate_in_thread))
