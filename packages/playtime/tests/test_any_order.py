"""Starts, heartbeats, ends, deaths and imports in any order, repeated and overlapping: totals equal the ledger."""

from datetime import timedelta

from gameshelf.devstack.pytest_plugin import sized
from gameshelf.playtime import Beat, Liveness, SessionKey
from gameshelf.playtime._rules import union
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEVICES = ("desk", "deck", None)
GAMES = 2

steps = st.one_of(
    st.tuples(st.just("start"), st.integers(0, GAMES - 1), st.sampled_from(DEVICES)),
    st.tuples(st.just("beat"), st.integers(0, 20), st.sampled_from(["checkpoint", "revive"])),
    st.tuples(st.just("end"), st.integers(0, 20), st.none()),
    st.tuples(st.just("die"), st.integers(0, 20), st.integers(0, 7200)),
    st.tuples(st.just("wait"), st.integers(0, 7200), st.none()),
    st.tuples(st.just("import"), st.integers(0, GAMES - 1), st.tuples(st.integers(1, 400), st.integers(1, 300))),
    st.tuples(st.just("repeat"), st.integers(0, 20), st.none()),
)


def recounted(intervals):
    """Minute by minute would be too coarse, second by second too slow: the union by a sweep over its edges."""
    edges = sorted([(one.start, 1) for one in intervals] + [(one.end, -1) for one in intervals])
    open_now, since, total = 0, None, timedelta()
    for moment, step in sorted(edges, key=lambda edge: (edge[0], -edge[1])):
        if open_now == 0 and step == 1:
            since = moment
        open_now += step
        if open_now == 0:
            total += moment - since
    return int(total.total_seconds())


@settings(
    max_examples=sized(15, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, max_size=25))
async def test_the_totals_are_those_of_the_ledger(play, history):
    play.switch_user()
    games = [play.own() for _ in range(GAMES)]
    play.events.clear()
    sessions, imported, signs = [], [], {}
    for kind, which, more in history:
        if kind == "start":
            session = await play.start(games[which], more)
            sessions += [session] if session.id not in {one.id for one in sessions} else []
            signs.setdefault(session.id, session.start_time)
        elif kind == "beat" and sessions:
            session = sessions[which % len(sessions)]
            await getattr(Liveness(play.connection), more)([Beat(SessionKey(play.user, session.id), play.now)])
            signs[session.id] = play.now
        elif kind == "end" and sessions:
            await play.end(sessions[which % len(sessions)])
        elif kind == "die" and sessions:
            session = sessions[which % len(sessions)]
            beat = max(session.start_time, play.now - timedelta(seconds=more))
            if await play.service.end_dead(play.user, session.id, beat):
                assert beat >= signs[session.id]
        elif kind == "wait":
            play.later(seconds=which)
        elif kind == "import":
            ago, minutes = more
            imported.append(play.offline(games[which], play.now - timedelta(minutes=ago + minutes), minutes))
            assert await play.import_sessions(imported[-1]) == [("accepted", None)]
        elif kind == "repeat" and imported:
            assert await play.import_sessions(imported[which % len(imported)]) == [("duplicate", None)]

    ledger = await play.queries.ledger(play.user)
    for game in games:
        assert (await play.total(game) or 0) == recounted(ledger[game])
        kept = await play.connection.fetch(
            "SELECT start_time, end_time FROM playtime.playtime_intervals WHERE user_id = $1 AND product_id = $2 "
            "ORDER BY start_time",
            play.user,
            game,
        )
        assert [tuple(row) for row in kept] == [(one.start, one.end) for one in union(ledger[game])]
        ended = [event for event in play.events if hasattr(event, "ended_at") and event.product_id == game]
        assert len(ended) == len(ledger[game])
        assert [event.total_playtime_seconds for event in ended] == sorted(
            event.total_playtime_seconds for event in ended
        )
