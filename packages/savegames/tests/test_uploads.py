"""Asking, uploading and confirming, on a real PostgreSQL."""

import pytest
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.kernel.paging import Page
from gameshelf.savegames import (
    Result,
    SavegameFileTooLarge,
    SavegameUploaded,
    SavegameVersionNotFound,
    UserQuotaExceeded,
)


async def versions(player, slot_id):
    found = await player.queries.versions(player.id, slot_id, Page(1, 100))
    return {one.version: (one.parent_version, one.merged_version, str(one.status)) for one in found.items}


async def test_a_save_grows_version_by_version(player):
    first = await player.save(b"one", device_id="pc")
    assert (first.result, first.version) == (Result.HEAD, 1)
    second = await player.save(b"two", device_id="pc")
    assert (second.result, second.version, second.slot_id) == (Result.HEAD, 2, first.slot_id)
    assert await versions(player, first.slot_id) == {1: (0, None, "history"), 2: (1, None, "head")}
    assert await player.usage() == (6, 0)


async def test_what_the_head_holds_is_not_uploaded_again(player):
    first = await player.save(b"one")
    again = await player.request(b"one")
    assert not again.is_required
    assert (await player.confirm(again)).result is Result.IDENTICAL
    assert await versions(player, first.slot_id) == {1: (0, None, "head")}


async def test_an_upload_from_something_older_than_the_head_is_a_branch(player):
    first = await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    branch = await player.save(b"three", base_version=1, device_id="deck")
    assert (branch.result, branch.version, branch.head_version) == (Result.CONFLICT, 3, 2)
    grown = await player.save(b"four", device_id="deck")
    assert (grown.result, grown.version, grown.conflict_id) == (Result.CONFLICT, 4, branch.conflict_id)
    assert await versions(player, first.slot_id) == {
        1: (0, None, "history"),
        2: (1, None, "head"),
        3: (1, None, "branch"),
        4: (3, None, "branch"),
    }
    assert [event.is_branch for event in player.events if isinstance(event, SavegameUploaded)] == [
        False,
        False,
        True,
        True,
    ]


async def test_too_much_is_refused(player):
    with pytest.raises(SavegameFileTooLarge):
        await player.request(b"x" * 501)
    player.access.barred.add(player.product)
    with pytest.raises(PermissionDenied):
        await player.request(b"x")
    player.access.barred.clear()
    await player.request(b"x" * 500)
    await player.request(b"y" * 500)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"z")
    assert error.value.meta["limit"] == "user"
    with pytest.raises(SavegameVersionNotFound):
        await player.request(b"", base_version=7)
