"""A connection that its client has closed is freed at once, however long the server would wait for another request."""

import asyncio
from pathlib import Path

import httpx


async def test_a_connection_ends_with_its_client(service, wait_until):
    descriptors = Path(f"/proc/{service.process.pid}/fd")

    async def ask():
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{service.url}/health/live")).status_code == 200

    await ask()
    before = len(list(descriptors.iterdir()))
    for _ in range(10):
        await asyncio.gather(*(ask() for _ in range(10)))

    async def are_closed():
        return len(list(descriptors.iterdir())) < before + 20

    await wait_until(are_closed)
