"""Definitions from the Catalog, in any order."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.achievements import DefinitionFact, Definitions
from gameshelf.devstack.pytest_plugin import sized
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MINUTE = timedelta(minutes=1)
GAME, OTHER_GAME = uuid4(), uuid4()


async def test_each_field_is_the_last_writers_by_the_catalogs_own_time(players):
    achievement = await players.define(GAME, api_name="FIRST", name_ru="Первый", target_progress=10)
    await players.define(GAME, players.now + MINUTE, achievement, name_ru="Самый первый")
    await players.define(GAME, players.now - MINUTE, achievement, name_ru="Старый", name_en="Old", target_progress=3)
    found = await players.one(uuid4(), achievement)
    assert (found.api_name, found.name_ru, found.name_en, found.target) == ("FIRST", "Самый первый", "Old", 10)


async def test_an_achievement_stays_with_its_product(players):
    achievement = await players.define(GAME, api_name="A")
    await players.define(OTHER_GAME, players.now + MINUTE, achievement, api_name="B")
    found = await players.one(uuid4(), achievement)
    assert (found.product_id, found.api_name) == (GAME, "A")


async def test_a_time_far_ahead_counts_as_now(players):
    achievement = await players.define(GAME, players.now + timedelta(days=400), name_ru="Из будущего")
    players.later(minutes=1)
    await players.define(GAME, players.now, achievement, name_ru="Теперь")
    assert (await players.one(uuid4(), achievement)).name_ru == "Теперь"


@pytest.mark.parametrize(
    "values",
    [{"target_progress": 0}, {"name_ru": ""}, {"name_en": "a" * 501}, {"is_hidden": "yes"}, {"price": 5}],
)
def test_what_no_achievement_can_have_is_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        DefinitionFact(uuid4(), GAME, None, values)


FACTS = st.lists(
    st.tuples(
        st.sampled_from([UUID(int=1), UUID(int=2)]),
        st.integers(0, 5),
        st.fixed_dictionaries(
            {},
            optional={
                "name_ru": st.sampled_from(["a", "b", "c"]),
                "target_progress": st.integers(1, 9),
                "is_hidden": st.booleans(),
            },
        ),
    ),
    max_size=12,
)


@given(FACTS, st.randoms(use_true_random=False))
@settings(
    max_examples=sized(15, 60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_definitions_do_not_depend_on_the_order_or_grouping_of_facts(players, facts, chance):
    newest = {}
    unique = {(one, at, name): value for one, at, values in facts for name, value in values.items()}
    published = [
        DefinitionFact(one, GAME, players.now + at * MINUTE, {name: value}) for (one, at, name), value in unique.items()
    ]
    for (one, _, name), value in sorted(unique.items(), key=lambda entry: entry[0][1]):
        newest[one, name] = value
    chance.shuffle(published)
    await players.connection.execute("DELETE FROM achievements.achievement_metadata")
    definitions = Definitions(players.connection, lambda: players.now)
    cut = chance.randint(0, len(published))
    await definitions.apply(published[:cut])
    await definitions.apply(published[cut:])
    rows = await players.connection.fetch("SELECT * FROM achievements.achievement_metadata")
    kept = {(row["id"], name): row[name] for row in rows for name in ("name_ru", "target_progress", "is_hidden")}
    assert {key: value for key, value in kept.items() if value is not None} == newest
