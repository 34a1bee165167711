"""Branches and the resolution of their conflicts, on a real PostgreSQL."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import (
    ConflictNotFound,
    ConflictsFilter,
    OutdatedDecision,
    Resolution,
    Resolve,
    Resolved,
    SavegameConflicted,
    SavegameConflictResolved,
    SavegameHeadMoved,
    SavesFilter,
    UploadResult,
)


@pytest.fixture
async def conflict(player):
    """Version 3 of the device deck is a branch beside the head, version 2. Both grew from version 1."""
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    return await player.save(b"three", base_version=1, device_id="deck")


async def resolve(player, conflict_id, resolution, **more):
    return await player.conflicts.resolve(player.id, conflict_id, Resolve(resolution=resolution, **more))


async def conflicts(player):
    found = await player.queries.conflicts(player.id, ConflictsFilter())
    assert found.total == len(found.items)
    return {one.id: (one.head.version, one.branch.version) for one in found.items}


async def content_of_head(player, slot_id):
    head = await player.queries.download(player.id, slot_id, None)
    [known] = [name for name in (b"one", b"two", b"three", b"four") if digest(name) == head.version.content]
    return known


def digest(content):
    return sha256(content).digest()


def published(player, *kinds):
    return [event for event in player.events if isinstance(event, kinds)]


async def test_a_conflict_contains_both_sides(player, conflict):
    [found] = (await player.queries.conflicts(player.id, ConflictsFilter(product_id=player.product))).items
    assert (found.id, str(found.head.status), str(found.branch.status)) == (conflict.conflict_id, "head", "branch")
    assert (found.head.content, found.branch.content) == (digest(b"two"), digest(b"three"))
    assert (found.head.device_id, found.branch.device_id) == ("pc", "deck")
    assert await player.queries.conflict(player.id, conflict.conflict_id) == found
    assert (await player.queries.conflicts(player.id, ConflictsFilter(product_id=uuid4()))).total == 0
    [event] = published(player, SavegameConflicted)
    assert (event.head_version, event.branch_version) == (2, 3)


@pytest.mark.parametrize(("resolution", "content"), [("keep_local", b"three"), ("keep_cloud", b"two")])
async def test_one_side_becomes_a_head_that_grew_from_both(player, conflict, resolution, content):
    found = await resolve(player, conflict.conflict_id, resolution)
    assert found == Resolved(conflict.slot_id, Resolution(resolution), None)
    assert await player.versions(conflict.slot_id) == {
        1: (0, None, "history"),
        2: (1, None, "history"),
        3: (1, None, "history"),
        4: (2, 3, "head"),
    }
    assert await content_of_head(player, conflict.slot_id) == content
    assert await conflicts(player) == {}
    assert await player.usage() == (11, 0)  # nothing new is stored
    [resolved] = published(player, SavegameConflictResolved, SavegameHeadMoved)
    assert (resolved.resolution, resolved.copy_slot_id, resolved.head_version) == (resolution, None, 4)
    # A device with either side and no change is behind now.
    assert (await player.save(b"one", base_version=1)).result is UploadResult.BEHIND
    with pytest.raises(ConflictNotFound):
        await resolve(player, conflict.conflict_id, resolution)


async def test_both_sides_become_slots(player, conflict):
    found = await resolve(player, conflict.conflict_id, "keep_both")
    assert found.copy_slot_id not in (None, conflict.slot_id)
    assert await player.versions(conflict.slot_id) == {
        1: (0, None, "history"),
        2: (1, None, "head"),
        3: (1, None, "history"),
    }
    assert await player.versions(found.copy_slot_id) == {1: (0, None, "head")}
    saves = await player.queries.saves(player.id, SavesFilter())
    assert {(save.slot_name, save.content, save.device_id) for save in saves.items} == {
        ("slot", digest(b"two"), "pc"),
        ("slot (conflict v3)", digest(b"three"), "deck"),
    }
    assert await conflicts(player) == {}
    [event] = published(player, SavegameConflictResolved)
    assert (event.slot_id, event.copy_slot_id) == (conflict.slot_id, found.copy_slot_id)
    # The branch stays a branch.
    again = await player.save(b"four", device_id="deck")
    assert (again.result, again.conflict_id != conflict.conflict_id) == (UploadResult.CONFLICT, True)


async def test_a_copy_gets_the_given_name_if_it_is_free(player, conflict):
    await player.save(b"other", "taken")
    with pytest.raises(InvalidInput) as error:
        await resolve(player, conflict.conflict_id, "keep_both", copy_slot_name="taken")
    assert error.value.problems[0].rule == "slot_name_taken"
    found = await resolve(player, conflict.conflict_id, "keep_both", copy_slot_name="mine")
    assert (await player.queries.save(player.id, found.copy_slot_id)).slot_name == "mine"


async def test_a_copy_finds_a_name_of_its_own(player, conflict):
    await player.save(b"other", "slot (conflict v3)")
    found = await resolve(player, conflict.conflict_id, "keep_both")
    assert (await player.queries.save(player.id, found.copy_slot_id)).slot_name == "slot (conflict v3) (2)"


async def test_a_version_that_grew_from_a_branch_is_resolved_with_it(player, conflict):
    grown = await player.save(b"four", device_id="deck")
    assert await conflicts(player) == {conflict.conflict_id: (2, 4)} == {grown.conflict_id: (2, 4)}
    assert (await player.versions(conflict.slot_id))[4] == (3, None, "branch")
    await resolve(player, conflict.conflict_id, "keep_local")
    assert await player.versions(conflict.slot_id) == {
        1: (0, None, "pruned"),
        2: (1, None, "history"),
        3: (1, None, "history"),
        4: (3, None, "history"),
        5: (2, 4, "head"),
    }


async def test_an_extended_branch_has_a_conflict_with_the_current_head(player, conflict):
    await player.save(b"four", device_id="pc")
    grown = await player.save(b"five", device_id="deck")
    assert (grown.head_version, grown.branch_version) == (4, 5)
    assert isinstance(await resolve(player, conflict.conflict_id, "keep_local"), Resolved)


async def test_a_version_from_the_middle_of_a_branch_is_another_branch(player, conflict):
    await player.save(b"four", device_id="deck")
    other = await player.save(b"five", base_version=3)
    assert await conflicts(player) == {conflict.conflict_id: (2, 4), other.conflict_id: (2, 5)}
    await resolve(player, conflict.conflict_id, "keep_cloud")
    assert isinstance(await resolve(player, other.conflict_id, "keep_local"), OutdatedDecision)
    await resolve(player, other.conflict_id, "keep_local")
    assert (await player.versions(conflict.slot_id))[7] == (6, 5, "head")


@pytest.mark.parametrize("resolution", [one for one in Resolution if one is not Resolution.MERGE])
async def test_a_decision_about_another_head_leaves_the_conflict_open(player, conflict, resolution):
    await player.save(b"four", device_id="pc")
    before = await player.versions(conflict.slot_id)
    assert await resolve(player, conflict.conflict_id, resolution) == OutdatedDecision(conflict.conflict_id)
    assert await player.versions(conflict.slot_id) == before
    # Numbers in the decision are compared with the current sides, not with the described ones.
    for stale in ({"head_version": 2}, {"branch_version": 1}):
        assert isinstance(await resolve(player, conflict.conflict_id, resolution, **stale), OutdatedDecision)
    assert isinstance(await resolve(player, conflict.conflict_id, resolution), Resolved)


async def test_a_decision_that_names_the_current_sides_is_accepted(player, conflict):
    await player.save(b"four", device_id="pc")
    fresh = {"head_version": 4, "branch_version": 3}
    assert isinstance(await resolve(player, conflict.conflict_id, "keep_local", **fresh), Resolved)


async def test_restoring_moves_the_head_and_leaves_the_conflict_open(player, conflict):
    await player.service.restore(player.id, conflict.slot_id, 1)
    assert await content_of_head(player, conflict.slot_id) == b"one"
    assert await conflicts(player) == {conflict.conflict_id: (4, 3)}
    assert isinstance(await resolve(player, conflict.conflict_id, "keep_cloud"), OutdatedDecision)


NEWER, OLDER = timedelta(hours=1), timedelta(hours=-1)


@pytest.mark.parametrize(
    ("policy", "properties", "resolution", "content"),
    [
        ("most_recent", {"modified": NEWER}, "keep_local", b"three"),
        ("most_recent", {"modified": OLDER}, "keep_cloud", b"two"),
        ("longest_playtime", {"playtime_seconds": 11}, "keep_local", b"three"),
        ("longest_playtime", {"playtime_seconds": 10}, "keep_cloud", b"two"),
        ("longest_playtime", {}, "keep_cloud", b"two"),
    ],
)
async def test_a_policy_resolves_at_once(player, policy, properties, resolution, content):
    now = player.now
    await player.save(b"one")
    await player.save(b"two", playtime_seconds=10, client_modified_at=now)
    if "modified" in properties:
        properties = {"client_modified_at": now + properties["modified"]}
    outcome = await player.save(b"three", base_version=1, device_id="deck", conflict_policy=policy, **properties)
    assert (outcome.result, outcome.resolution) == (UploadResult.RESOLVED, resolution)
    assert (outcome.version, outcome.head_version, outcome.branch_version) == (4, 2, 3)
    assert await content_of_head(player, outcome.slot_id) == content
    assert (await player.versions(outcome.slot_id))[4] == (2, 3, "head")
    assert await conflicts(player) == {}
    # If the branch wins, the device has its bytes and extends it. If it loses, the device still has the branch.
    expected = UploadResult.HEAD if resolution == "keep_local" else UploadResult.CONFLICT
    assert (await player.save(b"four", device_id="deck")).result is expected


async def test_a_policy_ends_the_conflict_of_the_branch_that_it_grew_from(player, conflict):
    outcome = await player.save(b"four", device_id="deck", conflict_policy="most_recent")
    assert (outcome.result, outcome.conflict_id) == (UploadResult.RESOLVED, conflict.conflict_id)
    assert (await player.versions(conflict.slot_id))[5] == (2, 4, "head")
    assert await conflicts(player) == {}


async def test_the_losing_version_stays_in_the_history(player):
    await player.save(b"one")
    late = await player.request(b"three", base_version=1, conflict_policy="longest_playtime")
    for content in (b"a", b"b", b"c", b"d", b"e", b"f", b"g"):
        outcome = await player.save(content)
    assert (await player.confirm(late)).resolution == "keep_cloud"
    assert (await player.versions(outcome.slot_id))[2] == (1, None, "history")


async def test_shared_bytes_are_deleted_when_the_version_is_pruned_at_once(player):
    other = await player.save(b"three", "other")
    player.later(days=40)  # the clock of another instance is that far ahead
    for content in (b"a", b"b", b"c", b"d", b"e"):
        outcome = await player.save(content)
    late = await player.request(b"three", base_version=1, conflict_policy="longest_playtime")
    player.later(days=-39)
    await player.service.delete(player.id, other.slot_id, permanent=True)
    assert (await player.confirm(late)).resolution == "keep_cloud"
    assert (await player.versions(outcome.slot_id))[6] == (1, None, "pruned")
    assert {row["state"] for row in await player.rows("contents") if row["file_hash_sha256"] == digest(b"three")} == {
        "dropped"
    }


async def test_the_sides_of_an_open_conflict_outlive_any_history(player, conflict):
    for number in range(8):
        await player.save(b"%d" % number, device_id="pc")
    player.later(days=40)
    await player.sweep()
    kept = {
        version for version, (*_, status) in (await player.versions(conflict.slot_id)).items() if status != "pruned"
    }
    assert kept == {3, 8, 9, 10, 11}
    head = max(kept)
    await resolve(player, conflict.conflict_id, "keep_cloud", head_version=head)
    assert (await player.versions(conflict.slot_id))[3] == (1, None, "pruned")


async def statuses(player, slot_id):
    return [(version, status) for version, (*_, status) in sorted((await player.versions(slot_id)).items())]


async def test_history_is_pruned_for_branches_too(player, conflict):
    for content in (b"a", b"b"):
        await player.save(content, base_version=1)
    assert await statuses(player, conflict.slot_id) == [
        (1, "pruned"),
        (2, "head"),
        (3, "branch"),
        (4, "history"),  # the next version has replaced it in the conflict
        (5, "branch"),
    ]


async def test_a_branch_that_became_a_slot_is_pruned_as_history(player, conflict):
    for content in (b"a", b"b", b"c", b"d"):
        await player.save(content, device_id="pc")
    assert (3, "branch") in await statuses(player, conflict.slot_id)
    found = await resolve(player, conflict.conflict_id, "keep_both", head_version=7)
    assert (3, "pruned") in await statuses(player, conflict.slot_id)
    assert await statuses(player, found.copy_slot_id) == [(1, "head")]


async def test_conflicts_of_a_save_in_the_trash_stay_open(player, conflict):
    await player.service.delete(player.id, conflict.slot_id)
    assert await conflicts(player) == {}
    assert await player.queries.conflict(player.id, conflict.conflict_id) is None
    with pytest.raises(ConflictNotFound):
        await resolve(player, conflict.conflict_id, "keep_local")
    await player.service.undelete(player.id, conflict.slot_id)
    assert await conflicts(player) == {conflict.conflict_id: (2, 3)}
    assert isinstance(await resolve(player, conflict.conflict_id, "keep_local"), Resolved)


async def test_a_conflict_of_another_user_is_unknown(player, conflict, new_player):
    other = new_player()
    for conflict_id in (conflict.conflict_id, uuid4()):
        with pytest.raises(ConflictNotFound):
            await resolve(other, conflict_id, "keep_local")
