"""Retention: old rows are deleted, newer ones stay, and a cursor below the deleted ones requires a resync."""

from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.gateway.runtime.jobs.retention import Retention
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.kernel.clock import utc_now
from websockets.asyncio.client import connect


@pytest.fixture(scope="module")
def service(platform):
    """A service without jobs: the tests run the retention themselves."""
    made = platform.service(LIBRARY_SERVICE_ROLES="api,consumer")
    made.start()
    return made


@pytest.fixture
def retention(connection):
    @asynccontextmanager
    async def acquire():
        yield connection

    return Retention(acquire)


async def test_a_feed_goes_after_a_day_and_a_cursor_below_it_needs_a_resync(
    service, player, connection, retention, wait_until, next_message
):
    await player.buys(*(uuid4() for _ in range(5)))

    async def arrived():
        return len(await player.products()) == 5

    await wait_until(arrived)
    aged = "UPDATE gateway.feed SET occurred_at = now() - $1::interval WHERE user_id = $2 AND sequence = ANY($3)"
    await connection.execute(aged, timedelta(hours=24, minutes=1), player.id, [1, 2, 3])
    await connection.execute(aged, timedelta(hours=23, minutes=59), player.id, [4])
    await retention.run_once()
    assert await connection.fetchval("SELECT min(sequence) FROM gateway.feed WHERE user_id = $1", player.id) == 4

    for cursor, event_type in (("2", "resync.required"), ("3", "library.item.added")):
        answer = await player.get("/events", cursor=cursor)
        assert answer["data"][0]["attributes"]["event_type"] == event_type
        headers = {"Authorization": f"Bearer {player.token}"}
        async with connect(f"{service.ws}?cursor={cursor}", additional_headers=headers) as socket:
            assert (await next_message(socket))["event_type"] == event_type


async def test_a_feed_pruned_during_a_read_is_not_continued_with_a_gap(
    service, player, connection, retention, wait_until
):
    await player.buys(uuid4(), uuid4())

    async def arrived():
        return len(await player.products()) == 2

    await wait_until(arrived)
    state = await UserStreams(b"key").state(connection, player.id)
    at_first = await feed.follow(connection, player.id, state, 0, 10)
    assert at_first.messages is not None
    assert [message.sequence for message in at_first.messages] == [1, 2]
    aged = "UPDATE gateway.feed SET occurred_at = now() - interval '25 hours' WHERE user_id = $1 AND sequence = 1"
    await connection.execute(aged, player.id)
    await retention.run_once()
    assert (await feed.follow(connection, player.id, state, 0, 10)).messages is None
    assert (await feed.follow(connection, player.id, state, 2, 10)).messages == []


async def test_an_idempotency_key_is_kept_for_a_day(player, connection, retention):
    for name, age in (("old", timedelta(hours=24, minutes=1)), ("young", timedelta(hours=23, minutes=59))):
        body = {"name": name}
        assert (await player.post("/categories", body, **{"Idempotency-Key": name})).status_code == 201
        aged = "UPDATE gateway.idempotency_keys SET created_at = now() - $1::interval WHERE user_id = $2 AND key = $3"
        await connection.execute(aged, age, player.id, name)
    await retention.run_once()
    again = {
        name: await player.post("/categories", {"name": name}, **{"Idempotency-Key": name}) for name in ("old", "young")
    }
    assert again["young"].status_code == 201
    assert again["young"].headers["Idempotency-Replayed"] == "true"
    assert again["old"].status_code == 409  # the category remains, the idempotency key does not


async def test_the_inbox_is_kept_for_thirty_days(connection, retention):
    subject = uuid4()
    added = "INSERT INTO gateway.inbox VALUES ($1, 's', $2, now() - $3::interval)"
    await connection.execute(added, subject, "old", timedelta(days=30, minutes=1))
    await connection.execute(added, subject, "young", timedelta(days=29, hours=23))
    await retention.run_once()
    left = await connection.fetch("SELECT event_id FROM gateway.inbox WHERE subject_id = $1", subject)
    assert [row["event_id"] for row in left] == ["young"]


async def test_dead_letters_are_kept_for_ninety_days(connection, retention):
    added = (
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, created_at) "
        "VALUES ($1, gen_random_uuid(), 't', 'EMPTY', '', now() - $2::interval)"
    )
    old, young = uuid4(), uuid4()
    await connection.execute(added, old, timedelta(days=90, minutes=1))
    await connection.execute(added, young, timedelta(days=89, hours=23))
    await retention.run_once()
    left = await connection.fetch("SELECT id FROM gateway.dead_letters WHERE id = ANY($1)", [old, young])
    assert [row["id"] for row in left] == [young]


async def test_more_than_one_transaction_can_delete_goes_in_one_run(connection, retention):
    await connection.execute(
        "INSERT INTO gateway.inbox SELECT gen_random_uuid(), 's', n::text, now() - interval '31 days' "
        "FROM generate_series(1, 5001) AS n"
    )
    users = [uuid4() for _ in range(3)]
    for user in users:
        await connection.execute("INSERT INTO gateway.user_streams (user_id, last_sequence) VALUES ($1, 1500)", user)
        await connection.execute(
            "INSERT INTO gateway.feed SELECT $1, n, now() - interval '25 hours', '{}' FROM generate_series(1, 1500) n",
            user,
        )
    await retention.run_once()
    old = utc_now() - timedelta(days=30)
    assert not await connection.fetchval("SELECT count(*) FROM gateway.inbox WHERE received_at < $1", old)
    assert not await connection.fetchval("SELECT count(*) FROM gateway.feed WHERE user_id = ANY($1)", users)
    pruned = await connection.fetch("SELECT pruned_sequence FROM gateway.user_streams WHERE user_id = ANY($1)", users)
    assert {row["pruned_sequence"] for row in pruned} == {1500}


async def test_the_feed_of_a_held_player_is_kept_for_now_and_the_rest_goes(platform, connection, retention):
    """Of the held player there are more old entries than a chunk has."""
    held, other = uuid4(), uuid4()
    for user, entries in ((held, 4500), (other, 10)):
        await connection.execute("INSERT INTO gateway.user_streams (user_id) VALUES ($1)", user)
        await connection.execute(
            "INSERT INTO gateway.feed (user_id, sequence, occurred_at, message) "
            "SELECT $1, n, now() - interval '3 days' - make_interval(secs => $2 - n), '{}' "
            "FROM generate_series(1, $2::int) n",
            user,
            entries,
        )

    async def left():
        query = "SELECT count(*) FROM gateway.feed WHERE user_id = $1"
        return [await connection.fetchval(query, user) for user in (held, other)]

    async with held_by_another(platform, "user_streams", held):
        await retention.run_once()
        assert await left() == [4500, 0]
    await retention.run_once()
    assert await left() == [0, 0]
    assert (
        await connection.fetchval("SELECT pruned_sequence FROM gateway.user_streams WHERE user_id = $1", held) == 4500
    )


@on_one_server("rows of several shards are found without a lock")
async def test_an_idempotency_key_that_is_held_is_kept_and_the_rest_goes(platform, connection, retention):
    held, other = uuid4(), uuid4()
    for user in (held, other):
        await connection.execute(
            "INSERT INTO gateway.idempotency_keys (user_id, endpoint, key, request_hash, status, body, created_at) "
            "VALUES ($1, 'POST /', 'key', '', 200, '', now() - interval '3 days')",
            user,
        )
    left = "SELECT user_id FROM gateway.idempotency_keys WHERE user_id = ANY ($1)"
    async with held_by_another(platform, "idempotency_keys", held):
        await retention.run_once()
        assert [row["user_id"] for row in await connection.fetch(left, [held, other])] == [held]
    await retention.run_once()
    assert await connection.fetch(left, [held, other]) == []


@asynccontextmanager
async def held_by_another(platform, table, user):
    """Another connection holds the rows of a user meanwhile."""
    holder = await asyncpg.connect(platform.dsn)
    async with holder.transaction():
        await holder.execute(f"SELECT 1 FROM gateway.{table} WHERE user_id = $1 FOR UPDATE", user)
        yield
    await holder.close()


@pytest.mark.long
async def test_a_run_reads_no_messages_that_stay(connection, retention):
    """Of a user who has many: those that expire are found by their time, not among all of the user's."""
    user = uuid4()
    # In a small table the server would find them by their time anyway.
    await connection.execute(
        "INSERT INTO gateway.feed (user_id, sequence, message) SELECT md5((n / 10)::text)::uuid, n, '' "
        "FROM generate_series(1, 300000) n"
    )
    query = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'pk_feed'"
    await connection.execute("INSERT INTO gateway.user_streams (user_id) VALUES ($1)", user)
    await connection.execute(
        "INSERT INTO gateway.feed (user_id, sequence, occurred_at, message) SELECT $1, n, "
        "now() - CASE WHEN n <= 100 THEN interval '25 hours' ELSE interval '0' END, '{}' "
        "FROM generate_series(1, 20000) n",
        user,
    )
    await connection.execute("ANALYZE gateway.feed")
    await connection.execute("SET plan_cache_mode = force_generic_plan; SELECT pg_stat_force_next_flush()")
    before = await connection.fetchval(query)
    await retention.run_once()
    await connection.execute("RESET plan_cache_mode; SELECT pg_stat_force_next_flush()")
    assert await connection.fetchval(query) - before < 1000
    assert await connection.fetchval("SELECT count(*) FROM gateway.feed WHERE user_id = $1", user) == 19_900
    await connection.execute("DELETE FROM gateway.feed WHERE message = ''")


@on_one_server("what an index has read is counted on the machines of the shards")
async def test_a_run_beside_a_backup_reads_what_it_has_deleted_once(platform, connection, retention):
    """While a backup reads, entries of deleted rows stay in the index; each chunk begins behind them."""
    rows = 20_000
    query = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'ix_inbox_received_at'"
    backup = await asyncpg.connect(platform.dsn)
    async with backup.transaction(isolation="repeatable_read"):
        await backup.fetchval("SELECT count(*) FROM gateway.backups")
        await connection.execute(
            "INSERT INTO gateway.inbox SELECT gen_random_uuid(), 's', n::text, "
            "now() - interval '40 days' + make_interval(secs => n) FROM generate_series(1, $1::int) AS n",
            rows,
        )
        await connection.execute("ANALYZE gateway.inbox")
        await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await connection.fetchval(query)
        await retention.run_once()
        await connection.execute("SELECT pg_stat_force_next_flush()")
        read = await connection.fetchval(query) - before
    await backup.close()
    assert rows <= read < 2 * rows
