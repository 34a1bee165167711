"""The port ``serialise`` of domains, one transaction at a time per user, as the runtime's transaction implements it."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.composed import event_rules_of
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.gateway.runtime.transaction import Transactions

STREAMS = UserStreams(b"k" * 32)


@pytest.fixture
async def pool(dsn):
    async with asyncpg.create_pool(dsn, min_size=2, max_size=2, command_timeout=PATIENCE_SECONDS) as pool:
        yield pool


@pytest.fixture
def transactions(pool):
    return Transactions(
        pool.acquire, STREAMS, {}, event_rules_of(()), events_topic="events", committed=lambda done: None
    )


async def is_locked(pool, user):
    """Whether another transaction holds the user's row."""
    async with pool.acquire() as connection:
        free = "SELECT user_id FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE SKIP LOCKED"
        return await connection.fetchval(free, user) is None


async def test_the_user_of_a_transaction_costs_no_round_trip(transactions):
    user, statements = uuid4(), []
    async with transactions.begin(user) as transaction:
        transaction.connection.add_query_logger(statements.append)
        await transaction.serialise(user)
        await asyncio.sleep(0)  # what was sent is noted in the next round of the loop
        transaction.connection.remove_query_logger(statements.append)
    assert statements == []


async def test_another_user_is_locked_until_the_end(pool, transactions):
    user, other = uuid4(), uuid4()
    async with transactions.begin(other):
        pass
    async with transactions.begin(user) as transaction:
        await transaction.serialise(other)
        assert await is_locked(pool, other)
    assert not await is_locked(pool, other)


async def test_a_lock_that_a_savepoint_gave_back_is_taken_again(pool, transactions):
    user, other = uuid4(), uuid4()
    async with transactions.begin(other):
        pass
    async with transactions.begin(user) as transaction:
        with suppress(ZeroDivisionError):
            async with transaction.savepoint():
                await transaction.serialise(other)
                raise ZeroDivisionError
        assert not await is_locked(pool, other)
        await transaction.serialise(other)
        assert await is_locked(pool, other)


async def test_an_erased_user_is_refused(pool, transactions):
    user = uuid4()
    async with pool.acquire() as connection:
        await STREAMS.mark_erased(connection, user)
    async with transactions.begin_with_nobody() as transaction:
        with pytest.raises(UserErased):
            await transaction.serialise(user)
        transaction.discard()
