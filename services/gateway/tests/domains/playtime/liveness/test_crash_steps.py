"""A crash between any two steps of a session's life: after a restart it ends, once, at its last sign of life.

An instance is cut off at the first, second, third … call that it makes to PostgreSQL or Redis: what it had done by then
is there, and nothing of what it would have done after. Then another one starts, and time passes.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.gateway.domains.playtime import jobs as jobs
from gameshelf.playtime import PlaytimeService

SINCE = timedelta(days=30)


@pytest.fixture(autouse=True)
def one_shard(monkeypatch):
    """All sessions lie in one shard, and only that one is watched: the steps of the others would be the same."""
    monkeypatch.setattr(jobs, "SHARDS", 1)
    monkeypatch.setattr(sys.modules[PlaytimeService.__module__], "uuid4", lambda: UUID(int=uuid4().int >> 8))


@dataclass
class ClientRecord:
    """The requests that the player's client has made, and those that were answered."""

    session: UUID | None = None
    signs: list[datetime] = field(default_factory=list)
    """When it tried to show a sign of life."""
    surely: datetime | None = None
    """The last one that was acknowledged."""
    ending_at: datetime | None = None
    ended: bool = False


async def quiet_minutes(world, instance, minutes):
    for _ in range(minutes):
        world.later(60)
        await instance.look()


async def plays(world, instance, user, game, known, ends):
    """Starts, sends heartbeats for three minutes, and ends, or falls silent for so long that the session is reaped."""
    session = await instance.start(user, game)
    known.session, known.surely = session.id, session.start_time
    for _ in range(3):
        world.later(60)
        known.signs.append(world.now)
        await instance.beat(user, session.id)
        known.surely = world.now
        await instance.look()
    if not ends:
        await quiet_minutes(world, instance, 8)
        return
    world.later(30)
    known.ending_at = world.now
    await instance.end(user, session.id)
    known.ended = True
    await instance.settled()


async def until_dead(instance, story):
    """Runs a story, or as much of it as the instance lives for."""
    playing, dead = asyncio.ensure_future(story), asyncio.ensure_future(instance.life.dead.wait())
    await asyncio.wait({playing, dead}, return_when=asyncio.FIRST_COMPLETED)
    for task in (playing, dead):
        task.cancel()
    results = await asyncio.gather(playing, dead, return_exceptions=True)
    if not instance.life.dead.is_set() and isinstance(results[0], Exception):
        raise results[0]


async def crash(world, ends, life, killed, *, emptied=False):
    """Plays on an instance while its life lasts, restarts, and checks the result; returns the number of steps."""
    user, game, known = uuid4(), uuid4(), ClientRecord()
    async with world.instance() as first:
        await first.own(user, game, world.now - SINCE)
        await quiet_minutes(world, first, 7)  # so that silence counts
    async with world.instance(life) as mortal:
        with suppress(killed):
            await until_dead(mortal, plays(world, mortal, user, game, known, ends))
    if emptied:
        await world.redis.flushall()
    world.later(20)
    async with world.instance() as restarted:
        await quiet_minutes(world, restarted, 15)
    await check(world, user, game, known, emptied)
    return life.steps


async def check(world, user, game, known, emptied):
    ledger, totals, shown, rows, ends_published = await world.sessions(user)
    if known.session is None and not rows:
        return  # the start was never committed, and its client got no answer
    [row] = rows
    assert row["end_time"] is not None, "the session was forgotten"
    assert ends_published == 1
    if known.ended or row["end_reason"] == "completed":
        assert (row["end_reason"], row["end_time"]) == ("completed", known.ending_at)
    else:
        # Emptied, Redis may have lost what was not checkpointed: at most a minute, and never is a second added.
        surely = known.surely - timedelta(seconds=60) if emptied and known.surely else known.surely
        signs = [row["start_time"], *known.signs]
        assert row["end_reason"] == "timeout"
        assert row["end_time"] in [sign for sign in signs if surely is None or sign >= surely]
    assert totals == {game: sum(one.seconds for one in ledger[game])}
    assert shown == totals


@pytest.mark.long(minutes=2)
@pytest.mark.parametrize("emptied", [False, True], ids=["Redis kept", "Redis emptied"])
@pytest.mark.parametrize("ends", [True, False], ids=["ended by the player", "reaped"])
async def test_a_crash_at_any_step_ends_the_session_once_at_its_last_beat(world, new_life, killed, ends, emptied):
    steps = await crash(world, ends, new_life(), killed, emptied=emptied)
    assert steps > 40
    for last in range(0, steps, sized(16, 4) if emptied else sized(12, 1)):
        await crash(world, ends, new_life(last), killed, emptied=emptied)
