"""One transaction at a time on a user, by advisory locks of a real PostgreSQL."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.kernel.serialise import (
    NotInTransaction,
    UnsuitableIsolation,
    by_advisory_lock,
    lock_idle_users,
    lock_space,
)

WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""
SPACE, OTHER_SPACE = lock_space("wishlist"), lock_space("savegames")


@pytest.fixture
async def connections(database):
    made = [await asyncpg.connect(database) for _ in range(2)]
    yield made
    for one in made:
        await one.close()


async def waits(watching, task):
    """Returns once the task waits for an advisory lock; what it says when it is over before that is raised."""
    while not await watching.fetchval(WAITING):
        assert not task.done(), await task
        await asyncio.sleep(0)


async def serialise(connection, user, space=SPACE):
    async with connection.transaction():
        await by_advisory_lock(connection, space)(user)


@pytest.mark.parametrize("commits", [True, False])
async def test_another_transaction_waits_until_the_first_one_ends(connections, commits):
    first, second = connections
    user = uuid4()
    transaction = first.transaction()
    await transaction.start()
    ask = by_advisory_lock(first, SPACE)
    await ask(user)
    await ask(user)
    other = asyncio.create_task(serialise(second, user))
    await waits(first, other)
    await (transaction.commit() if commits else transaction.rollback())
    await asyncio.wait_for(other, 10)


async def test_other_users_and_other_packages_do_not_wait(connections):
    first, second = connections
    user = uuid4()
    async with first.transaction():
        await by_advisory_lock(first, SPACE)(user)
        await asyncio.wait_for(serialise(second, uuid4()), 10)
        await asyncio.wait_for(serialise(second, user, OTHER_SPACE), 10)


async def test_outside_a_transaction_it_is_refused(connections):
    with pytest.raises(NotInTransaction, match="transaction"):
        await by_advisory_lock(connections[0], SPACE)(uuid4())


async def test_where_a_transaction_reads_one_snapshot_it_is_refused(connections):
    """It would wait for the one before, and then decide on what was there before that."""
    [connection, _] = connections
    async with connection.transaction(isolation="repeatable_read"):
        with pytest.raises(UnsuitableIsolation, match="READ COMMITTED"):
            await by_advisory_lock(connection, SPACE)(uuid4())
    async with connection.transaction(isolation="serializable"):
        await by_advisory_lock(connection, SPACE)(uuid4())


async def test_a_lock_that_a_savepoint_gave_back_is_taken_anew(connections):
    first, second = connections
    user = uuid4()
    ask = by_advisory_lock(first, SPACE)
    async with first.transaction():
        with suppress(ZeroDivisionError):
            async with first.transaction():
                await ask(user)
                raise ZeroDivisionError
        await asyncio.wait_for(serialise(second, user), 10)
        await ask(user)
        async with second.transaction():
            assert await lock_idle_users(second, SPACE, [user]) == set()


async def test_the_transaction_has_an_id_before_anything_is_read(connections):
    [connection, _] = connections
    async with connection.transaction():
        await by_advisory_lock(connection, SPACE)(uuid4())
        assert await connection.fetchval("SELECT pg_current_xact_id_if_assigned()::text") is not None


async def test_a_job_takes_the_users_whom_nobody_has(connections):
    first, second = connections
    busy, idle = uuid4(), uuid4()
    async with first.transaction(), second.transaction():
        await by_advisory_lock(first, SPACE)(busy)
        assert await lock_idle_users(second, SPACE, [busy, idle]) == {idle}
        assert await lock_idle_users(first, SPACE, [busy, idle]) == {busy}
        assert await lock_idle_users(first, SPACE, []) == set()


async def test_ids_of_one_moment_have_locks_of_their_own(connections):
    """Ids of version 7 begin with the time, so all those of one minute begin alike."""
    first, second = connections
    ids = [UUID(int=(0x0192F0C1_0000_7000 << 64) + number) for number in range(100)]
    async with first.transaction(), second.transaction():
        await by_advisory_lock(first, SPACE)(ids[0])
        assert await lock_idle_users(second, SPACE, ids) == set(ids[1:])


def test_a_space_stays_the_same_in_every_release():
    """Two releases that run side by side have to take the same locks."""
    assert (SPACE, OTHER_SPACE) == (-1662965199, -572068785)
