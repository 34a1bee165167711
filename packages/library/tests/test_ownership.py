"""Grants, refunds and tombstones on a real PostgreSQL."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from gameshelf.library import (
    GrantKind,
    NewGrant,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)

GAME = uuid4()


async def test_a_purchase_puts_the_game_into_the_library_at_its_own_time(library):
    long_ago = library.service._clock() - timedelta(days=300)
    await library.buy(GAME, at=long_ago)
    item = await library.item(GAME)
    assert (item.acquisition_type, item.added_at) == ("purchase", long_ago)
    assert library.told() == ["GameAdded"]


async def test_the_same_purchase_again_changes_nothing(library):
    await library.buy(GAME)
    library.told()
    await library.buy(GAME)
    assert library.told() == []
    assert len(await library.products()) == 1


async def test_a_refund_takes_the_game_away_and_a_late_copy_of_its_purchase_does_not_bring_it_back(library):
    await library.buy(GAME)
    await library.refund(GAME)
    assert library.told() == ["GameAdded", "GameRemoved"]
    await library.buy(GAME)
    assert await library.products() == []
    assert library.told() == []


async def test_a_refund_that_overtakes_its_purchase_wins(library):
    await library.refund(GAME)
    await library.buy(GAME)
    assert await library.products() == []
    assert library.told() == []


async def test_a_refund_of_one_order_leaves_another_one_alone(library):
    await library.buy(GAME, order="first")
    await library.buy(GAME, order="second")
    await library.refund(GAME, order="first")
    assert await library.products() == [GAME]


async def test_a_new_order_after_a_refund_owns_again_with_the_same_item(library):
    await library.buy(GAME, order="first")
    before = (await library.item(GAME)).id
    await library.refund(GAME, order="first")
    await library.buy(GAME, order="second")
    assert (await library.item(GAME)).id == before


async def test_an_older_gift_that_is_heard_of_later_changes_how_the_game_came(library):
    await library.buy(GAME)
    library.told()
    older = library.service._clock() - timedelta(days=1)
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.GIFT, "gift-1", older)])
    assert (await library.item(GAME)).acquisition_type == "gift"
    assert library.told() == ["ItemUpdated"]


async def test_any_order_of_purchases_and_refunds_ends_the_same(library):
    steps = {
        "buy 1": lambda user: library.buy(GAME, order="1"),
        "refund 1": lambda user: library.refund(GAME, order="1"),
        "buy 2": lambda user: library.buy(GAME, order="2"),
        "buy 1 again": lambda user: library.buy(GAME, order="1"),
    }
    for order in permutations(steps):
        library.user = uuid4()
        for name in order:
            await steps[name](library.user)
        assert await library.products() == [GAME], order
        assert (await library.queries.access([(library.user, GAME)]))[0].has_access


async def test_a_purchase_of_many_products_counts_a_repeated_one_once(library):
    games = [uuid4() for _ in range(5)]
    await library.buy(*games, games[0])
    assert sorted(await library.products()) == sorted(games)
    assert library.told() == ["GameAdded"] * 5


async def test_access_tells_why(library):
    refunded, never = uuid4(), uuid4()
    await library.buy(GAME, refunded)
    await library.refund(refunded)
    found = await library.queries.access([(library.user, product) for product in (never, GAME, refunded)])
    assert [(access.has_access, access.reason) for access in found] == [
        (False, "not_owned"),
        (True, "owned"),
        (False, "refunded"),
    ]


async def test_a_free_game_can_be_claimed_once(library):
    await library.catalog(GAME, is_free_to_play=True, title_ru="Даром")
    claimed = await library.service.claim(library.user, GAME, "ru")
    assert (claimed.acquisition_type, claimed.title) == ("free_to_play", "Даром")
    with pytest.raises(ProductAlreadyOwned):
        await library.service.claim(library.user, GAME, "ru")


async def test_a_game_that_costs_money_or_is_unknown_can_not_be_claimed(library):
    await library.catalog(GAME, title_ru="Дорого")
    with pytest.raises(ProductNotFree):
        await library.service.claim(library.user, GAME, "ru")
    with pytest.raises(ProductNotFound):
        await library.service.claim(library.user, uuid4(), "ru")


async def test_a_product_that_the_catalog_has_not_spoken_of_is_asked_for_until_it_has(library):
    known, unknown = uuid4(), uuid4()
    await library.catalog(known, title_ru="Есть")
    await library.buy(known, unknown)
    assert await library.projection.take_wanted(100) == [unknown]
    assert await library.projection.take_wanted(100) == []  # asked just now
    await library.catalog(unknown, title_ru="Теперь есть")
    await library.projection.take_wanted(100)
    assert await library.connection.fetchval("SELECT count(*) FROM library.wanted_products") == 0


async def test_erasing_leaves_nothing_of_the_user_and_everything_of_others(library):
    await library.buy(*(uuid4() for _ in range(7)))
    leaving = library.user
    library.user = uuid4()
    await library.buy(GAME)
    parts = 0
    while await library.service.erase(leaving, limit=3):
        parts += 1
    assert parts >= 3  # bounded parts, resumable
    for table in ("user_library_items", "ownership_grants", "wanted_products"):
        users = await library.connection.fetch(f"SELECT DISTINCT user_id FROM library.{table}")
        assert [row["user_id"] for row in users] == [library.user]
