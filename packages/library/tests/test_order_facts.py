"""Orders of several copies: refunds, reinstatements, revocations, and what a release without quantities wrote."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

from gameshelf.library import GrantKind, LibrarySupportQueries, NewGrant

GAME = uuid4()


async def owned(library):
    return await library.products() == [GAME]


async def test_an_order_of_two_is_owned_until_both_are_refunded(library):
    await library.buy(GAME, quantity=2)
    await library.refund(GAME, quantity=1, fact="first")
    assert await owned(library)
    await library.refund(GAME, quantity=1, fact="first")  # the same refund again
    assert await owned(library)
    assert library.recorded() == ["GameAdded"]
    await library.refund(GAME, quantity=1, fact="second")
    assert not await owned(library)
    assert library.recorded() == ["GameRemoved"]


async def test_a_repeated_fact_keeps_the_larger_quantity_and_the_earlier_time(library):
    later = [library.now + timedelta(minutes=minute) for minute in range(4)]
    refunds = [(1, later[3]), (2, later[1]), (1, later[2])]
    for number, history in enumerate(permutations(refunds)):
        order, game = f"order-{number}", uuid4()
        await library.buy(game, order=order, quantity=3)
        # A chargeback that was reversed after the earliest report of the refund and before the others.
        await library.reinstate(game, order=order, quantity=2, at=later[1] + timedelta(seconds=1))
        for quantity, at in history:
            await library.refund(game, order=order, quantity=quantity, fact="id:r", at=at)
        [grant] = (await LibrarySupportQueries(library.connection).grants(library.user, [game]))[game]
        assert [(one.quantity, one.occurred_at) for one in grant.facts if one.kind == "refund"] == [(2, later[1])]
        assert grant.copies_left == 3
        await library.refund(game, order=order, quantity=None, fact="id:r", at=later[1])
        await library.refund(game, order=order, quantity=1, fact="id:r", at=later[1])
        [grant] = (await LibrarySupportQueries(library.connection).grants(library.user, [game]))[game]
        assert (grant.facts[0].quantity, grant.copies_left) == (None, 2)


async def test_a_refund_without_a_quantity_is_one_of_all(library):
    await library.buy(GAME, quantity=3)
    await library.refund(GAME)
    assert not await owned(library)


async def test_a_reinstatement_brings_the_game_back_with_its_time_and_its_item(library):
    await library.buy(GAME)
    before = await library.item(GAME)
    await library.refund(GAME)
    await library.reinstate(GAME, at=library.now + timedelta(minutes=1))
    assert await library.item(GAME) == before
    assert library.recorded() == ["GameAdded", "GameRemoved", "GameAdded"]


async def test_facts_count_by_their_times_in_any_order_of_arrival(library):
    await library.buy(GAME)
    await library.reinstate(GAME, at=library.now + timedelta(minutes=2))
    await library.refund(GAME, at=library.now + timedelta(minutes=1))
    assert await owned(library)
    await library.refund(GAME, fact="later", at=library.now + timedelta(minutes=3))
    assert not await owned(library)


async def test_a_refund_of_one_of_two_that_overtakes_its_purchase_leaves_one(library):
    await library.refund(GAME, quantity=1)
    assert not await owned(library)
    await library.buy(GAME, quantity=2)
    assert await owned(library)
    assert library.recorded() == ["GameAdded"]


async def test_a_reinstatement_alone_gives_nothing(library):
    await library.reinstate(GAME)
    assert not await owned(library)
    [access] = await library.access.access([(library.user, GAME)])
    assert access.reason == "not_owned"


async def test_of_two_purchase_events_of_one_order_the_larger_quantity_counts(library):
    await library.buy(GAME, quantity=1)
    await library.refund(GAME, quantity=1)
    await library.buy(GAME, quantity=2)
    assert await owned(library)
    await library.buy(GAME, quantity=1)
    assert await owned(library)


async def test_a_reinstatement_never_lifts_what_support_revoked(library):
    await library.buy(GAME)
    await library.service.revoke(library.user, GAME)
    await library.refund(GAME)
    await library.reinstate(GAME, at=library.now + timedelta(minutes=1))
    assert not await owned(library)


async def test_a_key_or_gift_that_was_revoked_does_not_come_back(library):
    for kind in (GrantKind.KEY, GrantKind.GIFT):
        grant = NewGrant(GAME, kind, "x", library.now)
        await library.service.grant(library.user, [grant])
        await library.service.end_grants(library.user, kind, "x", [GAME], reason="revoked")
        assert library.events[-1].reason == "revoked"
        await library.service.grant(library.user, [grant])
        assert not await owned(library)


async def end_as_before(library):
    """As a release ends an order that knows no quantities."""
    await library.connection.execute(
        "UPDATE library.ownership_grants SET ended_at = $2 WHERE user_id = $1", library.user, library.now
    )
    await library.connection.execute(
        "UPDATE library.user_library_items SET acquisition_type = NULL, added_at = NULL WHERE user_id = $1",
        library.user,
    )


async def test_a_tombstone_of_the_release_before_counts_as_all_refunded(library):
    await library.buy(GAME, quantity=2)
    await end_as_before(library)
    await library.buy(GAME, quantity=2)
    assert not await owned(library)
    await library.reinstate(GAME, quantity=1, at=library.now + timedelta(minutes=1))
    assert await owned(library)
    # The refund that the end stood for is stored: one of two is left, and one more refund takes it.
    await library.refund(GAME, quantity=1, at=library.now + timedelta(minutes=2))
    assert not await owned(library)


async def test_a_grant_of_the_release_before_has_one_copy(library):
    await library.buy(GAME)
    await library.connection.execute(
        "UPDATE library.ownership_grants SET quantity = NULL WHERE user_id = $1", library.user
    )
    await library.refund(GAME, quantity=1)
    assert not await owned(library)


async def test_the_release_before_reads_the_end_from_the_grant(library):
    async def ended():
        query = "SELECT ended_at IS NOT NULL FROM library.ownership_grants WHERE user_id = $1"
        return await library.connection.fetchval(query, library.user)

    await library.refund(GAME, quantity=1)
    assert await ended()
    await library.buy(GAME, quantity=2)
    assert not await ended()
    await library.refund(GAME, quantity=1, fact="second")
    assert await ended()
