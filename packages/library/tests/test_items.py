"""The user's state of a game: their own changes, and facts by other services."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.paging import Page
from gameshelf.library import (
    CategoryNotFound,
    InstallationStatus,
    ItemChanges,
    LibraryItemNotFound,
    LibrarySupportQueries,
    NewCategory,
    Playtime,
)
from pydantic import ValidationError

MINUTE = timedelta(minutes=1)
_HIDE = ItemChanges(is_hidden=True)


@pytest.fixture
async def game(library):
    """A game that the user owns."""
    product = uuid4()
    await library.buy(product)
    library.recorded()
    return product


@pytest.fixture
def report(library, game):
    """Reports a status of the Download service with a time so many minutes ago."""

    async def report_status(status, version, minutes_ago):
        at = library.now - minutes_ago * MINUTE
        await library.service.set_installation(library.user, game, InstallationStatus(status), version, at)

    return report_status


async def state(library, game):
    item = await library.item(game)
    return item.installation_status, item.installed_version_id


async def test_what_a_patch_does_not_mention_stays(library, game):
    await library.change(game, installation_status="installed", installed_version_id="1.2")
    changed = await library.change(game, is_hidden=True)
    assert (changed.installation_status, changed.installed_version_id) == ("installed", "1.2")


async def test_the_event_of_a_patch_has_only_what_changed(library, game):
    category = await library.service.create_category(library.user, NewCategory(name="Любимые"))
    library.recorded()
    await library.change(game, is_hidden=True, installation_status="not_installed", category_ids=[category.id] * 2)
    [event] = library.events
    assert event.changes == {"is_hidden": True, "category_ids": [str(category.id)]}


async def test_a_patch_that_changes_nothing_has_no_event(library, game):
    await library.change(game, is_hidden=False)
    await library.change(game)
    await library.change(game, installation_status="not_installed", category_ids=())
    assert library.recorded() == []


async def test_a_patch_that_is_refused_leaves_no_trace(library, game):
    with pytest.raises(CategoryNotFound) as refused:
        await library.change(game, is_hidden=True, category_ids=(uuid4(),))
    assert refused.value.pointer == "category_ids/0"
    assert (library.recorded(), (await library.item(game)).is_hidden) == ([], False)


async def test_a_refunded_game_can_not_be_changed_nor_somebody_elses(library, game):
    item = await library.item(game)
    owner, library.user = library.user, uuid4()
    with pytest.raises(LibraryItemNotFound):
        await library.service.update_item(library.user, item.id, _HIDE, "ru")
    library.user = owner
    await library.refund(game)
    with pytest.raises(LibraryItemNotFound):
        await library.service.update_item(library.user, item.id, _HIDE, "ru")


@pytest.mark.parametrize(
    "changes", [{"title": "x"}, {"installation_status": "gone"}, {"installed_version_id": ""}, {"category_ids": None}]
)
async def test_a_patch_with_anything_else_is_refused(library, game, changes):
    with pytest.raises(ValidationError):
        await library.change(game, **changes)


async def test_the_newest_status_of_the_download_service_wins_in_any_order(library, game, report):
    await report("installed", "2", 5)
    await report("installing", "1", 6)
    assert await state(library, game) == ("installed", "2")
    assert library.recorded() == ["ItemUpdated"]
    await report("updating", "3", 4)
    assert await state(library, game) == ("updating", "3")


async def test_of_two_statuses_with_one_time_the_last_received_holds(library, game, report):
    await report("installing", "1", 5)
    await report("installed", "1", 5)
    assert await state(library, game) == ("installed", "1")


async def test_a_game_that_is_not_installed_has_no_version(library, game, report):
    await report("installed", "2", 5)
    await report("not_installed", "2", 4)
    assert await state(library, game) == ("not_installed", None)
    await library.change(game, installation_status="installed", installed_version_id="2")
    await library.change(game, installation_status="not_installed")
    assert await state(library, game) == ("not_installed", None)


async def test_the_users_own_status_counts_as_of_now(library, game, report):
    await library.change(game, installation_status="installed", installed_version_id="2")
    await report("installing", "1", 1)  # older, received later
    assert await state(library, game) == ("installed", "2")
    library.now += MINUTE
    await report("error", "2", 0)
    assert await state(library, game) == ("error", "2")


async def test_the_users_own_status_counts_also_where_it_is_known(library, game, report):
    await report("installed", "2", 10)
    await library.change(game, installation_status="installed")
    await report("installing", "1", 5)
    assert await state(library, game) == ("installed", "2")


async def test_an_older_status_never_replaces_the_users_own(library, game, report):
    await report("installed", "2", -4)  # a clock four minutes ahead is believed
    await library.change(game, installation_status="not_installed")
    await report("updating", "3", -2)
    assert await state(library, game) == ("not_installed", None)


async def test_a_status_from_a_clock_far_ahead_counts_as_of_now(library, game, report):
    await report("installed", "9", -600)
    library.now += 2 * MINUTE
    await report("not_installed", None, 1)
    assert await state(library, game) == ("not_installed", None)


async def test_the_state_of_a_game_not_owned_yet_is_kept_without_an_event(library):
    game = uuid4()
    await library.service.set_installation(library.user, game, InstallationStatus.INSTALLED, "2", library.now)
    await library.service.set_rating(library.user, game, 7, library.now)
    assert (library.recorded(), await library.products()) == ([], [])
    await library.buy(game)
    item = await library.item(game)
    assert (item.installation_status, item.user_rating) == ("installed", 7)


async def test_a_newer_rating_wins(library, game):
    for minutes_ago, rating in ((5, 8), (6, 3), (4, 8)):
        await library.service.set_rating(library.user, game, rating, library.now - minutes_ago * MINUTE)
    assert (await library.item(game)).user_rating == 8
    assert library.recorded() == ["ItemUpdated"]


@pytest.mark.parametrize("stored", [1e308, -1.0, 100.5, float("nan"), float("inf")])
async def test_an_invalid_stored_rating_is_hidden_and_any_other_replaces_it(library, game, stored):
    await library.service.set_rating(library.user, game, 7, library.now)
    query = "UPDATE library.user_library_items SET user_rating = $2 WHERE user_id = $1"
    await library.connection.execute(query, library.user, stored)
    assert (await library.item(game)).user_rating is None
    assert [item.user_rating for item in (await library.page()).items] == [None]
    [held] = (await LibrarySupportQueries(library.connection).library(library.user, Page(1, 10))).items
    assert held.item.user_rating is None
    await library.service.set_rating(library.user, game, 8, library.now - MINUTE)
    assert (await library.item(game)).user_rating == 8


async def test_items_show_how_long_they_were_played(library, game):
    unseen, at = uuid4(), library.now
    await library.service.set_playtime(library.user, [Playtime(game, 3600, at), Playtime(unseen, 60, at)])
    item = await library.item(game)
    assert (item.total_playtime_seconds, item.last_played_at) == (3600, at)
    assert library.events[-1].changes == {"total_playtime_seconds": 3600, "last_played_at": at}
    await library.buy(unseen, order="order-2")
    assert (await library.item(unseen)).total_playtime_seconds == 60
