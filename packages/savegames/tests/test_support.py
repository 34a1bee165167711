"""Reads for support: saves in the trash, conflicts of all users, and conflicts that have ended."""

from uuid import uuid4

import pytest
from gameshelf.kernel.paging import Page
from gameshelf.savegames import ConflictPlace, Resolve, SavegameSupport, SavegameVersionNotFound


@pytest.fixture
def support(connection):
    return SavegameSupport(connection)


async def diverge(player, slot="slot"):
    """Opens a conflict of the slot, and returns its id."""
    await player.save(f"{slot} one".encode(), slot, device_id="pc")
    await player.save(f"{slot} two".encode(), slot, device_id="pc")
    return (await player.save(f"{slot} three".encode(), slot, device_id="deck", base_version=1)).conflict_id


async def test_a_save_in_the_trash_is_read_like_any_other(player, support):
    slot = (await player.save(b"one")).slot_id
    await player.save(b"two")
    await player.service.delete(player.id, slot)
    assert (await player.queries.versions(player.id, slot, Page())).total == 0
    found = await player.queries.versions(player.id, slot, Page(), in_trash=True)
    assert [(one.version, str(one.status), one.deleted_at is None) for one in found.items] == [
        (2, "head", False),
        (1, "history", False),
    ]
    assert (await player.queries.versions(player.id, slot, Page(9), in_trash=True)).total == 2
    assert await player.queries.download(player.id, slot, 1) is None
    for version, expected in ((None, 2), (1, 1), (99, None)):
        found = await player.queries.download(player.id, slot, version, in_trash=True)
        assert (found and found.version.version) == expected
    assert (await support.head(player.id, slot)).version == 2
    assert await support.head(player.id, uuid4()) is None
    assert await support.head(uuid4(), slot) is None


async def test_a_pruned_version_is_refused_with_the_reason(player, support):
    for number in range(8):
        slot = (await player.save(b"%d" % number)).slot_id
    assert await support.kept(player.id, slot) == [5, 6, 7, 8]
    with pytest.raises(SavegameVersionNotFound) as error:
        await player.service.restore(player.id, slot, 1)
    assert error.value.meta == {"version": 1, "reason": "pruned"}


async def test_a_conflict_is_known_after_it_has_ended_and_so_is_the_copy(player, support):
    conflict = await diverge(player)
    open_one = await support.conflict(player.id, conflict)
    assert (open_one.branch_version, open_one.resolution) == (3, None)
    branch = await player.queries.version(player.id, open_one.slot_id, 3)
    assert await support.conflicting(player.id, [open_one.slot_id, uuid4()]) == {open_one.slot_id}
    assert await support.copies(branch, player.id) == []
    await player.conflicts.resolve(player.id, conflict, Resolve(resolution="keep_both"))
    assert (await support.conflict(player.id, conflict)).resolution == "keep_both"
    assert await support.copies(branch, player.id) == ["slot (conflict v3)"]
    assert await support.conflicting(player.id, [open_one.slot_id]) == set()
    assert await support.conflict(player.id, uuid4()) is None
    assert await support.conflict(uuid4(), conflict) is None


async def test_open_conflicts_of_all_users_are_paged_oldest_first(new_player, support):
    player, other = new_player(), new_player()
    expected = []
    for number in range(3):
        for one in (player, other):
            expected.append((one.id, await diverge(one, f"slot {number}")))
            player.later(hours=1)
            other.later(hours=1)
    found, place = [], None
    while part := await support.conflicts(None, None, place, 2):
        assert len(part) <= 2
        found += [(one.user_id, one.conflict.id) for one in part if one.user_id in (player.id, other.id)]
        place = ConflictPlace(part[-1].conflict.opened_at, part[-1].conflict.id)
    assert found == expected


async def test_only_conflicts_that_can_be_resolved_are_listed(new_player, support):
    player, other = new_player(), new_player()
    first, second = await diverge(player, "a"), await diverge(player, "b")
    await diverge(other)
    own = await support.conflicts(player.id, None, None, 10)
    assert [(one.user_id, one.conflict.id) for one in own] == [(player.id, first), (player.id, second)]
    assert [(one.conflict.head.version, one.conflict.branch.version) for one in own] == [(2, 3), (2, 3)]
    of_product = await support.conflicts(None, other.product, None, 10)
    assert [one.user_id for one in of_product] == [other.id]
    assert await support.conflicts(player.id, other.product, None, 10) == []
    await player.service.delete(player.id, own[0].conflict.head.slot_id)
    await player.conflicts.resolve(player.id, second, Resolve(resolution="keep_cloud"))
    assert await support.conflicts(player.id, None, None, 10) == []
