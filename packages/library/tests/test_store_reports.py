"""Faults of other stores, by public reports of them, tried here."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.library import GrantKind, InstallationStatus, NewGrant

GAME = uuid4()


async def refunded_again_after_a_new_purchase(library):
    # Stores that send the same refund under a new id each time took what had been bought again.
    await library.buy(GAME, order="first")
    await library.refund(GAME, order="first", fact="one")
    await library.buy(GAME, order="second")
    await library.refund(GAME, order="first", fact="two")


async def bought_twice_and_one_refunded(library):
    await library.buy(GAME, order="first")
    await library.buy(GAME, order="by mistake")
    await library.refund(GAME, order="by mistake")


async def given_bought_and_the_gift_taken_back(library):
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.GIFT, "gift", library.now)])
    await library.buy(GAME)
    await library.service.end_grants(library.user, GrantKind.GIFT, "gift", [GAME], reason="revoked")


async def free_for_a_weekend_claimed_and_then_sold(library):
    await library.catalog(GAME, title_ru="Т", is_free_to_play=True)
    await library.service.claim(library.user, GAME, "ru")
    await library.catalog(GAME, at=library.now + timedelta(days=2), is_free_to_play=False)


async def a_dispute_lost_by_a_part_of_the_money(library):
    await library.buy(GAME, quantity=2)
    await library.refund(GAME, fact="dispute")
    await library.reinstate(GAME, quantity=1, at=library.now + timedelta(days=1))


async def a_key_of_a_game_that_is_owned_already_and_its_order_refunded(library):
    await library.buy(GAME)
    await library.service.grant(library.user, [NewGrant(GAME, GrantKind.KEY, "key", library.now)])
    await library.refund(GAME)


@pytest.mark.parametrize(
    "happens",
    [
        refunded_again_after_a_new_purchase,
        bought_twice_and_one_refunded,
        given_bought_and_the_gift_taken_back,
        free_for_a_weekend_claimed_and_then_sold,
        a_dispute_lost_by_a_part_of_the_money,
        a_key_of_a_game_that_is_owned_already_and_its_order_refunded,
    ],
    ids=lambda happens: happens.__name__,
)
async def test_the_game_is_still_owned(library, happens):
    await happens(library)
    assert await library.products() == [GAME]


async def test_a_game_uninstalled_after_its_refund_comes_back_not_installed(library):
    await library.buy(GAME)
    await library.service.set_installation(library.user, GAME, InstallationStatus.INSTALLED, "1", library.now)
    await library.refund(GAME)
    library.now += timedelta(minutes=1)
    await library.service.set_installation(library.user, GAME, InstallationStatus.NOT_INSTALLED, None, library.now)
    await library.buy(GAME, order="second")
    assert (await library.item(GAME)).installation_status == "not_installed"
