"""Targets that are unknown, lowered or raised: no player is unlocked too early, and every player in the end."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.achievements import TargetReviews


@pytest.fixture
def game():
    return uuid4()


async def test_progress_reported_before_the_target_is_judged_by_it_later(players, game):
    achievement = await players.define(game)
    low, high = [await players.own(game) for _ in range(2)]
    for user, progress in ((low, 5), (high, 250)):
        assert not (await players.report(user, achievement, progress)).newly_unlocked
    assert await players.review() == []
    await players.define(game, achievement=achievement, target_progress=100)
    assert await players.review() == [high]
    assert [(await players.one(user, achievement)).current_progress for user in (low, high)] == [5, 100]


async def test_who_has_reached_a_lowered_target_is_unlocked_once(players, game):
    achievement, other = [await players.define(game, target_progress=200) for _ in range(2)]
    players_of = [await players.own(game) for _ in range(5)]
    for user in players_of:
        await players.report(user, achievement, 150)
        await players.report(user, other, 150)
    behind, done = await players.own(game), await players.own(game)
    await players.report(behind, achievement, 99)
    await players.service.unlock(done, achievement)
    assert await players.review() == []
    players.later(hours=1)
    await players.define(game, players.now, achievement, target_progress=100)
    assert sorted(await players.review()) == sorted(players_of)
    assert await players.review() == []
    unlocked = await players.one(players_of[0], achievement)
    assert (unlocked.is_unlocked, unlocked.unlocked_at, unlocked.current_progress) == (True, players.now, 100)
    assert (await players.one(done, achievement)).unlocked_at == players.now - timedelta(hours=1)
    assert not (await players.one(behind, achievement)).is_unlocked
    assert not (await players.one(players_of[0], other)).is_unlocked


async def test_rarity_counts_the_owners_whom_a_review_has_unlocked(players, game):
    achievement = await players.define(game, target_progress=200)
    owners, borrower = [await players.own(game) for _ in range(4)], uuid4()
    players.may_play(borrower, game)
    for user in (*owners[:2], borrower):
        await players.report(user, achievement, 150)
    await players.fold()
    await players.define(game, achievement=achievement, target_progress=100)
    assert len(await players.review()) == 3
    await players.fold()
    assert (await players.one(owners[0], achievement)).rarity == 50.0
    assert await players.counters.differences([game]) == []


async def test_a_target_that_comes_back_before_it_is_reviewed_is_reviewed(players, game):
    achievement, user = await players.define(game, target_progress=100), await players.own(game)
    await players.review()
    await players.define(game, achievement=achievement, target_progress=200)
    await players.report(user, achievement, 150)
    await players.define(game, achievement=achievement, target_progress=100)
    assert await players.review() == [user]


async def test_a_target_that_the_release_before_has_written_is_reviewed(players, game):
    achievement, user = await players.define(game, target_progress=200), await players.own(game)
    await players.report(user, achievement, 150)
    await players.review()
    await players.connection.execute(
        "UPDATE achievements.achievement_metadata SET target_progress = 100 WHERE id = $1", achievement
    )
    assert await players.review() == [user]


async def test_a_review_of_a_target_that_has_changed_meanwhile_does_nothing(players, game):
    achievement, user = await players.define(game, target_progress=200), await players.own(game)
    await players.report(user, achievement, 150)
    await players.define(game, achievement=achievement, target_progress=100)
    reviews = TargetReviews(players.connection, lambda: players.now)
    [review] = await reviews.pending(10)
    await players.define(game, achievement=achievement, target_progress=180)
    assert await reviews.unlock(review, [user]) == []
    await reviews.finish([review])
    assert [one.target for one in await reviews.pending(10)] == [180]


async def test_only_what_somebody_has_begun_and_not_unlocked_is_reviewed(players, game):
    achievements = [await players.define(game, target_progress=100) for _ in range(9)]
    user, other = await players.own(game), await players.own(game)
    for achievement in achievements[::4]:
        await players.report(user, achievement, 50)
    await players.report(user, achievements[1], 100)
    await players.report(other, achievements[0], 70)
    reviews = TargetReviews(players.connection)
    pending = [one for one in await reviews.pending(100) if one.achievement_id in achievements]
    assert len(pending) == 9
    assert await reviews.begun(pending) == set(achievements[::4])
    assert await reviews.begun([one for one in pending if one.achievement_id not in achievements[::4]]) == set()
    assert await reviews.begun([]) == set()


async def test_a_target_that_changed_and_changed_back_is_reviewed_again(players, game):
    achievement = await players.define(game, target_progress=100)
    reviews = TargetReviews(players.connection)
    [review] = [one for one in await reviews.pending(100) if one.achievement_id == achievement]
    assert review.oldest_running <= review.next_transaction
    for target in (200, 100):
        await players.define(game, achievement=achievement, target_progress=target)
    await reviews.finish([review])
    [again] = [one for one in await reviews.pending(100) if one.achievement_id == achievement]
    assert (again.target, again.revision) == (review.target, review.revision + 2)
    await players.define(game, achievement=achievement, target_progress=100)  # the same value again
    await reviews.finish([again])
    assert achievement not in {one.achievement_id for one in await reviews.pending(100)}
