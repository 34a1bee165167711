"""Instances of the service's playtime domain in this process, with real servers and a clock that the tests move."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.databases import prepared_once
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.family.jobs.clock import FamilyClock
from gameshelf.gateway.domains.family.jobs.dissolution import Dissolution, has_links
from gameshelf.gateway.domains.family.jobs.shares import ShareRefresh
from gameshelf.gateway.domains.playtime.after_commit import after_commit
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.jobs import SessionReaper, SessionWatch
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.runtime.after_commit import AfterCommit
from gameshelf.gateway.runtime.database import LOCK_TIMEOUT_MILLISECONDS
from gameshelf.gateway.runtime.jobs.erasure import Erasing
from gameshelf.gateway.runtime.jobs.forwarding import Forwarding
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.gateway.wiring import EVENT_RULES, make_services
from gameshelf.library import GrantKind, LibraryQueries, LibraryService, NewGrant
from gameshelf.playtime import PlaytimeQueries, PlaytimeService, StartSession
from redis.asyncio import Redis

HASH_KEY = "0123456789abcdef" * 4
TIMEOUT = timedelta(seconds=300)


class Killed(BaseException):
    """The process has ended: no code handles this exception, and no step is made any more."""


class Life:
    """Counts the calls of an instance to its servers, and cuts it off at one of them."""

    def __init__(self, steps=None):
        self.steps = 0
        self.last = steps
        self.dead = asyncio.Event()

    def step(self):
        self.steps += 1
        if self.last is not None and self.steps > self.last:
            self.dead.set()
            raise Killed


def _mortal(life):
    """A connection class whose calls are steps."""

    class Connection(asyncpg.Connection):
        def get_reset_query(self):
            return ""

        async def execute(self, *args, **kwargs):
            life.step()
            return await super().execute(*args, **kwargs)

        async def fetch(self, *args, **kwargs):
            life.step()
            return await super().fetch(*args, **kwargs)

        async def fetchrow(self, *args, **kwargs):
            life.step()
            return await super().fetchrow(*args, **kwargs)

    return Connection


class _MortalLiveSessions(LiveSessions):
    """Sessions in Redis; each call is a step."""

    def __init__(self, redis, life):
        super().__init__(redis)
        self._life = life

    async def write(self, changes):
        self._life.step()
        return await super().write(changes)

    async def tick(self, shard, ticks):
        self._life.step()
        await super().tick(shard, ticks)

    async def between(self, shard, since, until, limit):
        self._life.step()
        return await super().between(shard, since, until, limit)

    async def claim(self, shard, ticks, silent):
        self._life.step()
        return await super().claim(shard, ticks, silent)


class Instance:
    """One process of the service. ``world`` has the clock and the servers."""

    def __init__(self, world, pool, life):
        self.life = life
        self._clock = lambda: world.now
        acquire, clock = pool.acquire, self.clock
        settings = load_settings(
            {"POSTGRES_DSN": world.dsn, "ERASURE_HASH_KEY": HASH_KEY, "LIBRARY_SERVICE_ROLES": "jobs"}
        )
        streams, metrics = UserStreams(HASH_KEY.encode()), Metrics([PlaytimeMetrics])
        self.live = _MortalLiveSessions(world.redis, life)
        self.lost_seats = LostSeats(acquire)
        self.heartbeats = Heartbeats(self.live, acquire, streams, metrics, TIMEOUT, self.lost_seats, clock)
        committed = AfterCommit([after_commit(self.heartbeats, metrics.of(PlaytimeMetrics))])
        self.transactions = Transactions(
            acquire,
            streams,
            make_services(settings),
            EVENT_RULES,
            "events",
            lambda done: committed.handle(done.events),
            committed.handle,
            clock,
        )
        self.watch = SessionWatch(self.live, acquire, TIMEOUT, clock)
        self.reaper = SessionReaper(self.live, acquire, self.transactions, TIMEOUT, clock)
        dissolution = Dissolution(acquire, self.transactions)
        erasing = Erasing(before=dissolution.dissolve, has_partners=has_links)
        self.forwarding = Forwarding(acquire, self.transactions, [erasing])
        self.shares = ShareRefresh(acquire, self.transactions)
        self.family_clock = FamilyClock(acquire, self.transactions, timedelta(seconds=180), clock)

    def clock(self):
        """The time by the clock of this instance."""
        return self._clock()

    def set_clock(self, clock):
        self._clock = clock

    async def own(self, user, product, since):
        async with self.transactions.begin(user) as transaction:
            grant = NewGrant(product, GrantKind.ORDER, str(uuid4()), since)
            await transaction.of(LibraryService).grant(user, [grant])

    async def start(self, user, product, device=None):
        async with self.transactions.begin(user) as transaction:
            start = StartSession(product_id=product, device_id=device)
            session, _ = await transaction.of(PlaytimeService).start(user, start)
        return session

    async def end(self, user, session_id):
        async with self.transactions.begin(user) as transaction:
            return await transaction.of(PlaytimeService).end(user, session_id)

    async def beat(self, user, session_id):
        await self.heartbeats.beat(user, session_id)

    async def look(self):
        """Runs one round of the jobs."""
        await self.live.accept(self.clock())
        await self.watch.run_once()
        await self.reaper.run_once()

    async def settled(self):
        """Waits until Redis has the sessions that just began and ended."""
        await self.heartbeats.add_heartbeats(()).refusals(())


class World:
    """The servers and the current time."""

    def __init__(self, dsn, redis):
        self.dsn, self.redis = dsn, redis
        self.now = datetime(2026, 5, 20, 12, tzinfo=UTC)
        self._lasting = None

    def later(self, seconds):
        self.now += timedelta(seconds=seconds)

    @asynccontextmanager
    async def instance(self, life=None):
        """A process that runs until the block ends, or until its ``life`` is over."""
        async with self._pool(life) as pool:
            made = Instance(self, pool, life or Life())
            running = asyncio.ensure_future(made.heartbeats.run(accepting=False))
            try:
                yield made
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError, BaseExceptionGroup, Killed):
                    await running

    @asynccontextmanager
    async def _pool(self, life):
        """The connections of an instance. Those of a mortal one are its own, and end with it; the others take the same,
        as PostgreSQL would plan every statement for each of them again.
        """
        if life is None:
            self._lasting = self._lasting or await self._connect(Life())
            yield self._lasting
            return
        pool = await self._connect(life)
        try:
            yield pool
        finally:
            pool.terminate()

    async def _connect(self, life):
        options = prepared_once()
        options["server_settings"]["lock_timeout"] = str(LOCK_TIMEOUT_MILLISECONDS)
        return await asyncpg.create_pool(self.dsn, min_size=1, max_size=20, connection_class=_mortal(life), **options)

    def close(self):
        if self._lasting:
            self._lasting.terminate()

    async def sessions(self, user):
        """The ledger, the totals and the items' playtime by product; the rows, and the number of published ends."""
        connection = await asyncpg.connect(self.dsn)
        try:
            ledger = await PlaytimeQueries(connection).ledger(user)
            totals = {
                row["product_id"]: row["played_seconds"]
                for row in await connection.fetch("SELECT * FROM playtime.playtime_totals WHERE user_id = $1", user)
            }
            items = await LibraryQueries(connection).items_of_products(user, [])
            shown = {item.product_id: item.total_playtime_seconds for item in items}
            rows = await connection.fetch("SELECT * FROM playtime.playtime_sessions WHERE user_id = $1", user)
            notified = await connection.fetchval(
                "SELECT count(*) FROM gateway.feed WHERE user_id = $1 AND message LIKE '%playtime.session.ended%'", user
            )
        finally:
            await connection.close()
        return ledger, totals, shown, rows, notified


@pytest.fixture(scope="module")
async def world(platform):
    host, _, port = platform.valkey.address.rpartition(":")
    redis = Redis(host=host, port=int(port))
    made = World(platform.dsn, redis)
    yield made
    made.close()
    await redis.aclose()


@pytest.fixture(scope="session")
def killed():
    return Killed


@pytest.fixture(scope="session")
def new_life():
    """Makes the life of an instance that ends after so many steps, or only counts them."""
    return Life


@pytest.fixture
def somebody() -> UUID:
    return uuid4()
