"""Signs of life in bulk, and what they decide."""

from datetime import timedelta
from uuid import uuid4

from gameshelf.playtime.liveness import NOBODY, Beat, Liveness, SessionKey


async def test_a_checkpoint_only_goes_forwards_and_only_for_what_runs(play):
    liveness = Liveness(play.connection)
    running, ended = await play.start(play.own()), await play.start(play.own())
    await play.end(ended)
    later = play.now + timedelta(minutes=1)
    beats = [Beat(SessionKey(play.user, session.id), later) for session in (running, ended)]
    assert await liveness.checkpoint(beats) == 1
    assert await liveness.checkpoint(beats) == 0
    assert await liveness.checkpoint([Beat(beats[0].key, play.now)]) == 0
    assert await liveness.running(NOBODY, 10) == [beats[0]]


async def test_a_session_that_shows_life_again_is_not_ended(play):
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
    assert await liveness.known([foreign, SessionKey(play.user, session.id)]) == {SessionKey(play.user, session.id)}


async def test_running_sessions_are_listed_part_by_part(play):
    liveness = Liveness(play.connection)
    sessions = {(await play.start(play.own())).id for _ in range(5)}
    found, after = set(), NOBODY
    while part := await liveness.running(after, 2):
        found |= {beat.key.session_id for beat in part}
        after = part[-1].key
    assert found == sessions
