"""The release before beside this one: it finds its tables as it needs them, and the two notify nobody twice."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.wishlist import MIGRATIONS

WRITE_PRICE = (
    "INSERT INTO wishlist.product_prices VALUES ($1, 500, 'RUB', 50, 'sale', $2, $3) ON CONFLICT (product_id) "
    "DO UPDATE SET price_minor = 500, currency = 'RUB', discount_percent = 50, sale_id = 'sale', said_at = $3"
)
RECORD_NOTIFICATION = "INSERT INTO wishlist.sale_notifications (user_id, sale_id, product_id) VALUES ($1, 'sale', $2)"


async def old(wishers, table):
    return [tuple(row.values()) for row in await wishers.connection.fetch(f"SELECT * FROM wishlist.{table}")]


async def test_only_products_not_notified_by_the_release_before_are_notified(wishers):
    user, one, other = uuid4(), uuid4(), uuid4()
    for product in (one, other):
        await wishers.wish(user, product)
    await wishers.connection.execute(RECORD_NOTIFICATION, user, one)
    await wishers.set_price(one)
    assert await wishers.notify_all() == []
    assert not await wishers.service.notify_of_price(user, one)
    await wishers.set_price(other)
    assert await wishers.notify_all() == [user]


async def test_the_release_before_finds_the_newest_price_and_the_running_sale(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product, currency="USD", price_minor=3)
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1))
    await wishers.set_price(product, currency="USD", price_minor=4, at=wishers.now - timedelta(seconds=1))
    [price] = await old(wishers, "product_prices")
    assert price[:5] == (product, 500, "RUB", 50, "sale")
    assert [row[0] for row in await old(wishers, "sale_fanouts")] == [product]
    await wishers.notify_all()
    assert await old(wishers, "sale_fanouts") == []
    [notification] = await old(wishers, "sale_notifications")
    assert notification[:3] == (user, "sale", product)
    await wishers.set_price(product, sale="other", at=wishers.now + timedelta(seconds=2))
    await wishers.set_price(product, sale=None, discount_percent=0, at=wishers.now + timedelta(seconds=3))
    assert await old(wishers, "sale_fanouts") == []


@pytest.mark.parametrize("end", ["infinity", "-infinity", "9999-12-31T23:59:59Z", None])
async def test_prices_that_only_the_release_before_received_are_taken_over(wishers, end):
    products, user = sorted(uuid4() for _ in range(5)), uuid4()
    for product in products:
        await wishers.wish(user, product)
        await wishers.set_price(product, price_minor=1000, sale=None, discount_percent=0)
    wishers.later(minutes=1)
    for product in products:
        await wishers.connection.execute(WRITE_PRICE, product, None, wishers.now)
        await wishers.connection.execute(
            "UPDATE wishlist.product_prices SET sale_ends_at = $2::text::timestamptz WHERE product_id = $1",
            *(product, end),
        )
    await wishers.take_over()
    assert await wishers.notify_all() == [user] * 5
    assert [item.price.price_minor for item in await wishers.queries.all_items(user)] == [500] * 5
    assert {item.price.sale_ends_at for item in await wishers.queries.all_items(user)} == {None}
    await wishers.take_over()
    assert await wishers.lock_fanout() is None


async def test_the_migration_takes_over_prices_and_running_sales(database, make_wishers):
    await asyncio.to_thread(MIGRATIONS.upgrade, database, "0002")
    connection = await asyncpg.connect(database)
    wishers = make_wishers(connection)
    product, users = uuid4(), sorted(uuid4() for _ in range(3))
    for user in users:
        await connection.execute(
            "INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at) VALUES ($1, $1, $2, $3)",
            *(user, product, wishers.now),
        )
    await connection.execute(WRITE_PRICE, product, None, wishers.now)
    await connection.execute("INSERT INTO wishlist.sale_fanouts VALUES ($1, $1, $2)", product, users[0])
    await connection.execute(RECORD_NOTIFICATION, users[1], product)
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    assert await wishers.notify_all() == [users[2]]
    assert (await wishers.queries.all_items(users[0]))[0].price.price_minor == 500
    await connection.close()
