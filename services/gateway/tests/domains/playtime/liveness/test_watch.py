"""Which sessions are ended, and at what time, when players are silent, Redis loses data, or instances come and go."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.gateway.domains.playtime.live_sessions import member
from gameshelf.playtime import SHARDS, SessionAlreadyEnded, SessionNotFound


@pytest.fixture
async def instance(world):
    async with world.instance() as made:
        yield made


@pytest.fixture
def playing(world, instance):
    """Somebody who plays: the user, and the session that runs since now."""

    async def start():
        user, game = uuid4(), uuid4()
        await instance.own(user, game, world.now - timedelta(days=30))
        session = await instance.start(user, game)
        await instance.settled()
        return user, session.id

    return start


async def minutes(world, instance, count, *beating):
    """Lets minutes pass, in each of which these players send a heartbeat."""
    for _ in range(count):
        world.later(60)
        for player in beating:
            await instance.beat(*player)
        await instance.look()


async def state(world, player):
    """When and why a session ended; None while it runs."""
    _, _, _, rows, _ = await world.sessions(player[0])
    [row] = [row for row in rows if row["id"] == player[1]]
    return (row["end_time"], row["end_reason"]) if row["end_time"] else None


async def test_a_silent_session_ends_at_its_last_heartbeat(world, instance, playing):
    silent, loud = await playing(), await playing()
    await minutes(world, instance, 10, silent, loud)
    last = world.now
    await minutes(world, instance, 4, loud)
    assert await state(world, silent) is None
    await minutes(world, instance, 2, loud)
    assert await state(world, silent) == (last, "timeout")
    assert await state(world, loud) is None
    with pytest.raises(SessionAlreadyEnded):
        await instance.beat(*silent)


async def test_an_emptied_redis_neither_ends_sessions_early_nor_extends_them(world, instance, playing):
    silent, loud = await playing(), await playing()
    await minutes(world, instance, 8, silent, loud)
    last = world.now
    await minutes(world, instance, 3, loud)
    await world.redis.flushall()
    await minutes(world, instance, 5, loud)
    assert await state(world, silent) is None
    await minutes(world, instance, 2, loud)
    assert await state(world, silent) == (last, "timeout")
    assert await state(world, loud) is None


async def test_redis_rolled_back_to_an_older_state_kills_nobody(world, instance, playing):
    players = [await playing() for _ in range(sized(4, 20))]
    await minutes(world, instance, 8, *players)
    keys = [f"playtime:live:{shard}" for shard in range(SHARDS)]
    saved = {key: await world.redis.dump(key) for key in keys}
    await minutes(world, instance, 8, *players)
    for key, value in saved.items():
        await world.redis.restore(key, 0, value, replace=True)
    await instance.look()
    world.later(30)
    await instance.look()
    assert {await state(world, player) for player in players} == {None}
    await minutes(world, instance, 8, *players)
    assert {await state(world, player) for player in players} == {None}


async def test_sessions_survive_a_time_without_any_service(world, instance, playing):
    player = await playing()
    await minutes(world, instance, 8, player)
    for _ in range(20):  # the jobs run somewhere, and no process of the role api does
        world.later(30)
        await instance.watch.run_once()
        await instance.reaper.run_once()
    assert await state(world, player) is None
    await minutes(world, instance, 8, player)
    assert await state(world, player) is None


async def test_a_session_whose_start_redis_does_not_know_is_found_and_ended(world, instance, playing):
    await minutes(world, instance, 7)
    user, session = await playing()
    started = world.now
    await world.redis.zrem(f"playtime:live:{session.bytes[0] >> 4}", member(user, session))
    await minutes(world, instance, 12)
    assert await state(world, (user, session)) == (started, "timeout")


async def test_a_session_that_redis_lost_is_known_again_by_its_next_heartbeat(world, instance, playing):
    player = await playing()
    await world.redis.flushall()
    world.later(60)
    await instance.beat(*player)
    [found] = [beat async for beat in live(instance) if beat.key == player]
    assert found.at == world.now


async def test_the_next_checkpoint_removes_ended_sessions_from_redis(world, instance, playing):
    user, session = await playing()
    await instance.end(user, session)
    await instance.settled()
    shard = f"playtime:live:{session.bytes[0] >> 4}"
    await world.redis.zadd(shard, {member(user, session): int(world.now.timestamp() * 1000)})
    await instance.beat(user, session)
    await minutes(world, instance, 1)
    with pytest.raises(SessionAlreadyEnded):
        await instance.beat(user, session)


async def test_who_owns_no_such_session_is_refused(instance, playing):
    _, session = await playing()
    with pytest.raises(SessionNotFound):
        await instance.beat(uuid4(), session)


async def test_a_heartbeat_between_the_look_and_the_claim_keeps_the_session(world, instance, playing, monkeypatch):
    player, late = await playing(), []
    await minutes(world, instance, 8, player)
    claim = type(instance.live).claim

    async def after_a_beat(self, shard, ticks, silent):
        if any(beat.key == player for beat in silent):
            await instance.beat(*player)
            late.append(world.now)
        return await claim(self, shard, ticks, silent)

    monkeypatch.setattr(type(instance.live), "claim", after_a_beat)
    await minutes(world, instance, 10)
    assert late
    assert await state(world, player) is None
    [found] = [beat async for beat in live(instance) if beat.key == player]
    assert found.at == late[-1]


async def test_a_heartbeat_between_the_claim_and_the_end_keeps_the_session(world, instance, playing, monkeypatch):
    player = await playing()
    await minutes(world, instance, 8, player)
    claim = type(instance.live).claim

    async def then_beats(self, *arguments):
        claimed = await claim(self, *arguments)
        if any(beat.key == player for beat in claimed):
            await instance.beat(*player)
        return claimed

    monkeypatch.setattr(type(instance.live), "claim", then_beats)
    await minutes(world, instance, 6)
    assert await state(world, player) is None
    monkeypatch.undo()
    last = world.now - timedelta(minutes=1)
    await minutes(world, instance, 6)
    assert (await state(world, player))[0] in {last, last + timedelta(minutes=1)}


async def test_of_two_instances_one_ends_a_session(world, instance, playing):
    players = [await playing() for _ in range(sized(10, 40))]
    async with world.instance() as other:
        for _ in range(8):
            world.later(60)
            await asyncio.gather(instance.look(), other.look())
    for user, _ in players:
        _, totals, _, [row], notified = await world.sessions(user)
        assert (row["end_reason"], notified, sum(totals.values())) == ("timeout", 1, 0)


@pytest.mark.long
async def test_many_sessions_that_die_at_once_all_end(world, instance):
    user = uuid4()
    games = [uuid4() for _ in range(20)]
    for game in games:
        await instance.own(user, game, world.now - timedelta(days=30))
    for device in range(15):
        for game in games:
            await instance.start(user, game, f"device {device}")
    await minutes(world, instance, 8)
    _, _, _, rows, notified = await world.sessions(user)
    assert {row["end_reason"] for row in rows} == {"timeout"}
    assert notified == len(rows) == 300


async def live(instance):
    for shard in range(SHARDS):
        for beat in await instance.live.between(shard, instance.clock() - timedelta(days=1), instance.clock(), 1000):
            yield beat
