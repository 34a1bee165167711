"""Players who get or lose their own copy while they play: sessions, seats and the ledger, by a clock that is moved."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.library import GRACE, FamilyLinks, LibraryService, NewLink
from gameshelf.playtime import CopyQueries, FamilySeatLost, Interval


class Family:
    """An owner of a game who shares it with a member."""

    def __init__(self, instance, world):
        self.instance, self.world = instance, world
        self.owner, self.member, self.game = uuid4(), uuid4(), uuid4()

    async def move_in(self):
        await self.instance.own(self.owner, self.game, self.world.now)
        async with self.instance.transactions.begin(self.owner) as transaction:
            link = await transaction.of(FamilyLinks).invite(self.owner, NewLink(shared_with_user_id=self.member))
        async with self.instance.transactions.begin(self.member) as transaction:
            await transaction.of(FamilyLinks).accept(self.member, link.id)
        await self.instance.shares.run_once()
        return self

    async def buy(self):
        await self.instance.own(self.member, self.game, self.world.now)

    async def refund(self):
        async with self.instance.transactions.begin(self.member) as transaction:
            service = transaction.of(LibraryService)
            await service.revoke(self.member, self.game)

    async def settle(self, instance=None):
        instance = instance or self.instance
        await instance.forwarding.run_once()
        await instance.family_clock.run_once()
        await instance.lost_seats.refresh()


async def running(connection, user):
    return await connection.fetchrow(
        "SELECT * FROM playtime.playtime_sessions WHERE user_id = $1 AND end_time IS NULL", user
    )


async def played(connection, family, since):
    """Returns when the owner's copy was played."""
    copy, both = (family.owner, family.game), {family.owner, family.member}
    found = await CopyQueries(connection).played_by(both, [copy], Interval(since, family.world.now))
    return sorted((one.start, one.end) for one in found[copy])


async def test_the_ledger_keeps_which_part_was_played_on_whose_copy(world, connection):
    async with world.instance() as instance:
        family = await Family(instance, world).move_in()
        began = world.now
        session = await instance.start(family.member, family.game)
        world.later(100)
        await family.buy()
        bought = world.now
        world.later(50)
        await family.refund()
        lost = world.now
        world.later(25)
        assert await played(connection, family, began) == [(began, bought), (lost, world.now)]
        ended = await instance.end(family.member, session.id)
        assert (ended.duration_seconds, ended.end_reason) == (175, "completed")
        assert await played(connection, family, began) == [(began, bought), (lost, world.now)]


async def test_who_bought_in_the_grace_is_not_stopped_when_it_is_over(world, connection):
    async with world.instance() as instance, world.instance() as other:
        family = await Family(instance, world).move_in()
        session = await instance.start(family.member, family.game)
        await instance.settled()
        await instance.start(family.owner, family.game)
        await family.settle()
        await other.lost_seats.refresh()
        world.later(GRACE.total_seconds() - 1)
        await family.buy()
        world.later(2)
        # Another process does not know it yet, and still takes the seat for lost.
        await other.beat(family.member, session.id)
        for each in (instance, other):
            await family.settle(each)
            await each.beat(family.member, session.id)
        assert (await running(connection, family.member))["id"] == session.id


async def test_who_did_not_buy_is_stopped(world, connection):
    async with world.instance() as instance:
        family = await Family(instance, world).move_in()
        session = await instance.start(family.member, family.game)
        await instance.start(family.owner, family.game)
        world.later(GRACE.total_seconds() + 1)
        with pytest.raises(FamilySeatLost):
            await instance.beat(family.member, session.id)
        await family.settle()
        assert await running(connection, family.member) is None


async def test_one_of_two_devices_keeps_the_share_unless_it_is_silent(world, connection):
    async with world.instance() as instance:
        family = await Family(instance, world).move_in()
        await family.buy()
        first = await instance.start(family.member, family.game, "first")
        world.later(1)
        second = await instance.start(family.member, family.game, "second")
        await family.refund()
        left = await running(connection, family.member)
        assert (left["id"], left["copy_owner_user_id"]) == (second.id, family.owner)
        reasons = await connection.fetchval("SELECT end_reason FROM playtime.playtime_sessions WHERE id = $1", first.id)
        assert reasons == "access_revoked"
        await instance.end(family.member, second.id)
        await family.buy()
        await instance.start(family.member, family.game)
        world.later(1000)
        await family.refund()
        assert await running(connection, family.member) is None


async def test_two_who_share_with_each_other_lose_their_copies_at_once(world, connection):
    """As in a mass revocation of stolen keys: nobody plays on, no seat is left taken, and nothing hangs."""
    async with world.instance() as instance:
        one = await Family(instance, world).move_in()
        other = Family(instance, world)
        other.owner, other.member, other.game = one.member, one.owner, one.game
        await other.move_in()
        await instance.start(one.owner, one.game)
        await instance.start(one.member, one.game)

        async def lose(user):
            for _ in range(5):
                try:
                    async with instance.transactions.begin(user) as transaction:
                        await transaction.of(LibraryService).revoke(user, one.game)
                    return
                except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
                    continue
            raise AssertionError("it is never refunded")

        await asyncio.gather(lose(one.owner), lose(one.member))
        await one.settle()
        assert await running(connection, one.owner) is None
        assert await running(connection, one.member) is None
        held = await connection.fetchval(
            "SELECT count(*) FROM library.family_seats WHERE owner_user_id = ANY($1) AND holder_user_id IS NOT NULL",
            [one.owner, one.member],
        )
        assert held == 0
