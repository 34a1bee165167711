"""A size that was announced wrongly counts no more than that size, on a real PostgreSQL."""

import pytest
from gameshelf.savegames import UserQuotaExceeded

DATA = b"1234567"
LIMITS = {"quota_bytes": "user", "product_quota_bytes": "product", "daily_bytes": "daily"}


def announced(sets, path, size):
    """The entry of the same bytes with an announced size; without a path it is a single file."""
    return (sets.entry(path, DATA).model_copy(update={"size_bytes": size}),)


@pytest.mark.parametrize("slot", ["slot", "other"])
@pytest.mark.parametrize("later", ["a", None])
@pytest.mark.parametrize("first", ["a", None])
@pytest.mark.parametrize("limit", LIMITS)
async def test_a_small_size_makes_no_room_for_a_large_one(new_player, of_player, limit, first, later, slot):
    sets = of_player(new_player(**{limit: 6}))
    await sets.request(announced(sets, first, 1))
    with pytest.raises(UserQuotaExceeded) as refused:
        await sets.request(announced(sets, later, 7), slot)
    assert refused.value.meta["limit"] == LIMITS[limit]
    assert await sets.player.usage() == (0, 1)
    await sets.request(announced(sets, later, 6), slot)
    assert await sets.player.usage() == (0, 6)


@pytest.mark.parametrize("later", ["a", None])
@pytest.mark.parametrize("first", ["a", None])
async def test_the_largest_announced_size_is_signed_once(new_player, of_player, first, later):
    sets = of_player(new_player(quota_bytes=7, product_quota_bytes=7, daily_bytes=7))
    for path, size, slot in ((first, 1, "slot"), (later, 7, "other"), (first, 1, "third"), (later, 7, "fourth")):
        await sets.request(announced(sets, path, size), slot)
    [allowance] = await sets.rows("allowances")
    assert (allowance["signed_bytes"], await sets.player.usage()) == (7, (0, 7))


async def test_a_single_file_of_another_size_is_another_upload(sets):
    first = await sets.request(announced(sets, None, 1))
    again = await sets.request(announced(sets, None, 7))
    assert again.upload_id != first.upload_id
    assert [one.size for one in again.missing] == [7]
    assert (await sets.request(announced(sets, None, 7))).upload_id == again.upload_id
    await sets.player.confirm(again)
    assert await sets.player.usage() == (7, 0)


async def test_the_same_set_is_renewed_in_a_full_storage(new_player, of_player):
    sets = of_player(new_player(quota_bytes=9, product_quota_bytes=9))
    await sets.player.save(b"89", "single")
    first = await sets.request(announced(sets, "a", 7))
    await sets.player.service.set_quota(sets.id, 1)
    assert (await sets.request(announced(sets, "a", 7))).upload_id == first.upload_id
