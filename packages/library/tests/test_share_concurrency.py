"""Owners buy, lose and share games while jobs refresh what their members keep; any transaction may be cut off."""

import asyncio
import random
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.kernel.clock import utc_now
from gameshelf.library import (
    FamilyLinkInvalidState,
    FamilyLinks,
    FamilyQueries,
    FamilyShares,
    GrantKind,
    LibraryService,
    NewGrant,
    NewLink,
)

DIFFERING = """
WITH shared AS (
    SELECT m.user_id, m.owner_user_id, i.product_id, i.added_at FROM library.family_memberships m
    JOIN library.user_library_items i ON i.user_id = m.owner_user_id AND i.acquisition_type IS NOT NULL
    WHERE m.status = 'active'
)
SELECT * FROM shared FULL JOIN library.shared_products kept USING (user_id, owner_user_id, product_id, added_at)
WHERE (shared IS NULL OR kept IS NULL) AND owner_user_id = ANY ($1)
"""


class CutOff(Exception):
    """Stands for a process that ends before its commit."""


class World:
    """Two owners and two members."""

    def __init__(self, pool, seed):
        self.pool = pool
        self.chance = random.Random(seed)
        self.owners, self.members = [uuid4(), uuid4()], [uuid4(), uuid4()]
        self.games = [uuid4() for _ in range(5)]

    async def run(self, work):
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await work(connection)
                if self.chance.random() < 0.2:
                    raise CutOff
        except (CutOff, FamilyLinkInvalidState):  # or another one has changed the link meanwhile
            pass

    async def buy(self, connection, owner, order):
        grant = NewGrant(self.chance.choice(self.games), GrantKind.GIFT, order, utc_now())
        await LibraryService(connection, ignore).grant(owner, [grant])

    async def lose(self, connection, owner):
        query = "SELECT product_id, source_id FROM library.ownership_grants WHERE user_id = $1 AND ended_at IS NULL"
        for row in await connection.fetch(query, owner):
            await LibraryService(connection, ignore).end_grants(
                owner, GrantKind.GIFT, row["source_id"], [row["product_id"]]
            )

    async def act(self, number):
        owner, member = self.chance.choice(self.owners), self.chance.choice(self.members)
        what = self.chance.random()
        if what < 0.5:
            await self.run(lambda connection: self.buy(connection, owner, str(number)))
        elif what < 0.7:
            await self.run(lambda connection: self.lose(connection, owner))
        else:
            await self.change_link(owner, member)

    async def change_link(self, owner, member):
        async with self.pool.acquire() as connection:
            link = await connection.fetchrow(
                "UPDATE library.family_sharing_links SET invited_at = '{}' "
                "WHERE owner_user_id = $1 AND shared_with_user_id = $2 RETURNING id, status",
                owner,
                member,
            )
        if link is None or link["status"] == "revoked_by_owner":
            new = NewLink(shared_with_user_id=member)
            await self.run(lambda connection: FamilyLinks(connection, ignore).invite(owner, new))
        elif link["status"] == "pending_approval":
            await self.run(lambda connection: FamilyLinks(connection, ignore).accept(member, link["id"]))
        else:
            await self.run(lambda connection: FamilyLinks(connection, ignore).revoke(owner, link["id"]))

    async def refresh(self):
        """One run of the job; returns whether there was anything to do."""
        async with self.pool.acquire() as connection:
            queries = FamilyQueries(connection)
            changed, outdated = await queries.changed_owners(10), await queries.outdated_links(10)
        for owner in changed:
            await self.run(lambda connection, owner=owner: FamilyShares(connection, ignore).mark_links(owner))
        for link in outdated:
            await self.run(lambda connection, link=link: FamilyShares(connection, ignore, part=2).refresh(*link))
        return bool(changed or outdated)


def ignore(event):
    pass


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_members_end_with_what_their_owners_share(own_dsn, seed):
    pool = await asyncpg.create_pool(own_dsn, min_size=6, max_size=6)
    world = World(pool, seed)
    actors = asyncio.gather(*(act_often(world) for _ in range(3)))
    while not actors.done():
        await asyncio.gather(world.refresh(), world.refresh())
    await actors
    active = "SELECT count(*) FROM library.family_memberships WHERE status = 'active' AND owner_user_id = ANY ($1)"
    while not await pool.fetchval(active, world.owners):
        await world.change_link(world.owners[0], world.members[0])
    while await world.refresh():
        pass
    assert await pool.fetch(DIFFERING, world.owners) == []
    await pool.close()


async def act_often(world):
    for number in range(80):
        await world.act(number)
