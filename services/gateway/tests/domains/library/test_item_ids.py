"""Ids of items from a release before: they work, and a job rewrites them once the rollout is over."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import RFC_4122, UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.domains.library.jobs.item_ids import ItemIdRewriting
from gameshelf.gateway.runtime.composed import event_rules_of
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import utc_now

_BITS = 0xF << 76 | 0xC0 << 56
"""The bits of version and variant."""


@pytest.fixture
async def rewriting(platform, connection):
    """The job, two days after the migration; the service's own instances wait for the rollout's end."""
    pool = await asyncpg.create_pool(platform.dsn, min_size=1, max_size=2)
    streams = UserStreams(b"0123456789abcdef" * 4)

    @asynccontextmanager
    async def acquire():
        async with pool.acquire() as connection:
            yield connection

    transactions = Transactions(acquire, streams, {}, event_rules_of(()), "events", lambda commit: None)
    later = utc_now() + timedelta(days=2)
    yield ItemIdRewriting(transactions, lambda: later, at_once=100)
    await pool.close()


async def items_of(player):
    return {item["attributes"]["product_id"]: item for item in (await player.get("/items"))["data"]}


async def stored(player, connection):
    """The ids in the table: a cached page does not have the changes that a test writes."""
    rows = await connection.fetch("SELECT id FROM library.user_library_items WHERE user_id = $1", player.id)
    return {str(row["id"]) for row in rows}


async def make_old(player, connection):
    """Gives the player's items the ids that a release before would have; the new and the old id by product."""
    ids = {}
    for product, item in (await items_of(player)).items():
        new = UUID(item["id"])
        old = UUID(int=new.int ^ _BITS)
        await connection.execute(
            "UPDATE library.user_library_items SET id = $2 WHERE user_id = $1 AND id = $3", player.id, old, new
        )
        ids[product] = (str(new), str(old))
    return ids


async def owner(player, count, wait_until):
    await player.buys(*(uuid4() for _ in range(count)))

    async def arrived():
        return len(await player.products()) == count

    await wait_until(arrived)


async def test_a_new_item_has_an_id_that_validators_accept(player, wait_until):
    await owner(player, 8, wait_until)
    for item in (await items_of(player)).values():
        assert (UUID(item["id"]).version, UUID(item["id"]).variant) == (8, RFC_4122)


async def test_old_ids_work_before_and_after_they_are_rewritten(player, connection, rewriting, wait_until):
    await owner(player, 7, wait_until)
    ids = await make_old(player, connection)

    async def all_work():
        for product, spelled in ids.items():
            for one in spelled:
                found = (await player.get(f"/items/{one}"))["data"]
                assert found["attributes"]["product_id"] == product
                changed = await player.patch(f"/items/{one}", {"is_hidden": False})
                assert changed.status_code == 200, changed.text

    await all_work()
    tag = (await player.http.get("/items")).headers["ETag"]
    await restart_rewrite(connection)
    await rewritten(player, ids, connection, rewriting)
    assert {product: item["id"] for product, item in (await items_of(player)).items()} == {
        product: new for product, (new, _) in ids.items()
    }
    assert (await player.http.get("/items", headers={"If-None-Match": tag})).status_code == 200
    await all_work()


async def restart_rewrite(connection):
    await connection.execute(
        "UPDATE library.item_id_rewrite SET finished_at = NULL, has_skipped = false, not_before = now(), "
        "after_user = $1, after_item = $1",
        UUID(int=0),
    )


async def rewritten(player, ids, connection, rewriting):
    """Runs the job until the player's ids are new; other processes may be at it, too."""
    news = {new for new, _ in ids.values()}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stored(player, connection) != news:
            await connection.execute("UPDATE library.item_id_rewrite SET not_before = now()")
            await rewriting.run_once()


async def test_nobody_is_rewritten_while_the_rollout_may_last(player, connection, rewriting, wait_until):
    await owner(player, 1, wait_until)
    ids = await make_old(player, connection)
    await restart_rewrite(connection)
    await connection.execute("UPDATE library.item_id_rewrite SET not_before = now() + interval '3 days'")
    await rewriting.run_once()
    assert await stored(player, connection) == {old for _, old in ids.values()}


async def test_who_is_held_is_passed_over_and_looked_for_again(platform, player, connection, rewriting, wait_until):
    await owner(player, 2, wait_until)
    ids = await make_old(player, connection)
    await restart_rewrite(connection)
    holder = await asyncpg.connect(platform.dsn)
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", player.id)
        await rewriting.run_once()
        assert await stored(player, connection) == {old for _, old in ids.values()}
    await holder.close()
    await rewritten(player, ids, connection, rewriting)
