"""Commits of sets: heads, branches, merges and what becomes of their contents. On a real PostgreSQL."""

from contextlib import contextmanager
from hashlib import sha256

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.kernel.paging import Page
from gameshelf.savegames import (
    Resolve,
    SavegameFileTooLarge,
    SavegameMergeSplitsUnit,
    SavegameVersionNotFound,
    UploadResult,
    UserQuotaExceeded,
    VersionChanges,
)
from gameshelf.savegames._lists import decode
from gameshelf.savegames._set_confirmations import IncompleteSet
from gameshelf.savegames._set_verification import FileProblem

ONE = {"s/w1/a": b"a", "s/w2/b": b"bb"}


@contextmanager
def counted(connection):
    """The statements that a connection runs."""
    statements = []

    def note(query):
        if not query.query.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")):
            statements.append(query.query)

    with connection.query_logger(note):
        yield statements


async def files_of(player, slot_id, version):
    """The paths and hashes of a version."""
    body = await player.connection.fetchval(
        "SELECT body FROM savegames.savegame_manifests l JOIN savegames.savegame_metadata m "
        "ON m.user_id = l.user_id AND m.manifest_id = l.id WHERE m.user_id = $1 AND m.slot_id = $2 AND m.version = $3",
        player.id,
        slot_id,
        version,
    )
    return body and {file.path: file.sha256 for file in decode(body)}


def hashes(files):
    return {path: sha256(data).digest() for path, data in files.items()}


async def test_a_set_becomes_a_version_with_all_its_files(player, sets):
    outcome = await sets.save(ONE)
    assert (outcome.result, outcome.version, outcome.new_bytes, outcome.file_count) == (UploadResult.HEAD, 1, 3, 2)
    assert await files_of(player, outcome.slot_id, 1) == hashes(ONE)
    head = await player.queries.save(player.id, outcome.slot_id)
    assert (head.file_count, head.size, head.device_id) == (2, 3, "pc")
    assert await player.usage() == (3, 0)
    assert [type(event).__name__ for event in player.events] == ["UploadRequested", "SavegameUploaded"]
    assert (player.events[1].file_count, player.events[1].new_bytes) == (2, 3)


async def test_a_second_version_only_brings_what_is_new(player, sets):
    await sets.save(ONE)
    outcome = await sets.save(ONE | {"s/w2/b": b"cccc"}, base_version=1)
    assert (outcome.version, outcome.new_bytes) == (2, 4)
    assert await player.usage() == (7, 0)


async def test_a_commit_is_repeated_with_the_same_outcome(player, sets):
    upload = await sets.request(ONE)
    await sets.verify(upload)
    outcome = await sets.commit(upload)
    assert await sets.commit(upload) == outcome
    assert [type(event).__name__ for event in player.events] == ["UploadRequested", "SavegameUploaded"]


async def test_missing_files_are_named_and_the_upload_stays_open(player, sets):
    upload = await sets.request(ONE)
    await sets.verify(upload, b"a")
    await player.connection.execute(
        "UPDATE savegames.savegame_upload_files SET problem = 'raw' WHERE content_id IS NULL"
    )
    found = await sets.commit(upload)
    assert isinstance(found, IncompleteSet)
    assert (found.missing_count, found.mismatched_count) == (0, 1)
    assert [(one.path, one.problem) for one in found.mismatched] == [("s/w2/b", FileProblem.RAW)]
    await sets.verify(upload)
    assert (await sets.commit(upload)).result is UploadResult.HEAD


async def test_scenario_13_content_lost_meanwhile_is_asked_again(player, sets):
    await sets.save(ONE)
    upload = await sets.request(ONE | {"s/w1/c": b"ccc"}, base_version=1)
    await sets.verify(upload)
    lost = await player.connection.fetchval(
        "UPDATE savegames.savegame_contents SET missing_since = $2 WHERE user_id = $1 AND file_hash_sha256 = $3 "
        "RETURNING id",
        player.id,
        player.now,
        sha256(b"a").digest(),
    )
    found = await sets.commit(upload)
    assert [(one.path, one.problem) for one in found.missing] == [("s/w1/a", FileProblem.MISSING)]
    player.later(days=31)
    player.has_lost = True
    await player.connection.execute(
        "UPDATE savegames.savegame_uploads SET expires_at = $1", player.now.replace(year=2027)
    )
    await player.service.prune_lost(player.id, lost)
    assert (await sets.commit(upload)).missing_count == 1
    await sets.verify(upload)
    outcome = await sets.commit(upload)
    assert (outcome.result, outcome.new_bytes) == (UploadResult.HEAD, 4)
    assert [one.status for one in (await player.queries.versions(player.id, outcome.slot_id, Page(1, 100))).items] == [
        "head",
        "pruned",
    ]


async def test_a_missing_object_is_replaced_by_the_one_of_the_commit(player, sets):
    """The list of the version before names the old object, so it is written again."""
    await sets.save(ONE)
    await sets.save({"s/else": b"else"}, slot="other")
    written = "UPDATE savegames.savegame_contents SET is_written = true WHERE user_id = $1 RETURNING id"
    await player.connection.execute(written, player.id)
    await player.connection.execute(
        "UPDATE savegames.savegame_contents SET missing_since = $1 WHERE file_hash_sha256 = $2",
        player.now,
        sha256(b"a").digest(),
    )
    upload = await sets.request(ONE | {"s/w2/b": b"other"}, base_version=1)
    await sets.verify(upload)
    assert (await sets.commit(upload)).new_bytes == 5
    row = await player.connection.fetchrow(
        "SELECT s3_object_key, missing_since FROM savegames.savegame_contents WHERE file_hash_sha256 = $1 "
        "AND state = 'live'",
        sha256(b"a").digest(),
    )
    assert row["missing_since"] is None
    assert row["s3_object_key"] in player.objects
    unwritten = await player.connection.fetch(
        "SELECT m.version FROM savegames.savegame_contents c JOIN savegames.savegame_metadata m ON m.content_id = c.id "
        "WHERE c.user_id = $1 AND NOT c.is_written ORDER BY 1",
        player.id,
    )
    assert [one["version"] for one in unwritten] == [1, 2]


async def test_two_uploads_of_one_content_share_it(player, sets):
    first = await sets.request({"s/w1/a": b"same"}, "one")
    second = await sets.request({"s/w1/z": b"same", "s/w1/y": b"y"}, "two")
    await sets.verify(second, b"same")
    await sets.verify(first)
    assert (await sets.commit(first)).new_bytes == 4
    await sets.verify(second)
    outcome = await sets.commit(second)
    assert (outcome.result, outcome.new_bytes) == (UploadResult.HEAD, 1)
    assert await player.usage() == (5, 0)


async def test_identical_and_old_files_make_no_version(player, sets):
    await sets.save(ONE)
    second = await sets.save(ONE | {"s/w1/a": b"new"}, base_version=1)
    assert (await sets.save(ONE | {"s/w1/a": b"new"}, base_version=1, device="deck")).result is UploadResult.IDENTICAL
    assert (await sets.save(ONE, base_version=0, device="deck")).result is UploadResult.BEHIND
    assert await player.versions(second.slot_id) == {1: (0, None, "history"), 2: (1, None, "head")}
    assert len(await player.rows("manifests")) == 2


async def test_an_old_state_on_the_head_is_named(player, sets):
    await sets.save(ONE)
    await sets.save({"s/w1/a": b"2"}, base_version=1)
    assert (await sets.save(ONE, base_version=2)).regresses_to == 1


async def test_a_file_and_a_set_are_never_the_same(player, sets):
    single = await player.save(b"a", device_id="pc")
    outcome = await sets.save({"s/w1/a": b"a"}, base_version=1)
    assert (outcome.result, outcome.new_bytes) == (UploadResult.HEAD, 0)
    text = f"{sha256(b'a').hexdigest()} s/w1/a\n".encode()
    assert (await player.save(text, base_version=2, device_id="pc")).result is UploadResult.HEAD
    assert (await sets.save({"s/w1/a": b"a"}, base_version=3)).regresses_to == 2
    assert await player.versions(single.slot_id) == {
        1: (0, None, "history"),
        2: (1, None, "history"),
        3: (2, None, "history"),
        4: (3, None, "head"),
    }


async def test_old_versions_are_pruned_with_their_files(new_player, sets_of):
    player = new_player(max_versions=2)
    sets = sets_of(player)
    for number in range(6):
        player.later(days=1)
        outcome = await sets.save({"s/w1/a": b"same", "s/w1/b": bytes([number])}, base_version=number)
    kept = {
        version for version, (_, _, status) in (await player.versions(outcome.slot_id)).items() if status != "pruned"
    }
    assert kept == {4, 5, 6}
    assert await player.usage() == (4 + 3, 0)
    bodies = {row["version"] for row in await player.rows("metadata") if row["manifest_id"]}
    assert bodies == kept


async def test_the_commit_of_a_head_with_pruning_is_at_most_nine_statements(new_player, sets_of):
    player = new_player(max_versions=2)
    sets = sets_of(player)
    for number in range(5):
        player.later(days=1)
        await sets.save({"s/w1/a": bytes([number])}, base_version=number)
    player.later(days=1)
    upload = await sets.request({"s/w1/a": b"last"}, base_version=5)
    await sets.verify(upload)
    with counted(player.connection) as statements:
        assert (await sets.commit(upload)).version == 6
    # With the lock, the answer and the end of the transaction there are three more.
    assert len(statements) <= 9, statements


async def test_the_bytes_of_a_set_have_to_fit_into_the_quota(new_player, sets_of):
    player = new_player(max_bytes=50, quota_bytes=10, max_versions=10)
    sets = sets_of(player)
    await sets.save({"s/w1/a": b"aaaa", "s/w1/b": b"bbb"})
    await sets.save({"s/w1/b": b"bbb", "s/w1/c": b"ccc"}, base_version=1)
    outcome = await sets.save({"s/w1/b": b"bbb", "s/w1/d": b"dddd"}, base_version=2)
    assert await player.usage() == (10, 0)
    assert (await player.versions(outcome.slot_id))[1][2] == "pruned"
    with pytest.raises(UserQuotaExceeded):
        await sets.request({"s/w1/e": b"e" * 11}, base_version=3)
    upload = await sets.request({"s/w1/b": b"bbb", "s/w1/d": b"dddd", "s/w1/e": b"eee"}, base_version=3)
    await sets.verify(upload)
    await player.service.change_version(player.id, outcome.slot_id, 2, VersionChanges(is_pinned=True))
    with pytest.raises(UserQuotaExceeded):
        async with player.connection.transaction():
            await sets.commit(upload)
    await player.service.change_version(player.id, outcome.slot_id, 2, VersionChanges(is_pinned=False))
    assert (await sets.commit(upload)).version == 4
    assert await player.usage() == (10, 0)


async def test_scenario_01_merge_without_units_is_refused(player, sets):
    await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"2"}, base_version=1)
    conflict = await sets.save(ONE | {"s/w2/b": b"3"}, base_version=1, device="deck")
    assert conflict.result is UploadResult.CONFLICT
    with pytest.raises(SavegameMergeSplitsUnit) as refused:
        await player.conflicts.resolve(player.id, conflict.conflict_id, Resolve(resolution="merge"))
    assert refused.value.meta == {"reason": "no_units"}


async def test_scenario_02_two_units_merge_themselves(player, sets):
    await player.set_policy()
    await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"2"}, base_version=1)
    used = await player.usage()
    upload = await sets.request(ONE | {"s/w2/b": b"3"}, base_version=1, device="deck")
    await sets.verify(upload)
    objects = set(player.objects)
    outcome = await sets.commit(upload)
    assert (outcome.result, outcome.resolution, outcome.version) == (UploadResult.RESOLVED, "merge", 4)
    assert player.objects == objects
    assert await files_of(player, outcome.slot_id, 4) == hashes({"s/w1/a": b"2", "s/w2/b": b"3"})
    assert (await player.versions(outcome.slot_id))[4] == (2, 3, "head")
    assert await player.usage() == (used[0] + 1, 0)
    # The device has what it uploaded, until it reports the merged version.
    devices = {row["device_id"]: row["version"] for row in await player.rows("devices")}
    assert devices == {"pc": 2, "deck": 3}
    head = await player.queries.save(player.id, outcome.slot_id)
    assert head.device_id is None


async def test_scenario_03_a_deleted_file_stays_deleted(player, sets):
    await player.set_policy()
    await sets.save(ONE | {"s/w1/f": b"f"})
    await sets.save(ONE, base_version=1)
    outcome = await sets.save(ONE | {"s/w1/f": b"f", "s/w2/b": b"3"}, base_version=1, device="deck")
    assert await files_of(player, outcome.slot_id, outcome.version) == hashes({"s/w1/a": b"a", "s/w2/b": b"3"})


async def test_scenario_04_delete_against_change_is_asked(player, sets):
    await player.set_policy()
    await sets.save(ONE)
    await sets.save({"s/w2/b": b"bb"}, base_version=1)
    conflict = await sets.save(ONE | {"s/w1/a": b"changed"}, base_version=1, device="deck")
    assert conflict.result is UploadResult.CONFLICT
    assert player.events[-1].differences_count == 1
    with pytest.raises(InvalidInput) as refused:
        await player.conflicts.resolve(player.id, conflict.conflict_id, Resolve(resolution="merge"))
    assert refused.value.problems[0].params["unnamed"] == ("w1",)
    choice = Resolve(resolution="merge", units={"w1": "head", "w9": "head"})
    with pytest.raises(InvalidInput) as refused:
        await player.conflicts.resolve(player.id, conflict.conflict_id, choice)
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [("no_unit", "units/w9")]
    choice = Resolve(resolution="keep_local", units={"w1": "head"})
    with pytest.raises(InvalidInput):
        await player.conflicts.resolve(player.id, conflict.conflict_id, choice)
    await player.conflicts.resolve(player.id, conflict.conflict_id, Resolve(resolution="merge", units={"w1": "branch"}))
    assert await files_of(player, conflict.slot_id, 4) == hashes({"s/w1/a": b"changed", "s/w2/b": b"bb"})


async def test_a_merge_beyond_the_limits_is_left_to_the_policy_of_conflicts(player, sets):
    units = [{"name": "{w}", "match": ["s/{w}/**"]}]
    await player.set_policy(merge="units", units=units, limits={"max_files": 2})
    await sets.save({"s/w1/a": b"a"})
    await sets.save({"s/w1/a": b"a", "s/w2/b": b"b"}, base_version=1)
    outcome = await sets.save({"s/w1/a": b"a", "s/w3/c": b"c"}, base_version=1, device="deck")
    assert outcome.result is UploadResult.CONFLICT
    with pytest.raises(SavegameFileTooLarge) as refused:
        await player.conflicts.resolve(player.id, outcome.conflict_id, Resolve(resolution="merge"))
    assert (refused.value.pointer, refused.value.meta) == ("units", {"limit": "files", "file_count": 3, "max_files": 2})


async def test_the_base_of_a_merge_outlives_its_bytes(new_player, sets_of):
    player = new_player(max_versions=2)
    sets = sets_of(player)
    await player.set_policy()
    first = await sets.save(ONE, device="deck")
    await player.synced(first.slot_id, "pc", 1)
    for number in range(1, 6):
        player.later(days=1)
        await sets.save(ONE | {"s/w1/a": bytes([number])}, base_version=number)
    assert (await player.versions(first.slot_id))[1][2] == "pruned"
    outcome = await sets.save(ONE | {"s/w2/b": b"deck"}, base_version=1, device="deck")
    assert outcome.resolution == "merge"
    assert await files_of(player, outcome.slot_id, outcome.version) == hashes({"s/w1/a": b"\x05", "s/w2/b": b"deck"})


async def test_scenario_14_fifty_branches_of_one_device(player, sets):
    await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"2"}, base_version=1)
    for number in range(50):
        await sets.save({"s/w1/a": bytes([number])}, base_version=1, device="deck")
    [conflict] = [row for row in await player.rows("conflicts") if row["resolved_at"] is None]
    kept = [row["version"] for row in await player.rows("metadata") if row["content_id"]]
    assert conflict["branch_version"] in kept
    assert len(kept) <= 5


async def test_both_are_kept_in_slots_of_their_own(player, sets):
    await sets.save(ONE)
    await sets.save(ONE | {"s/w1/a": b"2"}, base_version=1)
    conflict = await sets.save(ONE | {"s/w1/a": b"3"}, base_version=1, device="deck")
    resolved = await player.conflicts.resolve(player.id, conflict.conflict_id, Resolve(resolution="keep_both"))
    assert await files_of(player, resolved.copy_slot_id, 1) == hashes(ONE | {"s/w1/a": b"3"})
    await player.service.delete(player.id, conflict.slot_id, permanent=True)
    assert await files_of(player, resolved.copy_slot_id, 1) == hashes(ONE | {"s/w1/a": b"3"})
    assert await player.usage() == (3, 0)


async def test_a_set_is_restored_with_its_list(player, sets):
    await sets.save(ONE)
    second = await sets.save({"s/w1/a": b"2"}, base_version=1)
    await player.service.restore(player.id, second.slot_id, 1, device_id="deck")
    assert await files_of(player, second.slot_id, 3) == hashes(ONE)
    assert (await player.queries.save(player.id, second.slot_id)).device_id == "deck"
    assert len(await player.rows("manifests")) == 2


async def test_single_units_are_restored(player, sets):
    await player.set_policy()
    await sets.save(ONE)
    second = await sets.save({"s/w2/b": b"2", "s/w3/c": b"c"}, base_version=1)
    await player.service.restore(player.id, second.slot_id, 1, units=["w1", "w3"])
    assert await files_of(player, second.slot_id, 3) == hashes({"s/w1/a": b"a", "s/w2/b": b"2"})
    with pytest.raises(InvalidInput) as refused:
        await player.service.restore(player.id, second.slot_id, 1, units=["w1", "w4"])
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [("no_unit", "units/1")]
    single = await player.save(b"file", "other")
    await player.save(b"more", "other")
    with pytest.raises(InvalidInput) as refused:
        await player.service.restore(player.id, single.slot_id, 1, units=["w1"])
    assert refused.value.problems[0].rule == "not_a_set"


async def test_a_set_in_the_trash_keeps_its_files_until_it_is_purged(player, sets):
    first = await sets.save(ONE)
    upload = await sets.request(ONE | {"s/w1/x": b"xxx"}, base_version=1)
    await sets.verify(upload)
    await player.service.delete(player.id, first.slot_id)
    with pytest.raises(SavegameVersionNotFound):
        await sets.commit(upload)
    assert await player.usage() == (3, 0)
    await player.check()
    await player.service.undelete(player.id, first.slot_id)
    assert await files_of(player, first.slot_id, 1) == hashes(ONE)
    await player.service.delete(player.id, first.slot_id, permanent=True)
    for table in ("manifests", "manifest_contents", "upload_files", "uploads", "metadata"):
        assert await player.rows(table) == []
    assert await player.usage() == (0, 0)


async def test_a_pinned_set_is_never_pruned(new_player, sets_of):
    player = new_player(max_versions=3)
    sets = sets_of(player)
    first = await sets.save(ONE)
    await player.service.change_version(player.id, first.slot_id, 1, VersionChanges(is_pinned=True))
    for number in range(1, 8):
        player.later(days=1)
        await sets.save({"s/w1/a": bytes([number])}, base_version=number)
    assert await files_of(player, first.slot_id, 1) == hashes(ONE)
    await player.service.change_version(player.id, first.slot_id, 1, VersionChanges(is_pinned=False))
    assert (await player.versions(first.slot_id))[1][2] == "pruned"


async def test_the_object_of_a_list_that_is_lost_is_written_again(player, sets):
    first = await sets.save(ONE)
    content = await player.connection.fetchval(
        "UPDATE savegames.savegame_contents SET missing_since = $1, is_written = true WHERE kind = 'list' RETURNING id",
        player.now,
    )
    player.later(days=31)
    await player.service.prune_lost(player.id, content)
    assert (await player.versions(first.slot_id))[1][2] == "head"
    row = await player.connection.fetchrow("SELECT * FROM savegames.savegame_contents WHERE id = $1", content)
    assert (row["is_written"], row["missing_since"]) == (False, None)
