"""The service is killed and started again under a client."""

import asyncio

import pytest
from gameshelf.client import LibraryClient, RetryRules
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

MANY = 20
RULES = RetryRules(tries=1_000_000, tries_to_connect=1_000_000, total_seconds=PATIENCE_SECONDS)


async def briefly(seconds):
    await asyncio.sleep(min(seconds, 0.05))


@pytest.mark.long
async def test_a_restart_loses_no_change_and_no_message(platform, player):
    service = platform.service()
    service.start()
    async with (
        LibraryClient(service.api, player.token, retries=RULES, pause=briefly) as client,
        client.live_updates("0") as updates,
        asyncio.timeout(PATIENCE_SECONDS),
    ):

        async def change():
            for number in range(MANY):
                await client.library.create_category({"name": f"c{number:02}"})
                await asyncio.sleep(0.02)

        changes = asyncio.create_task(change())
        names = [(await anext(updates))["payload"]["name"] for _ in range(3)]
        service.kill()
        await asyncio.to_thread(service.start)
        names += [(await anext(updates))["payload"]["name"] for _ in range(MANY - 3)]
        await changes
        assert names == [f"c{number:02}" for number in range(MANY)]
        assert len(await client.library.list_categories().all()) == MANY
    service.stop()
