"""Lists of sets as objects of the store, on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.savegames import SavegameListObjects, metadata_of, object_key, part_key, user_prefix
from gameshelf.savegames._files import SaveFile, hash_of, identity_of, ordered
from gameshelf.savegames._list_objects import list_metadata
from gameshelf.savegames._lists import ListHeader, from_object
from gameshelf.savegames._store.contents import ContentStore
from hypothesis import given, settings
from hypothesis import strategies as st

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255)
FILES = ordered(SaveFile(path, len(data), sha256(data).digest()) for path, data in [("s/a", b"a"), ("s/b", b"bb")])


@pytest.fixture
def lists(connection):
    return SavegameListObjects(connection)


async def unwritten_of(lists, player):
    return [content_id for user_id, content_id in await lists.unwritten(10_000) if user_id == player.id]


async def test_a_list_is_written_once_with_all_that_its_version_is(player, lists, add_set):
    content_id = await add_set(player, FILES, device_id="pc", comment="before the boss", game_version_id="1.2")
    assert await unwritten_of(lists, player) == [content_id]
    assert await lists.oldest_unwritten() <= player.now
    made = await lists.make(player.id, content_id)
    found = from_object(made.data)
    assert (found.files, found.header.slot_name, found.header.version) == (FILES, "slot", 1)
    assert found.header.made.model_dump() == {
        "client_modified_at": None,
        "device_id": "pc",
        "comment": "before the boss",
        "playtime_seconds": None,
        "game_version_id": "1.2",
    }
    keys = {row["file_hash_sha256"]: row["s3_object_key"] for row in await player.rows("contents")}
    assert {content: keys[content] for content in found.keys} == found.keys
    about = metadata_of(made.key, made.metadata)
    assert (about.version, about.content, about.identity) == (1, hash_of(FILES), identity_of(FILES))
    assert made.metadata["list-sha256"] == sha256(made.data).hexdigest()

    assert await lists.mark_written(player.id, content_id, made)
    assert not await lists.mark_written(player.id, content_id, made)
    assert await lists.make(player.id, content_id) is None
    assert await unwritten_of(lists, player) == []
    [row] = [row for row in await player.rows("contents") if row["id"] == content_id]
    assert (row["file_size_bytes"], row["file_hash_sha256"]) == (len(made.data), sha256(made.data).digest())


async def test_a_file_with_the_bytes_of_a_list_hinders_nothing(player, lists, add_set):
    content_id = await add_set(player, FILES)
    made = await lists.make(player.id, content_id)
    await player.save(made.data, "list")
    assert await lists.mark_written(player.id, content_id, made)
    assert await lists.make(player.id, content_id) is None


async def test_a_list_whose_content_moves_while_it_is_written_is_unwritten(player, lists, add_set):
    """Neither the object with the old key counts, nor one that it may have replaced."""
    content_id = await add_set(player, FILES)
    moved = next(row for row in await player.rows("contents") if row["file_hash_sha256"] == FILES[0].sha256)
    old = await lists.make(player.id, content_id)
    await ContentStore(player.connection).set_key(player.id, moved["id"], "another key")
    new = await lists.make(player.id, content_id)
    named = [from_object(one.data).keys[FILES[0].sha256] for one in (old, new)]
    assert named == [moved["s3_object_key"], "another key"]
    assert await lists.mark_written(player.id, content_id, new)
    assert await unwritten_of(lists, player) == []
    assert not await lists.mark_written(player.id, content_id, old)  # its object has replaced the new one
    assert await unwritten_of(lists, player) == [content_id]
    assert not await lists.mark_written(player.id, content_id, new)
    assert await lists.mark_written(player.id, content_id, await lists.make(player.id, content_id))
    assert await unwritten_of(lists, player) == []


async def test_a_list_that_was_dropped_meanwhile_stays_unwritten(player, lists, add_set):
    content_id = await add_set(player, FILES)
    made = await lists.make(player.id, content_id)
    drop = "UPDATE savegames.savegame_contents SET state = 'dropped', delete_after = $2 WHERE user_id = $1"
    for table in ("metadata", "manifests", "slots"):
        await player.connection.execute(f"DELETE FROM savegames.savegame_{table} WHERE user_id = $1", player.id)
    await player.connection.execute(drop, player.id, player.now)
    assert not await lists.mark_written(player.id, content_id, made)
    assert await unwritten_of(lists, player) == []
    assert await lists.make(player.id, content_id) is None


async def test_a_lost_list_is_written_again_and_never_counts_as_missing(player, lists, add_set):
    """An unwritten one is not looked for in the store at all."""
    content_id = await add_set(player, FILES)
    player.later(hours=3)

    async def expected():
        return [one for one in await player.sweeps.expected_contents("", None, 10_000) if one.user_id == player.id]

    assert content_id not in {one.content_id for one in await expected()}
    assert len(await expected()) == 2
    assert await lists.mark_written(player.id, content_id, await lists.make(player.id, content_id))
    assert len(await expected()) == 3
    await player.sweeps.mark_missing(await expected(), [])
    assert await unwritten_of(lists, player) == [content_id]
    missing = {row["id"] for row in await player.rows("contents") if row["missing_since"]}
    assert missing == {one.content_id for one in await expected()} != {content_id}


@settings(derandomize=True)
@given(names, st.integers(1, 2**53 - 1), st.booleans())
def test_metadata_of_any_list_fits_and_is_refused_as_a_file(name, version, is_merged):
    merged = version - 1 if is_merged and version > 1 else None
    user_id, product_id = uuid4(), uuid4()
    header = ListHeader(
        user_id=user_id,
        product_id=product_id,
        slot_name=name,
        version=version,
        parent_version=version - 1,
        merged_version=merged,
    )
    metadata = list_metadata(header, FILES, b"the bytes of the list")
    assert sum(len("x-amz-meta-") + len(key) + len(value) for key, value in metadata.items()) <= 2048
    key = object_key(user_id, product_id, name, version, uuid4(), datetime(2026, 5, 20, tzinfo=UTC) + timedelta(1))
    found = metadata_of(key, metadata)
    assert (found.slot_name, found.version, found.content) == (name, version, hash_of(FILES))
    assert found.content != sha256(b"the bytes of the list").digest()
    assert part_key(user_id, product_id, name, uuid4()).startswith(user_prefix(user_id))
