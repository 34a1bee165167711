"""Sales notify every wisher once, in chunks, also when prices repeat and when wishes are added meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.wishlist import WishChanges, notification_id


async def test_all_wishers_whose_conditions_are_met_are_notified_once(wishers):
    product = uuid4()
    met = [uuid4() for _ in range(5)]
    for user in met:
        await wishers.wish(user, product)
    await wishers.wish(met[0], uuid4())
    exact = uuid4()
    await wishers.wish(exact, product, target_price_minor=500, target_currency="RUB", min_discount_percent=50)
    for unmet in ({"min_discount_percent": 51}, {"target_price_minor": 499, "target_currency": "RUB"}):
        await wishers.wish(uuid4(), product, **unmet)
    await wishers.wish(uuid4(), product, target_price_minor=9999, target_currency="EUR")
    await wishers.set_price(product)
    assert await wishers.notify_all() == sorted([*met, exact])
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1))
    assert await wishers.notify_all() == []
    await wishers.set_price(product, sale="another", at=wishers.now + timedelta(seconds=2))
    assert await wishers.notify_all() == sorted([*met, exact])


@pytest.mark.parametrize(
    "end", [datetime.max.replace(tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
async def test_an_invalid_end_of_a_sale_counts_as_absent(wishers, end):
    user, later, product = uuid4(), uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product, sale_ends_at=end)
    assert await wishers.notify_all() == [user]
    await wishers.wish(later, product)
    assert wishers.kinds().count("SaleNoticed") == 1


async def test_a_wisher_who_is_held_back_waits_until_they_are_released(wishers):
    users, product = sorted(uuid4() for _ in range(3)), uuid4()
    for user in users:
        await wishers.wish(user, product)
    await wishers.set_price(product)
    fanout = await wishers.lock_fanout()
    await wishers.fanouts.hold_back(fanout, users[:2])
    await wishers.fanouts.hold_back(fanout, users[:2])
    await wishers.fanouts.advance(fanout, users[1])
    assert await wishers.notify_all() == users[2:]
    assert sorted(await wishers.fanouts.held_back(5)) == [(user, product) for user in users[:2]]
    assert await wishers.service.notify_of_price(users[0], product)
    await wishers.fanouts.release(users[0], product)
    assert await wishers.fanouts.held_back(5) == [(users[1], product)]
    while await wishers.service.erase(users[1]):
        pass
    assert await wishers.fanouts.held_back(5) == []


async def test_a_wisher_is_notified_once_of_each_product_of_a_sale(wishers):
    user, products = uuid4(), [uuid4() for _ in range(5)]
    for product in products:
        await wishers.wish(user, product)
    for _ in range(2):
        for product in products:
            await wishers.set_price(product)
            wishers.later(seconds=1)
        assert await wishers.notify_all() in ([user] * 5, [])
    assert await wishers.notify_all() == []
    rows = await wishers.connection.fetch("SELECT product_id FROM wishlist.price_notifications")
    assert sorted(row["product_id"] for row in rows) == sorted(products)


async def test_a_chunk_that_is_interrupted_repeats_and_notifies_nobody_twice(wishers):
    product = uuid4()
    users = sorted(uuid4() for _ in range(5))
    for user in users:
        await wishers.wish(user, product)
    await wishers.set_price(product)
    fanout = await wishers.lock_fanout()
    first = await wishers.fanouts.wishers(fanout, 3)
    assert (first.met, first.last) == (users[:3], users[2])
    assert set(await wishers.fanouts.record_notifications(fanout, first.met)) == set(users[:3])
    assert await wishers.notify_all() == users[3:]  # the cursor was not moved


async def test_a_cursor_moves_only_for_the_sale_that_it_was_made_for(wishers):
    product = uuid4()
    users = sorted(uuid4() for _ in range(3))
    for user in users:
        await wishers.wish(user, product)
    await wishers.set_price(product)
    old = await wishers.lock_fanout()
    await wishers.set_price(product, sale="newer", at=wishers.now + timedelta(seconds=1))
    assert not await wishers.fanouts.advance(old, users[1])
    await wishers.fanouts.finish(old)
    assert await wishers.notify_all() == users


@pytest.mark.parametrize("over", [{"sale": None, "discount_percent": 0}, {"discount_percent": 0}])
async def test_a_newer_price_stops_the_fan_out_of_an_older_one(wishers, over):
    product = uuid4()
    await wishers.wish(uuid4(), product)
    await wishers.set_price(product)
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1), **over)
    assert await wishers.notify_all() == []


async def test_an_older_price_that_comes_late_changes_nothing(wishers):
    user, product = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product, discount_percent=0, sale=None)
    await wishers.set_price(product, at=wishers.now - timedelta(seconds=1))
    assert await wishers.notify_all() == []
    await wishers.set_price(product, at=wishers.now + timedelta(days=1))  # from a clock that is wrong: it counts as now
    assert await wishers.notify_all() == [user]
    await wishers.set_price(product, sale="later", at=wishers.now)
    assert await wishers.notify_all() == [user]


async def test_a_sale_that_has_ended_notifies_nobody(wishers):
    product = uuid4()
    users = sorted(uuid4() for _ in range(2))
    for user in users:
        await wishers.wish(user, product)
    await wishers.set_price(product, sale_ends_at=wishers.now + timedelta(minutes=1))
    fanout = await wishers.lock_fanout()
    await wishers.fanouts.record_notifications(fanout, (await wishers.fanouts.wishers(fanout, 1)).met)
    await wishers.fanouts.advance(fanout, users[0])
    wishers.later(minutes=1)
    assert await wishers.notify_all() == []
    await wishers.set_price(product, sale="over", sale_ends_at=wishers.now)
    assert await wishers.notify_all() == []
    await wishers.wish(uuid4(), product)
    assert "SaleNoticed" not in wishers.kinds()


async def test_a_user_who_wishes_during_a_sale_is_notified_once(wishers):
    user, product = uuid4(), uuid4()
    wishers.shop.titles[product] = "Игра"
    await wishers.set_price(product)
    wish = await wishers.wish(user, product)
    [_, noticed] = wishers.events
    price = (await wishers.queries.item(user, wish.id)).price
    assert (noticed.notification_id, noticed.item_id) == (notification_id(price, user), wish.id)
    assert (noticed.title, noticed.price_minor, noticed.discount_percent) == ("Игра", 500, 50)
    assert await wishers.notify_all() == []
    await wishers.service.remove_item(user, wish.id)
    await wishers.wish(user, product)
    assert wishers.kinds().count("SaleNoticed") == 1


async def test_conditions_that_are_met_after_a_change_notify_then(wishers):
    user, product = uuid4(), uuid4()
    await wishers.set_price(product)
    wish = await wishers.wish(user, product, min_discount_percent=70)
    assert "SaleNoticed" not in wishers.kinds()
    await wishers.service.change_item(user, wish.id, WishChanges(min_discount_percent=50))
    await wishers.service.change_item(user, wish.id, WishChanges(min_discount_percent=40))
    assert wishers.kinds().count("SaleNoticed") == 1


async def test_a_single_wisher_is_notified_as_all_are(wishers):
    user, product = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product)
    assert await wishers.service.notify_of_price(user, product)
    assert not await wishers.service.notify_of_price(user, product)
    assert not await wishers.service.notify_of_price(uuid4(), product)
    await wishers.set_price(product, sale="newer", at=wishers.now + timedelta(seconds=1), discount_percent=0)
    assert not await wishers.service.notify_of_price(user, product)
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=2))
    assert await wishers.notify_all() == []


async def test_records_of_notifications_are_pruned_in_parts(wishers):
    product = uuid4()
    for _ in range(3):
        await wishers.wish(uuid4(), product)
    await wishers.set_price(product)
    await wishers.notify_all()
    later = wishers.now + timedelta(days=4000)
    assert [await wishers.fanouts.prune_notifications(later, 2) for _ in range(5)] == [2, 1, 2, 1, 0]


async def test_a_wish_added_as_a_sale_begins_is_notified_exactly_once(own_dsn, make_wishers):
    """Whichever is committed first: either the sale finds the wish, or the wish finds the sale."""
    product, notified = uuid4(), []

    async def wish(user: UUID, pause: float) -> None:
        connection = await asyncpg.connect(own_dsn)
        async with connection.transaction():
            wishers = make_wishers(connection)
            await asyncio.sleep(pause)
            await wishers.wish(user, product)
            await asyncio.sleep(0.02)
        notified.extend(event.user_id for event in wishers.events if type(event).__name__ == "SaleNoticed")
        await connection.close()

    async def begin_sale() -> None:
        connection = await asyncpg.connect(own_dsn)
        await asyncio.sleep(0.05)
        async with connection.transaction():
            await make_wishers(connection).set_price(product)
            await asyncio.sleep(0.02)
        while True:
            async with connection.transaction():
                wishers = make_wishers(connection)
                fanout = await wishers.lock_fanout()
                if fanout is None:
                    break
                found = await wishers.fanouts.wishers(fanout, 3)
                if found.last is None:
                    await wishers.fanouts.finish(fanout)
                else:
                    notified.extend(await wishers.fanouts.record_notifications(fanout, found.met))
                    await wishers.fanouts.advance(fanout, found.last)
        await connection.close()

    users = [uuid4() for _ in range(30)]
    await asyncio.gather(begin_sale(), *(wish(user, 0.004 * n) for n, user in enumerate(users)))
    assert sorted(notified) == sorted(users)


async def test_a_sale_that_begins_while_a_wish_is_not_committed_waits_for_it(own_dsn, make_wishers):
    """The wish has read the price before, and the sale would not see the wish: nobody would be notified."""
    product, user = uuid4(), uuid4()
    wisher, catalog, looking = [await asyncpg.connect(own_dsn) for _ in range(3)]

    async def sell() -> list[UUID]:
        async with catalog.transaction():
            await make_wishers(catalog).set_price(product)
        async with catalog.transaction():
            return await make_wishers(catalog).notify_all()

    async with wisher.transaction():
        await make_wishers(wisher).wish(user, product)
        selling = asyncio.create_task(sell())
        while not selling.done() and not await looking.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = $1",
            catalog.get_server_pid(),
        ):
            await asyncio.sleep(0.01)
    assert await selling == [user]
    for connection in (wisher, catalog, looking):
        await connection.close()
