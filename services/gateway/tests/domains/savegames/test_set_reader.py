"""A set that the database lacks is verified in parts, over the store in memory."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.gateway.domains.savegames.reconcile_sets import (
    FoundList,
    IncompleteRead,
    ReadBudget,
    SetReader,
    SetRefusal,
)
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.savegames import (
    HeldContent,
    ListHeader,
    SaveFile,
    StoredObject,
    list_hash_of,
    list_metadata,
    metadata_of,
    object_key,
    part_key,
    part_metadata,
    to_object,
)
from gameshelf.savegames.testing import MemoryStore

USER, GAME = uuid4(), uuid4()
KIB = 1024
NOW = datetime(2026, 5, 20, tzinfo=UTC)


class Held:
    """What the database holds of the user."""

    def __init__(self):
        self.contents = {}

    async def held_contents(self, user_id, hashes):
        assert user_id == USER
        return {content: self.contents[content] for content in hashes if content in self.contents}


class Stored:
    """A set in the store, and a reader that counts what it reads."""

    def __init__(self, files):
        self.store, self.held, self.read = MemoryStore(), Held(), []
        self.files = files
        self.keys = {}
        for data in files.values():
            content = sha256(data).digest()
            self.keys[content] = part_key(USER, GAME, "slot", uuid4())
            self.store.upload(self.keys[content], data)
        digest = self.store.digest

        async def counted(key, size, packing=None):
            if size >= 0:
                self.read.append(key)
            return await digest(key, size, packing)

        self.store.digest = counted
        self.reader = SetReader(Saves(self.store, None, None, 60, 0), self._sweeps, _each, 1024 * KIB)

    @asynccontextmanager
    async def _sweeps(self):
        yield self.held

    async def found(self, **changed):
        """The list as the comparison finds it."""
        key = object_key(USER, GAME, "slot", 1, uuid4(), NOW)
        data, metadata = list_object(self.files, self.keys, **changed)
        await self.store.put(key, data, metadata)
        [stored] = await self.store.list(key)
        return FoundList(stored, metadata_of(key, metadata), list_hash_of(metadata))

    async def verify(self, kib=10**6, through=b"", **changed):
        return await self.reader.verify(await self.found(**changed), ReadBudget(kib * KIB), through)

    def key_of(self, path):
        return self.keys[sha256(self.files[path]).digest()]


def list_object(files, keys, user_id=USER):
    listed = tuple(SaveFile(path, len(data), sha256(data).digest()) for path, data in sorted(files.items()))
    header = ListHeader(user_id=user_id, product_id=GAME, slot_name="slot", version=1, parent_version=0)
    data = to_object(header, listed, keys)
    return data, list_metadata(header, listed, data)


async def _each(of, work):
    return [await work(one) for one in of]


@pytest.fixture
def stored():
    return Stored({f"s/{number}": bytes([number]) * 100 * KIB for number in range(10)})


async def test_a_whole_set_is_found_with_all_keys(stored):
    found = await stored.verify()
    assert (found.set.keys, found.set.absent, len(found.set.list.files)) == (stored.keys, frozenset(), 10)
    assert sorted(stored.read) == sorted(stored.keys.values())
    await stored.verify()
    assert len(stored.read) == 10  # a content is read once for all versions that hold it


@pytest.mark.parametrize("kib", [1, 100, 250, 999, 1000])
async def test_a_call_reads_what_it_may_and_the_next_one_continues(stored, kib):
    through, calls = b"", 0
    while isinstance(done := await stored.verify(kib, through), IncompleteRead):
        assert done.through > through
        assert len(stored.read) == (calls + 1) * max(1, kib // 100)
        through, calls = done.through, calls + 1
    assert done.set.keys == stored.keys
    assert len(stored.read) == 10


async def test_a_set_that_lacks_contents_is_refused_by_name_before_it_is_read(stored):
    await stored.store.delete([stored.key_of("s/3")])
    stored.store.upload(stored.key_of("s/7"), b"cut")
    assert await stored.verify() == SetRefusal("incomplete", "2 of 10 contents: s/3, s/7")
    assert stored.read == []
    for number in range(5):
        await stored.store.delete([stored.key_of(f"s/{number}")])
    assert (await stored.verify()).detail == "6 of 10 contents: s/0, s/1, s/2, …"


async def test_a_content_with_other_bytes_makes_the_set_incomplete(stored):
    stored.store.upload(stored.key_of("s/3"), bytes(100 * KIB - 1) + b"x")
    assert await stored.verify() == SetRefusal("incomplete", "1 of 10 contents: s/3")


async def test_contents_that_the_database_has_are_not_read(stored):
    content = sha256(stored.files["s/3"]).digest()
    own = f"{stored.key_of('s/3')}.own"
    stored.held.contents[content] = HeldContent(content, uuid4(), own, False)
    stored.store.upload(own, stored.files["s/3"])
    await stored.store.delete([stored.key_of("s/3")])
    found = await stored.verify()
    assert (found.set.keys[content], len(stored.read)) == (own, 9)


async def test_a_content_that_the_database_has_lost_is_found_by_the_list(stored):
    content = sha256(stored.files["s/3"]).digest()
    stored.held.contents[content] = HeldContent(content, uuid4(), "gone", False)
    found = await stored.verify()
    assert (found.set.keys, found.set.absent) == (stored.keys, {"gone"})


async def test_a_list_that_is_not_what_it_says_is_refused(stored):
    found = await stored.found()
    [other] = [await Stored({"s/else": b"else"}).found()]
    wrong = {
        "hash": replace(found, list_sha256=bytes(32)),
        "metadata": replace(found, metadata=replace(found.metadata, content=other.metadata.content)),
    }
    for reason, one in wrong.items():
        assert await stored.reader.verify(one, ReadBudget(10**9), b"") == SetRefusal(reason)
    damaged = StoredObject("damaged", 3, NOW)
    stored.store.upload("damaged", b"bad")
    one = FoundList(damaged, found.metadata, sha256(b"bad").digest())
    assert await stored.reader.verify(one, ReadBudget(10**9), b"") == SetRefusal("hash")
    one = replace(found, stored=replace(found.stored, key="gone"))
    assert await stored.reader.verify(one, ReadBudget(10**9), b"") is None


async def test_objects_of_other_users_are_never_taken(stored):
    content = sha256(stored.files["s/3"]).digest()
    stored.keys[content] = part_key(uuid4(), GAME, "slot", uuid4())
    stored.store.upload(stored.keys[content], stored.files["s/3"])
    assert await stored.verify() == SetRefusal("metadata")


async def test_a_content_larger_than_a_call_reads_is_refused():
    stored = Stored({"s/large": bytes(1024 * KIB + 1)})
    assert await stored.verify() == SetRefusal("size")


def test_metadata_that_are_no_list_have_no_hash():
    assert list_hash_of(part_metadata(USER, GAME, bytes(32), 1)) is None
    assert list_hash_of({"kind": "set"}) == list_hash_of({"kind": "set", "list-sha256": "x"}) == b""
