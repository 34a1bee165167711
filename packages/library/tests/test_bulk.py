"""Two devices at once, and many items at once."""

from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.library import BulkChanges, CategoryNotFound, ItemChanged, ItemChanges, NewCategory

HIDE = {"is_hidden": True}
SHELF = uuid4()


@pytest.fixture
async def games(library):
    """Thirty games that the user owns, as items."""
    products = [uuid4() for _ in range(30)]
    await library.buy(*products)
    library.recorded()
    items = {item.product_id: item.id for item in await library.queries.items_of_products(library.user, products)}
    return [items[product] for product in products]


@pytest.fixture
def category(library):
    async def make(name):
        return (await library.service.create_category(library.user, NewCategory(name=name))).id

    return make


@pytest.fixture
def patch(library):
    async def change(item_id, if_match=None, **changes):
        return await library.service.update_item(library.user, item_id, ItemChanges(**changes), "ru", if_match)

    return change


@pytest.fixture
def bulk(library):
    async def change(*items):
        results = await library.service.update_items(library.user, BulkChanges(items=items))
        return [(one.id, one.result, one.code) for one in results]

    return change


async def test_two_devices_add_a_category_each_and_none_is_lost(library, games, category, patch):
    one, two, three = [await category(name) for name in "ABC"]
    await patch(games[0], category_ids=(three,))
    await patch(games[0], add_category_ids=(one,))
    changed = await patch(games[0], add_category_ids=(two, one), remove_category_ids=(three, uuid4()))
    assert set(changed.category_ids) == {one, two}
    assert set(library.events[-1].changes["category_ids"]) == {str(one), str(two)}
    library.events.clear()
    await patch(games[0], add_category_ids=(one,), remove_category_ids=(three,))
    assert library.events == []
    with pytest.raises(CategoryNotFound) as refused:
        await patch(games[0], add_category_ids=(one, uuid4()))
    assert refused.value.pointer == "add_category_ids/1"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"category_ids": (), "add_category_ids": (uuid4(),)}, "category_ids"),
        ({"category_ids": (), "remove_category_ids": ()}, "category_ids"),
        (
            {"add_category_ids": (SHELF,), "remove_category_ids": (SHELF,)},
            "remove_category_ids",
        ),
    ],
)
async def test_what_contradicts_itself_is_refused(games, patch, changes, pointer):
    with pytest.raises(InvalidInput) as refused:
        await patch(games[0], **changes)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


async def test_who_read_an_older_state_is_refused_and_gets_the_current_one(library, games, category, patch):
    read = await library.queries.item(library.user, games[0], "ru")
    for change in (
        {"is_hidden": True},
        {"add_category_ids": (await category("A"),)},
        {"installation_status": "installed", "device_id": "desktop"},
    ):
        changed = await patch(games[0], {read.state}, **change)
        assert changed.state != read.state
        with pytest.raises(ItemChanged) as refused:
            await patch(games[0], {read.state}, is_hidden=False)
        assert refused.value.meta["current"] == changed
        read = changed
    assert (await patch(games[0], {"other", read.state}, is_hidden=False)).is_hidden is False


async def test_what_is_played_or_rated_changes_no_state(library, games):
    before = await library.queries.item(library.user, games[0], "ru")
    await library.service.set_rating(library.user, before.product_id, 7, library.now)
    assert (await library.queries.item(library.user, games[0], "ru")).state == before.state


async def test_many_items_are_changed_at_once_and_each_has_its_result(library, games, category, bulk):
    shelf, foreign, stranger = await category("A"), uuid4(), uuid4()
    library.events.clear()
    results = await bulk(
        {"id": games[0], **HIDE},
        {"id": games[1], "add_category_ids": (shelf,), "installation_status": "installed", "device_id": "d"},
        {"id": stranger, **HIDE},
        {"id": games[2], "category_ids": (foreign,), **HIDE},
        {"id": games[3]},
        {"id": games[4], "category_ids": (shelf,)},
    )
    assert results == [
        (games[0], "updated", None),
        (games[1], "updated", None),
        (stranger, "rejected", "LIBRARY_ITEM_NOT_FOUND"),
        (games[2], "rejected", "CATEGORY_NOT_FOUND"),
        (games[3], "unchanged", None),
        (games[4], "updated", None),
    ]
    assert [event.item_id for event in library.events] == [games[0], games[1], games[4]]
    shown = {item.id: item for item in (await library.page(include_hidden=True, limit=100)).items}
    assert [shown[game].is_hidden for game in games[:4]] == [True, False, False, False]
    assert list(shown[games[1]].category_ids) == list(shown[games[4]].category_ids) == [shelf]
    assert shown[games[1]].installation_status == "installed"


async def test_more_than_twenty_changed_items_have_one_event(library, games, bulk):
    await bulk(*({"id": game, **HIDE} for game in games[:20]))
    assert library.recorded() == ["ItemUpdated"] * 20
    await bulk(*({"id": game, "is_hidden": index >= 5} for index, game in enumerate(games)))
    assert library.recorded() == ["ItemUpdated"] * 15
    await bulk(*({"id": game, "installation_status": "installed"} for game in games))
    [event] = library.events
    assert (type(event).__name__, event.count) == ("LibraryUpdated", 30)


async def test_the_round_trips_are_the_same_for_one_and_for_many(library, games, category, bulk):
    shelf = await category("A")
    counts = []
    # The first time asyncpg asks the server for types that it doesn't know.
    for some in (games[:1], games[1:2], games[2:]):
        calls = []
        with library.connection.query_logger(calls.append):
            await bulk(*({"id": game, **HIDE, "add_category_ids": (shelf,)} for game in some))
        counts.append(len(calls))
    assert counts[1] == counts[2] <= 6


async def test_unknown_ids_are_no_more_work_than_known_ones(library, bulk):
    sent = []
    unknown = [uuid4() for _ in range(500)]
    with library.connection.query_logger(lambda query: sent.extend(query.args)):
        results = await bulk(*({"id": one, **HIDE} for one in unknown))
    assert [code for _, _, code in results] == ["LIBRARY_ITEM_NOT_FOUND"] * 500
    assert max(len(one) for one in sent if isinstance(one, list | tuple)) == 500


async def test_each_item_is_named_once(games, bulk):
    with pytest.raises(InvalidInput) as refused:
        await bulk({"id": games[0], **HIDE}, {"id": games[1]}, {"id": games[0]})
    assert [problem.pointer for problem in refused.value.problems] == ["items/2/id"]
