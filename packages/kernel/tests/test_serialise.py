"""One transaction at a time changes a user's data, by advisory locks of a real PostgreSQL."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.kernel.serialise import (
    LOCK_SPACE,
    NotInTransaction,
    UnsuitableIsolation,
    by_advisory_lock,
    lock_idle_users,
)

LOCKS = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE datname = current_database() AND locktype = 'advisory' AND granted = $1
"""


@pytest.fixture
async def connections(database):
    made = [await asyncpg.connect(database) for _ in range(2)]
    yield made
    for one in made:
        await one.close()


async def waits(watching, task):
    """Returns once the task waits for an advisory lock. Raises the error of a task that ends before."""
    while not await watching.fetchval(LOCKS, False):
        assert not task.done(), await task
        await asyncio.sleep(0)


async def serialise(connection, user):
    async with connection.transaction():
        await by_advisory_lock(connection)(user)


@pytest.mark.parametrize("commits", [True, False])
async def test_another_transaction_waits_until_the_first_one_ends(connections, commits):
    first, second = connections
    user = uuid4()
    transaction = first.transaction()
    await transaction.start()
    lock = by_advisory_lock(first)
    await lock(user)
    await lock(user)
    other = asyncio.create_task(serialise(second, user))
    await waits(first, other)
    await (transaction.commit() if commits else transaction.rollback())
    await asyncio.wait_for(other, PATIENCE_SECONDS)


async def test_other_users_do_not_wait(connections):
    first, second = connections
    async with first.transaction():
        await by_advisory_lock(first)(uuid4())
        await asyncio.wait_for(serialise(second, uuid4()), PATIENCE_SECONDS)


async def test_several_services_in_one_transaction_share_one_lock(connections):
    """With a lock for each of them two transactions that call them in different orders would wait for each other."""
    first, _ = connections
    user = uuid4()
    async with first.transaction():
        for _ in range(3):
            await by_advisory_lock(first)(user)
        assert await first.fetchval(LOCKS, True) == 1


async def test_outside_a_transaction_it_is_refused(connections):
    with pytest.raises(NotInTransaction, match="transaction"):
        await by_advisory_lock(connections[0])(uuid4())


async def test_where_a_transaction_reads_one_snapshot_it_is_refused(connections):
    """It would wait for the transaction before, and then decide on the state from before that one."""
    [connection, _] = connections
    async with connection.transaction(isolation="repeatable_read"):
        with pytest.raises(UnsuitableIsolation, match="READ COMMITTED"):
            await by_advisory_lock(connection)(uuid4())
    async with connection.transaction(isolation="serializable"):
        await by_advisory_lock(connection)(uuid4())


async def test_a_lock_that_a_savepoint_released_is_taken_again(connections):
    first, second = connections
    user = uuid4()
    lock = by_advisory_lock(first)
    async with first.transaction():
        with suppress(ZeroDivisionError):
            async with first.transaction():
                await lock(user)
                raise ZeroDivisionError
        await asyncio.wait_for(serialise(second, user), PATIENCE_SECONDS)
        await lock(user)
        async with second.transaction():
            assert await lock_idle_users(second, [user]) == set()


async def test_the_transaction_has_an_id_before_anything_is_read(connections):
    [connection, _] = connections
    async with connection.transaction():
        await by_advisory_lock(connection)(uuid4())
        assert await connection.fetchval("SELECT pg_current_xact_id_if_assigned()::text") is not None


async def test_a_job_locks_the_users_whom_no_other_transaction_has_locked(connections):
    first, second = connections
    busy, idle = uuid4(), uuid4()
    async with first.transaction(), second.transaction():
        await by_advisory_lock(first)(busy)
        assert await lock_idle_users(second, [busy, idle]) == {idle}
        assert await lock_idle_users(first, [busy, idle]) == {busy}
        assert await lock_idle_users(first, []) == set()


async def test_ids_of_one_moment_have_locks_of_their_own(connections):
    """Ids of version 7 begin with the time, so all ids of one minute have the same beginning."""
    first, second = connections
    ids = [UUID(int=(0x0192F0C1_0000_7000 << 64) + number) for number in range(100)]
    async with first.transaction(), second.transaction():
        await by_advisory_lock(first)(ids[0])
        assert await lock_idle_users(second, ids) == set(ids[1:])


def test_the_lock_space_stays_the_same_in_every_release():
    """Two releases that run at the same time have to take the same locks."""
    assert LOCK_SPACE == -281302771
