"""Imports of offline unlocks: their times, repetitions, refusals, and names instead of ids."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.achievements import AchievementNotFound, AchievementUnlocked, NamedAchievement
from gameshelf.kernel.errors import PermissionDenied


@pytest.fixture
def game():
    return uuid4()


async def test_an_unlock_keeps_the_players_time_within_access_and_now(players, game):
    user = await players.own(game)
    names = [await players.define(game) for _ in range(3)]
    hours = {"a": -5, "b": -24 * 365, "c": 24 * 365}
    elements = [
        {
            "client_id": name,
            "achievement_id": str(achievement),
            "unlocked": True,
            "happened_at": str(players.now + timedelta(hours=hours[name])),
        }
        for name, achievement in zip(hours, names, strict=True)
    ]
    assert await players.offline(user, *elements) == [("accepted", None)] * 3
    times = [(await players.one(user, one)).unlocked_at for one in names]
    assert times == [players.now - timedelta(hours=5), players.now - timedelta(days=30), players.now]
    assert [event.unlocked_at for event in players.events] == times
    assert {type(event) for event in players.events} == {AchievementUnlocked}
    elements[0]["happened_at"] = str(players.now - timedelta(days=9))
    assert await players.offline(user, *elements) == [("duplicate", None)] * 3
    assert (await players.one(user, names[0])).unlocked_at == times[0]


async def test_elements_count_one_after_the_other(players, game):
    user, achievement = await players.own(game), await players.define(game, target_progress=100)

    def report(current, minutes):
        at = str(players.now - timedelta(minutes=minutes))
        return {"client_id": "x", "achievement_id": str(achievement), "current_progress": current, "happened_at": at}

    results = await players.offline(user, report(40, 9), report(40, 8), report(120, 7), report(130, 6))
    assert [result for result, _ in results] == ["accepted", "duplicate", "accepted", "duplicate"]
    found = await players.one(user, achievement)
    assert (found.unlocked_at, found.current_progress) == (players.now - timedelta(minutes=7), 100)
    assert len(players.events) == 1


async def test_what_is_wrong_with_one_element_is_its_own(players, game):
    user, server = await players.own(game), await players.define(game, server_authoritative=True)
    plain, foreign = await players.define(game), await players.define(uuid4())
    good = {"client_id": "1", "achievement_id": str(plain), "unlocked": True, "happened_at": str(players.now)}
    elements = [
        {**good, "achievement_id": str(server)},
        {**good, "achievement_id": str(foreign)},
        {**good, "achievement_id": str(uuid4())},
        {**good, "unlocked": False},
        {**good, "current_progress": 1},
        {**good, "product_id": str(game)},
        {**good, "product_id": str(game), "api_name": "A"},
        {**good, "happened_at": "yesterday"},
        "nothing",
        good,
    ]
    assert await players.offline(user, *elements) == [
        ("rejected", "PERMISSION_DENIED"),
        ("rejected", "PERMISSION_DENIED"),
        ("rejected", "ACHIEVEMENT_NOT_FOUND"),
        *[("rejected", "VALIDATION_ERROR")] * 6,
        ("accepted", None),
    ]
    assert await players.offline(user, elements[0], by_server=True) == [("accepted", None)]


async def test_an_achievement_is_found_by_the_name_that_its_developer_gave_it(players, game):
    user = await players.own(game)
    name = "ACH/Caf\u00e9"
    lowest, highest = sorted([await players.define(game, api_name=name) for _ in range(2)])
    await players.define(uuid4(), api_name=name)
    element = {"client_id": "1", "product_id": str(game), "unlocked": True, "happened_at": str(players.now)}
    results = await players.offline(
        user, {**element, "api_name": "ACH/Cafe\u0301"}, {**element, "api_name": name.lower()}
    )
    assert results == [("accepted", None), ("rejected", "ACHIEVEMENT_NOT_FOUND")]
    states = [(await players.one(user, one)).is_unlocked for one in (lowest, highest)]
    assert states == [True, False]
    assert await players.service.named_one(NamedAchievement.from_text(game, name)) == lowest
    for unknown in ("other", "x" * 5000, "nul\x00"):
        with pytest.raises(AchievementNotFound):
            await players.service.named_one(NamedAchievement.from_text(game, unknown))


async def test_nothing_is_imported_into_a_game_that_the_player_may_not_play(players, game):
    achievement = await players.define(game)
    element = {"client_id": "1", "achievement_id": str(achievement), "unlocked": True, "happened_at": str(players.now)}
    assert await players.offline(uuid4(), element) == [("rejected", PermissionDenied.code)]
    assert not players.events
