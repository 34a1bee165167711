"""Adoption of sets that the store has and a restored database has lost."""

from hashlib import sha256

import pytest
from gameshelf.savegames import SavedObject, SavedSet, SavegameListObjects, SavegameUploaded, from_object, metadata_of

ONE, TWO = {"s/a": b"a", "s/b": b"b"}, {"s/a": b"a", "s/b": b"B", "s/c": b"c"}


@pytest.fixture
def player(new_player):
    return new_player(max_bytes=500, quota_bytes=10_000, max_versions=100)


class Lists:
    """The objects of lists in the store, as the job writes them."""

    def __init__(self, player):
        self.player, self.written = player, {}
        self.objects = SavegameListObjects(player.connection)

    async def write(self):
        for user_id, content_id in await self.objects.unwritten(10_000):
            if user_id == self.player.id:
                made = await self.objects.make(user_id, content_id)
                self.written[made.key] = (made.data, made.metadata, self.player.now)
                assert await self.objects.mark_written(user_id, content_id, made)

    async def adopt(self, absent=(), moved=None):
        """Adopts all lists, one save after another. ``moved`` are other keys of contents, by their hashes."""
        saves = {}
        for key, (data, metadata, at) in self.written.items():
            found, about = from_object(data), metadata_of(key, metadata)
            keys = {content: (moved or {}).get(content, where) for content, where in found.keys.items()}
            kept = SavedSet(found, sha256(data).digest(), keys, frozenset())
            saves.setdefault(about.slot_name, []).append(SavedObject(key, len(data), at, about, kept))
        adoption = self.player.adoption
        return [one for objects in saves.values() for one in await adoption.adopt(self.player.id, objects, absent)]


@pytest.fixture
def lists(player):
    return Lists(player)


def results(adopted):
    return {one.object.metadata.version: (one.version, str(one.outcome)) for one in adopted}


async def state(player):
    """What the database has, but for times and for ids of rows."""
    slots = {row["id"]: row["slot_name"] for row in await player.rows("slots")}
    contents = {row["id"]: row for row in await player.rows("contents")}
    versions = {
        (slots[row["slot_id"]], row["version"]): (
            row["parent_version"],
            row["in_head"],
            row["file_hash_sha256"],
            row["content_identity"],
            row["file_size_bytes"],
            row["file_count"],
            row["device_id"],
            row["game_version_id"],
            contents[row["content_id"]]["s3_object_key"],
            contents[row["content_id"]]["is_written"],
        )
        for row in await player.rows("metadata")
    }
    held = {(one["s3_object_key"], one["file_hash_sha256"], one["state"]) for one in contents.values()}
    return versions, held, await player.usage()


async def test_sets_are_again_what_they_were(player, sets, lists):
    await sets.save(ONE)
    await lists.write()
    backup = await player.backup()
    await sets.save(TWO, base_version=1, game_version_id="1.1")
    await sets.save(ONE, base_version=2)
    await sets.save({"s/x": b"a"}, slot="other")
    await lists.write()
    before = await state(player)
    await player.restore_backup(backup)
    assert len((await state(player))[0]) == 1
    player.events.clear()

    adopted = await lists.adopt()
    assert sorted((one.version, str(one.outcome)) for one in adopted) == [(1, "head"), (2, "history"), (3, "head")]
    assert await state(player) == before
    said = [
        (one.version, one.file_count, one.file_size_bytes) for one in player.events if type(one) is SavegameUploaded
    ]
    assert sorted(said) == [(1, 1, 1), (2, 3, 3), (3, 2, 2)]
    assert await lists.adopt() == []
    assert await state(player) == before
    assert (await sets.save(TWO, base_version=3)).result == "head"


async def test_a_set_grown_from_an_older_version_becomes_a_branch(player, sets, lists):
    await sets.save(ONE)
    backup = await player.backup()
    await sets.save({"s/a": b"lost"}, base_version=1)
    await lists.write()
    await player.restore_backup(backup)
    await player.connection.execute("SELECT savegames.mark_restored()")
    player.later(days=1)
    await sets.save({"s/a": b"since then"}, base_version=1)
    assert (await lists.adopt())[-1].outcome == "branch"
    [conflict] = await player.rows("conflicts")
    assert conflict["branch_version"] == 2
    assert await lists.adopt() == []


async def test_a_list_under_another_number_is_written_again(player, sets, lists):
    """It names its version, so a later restore would give it the old number again."""
    await sets.save(ONE)
    backup = await player.backup()
    await sets.save(TWO, base_version=1)
    await lists.write()
    old = dict(lists.written)
    await player.restore_backup(backup)
    await sets.save({"s/a": b"2 again"}, base_version=1)
    [adopted] = [one for one in await lists.adopt() if one.is_new]
    assert adopted.version > 2
    await lists.write()
    [key] = (
        lists.written.keys()
        - old.keys()
        - {row["s3_object_key"] for row in backup["contents"]}
        - {key for key in lists.written if "_v2_" in key}
    )
    assert from_object(lists.written[key][0]).header.version == adopted.version
    assert [one.outcome for one in await lists.adopt() if one.is_new] == []


async def test_a_lost_content_of_a_known_version_is_replaced(player, sets, lists):
    await sets.save(ONE)
    await sets.save(TWO, base_version=1)
    await lists.write()
    [lost] = [row for row in await player.rows("contents") if row["file_hash_sha256"] == sha256(b"a").digest()]
    newest = max(lists.written)
    await player.connection.execute(
        "UPDATE savegames.savegame_contents SET s3_object_key = s3_object_key || '.old' "
        "WHERE user_id = $1 AND kind = 'list'",
        player.id,
    )
    moved = {lost["file_hash_sha256"]: lost["s3_object_key"] + ".found"}
    adopted = await lists.adopt({lost["s3_object_key"]}, moved)
    assert ("mended" in {str(one.outcome) for one in adopted}, newest in lists.written) == (True, True)
    [row] = [row for row in await player.rows("contents") if row["id"] == lost["id"]]
    assert (row["s3_object_key"], row["missing_since"]) == (moved[lost["file_hash_sha256"]], None)
    before = dict(lists.written)
    await lists.write()  # every list names the new key
    found = [from_object(lists.written[key][0]) for key in lists.written.keys() - before.keys()]
    assert {one.keys[lost["file_hash_sha256"]] for one in found} == {row["s3_object_key"]}
    assert len(found) == 2
    gone = [row["s3_object_key"] for row in await player.rows("contents") if row["state"] == "dropped"]
    assert gone == [lost["s3_object_key"]]


async def test_a_save_that_was_both_is_adopted_in_order(player, sets, lists):
    """A single file, then a set that holds the same bytes, then a single file again."""
    await player.save(b"a", device_id="pc")
    await sets.save(ONE, base_version=1)
    await player.save(b"after", device_id="pc")
    await lists.write()
    before = await player.versions((await player.rows("slots"))[0]["id"])
    empty = {table: [] for table in await player.backup()}
    await player.restore_backup(empty)
    player.objects &= player.written.keys()
    singles = (await player.unknown())["slot"]
    objects = []
    for key, (data, metadata, at) in lists.written.items():
        found = from_object(data)
        kept = SavedSet(found, sha256(data).digest(), found.keys, frozenset())
        objects.append(SavedObject(key, len(data), at, metadata_of(key, metadata), kept))
    adopted = await player.adoption.adopt(player.id, singles + objects)
    assert results(adopted) == {1: (1, "history"), 2: (2, "history"), 3: (3, "head")}
    assert await player.versions((await player.rows("slots"))[0]["id"]) == before
