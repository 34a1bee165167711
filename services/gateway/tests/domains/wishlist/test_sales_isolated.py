"""A wisher that fails, and one whose row is held: all others are notified. Sales: ``test_isolation.py``."""

import time
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish

PRICE = "com.platform.catalog.price.updated.v1"


@pytest.fixture
async def poison(connection):
    """Makes every notification of a product, or of a user, fail in the database, until it is taken back."""
    made = []

    async def of(column, value):
        name = f"poison_{uuid4().hex}"
        await connection.execute(
            f"ALTER TABLE wishlist.price_notifications ADD CONSTRAINT {name} CHECK ({column} <> '{value}') NOT VALID"
        )
        made.append(name)

    async def take_back():
        while made:
            await connection.execute(f"ALTER TABLE wishlist.price_notifications DROP CONSTRAINT {made.pop()}")

    of.take_back = take_back
    yield of
    await take_back()


def on_sale(product, **more):
    data = {"productId": str(product), "priceMinor": 500, "oldPriceMinor": 1000, "currency": "RUB"}
    return CloudEvent(PRICE, {**data, "saleId": f"sale-{uuid4()}", **more})


async def wish(player, product):
    response = await player.post("/wishlist/items", {"product_id": str(product)})
    assert response.status_code == 201, response.text


async def sale_messages(player):
    events = (await player.get("/events", cursor="0"))["data"]
    return [one for one in events if one["attributes"]["event_type"] == "wishlist.item.on_sale"]


async def test_a_sale_without_an_end_in_time_is_published_and_can_be_wished_for(
    platform, new_player, connection, wait_until
):
    product, before, after = uuid4(), new_player(), new_player()
    await wish(before, product)
    await publish(platform.kafka.address, [on_sale(product, saleEndsAt="9999-12-31T23:59:59.9999999Z")])
    await wait_until(lambda: sale_messages(before))
    await connection.execute(
        "UPDATE wishlist.currency_prices SET sale_ends_at = 'infinity' WHERE product_id = $1", product
    )
    await wish(after, product)
    assert await sale_messages(after)


async def test_a_wisher_who_fails_or_is_busy_holds_up_no_other(platform, new_player, connection, poison, wait_until):
    product = uuid4()
    wishers = [new_player() for _ in range(4)]
    for player in wishers:
        await wish(player, product)
    failing, held, *others = wishers
    await poison("user_id", failing.id)
    holding = connection.transaction()
    await holding.start()
    await connection.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", held.id)
    await publish(platform.kafka.address, [on_sale(product)])
    started = time.monotonic()

    async def others_notified():
        return all([await sale_messages(player) for player in others])

    await wait_until(others_notified)
    print(f"the other wishers were notified after {time.monotonic() - started:.2f} s")
    assert not await sale_messages(held)
    await holding.rollback()
    await wait_until(lambda: sale_messages(held))
    assert not await sale_messages(failing)
    await poison.take_back()
    await wait_until(lambda: sale_messages(failing))
