"""What members keep of their owners' games, on a real PostgreSQL: it follows the owner, and the member is notified."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.library import (
    FamilyShares,
    GrantKind,
    LinkChanges,
    LinkMode,
    NewGrant,
    SharedGameAdded,
    SharedGameRemoved,
    SharedLibraryUpdated,
)
from gameshelf.library._item_ids import item_id


class Shares:
    """A family with the job that refreshes what its members keep."""

    def __init__(self, family, part=1000):
        self.family = family
        family.refreshes = False
        self.service = FamilyShares(family.connection, family.events.append, family.clock, part=part)

    async def refresh(self):
        """Does what the job does; returns the events."""
        queries, before = self.family.queries, len(self.family.events)
        for owner_id in await queries.changed_owners(100):
            await self.service.mark_links(owner_id)
        for member_id, owner_id in await queries.outdated_links(100):
            assert await self.service.refresh(member_id, owner_id)
        assert await queries.changed_owners(1) == await queries.outdated_links(1) == []
        for member in {self.family.member, *(event.user_id for event in self.family.events[before:])}:
            assert await self.kept(member) == await self.shared(member)
        return self.family.events[before:]

    async def kept(self, member=None):
        """Owner and product of each row of a member."""
        rows = await self.family.connection.fetch(
            "SELECT owner_user_id, product_id FROM library.shared_products WHERE user_id = $1",
            member or self.family.member,
        )
        return {(row["owner_user_id"], row["product_id"]) for row in rows}

    async def shared(self, member):
        """Owner and product of each game that is shared with a member, by the owners' rows."""
        rows = await self.family.connection.fetch(
            "SELECT owner_user_id, i.product_id FROM library.family_memberships m "
            "JOIN library.user_library_items i ON i.user_id = m.owner_user_id AND i.acquisition_type IS NOT NULL "
            "WHERE m.user_id = $1 AND status = 'active' AND (expires_at IS NULL OR expires_at > $2) "
            "AND (mode = 'all' OR (i.product_id = ANY (product_ids)) = (mode = 'only'))",
            member,
            self.family.now,
        )
        return {(row["owner_user_id"], row["product_id"]) for row in rows}

    async def shown(self):
        """Owner and product of each game that the member sees."""
        shown = await self.family.shown(self.family.member, shared="only", limit=100)
        return {(item.shared_from_user_id, product_id) for product_id, item in shown.items()}


@pytest.fixture
async def shares(family):
    return Shares(family)


async def test_a_new_link_brings_all_games_with_one_event(shares):
    family = shares.family
    link = await family.share()
    [event] = await shares.refresh()
    assert isinstance(event, SharedLibraryUpdated)
    assert (event.user_id, event.link_id, event.owner_user_id) == (family.member, link.id, family.owner)
    assert (event.added, event.removed) == (2, 0)
    assert await shares.kept() == await shares.shown() == {(family.owner, game) for game in family.games}
    assert await shares.refresh() == []


async def test_a_purchase_and_a_refund_of_the_owner_reach_the_member(shares):
    family, game = shares.family, uuid4()
    await family.share()
    await shares.refresh()
    await family.buy(family.owner, game)
    [added] = await shares.refresh()
    assert isinstance(added, SharedGameAdded)
    assert (added.user_id, added.product_id, added.owner_user_id) == (family.member, game, family.owner)
    assert added.item_id == item_id(family.member, game)
    assert added.added_at == (await family.shown(family.member))[game].added_at
    family.now += timedelta(seconds=1)
    await family.refund(family.owner, game)
    [removed] = await shares.refresh()
    assert isinstance(removed, SharedGameRemoved)
    assert (removed.item_id, removed.product_id) == (added.item_id, game)
    assert await shares.kept() == await shares.shown()
    family.now += timedelta(seconds=1)
    await family.library.grant(family.owner, [NewGrant(game, GrantKind.ORDER, "again", family.now)])
    [again] = await shares.refresh()
    assert (type(again), again.product_id) == (SharedGameAdded, game)


async def test_what_is_bought_and_refunded_between_two_refreshes_is_no_event(shares):
    family, game = shares.family, uuid4()
    await family.share()
    await shares.refresh()
    await family.buy(family.owner, game)
    await family.refund(family.owner, game)
    assert await shares.refresh() == []


async def test_many_changes_are_one_event_and_parts_are_compared_apart(family):
    shares = Shares(family, part=3)
    link = await family.share()
    await shares.refresh()
    games = [uuid4() for _ in range(21)]
    await family.buy(family.owner, *games)
    await family.refund(family.owner, family.games[0])
    [event] = await shares.refresh()
    assert isinstance(event, SharedLibraryUpdated)
    assert (event.link_id, event.added, event.removed) == (link.id, 21, 1)
    assert await shares.kept() == await shares.shown()
    assert len(await shares.kept()) == 22
    await family.refund(family.owner, *games[:20])
    assert len(await shares.refresh()) == 20
    await family.refund(family.owner, games[20], family.games[1])
    assert [type(event) for event in await shares.refresh()] == [SharedGameRemoved] * 2
    assert await shares.kept() == set()


async def test_products_at_both_ends_of_all_ids_are_compared(family):
    shares = Shares(family, part=2)
    await family.share()
    await family.buy(family.owner, UUID(int=0), UUID(int=2**128 - 1))
    await shares.refresh()
    assert await shares.kept() == await shares.shown()
    assert len(await shares.kept()) == 4


async def test_the_scope_of_a_link_decides_what_is_kept(shares):
    family, (kept, left_out) = shares.family, shares.family.games
    link = await family.share(mode=LinkMode.ONLY, product_ids=(kept,))
    await shares.refresh()
    assert await shares.kept() == {(family.owner, kept)}
    family.now += timedelta(seconds=1)
    await family.links.change(family.owner, link.id, LinkChanges(mode=LinkMode.EXCEPT, product_ids=(kept,)))
    events = {event.product_id: type(event) for event in await shares.refresh()}
    assert events == {kept: SharedGameRemoved, left_out: SharedGameAdded}
    assert await shares.kept() == await shares.shown() == {(family.owner, left_out)}
    await family.buy(family.owner, uuid4())
    assert len(await shares.refresh()) == 1


@pytest.mark.parametrize("by", ["owner", "member", "clock"])
async def test_the_end_of_a_link_removes_its_games_without_events(shares, by):
    family = shares.family
    link = await family.share(expires_at=family.now + timedelta(minutes=1))
    await shares.refresh()
    family.now += timedelta(minutes=2 if by == "clock" else 0, seconds=1)
    if by == "clock":
        assert await family.links.expire(family.owner, link.id)
    else:
        await family.links.revoke(getattr(family, by), link.id)
    assert await shares.refresh() == []
    assert await shares.kept() == set()
    await family.buy(family.owner, uuid4())
    assert await shares.refresh() == []
    await family.share()
    [event] = await shares.refresh()
    assert (type(event), event.added) == (SharedLibraryUpdated, 3)


async def test_a_game_of_two_owners_stays_until_both_have_lost_it(shares):
    family, game, other = shares.family, shares.family.games[0], uuid4()
    await family.share()
    await shares.refresh()
    family.now += timedelta(seconds=1)
    await family.buy(other, game)
    await family.share(owner=other)
    assert await shares.refresh() == [], "the older link counts"
    await family.refund(family.owner, game)
    [moved] = await shares.refresh()
    shown = (await family.shown(family.member))[game]
    assert moved.changes == {"shared_from_user_id": other, "added_at": shown.added_at}
    assert shown.shared_from_user_id == other
    await family.library.refund(other, "o", {game: None}, "r", family.now)
    assert [type(event) for event in await shares.refresh()] == [SharedGameRemoved]
    assert await shares.kept() == await shares.shown()


async def test_what_the_member_owns_or_the_catalog_forbids_is_kept_in_silence(shares, make_library):
    family, owned, free = shares.family, uuid4(), uuid4()
    await family.share()
    await family.buy(family.member, owned)
    await make_library(family.connection).catalog(free, is_free_to_play=True)
    await shares.refresh()
    await family.buy(family.owner, owned, free)
    assert await shares.refresh() == []
    assert {(family.owner, owned), (family.owner, free)} < await shares.kept()
    await family.refund(family.owner, owned, free)
    assert await shares.refresh() == []


async def test_an_erased_owner_leaves_nothing_with_the_member(shares):
    family = shares.family
    link = await family.share()
    await shares.refresh()
    await family.links.dissolve(family.owner, family.owner, link.id)
    assert await shares.kept() == set()
    assert await shares.refresh() == []


async def test_erasing_an_account_deletes_its_rows_and_its_marks(shares):
    family = shares.family
    await family.share()
    await shares.refresh()
    await family.buy(family.owner, uuid4())
    for user_id in (family.owner, family.member):
        while await family.library.erase(user_id, 100):
            pass
    for table, column in (("shared_products", "user_id"), ("share_changes", "owner_user_id")):
        assert (
            await family.connection.fetchval(
                f"SELECT count(*) FROM library.{table} WHERE {column} IN ($1, $2)", family.owner, family.member
            )
            == 0
        )


async def test_an_owner_without_links_makes_no_marks(shares):
    family = shares.family
    await family.buy(family.owner, uuid4())
    assert await family.queries.changed_owners(1) == []
    assert await family.connection.fetchval("SELECT count(*) FROM library.share_changes") == 0


async def test_a_link_that_was_changed_without_its_products_is_found(shares):
    """Its time differs from that of its products."""
    family, (game, other) = shares.family, shares.family.games
    link = await family.share()
    await shares.refresh()
    for table in ("family_sharing_links", "family_memberships"):
        await family.connection.execute(
            f"UPDATE library.{table} SET mode = 'except', product_ids = $2, "
            "updated_at = updated_at + interval '1 second' WHERE id = $1",
            link.id,
            [other],
        )
    assert [event.product_id for event in await shares.refresh()] == [other]
    assert await shares.kept() == {(family.owner, game)}


async def test_links_of_before_the_migration_are_copied(shares):
    family = shares.family
    await family.share()
    await family.connection.execute(
        "UPDATE library.family_memberships SET products_as_of = NULL, products_since = NULL"
    )
    [event] = await shares.refresh()
    assert (type(event), event.added) == (SharedLibraryUpdated, 2)
