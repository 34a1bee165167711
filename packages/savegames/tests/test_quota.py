"""Quotas, and the history that is pruned to make room, on a real PostgreSQL."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.savegames import Limits, ProductUsage, UploadResult, UserQuotaExceeded, VersionChanges

X, Y, Z = b"x" * 300, b"y" * 300, b"z" * 300


async def kept(player, slot_id):
    return [version for version, (*_, status) in (await player.versions(slot_id)).items() if status != "pruned"]


async def test_each_content_counts_once_wherever_it_is(player):
    first = await player.save(X)
    await player.save(X, "other")
    player.product = uuid4()
    await player.save(X)
    assert await player.usage() == (300, 0)
    await player.request(Y)
    await player.request(Y, "other")  # the same bytes are reserved once
    assert await player.usage() == (300, 300)
    await player.service.delete(player.id, first.slot_id)
    assert await player.usage() == (300, 300)


async def test_usage_is_reported_per_product(player):
    one, other = player.product, uuid4()
    await player.save(X)
    await player.save(b"y" * 10)
    player.product = other
    await player.save(X)
    await player.request(b"z" * 20)
    assert await player.queries.usage_of_products(player.id) == [
        ProductUsage(other, 300, 20),
        ProductUsage(one, 310, 0),
    ]


async def test_the_trash_counts_until_it_is_purged(player):
    for number, content in enumerate((X, Y, Z)):
        outcome = await player.save(content, str(number))
    await player.service.delete(player.id, outcome.slot_id)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"a" * 101)
    assert error.value.meta == {
        "limit": "user",
        "used_bytes": 900,
        "reserved_bytes": 0,
        "limit_bytes": 1000,
        "required_bytes": 101,
    }
    await player.service.delete(player.id, outcome.slot_id, permanent=True)
    assert await player.request(b"a" * 101)


async def test_a_new_version_prunes_the_oldest_and_no_more_than_needed(player):
    for content in (X, Y, Z):
        outcome = await player.save(content)
    waiting = [await player.request(content, "other") for content in (b"a" * 100, b"b" * 300, b"c" * 300)]
    # A request alone prunes no history.
    assert await kept(player, outcome.slot_id) == [3, 2, 1]
    assert await player.usage() == (900, 700)
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"d")
    await player.confirm(waiting[0])
    assert await kept(player, outcome.slot_id) == [3, 2, 1]
    await player.confirm(waiting[1])
    assert await kept(player, outcome.slot_id) == [3, 2]
    await player.confirm(waiting[2])
    assert await kept(player, outcome.slot_id) == [3]
    assert await player.usage() == (1000, 0)


async def test_an_upload_without_room_stays_open_until_there_is_room(player):
    slot = (await player.save(X)).slot_id
    await player.save(Y)
    waiting = await player.request(b"a" * 500, "other")
    await player.service.change_version(player.id, slot, 1, VersionChanges(is_pinned=True))
    objects = set(player.objects)
    for _ in range(2):
        with pytest.raises(UserQuotaExceeded) as error:
            await player.confirm(waiting)
        assert (error.value.meta["limit"], error.value.meta["required_bytes"]) == ("user", 500)
    assert player.objects == objects  # no object was copied
    assert await player.usage() == (600, 500)
    await player.service.change_version(player.id, slot, 1, VersionChanges(is_pinned=False))
    assert (await player.confirm(waiting)).result is UploadResult.HEAD
    assert await kept(player, slot) == [2]


async def test_nothing_is_pruned_if_it_would_not_suffice(player):
    await player.save(X)
    outcome = await player.save(Y)
    await player.save(Z, "other")
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"a" * 401)
    assert await kept(player, outcome.slot_id) == [2, 1]
    await player.save(b"a" * 400, "third")
    assert await kept(player, outcome.slot_id) == [2]


async def test_history_whose_bytes_are_held_elsewhere_stays(player):
    await player.save(X, "other")
    await player.save(X)
    await player.save(Y)
    outcome = await player.save(Z)
    await player.save(b"a" * 300, "third")
    assert await kept(player, outcome.slot_id) == [3, 1]


async def test_pinned_versions_and_sides_of_conflicts_stay(player):
    await player.save(X)
    outcome = await player.save(Y)
    await player.save(Z, base_version=1)
    await player.service.change_version(player.id, outcome.slot_id, 1, VersionChanges(is_pinned=True))
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"a" * 101)
    assert await kept(player, outcome.slot_id) == [3, 2, 1]


async def test_history_in_the_trash_is_pruned_too(player):
    await player.save(X)
    trashed = await player.save(Y)
    await player.service.delete(player.id, trashed.slot_id)
    await player.save(Z)
    await player.save(b"a" * 400, "third")
    await player.service.undelete(player.id, trashed.slot_id)
    assert await kept(player, trashed.slot_id) == [2]


async def test_stored_bytes_need_no_room(player):
    await player.save(X)
    await player.save(b"y" * 500, "other")
    await player.request(b"z" * 200)
    assert await player.request(X, "third")
    assert await player.request(b"", "empty")


async def test_support_may_give_a_user_another_quota(player):
    await player.service.set_quota(player.id, 1500)
    assert (await player.queries.usage(player.id)).limit_bytes == 1500
    for number in range(3):
        await player.save(b"%d" % number * 500, str(number))
    await player.service.set_quota(player.id, 100)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"a")
    assert error.value.meta["limit_bytes"] == 100
    await player.service.set_quota(player.id, None)
    assert (await player.queries.usage(player.id)).limit_bytes is None
    assert await player.usage() == (1500, 0)


async def test_a_product_has_a_quota_of_its_own(new_player):
    player = new_player(product_quota_bytes=500)
    await player.save(X)
    outcome = await player.save(b"y" * 200)
    assert await kept(player, outcome.slot_id) == [2, 1]
    await player.save(b"z" * 100, "other")
    assert await kept(player, outcome.slot_id) == [2]
    await player.request(b"w" * 100, "third")
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"a" * 201)
    assert error.value.meta == {
        "limit": "product",
        "used_bytes": 300,
        "reserved_bytes": 100,
        "limit_bytes": 500,
        "required_bytes": 201,
    }
    player.product = uuid4()
    assert await player.request(b"a" * 201)


async def test_bytes_of_another_product_use_room_in_this_one(new_player):
    player = new_player(product_quota_bytes=500)
    await player.save(X)
    player.product = uuid4()
    await player.save(Y)
    with pytest.raises(UserQuotaExceeded):
        await player.request(X)
    assert not (await player.request(Y, "other")).is_required


@pytest.mark.parametrize("is_set", [False, True])
async def test_joined_bytes_of_another_product_prune_this_one(new_player, sets_of, is_set):
    """They are all there already, so that nothing is new to the user."""
    player = new_player(product_quota_bytes=600)
    sets = sets_of(player)

    async def save(*contents, slot="slot"):
        if not is_set:
            return await player.save(contents[0], slot)
        return await sets.save({str(number): content for number, content in enumerate(contents)}, slot)

    await save(X, slot="of another product")
    other, player.product = player.product, uuid4()
    await save(Y)
    outcome = await save(Z)
    joined = await save(X, slot="other")
    assert joined.result is UploadResult.HEAD
    assert await kept(player, outcome.slot_id) == [2]
    assert {one.product_id: one.used_bytes for one in await player.queries.usage_of_products(player.id)} == {
        other: 300,
        player.product: 600,
    }
    again = await save(X, slot="third")  # the product has them now
    assert (again.result, await kept(player, outcome.slot_id)) == (UploadResult.HEAD, [2])


async def test_what_two_uploads_have_joined_prunes_once(new_player):
    player = new_player(product_quota_bytes=600)
    await player.save(X)
    player.product = uuid4()
    await player.save(Y)
    outcome = await player.save(Z)
    waiting = [await player.request(X, slot) for slot in ("one", "two")]
    assert [one.is_required for one in waiting] == [False, False]
    assert await kept(player, outcome.slot_id) == [2, 1]
    await player.confirm(waiting[1])
    assert await kept(player, outcome.slot_id) == [2]
    await player.confirm(waiting[0])
    assert await kept(player, outcome.slot_id) == [2]
    assert max(one.used_bytes for one in await player.queries.usage_of_products(player.id)) == 600


async def test_joined_bytes_without_room_stay_open(new_player):
    player = new_player(product_quota_bytes=600)
    await player.save(X)
    player.product = uuid4()
    await player.save(Y)
    outcome = await player.save(Z)
    waiting = await player.request(X, "other")
    await player.service.change_version(player.id, outcome.slot_id, 1, VersionChanges(is_pinned=True))
    with pytest.raises(UserQuotaExceeded) as error:
        await player.confirm(waiting)
    assert error.value.meta == {
        "limit": "product",
        "used_bytes": 600,
        "reserved_bytes": 0,
        "limit_bytes": 600,
        "required_bytes": 300,
    }
    await player.service.change_version(player.id, outcome.slot_id, 1, VersionChanges(is_pinned=False))
    assert (await player.confirm(waiting)).result is UploadResult.HEAD


async def test_history_pruned_for_the_product_frees_room_of_the_user(new_player):
    player = new_player(quota_bytes=900, product_quota_bytes=600)
    await player.save(b"old")
    other = await player.save(b"w" * 297)
    player.product = uuid4()
    await player.save(X)
    outcome = await player.save(Y)
    await player.save(Z, "third")
    assert await kept(player, outcome.slot_id) == [2]
    assert await kept(player, other.slot_id) == [2, 1]


async def test_two_concurrent_uploads_do_not_both_get_the_last_bytes(own_dsn, new_player):
    """Each upload has a transaction of its own."""
    kind, player, product = type(new_player()), uuid4(), uuid4()

    @asynccontextmanager
    async def connected():
        connection = await asyncpg.connect(own_dsn)
        try:
            one = kind(connection, Limits(quota_bytes=1000))
            one.id, one.product = player, product
            yield one
        finally:
            await connection.close()

    async def request(number):
        async with connected() as one:
            try:
                async with one.connection.transaction():
                    await one.request(b"%d" % number * 400)
            except UserQuotaExceeded:
                return False
        return True

    assert sorted(await asyncio.gather(*map(request, range(4)))) == [False, False, True, True]
    async with connected() as one:
        assert await one.usage() == (0, 800)
