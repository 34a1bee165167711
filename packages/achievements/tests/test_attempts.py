"""Refused reports are kept within their limits."""

from datetime import timedelta
from uuid import uuid4

from gameshelf.achievements import (
    MAX_REFUSED,
    NamedAchievement,
    RefusedAttempts,
    RefusedAttemptStore,
    attempt_subject,
    prune_refused_attempts,
    refused_attempts,
)


def refusal(players, subject="subject", rule="PERMISSION_DENIED not_owned", source="player", attempts=1):
    return RefusedAttempts(subject, rule, source, attempts, players.now, players.now)


async def add(players, user, *refused):
    await RefusedAttemptStore(players.connection).add(user, refused)


async def test_alike_ones_are_counted_together(players):
    user, began = uuid4(), players.now
    await add(players, user, refusal(players, attempts=3), refusal(players, source="player deck"))
    players.later(hours=1)
    await add(players, user, refusal(players), refusal(players, rule="ACHIEVEMENT_NOT_FOUND"))
    found = await refused_attempts(players.connection, user, ["subject"])
    assert [(one.rule, one.source, one.attempts) for one in found] == [
        ("ACHIEVEMENT_NOT_FOUND", "player", 1),
        ("PERMISSION_DENIED not_owned", "player", 4),
        ("PERMISSION_DENIED not_owned", "player deck", 1),
    ]
    assert (found[1].first_at, found[1].last_at) == (began, players.now)
    assert await refused_attempts(players.connection, uuid4(), ["subject"]) == []
    assert await refused_attempts(players.connection, user, ["another one"]) == []


async def test_of_a_user_those_with_the_newest_attempts_are_kept(players):
    user = uuid4()
    for number in range(MAX_REFUSED + 20):
        await add(players, user, refusal(players, f"{number}"))
        players.later(seconds=1)
    found = await refused_attempts(players.connection, user, [str(number) for number in range(200)])
    assert await refused_attempts(players.connection, user) == found
    assert [one.subject for one in found] == [str(number) for number in range(MAX_REFUSED + 19, 19, -1)]


async def test_expired_ones_are_deleted_in_parts(players):
    user = uuid4()
    for number in range(5):
        await add(players, user, refusal(players, f"{number}"))
        players.later(days=1)
    before = players.now - timedelta(days=2)
    assert [await prune_refused_attempts(players.connection, before, 2) for _ in range(3)] == [2, 1, 0]
    assert len(await refused_attempts(players.connection, user, list("01234"))) == 2


async def test_an_erasure_deletes_them(players):
    user = uuid4()
    await add(players, user, refusal(players))
    while await players.service.erase(user):
        pass
    assert await refused_attempts(players.connection, user, ["subject"]) == []


def test_a_long_name_is_cut():
    product = uuid4()
    assert attempt_subject(NamedAchievement(product, "x" * 500)) == f"{product}/{'x' * 100}"
    assert attempt_subject(product) == str(product)
