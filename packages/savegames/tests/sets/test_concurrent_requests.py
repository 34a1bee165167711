"""Two devices of a user, each over a connection of its own."""

import asyncio

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.savegames import Limits, UserQuotaExceeded


@pytest.fixture
async def devices(own_dsn, new_player, of_player):
    """One player over two connections; each request is a transaction. A wait without end is an error."""
    kind, opened = type(new_player()), []
    for _ in range(2):
        settings = {"deadlock_timeout": "100ms", "lock_timeout": f"{PATIENCE_SECONDS}s"}
        opened.append(await asyncpg.connect(own_dsn, server_settings=settings))
    players = [kind(connection, Limits(quota_bytes=10)) for connection in opened]
    for player in players[1:]:
        player.id, player.product = players[0].id, players[0].product
    yield [of_player(player) for player in players]
    while await players[0].service.erase(players[0].id):
        pass
    for connection in opened:
        await connection.close()


async def request(device, files, **more):
    async with device.player.connection.transaction():
        return await device.request(files, **more)


async def test_two_devices_request_one_content_at_once(devices):
    first, second = devices
    found = await asyncio.gather(
        request(first, {"a": b"12345", "b": b"1"}, device_id="pc"),
        request(second, {"x": b"12345", "y": b"2"}, device_id="deck"),
    )
    assert found[0].upload_id != found[1].upload_id
    assert await first.player.usage() == (0, 7)
    [allowance] = await first.rows("allowances")
    assert allowance["signed_bytes"] == 7


async def test_two_devices_cannot_both_get_the_last_bytes(devices):
    first, second = devices
    found = await asyncio.gather(
        request(first, {"a": b"123456"}, device_id="pc"),
        request(second, {"a": b"654321"}, device_id="deck"),
        return_exceptions=True,
    )
    assert [type(one) for one in found].count(UserQuotaExceeded) == 1
    assert await first.player.usage() == (0, 6)


async def test_a_repeated_request_beside_the_first_is_the_same_upload(devices):
    first, second = devices
    found = await asyncio.gather(request(first, {"a": b"1"}), request(second, {"a": b"1"}))
    assert found[0].upload_id == found[1].upload_id
