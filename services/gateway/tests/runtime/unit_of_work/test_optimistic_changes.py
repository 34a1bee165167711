"""Optimistic changes of one user: a change that another one overtook reads and decides again."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.composed import event_rules_of
from gameshelf.gateway.runtime.failures import postgres_is_away
from gameshelf.gateway.runtime.http.idempotency import IdempotencyKey, answer_once
from gameshelf.gateway.runtime.http.reply import Reply
from gameshelf.gateway.runtime.http.routing import Write
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.gateway.runtime.unit_of_work.units import LockedUnit, OptimisticUnit
from gameshelf.kernel.database import Statement
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.kernel.sql import user
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

STREAMS = UserStreams(b"k" * 32)
WRITERS = 50
_counters = Table("counters", MetaData(schema="tried"), Column("user_id", Uuid, primary_key=True), Column("n", Integer))
READ = Statement(select(_counters.c.n).where(_counters.c.user_id == user()))
_n = bindparam("n", type_=Integer)
WRITE = Statement(
    insert(_counters).values(user_id=user(), n=_n).on_conflict_do_update(index_elements=["user_id"], set_={"n": _n})
)

ADD = Statement(insert(_counters).values(user_id=user(), n=_n))


@pytest.fixture(scope="module")
async def counted(dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE SCHEMA tried; CREATE TABLE tried.counters (user_id uuid PRIMARY KEY, n int)")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(dsn, counted):
    async with asyncpg.create_pool(dsn, min_size=1, max_size=20, command_timeout=PATIENCE_SECONDS) as pool:
        yield pool


@pytest.fixture
def transactions(pool):
    return Transactions(
        pool.acquire, STREAMS, {}, event_rules_of(()), events_topic="events", committed=lambda done: None
    )


@pytest.fixture
async def player(transactions):
    """A user who has a row."""
    made = uuid4()
    async with transactions.begin(made):
        pass
    return made


class Count:
    """Adds one to a user's counter, and notes how it was tried. ``between`` runs after the first read."""

    def __init__(self, transactions, user_id, between=None, end=None):
        self.transactions, self.user_id = transactions, user_id
        self.between, self.end = between, end
        self.units = []

    async def __call__(self, transaction):
        self.units.append(type(transaction.connection))
        row = await READ.first(transaction.connection, user_id=self.user_id)
        n = (row["n"] if row else 0) + 1
        if self.between:
            between, self.between = self.between, None
            await between()
        await WRITE.write(transaction.connection, user_id=self.user_id, n=n)
        if self.end:
            self.end(transaction)
        return n

    async def run(self):
        return await self.transactions.run(self.user_id, self, Opening([READ.bind(user_id=self.user_id)]))


class Add(Count):
    """Adds the user's counter where there is none, by a statement that fails if there is one."""

    async def __call__(self, transaction):
        if await READ.first(transaction.connection, user_id=self.user_id):
            return await super().__call__(transaction)
        self.units.append(type(transaction.connection))
        if self.between:
            between, self.between = self.between, None
            await between()
        await ADD.write(transaction.connection, user_id=self.user_id, n=1)
        return 1


async def counter(counted, user_id):
    return await counted.fetchval("SELECT n FROM tried.counters WHERE user_id = $1", user_id)


async def version(counted, user_id):
    return await counted.fetchval("SELECT version FROM gateway.user_streams WHERE user_id = $1", user_id)


@pytest.mark.parametrize(("is_optimistic", "trips"), [(True, 2), (False, 4)])
async def test_a_change_costs_few_round_trips(counted, player, is_optimistic, trips):
    sent = []

    @asynccontextmanager
    async def acquire():
        yield counted

    transactions = Transactions(
        acquire, STREAMS, {}, event_rules_of(()), events_topic="events", committed=lambda done: None
    )
    before = await version(counted, player)
    opening = Opening([READ.bind(user_id=player)], is_optimistic=is_optimistic)
    assert await transactions.run(player, Count(transactions, player), opening) == 1
    with counted.query_logger(sent.append):
        assert await transactions.run(player, Count(transactions, player), opening) == 2
        await asyncio.sleep(0)  # what was sent is noted in the next round of the loop
    assert len(sent) == trips
    assert (await counter(counted, player), await version(counted, player)) == (2, before + 2)


async def test_many_writers_of_one_user_lose_nothing(counted, transactions, player):
    before = await version(counted, player)
    counts = [Count(transactions, player) for _ in range(WRITERS)]
    results = await asyncio.gather(*(count.run() for count in counts))
    assert sorted(results) == list(range(1, WRITERS + 1))
    assert (await counter(counted, player), await version(counted, player)) == (WRITERS, before + WRITERS)


async def test_who_is_overtaken_decides_again_with_a_lock(counted, transactions, player):
    count = Count(transactions, player, between=Count(transactions, player).run)
    assert await count.run() == 2
    assert (count.units, await counter(counted, player)) == ([OptimisticUnit, LockedUnit], 2)


async def test_a_writer_with_a_lock_overtakes_too(counted, transactions, player):
    async def overtake():
        await transactions.run(player, Count(transactions, player))

    count = Count(transactions, player, between=overtake)
    assert await count.run() == 2
    assert await counter(counted, player) == 2


async def test_a_violated_constraint_may_be_a_lost_race(counted, transactions, player):
    """As on Citus, where the parts of a statement run in any order: the version of the user is still the same."""

    async def overtake():
        await counted.execute("INSERT INTO tried.counters VALUES ($1, 5)", player)

    add = Add(transactions, player, between=overtake)
    assert await add.run() == 6
    assert (add.units, await counter(counted, player)) == ([OptimisticUnit, LockedUnit], 6)


@pytest.mark.parametrize("sqlstate", ["23505", "XX000"])
async def test_a_constraint_that_is_violated_again_is_an_error(counted, transactions, player, sqlstate):
    """XX000 is how Citus reports what is violated on a shard by a part of a statement."""
    await counted.execute(
        f"""
        CREATE FUNCTION tried.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'duplicate key' USING ERRCODE = '{sqlstate}';
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON tried.counters FOR EACH ROW WHEN (NEW.user_id = '{player}')
            EXECUTE FUNCTION tried.refuse();
        """
    )
    add = Add(transactions, player)
    with pytest.raises(asyncpg.PostgresError, match="duplicate key"):
        await add.run()
    await counted.execute("DROP FUNCTION tried.refuse CASCADE")
    assert (add.units, await counter(counted, player)) == ([OptimisticUnit, LockedUnit], None)


async def test_a_user_without_a_row_gets_one(counted, transactions):
    count = Count(transactions, uuid4())
    assert await count.run() == 1
    assert (count.units, await counter(counted, count.user_id)) == ([LockedUnit], 1)
    assert await count.run() == 2
    assert count.units[-1] is OptimisticUnit


async def test_nothing_is_written_for_an_account_that_is_erased_meanwhile(counted, pool, transactions, player):
    async def erase():
        async with pool.acquire() as connection:
            await STREAMS.mark_erased(connection, player)

    with pytest.raises(UserErased):
        await Count(transactions, player, between=erase).run()
    assert await counter(counted, player) is None


async def test_forwarded_events_come_before_an_optimistic_change(counted, transactions, player):
    add = "INSERT INTO gateway.forwarded_events (user_id, type, body) VALUES ($1, 'Unknown', '')"
    await counted.execute(add, player)
    count = Count(transactions, player)
    assert await count.run() == 1
    assert count.units == [LockedUnit]


async def test_a_refusal_is_of_one_state(counted, transactions, player):
    """The state changes between two reads; what the work refuses by both is decided again."""

    def refuse_odd(transaction):
        if len(count.units) == 1:
            raise PermissionDenied

    count = Count(transactions, player, between=Count(transactions, player).run, end=refuse_odd)
    assert await count.run() == 2

    def refuse(transaction):
        raise PermissionDenied

    with pytest.raises(PermissionDenied):
        await Count(transactions, player, end=refuse).run()
    assert await counter(counted, player) == 2


async def test_what_changes_no_data_but_keeps_an_answer_is_overtaken(counted, transactions, player):
    before = await version(counted, player)
    count = Count(transactions, player, end=lambda transaction: transaction.discard())
    assert await count.run() == 1
    assert (await counter(counted, player), await version(counted, player)) == (1, before + 1)
    overtaken = Count(
        transactions, player, between=Count(transactions, player).run, end=lambda transaction: transaction.discard()
    )
    assert await overtaken.run() == 3
    assert overtaken.units == [OptimisticUnit, LockedUnit]


@pytest.mark.parametrize("is_optimistic", [True, False])
async def test_two_requests_with_one_key_get_one_answer(pool, transactions, player, is_optimistic):
    """One of them is refused for a reason that is no part of the user's data, while the other one is under way."""
    key = IdempotencyKey.of(player, "POST /tried", "k", b"{}")
    opening = Opening([key.lookup()], is_optimistic=is_optimistic)

    async def refuse(write):
        raise PermissionDenied

    async def succeed(write):
        if underway:
            underway.pop()
            assert (await ask(refuse, opening)).status == 403
        await WRITE.write(write.transaction.connection, user_id=player, n=7)
        return Reply(201, b"{}")

    def ask(work, opening):
        def once(transaction):
            write = Write(transaction, None, {}, None)
            return answer_once(key, write, work, lambda error: Reply(403, b"{}"))

        return transactions.run(player, once, opening)

    underway = [True]
    first = await ask(succeed, Opening([key.lookup()]))
    again = await ask(succeed, Opening([key.lookup()]))
    assert (first.status, again.status) == (403, 403)
    assert await counter(pool, player) is None


async def test_a_change_whose_connection_is_cut_leaves_nothing(counted, pool, transactions, player):
    async def cut():
        await counted.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    for opening in (Opening(), Opening(is_optimistic=False)):
        count = Count(transactions, player, between=cut)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)) as failed:
            await transactions.run(player, count, opening)
        assert postgres_is_away(failed.value)
        await pool.expire_connections()
        assert await counter(counted, player) is None
    assert await Count(transactions, player).run() == 1


async def test_a_change_that_is_cancelled_leaves_nothing(counted, transactions, player):
    started = asyncio.Event()

    async def wait():
        started.set()
        await asyncio.Event().wait()

    for opening in (Opening(), Opening(is_optimistic=False)):
        task = asyncio.create_task(transactions.run(player, Count(transactions, player, between=wait), opening))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        started.clear()
        assert await counter(counted, player) is None
    assert await Count(transactions, player).run() == 1
