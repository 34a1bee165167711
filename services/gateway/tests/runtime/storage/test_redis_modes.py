"""Redis by sentinels and as a cluster, with a user of its own: the service works with real servers of each kind."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import HOST, free_port, listens
from gameshelf.devstack.servers.valkey import binary
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.runtime.storage.redis import connect, publish_all
from gameshelf.playtime import Beat, SessionKey
from redis import Redis as BlockingRedis

USER, PASSWORD = "library", "s3cret"
ACL = ["--user", USER, "on", f">{PASSWORD}", "~*", "&*", "+@all"]


def settings(**redis):
    return load_settings(
        {
            "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
            "ERASURE_HASH_KEY": "0123456789abcdef" * 2,
            "LIBRARY_SERVICE_ROLES": "jobs",
            **redis,
        }
    )


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Starts a Valkey with more options; its port."""
    running = []

    def start(*options, port=None, config=None):
        folder, port = tmp_path_factory.mktemp("valkey"), port or free_port()
        common = ["--bind", HOST, "--port", str(port), "--save", "", "--dir", str(folder)]
        if config:
            (folder / "valkey.conf").write_text(config)
            command = [str(binary()), str(folder / "valkey.conf"), "--sentinel", "--bind", HOST, "--port", str(port)]
        else:
            command = [str(binary()), *common, *options]
        process = Process(command, folder / "log")
        running.append(process)
        while not listens(port):
            assert process.returncode is None, process.tail()
        return port

    yield start
    for process in running:
        process.stop()


@pytest.fixture(scope="module")
def cluster(launch):
    """Three nodes, each with a third of the slots."""
    bus = [free_port() for _ in range(3)]
    ports = [launch("--cluster-enabled", "yes", "--cluster-port", str(one), *ACL) for one in bus]
    nodes = [BlockingRedis(host=HOST, port=port) for port in ports]
    for index, node in enumerate(nodes):
        last = 16383 if index == 2 else index * 5461 + 5460
        node.execute_command("CLUSTER", "ADDSLOTSRANGE", index * 5461, last)
        node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        if index:
            node.execute_command("CLUSTER", "MEET", HOST, ports[0], bus[0])
    deadline = time.monotonic() + PATIENCE_SECONDS
    for node in nodes:
        while node.cluster("INFO")["cluster_state"] != "ok" or len(node.cluster("NODES")) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        node.close()
    return {"REDIS_MODE": "cluster", "REDIS_ADDR": ",".join(f"{HOST}:{port}" for port in ports)}


@pytest.fixture(scope="module")
def sentinel(launch):
    """A master, and a sentinel that knows it as `library`."""
    master = launch(*ACL)
    config = f"sentinel monitor library {HOST} {master} 1\n"
    port = launch(config=config)
    return {"REDIS_MODE": "sentinel", "REDIS_SENTINEL_MASTER": "library", "REDIS_ADDR": f"{HOST}:1,{HOST}:{port}"}


@pytest.fixture(params=["cluster", "sentinel", "single"])
def where(request, launch):
    """The settings of each."""
    if request.param == "single":
        return {"REDIS_ADDR": f"{HOST}:{launch(*ACL)}"}
    return request.getfixturevalue(request.param)


@pytest.fixture
async def redis(where):
    client = connect(settings(**where, REDIS_USERNAME=USER, REDIS_PASSWORD=PASSWORD))
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
