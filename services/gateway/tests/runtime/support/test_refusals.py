"""A caller who is refused again and again doesn't fill the audit, and no refusal is lost from it."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.identity import Identity, Role
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import AuditLog, EntryKind, NewEntry
from gameshelf.gateway.runtime.support.refusals import IN_FULL, RefusalAudit
from gameshelf.gateway.runtime.tables import NOBODY_HASH


@pytest.fixture
async def pool(platform):
    async with asyncpg.create_pool(platform.dsn, min_size=1, max_size=4) as made:
        yield made


async def test_refusals_beyond_some_share_an_entry_that_counts_them(pool):
    now = [0.0]
    refusals = RefusalAudit(AuditLog(UserStreams(b"key" * 16)), clock=lambda: now[0])
    by, other = (Identity(uuid4(), frozenset({Role.USER})) for _ in range(2))
    refusal = NewEntry(EntryKind.REFUSAL, "user show", uuid4(), {"user_id": "x"}, code="PERMISSION_DENIED")

    async def refuse(who):
        async with pool.acquire() as connection:
            await refusals.add_refusal(connection, who, refusal)

    async def kept(who):
        return await pool.fetch(
            "SELECT target, user_id, user_hash FROM gateway.audit WHERE actor_id = $1 ORDER BY id", who.user_id
        )

    await asyncio.gather(*(refuse(by) for _ in range(600)), refuse(other))
    rows = await kept(by)
    assert len(rows) == IN_FULL + 1
    assert {(row["user_id"], row["user_hash"]) for row in rows} == {(None, NOBODY_HASH)}
    [shared] = [row["target"] for row in rows if "refusals" in row["target"]]
    assert shared == '{"refusals": 590}'
    assert len(await kept(other)) == 1

    now[0] = 60.0  # a new minute begins in full again
    await refuse(by)
    assert len(await kept(by)) == IN_FULL + 2
