"""Restore, pin, delete and undelete, on a real PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.kernel.paging import Page
from gameshelf.savegames import (
    Resolve,
    SavegameConflictDropped,
    SavegameDeleted,
    SavegameHeadMoved,
    SavegameSlotNotFound,
    SavegameVersionNotFound,
    SavesFilter,
    UploadResult,
    VersionChanges,
)


async def saves(player, **of):
    found = await player.queries.saves(player.id, SavesFilter(**of))
    assert found.total == len(found.items)
    return [save.slot_name for save in found.items]


async def change(player, slot_id, version, **changes):
    await player.service.change_version(player.id, slot_id, version, VersionChanges(**changes))


def moved(player):
    return [(event.slot_name, event.version) for event in player.events if isinstance(event, SavegameHeadMoved)]


async def test_a_restored_version_becomes_a_new_head(player):
    await player.save(b"one", comment="первое", device_id="pc")
    slot = (await player.save(b"two")).slot_id
    await player.service.restore(player.id, slot, 1)
    assert await player.versions(slot) == {1: (0, None, "history"), 2: (1, None, "history"), 3: (2, None, "head")}
    head = await player.queries.save(player.id, slot)
    assert (head.size, head.comment, head.content) == (3, "первое", (await version(player, slot, 1)).content)
    assert moved(player) == [("slot", 3)]
    assert await player.usage() == (6, 0)
    await player.service.restore(player.id, slot, 3)
    assert moved(player) == [("slot", 3)]
    # An upload of the replaced content is a change on purpose, and not behind.
    assert (await player.save(b"two", base_version=3)).result is UploadResult.HEAD


async def version(player, slot_id, number):
    return await player.queries.version(player.id, slot_id, number)


async def test_only_a_version_with_bytes_can_be_restored(player):
    for number in range(8):
        slot = (await player.save(b"%d" % number)).slot_id
    assert (await player.versions(slot))[1][2] == "pruned"
    for number in (1, 99):
        with pytest.raises(SavegameVersionNotFound):
            await player.service.restore(player.id, slot, number)
    assert await player.queries.download(player.id, slot, 1) is None
    with pytest.raises(SavegameSlotNotFound):
        await player.service.restore(player.id, uuid4(), 1)


async def test_history_is_a_list_of_pages_newest_first(player):
    for number in range(8):
        slot = (await player.save(b"%d" % number)).slot_id
    pages = [await player.queries.versions(player.id, slot, Page(number, 3)) for number in (1, 2, 3, 4)]
    assert [[one.version for one in page.items] for page in pages] == [[8, 7, 6], [5, 4, 3], [2, 1], []]
    assert [page.total for page in pages] == [8, 8, 8, 8]
    assert (await player.queries.versions(player.id, uuid4(), Page())).total == 0


async def test_a_pinned_version_stays_until_it_is_unpinned(player):
    slot = (await player.save(b"first")).slot_id
    await change(player, slot, 1, is_pinned=True, comment="до босса")
    for number in range(8):
        await player.save(b"%d" % number)
        player.later(days=1)
    await player.sweep()
    first = await version(player, slot, 1)
    assert (str(first.status), first.is_pinned, first.comment) == ("history", True, "до босса")
    await change(player, slot, 1, is_pinned=False)
    await player.save(b"last")
    first = await version(player, slot, 1)
    assert (str(first.status), first.is_pinned, first.comment) == ("pruned", False, "до босса")
    with pytest.raises(SavegameVersionNotFound):
        await change(player, slot, 1, is_pinned=True)
    await change(player, slot, 1, comment=None)  # the row stays, with its comment
    assert (await version(player, slot, 1)).comment is None


async def test_an_unpinned_version_beyond_the_maximum_is_pruned_at_once(player):
    slot = (await player.save(b"first")).slot_id
    await change(player, slot, 1, is_pinned=True)
    player.later(days=10)
    for number in range(12):
        await player.save(b"%d" % number)
        player.later(hours=6)
    kept = [number for number, (*_, status) in (await player.versions(slot)).items() if status != "pruned"]
    assert kept == [13, 12, 11, 7, 1]  # 7 is the last one of the day before yesterday
    await change(player, slot, 1, is_pinned=False)
    assert (await player.versions(slot))[1][2] == "pruned"


async def test_all_but_two_may_be_pinned(player):
    for number in range(4):
        slot = (await player.save(b"%d" % number)).slot_id
    await change(player, slot, 1, is_pinned=True)
    await change(player, slot, 1, is_pinned=True)
    await change(player, slot, 2, is_pinned=True)
    with pytest.raises(InvalidInput) as error:
        await change(player, slot, 3, is_pinned=True)
    assert (error.value.problems[0].rule, error.value.problems[0].params) == ("too_many_pinned", {"max": 2})
    for unknown in ((slot, 99), (uuid4(), 1)):
        with pytest.raises((SavegameVersionNotFound, SavegameSlotNotFound)):
            await change(player, *unknown, is_pinned=True)


async def test_a_deleted_save_is_in_the_trash_and_comes_back(player):
    slot = (await player.save(b"one")).slot_id
    await player.save(b"two")
    await player.service.delete(player.id, slot)
    assert (await saves(player), await saves(player, trashed=True)) == ([], ["slot"])
    assert await player.queries.save(player.id, slot) is None
    assert await player.queries.download(player.id, slot, None) is None
    assert (await version(player, slot, 1)).deleted_at == player.now
    for forbidden in (player.service.restore(player.id, slot, 1), player.service.delete(player.id, slot)):
        with pytest.raises(SavegameSlotNotFound):
            await forbidden
    await player.service.undelete(player.id, slot)
    assert (await saves(player), await saves(player, trashed=True)) == (["slot"], [])
    assert moved(player) == [("slot", 2)]
    await player.service.undelete(player.id, slot)
    assert moved(player) == [("slot", 2)]
    assert (await player.save(b"three")).version == 3


async def test_a_name_in_the_trash_is_free_and_undelete_finds_another(player):
    first = (await player.save(b"one")).slot_id
    await player.service.delete(player.id, first)
    second = await player.save(b"two")
    assert (second.slot_id != first, second.version) == (True, 2)
    await player.service.undelete(player.id, first)
    assert sorted(await saves(player)) == ["slot", "slot (2)"]
    assert (await player.save(b"three")).slot_id == second.slot_id
    assert (await player.save(b"four", "slot (2)")).slot_id == first
    # A name is also taken while its first upload is open.
    await player.service.delete(player.id, second.slot_id)
    await player.request(b"five")
    await player.service.undelete(player.id, second.slot_id)
    assert sorted(await saves(player)) == ["slot (2)", "slot (3)"]


async def test_uploads_to_a_deleted_save_end(player):
    slot = (await player.save(b"one")).slot_id
    waiting = await player.request(b"two")
    begun = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    await player.service.delete(player.id, slot)
    assert await player.usage() == (3, 0)
    with pytest.raises(SavegameVersionNotFound):
        await player.uploads.finish_confirmation(player.id, waiting.upload_id, begun, None)
    await player.service.undelete(player.id, slot)
    with pytest.raises(SavegameVersionNotFound):
        await player.confirm(waiting)


@pytest.mark.parametrize("from_trash", [False, True])
async def test_a_purged_save_is_deleted_at_once_and_its_bytes_later(player, from_trash):
    slot = (await player.save(b"one")).slot_id
    await player.save(b"two", base_version=0, device_id="deck")
    await player.request(b"three")
    if from_trash:
        await player.service.delete(player.id, slot)
    await player.service.delete(player.id, slot, permanent=True)
    assert await player.usage() == (0, 0)
    for table in ("slots", "metadata", "uploads", "conflicts", "devices"):
        assert await player.rows(table) == []
    with pytest.raises(SavegameSlotNotFound):
        await player.service.undelete(player.id, slot)
    objects = set(player.objects)
    player.later(days=30, seconds=-1)
    await player.sweep()
    assert player.objects == objects
    player.later(seconds=1)
    await player.sweep()
    assert (player.objects, await player.rows("contents")) == (set(), [])


async def test_a_slot_without_a_version_does_not_exist(player):
    await player.request(b"one")
    [slot] = await player.rows("slots")
    assert await saves(player) == []
    for forbidden in (
        player.service.delete(player.id, slot["id"], permanent=True),
        player.service.undelete(player.id, slot["id"]),
        player.service.restore(player.id, slot["id"], 1),
    ):
        with pytest.raises(SavegameSlotNotFound):
            await forbidden


async def test_old_saves_are_purged_and_undeleted_ones_are_not(player):
    slot = (await player.save(b"one")).slot_id
    await player.service.delete(player.id, slot)
    player.later(days=30, seconds=-1)
    assert await player.sweeps.long_in_trash(1000) == []
    player.later(seconds=1)
    assert await player.sweeps.long_in_trash(1000) == [(player.id, slot)]
    await player.service.undelete(player.id, slot)
    await player.service.purge(player.id, slot, player.sweeps.trash_before)
    assert await saves(player) == ["slot"]
    await player.service.delete(player.id, slot)
    await player.service.purge(player.id, slot, player.now - timedelta(days=1))
    assert await saves(player, trashed=True) == ["slot"]
    player.later(days=30)
    await player.sweep()
    assert await player.rows("slots") == []


async def test_a_repeated_confirmation_of_a_trashed_save_is_unchanged(player):
    upload = await player.request(b"one")
    outcome = await player.confirm(upload)
    await player.service.delete(player.id, outcome.slot_id)
    assert await player.confirm(upload) == outcome


@pytest.mark.parametrize("way", ["at once", "from the trash", "purged"])
async def test_a_purge_ends_the_conflicts_of_the_save_with_events(player, way):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="pc")
    found = [await player.save(b"%s" % name.encode(), device_id=name, base_version=1) for name in ("deck", "laptop")]
    await player.conflicts.resolve(player.id, found[0].conflict_id, Resolve(resolution="keep_cloud"))
    if way != "at once":
        await player.service.delete(player.id, slot)
    player.events.clear()
    if way == "purged":
        player.later(days=31)
        await player.sweep()
    else:
        await player.service.delete(player.id, slot, permanent=True)
    ended = [event for event in player.events if isinstance(event, (SavegameConflictDropped, SavegameDeleted))]
    assert [type(event) for event in ended] == [SavegameConflictDropped] + [SavegameDeleted] * (way == "at once")
    assert (ended[0].conflict_id, ended[0].slot_id, ended[0].slot_name) == (found[1].conflict_id, slot, "slot")


async def trashed_before_names_were_folded(player, name):
    slot = (await player.save(b"old")).slot_id
    await player.service.delete(player.id, slot)
    await player.connection.execute(
        "UPDATE savegames.savegame_slots SET slot_name = $3, slot_key = NULL WHERE user_id = $1 AND id = $2",
        player.id,
        slot,
        name,
    )
    return slot


async def keys(player):
    return sorted((row["slot_name"], row["slot_key"]) for row in await player.rows("slots"))


async def test_a_save_trashed_before_folding_gets_its_folded_name(player):
    slot = await trashed_before_names_were_folded(player, "Save1")
    found, cursor = await player.sweeps.without_keys("", 1000)
    assert ((player.id, player.product) in found, cursor) == (True, None)
    await player.service.fill_keys(player.id, player.product)
    assert await keys(player) == [("Save1", "save1")]
    assert (player.id, player.product) not in (await player.sweeps.without_keys("", 1000))[0]
    await player.save(b"new", "save1")
    await player.service.undelete(player.id, slot)
    assert sorted(await saves(player)) == ["Save1 (2)", "save1"]


async def test_numbers_of_a_save_without_a_folded_name_are_not_reused(player):
    await trashed_before_names_were_folded(player, "Save1")
    assert (await player.save(b"new", "save1")).version == 2
    assert ("Save1", "save1") in await keys(player)


async def test_a_save_without_a_folded_name_gets_it_in_the_trash(player):
    await player.save(b"one", "Save1")
    older = (await player.save(b"two", "save2")).slot_id
    rename = "UPDATE savegames.savegame_slots SET slot_name = 'save1', slot_key = NULL WHERE user_id = $1 AND id = $2"
    await player.connection.execute(rename, player.id, older)  # of two saves with one folded name the second has none
    await player.service.delete(player.id, older)
    assert await keys(player) == [("Save1", "save1"), ("save1", "save1")]
