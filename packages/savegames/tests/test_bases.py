"""The base of an upload: of a deleted save, of a device that only requested a download, of a new one. On a real
PostgreSQL.
"""

from uuid import uuid4

import pytest
from gameshelf.savegames import (
    ConflictsFilter,
    SavegameDeleted,
    SavegameSlotNotFound,
    SavegameVersionNotFound,
    UploadRequested,
    UploadResult,
)
from gameshelf.savegames._limits import MAX_NUMBERS


async def conflicts(player):
    found = await player.queries.conflicts(player.id, ConflictsFilter())
    return {one.id: (one.head.version, one.branch.version) for one in found.items}


async def test_a_base_of_an_earlier_save_of_the_same_name_is_no_ancestor(player):
    old = await player.save(b"old campaign", device_id="pc")
    await player.synced(old.slot_id, "deck", 1)
    await player.service.delete(player.id, old.slot_id)
    new = await player.save(b"new campaign", device_id="pc", base_version=0)
    assert (new.result, new.version) == (UploadResult.HEAD, 2)  # the number 1 was assigned before
    for properties in (
        {"base_version": 1},
        {"base_version": 1, "savegame_id": old.slot_id},
        {},
        {"savegame_id": old.slot_id},
    ):
        upload = await player.request(b"played on %d" % len(properties), device_id="deck", **properties)
        assert upload.conflict_expected, properties
    branch = await player.save(b"old campaign, played on", device_id="deck", base_version=1)
    assert (branch.result, branch.slot_id) == (UploadResult.CONFLICT, new.slot_id)
    assert (await player.versions(new.slot_id))[new.version] == (0, None, "head")
    assert (await player.versions(new.slot_id))[branch.version] == (0, None, "branch")


@pytest.mark.parametrize("way", ["deleted for good", "purged", "renamed", "never confirmed", "in the trash"])
async def test_numbers_continue_after_the_last_save_of_the_name(player, way):
    if way == "never confirmed":
        await player.request(b"one")
        player.later(hours=2)
        await player.sweep()
        assert await player.rows("slots") == []
    else:
        for content in (b"one", b"two", b"three"):
            slot = (await player.save(content)).slot_id
        await player.service.delete(player.id, slot, permanent=way == "deleted for good")
        if way == "purged":
            player.later(days=31)
            await player.sweep()
    last = 1 if way == "never confirmed" else 3
    new = await player.save(b"new", base_version=0)
    assert new.version == last + 1
    if way == "renamed":
        await player.service.undelete(player.id, slot)
        await player.service.delete(player.id, new.slot_id, permanent=True)
        assert (await player.save(b"newer", base_version=0)).version == last + 2
        grown = await player.save(b"more", "slot (2)")
        assert (grown.slot_id, grown.version) == (slot, 4)
    assert (await player.save(b"other", "other")).version == 1


async def test_copies_and_renamed_saves_continue_above_the_names_numbers(player):
    for content in (b"1", b"2", b"3"):
        taken = (await player.save(content, "slot (2)")).slot_id
    await player.service.delete(player.id, taken, permanent=True)
    first = (await player.save(b"one")).slot_id
    await player.service.delete(player.id, first)
    await player.save(b"two", base_version=0)
    await player.service.undelete(player.id, first)
    assert (await player.save(b"three", "slot (2)")).version == 4


async def test_the_numbers_of_many_names_are_merged(player):
    for number in range(3):
        slot = (await player.save(b"%d" % number)).slot_id
    await player.service.delete(player.id, slot, permanent=True)
    await player.connection.execute(
        "INSERT INTO savegames.savegame_numbers (user_id, product_id, slot_key, last_version) "
        "SELECT $1, $2, 'name ' || n, 100 + n FROM generate_series(1, $3) n",
        player.id,
        player.product,
        MAX_NUMBERS,
    )
    other = (await player.save(b"other", "other")).slot_id
    await player.service.delete(player.id, other, permanent=True)
    kept = await player.rows("numbers")
    assert len(kept) == MAX_NUMBERS + 1
    assert {row["slot_key"]: row["last_version"] for row in kept}[""] == 3
    assert (await player.save(b"new")).version == 4


async def test_after_a_restore_new_saves_begin_above_the_lost_numbers(player):
    await player.connection.execute("SELECT savegames.mark_restored()")
    assert (await player.save(b"one")).version > 1_000_000_000


async def test_an_unknown_base_or_another_users_save_is_refused(player, new_player):
    slot = (await player.save(b"one")).slot_id
    await player.service.delete(player.id, slot)
    for base in (2, 2**53):
        with pytest.raises(SavegameVersionNotFound) as error:
            await player.request(b"two", base_version=base)
        assert error.value.pointer == "base_version"
    other = new_player()
    theirs = (await other.save(b"one")).slot_id
    elsewhere = (await player.save(b"three", product_id=uuid4())).slot_id
    for named in (theirs, elsewhere, uuid4()):
        with pytest.raises(SavegameSlotNotFound) as error:
            await player.request(b"two", savegame_id=named)
        assert error.value.pointer == "savegame_id"


async def test_an_upload_may_name_its_save_by_id(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    grown = await player.save(b"two", device_id="deck", savegame_id=slot, base_version=1)
    assert (grown.result, grown.slot_id) == (UploadResult.HEAD, slot)
    # A save with another name is another save, and its version of that number is not one of this save.
    for content in (b"other", b"other, played on"):
        await player.save(content, "other")
    assert (await player.request(b"three", "other", savegame_id=slot, base_version=2)).conflict_expected


async def test_a_device_that_is_new_to_a_save_grew_from_nothing(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="pc")
    # An old file of a reinstalled game does not become the head. A known content is no conflict either.
    assert (await player.save(b"an old file", device_id="reinstalled")).result is UploadResult.CONFLICT
    assert (await player.save(b"one", device_id="third")).result is UploadResult.BEHIND
    assert (await player.save(b"two", device_id="fourth")).result is UploadResult.IDENTICAL
    assert (await player.save(b"three", device_id="fourth")).result is UploadResult.HEAD  # it had the head
    assert (await player.versions(slot))[3][2] == "branch"


async def test_an_interrupted_download_is_no_base(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.synced(slot, "deck", 1)
    await player.save(b"two", device_id="pc")
    await player.queries.download(player.id, slot, 2)
    assert (await player.save(b"one and more", device_id="deck")).result is UploadResult.CONFLICT


async def test_a_device_can_report_only_a_version_with_bytes(player):
    for number in range(8):
        slot = (await player.save(b"%d" % number)).slot_id
    for version in (1, 99):  # pruned, and never assigned
        with pytest.raises(SavegameVersionNotFound):
            await player.synced(slot, "deck", version)
    with pytest.raises(SavegameSlotNotFound):
        await player.synced(uuid4(), "deck", 8)
    await player.service.delete(player.id, slot)
    with pytest.raises(SavegameSlotNotFound):
        await player.synced(slot, "deck", 8)
    assert await player.rows("devices") == []


async def device_version(player, device):
    [found] = [row["version"] for row in await player.rows("devices") if row["device_id"] == device]
    return found


async def test_a_late_report_changes_nothing(new_player):
    player = new_player()
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="deck", base_version=1)
    await player.synced(slot, "pc", 2)
    await player.save(b"three", device_id="pc")
    for late in (2, 1):
        await player.synced(slot, "pc", late)
        assert await device_version(player, "pc") == 3
    assert (await player.save(b"four", device_id="pc")).result is UploadResult.HEAD
    # On a branch too: its base, and the versions that it grew from.
    branch = await player.save(b"five", device_id="deck")
    grown = await player.save(b"six", device_id="deck")
    for late in (2, branch.version, 1):
        await player.synced(slot, "deck", late)
        assert await device_version(player, "deck") == grown.version
    assert (await player.save(b"seven", device_id="deck")).conflict_id == branch.conflict_id


async def test_a_device_can_switch_between_its_branch_and_the_head(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    head = await player.save(b"two", device_id="pc")
    branch = await player.save(b"three", device_id="deck", base_version=1)
    assert branch.version > head.version
    await player.synced(slot, "deck", head.version)  # a lower number that the branch did not grow from
    assert (await player.save(b"four", device_id="deck")).result is UploadResult.HEAD
    # And in the other direction: the PC downloads the branch.
    await player.synced(slot, "pc", branch.version)
    assert await device_version(player, "pc") == branch.version


async def test_uploads_of_one_device_on_a_stale_base_are_one_conflict(player):
    first = await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    found = [await player.save(b"stale %d" % number, device_id="deck", base_version=1) for number in range(20)]
    assert {one.result for one in found} == {UploadResult.CONFLICT}
    assert len({one.conflict_id for one in found}) == 1
    assert await conflicts(player) == {found[0].conflict_id: (2, found[-1].version)}
    # The replaced branches are history like any other version.
    player.later(days=5)
    await player.sweep()
    statuses = [status for *_, status in (await player.versions(first.slot_id)).values()]
    assert statuses.count("branch") == 1
    assert set(statuses) == {"head", "branch", "history", "pruned"}
    # A later stale upload extends the same conflict. Another device or another base opens another conflict.
    grown = await player.save(b"grown", device_id="deck")
    stale = await player.save(b"stale again", device_id="deck", base_version=1)
    assert grown.conflict_id == stale.conflict_id == found[0].conflict_id
    other = await player.save(b"of another", device_id="laptop", base_version=1)
    nothing = await player.save(b"from nothing", device_id="deck", base_version=0)
    none = [await player.save(b"of none %d" % number, base_version=1) for number in range(3)]
    assert len({found[0].conflict_id, other.conflict_id, nothing.conflict_id, *(one.conflict_id for one in none)}) == 4


async def test_a_branch_extended_by_another_device_is_not_replaced(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="pc")
    branch = await player.save(b"stale", device_id="deck", base_version=1)
    await player.synced(slot, "laptop", branch.version)
    grown = await player.save(b"grown", device_id="laptop")
    assert grown.conflict_id == branch.conflict_id
    again = await player.save(b"stale again", device_id="deck", base_version=1)
    assert again.conflict_id != branch.conflict_id


async def test_a_conflict_of_the_release_before_has_the_base_of_its_branch(player):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    branch = await player.save(b"stale", device_id="deck", base_version=1)
    await player.connection.execute("UPDATE savegames.savegame_conflicts SET base_version = NULL")
    for content in (b"grown", b"stale again"):
        base = {"base_version": 1} if content == b"stale again" else {}
        assert (await player.save(content, device_id="deck", **base)).conflict_id == branch.conflict_id


@pytest.mark.parametrize("named", ["by its id", "by a base", "by its device"])
async def test_an_unchanged_device_does_not_restore_a_deleted_save(player, named):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.synced(slot, "deck", 1)
    await player.save(b"two", device_id="pc")
    await player.service.delete(player.id, slot)
    properties = {"by its id": {"savegame_id": slot}, "by a base": {"base_version": 1}, "by its device": {}}[named]
    player.events.clear()
    upload = await player.request(b"one", device_id="deck", **properties)
    assert (upload.is_required, upload.conflict_expected) == (False, False)
    for _ in range(2):
        outcome = await player.confirm(upload)
        assert (outcome.result, outcome.slot_id, outcome.version) == (UploadResult.DELETED, slot, 2)
    [event] = player.events
    assert (type(event), event.slot_id) == (SavegameDeleted, slot)
    assert [row["id"] for row in await player.rows("slots")] == [slot]
    assert await player.usage() == (6, 0)
    # A changed content becomes a new save, and so does an upload that grew from nothing.
    changed = await player.save(b"one, played on", device_id="deck", **properties)
    assert (changed.result, changed.slot_id != slot) == (UploadResult.HEAD, True)
    await player.service.delete(player.id, changed.slot_id, permanent=True)
    again = await player.save(b"one", device_id="deck", base_version=0)
    assert (again.result, again.slot_id != slot) == (UploadResult.HEAD, True)


async def test_repeated_uploads_of_a_deleted_save_leave_one_row(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.service.delete(player.id, slot)
    player.events.clear()
    requested = []
    for device in ("pc", "deck", "pc", None):
        requested.append(await player.request(b"one", device_id=device, savegame_id=slot))
        player.later(days=1)
        assert (await player.confirm(requested[0])).result is UploadResult.DELETED
    assert len({upload.upload_id for upload in requested}) == 1
    assert len(await player.rows("uploads")) == 2
    assert [type(event) for event in player.events] == [SavegameDeleted]
    player.later(days=26, hours=23)  # an hour less than a month after the last request, as for any upload
    await player.service.undelete(player.id, slot)
    await player.sweep()
    assert (await player.confirm(requested[-1])).result is UploadResult.DELETED


async def test_a_purge_deletes_the_uploads_of_a_deleted_save(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.service.delete(player.id, slot, permanent=True)
    new = await player.save(b"one", device_id="pc", base_version=1)
    assert (new.result, new.version) == (UploadResult.HEAD, 2)


async def test_a_new_save_of_the_name_is_not_treated_as_deleted(player):
    old = (await player.save(b"one", device_id="pc")).slot_id
    await player.service.delete(player.id, old)
    new = await player.save(b"one", device_id="deck", base_version=0)
    found = await player.save(b"one", device_id="pc")
    assert (found.result, found.slot_id) == (UploadResult.IDENTICAL, new.slot_id)


async def test_a_deletion_emits_an_event(player):
    slot = (await player.save(b"one")).slot_id
    await player.service.delete(player.id, slot)
    await player.service.delete(player.id, slot, permanent=True)
    other = (await player.save(b"two", "other")).slot_id
    await player.service.delete(player.id, other, permanent=True)
    published = [event.slot_id for event in player.events if isinstance(event, SavegameDeleted)]
    assert published == [slot, other]


async def test_an_upload_that_returns_to_an_older_content_is_marked(player):
    for content in (b"one", b"two", b"one", b"three"):
        outcome = await player.save(content)
    assert outcome.regresses_to is None
    back = await player.save(b"one")
    assert (back.result, back.regresses_to) == (UploadResult.HEAD, 3)
    upload = await player.request(b"two")
    assert (await player.confirm(upload)).regresses_to == 2
    assert (await player.confirm(upload)).regresses_to == 2
    await player.service.restore(player.id, outcome.slot_id, outcome.version)
    assert [event for event in player.events if isinstance(event, UploadRequested)]
