"""Conflicts that end by themselves, since the head has come to hold the bytes of their branch; on a real PostgreSQL."""

import pytest
from gameshelf.savegames import (
    ConflictsFilter,
    PlanIntent,
    PlanSaves,
    Resolve,
    SavegameConflicted,
    SavegameConflictResolved,
    SavegamePlans,
    UploadResult,
)

LIST = {"s/w1/a": b"1"}


async def open_conflicts(player):
    return {one.id for one in (await player.queries.conflicts(player.id, ConflictsFilter())).items}


def ended(player):
    found = [event for event in player.events if isinstance(event, SavegameConflictResolved)]
    return [(event.conflict_id, event.resolution, event.head_version) for event in found]


@pytest.fixture
async def conflict(player):
    """Version 3 of the device deck is a branch with the bytes `ours`, beside the head, version 2."""
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    return await player.save(b"ours", base_version=1, device_id="deck")


async def test_a_head_with_the_bytes_of_a_branch_ends_its_conflict(player, conflict):
    outcome = await player.save(b"ours", device_id="pc")
    assert (outcome.result, outcome.version) == (UploadResult.HEAD, 4)
    assert await open_conflicts(player) == set()
    assert ended(player) == [(conflict.conflict_id, "keep_cloud", 4)]
    assert (await player.versions(conflict.slot_id))[4] == (2, 3, "head")  # it grew from both
    # The device of the branch has nothing to decide, and is behind what comes after it.
    assert (await player.save(b"ours", device_id="deck")).result is UploadResult.IDENTICAL
    await player.save(b"five", device_id="pc", base_version=4)
    assert (await player.save(b"ours", device_id="deck", base_version=3)).result is UploadResult.BEHIND
    await player.check()


async def test_a_restored_version_ends_the_conflicts_of_branches_with_its_bytes(player, conflict):
    player.later(seconds=1)
    await player.save(b"one", base_version=0, device_id="tv")  # behind: no branch
    other = await player.save(b"four", base_version=1, device_id="tv")
    await player.conflicts.resolve(player.id, conflict.conflict_id, Resolve(resolution="keep_cloud"))
    again = await player.save(b"ours", base_version=1, device_id="laptop")
    assert again.result is UploadResult.BEHIND  # its bytes are in the history
    await player.service.restore(player.id, conflict.slot_id, 3)
    assert await open_conflicts(player) == {other.conflict_id}
    await player.check()


async def test_a_resolution_ends_other_conflicts_with_the_same_bytes(player, conflict):
    other = await player.save(b"ours", base_version=1, device_id="laptop")
    assert other.conflict_id != conflict.conflict_id
    await player.conflicts.resolve(player.id, other.conflict_id, Resolve(resolution="keep_local"))
    assert await open_conflicts(player) == set()
    assert [one[:2] for one in ended(player)] == [
        (other.conflict_id, "keep_local"),
        (conflict.conflict_id, "keep_cloud"),
    ]
    await player.check()


async def test_a_set_with_the_bytes_of_a_branch_ends_its_conflict(player, sets):
    files = {"s/w1/a": b"1", "s/w1/b": b"2"}
    await sets.save(LIST)
    await sets.save({**LIST, "s/w1/c": b"3"}, base_version=1)
    branch = await sets.save(files, base_version=1, device="deck")
    assert branch.result is UploadResult.CONFLICT
    later = await sets.save(files, base_version=2)
    assert (later.result, ended(player)) == (UploadResult.HEAD, [(branch.conflict_id, "keep_cloud", later.version)])
    assert (await player.versions(branch.slot_id))[later.version] == (2, branch.version, "head")
    await player.check()


async def test_an_upload_that_was_requested_before_the_branch_ends_its_conflict(player):
    """A parent has a lower number than its child: the head cannot have the branch as one."""
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="pc")
    early = await player.request(b"ours", device_id="pc", base_version=2)
    branch = await player.save(b"ours", base_version=1, device_id="deck")
    outcome = await player.confirm(early)
    assert (outcome.version, branch.version) == (3, 4)
    assert ended(player) == [(branch.conflict_id, "keep_cloud", 3)]
    assert (await player.versions(slot))[3] == (2, None, "head")
    await player.check()


async def test_a_save_from_the_trash_brings_its_conflicts_with_messages(player, conflict):
    await player.service.delete(player.id, conflict.slot_id)
    player.events.clear()
    await player.service.undelete(player.id, conflict.slot_id)
    [event] = [event for event in player.events if isinstance(event, SavegameConflicted)]
    found = (event.conflict_id, event.slot_name, event.head_version, event.branch_version)
    assert found == (conflict.conflict_id, "slot", 2, 3)
    assert await open_conflicts(player) == {conflict.conflict_id}


async def test_a_device_that_was_off_and_changed_nothing_is_behind(player):
    """However many versions others have made meanwhile, and though its own was pruned."""

    class NoPlay:
        async def unsynced(self, *_):
            return []

    await player.save(b"0", device_id="deck")
    for number in range(1, 12):
        await player.save(b"%d" % number, device_id="pc", base_version=number)
    [own] = [row for row in await player.rows("metadata") if row["version"] == 1]
    assert own["content_id"] is None
    plans = SavegamePlans(player.connection, NoPlay(), player.clock)
    reservation = await player.request(b"0", device_id="deck")
    slot = {"slot_name": "slot", "content_hash": own["file_hash_sha256"].hex()}
    asked = PlanSaves(product_id=player.product, device_id="deck", intent=PlanIntent.LAUNCH, slots=[slot])
    [planned] = (await plans.plan(player.id, asked)).slots
    assert (planned.planned.action, planned.planned.reason) == ("download", "behind")
    assert not reservation.conflict_expected
    assert (await player.confirm(reservation)).result is UploadResult.BEHIND
    assert await open_conflicts(player) == set()
    # Other bytes that were pruned would be lost.
    assert (await player.save(b"1", device_id="deck", base_version=1)).result is UploadResult.CONFLICT
