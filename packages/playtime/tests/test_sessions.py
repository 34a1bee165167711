"""Sessions on devices: starts, ends, deaths, imports, and copies that change."""

from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from gameshelf.kernel.errors import InvalidInput, PermissionDenied
from gameshelf.kernel.paging import Page
from gameshelf.playtime import (
    PlaytimeChanged,
    SessionCopyChanged,
    SessionEnded,
    SessionNotFound,
    SessionResumed,
    SessionStarted,
)
from gameshelf.playtime._rules import union_seconds

HOUR = 3600


async def test_a_session_counts_from_its_start_to_its_end(play):
    game = play.own()
    session = await play.start(game)
    assert (session.end_time, session.start_time) == (None, play.now)
    play.later(minutes=90, milliseconds=700)
    ended = await play.end(session)
    assert (ended.duration_seconds, ended.end_reason) == (90 * 60, "completed")
    assert await play.total(game) == 90 * 60
    [started], [event] = play.events_of(SessionStarted), play.events_of(SessionEnded)
    assert (started.session_id, started.started_at) == (session.id, session.start_time)
    assert (event.duration_seconds, event.total_playtime_seconds, event.ended_at) == (5400, 5400, ended.end_time)


async def test_a_user_without_access_cannot_start(play):
    with pytest.raises(PermissionDenied):
        await play.start(uuid4())
    assert not play.events


async def test_a_second_start_on_a_device_finds_the_running_session(play):
    game = play.own()
    first = await play.start(game)
    again = await play.start(game)
    elsewhere = await play.start(game, "deck")
    assert again.id == first.id
    assert elsewhere.id != first.id
    assert [event.session_id for event in play.events_of(SessionStarted)] == [first.id, elsewhere.id]
    assert [event.session_id for event in play.events_of(SessionResumed)] == [first.id]


async def test_every_change_of_a_total_is_an_event_with_it(play):
    game, other = play.own(), play.own()
    session, long_ago = await play.start(game), play.now - timedelta(hours=2)
    play.later(minutes=10)
    await play.end(session)
    await play.service.correct(play.user, game, -60, "an idle machine")
    await play.import_sessions(play.offline(game, long_ago, 5), play.offline(other, long_ago, 6))
    changes = play.events_of(PlaytimeChanged)
    totals = [{one.product_id: one.total_playtime_seconds for one in event.products} for event in changes]
    assert totals == [{game: 0}, {game: 600}, {game: 540}, {game: 840, other: 360}]
    last = [event.products[0].last_played_at for event in changes]
    assert last == [session.start_time, *[play.now] * 3]


async def test_running_sessions_end_at_once_when_access_ends(play):
    game, other = play.own(), play.own()
    sessions = [await play.start(game), await play.start(game, "deck"), await play.start(other)]
    play.later(minutes=2)
    await play.service.end_access(play.user, {game})
    ended = [await play.service.end(play.user, session.id) for session in sessions[:2]]
    assert {(one.end_reason, one.duration_seconds) for one in ended} == {("access_revoked", 120)}
    assert await play.total(game) == 120
    assert len(play.events_of(SessionEnded)) == 2


@pytest.mark.parametrize(("silent_for", "seconds"), [(180, 24 * HOUR), (181, 24 * HOUR - 181)])
async def test_the_end_of_access_counts_play_up_to_the_last_heartbeat(play, silent_for, seconds):
    game = play.own()
    await play.start(game)
    play.later(hours=24)
    await play.connection.execute(
        "UPDATE playtime.playtime_sessions SET last_heartbeat_at = $1", play.now - timedelta(seconds=silent_for)
    )
    await play.service.end_access(play.user, {game})
    [ended] = play.events_of(SessionEnded)
    assert (ended.end_reason, ended.duration_seconds) == ("access_revoked", seconds)


async def test_ending_twice_answers_the_same_and_counts_once(play):
    game = play.own()
    session = await play.start(game)
    play.later(hours=1)
    first = await play.end(session)
    play.later(hours=1)
    assert await play.end(session) == first
    assert await play.total(game) == HOUR


async def test_somebody_elses_session_is_not_found(play):
    session = await play.start(play.own())
    play.user = uuid4()
    with pytest.raises(SessionNotFound):
        await play.end(session)


async def test_two_devices_at_once_count_once(play):
    game = play.own()
    desk, deck = await play.start(game, "desk"), await play.start(game, "deck")
    play.later(hours=1)
    await play.end(desk)
    play.later(hours=1)
    await play.end(deck)
    assert await play.total(game) == 2 * HOUR


async def test_a_dead_session_ends_at_its_last_heartbeat(play):
    game = play.own()
    session = await play.start(game)
    beat = play.now + timedelta(minutes=10)
    await play.connection.execute("UPDATE playtime.playtime_sessions SET last_heartbeat_at = $1", beat)
    play.later(hours=5)
    assert not await play.service.end_dead(play.user, session.id, beat - timedelta(seconds=1))  # it showed life since
    assert await play.service.end_dead(play.user, session.id, beat)
    assert not await play.service.end_dead(play.user, session.id, beat)
    ended = await play.end(session)
    assert (ended.end_time, ended.end_reason, ended.duration_seconds) == (beat, "timeout", 600)
    assert await play.total(game) == 600


async def test_an_import_adds_new_sessions_and_returns_a_result_for_each(play):
    game, foreign = play.own(), uuid4()
    start = play.now - timedelta(days=2)
    one = play.offline(game, start, 60, "one")
    results = await play.import_sessions(
        one,
        play.offline(game, start + timedelta(minutes=30), 60, "two"),
        play.offline(foreign, start, 10, "three"),
        play.offline(game, play.now - timedelta(days=89), 10, "four"),
        one,
        play.offline(game, start, 61, "one"),
    )
    assert results == [
        ("accepted", None),
        ("accepted", None),
        ("rejected", "PERMISSION_DENIED"),
        ("rejected", "VALIDATION_ERROR"),
        ("duplicate", None),
        ("rejected", "IDEMPOTENCY_KEY_REUSED"),
    ]
    assert await play.import_sessions(one) == [("duplicate", None)]
    assert await play.total(game) == 90 * 60
    assert [event.total_playtime_seconds for event in play.events_of(SessionEnded)] == [90 * 60] * 2


async def test_two_devices_may_use_the_same_session_ids(play):
    game, start = play.own(), play.now - timedelta(hours=5)
    sent = [play.offline(game, start, 10 + number, "1", device_id=name) for number, name in enumerate(("desk", "deck"))]
    unnamed = play.offline(game, start + timedelta(hours=1), 30, "1")
    assert await play.import_sessions(*sent, unnamed) == [("accepted", None)] * 3
    assert await play.import_sessions(*sent, unnamed) == [("duplicate", None)] * 3
    other = play.offline(game, start, 20, "1", device_id="deck")
    assert await play.import_sessions(other) == [("rejected", "IDEMPOTENCY_KEY_REUSED")]
    assert await play.total(game) == 41 * 60


async def test_a_clock_that_runs_ahead_is_forgiven(play):
    ahead, further = play.own(since=play.now + timedelta(minutes=2)), play.own(since=play.now + timedelta(minutes=5))
    assert await play.import_sessions(
        play.offline(ahead, play.now, 3),
        play.offline(ahead, play.now - timedelta(minutes=3), 3),
        play.offline(ahead, play.now - timedelta(minutes=3, seconds=1), 3),
        play.offline(further, play.now - timedelta(seconds=1), 3),
    ) == [("accepted", None), ("accepted", None), ("rejected", "VALIDATION_ERROR"), ("rejected", "VALIDATION_ERROR")]


async def test_a_summary_knows_the_last_two_weeks(play):
    game, old = play.own(), play.own()
    edge = play.now - timedelta(days=14)
    await play.import_sessions(
        play.offline(game, edge - timedelta(minutes=30), 60),
        play.offline(game, play.now - timedelta(days=1), 20),
        play.offline(old, play.now - timedelta(days=20), 45),
    )
    found = await play.queries.summary(play.user, [], play.now, Page())
    assert [(one.product_id, one.total_playtime_seconds, one.last_2_weeks_seconds) for one in found.items] == [
        (game, 80 * 60, 50 * 60),
        (old, 45 * 60, 0),
    ]
    assert [one.session_count for one in found.items] == [2, 1]
    recent = await play.queries.summary(play.user, [], play.now, Page(), recent_only=True)
    assert [one.product_id for one in recent.items] == [game]
    named = await play.queries.summary(play.user, [old], play.now, Page())
    assert [one.product_id for one in named.items] == [old]


async def test_products_are_summarised_as_the_summary_of_all_does(play):
    old, new, never = play.own(), play.own(), play.own()
    await play.import_sessions(
        play.offline(old, play.now - timedelta(days=20), 60),
        play.offline(new, play.now - timedelta(days=14, minutes=10), 30),
    )
    every = {one.product_id: one for one in (await play.queries.summary(play.user, [], play.now, Page())).items}
    assert await play.queries.of_products(play.user, [new, never, old], play.now) == every
    assert await play.queries.of_products(play.user, [new], play.now) == {new: every[new]}
    assert (every[new].last_2_weeks_seconds, every[old].last_2_weeks_seconds) == (20 * 60, 0)
    play.switch_user()
    assert await play.queries.of_products(play.user, [old, new], play.now) == {}


async def test_running_sessions_are_the_newest_ones_of_the_user(play):
    games = [play.own() for _ in range(3)]
    sessions = []
    for game in games:
        sessions.insert(0, await play.start(game, "deck"))
        play.later(minutes=1)
    await play.end(sessions[1])
    assert await play.queries.running(play.user, 10) == [sessions[0], sessions[2]]
    assert await play.queries.running(play.user, 1) == [sessions[0]]
    play.switch_user()
    assert await play.queries.running(play.user, 10) == []


async def test_a_summary_of_platforms_counts_what_overlaps_once_on_each(play):
    game, other = play.own(), play.own()
    edge = play.now - timedelta(days=14)
    await play.import_sessions(
        play.offline(game, edge - timedelta(minutes=30), 60, platform="linux", device_id="deck"),
        play.offline(game, edge - timedelta(minutes=10), 60, platform="linux", device_id="desk"),
        play.offline(game, edge, 20, platform="windows"),
        play.offline(other, edge - timedelta(days=1), 45, platform="linux"),
    )
    await play.service.correct(play.user, game, -600, "a stuck session")
    running = await play.start(other)

    async def found(products=(), **how):
        page = await play.queries.by_platform(play.user, products, play.now, Page(), **how)
        return [
            (one.product_id, one.platform, one.total_playtime_seconds // 60, one.last_2_weeks_seconds // 60)
            for one in page.items
        ]

    on_linux, on_windows = (game, "linux", 80, 50), (game, "windows", 20, 20)
    assert await found() == [(other, None, 0, 0), on_linux, on_windows, (other, "linux", 45, 0)]
    assert await found(recent_only=True) == [(other, None, 0, 0), on_linux, on_windows]
    assert await found([game]) == [on_linux, on_windows]
    page = await play.queries.by_platform(play.user, [], play.now, Page(2, 3))
    assert (page.total, [one.session_count for one in page.items]) == (4, [1])
    assert await play.queries.session(play.user, running.id) == running
    assert await play.queries.session(uuid4(), running.id) is None


async def test_play_of_other_users_changes_nobodys_last_two_weeks(play):
    game = play.own()
    edge = play.now - timedelta(days=14)
    await play.import_sessions(play.offline(game, edge - timedelta(minutes=10), 130))

    async def recent():
        [one] = (await play.queries.summary(play.user, [], play.now, Page())).items
        return one.last_2_weeks_seconds

    assert await recent() == 2 * HOUR
    player = play.switch_user()
    await play.import_sessions(play.offline(game, edge - timedelta(minutes=1), 1))
    play.user = player
    assert await recent() == 2 * HOUR


async def test_days_are_those_of_the_asked_time_zone(play):
    game = play.own()
    await play.import_sessions(play.offline(game, play.now.replace(day=10, hour=20), 120))
    asked = play.user, [], date(2026, 5, 1), date(2026, 5, 20)
    in_utc = await play.queries.daily(*asked, ZoneInfo("UTC"))
    assert [(one.day.day, one.seconds) for one in in_utc] == [(10, 2 * HOUR)]
    in_moscow = await play.queries.daily(*asked, ZoneInfo("Europe/Moscow"))
    assert [(one.day.day, one.seconds) for one in in_moscow] == [(10, HOUR), (11, HOUR)]


async def test_history_is_newest_first_and_paged(play):
    game = play.own()
    starts = [play.now - timedelta(hours=number) for number in (1, 3, 2)]
    await play.import_sessions(*(play.offline(game, start, 10) for start in starts))
    first = await play.queries.history(play.user, None, Page(1, 2))
    second = await play.queries.history(play.user, game, Page(2, 2))
    found = [session.start_time for session in (*first.items, *second.items)]
    assert found == sorted(starts, reverse=True)
    assert first.total == second.total == 3


async def test_a_page_past_the_end_is_empty_and_has_the_total(play):
    game = play.own()
    await play.import_sessions(*(play.offline(game, play.now - timedelta(days=number), 10) for number in (1, 2, 3)))
    for found, total in (
        (await play.queries.summary(play.user, [], play.now, Page(7, 20)), 1),
        (await play.queries.history(play.user, None, Page(2, 3)), 3),
        (await play.queries.history(uuid4(), None, Page()), 0),
    ):
        assert (found.items, found.total) == ([], total)


async def test_a_correction_counts_and_stays_beside_the_ledger(play):
    game = play.own()
    await play.import_sessions(play.offline(game, play.now - timedelta(hours=2), 60))
    assert await play.service.correct(play.user, game, -600, "a stuck session") == 3000
    await play.import_sessions(play.offline(game, play.now - timedelta(hours=1), 10))
    assert await play.total(game) == 3600
    assert union_seconds((await play.queries.ledger(play.user))[game]) == 4200
    with pytest.raises(InvalidInput) as refused:
        await play.service.correct(play.user, game, -3601, "too much")
    assert refused.value.problems[0].params == {"ge": -3600}


async def test_an_erased_user_leaves_nothing(play):
    game = play.own()
    await play.start(game)
    await play.import_sessions(*(play.offline(game, play.now - timedelta(days=number), 10) for number in range(1, 6)))
    await play.service.correct(play.user, game, 60, "thanks")
    while await play.service.erase(play.user, limit=2):
        pass
    for table in ("sessions", "intervals", "totals", "corrections"):
        assert not await play.connection.fetchval(f"SELECT count(*) FROM playtime.playtime_{table}")


async def test_a_shared_copy_differs_from_ones_own(play):
    product, owner = play.own(), uuid4()
    play.copies.shared[product] = [owner]
    session = await play.start(product)
    assert (session.copy_owner_user_id, session.seat_number) == (owner, 7)
    await play.service.end_access(play.user, {product})
    await play.service.end_access(play.user, {product}, uuid4())
    assert play.events_of(SessionEnded) == []
    play.later(minutes=1)
    await play.service.end_access(play.user, {product}, owner)
    [ended] = play.events_of(SessionEnded)
    assert (ended.end_reason, ended.seat_number, ended.duration_seconds) == ("access_revoked", 7, 60)


@pytest.mark.parametrize(("silent_for", "seconds"), [(60, 300), (200, 100)])
async def test_a_session_ends_when_its_seat_is_lost_or_at_its_last_sign_of_life(play, silent_for, seconds):
    product = play.own()
    play.copies.shared[product] = [uuid4()]
    session = await play.start(product)
    lost_at = play.now + timedelta(seconds=300)
    await play.connection.execute(
        "UPDATE playtime.playtime_sessions SET last_heartbeat_at = $1 WHERE id = $2",
        lost_at - timedelta(seconds=silent_for),
        session.id,
    )
    play.later(minutes=6)
    silence = timedelta(seconds=180)
    assert await play.service.lose_seat(play.user, session.id, lost_at, silence)
    assert not await play.service.lose_seat(play.user, session.id, lost_at, silence)
    [ended] = play.events_of(SessionEnded)
    assert (ended.end_reason, ended.duration_seconds) == ("seat_lost", seconds)


async def test_a_player_of_their_own_copy_loses_no_seat(play):
    session = await play.start(play.own())
    assert not await play.service.lose_seat(play.user, session.id, play.now)
    assert play.events_of(SessionEnded) == []


async def test_an_unnoticed_purchase_keeps_the_session_when_the_share_ends(play):
    """The release before left such a session on the shared copy."""
    product, owner = play.own(), uuid4()
    play.copies.shared[product] = [owner]
    first, second = await play.start(product), await play.start(product, "deck")
    play.copies.bought.add(product)
    await play.service.end_access(play.user, {product}, owner, first.id)
    assert not await play.service.lose_seat(play.user, second.id, play.now)
    assert play.events_of(SessionEnded) == []
    assert [one.session_id for one in play.events_of(SessionCopyChanged)] == [first.id, second.id]


async def test_a_session_continues_on_another_copy_under_its_id(play):
    product, owner = play.own(), uuid4()
    play.copies.shared[product] = [owner]
    session = await play.start(product)
    play.later(minutes=1)
    await play.service.continue_on_own_copies(play.user, {product})
    await play.service.continue_on_own_copies(play.user, {product})
    play.later(minutes=1)
    await play.service.continue_on_shared_copies(play.user, {product})
    changed = [(one.left_owner_user_id, one.copy_owner_user_id) for one in play.events_of(SessionCopyChanged)]
    assert changed == [(owner, None), (None, owner)]
    del play.copies.shared[product]
    await play.service.continue_on_own_copies(play.user, {product})
    play.later(minutes=1)
    await play.service.continue_on_shared_copies(play.user, {product})
    [ended] = play.events_of(SessionEnded)
    assert (ended.session_id, ended.end_reason, ended.duration_seconds) == (session.id, "access_revoked", 180)
    parts = await play.connection.fetch(
        "SELECT copy_owner_user_id, seat_number, end_time - start_time AS length FROM playtime.playtime_copy_parts "
        "WHERE user_id = $1 ORDER BY start_time",
        play.user,
    )
    minute = timedelta(minutes=1)
    # The last change was in the same second as the one before, which therefore has no length.
    assert [tuple(part) for part in parts] == [(owner, 7, minute), (None, None, minute)]


async def test_play_offline_counts_on_the_first_copy_that_nobody_else_played(play):
    product, first, second = play.own(), uuid4(), uuid4()
    played = play.now - timedelta(hours=3)
    play.copies.shared[product] = [first, second]
    me, rival = play.user, uuid4()

    async def import_one(user, start, minutes):
        play.user = user
        play.copies.members.add(user)
        play.own(product)
        return await play.import_sessions(play.offline(product, start, minutes))

    for user in (rival, me):
        assert await import_one(user, played, 60) == [("accepted", None)]
    assert await import_one(uuid4(), played + timedelta(minutes=59), 5) == [("rejected", "FAMILY_SEAT_BUSY")]
    assert await import_one(uuid4(), played + timedelta(minutes=60), 5) == [("accepted", None)]
    owners = "SELECT copy_owner_user_id FROM playtime.playtime_sessions WHERE user_id = $1"
    assert [await play.connection.fetchval(owners, user) for user in (rival, me)] == [first, second]
