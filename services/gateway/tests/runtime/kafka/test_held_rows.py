"""Records whose rows another transaction holds are deferred, and applied in order later."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import on_one_server

PURCHASED = "com.platform.payment.purchase.completed.v1"
DELETED = "com.platform.account.user.deleted.v1"
PAYMENTS = "com.platform.payment.events.v1"


@pytest.fixture
def held(platform):
    """Holds what a statement locks, as long as the block runs."""

    @asynccontextmanager
    async def hold(statement, *values):
        connection = await asyncpg.connect(platform.dsn)
        try:
            async with connection.transaction():
                await connection.execute(statement, *values)
                yield
        finally:
            await connection.close()

    return hold


async def own_row(connection, player):
    await connection.execute("INSERT INTO gateway.user_streams (user_id) VALUES ($1) ON CONFLICT DO NOTHING", player.id)


HOLD_USER = "SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE"


async def test_later_events_wait_behind_those_that_are_set_aside(
    player, held, connection, owns, wait_until, purchase_of
):
    game, order = uuid4(), f"order-{uuid4()}"
    bought = purchase_of(player.id, game, order=order)
    await own_row(connection, player)
    async with held(HOLD_USER, player.id):
        await player.publish(bought)

        async def set_aside():
            return await connection.fetchval(
                "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1", player.id
            )

        await wait_until(set_aside)
        await player.publish(
            CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data), purchase_of(player.id, game)
        )

        async def all_are():
            return await set_aside() == 3

        await wait_until(all_are)
    await owns(player, game)
    event_types = [entry["attributes"]["event_type"] for entry in (await player.get("/events", cursor="0"))["data"]]
    assert event_types == ["library.item.added", "library.item.removed", "library.item.added"]


async def test_a_malformed_record_of_a_held_player_is_set_aside_too(
    player, new_player, held, connection, owns, send, encode, letters_with
):
    other, game, marker = new_player(), uuid4(), f"order-{uuid4()}"
    await own_row(connection, player)
    async with held(HOLD_USER, player.id):
        await send(PAYMENTS, str(other.id).encode(), encode(PURCHASED, {"userId": str(player.id), "orderId": marker}))
        await other.buys(game)
        await owns(other, game)
    [letter] = await letters_with(marker, 1)
    assert letter["user_id"] == player.id


@on_one_server("changes of a table that is copied wait for each other")
async def test_a_held_product_does_not_hold_up_the_catalog(
    player, platform, held, connection, owns, wait_until, send, encode
):
    kind, topic = "com.platform.catalog.product.updated.v1", "com.platform.catalog.events.v1"
    stuck, games = uuid4(), [uuid4() for _ in range(5)]
    key = b"the same partition"
    await send(topic, key, encode(kind, {"productId": str(stuck), "newTitle": "Before"}))

    async def titles():
        rows = await connection.fetch(
            "SELECT product_id, title_ru FROM library.products WHERE product_id = ANY($1)", [stuck, *games]
        )
        return {row["product_id"]: row["title_ru"] for row in rows}

    async def has_begun():
        return await titles() == {stuck: "Before"}

    await wait_until(has_begun)
    async with held("SELECT FROM library.products WHERE product_id = $1 FOR UPDATE", stuck):
        changed = [encode(kind, {"productId": str(product), "newTitle": "After"}) for product in (stuck, *games)]
        await send(topic, key, *changed)

        async def others_are_there():
            return await titles() == {stuck: "Before", **dict.fromkeys(games, "After")}

        await wait_until(others_are_there)

    async def all_are_there():
        return set((await titles()).values()) == {"After"}

    await wait_until(all_are_there)


async def test_the_end_of_an_account_takes_what_is_set_aside_with_it(
    player, held, connection, owns, wait_until, purchase_of
):
    await own_row(connection, player)
    async with held(HOLD_USER, player.id):
        await player.publish(purchase_of(player.id, uuid4()))
        await player.publish(CloudEvent(DELETED, {"userId": str(player.id)}))

        async def both_wait():
            count = "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1"
            return await connection.fetchval(count, player.id) == 2

        await wait_until(both_wait)

    async def nothing_is_left():
        return not await connection.fetchval(
            "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1", player.id
        )

    await wait_until(nothing_is_left)
    assert await connection.fetchval(
        "SELECT erased_at IS NOT NULL FROM gateway.user_streams WHERE user_id = $1", player.id
    )

    async def nothing_is_owned():
        return not await connection.fetchval(
            "SELECT count(*) FROM library.ownership_grants WHERE user_id = $1", player.id
        )

    await wait_until(nothing_is_owned)


async def test_what_is_set_aside_outlives_the_process(platform, service, player, held, connection, owns, wait_until):
    game = uuid4()
    await own_row(connection, player)
    async with held(HOLD_USER, player.id):
        await player.buys(game)

        async def set_aside():
            return await connection.fetchval(
                "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1", player.id
            )

        await wait_until(set_aside)
        await asyncio.to_thread(service.kill)
    await asyncio.to_thread(service.start)
    await owns(player, game)
