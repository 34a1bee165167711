"""Signs of life in bulk, and their effect on sessions."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
from gameshelf.playtime import SHARDS, Beat, Liveness, SessionKey, Watch, before_shard, shard_of


async def all_running(liveness, limit=10):
    """Returns every running session, read part by part."""
    found = []
    for shard in range(SHARDS):
        after = before_shard(shard)
        while part := await liveness.running(shard, after, limit):
            assert {shard_of(beat.key.session_id) for beat in part} == {shard}
            found += part
            after = part[-1].key.session_id
    return found


async def test_a_checkpoint_moves_forward_only_and_for_running_sessions(play):
    liveness = Liveness(play.connection)
    running, ended = await play.start(play.own()), await play.start(play.own())
    await play.end(ended)
    later = play.now + timedelta(minutes=1)
    beats = [Beat(SessionKey(play.user, session.id), later) for session in (running, ended)]
    assert await liveness.checkpoint(beats) == {beats[1].key}
    assert await liveness.checkpoint(beats[:1]) == set()
    assert await liveness.checkpoint([Beat(beats[0].key, play.now)]) == set()
    assert await all_running(liveness) == [beats[0]]
    assert await liveness.running_of_user(play.user) == [beats[0].key]


async def test_a_checkpoint_that_waits_for_nobody_writes_what_is_free(play):
    liveness = Liveness(play.connection)
    running, ended = await play.start(play.own()), await play.start(play.own())
    await play.end(ended)
    later = play.now + timedelta(minutes=1)
    foreign = SessionKey(uuid4(), running.id)
    beats = [Beat(SessionKey(play.user, session.id), later) for session in (running, ended)]
    found = await liveness.checkpoint([*beats, Beat(foreign, later)], skip_held=True)
    assert found == {beats[1].key, foreign}
    assert await all_running(liveness) == [beats[0]]


async def test_a_session_that_shows_life_again_does_not_end(play):
    liveness = Liveness(play.connection)
    session = await play.start(play.own())
    key, silent_since = SessionKey(play.user, session.id), play.now
    play.later(minutes=6)
    assert await liveness.revive([Beat(key, play.now)]) == {key}
    assert not await play.service.end_dead(play.user, session.id, silent_since)
    assert await play.service.end_dead(play.user, session.id, play.now)
    assert await liveness.revive([Beat(key, play.now)]) == set()


async def test_a_stranger_can_not_revive_a_session(play):
    liveness = Liveness(play.connection)
    session = await play.start(play.own())
    foreign = SessionKey(uuid4(), session.id)
    assert await liveness.revive([Beat(foreign, play.now)]) == set()
    assert await liveness.known_sessions([foreign, SessionKey(play.user, session.id)]) == {
        SessionKey(play.user, session.id): None
    }


async def test_running_sessions_are_listed_part_by_part(play):
    sessions = {(await play.start(play.own())).id for _ in range(60)}
    found = [beat.key.session_id for beat in await all_running(Liveness(play.connection), limit=2)]
    assert set(found) == sessions
    assert len(found) == len(sessions)


async def test_a_shard_is_watched_by_one_at_a_time(play, playtime_dsn):
    liveness = Liveness(play.connection)
    other = await asyncpg.connect(playtime_dsn)
    try:
        mine = await liveness.lock_watch(3)
        assert await Liveness(other).lock_watch(3) is None
        assert await Liveness(other).lock_watch(4)
    finally:
        await other.close()
    kept = replace(mine, watch=Watch(7, play.now, play.now), swept_at=play.now)
    await liveness.save_watch(kept)
    watches = await liveness.watches()
    assert [watched.shard for watched in watches] == list(range(SHARDS))
    assert watches[3] == kept
    await liveness.interrupt(play.now + timedelta(hours=1))
    assert {watched.watch.since for watched in await liveness.watches()} == {play.now + timedelta(hours=1)}
