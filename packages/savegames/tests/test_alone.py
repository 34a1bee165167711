"""The package without the gateway: concurrent transactions on one user are ordered by the package alone."""

from hashlib import sha256

import asyncpg
import pytest
from gameshelf.savegames import MIGRATIONS, Digest, Limits, Resolve, VersionChanges

TIMES = 12


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database of this module alone, since its tests commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn):
    """A connection that reads committed rows."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def crowd(watching, new_player, dsn, side_by_side):
    """The devices of one player, each an instance of its own."""
    made = Crowd(type(new_player()), watching, dsn, side_by_side)
    yield made
    await made.player.check()


class Crowd:
    """One player whose saves are changed by many concurrent transactions."""

    def __init__(self, kind, watching, dsn, side_by_side):
        self.limits = Limits(max_bytes=500, quota_bytes=1000, max_versions=4)
        self.player = kind(watching, self.limits)
        self._kind, self._dsn, self._side_by_side = kind, dsn, side_by_side

    async def at_once(self, use_case, limits=None):
        """Runs a use case concurrently, each with a connection of its own and a number. Returns the results."""

        async def run(connection, number):
            device = self._kind(connection, limits or self.limits)
            device.id, device.product = self.player.id, self.player.product
            await use_case(device, number)

        return await self._side_by_side(self._dsn, TIMES, run)

    async def save(self, content, slot="slot", **more):
        async with self.player.connection.transaction():
            return await self.player.save(content, slot, **more)


async def test_the_last_bytes_of_a_quota_are_reserved_once(crowd):
    came = await crowd.at_once(lambda device, number: device.request(b"%c" % (65 + number) * 400, f"slot {number}"))
    assert came == {"done": 2, "UserQuotaExceeded": TIMES - 2}
    assert await crowd.player.usage() == (0, 800)


async def test_a_days_allowance_is_signed_once(crowd):
    limits = Limits(daily_bytes=1000)
    came = await crowd.at_once(
        lambda device, number: device.request(b"%c" % (65 + number) * 400, f"slot {number}"), limits
    )
    assert came == {"done": 2, "UserQuotaExceeded": TIMES - 2}


async def test_the_same_request_from_everywhere_is_one_upload(crowd):
    came = await crowd.at_once(lambda device, _: device.request(b"same"))
    assert came == {"done": TIMES}
    assert len(await crowd.player.rows("uploads")) == 1


async def test_an_upload_that_all_confirm_is_one_version(crowd):
    player, content = crowd.player, b"one"
    async with player.connection.transaction():
        reservation = await player.request(content)
    attempts = []
    for _ in range(TIMES):
        async with player.connection.transaction():
            attempts.append(await player.uploads.begin_confirmation(player.id, reservation.upload_id))
    digest = Digest(len(content), sha256(content).digest())
    came = await crowd.at_once(
        lambda device, number: device.uploads.finish_confirmation(
            device.id, reservation.upload_id, attempts[number], digest
        )
    )
    assert came == {"done": TIMES}
    [version] = await player.rows("metadata")
    assert (version["version"], await player.usage()) == (1, (len(content), 0))


async def test_a_conflict_is_resolved_once(crowd):
    await crowd.save(b"one", device_id="pc")
    await crowd.save(b"two", device_id="pc")
    conflict = (await crowd.save(b"other", device_id="deck", base_version=1)).conflict_id
    answer = Resolve(resolution="keep_both")
    came = await crowd.at_once(lambda device, _: device.conflicts.resolve(device.id, conflict, answer))
    assert came == {"done": 1, "ConflictNotFound": TIMES - 1}
    assert len(await crowd.player.rows("slots")) == 2


async def test_no_more_versions_are_pinned_than_may_be(crowd):
    for number in range(4):
        slot = (await crowd.save(b"%d" % number)).slot_id
    pin = VersionChanges(is_pinned=True)
    came = await crowd.at_once(lambda device, n: device.service.change_version(device.id, slot, 1 + n % 4, pin))
    assert came["done"] + came["InvalidInput"] == TIMES
    pinned = [row for row in await crowd.player.rows("metadata") if row["is_pinned"]]
    assert 0 < len(pinned) < 4


async def test_names_from_the_trash_are_given_once(crowd):
    slots = []
    for number in range(TIMES):
        slots.append((await crowd.save(b"%d" % number)).slot_id)
        async with crowd.player.connection.transaction():
            await crowd.player.service.delete(crowd.player.id, slots[-1])
    came = await crowd.at_once(lambda device, number: device.service.undelete(device.id, slots[number]))
    assert came == {"done": TIMES}
    assert len({row["slot_name"] for row in await crowd.player.rows("slots")}) == TIMES
