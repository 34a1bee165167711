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
        await self.invite()
        await self.accept()
        await self.instance.shares.run_once()
        return self

    async def invite(self):
        new = NewLink(shared_with_user_id=self.member)
        self.link_id = (await self._run(self.owner, lambda links: links.invite(self.owner, new))).id

    async def accept(self):
        await self._run(self.member, lambda links: links.accept(self.member, self.link_id))

    async def revoke(self):
        await self._run(self.owner, lambda links: links.revoke(self.owner, self.link_id))

    async def change(self, **changes):
        new = LinkChanges(**changes)
        await self._run(self.owner, lambda links: links.change(self.owner, self.link_id, new))

    async def _run(self, user, act):
        """As the routes do it."""
        return await self.instance.transactions.run(user, lambda transaction: act(transaction.of(FamilyLinks)))

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


async def test_a_change_that_commits_before_the_link_is_locked_comes_first(world, connection):
    """The owner's row is locked, and no forwarded event was seen, when the member accepts."""
    async with world.instance() as instance:
        pair = Pair(instance)
        await pair.invite()
        await instance.forwarding.run_once()

        async def revoke_what_is_accepted(transaction):
            await pair.accept()
            await transaction.of(FamilyLinks).revoke(pair.owner, pair.link_id)

        await instance.transactions.run(pair.owner, revoke_what_is_accepted)
        await instance.forwarding.run_once()
        records = await connection.fetch("SELECT value FROM gateway.outbox WHERE user_id = $1 ORDER BY id", pair.owner)
        sent = [json.loads(row["value"]) for row in records]
        statuses = [one["data"]["status"] for one in sent if one["type"].endswith("family.link.updated.v1")]
        assert statuses == ["pending_approval", "active", "revoked_by_owner"]


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
