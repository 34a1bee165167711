"""Queries and changes of a library by support, on a real PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import DomainError
from gameshelf.kernel.paging import Page
from gameshelf.library import (
    GrantKind,
    GrantNotFound,
    InstallationStatus,
    LibrarySupportQueries,
    NewGrant,
    NewLink,
)

GAME, OTHER, THIRD = uuid4(), uuid4(), uuid4()


async def held(library, page=None, **wanted):
    found = await LibrarySupportQueries(library.connection).library(library.user, page or Page(1, 100), **wanted)
    assert found.total >= len(found.items)
    return {one.product_id: one for one in found.items}


async def give(library, game=GAME, action="action-1", at=None):
    await library.service.grant(library.user, [NewGrant(game, GrantKind.SUPPORT, action, at or library.now)])


async def test_support_sees_what_is_owned_what_was_and_what_was_only_installed(library):
    await library.buy(GAME, OTHER)
    await library.refund(OTHER)
    await library.service.set_installation(library.user, THIRD, InstallationStatus.INSTALLED, "v1", library.now)
    shown = await held(library)
    assert {game: one.access.reason for game, one in shown.items()} == {
        GAME: "owned",
        OTHER: "refunded",
        THIRD: "not_owned",
    }
    [live], [ended] = shown[GAME].grants, shown[OTHER].grants
    assert (live.kind, live.source_id, live.acquired_at, live.ended_at) == ("order", "order-1", library.now, None)
    assert (ended.acquired_at, ended.ended_at) == (library.now, library.now)
    assert shown[THIRD].grants == ()
    assert shown[THIRD].item.installed_version_id == "v1"


async def test_a_refund_that_came_first_is_a_grant_without_a_beginning(library):
    await library.refund(GAME)
    [one] = (await held(library))[GAME].grants
    assert (one.acquired_at, one.ended_at) == (None, library.now)


async def test_support_sees_the_copies_of_an_order_and_what_became_of_them(library):
    later = library.now + timedelta(minutes=1)
    await library.buy(GAME, quantity=3)
    await library.refund(GAME, quantity=2, fact="id:r-1")
    await library.reinstate(GAME, quantity=1, fact="id:c-1", at=later)
    await library.refund(OTHER, fact="id:r-2")
    await library.buy(THIRD)
    await library.service.revoke(library.user, THIRD)
    await give(library, THIRD)
    shown = await held(library)
    [order] = shown[GAME].grants
    assert (order.quantity, order.copies_left, order.ended_by) == (3, 2, None)
    assert [(one.kind, one.fact_id, one.quantity, one.occurred_at) for one in order.facts] == [
        ("refund", "id:r-1", 2, library.now),
        ("reinstatement", "id:c-1", 1, later),
    ]
    [unpurchased] = shown[OTHER].grants
    assert (unpurchased.quantity, unpurchased.copies_left, unpurchased.ended_by) == (None, None, "order_facts")
    assert [(one.fact_id, one.quantity) for one in unpurchased.facts] == [("id:r-2", None)]
    revoked, gift = sorted(shown[THIRD].grants, key=lambda one: one.kind)
    assert (revoked.quantity, revoked.copies_left, revoked.ended_by) == (1, 0, "support")
    assert (gift.kind, gift.quantity, gift.copies_left, gift.facts) == ("support", None, None, ())
    await library.refund(GAME, fact="id:r-3", at=later + timedelta(minutes=1))
    [order] = (await held(library))[GAME].grants
    assert (order.copies_left, order.ended_by, len(order.facts)) == (0, "order_facts", 3)


async def test_of_very_many_facts_the_newest_are_read_and_nothing_is_guessed(library):
    await library.buy(GAME, quantity=1000)
    for number in range(101):
        await library.refund(GAME, quantity=1, fact=f"id:{number}", at=library.now + timedelta(seconds=number))
    [order] = (await held(library))[GAME].grants
    assert (len(order.facts), order.facts[0].fact_id, order.copies_left) == (100, "id:1", None)


async def test_a_shared_game_that_was_never_touched_is_listed_without_an_item(family):
    await family.share()
    found = await LibrarySupportQueries(family.connection).library(family.member, Page(1, 10))
    assert {one.product_id for one in found.items} == set(family.games)
    assert {(one.item, one.access.reason, one.access.shared_from_user_id) for one in found.items} == {
        (None, "shared", family.owner)
    }


async def test_pages_cover_the_library_by_title_with_untitled_games_last(library):
    games = [uuid4() for _ in range(5)]
    await library.buy(*games)
    for title, game in zip(("Ива", "арка", "Бор"), games[:3], strict=True):
        await library.catalog(game, title_ru=title)
    walked = []
    for number in (1, 2, 3, 4):
        page = await LibrarySupportQueries(library.connection).library(library.user, Page(number, 2))
        assert page.total == 5
        walked += [(one.title_ru, one.product_id) for one in page.items]
    assert [title for title, _ in walked] == ["арка", "Бор", "Ива", None, None]
    assert {game for _, game in walked} == set(games)


async def test_of_named_products_only_those_are_read(library):
    await library.buy(GAME, OTHER)
    assert set(await held(library, product_ids=[OTHER, uuid4()])) == {OTHER}
    assert await held(library, product_ids=[]) == {}


async def test_support_grants_a_game_and_revokes_only_its_own_grant(library):
    await give(library)
    await library.buy(GAME, at=library.now + timedelta(seconds=1))
    assert library.recorded() == ["GameAdded"]
    [ended] = await library.service.revoke(library.user, GAME, (GrantKind.SUPPORT, "action-1"))
    assert (ended.kind, ended.source_id) == ("support", "action-1")
    assert library.recorded() == ["ItemUpdated"]
    assert (await library.item(GAME)).acquisition_type == "purchase"


async def test_a_revocation_ends_every_live_grant_and_says_that_it_was_support(library):
    await library.buy(GAME)
    await give(library, at=library.now - timedelta(days=1))
    library.recorded()
    ended = await library.service.revoke(library.user, GAME)
    assert [one.kind for one in ended] == ["support", "order"]
    [removed] = library.events
    assert (removed.product_id, removed.reason) == (GAME, "support")
    assert (await held(library))[GAME].access.reason == "refunded"
    await library.buy(GAME)  # the event of the purchase comes late, or again
    assert (await held(library))[GAME].access.reason == "refunded"


async def test_a_revoked_game_that_support_grants_keeps_its_first_day(library):
    bought = library.now - timedelta(days=30)
    await library.buy(GAME, at=bought)
    before = await library.item(GAME)
    [oldest] = await library.service.revoke(library.user, GAME)
    await give(library, action="undo-1", at=oldest.acquired_at)
    after = await library.item(GAME)
    assert (after.id, after.added_at) == (before.id, bought)
    assert (await held(library))[GAME].access.acquired_at == bought


@pytest.mark.parametrize("source", [None, (GrantKind.ORDER, "nowhere"), (GrantKind.SUPPORT, "order-1")])
async def test_what_does_not_live_is_not_revoked_and_leaves_no_tombstone(library, source):
    if source:
        await library.buy(GAME)
    with pytest.raises(GrantNotFound) as error:
        await library.service.revoke(library.user, GAME, source)
    assert (isinstance(error.value, DomainError), error.value.code) == (True, "NOT_FOUND")
    assert len((await held(library)).get(GAME).grants if source else []) == (1 if source else 0)


async def test_seats_that_concern_a_user_are_shown_whatever_is_shared_now(family):
    game = family.games[0]
    link = await family.share()
    await family.take(game)
    await family.links.revoke(family.owner, link.id)
    assert await family.queries.seats(family.member) == []
    [seat] = await family.queries.seats_concerning(family.member)
    assert (seat.owner_user_id, seat.product_id, seat.held_by_user_id) == (family.owner, game, family.member)
    assert await family.queries.seats_concerning(family.owner) == [seat]
    assert await family.queries.seats_concerning(uuid4()) == []
    assert await family.queries.held_seats(family.owner, family.member) == [seat]
    assert await family.queries.held_seats(family.owner, uuid4()) == []
    assert await family.queries.seat(family.owner, game) == seat
    assert await family.queries.seat(family.owner, family.games[1]) is None


async def test_of_a_members_seats_support_sees_those_of_every_owner(family):
    """Also of one who has invited the member again, which makes the link a new one."""
    other, game = uuid4(), uuid4()
    await family.buy(other, game)
    link, _ = await family.share(), await family.share(owner=other)
    await family.take(family.games[0])
    await family.take(game)
    await family.take(family.games[1], family.owner)  # nobody else's seat
    await family.links.revoke(family.owner, link.id)
    await family.links.invite(family.owner, NewLink(shared_with_user_id=family.member))
    seats = await family.queries.seats_concerning(family.member)
    assert {seat.owner_user_id for seat in seats} == {family.owner, other}


async def test_a_link_reopened_by_an_admin_waits_for_its_member(family):
    game = family.games[0]
    ends = family.now + timedelta(days=1)
    link = await family.share(mode="only", product_ids=(game,), expires_at=ends)
    session, _ = await family.take(game)
    await family.links.revoke(family.owner, link.id, "admin")
    assert [event.session_id for event in family.events_of("ShareWithdrawn")] == [session]
    family.events.clear()
    again = await family.links.reopen(family.owner, link.id)
    assert (again.id, again.status, again.mode, list(again.product_ids), again.expires_at) == (
        link.id,
        "pending_approval",
        "only",
        [game],
        ends,
    )
    assert {event.user_id for event in family.events_of("LinkUpdated")} == {family.owner, family.member}
    assert (await family.access.access([(family.member, game)]))[0].reason == "link_pending"
    await family.links.accept(family.member, link.id)
    assert (await family.access.access([(family.member, game)]))[0].reason == "shared"


async def test_an_end_that_passed_while_the_link_was_closed_is_dropped(family):
    link = await family.share(expires_at=family.now + timedelta(seconds=10))
    await family.links.revoke(family.owner, link.id, "admin")
    family.now += timedelta(seconds=10)
    assert (await family.links.reopen(family.owner, link.id)).expires_at is None


async def test_only_what_an_admin_ended_is_reopened_and_the_limit_holds(family):
    link = await family.share()
    for end in (None, "owner"):
        if end:
            await family.links.revoke(family.owner, link.id)
        with pytest.raises(DomainError) as error:
            await family.links.reopen(family.owner, link.id)
        assert error.value.code == "FAMILY_SHARING_LINK_INVALID_STATE"
    with pytest.raises(DomainError) as error:
        await family.links.reopen(family.member, link.id)
    assert error.value.code == "FAMILY_LINK_NOT_FOUND"


async def test_a_reopened_link_takes_one_of_the_owners_places(family):
    link = await family.share()
    await family.links.revoke(family.owner, link.id, "admin")
    for _ in range(5):
        await family.links.invite(family.owner, NewLink(shared_with_user_id=uuid4()))
    with pytest.raises(DomainError) as error:
        await family.links.reopen(family.owner, link.id)
    assert error.value.code == "FAMILY_LIMIT_EXCEEDED"


async def test_products_come_in_the_order_of_the_titles_that_support_is_shown(library):
    games = {"Alpha": uuid4(), "Beta": uuid4(), "Gamma": uuid4()}
    for (title, game), russian in zip(games.items(), ("Я", "Б", "А"), strict=True):
        await library.catalog(game, title_en=title, title_ru=russian)
    await library.buy(*games.values())
    assert list(await held(library)) == list(games.values())
