"""An owner and five members who start, play, end, die, share, revoke and refund, several at the same moment.

Whatever they do: never two players on one copy after the grace, never a seat that nobody can get again, and every
refusal names its reason.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import DomainError
from gameshelf.library import (
    GRACE,
    FamilyLinks,
    GrantKind,
    LibraryService,
    LinkChanges,
    LinkMode,
    NewGrant,
    NewLink,
)
from gameshelf.playtime import PlaytimeService
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MEMBERS, GAMES = 5, 2
OWNER = 0
PLAYERS = st.integers(0, MEMBERS)
LINKED = st.integers(1, MEMBERS)
GAME = st.integers(0, GAMES - 1)

OPS = st.one_of(
    *[st.tuples(st.just("start"), PLAYERS, GAME)] * 4,
    st.tuples(st.just("beat"), PLAYERS, GAME),
    *[st.tuples(st.just("end"), PLAYERS, GAME)] * 2,
    st.tuples(st.just("die"), PLAYERS, GAME),
    st.tuples(st.just("revoke"), LINKED, GAME),
    st.tuples(st.just("decline"), LINKED, GAME),
    st.tuples(st.just("share"), LINKED, GAME),
    st.tuples(st.just("narrow"), LINKED, GAME),
    st.tuples(st.just("widen"), LINKED, GAME),
    st.tuples(st.just("refund"), PLAYERS, GAME),
    st.tuples(st.just("buy"), PLAYERS, GAME),
)
ROUNDS = st.lists(
    st.tuples(st.lists(OPS, min_size=1, max_size=5), st.sampled_from((0, 1, 20, 100, 301))), min_size=1, max_size=14
)
SPEAKING = {
    "FAMILY_SEAT_LOST",
    "SESSION_ALREADY_ENDED",
    "SESSION_NOT_FOUND",
    "FAMILY_LIMIT_EXCEEDED",
}
"""Codes that need no further reason."""


class Explained(Exception):
    """A call was refused with a reason."""


class Household:
    """An owner, five members, two games and what they do; each does one thing at a time."""

    def __init__(self, instance):
        self.instance = instance
        self.people = [uuid4() for _ in range(MEMBERS + 1)]
        self.games = [uuid4() for _ in range(GAMES)]
        self.links = {}
        self.sessions = {}
        self.orders = {}
        self.locks = [asyncio.Lock() for _ in self.people]

    async def move_in(self):
        for game in range(GAMES):
            await self.buy(OWNER, game)
        for member in range(1, MEMBERS + 1):
            await self.share(member, 0)

    async def do(self, kind, who, game):
        """Does one step; a refusal has to name its reason."""
        async with self.locks[who]:
            with suppress(Explained):
                await self.explained(getattr(self, kind)(who, game))

    async def explained(self, work):
        """Makes a call that may be refused; a refusal has to name its reason."""
        try:
            await work
        except DomainError as refusal:
            if not self.says_why(refusal):
                raise
            raise Explained from refusal

    def says_why(self, refusal):
        if refusal.code == "FAMILY_SEAT_BUSY":
            people = {str(one) for one in self.people}
            return refusal.meta["held_by_user_id"] in people and bool(refusal.meta["since"])
        if refusal.code in ("FAMILY_ACCESS_RESTRICTED", "PERMISSION_DENIED"):
            return bool(refusal.meta["reason"])
        if refusal.code == "FAMILY_SHARING_LINK_INVALID_STATE":
            return bool(refusal.meta["status"])
        return refusal.code in SPEAKING

    def begin(self, who):
        return self.instance.transactions.begin(self.people[who])

    async def start(self, who, game):
        session = await self.instance.start(self.people[who], self.games[game])
        self.sessions[who, game] = session.id

    async def beat(self, who, game):
        if (who, game) in self.sessions:
            await self.instance.beat(self.people[who], self.sessions[who, game])

    async def end(self, who, game):
        if (who, game) in self.sessions:
            await self.instance.end(self.people[who], self.sessions[who, game])

    async def die(self, who, game):
        """Its device is gone, and the time-out ends it."""
        if (who, game) in self.sessions:
            async with self.begin(who) as transaction:
                service = transaction.of(PlaytimeService)
                await service.end_dead(self.people[who], self.sessions[who, game], self.instance.clock())

    async def share(self, member, game):
        new = NewLink(shared_with_user_id=self.people[member])
        async with self.begin(OWNER) as transaction:
            link = await transaction.of(FamilyLinks).invite(self.people[OWNER], new)
        self.links[member] = link.id
        async with self.begin(member) as transaction:
            await transaction.of(FamilyLinks).accept(self.people[member], link.id)
        await self.instance.shares.run_once()

    async def revoke(self, member, game):
        async with self.begin(OWNER) as transaction:
            await transaction.of(FamilyLinks).revoke(self.people[OWNER], self.links[member])

    async def decline(self, member, game):
        async with self.begin(member) as transaction:
            await transaction.of(FamilyLinks).revoke(self.people[member], self.links[member])

    async def narrow(self, member, game):
        await self.change(member, mode=LinkMode.EXCEPT, product_ids=(self.games[game],))

    async def widen(self, member, game):
        await self.change(member, mode=LinkMode.ALL)

    async def change(self, member, **changes):
        async with self.begin(OWNER) as transaction:
            change = LinkChanges(**changes)
            await transaction.of(FamilyLinks).change(self.people[OWNER], self.links[member], change)

    async def buy(self, who, game):
        order = str(uuid4())
        self.orders.setdefault((who, game), []).append(order)
        grant = NewGrant(self.games[game], GrantKind.ORDER, order, self.instance.clock())
        async with self.begin(who) as transaction:
            await transaction.of(LibraryService).grant(self.people[who], [grant])

    async def refund(self, who, game):
        for order in self.orders.pop((who, game), ()):
            async with self.begin(who) as transaction:
                service = transaction.of(LibraryService)
                await service.end_grants(self.people[who], GrantKind.ORDER, order, [self.games[game]])

    async def settle(self):
        """Runs the jobs that follow within a second."""
        await self.instance.forwarding.run_once()
        await self.instance.family_clock.run_once()
        await self.instance.forwarding.run_once()
        await self.instance.shares.run_once()
        await self.instance.lost_seats.refresh()


async def look(connection, household, now):
    """No seat is held on a copy that somebody else plays, and seats and sessions agree."""
    owner = household.people[OWNER]
    running = await connection.fetch(
        "SELECT * FROM playtime.playtime_sessions WHERE user_id = ANY($1) AND end_time IS NULL", household.people
    )
    seats = await connection.fetch(
        "SELECT * FROM library.family_seats WHERE owner_user_id = $1 AND holder_user_id IS NOT NULL", owner
    )
    for game in household.games:
        own = [one for one in running if one["product_id"] == game and one["user_id"] == owner]
        shared = [one for one in running if one["product_id"] == game and one["copy_owner_user_id"] == owner]
        [seat] = [one for one in seats if one["product_id"] == game] or [None]
        assert len(shared) <= 1
        if shared:
            assert seat["session_id"] == shared[0]["id"]
            assert seat["holder_user_id"] == shared[0]["user_id"]
            assert seat["seat_number"] == shared[0]["seat_number"]
            allowed = await connection.fetchval(
                "SELECT count(*) FROM library.family_sharing_links AS link JOIN library.user_library_items AS item "
                "ON item.user_id = link.owner_user_id WHERE link.owner_user_id = $1 AND link.shared_with_user_id = $2 "
                "AND link.status = 'active' AND item.product_id = $3 AND item.acquisition_type IS NOT NULL "
                "AND (link.mode = 'all' OR item.product_id <> ALL (link.product_ids))",
                owner,
                shared[0]["user_id"],
                game,
            )
            assert allowed == 1
        if own and shared:
            assert now < seat["lost_at"] <= now + GRACE
        if seat and not shared:
            raise AssertionError("a seat is held by a session that does not run")


async def everybody_can_sit_down(household):
    """After all sessions have ended, each copy that somebody may play is free for the next player."""
    for who in range(MEMBERS + 1):
        for game in range(GAMES):
            await household.do("end", who, game)
    await household.settle()
    for game in range(GAMES):
        await household.buy(OWNER, game)
    for member in range(1, MEMBERS + 1):
        await household.do("revoke", member, 0)
        for game in range(GAMES):
            await household.refund(member, game)
    household.instance.world.later(25 * 3600)  # so that the pair may be invited again
    for member in range(1, MEMBERS + 1):
        await household.share(member, 0)
        for game in range(GAMES):
            session = await household.instance.start(household.people[member], household.games[game])
            assert session.seat_number
            await household.instance.end(household.people[member], session.id)


@pytest.mark.long
@settings(
    max_examples=sized(5, 25),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ROUNDS)
async def test_never_two_players_on_one_copy_and_never_a_seat_that_is_lost(world, connection, rounds):
    async with world.instance() as instance:
        instance.world = world
        household = Household(instance)
        await household.move_in()
        for together, seconds in rounds:
            await asyncio.gather(*(household.do(*one) for one in together))
            await household.settle()
            await look(connection, household, world.now)
            world.later(seconds)
            await household.settle()
            await look(connection, household, world.now)
        await everybody_can_sit_down(household)


@pytest.mark.long
async def test_two_members_of_a_hundred_rounds(world, connection):
    """The same instant again and again: exactly one gets the seat each time."""
    async with world.instance() as instance:
        household = Household(instance)
        await household.move_in()
        for number in range(100):
            both = await asyncio.gather(
                *(instance.start(household.people[who], household.games[0]) for who in (1, 2)), return_exceptions=True
            )
            started = [one for one in both if not isinstance(one, Exception)]
            refused = [one.code for one in both if isinstance(one, Exception)]
            assert (len(started), refused) == (1, ["FAMILY_SEAT_BUSY"])
            assert started[0].seat_number == number + 1
            await look(connection, household, world.now)
            if number % 10 == 0:  # the owner comes in between
                owner = await instance.start(household.people[OWNER], household.games[0])
                world.later(GRACE.total_seconds() + 1)
                await household.settle()
                await look(connection, household, world.now)
                await instance.end(household.people[OWNER], owner.id)
            else:
                who = household.people[1 if not isinstance(both[0], Exception) else 2]
                await instance.end(who, started[0].id)
            world.later(timedelta(seconds=1).total_seconds())
