"""Events that one user's change causes for another arrive in order, at the right session, and past busy users."""

import json
from uuid import uuid4

import asyncpg
from gameshelf.library import FamilyLinks, LinkChanges, LinkMode, NewLink


class Pair:
    """An owner of a game, and a member of their family."""

    def __init__(self, instance):
        self.instance = instance
        self.owner, self.member, self.game = uuid4(), uuid4(), uuid4()
        self.link_id = None

    async def share(self):
        await self.instance.own(self.owner, self.game, self.instance.clock())
        async with self.instance.transactions.begin(self.owner) as transaction:
            new = NewLink(shared_with_user_id=self.member)
            self.link_id = (await transaction.of(FamilyLinks).invite(self.owner, new)).id
        await self.accept()
        return self

    async def accept(self):
        async with self.instance.transactions.begin(self.member) as transaction:
            await transaction.of(FamilyLinks).accept(self.member, self.link_id)
        await self.instance.shares.run_once()

    async def revoke(self):
        async with self.instance.transactions.begin(self.owner) as transaction:
            await transaction.of(FamilyLinks).revoke(self.owner, self.link_id)

    async def change(self, **changes):
        async with self.instance.transactions.begin(self.owner) as transaction:
            await transaction.of(FamilyLinks).change(self.owner, self.link_id, LinkChanges(**changes))

    async def play(self):
        return await self.instance.start(self.member, self.game)


async def test_the_last_message_about_a_link_is_of_its_last_change(world, connection):
    """Also where an earlier change by the other party still waits to be forwarded."""
    async with world.instance() as instance:
        pair = await Pair(instance).share()
        await pair.revoke()
        await instance.forwarding.run_once()
        for user in (pair.owner, pair.member):
            rows = await connection.fetch("SELECT message FROM gateway.feed WHERE user_id = $1 ORDER BY sequence", user)
            messages = [json.loads(row["message"]) for row in rows]
            statuses = [one["payload"]["status"] for one in messages if one["event_type"] == "family.link.updated"]
            assert statuses == ["pending_approval", "active", "revoked_by_owner"]
        records = await connection.fetch("SELECT value FROM gateway.outbox WHERE user_id = $1 ORDER BY id", pair.owner)
        sent = [json.loads(row["value"]) for row in records]
        statuses = [one["data"]["status"] for one in sent if one["type"].endswith("family.link.updated.v1")]
        assert statuses == ["pending_approval", "active", "revoked_by_owner"]
        assert await connection.fetchval("SELECT count(*) FROM gateway.forwarded_events") == 0


async def test_a_withdrawn_share_ends_its_session_and_no_later_one(world, connection):
    async with world.instance() as instance:
        pair = await Pair(instance).share()
        await instance.forwarding.run_once()
        before = await pair.play()
        await pair.change(mode=LinkMode.ONLY)
        await pair.change(mode=LinkMode.ALL)
        await instance.end(pair.member, before.id)
        again = await pair.play()
        await instance.forwarding.run_once()
        running = await connection.fetch(
            "SELECT id FROM playtime.playtime_sessions WHERE user_id = $1 AND end_time IS NULL", pair.member
        )
        assert [row["id"] for row in running] == [again.id]


async def test_a_user_whose_row_is_held_does_not_hold_up_events_for_others(world, connection):
    async with world.instance() as instance:
        held, other = [await Pair(instance).share() for _ in range(2)]
        sessions = [await pair.play() for pair in (held, other)]
        await instance.forwarding.run_once()
        for pair in (held, other):
            await pair.revoke()
        ended = "SELECT end_reason FROM playtime.playtime_sessions WHERE id = $1"
        holder = await asyncpg.connect(world.dsn)
        async with holder.transaction():
            await holder.fetch("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", held.member)
            await instance.forwarding.run_once()
            assert await connection.fetchval(ended, sessions[1].id) == "access_revoked"
            assert await connection.fetchval(ended, sessions[0].id) is None
        await holder.close()
        await instance.forwarding.run_once()
        assert await connection.fetchval(ended, sessions[0].id) == "access_revoked"
