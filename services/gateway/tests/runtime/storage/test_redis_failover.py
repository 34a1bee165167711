"""A replica takes over while heartbeats run: players are answered, no session ends, and the service is not restarted.

Each case is a public report about a client of Redis: primaries that died, hung, or were demoted with their connections
open, a cluster that was away as a whole, and slots that moved.
"""

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions, SessionChanges, member, milliseconds
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS, connect
from gameshelf.playtime import SHARDS, Beat, SessionKey

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture
async def client(redis_settings, identity):
    """Connects as the service does; the caller says where."""
    made = []

    def connect_to(group):
        made.append(connect(redis_settings(**group.settings, **identity)))
        return made[-1]

    yield connect_to
    for one in made:
        await one.aclose()


async def sessions_of(live):
    """A running session in each shard."""
    now = datetime.now(UTC)
    beats = [Beat(SessionKey(uuid4(), UUID(int=number << 124 | uuid4().int >> 4)), now) for number in range(SHARDS)]
    await live.add_sessions(beats)
    return [beat.key for beat in beats]


async def beat(live, keys):
    """Writes a heartbeat of each; the sessions that are missing."""
    now = milliseconds(datetime.now(UTC))
    return await live.write(SessionChanges(beats={member(key.user_id, key.session_id): now for key in keys}))


async def beats_again(live, keys, wait_until):
    """Waits until heartbeats of all shards are written, and fails if a session is missing then."""

    async def written():
        try:
            return [await beat(live, keys)]
        except REDIS_ERRORS:
            return None

    [missing] = await wait_until(written)
    assert missing == set()


def replicated(group):
    """Whether every replica has what its primary had a moment ago."""
    states = [node.ask("INFO", "replication") for node in group.nodes if "--sentinel" not in node.command]
    offsets = {state["master_replid"]: state["master_repl_offset"] for state in states if state["role"] == "master"}
    replicas = [state for state in states if state["role"] == "slave"]
    return all(state["slave_repl_offset"] >= offsets[state["master_replid"]] for state in replicas)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@pytest.mark.parametrize("kind", ["new_sentinel", "new_cluster"])
async def test_heartbeats_continue_when_a_replica_takes_over(kind, number, request, client, wait_until):
    make = request.getfixturevalue(kind)
    group = make() if kind == "new_sentinel" else make(replicas=True)
    live = LiveSessions(client(group))
    keys = await sessions_of(live)
    await wait_until(lambda: asyncio.to_thread(replicated, group))
    group.nodes[0].process.send_all(number)
    await beats_again(live, keys, wait_until)
    assert await live.count_sessions() == len(keys)


async def test_a_primary_that_is_demoted_while_it_is_connected_is_left(new_sentinel, client, wait_until):
    group = new_sentinel()
    live = LiveSessions(client(group))
    keys = await sessions_of(live)
    await asyncio.gather(*(beat(live, keys) for _ in range(20)))  # many connections of the pool know the old one
    await wait_until(lambda: asyncio.to_thread(replicated, group))
    primary, _, sentinel = group.nodes
    sentinel.ask("SENTINEL", "FAILOVER", "library")
    await wait_until(lambda: asyncio.to_thread(lambda: primary.ask("INFO", "replication")["role"] == "slave"))
    await beats_again(live, keys, wait_until)
    for missing in await asyncio.gather(*(beat(live, keys) for _ in range(20)), return_exceptions=True):
        assert missing == set() or isinstance(missing, REDIS_ERRORS)
    assert [await beat(live, keys) for _ in range(20)] == [set()] * 20


async def test_a_cluster_that_was_away_as_a_whole_is_found_again(new_cluster, client, wait_until):
    group = new_cluster()
    live = LiveSessions(client(group))
    keys = await sessions_of(live)
    for node in group.nodes:
        node.process.kill()
    failures = Counter()
    for _ in range(5):
        try:
            await beat(live, keys)
        except REDIS_ERRORS as error:
            failures[type(error).__name__] += 1
    assert failures.total() == 5
    for node in group.nodes:
        node.start()
    await wait_until(lambda: asyncio.to_thread(lambda: group.nodes[0].ask("CLUSTER", "INFO")["cluster_state"] == "ok"))
    await wait_until(lambda: comes_back(live, keys))


async def comes_back(live, keys):
    """The cluster keeps nothing over a restart: heartbeats are answered, and the sessions have to be added again."""
    try:
        return await beat(live, keys) == {member(key.user_id, key.session_id) for key in keys}
    except REDIS_ERRORS:
        return False


async def test_slots_that_move_to_another_node_lose_no_session(new_cluster, client, wait_until):
    group = new_cluster()
    redis = client(group)
    live = LiveSessions(redis)
    keys = await sessions_of(live)
    names = [node.ask("CLUSTER", "MYID") for node in group.nodes]
    for shard in range(SHARDS):
        name = f"playtime:live:{shard}"
        slot = group.nodes[0].ask("CLUSTER", "KEYSLOT", name)
        source = min(slot // 5461, 2)
        target = (source + 1) % 3
        group.nodes[target].ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        group.nodes[source].ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])
        await beats_again(live, keys, wait_until)
        moved = group.nodes[target].port
        group.nodes[source].ask("MIGRATE", "127.0.0.1", moved, name, 0, 5000)
        await beats_again(live, keys, wait_until)
        for node in group.nodes:
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", names[target])
        await beats_again(live, keys, wait_until)
    assert await live.count_sessions() == len(keys)
