"""The catalog projection on a real PostgreSQL: what is written, what is counted, what is asked for."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.library import CATALOG_VERSION, CatalogProjection, ProductFact
from gameshelf.library import _catalog as catalog_module
from sqlalchemy import select

VERSION = str(select(CATALOG_VERSION))
HOUR = timedelta(hours=1)


async def version(library):
    return await library.connection.fetchval(VERSION)


async def counted(library, *facts):
    """By how much the version grew."""
    before = await version(library)
    await library.projection.apply(facts)
    return await version(library) - before


async def test_the_version_counts_a_commit_that_changed_something_once(library):
    facts = [ProductFact(uuid4(), library.now, {"title_ru": str(number)}) for number in range(5)]
    assert await counted(library, *facts) == 1
    assert await counted(library) == 0


async def test_the_version_stays_where_nothing_that_anybody_sees_changed(library):
    game = uuid4()
    said = {"title_ru": "Лёд", "is_free_to_play": True}
    assert await counted(library, ProductFact(game, library.now, said)) == 1
    assert await counted(library, ProductFact(game, library.now, said)) == 0  # twice
    assert await counted(library, ProductFact(game, library.now - HOUR, {"title_ru": "Старое"})) == 0  # late
    assert await counted(library, ProductFact(game, library.now + timedelta(seconds=1), said)) == 0  # the same again
    assert await counted(library, ProductFact(uuid4(), library.now)) == 0  # nothing said


async def test_saying_the_same_again_later_outlasts_what_was_said_in_between(library):
    game = uuid4()
    for hours, title in ((3, "Лёд"), (1, "Лёд"), (2, "Снег")):
        await library.catalog(game, library.now - hours * HOUR, title_ru=title)
    await library.buy(game)
    assert (await library.item(game)).title == "Лёд"


async def test_a_batch_of_facts_of_many_products_is_merged_with_what_is_known(library):
    old, new = uuid4(), uuid4()
    await library.catalog(old, library.now - HOUR, title_ru="Лёд", cover_image_url="https://c.example/1")
    await library.projection.apply(
        [
            ProductFact(new, library.now, {"title_en": "Snow"}),
            ProductFact(old, library.now, {"title_ru": "Льды"}),
            ProductFact(old, library.now - 2 * HOUR, {"title_ru": "Старое", "title_en": "Ice", "product_type": "game"}),
        ]
    )
    await library.buy(old, new)
    shown = [(item.title, item.product_type, item.cover_image_url) for item in (await library.page("en")).items]
    assert sorted(shown, key=str) == [("Ice", "game", "https://c.example/1"), ("Snow", None, None)]


async def test_of_two_facts_of_the_same_time_the_one_applied_last_holds(library):
    game = uuid4()
    for title in ("Один", "Два"):
        await library.catalog(game, title_ru=title)
    await library.buy(game)
    assert (await library.item(game)).title == "Два"


@pytest.mark.parametrize(
    "values",
    [
        {"title": "unknown field"},
        {"title_ru": ""},
        {"title_ru": "x" * 501},
        {"title_en": "a\x00b"},
        {"title_en": "\ud800"},
        {"product_type": "x" * 51},
        {"cover_image_url": "x" * 2001},
        {"is_free_to_play": "yes"},
    ],
)
def test_a_fact_that_no_product_can_hold_is_refused_where_it_is_made(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        ProductFact(uuid4(), catalog_module.utc_now(), values)


def test_a_facts_texts_are_normalised_and_what_is_null_was_not_said():
    fact = ProductFact(uuid4(), catalog_module.utc_now(), {"title_ru": "и\u0306", "title_en": None})
    assert fact.values == {"title_ru": "й"}


async def test_the_longest_title_with_the_longest_key_fits(library):
    game = uuid4()
    await library.catalog(game, title_ru="ΐ" * 500)  # folds to three code points each
    await library.buy(game)
    assert await library.products(search="ΐ" * 200) == [game]


async def test_a_product_is_asked_for_until_its_title_is_known(library):
    known, unknown, untitled = sorted(uuid4() for _ in range(3))
    await library.catalog(known, title_en="There")
    await library.catalog(untitled, is_free_to_play=True)
    await library.buy(known, unknown, untitled)
    assert await library.projection.take_missing(100) == sorted([unknown, untitled])
    assert await library.projection.take_missing(100) == []  # asked just now
    await library.catalog(unknown, title_ru="Теперь есть")
    library.now += timedelta(minutes=10)
    assert await library.projection.take_missing(100) == [untitled]
    assert await library.connection.fetchval("SELECT count(*) FROM library.wanted_products") == 1


async def test_a_wanted_product_is_asked_for_once_and_calls_are_bounded(library):
    games = sorted(uuid4() for _ in range(3))
    for _ in range(4):
        library.user = uuid4()
        await library.buy(*games)
    assert await library.projection.take_missing(2) == games[:2]
    assert await library.projection.take_missing(2) == games[2:]
    assert await library.projection.take_missing(2) == []


async def test_titles_that_became_known_never_hide_missing_ones(library, monkeypatch):
    monkeypatch.setattr(catalog_module, "_DUE_AT_ONCE", 2)
    games = [uuid4() for _ in range(5)]
    for game in games:
        await library.buy(game, order=str(game))
        library.now += HOUR
    for game in games[:4]:
        await library.catalog(game, title_ru="Теперь есть")
    assert await library.projection.take_missing(100) == [games[4]]


async def test_one_instance_at_a_time_asks_for_missing_products(library, library_dsn):
    other, third = [await asyncpg.connect(library_dsn) for _ in range(2)]
    game = uuid4()
    await other.execute("INSERT INTO library.wanted_products VALUES ($1, $2, now() - interval '1 day')", uuid4(), game)
    async with other.transaction(), third.transaction():
        assert game in await CatalogProjection(other).take_missing(100)
        assert game not in await CatalogProjection(third).take_missing(100)
    await other.execute("DELETE FROM library.wanted_products WHERE product_id = $1", game)
    await other.close()
    await third.close()


async def test_keys_of_another_version_are_folded_again_and_counted_once(library):
    old = [uuid4() for _ in range(5)]
    for game in old:
        await library.catalog(game, title_ru="Игра", title_en="Pokémon")
    await library.buy(*old)
    await library.connection.execute(
        "UPDATE library.products SET sort_key_ru = 'old', sort_key_en = 'pokémon' WHERE product_id = ANY($1)", old[1:]
    )
    before = await version(library)
    start, parts = UUID(int=0), 0
    while start is not None:
        start, parts = await library.projection.refold(start, 2), parts + 1
    assert parts > 1
    assert sorted(await library.products(search="pokemon")) == sorted(old)
    assert await version(library) == before
    for _ in range(2):
        await library.projection.end_refold()
        assert await version(library) == before + 1
