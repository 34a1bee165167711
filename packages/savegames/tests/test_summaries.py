"""The saves of products in relation to a device, on a real PostgreSQL."""

from uuid import uuid4

import pytest
from gameshelf.savegames import (
    ConflictsFilter,
    DeviceSaveState,
    Resolution,
    Resolve,
    SavegameSummaries,
    Synced,
    UsedStorage,
)

SYNCED, NEWER, CONFLICT = DeviceSaveState.SYNCED, DeviceSaveState.NEWER_ELSEWHERE, DeviceSaveState.CONFLICT


@pytest.fixture
def summaries(player):
    return SavegameSummaries(player.connection, 1000)


@pytest.fixture
def state(player, summaries):
    async def of(device):
        found = await summaries.of_products(player.id, [player.product, uuid4()], device)
        return found[player.product].state if found else None

    return of


async def test_a_device_has_what_it_uploaded_or_reported(player, state):
    assert await state("pc") is None
    saved = await player.save(b"one", device_id="pc")
    assert (await state("pc"), await state("deck")) == (SYNCED, NEWER)
    await player.synced(saved.slot_id, "deck", 1)
    assert await state("deck") == SYNCED
    await player.save(b"two", device_id="deck")
    assert (await state("pc"), await state("deck")) == (NEWER, SYNCED)


async def test_one_of_many_saves_may_be_newer_elsewhere(player, summaries, state):
    await player.save(b"one", "first", device_id="pc")
    await player.save(b"two", "second", device_id="deck")
    assert (await state("pc"), await state("deck")) == (NEWER, NEWER)
    found = (await summaries.of_products(player.id, [player.product], "pc"))[player.product]
    assert (found.save_count, found.missing_count, found.last_device_id) == (2, 1, "deck")
    assert (
        found.last_saved_at
        == (await player.queries.save(player.id, (await player.save(b"two", "second")).slot_id)).server_uploaded_at
    )


async def test_a_conflict_comes_first_until_it_is_resolved(player, state):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    await player.save(b"three", base_version=1, device_id="deck")
    assert (await state("pc"), await state("deck"), await state("other")) == (CONFLICT, CONFLICT, CONFLICT)
    [conflict] = (await player.queries.conflicts(player.id, ConflictsFilter())).items
    resolve = Resolve(resolution=Resolution.KEEP_LOCAL)
    await player.conflicts.resolve(player.id, conflict.id, resolve)
    assert (await state("pc"), await state("deck")) == (NEWER, NEWER)
    head = await player.queries.save(player.id, conflict.head.slot_id)
    await player.service.synced(player.id, head.slot_id, Synced(version=head.version, device_id="deck"))
    assert (await state("pc"), await state("deck")) == (NEWER, SYNCED)


async def test_a_save_in_the_trash_and_those_of_others_do_not_count(player, summaries, state):
    saved = await player.save(b"one", device_id="pc")
    assert await summaries.of_products(uuid4(), [player.product], "pc") == {}
    assert await summaries.of_products(player.id, [], "pc") == {}
    await player.service.delete(player.id, saved.slot_id)
    assert await state("pc") is None


async def test_the_storage_has_a_limit_in_any_case(player, summaries):
    await player.save(b"one")
    assert await summaries.storage(player.id) == UsedStorage(3, 0, 1000)
    await player.service.set_quota(player.id, 5)
    assert await summaries.storage(player.id) == UsedStorage(3, 0, 5)
