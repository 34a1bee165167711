"""The forms of statements for distributed tables: each finds and changes what the form for one PostgreSQL does.

They are plain SQL, so both run here; on Citus (``.ci/citus``) only theirs does.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime import database
from gameshelf.gateway.runtime.distributed import PAGE, by_shard, first_of_each, is_distributed, violated_constraint
from gameshelf.gateway.runtime.jobs.retention import Retention
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox import backlog, forwarded, refused, relayed
from gameshelf.gateway.runtime.outbox.lanes import waiting_lanes
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support import outbox
from gameshelf.gateway.runtime.support.dead_letters import LetterFilter, Place
from gameshelf.gateway.runtime.support.replay import replay_letters
from gameshelf.gateway.runtime.tables import NOBODY

ADD = (
    "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) "
    "SELECT $2, $1, $3, 'key-' || n, convert_to(n::text, 'UTF8') FROM generate_series(1, $4::int) n"
)
SHARD_OF = (
    "CREATE OR REPLACE FUNCTION get_shard_id_for_distribution_column(name text, id uuid) RETURNS bigint LANGUAGE sql "
    "AS $$ SELECT ascii(right(id::text, 1)) % 2 $$"
)
USERS = [UUID(int=number) for number in range(1, 7)]


class OfDistributed(asyncpg.Connection):
    is_distributed = True


@pytest.fixture(params=[asyncpg.Connection, OfDistributed], ids=["one server", "distributed"])
async def connection(dsn, request):
    opened = await asyncpg.connect(dsn, connection_class=request.param)
    if is_distributed(asyncpg.Connection) and request.param is asyncpg.Connection:
        pytest.skip("the tables are distributed")
    yield opened
    for table in ("outbox", "forwarded_events", "refused_records", "dead_letters", "user_streams", "inbox"):
        await opened.execute(f"DELETE FROM gateway.{table}")
    await opened.close()


async def fill(connection, lanes):
    """Puts records into lanes: ``(topic, shard): count``."""
    for (topic, shard), count in lanes.items():
        await connection.execute(ADD, USERS[shard % len(USERS)], shard, topic, count)


@pytest.mark.parametrize("many", [1, 3 * PAGE], ids=["few", "many"])
async def test_the_relay_finds_topics_shards_and_records(connection, many):
    await fill(connection, {("b", 1): many, ("b", 20): 2, ("d", 3): 1, ("f", 4): many})
    own, others = await relayed.topics(connection, ["f", "a", "b"], "b")
    assert (sorted(own), others) == (["b", "f"], ["d", "f"])
    assert await relayed.topics(connection, ["f"], None) == (["f"], [])
    async with connection.transaction():
        assert sorted(await relayed.take_shards(connection, "b", 8)) == [1, 20]
        assert len(await relayed.take_shards(connection, "b", 1)) == 1
        assert await relayed.take_shards(connection, "a", 8) == []
        found = await relayed.pending(connection, "b", [20, 1], 5, ["key-2"])
    expected = [b"%d" % number for number in range(1, min(many, 6) + 1) if number != 2] + [b"1"]
    assert [row["value"] for row in found] == expected
    assert [row["user_id"] for row in found] == [USERS[1]] * (len(expected) - 1) + [USERS[20 % 6]]


async def test_a_lane_that_another_relay_serves_is_not_taken(dsn, connection):
    await fill(connection, {("b", 1): 1, ("b", 2): 1})
    other = await asyncpg.connect(dsn, connection_class=type(connection))
    async with connection.transaction(), other.transaction():
        taken = await relayed.take_shards(connection, "b", 1)
        rest = await relayed.take_shards(other, "b", 8)
        assert sorted(taken + rest) == [1, 2]
    await other.close()


@pytest.mark.parametrize("many", [1, 3 * PAGE], ids=["few", "many"])
async def test_the_backlog_is_counted_by_topic_and_its_age_is_that_of_any_lane(connection, many):
    await fill(connection, {("b", 1): many, ("b", 20): 2, ("d", 3): 1})
    await connection.execute("UPDATE gateway.outbox SET created_at = now() - interval '1 hour' WHERE topic = 'd'")
    await connection.execute("UPDATE gateway.outbox SET created_at = now() - interval '1 day' WHERE shard = 20")
    found = await backlog.measure(connection)
    assert (found.pending, round(found.lag_seconds / 3600)) == (many + 3, 24)
    lanes = await waiting_lanes(connection)
    assert sorted((lane["topic"], lane["shard"]) for lane in lanes) == [("b", 1), ("b", 20), ("d", 3)]
    by_topic = await outbox.backlog(connection)
    assert [(one.topic, one.pending, one.is_more) for one in by_topic.topics] == [
        ("b", many + 2, False),
        ("d", 1, False),
    ]
    assert round(by_topic.lag_seconds / 3600) == 24


async def test_users_for_whom_events_wait_are_found(connection):
    add = "INSERT INTO gateway.forwarded_events (user_id, type, body) SELECT $1, 't', '' FROM generate_series(1, $2)"
    for user_id, count in ((USERS[4], 1), (USERS[1], 2 * PAGE), (USERS[2], 1)):
        await connection.execute(add, user_id, count)
    assert await forwarded.waiting(connection, 10) == [USERS[1], USERS[2], USERS[4]]
    assert await forwarded.waiting(connection, 2) == [USERS[1], USERS[2]]


async def test_refused_records_are_put_back_in_their_order(connection):
    add = (
        "INSERT INTO gateway.refused_records (id, shard, user_id, topic, value, created_at, refused_at, reason) "
        "SELECT n, 0, $1, 't', convert_to(n::text, 'UTF8'), now(), now() - interval '2 hours', '' "
        "FROM generate_series(1, 20) n"
    )
    for user_id in USERS:
        await connection.execute(add, user_id)
    assert await refused.put_back(connection) == 120
    assert await refused.count_refused(connection) == 0
    for user_id in USERS:
        rows = await connection.fetch("SELECT value FROM gateway.outbox WHERE user_id = $1 ORDER BY id", user_id)
        assert [row["value"] for row in rows] == [b"%d" % number for number in range(1, 21)]


async def test_old_rows_of_many_users_are_deleted(connection):
    @asynccontextmanager
    async def acquire():
        yield connection

    add = (
        "INSERT INTO gateway.inbox (subject_id, source, event_id, received_at) "
        "SELECT $1, '', n::text, now() - $2::interval FROM generate_series(1, 1000) n"
    )
    for user_id in USERS:
        await connection.execute(add, user_id, timedelta(days=31))
    await connection.execute(add, uuid4(), timedelta(days=29))
    await Retention(acquire).run_once()
    assert await connection.fetchval("SELECT count(*) FROM gateway.inbox") == 1000


async def test_which_accounts_are_being_erased_is_asked_shard_by_shard(connection):
    if is_distributed(connection) and not is_distributed(asyncpg.Connection):
        await connection.execute(SHARD_OF)  # as Citus has it, with two shards
    add = "INSERT INTO gateway.user_streams (user_id, erased_at) VALUES ($1, $2)"
    erased = set(USERS[1:4])
    for user_id in USERS:
        await connection.execute(add, user_id, datetime.now(UTC) if user_id in erased else None)
    sent = []
    with connection.query_logger(sent.append):
        assert await UserStreams(b"k" * 32).being_erased(connection, USERS) == erased
        await asyncio.sleep(0)  # what was sent is noted in the next round of the loop
    asked = [set(query.args[0]) for query in sent if "erased_at" in query.query]
    assert sorted(map(sorted, asked)) == sorted(map(sorted, await by_shard(connection, USERS)))
    assert len(asked) > 1 or not is_distributed(connection)


async def test_letters_of_many_users_are_replayed_in_parts(connection):
    add = (
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, record_key, value, created_at) "
        "SELECT gen_random_uuid(), $1, 't', 'R', '', convert_to('key', 'UTF8'), convert_to(n::text, 'UTF8'), "
        "now() - make_interval(secs => 100 - n) FROM generate_series(1, 10) n"
    )
    erased = USERS[0]
    for user_id in (*USERS, NOBODY):
        await connection.execute(add, user_id)
    for user_id in USERS:
        erased_at = datetime.now(UTC) if user_id == erased else None
        await connection.execute(
            "INSERT INTO gateway.user_streams (user_id, erased_at) VALUES ($1, $2)", user_id, erased_at
        )
    place, sent, left = Place(), 0, 0
    while place:
        async with connection.transaction():
            done = await replay_letters(connection, LetterFilter(), place, 25)
        sent, left, place = sent + done.sent, left + done.left, done.next
    assert (sent, left) == (60, 10)
    for user_id in (*USERS[1:], NOBODY):
        rows = await connection.fetch(
            "SELECT shard, record_key, value FROM gateway.outbox WHERE user_id = $1 ORDER BY id", user_id
        )
        assert [row["value"] for row in rows] == [b"%d" % number for number in range(1, 11)]
        assert {(row["shard"], row["record_key"]) for row in rows} == {(user_id.int % 16, "key")}
    assert await connection.fetchval("SELECT count(*) FROM gateway.dead_letters") == 10


async def test_background_work_hardly_waits_for_a_row(dsn, connection):
    """Also for one that is locked on another machine."""
    await connection.execute("INSERT INTO gateway.user_streams (user_id) VALUES ($1)", USERS[0])
    lock = "SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE"
    service = await database.connect(dsn, 1, Tracing(None))
    async with connection.transaction(), service.acquire() as own:
        await connection.execute(lock, USERS[0])
        transaction = own.transaction()
        await transaction.start()
        await database.hardly_wait(own)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await own.execute(lock, USERS[0])
        await transaction.rollback()
    await service.close()


async def test_a_violated_constraint_is_named_as_in_the_models(connection):
    add = (
        "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target, undo_of) "
        "VALUES ('change', 'audit undo', '', $1, '{}', 7)"
    )
    user_hash = uuid4().bytes
    await connection.execute(add, user_hash)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await connection.execute(add, user_hash)
    assert violated_constraint(caught.value) == "uq_audit_undo"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ('duplicate key value violates unique constraint "uq_audit_undo_102023"', "uq_audit_undo"),
        ('new row for relation "t_102086" violates check constraint "ck_t_kind"', "ck_t_kind"),
        ("null value in column", None),
    ],
)
def test_the_constraint_of_a_shard_is_named_without_its_number(message, name):
    assert violated_constraint(asyncpg.UniqueViolationError(message)) == name


def test_the_first_of_each_key_is_found_page_by_page():
    rows = [number // 7 for number in range(7 * PAGE)]
    pages = []

    async def read(after):
        pages.append([key for key in rows if key > after][:PAGE])
        return pages[-1]

    def found(limit):
        pages.clear()
        return asyncio.run(first_of_each(read, int, -1, limit))

    assert found(10) == list(range(10))
    assert len(pages) == 1
    assert found(PAGE * 2) == list(range(PAGE))
    assert all(len(page) <= PAGE for page in pages)
