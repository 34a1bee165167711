"""A user's own categories."""

import unicodedata
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.library import CategoryAlreadyExists, CategoryChanges, CategoryNotFound, NewCategory, users_without_keys
from pydantic import ValidationError


@pytest.fixture
def create(library):
    """Creates a category of the user's."""

    async def make(name, **wanted):
        return await library.service.create_category(library.user, NewCategory(name=name, **wanted))

    return make


async def test_categories_come_by_display_order_then_name(library, create):
    for name, order in (("B", 1), ("Я", 0), ("a", 1), ("а", 0), ("ёж", 0), ("first", -(2**31)), ("last", 2**31 - 1)):
        await create(name, display_order=order)
    found = [category.name for category in await library.queries.categories(library.user)]
    assert found == ["first", "а", "ёж", "Я", "a", "B", "last"]
    assert await library.queries.categories(uuid4()) == []


async def test_a_category_has_a_name_of_its_own(library, create):
    first, second = await create("Йога"), await create("B")
    with pytest.raises(CategoryAlreadyExists):
        await create(unicodedata.normalize("NFD", "Йога"))
    with pytest.raises(CategoryAlreadyExists):
        await library.service.update_category(library.user, second.id, CategoryChanges(name="Йога"))
    renamed = await library.service.update_category(library.user, first.id, CategoryChanges(name="йога"))
    assert renamed.name == "йога"  # its own name in another form
    library.user = uuid4()
    assert (await create("йога")).name == "йога"  # and another user's don't count


async def test_what_a_change_does_not_mention_stays(library, create):
    made = await create("A", display_order=7)
    renamed = await library.service.update_category(library.user, made.id, CategoryChanges(name="B"))
    assert (renamed.name, renamed.display_order) == ("B", 7)
    moved = await library.service.update_category(library.user, made.id, CategoryChanges(display_order=0))
    assert (moved.name, moved.display_order) == ("B", 0)
    assert await library.service.update_category(library.user, made.id, CategoryChanges()) == moved


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00", "a\u202eb", "\u200b"])
def test_a_name_that_could_pose_as_another_one_is_refused(name):
    with pytest.raises(ValidationError):
        NewCategory(name=name)
    with pytest.raises(ValidationError):
        CategoryChanges(name=name)


async def test_a_name_may_be_a_hundred_emoji(create):
    assert (await create("👾" * 100)).name == "👾" * 100


async def test_a_category_counts_the_games_that_it_shows(library, create):
    shown, hidden, refunded = games = [uuid4() for _ in range(3)]
    await library.buy(*games)
    category, empty = await create("A"), await create("B")
    for game in games:
        await library.change(game, category_ids=(category.id,))
    await library.change(hidden, is_hidden=True)
    await library.refund(refunded)
    found = await library.queries.categories(library.user)
    assert [(one.id, one.item_count) for one in found] == [(category.id, 1), (empty.id, 0)]
    page = await library.page(category_id=category.id)
    assert ([item.product_id for item in page.items], page.total) == ([shown], 1)


async def test_a_patch_replaces_the_set_of_categories(library, create):
    game = uuid4()
    await library.buy(game)
    one, two = await create("1"), await create("2")
    for wanted in ((one.id,), (one.id, two.id), (two.id,), ()):
        changed = await library.change(game, category_ids=wanted)
        assert list(changed.category_ids) == sorted(wanted)


async def test_somebody_elses_category_is_not_found(library, create):
    game, owner = uuid4(), library.user
    await library.buy(game)
    library.user = uuid4()
    foreign = await create("Чужая")
    library.user = owner
    with pytest.raises(CategoryNotFound):
        await library.change(game, category_ids=(foreign.id,))
    for attempt in (
        library.service.update_category(owner, foreign.id, CategoryChanges(name="Моя")),
        library.service.delete_category(owner, foreign.id),
    ):
        with pytest.raises(CategoryNotFound):
            await attempt
    assert await library.queries.category(owner, foreign.id) is None
    assert await library.products(category_id=foreign.id) == []


async def test_a_deleted_category_leaves_its_games_alone(library, create):
    game = uuid4()
    await library.buy(game)
    category = await create("A")
    await library.change(game, category_ids=(category.id,))
    await library.service.delete_category(library.user, category.id)
    assert list((await library.item(game)).category_ids) == []
    with pytest.raises(CategoryNotFound):
        await library.service.delete_category(library.user, category.id)


async def test_nobody_has_more_categories_than_can_be_shown(create):
    for number in range(200):
        await create(str(number))
    with pytest.raises(InvalidInput):
        await create("one too many")


@pytest.mark.parametrize("same", [" RPG ", "rpg", "Rpg", "ＲＰＧ", "\u00a0RPG"])
async def test_names_that_fold_alike_are_the_same(create, same):
    await create("RPG")
    with pytest.raises(CategoryAlreadyExists):
        await create(same)
    assert (await create("RPG!")).name == "RPG!"


async def test_a_name_is_trimmed(create):
    assert (await create("  Мои  игры ")).name == "Мои  игры"


async def test_of_old_names_that_fold_alike_the_oldest_gets_the_key(library, create):
    other = await create("Other")
    for number, name in enumerate(("RPG", "rpg", " RPG")):
        await library.connection.execute(
            "INSERT INTO library.user_game_categories (user_id, id, name, created_at) VALUES ($1, $2, $3, $4)",
            library.user,
            uuid4(),
            name,
            library.now + timedelta(days=1000 + number),
        )
    assert await users_without_keys(library.connection, UUID(int=0), 10) == [library.user]
    await library.service.settle_category_keys(library.user)
    keys = await keys_of(library)
    assert keys == {"Other": "other", "RPG": "rpg", "rpg": None, " RPG": None}
    with pytest.raises(CategoryAlreadyExists):
        await create("Rpg")
    first = next(one for one in await library.queries.categories(library.user) if one.name == "RPG")
    second = next(one for one in await library.queries.categories(library.user) if one.name == "rpg")
    moved = await library.service.update_category(library.user, second.id, CategoryChanges(display_order=3))
    assert (moved.name, moved.display_order) == ("rpg", 3)
    await library.service.update_category(library.user, first.id, CategoryChanges(name="Action"))
    assert await keys_of(library) == {"Other": "other", "Action": "action", "rpg": "rpg", " RPG": None}
    assert other.name == "Other"


async def test_a_key_that_the_release_before_has_not_updated_is_free(library, create):
    made = await create("RPG")
    await library.connection.execute("UPDATE library.user_game_categories SET name = 'Action' WHERE id = $1", made.id)
    assert (await create("rpg")).name == "rpg"
    assert await keys_of(library) == {"Action": "action", "rpg": "rpg"}


async def test_changes_of_categories_have_events(library, create):
    made = await create("RPG", display_order=2)
    await library.service.update_category(library.user, made.id, CategoryChanges(name="Action"))
    await library.service.update_category(library.user, made.id, CategoryChanges(name="Action"))
    await library.service.delete_category(library.user, made.id)
    recorded = [(event.name, event.display_order, event.is_deleted) for event in library.events]
    assert recorded == [("RPG", 2, False), ("Action", 2, False), ("Action", 2, True)]


async def keys_of(library):
    rows = await library.connection.fetch(
        "SELECT name, name_key FROM library.user_game_categories WHERE user_id = $1", library.user
    )
    return {row["name"]: row["name_key"] for row in rows}
