"""Grants and revocations by support, and their undo."""

from uuid import uuid4

import pytest
from gameshelf.achievements import (
    AchievementAlreadyUnlocked,
    AchievementLocked,
    AchievementNotFound,
    AchievementState,
    AchievementUnlocked,
)
from gameshelf.kernel.paging import Page


@pytest.fixture
def game():
    return uuid4()


async def counters(players, user, achievement):
    """Returns the folded unlocks and owners, after a check that a recount finds no difference."""
    await players.fold()
    found = await players.one(user, achievement)
    assert await players.counters.differences([found.product_id]) == []
    return found.unlocks, found.owners


async def test_support_unlocks_what_the_player_may_not(players, game):
    achievement = await players.define(game, server_authoritative=True, target_progress=50)
    stranger = uuid4()
    made = await players.service.grant(stranger, achievement)
    assert made.before.state == AchievementState()
    assert made.after == await players.one(stranger, achievement)
    assert made.after.state == AchievementState(True, players.now, 50, None)
    [event] = players.events
    assert isinstance(event, AchievementUnlocked)
    assert (event.achievement_id, event.product_id, event.unlocked_at) == (achievement, game, players.now)
    assert await counters(players, stranger, achievement) == (0, 0)


async def test_an_owners_grant_counts_at_once_and_once(players, game):
    achievement, user = await players.define(game), await players.own(game)
    await players.own(game)
    await players.fold()
    first = await players.service.grant(user, achievement)
    players.later(hours=1)
    again = await players.service.grant(user, achievement)
    assert again.before == again.after
    assert again.after.state == first.after.state == AchievementState(True, first.after.unlocked_at, 1, 50.0)
    assert len(players.events) == 1
    assert await counters(players, user, achievement) == (1, 2)
    with pytest.raises(AchievementAlreadyUnlocked):
        await players.service.unlock(user, achievement)


async def test_a_revoked_achievement_has_no_progress(players, game):
    achievement, user = await players.define(game, target_progress=3), await players.own(game)
    await players.report(user, achievement, 3)
    made = await players.service.revoke(user, achievement)
    assert made.after.state == AchievementState()
    assert made.after.state == (await players.one(user, achievement)).state
    assert [type(event) for event in players.events] == [AchievementUnlocked, AchievementLocked]
    assert (players.events[1].achievement_id, players.events[1].product_id) == (achievement, game)
    assert await counters(players, user, achievement) == (0, 1)
    assert [one.unlocked for one in (await players.queries.summary(user, Page())).items] == [0]
    assert not (await players.report(user, achievement, 2)).newly_unlocked  # it has to be earned again
    assert (await players.report(user, achievement, 3)).newly_unlocked


async def test_what_is_locked_is_not_revoked_and_keeps_its_progress(players, game):
    achievement, user = await players.define(game, target_progress=3), await players.own(game)
    await players.report(user, achievement, 2)
    made = await players.service.revoke(user, achievement)
    assert made.before == made.after
    assert made.after.current_progress == 2
    assert not players.events


async def test_a_borrowers_unlock_never_counted_and_is_not_taken_off(players, game):
    achievement, owner, borrower = await players.define(game), await players.own(game), uuid4()
    await players.service.unlock(owner, achievement)
    players.may_play(borrower, game)
    await players.service.unlock(borrower, achievement)
    await players.service.revoke(borrower, achievement)
    assert await counters(players, owner, achievement) == (1, 1)


@pytest.mark.parametrize("progress", [None, 0, 2])
async def test_a_grant_is_taken_back_to_the_progress_before_it(players, game, progress):
    achievement, user = await players.define(game, target_progress=3), await players.own(game)
    if progress is not None:
        await players.report(user, achievement, progress)
    made = await players.service.grant(user, achievement)
    back = await players.service.restore(user, achievement, made.before.state)
    assert back.before.state == made.after.state
    assert (await players.one(user, achievement)).state == back.after.state == made.before.state
    assert [type(event) for event in players.events] == [AchievementUnlocked, AchievementLocked]
    assert await counters(players, user, achievement) == (0, 1)


async def test_a_revocation_is_taken_back_with_the_old_time_and_rarity(players, game):
    achievement, user = await players.define(game, target_progress=3), await players.own(game)
    await players.fold()
    unlocked = await players.service.unlock(user, achievement)
    for _ in range(4):
        await players.own(game)
    await players.fold()
    players.later(days=9)
    made = await players.service.revoke(user, achievement)
    await players.service.restore(user, achievement, made.before.state)
    assert (await players.one(user, achievement)).state == unlocked.state
    assert unlocked.state.rarity_at_unlock == 100.0
    assert players.events[-1].unlocked_at == unlocked.unlocked_at
    assert await counters(players, user, achievement) == (1, 5)


async def test_restoring_the_current_state_changes_nothing_and_emits_nothing(players, game):
    achievement, user = await players.define(game), await players.own(game)
    made = await players.service.grant(user, achievement)
    players.events.clear()
    again = await players.service.restore(user, achievement, made.after.state)
    assert again.before.state == again.after.state == made.after.state
    assert not players.events
    assert await counters(players, user, achievement) == (1, 1)


async def test_an_unknown_achievement_is_not_found(players):
    user = uuid4()
    for attempt in (
        players.service.grant(user, uuid4()),
        players.service.revoke(user, uuid4()),
        players.service.restore(user, uuid4(), AchievementState()),
    ):
        with pytest.raises(AchievementNotFound):
            await attempt
