"""Reads of sets: files, downloads and differences. On a real PostgreSQL."""

from hashlib import sha256

import pytest
from gameshelf.kernel.paging import Page
from gameshelf.savegames import SINGLE_FILE, DownloadSet, SavegameSetQueries

ONE = {"s/w1/a": b"a", "s/w1/c": b"same", "s/w2/b": b"bb", "s/w2/d": b"same"}


@pytest.fixture
def reads(player):
    return SavegameSetQueries(player.connection)


def hexed(*contents):
    return tuple(sha256(one).hexdigest() for one in contents)


async def test_the_files_of_a_version_are_paged_by_path(player, sets, reads):
    first = await sets.save(ONE)
    await sets.save({"s/w1/a": b"2"}, base_version=1, confirm_removals=3)
    found = await reads.files(player.id, first.slot_id, 1, Page(2, 3))
    assert (found.total, [file.path for file in found.items]) == (4, ["s/w2/d"])
    head = await reads.files(player.id, first.slot_id, None, Page(1, 10))
    assert [(file.path, file.size) for file in head.items] == [("s/w1/a", 1)]
    assert await reads.files(player.id, first.slot_id, 3, Page(1, 10)) is None


async def test_a_single_file_is_a_list_of_one_without_a_path(player, reads):
    saved = await player.save(b"file")
    found = await reads.files(player.id, saved.slot_id, 1, Page(1, 10))
    assert [(file.path, file.sha256) for file in found.items] == [(SINGLE_FILE, sha256(b"file").digest())]
    download = await reads.download(player.id, saved.slot_id, DownloadSet())
    assert set(download.keys) == {sha256(b"file").digest()}
    assert set(download.keys.values()) <= player.objects


async def test_a_download_names_what_the_device_lacks(player, sets, reads):
    first = await sets.save(ONE)
    whole = await reads.download(player.id, first.slot_id, DownloadSet())
    assert (whole.missing_count, whole.missing_bytes) == (3, 7)
    assert set(whole.keys.values()) <= player.objects
    some = await reads.download(player.id, first.slot_id, DownloadSet(have=hexed(b"a", b"other")))
    assert (some.missing_count, some.missing_bytes, len(some.files)) == (2, 6, 4)
    assert set(some.keys) == {sha256(one).digest() for one in (b"same", b"bb")}


async def test_a_download_leaves_out_what_another_version_has(player, sets, reads):
    first = await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"new"}, base_version=1)
    found = await reads.download(player.id, first.slot_id, DownloadSet(have_version=1))
    assert (found.version.version, found.missing_count) == (2, 1)
    assert set(found.keys) == {sha256(b"new").digest()}
    unknown = await reads.download(player.id, first.slot_id, DownloadSet(have_version=9))
    assert unknown.missing_count == 3


async def test_a_download_lists_only_the_wanted_files(player, sets, reads):
    first = await sets.save(ONE)
    found = await reads.download(player.id, first.slot_id, DownloadSet(want=hexed(b"same", b"strange")))
    assert [file.path for file in found.files] == ["s/w1/c", "s/w2/d"]
    assert (found.missing_count, len(found.keys)) == (1, 1)


async def test_the_sides_of_a_conflict_differ_by_units(player, sets, reads):
    await player.set_policy(units=[{"name": "{w}", "match": ["s/{w}/**"]}])
    await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"2", "s/w2/b": b"2"}, base_version=1)
    conflict = await sets.save(ONE | {"s/w1/a": b"3", "s/w3/x": b"x"}, base_version=1, device="deck")
    found = await reads.differences(player.id, conflict.conflict_id)
    assert (found.base_version, found.file_count, found.unnamed_count) == (1, 3, 1)
    assert [(one.unit, str(one.kind), one.suggested) for one in found.units] == [
        ("w1", "both_changed", None),
        ("w2", "head_changed", "head"),
        ("w3", "branch_changed", "branch"),
    ]
    [path] = found.units[0].paths
    assert (path.path, path.base.sha256, path.branch.sha256) == (
        "s/w1/a",
        sha256(b"a").digest(),
        sha256(b"3").digest(),
    )


async def test_a_file_and_a_set_differ_as_a_whole(player, sets, reads):
    await player.save(b"one")
    await player.save(b"two")
    conflict = await sets.save(ONE, base_version=1)
    found = await reads.differences(player.id, conflict.conflict_id)
    assert (found.base_version, found.file_count, found.unnamed_count) == (None, 1, 1)
    [unit] = found.units
    assert (unit.unit, unit.paths[0].path, unit.paths[0].head.size) == ("/", SINGLE_FILE, 3)
