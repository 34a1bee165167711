"""A connection's place in its stream, with the steps of commits, reads and sweeps in a given order."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.gateway.runtime.outbox.store import FeedMessage
from gameshelf.gateway.runtime.streams import StreamState
from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.gateway.runtime.ws.hub import Hub, Subscriber
from redis.asyncio import Redis

USER = uuid4()


def message(number):
    return FeedMessage(USER, number, datetime.now(UTC), f"message {number}")


def commit_message(user_id, previous, last):
    """The message about a commit that took the stream from one number to another."""
    return Committed(user_id, previous, last, [message(last)], [], to_kafka=False)


@pytest.fixture
async def stream(platform):
    """A user whose stream stands at 5, the hub, and what is to happen once a sweep has read the database."""
    connection = await asyncpg.connect(platform.dsn)
    user_id = uuid4()
    await connection.execute(
        "INSERT INTO gateway.user_streams (user_id, version, last_sequence, pruned_sequence) VALUES ($1, 5, 5, 0)",
        user_id,
    )
    after_reading = []

    @asynccontextmanager
    async def acquire():
        yield connection
        for step in after_reading:
            step()

    redis = Redis()  # connects at its first use, and is never used
    hub = Hub(redis, acquire)
    subscriber = Subscriber(user_id)
    subscriber.start(5)
    subscriber.begin_reading()
    subscriber.caught_up([], 5)
    hub.add_subscriber(subscriber)
    yield hub, subscriber, connection, after_reading
    await connection.close()


async def test_a_commit_while_the_sweep_compares_does_not_end_the_connection(stream):
    hub, subscriber, _, after_reading = stream
    after_reading.append(lambda: hub.committed(commit_message(subscriber.user_id, 5, 6)))
    await hub.sweep()
    assert (subscriber.known, subscriber.over.is_set(), subscriber.behind) == (6, False, False)
    assert list(subscriber.waiting) == [(6, "message 6")]


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[1,2]", b'["a","b",[]]', b"[1,2,[[1]]]", b'[1,2,{"a":null}]', b"\xff"]
)
async def test_a_strangers_message_on_a_channel_ends_nothing(platform, stream, wait_until, data):
    _, subscriber, _, _ = stream
    redis = Redis(port=platform.valkey.port)
    hub = Hub(redis, None)
    hub.add_subscriber(subscriber)
    running = asyncio.create_task(hub.run())
    channel = f"library:user:{subscriber.user_id}"

    async def followed():
        return (await redis.pubsub_numsub(channel))[0][1]

    await wait_until(followed)
    await redis.publish(channel, data)
    await redis.publish(channel, encode([5, 6, [(6, "message 6")]]))

    async def received():
        return subscriber.waiting

    await wait_until(received)
    assert list(subscriber.waiting) == [(6, "message 6")]
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await redis.aclose()


async def test_the_sweep_finds_missed_changes_and_closes_erased_users(stream):
    hub, subscriber, connection, _ = stream
    await hub.sweep()
    assert (subscriber.behind, subscriber.over.is_set()) == (False, False)
    await connection.execute("UPDATE gateway.user_streams SET last_sequence = 7 WHERE user_id = $1", subscriber.user_id)
    await hub.sweep()
    assert (subscriber.behind, subscriber.over.is_set()) == (True, False)
    await connection.execute("DELETE FROM gateway.user_streams WHERE user_id = $1", subscriber.user_id)
    await hub.sweep()
    assert subscriber.over.is_set()


async def test_a_stream_that_went_back_is_read_again_and_ends_nobody(stream):
    """Another database took this one's place: the token is still valid, and the cursor is not."""
    hub, subscriber, connection, _ = stream
    await connection.execute("UPDATE gateway.user_streams SET last_sequence = 3 WHERE user_id = $1", subscriber.user_id)
    await hub.sweep()
    assert (subscriber.behind, subscriber.over.is_set()) == (True, False)
    found = await feed.follow(connection, subscriber.user_id, state_at(3), subscriber.known, 100)
    assert found.messages is None  # which requires a resync


def state_at(sequence):
    return StreamState(sequence, sequence, 0, False, 0, None)


def following(known):
    subscriber = Subscriber(uuid4())
    subscriber.start(known)
    subscriber.begin_reading()
    subscriber.caught_up([], known)
    subscriber.woken.clear()
    return subscriber


def test_a_hint_that_comes_while_the_feed_is_read_makes_it_be_read_again():
    subscriber = following(5)
    subscriber.offer(6, 7, [(7, "message 7")])  # 6 was missed
    assert subscriber.behind
    subscriber.begin_reading()
    read = [message(6), message(7)]
    subscriber.offer(7, 8, [(8, "message 8")])  # committed after the feed was read
    subscriber.woken.clear()
    subscriber.caught_up(read, 7)
    assert list(subscriber.waiting) == [(6, "message 6"), (7, "message 7")]
    assert subscriber.behind
    assert subscriber.woken.is_set()
    subscriber.begin_reading()
    subscriber.caught_up([message(8)], 8)
    assert [number for number, _ in subscriber.waiting] == [6, 7, 8]
    assert not subscriber.behind


def test_a_hint_of_what_the_feed_had_already_is_not_read_twice():
    subscriber = following(5)
    subscriber.catch_up()
    subscriber.begin_reading()
    subscriber.offer(5, 6, [(6, "message 6")])
    subscriber.caught_up([message(6)], 6)
    assert not subscriber.behind
    subscriber.offer(6, 7, [(7, "message 7")])
    assert [number for number, _ in subscriber.waiting] == [6, 7]


def test_a_hint_beyond_the_database_is_not_polled_for_ever():
    subscriber = following(5)
    subscriber.offer(100, 200, [])
    reads = 0
    while subscriber.behind:
        subscriber.begin_reading()
        subscriber.caught_up([], 5)
        reads += 1
    assert reads == 1


def test_hints_that_arrive_during_a_read_cause_another_read():
    subscriber = following(5)
    subscriber.catch_up()
    subscriber.begin_reading()
    subscriber.catch_up()  # Redis went away meanwhile
    subscriber.caught_up([], 5)
    assert subscriber.behind
