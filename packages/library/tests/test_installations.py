"""Installations on each device, on a real PostgreSQL: a fact of one device does not change another."""

from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from gameshelf.library import InstallationStatus
from gameshelf.library._installations import Installations

MINUTE = timedelta(minutes=1)
INSTALLED, ABSENT = InstallationStatus.INSTALLED, InstallationStatus.NOT_INSTALLED


@pytest.fixture
async def game(library):
    product = uuid4()
    await library.buy(product)
    library.recorded()
    return product


async def say(library, game, status, device=None, version="1", minutes_ago=0):
    at = library.now - minutes_ago * MINUTE
    await library.service.set_installation(library.user, game, status, version, at, device)


async def devices(library, game):
    return {one.device_id: one.installation_status for one in (await library.item(game)).installations}


async def test_uninstalling_on_one_device_leaves_the_other_s_copy(library, game):
    await say(library, game, INSTALLED, "desktop", "2", minutes_ago=2)
    await say(library, game, INSTALLED, "laptop", minutes_ago=1)
    library.events.clear()
    await library.change(game, installation_status="not_installed", device_id="laptop")
    item = await library.item(game)
    assert (item.installation_status, item.installed_version_id) == ("installed", "2")
    assert await devices(library, game) == {"desktop": "installed", "laptop": "not_installed"}
    [event] = library.events
    assert [one["device_id"] for one in event.changes.pop("installations")] == ["desktop", "laptop"]
    assert event.changes == {"installed_version_id": "2"}


async def test_a_version_alone_is_that_of_the_device_that_says_it(library, game):
    await library.change(game, installation_status="installed", installed_version_id="1", device_id="desktop")
    await library.change(game, installed_version_id="2", device_id="desktop")
    await library.change(game, is_hidden=True, device_id="laptop")
    [entry] = (await library.item(game)).installations
    assert (entry.device_id, entry.installation_status, entry.installed_version_id) == ("desktop", "installed", "2")


async def test_what_names_no_device_is_about_all_of_them(library, game):
    for device in ("desktop", "laptop"):
        await say(library, game, INSTALLED, device, minutes_ago=1)
    await library.change(game, installation_status="not_installed")
    assert await devices(library, game) == {None: "not_installed"}
    await say(library, game, INSTALLED, "desktop", minutes_ago=1)  # an older fact that is received later
    assert await devices(library, game) == {None: "not_installed"}


async def test_the_status_of_a_device_filters_and_is_shown(library, game):
    other = uuid4()
    await library.buy(other, order="2")
    await say(library, game, INSTALLED, "desktop", "2", minutes_ago=1)
    await say(library, game, ABSENT, "laptop")
    await say(library, other, INSTALLED, minutes_ago=1)
    assert set(await library.products(status=("installed",))) == {game, other}
    assert set(await library.products(status=("installed",), device_id="desktop")) == {game, other}
    assert await library.products(status=("installed",), device_id="laptop") == [other]
    assert await library.products(status=("not_installed",), device_id="laptop") == [game]
    shown = {item.product_id: item for item in (await library.page(device_id="laptop")).items}
    assert (shown[game].installation_status, shown[game].installed_version_id) == ("not_installed", None)
    assert len(shown[game].installations) == 2
    one = await library.queries.item(library.user, shown[game].id, "ru", "desktop")
    assert (one.installation_status, one.installed_version_id) == ("installed", "2")


async def test_what_the_release_before_writes_counts_for_all_devices(library, game):
    await say(library, game, INSTALLED, "desktop", minutes_ago=5)
    later = library.now - MINUTE
    await library.connection.execute(
        "UPDATE library.user_library_items SET installation_status = 'updating', installed_version_id = '9', "
        "installation_changed_at = $2 WHERE user_id = $1",
        library.user,
        later,
    )
    [entry] = (await library.item(game)).installations
    assert (entry.device_id, entry.installation_status, entry.changed_at) == (None, "updating", later)
    assert await library.products(status=("updating",), device_id="laptop") == [game]
    await say(library, game, INSTALLED, "laptop")
    assert await devices(library, game) == {"laptop": "installed"}


async def test_the_release_before_reads_the_best_of_all_devices(library, game):
    await say(library, game, INSTALLED, "desktop", "2", minutes_ago=3)
    await say(library, game, ABSENT, "laptop", minutes_ago=1)
    row = await library.connection.fetchrow(
        "SELECT installation_status, installed_version_id, installation_changed_at FROM library.user_library_items "
        "WHERE user_id = $1",
        library.user,
    )
    assert tuple(row) == ("installed", "2", library.now - MINUTE)


async def test_a_rating_leaves_the_installations_alone(library, game):
    await say(library, game, INSTALLED, "desktop")
    await library.service.set_rating(library.user, game, 7, library.now)
    assert await devices(library, game) == {"desktop": "installed"}


async def test_a_status_on_a_device_is_found_in_sql_as_the_rules_say(library):
    """Items with and without entries of the device and of the account, in every combination, and without facts."""
    said = {}
    for own, account in product([None, *InstallationStatus], repeat=2):
        game = uuid4()
        await library.buy(game, order=str(game))
        facts = [(account, None, 0), (own, "deck", 1), (InstallationStatus.UPDATING, "laptop", 1)]
        for status, device, minutes in facts:
            if status is not None:
                at = library.now + minutes * MINUTE
                await library.service.set_installation(library.user, game, status, None, at, device)
        said[game] = (await library.item(game)).installations
    for device, wanted in product(["deck", "desktop"], InstallationStatus):
        expected = {
            game
            for game, entries in said.items()
            if Installations(tuple(entries)).of_device(device).installation_status == wanted
        }
        assert set(await library.products(status=(wanted,), device_id=device, limit=100)) == expected
    both = (INSTALLED, ABSENT)
    apart = [set(await library.products(status=(one,), device_id="deck", limit=100)) for one in both]
    assert set(await library.products(status=both, device_id="deck", limit=100)) == apart[0] | apart[1]
