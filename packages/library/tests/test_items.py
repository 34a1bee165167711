"""The user's state of a game, categories, and the list with its filters and orders."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.library import (
    CategoryAlreadyExists,
    CategoryChanges,
    CategoryNotFound,
    InstallationStatus,
    ItemChanges,
    LibraryItemNotFound,
    NewCategory,
)

DAY = timedelta(days=1)
TITLES = ["Ёлки", "Ежи", "жуки", "Zebra", "apple", "Ангел"]


@pytest.fixture
async def titled(library):
    """Six games with titles in both alphabets, and one that the Catalog has not spoken of."""
    games = {title: uuid4() for title in TITLES}
    for title, product in games.items():
        await library.catalog(product, title_ru=title, title_en=title)
    games["?"] = uuid4()
    await library.buy(*games.values())
    return {product: title for title, product in games.items()}


async def test_names_sort_by_their_folded_form_and_unknown_ones_come_last(library, titled):
    up = [titled[product] for product in await library.products(sort_by="name_asc")]
    assert up == ["apple", "Zebra", "Ангел", "Ежи", "Ёлки", "жуки", "?"]
    down = [titled[product] for product in await library.products(sort_by="name_desc")]
    assert down == [*reversed(up[:-1]), "?"]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("ЕЛК", ["Ёлки"]),
        ("ё", ["Ангел", "Ежи", "Ёлки"]),
        ("PP", ["apple"]),
        ("%", []),
        ("_", []),
        ("и", ["Ежи", "Ёлки", "жуки"]),
    ],
)
async def test_search_finds_a_part_of_the_title_in_any_case_and_takes_every_character_as_it_is(
    library, titled, sought, found
):
    products = await library.products(search=sought, sort_by="name_asc")
    assert [titled[product] for product in products] == found


async def test_pages_are_cut_without_overlap_and_tell_the_total(library):
    await library.buy(*(uuid4() for _ in range(25)))
    pages = [await library.products(page=page, limit=10) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({product for page in pages for product in page}) == 25
    from gameshelf.library import ItemFilter

    past = await library.queries.items(library.user, ItemFilter(page=4, limit=10), "ru")
    assert (list(past.items), past.total) == ([], 25)


async def test_a_title_comes_in_the_language_asked_for_with_the_other_as_fallback(library):
    both, russian = uuid4(), uuid4()
    await library.catalog(both, title_ru="Лёд", title_en="Ice")
    await library.catalog(russian, title_ru="Снег")
    await library.buy(both, russian)
    from gameshelf.library import ItemFilter

    for language, titles in (("ru", {"Лёд", "Снег"}), ("en", {"Ice", "Снег"})):
        found = await library.queries.items(library.user, ItemFilter(), language)
        assert {item.title for item in found.items} == titles


async def test_a_hidden_game_is_listed_only_when_asked_for(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    library.told()
    changed = await library.service.update_item(library.user, item.id, ItemChanges(is_hidden=True), "ru")
    assert changed.is_hidden
    assert library.told() == ["ItemUpdated"]
    assert await library.products() == []
    assert await library.products(include_hidden=True) == [game]


async def test_what_a_patch_does_not_mention_stays(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    await library.service.update_item(
        library.user, item.id, ItemChanges(installation_status="installed", installed_version_id="1.2"), "ru"
    )
    changed = await library.service.update_item(library.user, item.id, ItemChanges(is_hidden=True), "ru")
    assert (changed.installation_status, changed.installed_version_id) == ("installed", "1.2")


async def test_a_patch_that_changes_nothing_tells_nobody(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    library.told()
    await library.service.update_item(library.user, item.id, ItemChanges(is_hidden=False), "ru")
    assert library.told() == []


async def test_a_refunded_game_can_not_be_changed(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    await library.refund(game)
    with pytest.raises(LibraryItemNotFound):
        await library.service.update_item(library.user, item.id, ItemChanges(is_hidden=True), "ru")


async def test_the_newest_word_of_the_download_service_wins_in_any_order(library):
    game = uuid4()
    await library.buy(game)
    noon = datetime(2026, 4, 1, 12, tzinfo=UTC)
    await library.service.set_installation(library.user, game, InstallationStatus.INSTALLED, "2", noon)
    await library.service.set_installation(library.user, game, InstallationStatus.INSTALLING, "1", noon - DAY)
    item = await library.item(game)
    assert (item.installation_status, item.installed_version_id) == ("installed", "2")


async def test_the_state_of_a_game_that_is_not_owned_yet_is_kept_and_told_to_nobody(library):
    game = uuid4()
    await library.service.set_installation(library.user, game, InstallationStatus.INSTALLED, "2", datetime.now(UTC))
    assert (library.told(), await library.products()) == ([], [])
    await library.buy(game)
    assert (await library.item(game)).installation_status == "installed"


async def test_filters_by_status_and_category_can_be_combined(library):
    games = [uuid4() for _ in range(3)]
    await library.buy(*games)
    category = await library.service.create_category(library.user, NewCategory(name="Любимые"))
    for game in games[:2]:
        item = await library.item(game)
        await library.service.update_item(library.user, item.id, ItemChanges(category_ids=(category.id,)), "ru")
    item = await library.item(games[0])
    await library.service.update_item(library.user, item.id, ItemChanges(installation_status="installed"), "ru")
    assert set(await library.products(category_id=category.id)) == set(games[:2])
    assert await library.products(category_id=category.id, status=("installed", "error")) == [games[0]]
    assert (await library.queries.category(library.user, category.id)).item_count == 2


async def test_a_patch_replaces_the_set_of_categories(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    one, two = [await library.service.create_category(library.user, NewCategory(name=name)) for name in ("1", "2")]
    for wanted in ((one.id,), (one.id, two.id), (two.id,), ()):
        changed = await library.service.update_item(library.user, item.id, ItemChanges(category_ids=wanted), "ru")
        assert sorted(changed.category_ids) == sorted(wanted)


async def test_somebody_elses_category_is_not_found(library):
    game, owner = uuid4(), library.user
    await library.buy(game)
    item = await library.item(game)
    foreign = await library.service.create_category(uuid4(), NewCategory(name="Чужая"))
    with pytest.raises(CategoryNotFound):
        await library.service.update_item(owner, item.id, ItemChanges(category_ids=(foreign.id,)), "ru")


async def test_a_category_has_a_name_of_its_own(library):
    first = await library.service.create_category(library.user, NewCategory(name="A"))
    second = await library.service.create_category(library.user, NewCategory(name="B", display_order=-1))
    assert [category.name for category in await library.queries.categories(library.user)] == ["B", "A"]
    with pytest.raises(CategoryAlreadyExists):
        await library.service.create_category(library.user, NewCategory(name="A"))
    with pytest.raises(CategoryAlreadyExists):
        await library.service.update_category(library.user, second.id, CategoryChanges(name="A"))
    renamed = await library.service.update_category(library.user, first.id, CategoryChanges(name="A"))
    assert (renamed.name, renamed.display_order) == ("A", 0)


async def test_a_deleted_category_leaves_its_games_alone(library):
    game = uuid4()
    await library.buy(game)
    item = await library.item(game)
    category = await library.service.create_category(library.user, NewCategory(name="A"))
    await library.service.update_item(library.user, item.id, ItemChanges(category_ids=(category.id,)), "ru")
    await library.service.delete_category(library.user, category.id)
    assert (await library.item(game)).category_ids == []
    with pytest.raises(CategoryNotFound):
        await library.service.delete_category(library.user, category.id)


async def test_nobody_has_more_categories_than_can_be_shown(library):
    for number in range(200):
        await library.service.create_category(library.user, NewCategory(name=str(number)))
    with pytest.raises(InvalidInput):
        await library.service.create_category(library.user, NewCategory(name="one too many"))


async def test_a_newer_rating_wins(library):
    game = uuid4()
    await library.buy(game)
    noon = datetime(2026, 4, 1, 12, tzinfo=UTC)
    await library.service.set_rating(library.user, game, 8, noon)
    await library.service.set_rating(library.user, game, 3, noon - DAY)
    assert (await library.item(game)).user_rating == 8
