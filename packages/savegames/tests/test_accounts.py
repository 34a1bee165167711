"""Storage that each user uses, and its comparison with the store."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from gameshelf.savegames import SavegameAccounts, StoredObject, compare_usage, confirmed_differences, user_prefix
from gameshelf.savegames._models import ContentState
from gameshelf.savegames._usage_comparison import CountedContent

LIVE, DROPPED, PENDING = ContentState.LIVE, ContentState.DROPPED, ContentState.PENDING
THEN = datetime(2026, 5, 20, tzinfo=UTC)


@pytest.fixture
def accounts(connection):
    return SavegameAccounts(connection)


def stored(**sizes):
    return [StoredObject(key, size, THEN) for key, size in sorted(sizes.items())]


def contents(**known):
    return [CountedContent(key, size, state) for key, (size, state) in sorted(known.items())]


async def all_pages(accounts, contents, limit=100):
    """All pages of the users."""
    after = None
    while True:
        part = await accounts.top(after, contents, limit)
        yield part
        if part.last_user_id is None:
            return
        after = part.last_user_id


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
async def test_every_user_is_counted_once_with_pages_of_any_size(new_player, accounts, step):
    players = [new_player(quota_bytes=10**6) for _ in range(4)]
    for number, player in enumerate(players):
        for size in range(number * 2):
            await player.save(b"x" * (size + 1), f"slot {size % 3}")
        await player.request(b"not yet there")
    gone = new_player()
    slot = (await gone.save(b"gone")).slot_id
    await gone.service.delete(gone.id, slot, permanent=True)
    await players[1].service.set_quota(players[1].id, 77)
    counted = [one for [part] in [[p] async for p in all_pages(accounts, step)] for one in part.users]
    assert len({one.user_id for one in counted}) == len(counted)
    found = {one.user_id: one for one in counted}
    assert gone.id not in found
    assert players[0].id not in found
    for player in players[1:]:
        usage = await player.queries.usage(player.id)
        assert (found[player.id].used_bytes, found[player.id].limit_bytes) == (usage.used_bytes, usage.limit_bytes)


async def test_a_content_of_two_versions_counts_once_and_the_trash_counts(player, accounts):
    await player.save(b"same", "a")
    slot = (await player.save(b"same", "b")).slot_id
    await player.service.delete(player.id, slot)
    found = [one async for part in all_pages(accounts, 5) for one in part.users if one.user_id == player.id]
    assert [one.used_bytes for one in found] == [4]


async def test_the_account_with_most_bytes_comes_first_and_others_follow(new_player, accounts):
    for size in (3, 9, 5):
        await new_player().save(b"x" * size)
    part = await accounts.top(None, 1000, 2)
    assert ([one.used_bytes for one in part.users], part.looked_at, part.last_user_id) == ([9, 5], 3, None)
    assert (await accounts.top(UUID(int=2**128 - 1), 1000, 2)).looked_at == 0


async def test_contents_of_one_user_come_in_the_order_of_their_keys(new_player, accounts):
    player, other = new_player(), new_player()
    await other.save(b"other")
    for name in ("б", "a", "c"):
        await player.save(name.encode(), name)
    keys, after = [], ""
    while part := await accounts.contents(player.id, after, 2):
        keys += [one.key for one in part]
        after = keys[-1]
    assert keys == sorted(keys)
    assert len(keys) == 3
    assert all(key.startswith(user_prefix(player.id)) for key in keys)


def test_an_object_on_one_side_only_is_a_difference():
    found = compare_usage(
        stored(a=1, b=2, d=4, e=5, f=6, h=8),
        contents(a=(1, LIVE), b=(9, LIVE), c=(3, LIVE), e=(5, DROPPED), f=(6, PENDING), g=(7, DROPPED)),
        100,
    )
    assert [(one.key, one.stored_bytes, one.counted_bytes, str(one.kind)) for one in found.differences] == [
        ("b", 2, 9, "other_size"),
        ("c", None, 3, "missing"),
        ("d", 4, None, "unknown"),
        ("e", 5, None, "dropped"),
        ("f", 6, None, "pending"),
        ("h", 8, None, "unknown"),
    ]
    assert (found.stored_objects, found.stored_bytes) == (6, 26)
    assert (found.counted_objects, found.counted_bytes, found.through) == (3, 13, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_parts_add_up_to_the_whole(limit):
    there = stored(a=1, b=2, c=3, x=1, y=2)
    known = contents(b=(2, LIVE), d=(1, LIVE), e=(1, LIVE), f=(1, LIVE), y=(2, LIVE))
    whole, after, sums = compare_usage(there, known, 100), "", [0, 0]
    differences = []
    while True:
        part = compare_usage(
            [one for one in there if one.key > after][:limit], [one for one in known if one.key > after][:limit], limit
        )
        sums[0] += part.stored_bytes
        sums[1] += part.counted_bytes
        differences += part.differences
        if part.through is None:
            break
        assert part.through > after
        after = part.through
    assert sums == [whole.stored_bytes, whole.counted_bytes]
    assert differences == whole.differences


def test_an_object_changed_between_two_listings_is_no_difference():
    found = compare_usage(stored(a=1, b=1), contents(c=(1, LIVE), d=(1, LIVE)), 100)
    left = confirmed_differences(found, stored(b=1, d=1))
    assert [(one.key, str(one.kind)) for one in left] == [("b", "unknown"), ("c", "missing")]
