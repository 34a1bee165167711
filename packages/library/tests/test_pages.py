"""The list of games: filters, search, orders, pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.folding import fold_title
from gameshelf.library import InstallationStatus, ItemFilter, ItemSort, NewCategory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

DAY = timedelta(days=1)
TITLES = ["Ёлки", "Ежи", "жуки", "Zebra", "apple", "Ангел"]
ODD_TITLES = [r"100% _real_ \o/", "Straße 👾", "İstanbul", "Pokémon", "Baldur’s Gate 3", "Half-Life"]


@pytest.fixture
async def titled(library):
    """Games with titles in both alphabets, and one that the Catalog has not spoken of."""
    games = {title: uuid4() for title in (*TITLES, *ODD_TITLES)}
    for title, product in games.items():
        await library.catalog(product, title_ru=title)
    games["?"] = uuid4()
    await library.buy(*games.values())
    return {product: title for title, product in games.items()}


async def test_names_sort_by_their_folded_form_and_unknown_ones_come_last(library, titled):
    for language in ("ru", "en"):
        up = [titled[product] for product in await library.products(language, sort_by="name_asc")]
        assert [title for title in up if title not in ODD_TITLES] == [
            *("apple", "Zebra", "Ангел", "Ежи", "Ёлки", "жуки", "?")
        ]
        down = [titled[product] for product in await library.products(language, sort_by="name_desc")]
        assert down == [*reversed(up[:-1]), "?"]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("ЕЛК", ["Ёлки"]),
        ("ё", ["Ангел", "Ежи", "Ёлки"]),
        ("е\u0308лки", ["Ёлки"]),
        ("PP", ["apple"]),
        ("и", ["Ежи", "Ёлки", "жуки"]),
        ("%", [ODD_TITLES[0]]),
        ("0% _", [ODD_TITLES[0]]),
        ("_", []),
        ("\\", []),
        ("real o", [ODD_TITLES[0]]),
        ("%%", []),
        ("STRASSE", [ODD_TITLES[1]]),
        ("👾", [ODD_TITLES[1]]),
        ("i\u0307stan", [ODD_TITLES[2]]),
        ("istan", [ODD_TITLES[2]]),
        ("pokemon", ["Pokémon"]),
        ("baldur's gate", ["Baldur’s Gate 3"]),
        ("half life", ["Half-Life"]),
        ("half-life", ["Half-Life"]),
        ("'; DROP TABLE", []),
        ("x" * 200, []),
    ],
)
async def test_search_finds_part_of_a_title_in_any_case_without_wildcards(library, titled, sought, found):
    page = await library.page(search=sought, sort_by="name_asc")
    assert [titled[item.product_id] for item in page.items] == found
    assert page.total == len(found)


async def test_a_title_of_punctuation_sorts_but_is_not_found_by_search(library):
    games = {title: uuid4() for title in ("???", "Zebra")}
    for title, product in games.items():
        await library.catalog(product, title_ru=title)
    await library.buy(*games.values())
    assert await library.products(sort_by="name_asc") == [games["???"], games["Zebra"]]
    assert await library.products(search="???") == []


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_a_title_is_found_in_both_languages_whichever_is_shown(library, language):
    game = uuid4()
    await library.catalog(game, title_ru="Лёд", title_en="Ice")
    await library.buy(game)
    assert [await library.products(language, search=sought) for sought in ("лед", "ICE")] == [[game], [game]]


@pytest.mark.parametrize(
    "wanted",
    [
        {"search": "a\x00b"},
        {"search": "x" * 201},
        {"sort_by": "random"},
        {"status": ("gone",)},
        {"page": 0},
        {"limit": 0},
        {"limit": 101},
    ],
)
def test_a_list_that_can_not_be_is_refused(wanted):
    with pytest.raises(ValidationError):
        ItemFilter(**wanted)


async def test_pages_do_not_overlap_and_have_the_total(library):
    await library.buy(*(uuid4() for _ in range(25)))
    pages = [await library.page(page=page, limit=10) for page in (1, 2, 3, 4, 2**31 - 1)]
    assert [(len(page.items), page.total) for page in pages] == [(10, 25), (10, 25), (5, 25), (0, 25), (0, 25)]
    assert len({item.product_id for page in pages for item in page.items}) == 25


async def test_an_empty_library_is_an_empty_page(library):
    page = await library.page()
    assert (list(page.items), page.total) == ([], 0)


async def test_last_played_comes_first_then_last_added(library):
    games = [uuid4() for _ in range(4)]
    for days, game in enumerate(games):
        await library.buy(game, order=str(days), at=library.now - days * DAY)
    await library.connection.execute(
        "UPDATE library.user_library_items SET last_played_at = $2, total_playtime_seconds = 60 WHERE product_id = $1",
        games[2],
        library.now,
    )
    assert await library.products() == [games[2], games[0], games[1], games[3]]
    assert await library.products(sort_by="playtime_desc") == [games[2], games[0], games[1], games[3]]
    assert await library.products(sort_by="added_at_desc") == games


async def test_a_title_falls_back_to_the_other_language(library):
    both, russian = uuid4(), uuid4()
    await library.catalog(both, title_ru="Лёд", title_en="Ice")
    await library.catalog(russian, title_ru="Снег")
    await library.buy(both, russian)
    for language, titles in (("ru", {"Лёд", "Снег"}), ("en", {"Ice", "Снег"})):
        assert {item.title for item in (await library.page(language)).items} == titles


async def test_a_hidden_game_is_listed_only_when_asked_for(library):
    game = uuid4()
    await library.buy(game)
    assert (await library.change(game, is_hidden=True)).is_hidden
    assert await library.products() == []
    assert await library.products(include_hidden=True) == [game]


async def test_filters_by_status_and_category_can_be_combined(library):
    games = [uuid4() for _ in range(3)]
    await library.buy(*games)
    category = await library.service.create_category(library.user, NewCategory(name="Любимые"))
    for game in games[:2]:
        await library.change(game, category_ids=(category.id,))
    await library.change(games[0], installation_status="installed")
    assert set(await library.products(category_id=category.id)) == set(games[:2])
    assert await library.products(category_id=category.id, status=("installed", "error")) == [games[0]]


@pytest.fixture
async def varied(library):
    """Thirty games that differ in everything that is filtered and sorted by, with many ties."""
    games = [uuid4() for _ in range(30)]
    categories = [await library.service.create_category(library.user, NewCategory(name=name)) for name in "AB"]
    for number, game in enumerate(games):
        if number % 4:
            await library.catalog(game, product_type=("game", "dlc", "Game")[number % 3])
        if number % 5:
            title = ("Ёж", "Еж", "Ice", "лёд")[number % 4]
            await library.catalog(game, **({"title_ru": title} if number % 3 else {"title_en": title}))
        await library.buy(game, order=str(number), at=library.now - number % 4 * DAY)
        await library.change(
            game,
            is_hidden=number % 7 == 0,
            installation_status=list(InstallationStatus)[number % 3],
            category_ids=[category.id for index, category in enumerate(categories) if number % (index + 2) == 0],
        )
        await library.connection.execute(
            "UPDATE library.user_library_items SET last_played_at = $3, total_playtime_seconds = $4 "
            "WHERE user_id = $1 AND product_id = $2",
            library.user,
            game,
            library.now - number % 6 * DAY if number % 4 else None,
            number % 3,
        )
    await library.refund(games[1], order="1")
    return categories


def expected(items, wanted):
    """The expected items of all pages: the filter and the order over all items, in plain Python."""
    passing = [
        item
        for item in items
        if (wanted.include_hidden == "true" or item.is_hidden == (wanted.include_hidden == "only"))
        and (not wanted.status or item.installation_status in wanted.status)
        and (not wanted.product_type or item.product_type in wanted.product_type)
        and (not wanted.product_ids or item.product_id in wanted.product_ids)
        and not (wanted.uncategorized and item.category_ids)
        and wanted.played in (None, item.last_played_at is not None)
        and (wanted.category_id is None or wanted.category_id in item.category_ids)
        and (not wanted.search or (item.title and fold_title(wanted.search) in fold_title(item.title)))
    ]
    passing.sort(key=lambda item: item.id)
    if wanted.sort_by in (ItemSort.NAME_ASC, ItemSort.NAME_DESC):
        named = [item for item in passing if item.title]
        named.sort(key=lambda item: fold_title(item.title), reverse=wanted.sort_by is ItemSort.NAME_DESC)
        return named + [item for item in passing if not item.title]
    passing.sort(key=lambda item: item.added_at, reverse=True)
    if wanted.sort_by is ItemSort.PLAYTIME_DESC:
        passing.sort(key=lambda item: item.total_playtime_seconds, reverse=True)
    elif wanted.sort_by is ItemSort.LAST_PLAYED_DESC:
        played = [item for item in passing if item.last_played_at]
        played.sort(key=lambda item: item.last_played_at, reverse=True)
        return played + [item for item in passing if not item.last_played_at]
    return passing


@settings(
    max_examples=sized(15, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sort_by=st.sampled_from(ItemSort),
    status=st.sets(st.sampled_from(list(InstallationStatus)[:3]), max_size=2).map(tuple),
    category=st.sampled_from([None, 0, 1]),
    search=st.sampled_from(["", "еж", "I", "ё", "нет"]),
    include_hidden=st.sampled_from([False, True, "only"]),
    product_type=st.sampled_from([(), ("game",), ("dlc", "Game")]),
    uncategorized=st.booleans(),
    played=st.sampled_from((None, True, False)),
    some=st.one_of(st.none(), st.sets(st.integers(0, 29), min_size=1, max_size=20)),
    limit=st.integers(1, 31),
)
async def test_a_walk_over_the_pages_yields_every_game_once_in_its_order(
    library, varied, category, limit, some, **wanted
):
    every = [item.product_id for item in await library.queries.items_of_products(library.user, ())]
    if some:
        wanted["product_ids"] = tuple(product for index, product in enumerate(every) if index in some)
    chosen = ItemFilter(**wanted, category_id=None if category is None else varied[category].id, limit=limit)
    right = expected(await library.queries.items_of_products(library.user, []), chosen)
    walked = []
    for page in range(1, len(right) // limit + 3):
        found = await library.queries.items(library.user, chosen.model_copy(update={"page": page}), "ru")
        assert found.total == len(right)
        walked += found.items
    assert walked == right
