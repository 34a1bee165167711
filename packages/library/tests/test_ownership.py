"""Grants, refunds and tombstones on a real PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.library import (
    GrantKind,
    InstallationStatus,
    NewCategory,
    NewGrant,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)

GAME = uuid4()


async def test_a_purchase_puts_the_game_into_the_library_at_its_own_time(library):
    long_ago = library.now - timedelta(days=300)
    await library.buy(GAME, at=long_ago)
    item = await library.item(GAME)
    assert (item.acquisition_type, item.added_at) == ("purchase", long_ago)
    assert library.recorded() == ["GameAdded"]


async def test_the_same_purchase_again_changes_nothing(library):
    await library.buy(GAME)
    library.recorded()
    await library.buy(GAME)
    assert library.recorded() == []
    assert len(await library.products()) == 1


async def test_a_late_copy_of_a_purchase_does_not_undo_its_refund(library):
    await library.buy(GAME)
    await library.refund(GAME)
    assert library.recorded() == ["GameAdded", "GameRemoved"]
    await library.buy(GAME)
    assert await library.products() == []
    assert library.recorded() == []


async def test_a_refund_that_overtakes_its_purchase_wins(library):
    await library.refund(GAME)
    await library.buy(GAME)
    assert await library.products() == []
    assert library.recorded() == []


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


async def test_an_older_gift_that_is_received_later_changes_the_acquisition(library):
    await library.buy(GAME)
    library.recorded()
    older = library.now - timedelta(days=1)
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.GIFT, "gift-1", older)])
    assert (await library.item(GAME)).acquisition_type == "gift"
    assert library.recorded() == ["ItemUpdated"]


async def test_a_purchase_of_many_products_counts_a_repeated_one_once(library):
    games = [uuid4() for _ in range(5)]
    await library.buy(*games, games[0])
    assert sorted(await library.products()) == sorted(games)
    assert library.recorded() == ["GameAdded"] * 5


async def test_access_has_its_reason(library):
    refunded, never = uuid4(), uuid4()
    await library.buy(GAME, refunded)
    await library.refund(refunded)
    found = await library.access.access([(library.user, product) for product in (never, GAME, refunded)])
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


async def test_erasing_leaves_nothing_of_the_user_and_everything_of_others(library):
    games = [uuid4() for _ in range(7)]
    await library.buy(*games)
    await library.refund(*games)
    leaving = library.user
    library.user = uuid4()
    await library.buy(GAME)
    await library.refund(GAME)
    parts = 0
    while await library.service.erase(leaving, limit=3):
        parts += 1
    assert parts >= 3  # bounded parts, resumable
    for table in ("user_library_items", "ownership_grants", "order_facts", "wanted_products"):
        users = await library.connection.fetch(f"SELECT DISTINCT user_id FROM library.{table}")
        assert [row["user_id"] for row in users] == [library.user]


async def test_a_partial_refund_takes_only_the_products_that_it_names(library):
    first, second = uuid4(), uuid4()
    await library.buy(first, second)
    await library.refund(first)
    assert await library.products() == [second]


async def test_when_the_oldest_reason_ends_the_next_one_shows(library):
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.GIFT, "g", library.now - timedelta(days=9))])
    await library.buy(GAME, at=library.now - timedelta(days=2))
    library.recorded()
    await library.service.end_grants(library.user, GrantKind.GIFT, "g", [GAME])
    item = await library.item(GAME)
    assert (item.acquisition_type, item.added_at) == ("purchase", library.now - timedelta(days=2))
    [event] = library.events
    assert event.changes == {"acquisition_type": "purchase", "added_at": library.now - timedelta(days=2)}
    await library.service.end_grants(library.user, GrantKind.GIFT, "g", [GAME])
    assert library.recorded() == ["ItemUpdated"]  # the end of what has ended is no news


async def test_what_the_user_did_with_a_game_comes_back_with_it(library):
    await library.buy(GAME, order="first")
    category = await library.service.create_category(library.user, NewCategory(name="Любимые"))
    before = await library.change(GAME, is_hidden=True, category_ids=(category.id,), installation_status="installed")
    await library.refund(GAME, order="first")
    assert await library.products(include_hidden=True) == []
    assert await library.queries.items_of_products(library.user, [GAME]) == []
    await library.buy(GAME, order="second")
    assert await library.item(GAME) == before


async def test_a_grant_from_a_clock_that_runs_ahead_counts_from_now(library):
    await library.buy(GAME, at=library.now + timedelta(days=30))
    assert (await library.item(GAME)).added_at == library.now


async def test_of_two_times_for_one_source_the_earlier_one_holds(library):
    earlier, later = library.now - timedelta(days=2), library.now - timedelta(days=1)
    for times in ((earlier, later), (later, earlier)):
        library.user = uuid4()
        for at in times:
            await library.buy(GAME, at=at)
        assert (await library.item(GAME)).added_at == earlier
    both = [NewGrant(GAME, GrantKind.ORDER, "o", at) for at in (later, earlier)]
    library.user = uuid4()
    await library.service.grant(library.user, both)
    assert (await library.item(GAME)).added_at == earlier


async def test_the_purchase_gives_a_product_type_until_the_catalog_does(library):
    await library.service.set_installation(library.user, GAME, InstallationStatus.INSTALLED, "1", library.now)
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.ORDER, "o", library.now, "dlc")])
    assert (await library.item(GAME)).product_type == "dlc"
    await library.catalog(GAME, product_type="addon")
    assert (await library.item(GAME)).product_type == "addon"


async def test_a_claim_that_support_took_away_can_be_made_again(library):
    await library.catalog(GAME, is_free_to_play=True)
    first = await library.service.claim(library.user, GAME, "ru")
    source = await library.connection.fetchval("SELECT source_id FROM library.ownership_grants")
    await library.service.end_grants(library.user, GrantKind.CLAIM, source, [GAME], "support")
    assert library.events[-1].reason == "support"
    assert (await library.service.claim(library.user, GAME, "ru")).id == first.id


async def test_a_bought_game_that_became_free_can_not_be_claimed_beside(library):
    await library.buy(GAME)
    with pytest.raises(ProductNotFound):
        await library.service.claim(library.user, GAME, "ru")
    await library.catalog(GAME, is_free_to_play=True)
    with pytest.raises(ProductAlreadyOwned) as refused:
        await library.service.claim(library.user, GAME, "ru")
    assert refused.value.meta == {"library_item_id": str((await library.item(GAME)).id)}
