"""Totals recomputed from the ledger: nothing differs, and broken totals are found and corrected."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import InvalidInput
from gameshelf.kernel.paging import Page
from gameshelf.playtime import CorrectionsExceedPlay, PlaytimeChanged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOUR = 3600
TABLES = {"totals": "product_id", "intervals": "start_time"}


async def stored(play):
    """Returns everything that is made from the ledger, of all products."""
    return {
        table: [
            tuple(row)
            for row in await play.connection.fetch(
                f"SELECT * FROM playtime.playtime_{table} WHERE user_id = $1 ORDER BY product_id, {order}", play.user
            )
        ]
        for table, order in TABLES.items()
    }


@pytest.fixture
async def played(play):
    """Two games: one with sessions that overlap, touch, are empty and run, and a correction; one with a session."""
    play.game, play.other = play.own(), play.own()
    start = play.first = play.now - timedelta(days=3)
    await play.import_sessions(
        play.offline(play.game, start, 60),
        play.offline(play.game, start + timedelta(minutes=30), 60),
        play.offline(play.game, start + timedelta(minutes=90), 30),
        play.offline(play.game, start + timedelta(hours=5), 60),
        play.offline(play.other, start, 10),
    )
    await play.end(await play.start(play.game, "desk"))
    await play.service.correct(play.user, play.game, -HOUR, "an idle machine")
    await play.start(play.game, "deck")
    play.events.clear()
    play.right = await stored(play)
    return play


async def test_where_nothing_is_broken_nothing_differs_and_no_event_is_recorded(played):
    assert await played.service.recompute(played.user) == []
    assert await played.service.recompute(played.user, played.game) == []
    assert await played.service.recompute(uuid4()) == []
    assert not played.events
    assert await stored(played) == played.right


BROKEN = {
    "a total": "UPDATE playtime.playtime_totals SET played_seconds = 9720000 WHERE user_id = $1",
    "a correction": "UPDATE playtime.playtime_totals SET corrected_seconds = 7 WHERE user_id = $1",
    "a count": "UPDATE playtime.playtime_totals SET session_count = 99 WHERE user_id = $1",
    "a time": "UPDATE playtime.playtime_totals SET last_played_at = NULL WHERE user_id = $1",
    "the rows of totals": "DELETE FROM playtime.playtime_totals WHERE user_id = $1",
    "the unions": "DELETE FROM playtime.playtime_intervals WHERE user_id = $1",
    "ends": "UPDATE playtime.playtime_intervals SET end_time = end_time + interval '1 second' WHERE user_id = $1",
    "starts": "UPDATE playtime.playtime_intervals SET start_time = start_time - interval '9 s' WHERE user_id = $1",
    "one stretch too many": "INSERT INTO playtime.playtime_intervals "
    "SELECT user_id, product_id, start_time - interval '1 day', start_time FROM playtime.playtime_totals "
    "JOIN playtime.playtime_sessions USING (user_id, product_id) WHERE user_id = $1 ON CONFLICT DO NOTHING",
}


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN)
async def test_broken_totals_are_found_and_corrected(played, statement):
    await played.connection.execute(statement, played.user)
    assert {one.product_id for one in await played.service.recompute(played.user)} == {played.game, played.other}
    assert await stored(played) == played.right
    [changed] = played.events_of(PlaytimeChanged)
    totals = {one.product_id: (one.total_playtime_seconds, one.last_played_at) for one in changed.products}
    assert totals == {played.game: (2 * HOUR, played.now), played.other: (600, played.first + timedelta(minutes=10))}
    assert await played.service.recompute(played.user) == []


async def test_it_returns_the_stored_and_the_counted_figures(played):
    await played.connection.execute(
        "UPDATE playtime.playtime_totals SET played_seconds = 9720000, session_count = 3 WHERE product_id = $1",
        played.game,
    )
    await played.connection.execute(
        "UPDATE playtime.playtime_intervals SET end_time = end_time + interval '1 minute' "
        "WHERE product_id = $1 AND start_time = $2",
        played.game,
        played.first,
    )
    [found] = await played.service.recompute(played.user, played.game)
    was, counted = found.stored, found.counted
    assert (was.played_seconds, counted.played_seconds) == (9_720_000, 3 * HOUR)
    assert (was.session_count, counted.session_count) == (3, 5)
    assert was.corrected_seconds == counted.corrected_seconds == -HOUR
    assert (was.intervals, counted.intervals, found.wrong_intervals) == (2, 2, 2)
    assert (was.total_playtime_seconds, counted.total_playtime_seconds) == (9_720_000 - HOUR, 2 * HOUR)
    assert was.last_played_at == counted.last_played_at == played.now


async def test_one_product_is_recomputed_alone(played):
    await played.connection.execute(BROKEN["a total"], played.user)
    [found] = await played.service.recompute(played.user, played.other)
    assert found.product_id == played.other
    assert await played.total(played.other) == 600
    assert await played.total(played.game) == 9_720_000 - HOUR


async def test_nobody_elses_play_is_touched(played):
    me = played.switch_user()
    await played.import_sessions(played.offline(played.game, played.now - timedelta(days=1), 60))
    await played.connection.execute(BROKEN["a total"], played.user)
    assert await played.service.recompute(me) == []
    assert await played.total(played.game) == 9_720_000


async def test_a_correction_of_a_wrong_total_must_be_undone_first(played):
    await played.connection.execute(BROKEN["a total"], played.user)
    await played.service.correct(played.user, played.game, -9_000_000, "2,700 hours in a day")
    with pytest.raises(CorrectionsExceedPlay) as refused:
        await played.service.recompute(played.user)
    assert refused.value.meta["product_id"] == played.game
    assert refused.value.meta["played_seconds"] == 3 * HOUR
    await played.service.correct(played.user, played.game, 9_000_000, "taken back")
    assert len(await played.service.recompute(played.user)) == 2
    assert await played.total(played.game) == 2 * HOUR


async def test_a_correction_is_undone_by_the_opposite_one(played):
    before = await played.queries.summary(played.user, [played.game], played.now, Page())
    total = await played.service.correct(played.user, played.game, -600, "a stuck session")
    assert await played.service.correct(played.user, played.game, 600, "undone") == total + 600
    assert await played.queries.summary(played.user, [played.game], played.now, Page()) == before
    assert await played.service.recompute(played.user) == []


@pytest.mark.parametrize("seconds", [0, 2**63, -(2**63), 100 * 365 * 24 * HOUR + 1])
async def test_a_correction_of_nothing_or_of_more_than_a_life_is_refused(played, seconds):
    with pytest.raises(InvalidInput):
        await played.service.correct(played.user, played.game, seconds, "a slip")
    assert await stored(played) == played.right


sessions = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 500), st.integers(1, 200)), min_size=1, max_size=12)


@settings(
    max_examples=sized(10, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sessions)
async def test_the_database_counts_as_the_service_did(play, history):
    play.switch_user()
    games = [play.own(), play.own()]
    for game, ago, minutes in history:
        start = play.now - timedelta(minutes=ago + minutes)
        assert await play.import_sessions(play.offline(games[game], start, minutes)) == [("accepted", None)]
    assert await play.service.recompute(play.user) == []
    right = await stored(play)
    for table in TABLES:
        await play.connection.execute(f"DELETE FROM playtime.playtime_{table} WHERE user_id = $1", play.user)
    assert {one.product_id for one in await play.service.recompute(play.user)} == {games[game] for game, *_ in history}
    assert await stored(play) == right
