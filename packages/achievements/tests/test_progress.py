"""Progress, unlocks, secrets, and who may unlock what."""

from uuid import uuid4

import pytest
from gameshelf.achievements import (
    AchievementAlreadyUnlocked,
    AchievementNotFound,
    AchievementUnlocked,
    ProgressUpdate,
)
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.kernel.paging import Page


@pytest.fixture
def game():
    return uuid4()


async def test_progress_adds_up_and_unlocks_once_at_the_target(players, game):
    achievement, user = await players.define(game, target_progress=3), await players.own(game)
    results = [(await players.report(user, achievement, current)) for current in (1, 2, 1, 3, 3, 2)]
    assert [one.newly_unlocked for one in results] == [False, False, False, True, False, False]
    assert [one.achievement.current_progress for one in results] == [1, 2, 2, 3, 3, 3]
    [event] = players.events
    assert isinstance(event, AchievementUnlocked)
    assert (event.achievement_id, event.product_id, event.unlocked_at) == (achievement, game, players.now)
    assert await players.one(user, achievement) == results[-1].achievement


async def test_an_unlock_needs_no_progress_and_happens_once(players, game):
    achievement, user = await players.define(game, target_progress=100), await players.own(game)
    unlocked = await players.service.unlock(user, achievement)
    assert (unlocked.is_unlocked, unlocked.unlocked_at, unlocked.current_progress) == (True, players.now, 100)
    with pytest.raises(AchievementAlreadyUnlocked) as refused:
        await players.service.unlock(user, achievement)
    assert refused.value.meta == {"unlocked_at": players.now}
    assert len(players.events) == 1


async def test_without_access_or_definition_nothing_is_unlocked(players, game):
    achievement, stranger = await players.define(game), uuid4()
    with pytest.raises(PermissionDenied):
        await players.service.unlock(stranger, achievement)
    with pytest.raises(AchievementNotFound):
        await players.service.unlock(await players.own(game), uuid4())
    assert not players.events


async def test_what_only_servers_unlock_is_refused_to_players(players, game):
    achievement, user = await players.define(game, server_authoritative=True), await players.own(game)
    for attempt in (players.service.unlock(user, achievement), players.report(user, achievement, 0)):
        with pytest.raises(PermissionDenied):
            await attempt
    assert not (await players.report(user, achievement, 1, by_server=True)).newly_unlocked
    assert await players.service.unlock(user, achievement, by_server=True)


async def test_a_secret_one_has_no_name_until_it_is_unlocked(players, game):
    names = {"name_ru": "Тайна", "name_en": "Secret", "description_en": "Found it"}
    achievement, user = await players.define(game, is_hidden=True, **names), await players.own(game)
    locked = await players.one(user, achievement)
    assert (locked.name("en"), locked.description("en")) == (None, None)
    await players.service.unlock(user, achievement)
    found = await players.one(user, achievement)
    assert (found.name("ru"), found.name("en"), found.description("ru")) == ("Тайна", "Secret", "Found it")


async def test_a_batch_is_as_if_one_report_came_after_the_other(players, game):
    counted, plain = await players.define(game, target_progress=5), await players.define(game)
    foreign, server = await players.define(uuid4()), await players.define(game, server_authoritative=True)
    user = await players.own(game)
    reports = [
        (counted, 2),
        (plain, None),
        (counted, 5),
        (counted, 5),
        (uuid4(), 1),
        (foreign, 1),
        (server, 1),
        (plain, 0),
    ]
    outcomes = await players.service.report_many(user, [ProgressUpdate(*report) for report in reports])
    assert [one.newly_unlocked for one in outcomes] == [False, True, True, *[False] * 5]
    assert [one.refusal.code if one.refusal else None for one in outcomes] == [
        *[None] * 4,
        "ACHIEVEMENT_NOT_FOUND",
        "PERMISSION_DENIED",
        "PERMISSION_DENIED",
        None,
    ]
    assert [event.achievement_id for event in players.events] == [plain, counted]
    assert (await players.one(user, counted)).is_unlocked


async def test_a_report_is_three_round_trips_however_many_it_holds(players, game):
    user = await players.own(game)
    many = [await players.define(game) for _ in range(30)]
    counted = Counted(players.connection)

    async def serialised(user_id):
        pass

    about = (players.events.append, players.access, lambda: players.now)
    service = type(players.service)(counted, *about, serialised)
    await service.unlock(user, many[0])
    assert counted.calls == 2  # and one at the port for access
    await service.report_many(user, [ProgressUpdate(one, None) for one in many])
    assert counted.calls == 4
    assert len(players.events) == 30


class Counted:
    """A connection that counts its round trips."""

    def __init__(self, connection):
        self._connection, self.calls = connection, 0

    def __getattr__(self, name):
        async def call(*arguments):
            self.calls += 1
            return await getattr(self._connection, name)(*arguments)

        return call


async def test_status_lists_every_achievement_of_a_product_by_api_name(players, game):
    user = await players.own(game)
    for name in ("C", "A", None, "B"):
        await players.define(game, **({"api_name": name} if name else {}))
    await players.define(uuid4(), api_name="elsewhere")
    assert [one.api_name for one in await players.queries.of_product(user, game)] == ["A", "B", "C", None]
    assert await players.queries.of_product(user, uuid4()) == []


async def test_the_summary_lists_every_product_owned_or_begun(players, game):
    other, bare, lent = uuid4(), uuid4(), uuid4()
    first, second = await players.define(game), await players.define(game)
    await players.define(game)
    await players.define(other)
    borrowed = await players.define(lent, target_progress=9)
    user = await players.own(game)
    for product in (other, bare):
        await players.own(product, user)
    players.may_play(user, lent)
    await players.report(user, borrowed, 1)
    await players.service.unlock(user, first)
    players.later(hours=1)
    await players.service.unlock(user, second)
    found = await players.queries.summary(user, Page())
    assert found.total == 3
    assert [(one.product_id, one.unlocked, one.total) for one in found.items] == [
        (game, 2, 3),
        *sorted([(other, 0, 1), (lent, 0, 1)]),
    ]
    assert (found.items[0].percentage, found.items[0].last_unlocked_at) == (66.6, players.now)
    assert (await players.queries.summary(user, Page(2, 2))).items == found.items[2:]
    past = await players.queries.summary(user, Page(9, 2))
    assert (past.items, past.total) == ([], found.total)


async def test_products_are_summarised_whether_they_are_owned_or_not(players, game):
    lent, bare = uuid4(), uuid4()
    first = await players.define(game)
    for product in (game, lent, lent):
        await players.define(product)
    user = await players.own(game)
    await players.service.unlock(user, first)
    found = await players.queries.of_products(user, [lent, bare, game])
    assert {one: (of.unlocked, of.total, of.last_unlocked_at) for one, of in found.items()} == {
        game: (1, 2, players.now),
        lent: (0, 2, None),
    }
    assert (await players.queries.of_products(uuid4(), [game]))[game].unlocked == 0
    assert await players.queries.of_products(user, []) == {}


async def test_what_was_unlocked_stays_after_a_refund(players, game):
    achievement, user = await players.define(game), await players.own(game)
    await players.service.unlock(user, achievement)
    await players.service.disown(user, [game])
    assert (await players.one(user, achievement)).is_unlocked
