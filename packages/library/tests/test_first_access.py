"""When a user could first play a product, also after grants and links have ended or were accepted again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.library import CatalogProjection, GrantKind, LinkChanges, LinkMode, NewGrant, ProductFact


class Times:
    """Moves a family's clock a day at each step, and asks for first accesses."""

    def __init__(self, family):
        self.family = family
        self.begin = family.now

    def day(self, number):
        self.family.now = self.begin + timedelta(days=number)
        return self.family.now

    async def buy(self, user, game, order):
        await self.family.library.grant(user, [NewGrant(game, GrantKind.KEY, order, self.family.now)])

    async def refund(self, user, game, order):
        await self.family.library.end_grants(user, GrantKind.KEY, order, [game])

    async def first(self, user, *games):
        """By game after how many days it could first be played; those alone that can be now."""
        found = await self.family.access.first_access(user, set(games))
        return {game: (at - self.begin) / timedelta(days=1) for game, at in found.items()}


async def forbid(family, game):
    """The Catalog forbids to share a game from now on."""
    fact = ProductFact(game, family.now, {"family_sharing_allowed": False})
    await CatalogProjection(family.connection, family.clock).apply([fact])


@pytest.fixture
def times(family):
    return Times(family)


async def test_a_game_bought_again_counts_from_the_first_purchase(times):
    user, game = uuid4(), uuid4()
    for day, (act, order) in enumerate([(times.buy, "1"), (times.refund, "1"), (times.buy, "2")]):
        times.day(day)
        await act(user, game, order)
        assert await times.first(user, game, uuid4()) == ({} if act == times.refund else {game: 0})


@pytest.mark.parametrize("ended", [False, True], ids=["still shared", "revoked"])
async def test_what_was_played_on_a_share_and_then_bought_counts_from_the_share(times, family, ended):
    shared, game = family.games[0], uuid4()
    times.day(1)
    link = await family.share()
    times.day(2)
    await times.buy(family.owner, game, "later")
    times.day(3)
    if ended:
        await family.links.revoke(family.owner, link.id)
        assert await times.first(family.member, shared, game) == {}
    times.day(4)
    for one in (shared, game):
        await times.buy(family.member, one, "own")
    assert await times.first(family.member, shared, game) == {shared: 1, game: 2}


async def test_a_share_accepted_again_counts_from_the_first_time(times, family):
    [game, other] = family.games
    times.day(1)
    link = await family.share(mode=LinkMode.ONLY, product_ids=[game])
    for day in (2, 4):
        times.day(day)
        await family.links.revoke(family.owner, link.id)
        times.day(day + 1)
        await family.share()
        assert await times.first(family.member, game, other) == {game: 1, other: 3}
    kept = "SELECT count(*) FROM library.first_accesses WHERE user_id = $1"
    assert await family.connection.fetchval(kept, family.member) == 2


async def test_a_product_that_left_a_scope_still_counts_as_shared(times, family):
    [game, other], never = family.games, uuid4()
    await times.buy(family.owner, never, "early")
    times.day(1)
    link = await family.share(mode=LinkMode.ONLY, product_ids=[game])
    times.day(2)
    await family.links.change(family.owner, link.id, LinkChanges(product_ids=[other]))
    await family.refresh()
    times.day(3)
    assert await times.first(family.member, game, other) == {other: 1}  # the link doesn't know that it was not yet
    for one in (game, never):
        await times.buy(family.member, one, "own")
    assert await times.first(family.member, game, never) == {game: 1, never: 3}


async def test_what_the_owner_gave_back_was_shared_until_then(times, family):
    game, never = uuid4(), uuid4()
    for one in (game, never):
        await times.buy(family.owner, one, "early")
    times.day(1)
    await times.refund(family.owner, never, "early")
    times.day(2)
    await family.share()
    times.day(3)
    await times.refund(family.owner, game, "early")
    times.day(4)
    for one in (game, never):
        await times.buy(family.member, one, "own")
    assert await times.first(family.member, game, never) == {game: 2, never: 4}


async def test_an_expired_link_gave_nothing_that_came_after_its_end(times, family):
    game = uuid4()
    times.day(-9)
    await family.share(expires_at=times.begin - timedelta(days=5))
    times.day(-4)
    await times.buy(family.owner, game, "late")
    times.day(-3)
    await times.buy(family.member, game, "own")
    await times.buy(family.member, family.games[0], "own")
    # The owner's own games were bought at the beginning, after the link had run out.
    assert await times.first(family.member, game, family.games[0]) == {game: -3, family.games[0]: -3}


async def test_what_the_catalog_forbids_was_shared_until_it_did(times, family):
    [game, never] = family.games
    times.day(1)
    await forbid(family, never)
    times.day(2)
    await family.share()
    times.day(3)
    await forbid(family, game)
    times.day(4)
    for one in family.games:
        await times.buy(family.member, one, "own")
    assert await times.first(family.member, game, never) == {game: 2, never: 4}


@pytest.mark.parametrize("erased", ["owner", "member"])
async def test_first_access_outlives_an_erased_owner_but_not_an_erased_member(times, family, erased):
    times.day(1)
    link = await family.share()
    times.day(2)
    user = getattr(family, erased)
    await family.links.dissolve(user, family.owner, link.id)
    while await family.library.erase(user, limit=1):
        pass
    times.day(3)
    await times.buy(family.member, family.games[0], "own")
    assert await times.first(family.member, family.games[0]) == {family.games[0]: 1 if erased == "owner" else 3}


async def test_an_account_that_ends_takes_its_first_accesses_along(times, family):
    link = await family.share()
    await family.links.revoke(family.owner, link.id)
    await family.share()
    while await family.library.erase(family.member, limit=1):
        pass
    assert not await family.connection.fetchval(
        "SELECT count(*) FROM library.first_accesses WHERE user_id = $1", family.member
    )
