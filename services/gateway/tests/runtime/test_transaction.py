"""Work in a transaction that loses a race runs again, and only the commit is reported."""

import asyncio
import gc
import itertools
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.composed import event_rules_of
from gameshelf.gateway.runtime.outbox.forwarded import ForwardedEvents
from gameshelf.gateway.runtime.outbox.messages import EventForm, Published
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import EventRules, Transactions
from gameshelf.kernel.events import Event


@pytest.fixture
async def pool(dsn):
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1, command_timeout=PATIENCE_SECONDS) as pool:
        yield pool


@pytest.fixture
def commits():
    return []


class Service:
    """A domain's service, which holds its context."""

    def __init__(self, context):
        self.context = context


@pytest.fixture
def transactions(pool, commits):
    streams = UserStreams(b"k" * 32)
    return Transactions(
        pool.acquire, streams, {Service: Service}, event_rules_of(()), events_topic="events", committed=commits.append
    )


class Work:
    """Fails as often as there are errors; then its result is the number of the attempt."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.attempts = []

    async def __call__(self, transaction):
        self.attempts.append(transaction)
        if self.errors:
            raise self.errors.pop(0)
        return len(self.attempts)


async def test_work_that_loses_is_done_again_in_a_transaction_of_its_own(transactions, commits):
    user, work = uuid4(), Work(asyncpg.DeadlockDetectedError(), asyncpg.SerializationError())
    assert await transactions.run(user, work) == 3
    assert len(set(map(id, work.attempts))) == 3
    assert [commit.user_id for commit in commits] == [user]


async def test_work_that_loses_three_times_fails(transactions, commits):
    work = Work(*(asyncpg.DeadlockDetectedError() for _ in range(4)))
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await transactions.run(uuid4(), work)
    assert (len(work.attempts), commits) == (3, [])


async def test_what_is_no_lost_race_is_not_repeated(transactions, commits):
    for error in (asyncpg.LockNotAvailableError(), asyncpg.UniqueViolationError(), ConnectionError(), ValueError()):
        work = Work(error)
        with pytest.raises(type(error)):
            await transactions.run(uuid4(), work)
        assert (len(work.attempts), commits) == (1, [])


async def test_a_transaction_that_ended_is_freed_without_the_garbage_collector(transactions):
    kept = []

    async def work(transaction):
        kept.extend(map(weakref.ref, (transaction, transaction.of(Service))))

    gc.disable()
    try:
        await transactions.run(uuid4(), work)
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """An event that is published to nobody."""


async def test_others_have_their_turn_while_many_events_are_published(pool):
    """A chunk of a sale publishes hundreds of events: no request waits until all of them are rendered."""
    published, turns = [], []
    form = EventForm(lambda event: published.append(event) or Published())
    rules = EventRules({Happened: form}, {}, ForwardedEvents([]))
    transactions = Transactions(pool.acquire, UserStreams(b"k" * 32), {}, rules, "events", lambda commit: None)

    async def others():
        while len(published) < 400:
            turns.append(len(published))
            await asyncio.sleep(0)

    async def work(transaction):
        for _ in range(400):
            transaction.record(Happened(user_id=user, occurred_at=datetime.now(UTC)))

    user, other = uuid4(), asyncio.create_task(others())
    await transactions.run(user, work)
    await other
    assert {50, 100, 350} <= set(turns)
    assert max(after - before for before, after in itertools.pairwise(turns)) == 50
