"""Adoption of objects that the store has and a restored database has lost."""

import json
from collections import Counter
from random import Random

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    ConflictsFilter,
    Resolve,
    SavegameConflicted,
    SavegameUploaded,
    SavesFilter,
    UserQuotaExceeded,
)


@pytest.fixture
def player(new_player):
    """A player whose quota is never exhausted."""
    return new_player(max_bytes=500, quota_bytes=10_000, max_versions=100)


async def slots(player):
    """The id of each save that is not in the trash."""
    return {row["slot_name"]: row["id"] for row in await player.rows("slots") if not row["deleted_at"]}


async def history(player, slot="slot"):
    return await player.versions((await slots(player))[slot])


async def becomes(player):
    """The result of each adopted object, by its former number."""
    return {one.object.metadata.version: (one.version, str(one.outcome)) for one in await player.adopt()}


async def mark_restored(player):
    """Changes all slots as a restore does."""
    await player.connection.execute("SELECT savegames.mark_restored()")


async def test_a_version_grown_from_the_head_becomes_the_head_again(player):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    player.later(hours=1)
    await player.save(b"3")
    before = await history(player)
    held = await player.usage()
    times = {row["version"]: row["server_uploaded_at"] for row in await player.rows("metadata")}
    await player.restore_backup(backup)
    await mark_restored(player)
    player.later(days=1)
    assert await becomes(player) == {2: (2, "history"), 3: (3, "head")}
    assert await history(player) == before
    assert await player.usage() == held
    found = {row["version"]: row["server_uploaded_at"] for row in await player.rows("metadata")}
    assert all(abs((found[version] - at).total_seconds()) <= 1 for version, at in times.items())


async def test_an_unknown_save_is_created_and_its_numbers_are_not_reused(player):
    backup = await player.backup()
    await player.save(b"1")
    await player.save(b"2")
    await player.restore_backup(backup)
    assert await becomes(player) == {1: (1, "history"), 2: (2, "head")}
    assert (await player.save(b"3")).version == int(player.now.timestamp())


async def test_an_encrypted_save_can_be_read_after_its_adoption(player):
    backup = await player.backup()
    sealed = {"scheme": "AES-256-GCM", "key_id": "ключ 7"}
    saved = await player.save(b"1", encryption=sealed, content_encoding="zstd")
    await player.restore_backup(backup)
    await player.adopt()
    found = await player.queries.version(player.id, (await slots(player))["slot"], saved.version)
    assert (found.content_encoding, json.loads(found.encryption)) == ("zstd", sealed)


async def test_an_adoption_emits_the_events_of_an_upload(player):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.save(b"22", base_version=1)
    await player.restore_backup(backup)
    player.events.clear()
    await player.adopt()
    published = [type(event) for event in player.events]
    assert published == [SavegameUploaded, SavegameUploaded, SavegameConflicted]
    uploads = [event for event in player.events if isinstance(event, SavegameUploaded)]
    assert [(event.version, event.is_branch) for event in uploads] == [(2, False), (3, True)]
    assert all(event.s3_path.removeprefix("s3:///") in player.objects for event in uploads)


async def test_a_branch_comes_back_with_one_conflict_to_resolve(player):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.save(b"b", base_version=1)
    await player.save(b"bb", base_version=3)
    await player.restore_backup(backup)
    assert await becomes(player) == {2: (2, "head"), 3: (3, "branch"), 4: (4, "branch")}
    [conflict] = (await player.queries.conflicts(player.id, ConflictsFilter())).items
    assert (conflict.head.version, conflict.branch.version) == (2, 4)
    await player.conflicts.resolve(player.id, conflict.id, Resolve(resolution="keep_local"))
    assert await player.adopt() == []


async def test_a_save_uploaded_since_the_restore_stays_the_head(player):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.save(b"3")
    await player.restore_backup(backup)
    await mark_restored(player)
    player.later(hours=3)
    new = await player.save(b"new", base_version=1)
    assert await becomes(player) == {2: (2, "branch"), 3: (3, "branch")}
    assert [save.version for save in (await player.queries.saves(player.id, SavesFilter())).items] == [new.version]


@pytest.mark.parametrize("hours", [1, 1000])
async def test_a_reused_number_stays_with_its_new_version(player, hours):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.save(b"3")
    await player.restore_backup(backup)
    player.later(hours=hours)
    assert (await player.save(b"new", base_version=1)).version == 2
    assert await becomes(player) == {2: (3, "branch"), 3: (4, "branch")}
    # The lost 3 grew from the lost 2, not from the new one.
    assert await history(player) == {
        1: (0, None, "history"),
        2: (1, None, "head"),
        3: (1, None, "branch"),
        4: (3, None, "branch"),
    }
    assert await player.adopt() == []


async def test_a_version_with_a_lost_parent_never_becomes_the_head(player):
    one = await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.service.restore(player.id, one.slot_id, 1)  # 3, which has no object of its own
    await player.save(b"4")
    await player.restore_backup(backup)
    assert await becomes(player) == {2: (2, "head"), 4: (4, "branch")}
    assert (await history(player))[4][0] == 0


async def test_equal_bytes_are_stored_once(player):
    await player.save(b"1")
    backup = await player.backup()
    await player.save(b"2")
    await player.save(b"3")
    await player.restore_backup(backup)
    await mark_restored(player)
    player.later(hours=1)
    again = await player.save(b"2", base_version=1)
    # It is identical to the head, so a version that grew from it grew from the head.
    assert await becomes(player) == {2: (again.version, "known"), 3: (again.version + 1, "head")}
    assert await player.usage() == (3, 0)
    before = await player.backup()
    assert [str(outcome) for _, outcome in (await becomes(player)).values()] == ["known"]
    assert await player.backup() == before


async def test_an_adopted_object_replaces_a_missing_one(player):
    one = await player.save(b"1")
    [content] = await player.rows("contents")
    await player.connection.execute("UPDATE savegames.savegame_contents SET missing_since = now()")
    backup = await player.backup()
    sent = await player.request(b"1")
    assert sent.is_required
    await player.confirm(sent)
    player.objects.remove(content["s3_object_key"])
    await player.restore_backup(backup)
    assert await becomes(player) == {2: (1, "mended")}
    found = await player.queries.download(player.id, one.slot_id, None)
    assert found.key in player.objects


async def test_an_open_upload_keeps_its_number(player):
    await player.save(b"1")
    left = await player.request(b"2")
    backup = await player.backup()
    await player.confirm(left)
    await player.restore_backup(backup)
    assert await becomes(player) == {2: (3, "head")}
    outcome = await player.confirm(left)
    assert (str(outcome.result), outcome.version) == ("identical", 3)


async def test_an_object_that_is_due_for_deletion_is_not_adopted(player):
    one = await player.save(b"1")
    await player.save(b"2")
    await player.service.delete(player.id, one.slot_id, permanent=True)
    assert player.objects
    assert await player.adopt() == []
    assert await player.rows("slots") == []


async def test_pruned_bytes_are_not_adopted(new_player):
    player = new_player(max_bytes=500, quota_bytes=1000, max_versions=3)
    for content in (b"1", b"2", b"3", b"4"):
        await player.save(content)
        player.later(days=10)
    objects = set(player.objects)
    player.later(days=40)
    await player.sweep()
    gone = objects - player.objects
    assert gone
    player.objects = objects
    before = await player.backup()
    assert await becomes(player) == {1: (1, "pruned")}
    assert await player.backup() == before


async def test_a_save_in_the_trash_stays_and_a_new_one_adopts_its_versions(player):
    one = await player.save(b"1")
    await player.service.delete(player.id, one.slot_id)
    backup = await player.backup()
    await player.service.undelete(player.id, one.slot_id)
    await player.save(b"2")
    await player.restore_backup(backup)
    assert await becomes(player) == {2: (2, "head")}
    assert (await slots(player))["slot"] != one.slot_id
    await player.service.undelete(player.id, one.slot_id)
    assert sorted(await slots(player)) == ["slot", "slot (2)"]


async def test_adoption_ignores_the_quota_and_the_next_upload_does_not(new_player):
    player = new_player(max_bytes=500, quota_bytes=10, max_versions=10)
    backup = await player.backup()
    for content in (b"111", b"222", b"333"):
        await player.save(content)
    await player.restore_backup(backup)
    await player.save(b"10 bytes !", "other")
    assert await becomes(player) == {1: (1, "history"), 2: (2, "history"), 3: (3, "head")}
    assert await player.usage() == (19, 0)
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"4444444")


OPERATIONS = ["save", "save", "save", "save", "branch", "branch", "resolve", "restore", "delete", "undelete", "age"]


async def act(player, random):
    """Does one thing that a player may do, with any result."""
    seen = (await player.queries.saves(player.id, SavesFilter())).items
    operation = random.choice(OPERATIONS)
    content = random.choice([bytes([97 + random.randrange(6)]) * 3, random.randbytes(8)])
    name = random.choice(["one", "two", "Третий/слот"])
    try:
        async with player.connection.transaction():
            if operation == "save":
                await player.save(content, name, device_id=random.choice(["pc", "deck"]))
            elif operation == "branch":
                known = await history(player, name) if name in await slots(player) else {}
                await player.save(content, name, base_version=random.choice([0, *known]))
            elif operation == "resolve":
                found = (await player.queries.conflicts(player.id, ConflictsFilter())).items
                way = random.choice(["keep_local", "keep_cloud", "keep_both"])
                await player.conflicts.resolve(player.id, random.choice(found).id, Resolve(resolution=way))
            elif operation == "restore":
                slot = random.choice(seen)
                await player.service.restore(
                    player.id, slot.slot_id, random.choice([*await history(player, slot.slot_name)])
                )
            elif operation == "delete" and random.random() < 0.3:
                slot = random.choice(seen)
                await player.service.delete(player.id, slot.slot_id, permanent=random.random() < 0.3)
            elif operation == "undelete":
                slot = random.choice([row for row in await player.rows("slots") if row["deleted_at"]])
                await player.service.undelete(player.id, slot["id"])
            elif operation == "age":
                player.later(hours=random.choice([0.1, 1, 30]))
                await player.sweep()
    except (DomainError, IndexError):  # there is no such save, or the request is refused: then nothing happens
        pass


def pages(random, objects):
    """The objects of a save, sorted by key and cut anywhere."""
    objects = sorted(objects, key=lambda one: one.key)
    while objects:
        size = random.choice([1, 2, 3, 100])
        yield objects[:size]
        objects = objects[size:]


@pytest.mark.parametrize("seed", range(sized(10, 30)))
async def test_after_any_loss_adoption_keeps_all_bytes_and_heads(new_player, seed):
    random = Random(seed)
    player = new_player(max_bytes=500, quota_bytes=10**6, max_versions=1000)
    for _ in range(random.randrange(15)):
        await act(player, random)
    backup = await player.backup()
    for _ in range(random.randrange(1, 25)):
        await act(player, random)
    await player.restore_backup(backup)
    if random.random() < 0.7:
        await mark_restored(player)
    player.later(hours=2)
    for _ in range(random.choice([0, 0, 4])):
        await act(player, random)
    heads = {row["id"]: row["head_version"] for row in await player.rows("slots") if row["head_version"]}
    kept = {(row["slot_id"], row["version"]): row["content_id"] for row in await player.rows("metadata")}
    lost = await player.unknown()
    outcomes = Counter()
    for objects in lost.values():
        for page in pages(random, objects):
            outcomes.update(str(one.outcome) for one in await player.adoption.adopt(player.id, page))
            await player.check()
    print(outcomes)
    metadata = await player.rows("metadata")
    # No existing version has changed, and every former head is the head or one of its ancestors.
    now = {(row["slot_id"], row["version"]): row for row in metadata}
    assert all(now[of]["content_id"] == content_id for of, content_id in kept.items())
    assert all(now[slot_id, head]["in_head"] for slot_id, head in heads.items())
    # A version of its save holds every content that was unknown.
    names = {row["id"]: row["slot_name"] for row in await player.rows("slots")}
    held = {(names[row["slot_id"]], row["file_hash_sha256"]) for row in metadata if row["content_id"]}
    assert {(one.metadata.slot_name, one.metadata.content) for objects in lost.values() for one in objects} <= held
    keys = {row["s3_object_key"] for row in await player.rows("contents") if row["state"] == "live"}
    assert keys <= player.objects
    # The quota counts the contents that exist.
    contents = {row["id"]: row["file_size_bytes"] for row in await player.rows("contents") if row["state"] == "live"}
    assert (await player.usage())[0] == sum(contents.values())
    again = await player.backup()
    assert {str(one.outcome) for one in await player.adopt()} <= {"known", "pruned"}
    assert await player.backup() == again
