"""Redis by sentinels and as a cluster, with a user of its own: the service works with real servers of each kind."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.domains.playtime.live_sessions import SESSION_KEYS, LiveSessions
from gameshelf.gateway.runtime.storage.redis import connect, publish_all
from gameshelf.playtime import Beat, SessionKey
from redis.crc import key_slot

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def cluster(new_cluster):
    return new_cluster().settings


@pytest.fixture(scope="module")
def sentinel(new_sentinel):
    return new_sentinel().settings


@pytest.fixture(scope="module")
def single(launch):
    return {"REDIS_ADDR": f"127.0.0.1:{launch().port}"}


@pytest.fixture(params=["cluster", "sentinel", "single"])
def where(request):
    """The settings of each."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def redis(where, redis_settings, identity):
    client = connect(redis_settings(**where, **identity))
    yield client
    await client.aclose()


async def test_sessions_live_on_every_node(redis):
    live, now = LiveSessions(redis), datetime.now(UTC).replace(microsecond=0)
    beats = [Beat(SessionKey(uuid4(), uuid4()), now) for _ in range(64)]
    await live.add_sessions(beats)
    assert await live.count_sessions() == 64
    found = [beat for shard in range(16) for beat in await live.between(shard, now, now, 100)]
    assert len(found) == 64
    shard = beats[0].key.session_id.bytes[0] >> 4
    await live.tick(shard, 7)
    assert (await live.seen(shard)).ticks == 7
    assert await live.claim(shard, 7, [beats[0]]) == [beats[0]]
    assert await live.claim(shard, 7, [beats[0]]) == []
    await live.accept(now + timedelta(seconds=1))
    await live.remove_sessions([beat.key for beat in beats])
    assert await live.count_sessions() == 0


async def test_counts_and_channels_work_from_every_client(redis):
    async with redis.pipeline(transaction=False) as pipe:
        pipe.incr("limit:user:a:1")
        pipe.expire("limit:user:a:1", 60)
        assert (await pipe.execute())[0] == 1
    channels = redis.pubsub(ignore_subscribe_messages=True)
    names = [f"updates:{uuid4()}" for _ in range(5)]
    await channels.subscribe(*names)
    received = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while received != set(names):
            await publish_all(redis, [(name, b"word") for name in names])
            message = await channels.get_message(timeout=0.2)
            while message is not None:
                received.add(message["channel"].decode())
                message = await channels.get_message(timeout=0.05)
    await channels.unsubscribe(*names)
    await channels.aclose()


def test_each_of_three_nodes_of_a_cluster_has_some_shards_of_sessions():
    """Each shard is one key, and each node has a third of the slots."""
    assert Counter(key_slot(name.encode()) * 3 // 16384 for name in SESSION_KEYS) == {0: 5, 1: 8, 2: 3}
