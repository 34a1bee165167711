"""Reads for support: the whole ledger, corrections, imports and anomalies."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.playtime import (
    AnomalyPlace,
    Beat,
    CorrectionPlace,
    Liveness,
    PlaytimeSupportQueries,
    SessionKey,
    SessionPlace,
)
from gameshelf.playtime._queries.support import _ANOMALIES


@pytest.fixture
def support(play):
    return PlaytimeSupportQueries(play.connection)


async def pages(read, place, size=2):
    """Returns a whole list, read a few entries at a time."""
    found, after = [], None
    while part := await read(after=after, limit=size):
        assert len(part) <= size
        found += part
        after = place(part[-1])
    return found


async def test_a_session_shows_device_end_copy_signs_of_life_and_the_clients_id(play, support):
    game, shared, owner = play.own(), play.own(), uuid4()
    play.copies.shared[shared] = [owner]
    start = play.now - timedelta(days=2)
    await play.import_sessions(play.offline(game, start, 60, "launcher-1", device_id="deck", platform="linux"))
    running = await play.start(shared, "desk")
    beat = play.now + timedelta(minutes=4)
    await Liveness(play.connection).checkpoint([Beat(SessionKey(play.user, running.id), beat)])
    lent, imported = await support.sessions(play.user)
    assert (lent.session.id, lent.session.device_id, lent.session.end_time) == (running.id, "desk", None)
    assert (lent.session.copy_owner_user_id, lent.session.seat_number) == (owner, 7)
    assert lent.session.last_heartbeat_at == beat
    assert (imported.session.client_session_id, imported.session.end_reason) == ("launcher-1", "imported")
    assert (imported.session.device_id, imported.session.platform) == ("deck", "linux")
    assert imported.recorded_at == await play.connection.fetchval("SELECT now()")


async def test_the_sessions_of_a_day_are_all_that_touch_it(play, support):
    game, day = play.own(since=play.now - timedelta(days=400)), play.now.replace(day=10, hour=0)
    hours = {"before": -30, "into it": -3, "first second": 0, "in it": 5, "out of it": 23, "after": 24}
    for name, offset in hours.items():
        await play.import_sessions(play.offline(game, day + timedelta(hours=offset), 240, name))
    await play.connection.execute(
        "UPDATE playtime.playtime_sessions SET start_time = start_time - interval '60 days', end_time = $1 "
        "WHERE client_session_id = 'before'",
        day + timedelta(hours=1),
    )
    found = await support.sessions(play.user, since=day, until=day + timedelta(days=1))
    names = [one.session.client_session_id for one in found]
    assert names == ["out of it", "in it", "first second", "into it", "before"]


async def test_a_ledger_continues_after_the_last_session(play, support):
    game, other, start = play.own(), play.own(), play.now - timedelta(days=1)
    # Several start in the same second: their ids order them.
    await play.import_sessions(*(play.offline(game, start + timedelta(hours=number // 4), 10) for number in range(10)))
    await play.import_sessions(play.offline(other, start, 10))

    async def read(**how):
        return await support.sessions(play.user, game, **how)

    found = await pages(read, lambda one: SessionPlace(one.session.start_time, one.session.id), 3)
    assert len({one.session.id for one in found}) == len(found) == 10
    assert [one.session.start_time for one in found] == sorted((one.session.start_time for one in found), reverse=True)
    assert await support.sessions(uuid4()) == []


async def test_an_import_shows_how_much_of_the_total_is_due_to_it(play, support):
    game, other, start = play.own(), play.own(), play.now - timedelta(days=5)
    await play.import_sessions(play.offline(game, start, 120, device_id="desk"))
    play.later(minutes=1)
    await play.connection.execute("UPDATE playtime.playtime_sessions SET created_at = created_at - interval '1 hour'")
    # Overlaps the earlier import by an hour, and itself by half an hour.
    half = timedelta(minutes=30)
    await play.import_sessions(
        play.offline(game, start + 2 * half, 240, device_id="deck"),
        play.offline(game, start + 8 * half, 90, device_id="deck"),
        play.offline(other, start, 999, device_id="deck"),
    )
    await play.end(await play.start(game, "deck"))
    deck, desk = await support.imports(play.user, game)
    assert await play.total(game) == 330 * 60
    assert (deck.device_id, deck.sessions, deck.seconds, deck.counted_seconds) == ("deck", 2, 330 * 60, 210 * 60)
    assert (deck.first_start, deck.last_end) == (start + 2 * half, start + 11 * half)
    assert (desk.device_id, desk.sessions, desk.seconds, desk.counted_seconds) == ("desk", 1, 120 * 60, 60 * 60)
    assert desk.recorded_at == deck.recorded_at - timedelta(hours=1)
    assert await support.imports(play.user, game, limit=1) == [deck]
    [alone] = await support.imports(play.user, other)
    assert alone.counted_seconds == alone.seconds == 999 * 60
    assert await support.imports(play.user, uuid4()) == []


async def test_corrections_have_a_time_and_a_reason(play, support):
    game, other = play.own(), play.own()
    for product, seconds, reason in ((game, 600, "a lost session"), (game, -60, "too much"), (other, 5, "thanks")):
        await play.service.correct(play.user, product, seconds, reason)

    async def read(**how):
        return await support.corrections(play.user, **how)

    found = await pages(read, lambda one: CorrectionPlace(one.created_at, one.id))
    assert sorted((one.product_id, one.seconds, one.reason) for one in found) == sorted(
        [(game, 600, "a lost session"), (game, -60, "too much"), (other, 5, "thanks")]
    )
    assert [one.seconds for one in await support.corrections(play.user, other)] == [5]


async def flagged(play, user, *kinds_and_ages):
    for kind, days in kinds_and_ages:
        await play.connection.execute(
            "INSERT INTO playtime.playtime_anomalies VALUES ($1, $2, $3, 90000, $4)",
            user,
            kind,
            f"{days} days ago",
            play.now - timedelta(days=days),
        )


async def test_anomalies_are_listed_of_all_users_or_one_the_newest_first(play, support):
    other = uuid4()
    await flagged(play, play.user, ("long_day", 3), ("fast_import", 1), ("fast_import", 3))
    await flagged(play, other, ("long_day", 2), ("long_day", 3))
    everybody = await pages(support.anomalies, lambda one: one.place)
    assert [one.subject[0] for one in everybody] == ["1", "2", "3", "3", "3"]
    assert len({one.place for one in everybody}) == 5
    assert everybody[0].place == AnomalyPlace(play.now - timedelta(days=1), play.user, "fast_import", "1 days ago")

    async def mine(**how):
        return await support.anomalies(play.user, **how)

    found = await pages(mine, lambda one: one.place, 1)
    assert [one.kind for one in found] == ["fast_import", "long_day", "fast_import"]
    assert {(one.user_id, one.seconds) for one in found} == {(play.user, 90000)}
    assert [one.user_id for one in await support.anomalies(kind="long_day", limit=1)] == [other]
    assert await support.anomalies(uuid4()) == []


class Explained:
    """A connection that explains a statement instead of running it."""

    def __init__(self, connection):
        self.connection = connection

    async def fetch(self, sql, *values):
        self.plan = [row[0] for row in await self.connection.fetch(f"EXPLAIN {sql}", *values)]
        return []


async def test_a_page_of_everybodys_anomalies_reads_an_index_and_sorts_nothing(play, support):
    await play.connection.execute("SET LOCAL enable_seqscan = off")
    place = {"after": play.now, "after_id": uuid4(), "after_kind": "", "after_subject": ""}
    explained = Explained(play.connection)
    await _ANOMALIES.all(explained, kind=None, limit=9, **place)
    plan = "\n".join(explained.plan)
    assert "ix_playtime_anomalies_found" in plan
    assert "Sort" not in plan
