"""What devices repeat, correct, or say wrongly about uploads of sets."""

import gzip
import random

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import UploadQueries, UploadResult
from gameshelf.savegames._set_confirmations import IncompleteSet
from gameshelf.savegames._set_verification import FileProblem

MIB = 1024**2
PACKED = gzip.compress(b"plain", mtime=0)


def claims(sets, raw):
    return {"content_encoding": "gzip", "raw_sha256": sets.hash_of(raw), "raw_size_bytes": len(raw)}


def delta_of(sets, *entries, base=1):
    """The delta that adds these entries to a version whose file `z` has the packed bytes."""
    lines = sorted([("z", sets.hash_of(PACKED)), *((one.path, one.sha256) for one in entries)])
    text = "".join(f"{found} {path}\n" for path, found in lines)
    return {"base_version": base, "put": entries, "set_sha256": sets.hash_of(text.encode())}


async def test_a_false_raw_hash_of_bytes_that_are_there_is_named(sets):
    await sets.save({"a": PACKED})
    upload = await sets.request((sets.entry("a", PACKED, **claims(sets, b"other")),), "two")
    assert not upload.missing
    await sets.verify(upload)
    found = await sets.sets.finish(sets.id, upload.upload_id)
    assert [(one.path, one.problem) for one in found.mismatched] == [("a", FileProblem.RAW)]
    assert (found.missing_count, found.mismatched_count) == (0, 1)
    right = await sets.request((sets.entry("a", PACKED, **claims(sets, b"plain")),), "two")
    assert right.upload_id == upload.upload_id
    await sets.verify(right)
    assert (await sets.sets.finish(sets.id, right.upload_id)).result is UploadResult.HEAD


async def test_rejected_bytes_are_asked_again_by_a_repeated_request(sets):
    upload = await sets.request({"a": b"good"})
    sets.objects.upload(upload.missing[0].key, b"evil")
    await sets.verify(upload)
    assert isinstance(await sets.sets.finish(sets.id, upload.upload_id), IncompleteSet)
    again = await sets.request({"a": b"good"})
    assert again.upload_id == upload.upload_id
    assert [one.is_rejected for one in again.missing] == [True]


async def test_a_corrected_raw_hash_needs_no_bytes_again(sets):
    upload = await sets.request((sets.entry("a", PACKED, **claims(sets, b"other")),))
    sets.send(upload, PACKED)
    await sets.verify(upload)
    assert (await sets.sets.finish(sets.id, upload.upload_id)).mismatched_count == 1
    right = await sets.request((sets.entry("a", PACKED, **claims(sets, b"plain")),))
    assert [one.is_rejected for one in right.missing] == [False]
    await sets.verify(right)
    assert (await sets.sets.finish(sets.id, right.upload_id)).result is UploadResult.HEAD


async def test_what_was_lost_is_looked_for_by_a_repeated_request(sets):
    await sets.save({"a": b"a"})
    upload = await sets.request({"a": b"a", "b": b"b"}, "two")
    await sets.sets._store.upload_files.set_arrived(sets.id, upload.upload_id, b"\xff" * 32)
    assert (await sets.request({"a": b"a", "b": b"b"}, "two")).arrived_through == b"\xff" * 32
    lose = "UPDATE savegames.savegame_contents SET missing_since = now() WHERE user_id = $1"
    await sets.player.connection.execute(lose, sets.id)
    again = await sets.request({"a": b"a", "b": b"b"}, "two")
    assert again.upload_id == upload.upload_id
    assert (len(again.missing), again.arrived_through) == (2, b"")


async def test_raw_hashes_of_a_delta_are_verified_beside_equal_bytes(sets):
    await sets.save({"z": PACKED})
    upload = await sets.request(None, **delta_of(sets, sets.entry("a", PACKED, **claims(sets, b"other"))))
    await sets.verify(upload)
    found = await sets.sets.finish(sets.id, upload.upload_id)
    assert [one.problem for one in found.mismatched] == [FileProblem.RAW]


async def test_a_delta_cannot_say_other_unpacked_bytes_than_its_base(sets):
    await sets.save({"z": PACKED}, delta=None)
    first = await sets.request((sets.entry("z", PACKED, **claims(sets, b"plain")),), base_version=1)
    await sets.verify(first)
    assert (await sets.sets.finish(sets.id, first.upload_id)).version == 2
    with pytest.raises(InvalidInput) as refused:
        await sets.request(None, **delta_of(sets, sets.entry("a", PACKED, **claims(sets, b"other")), base=2))
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [("said_differently", "put/0/sha256")]
    assert await sets.request(None, **delta_of(sets, sets.entry("a", PACKED, **claims(sets, b"plain")), base=2))


async def test_a_set_that_waits_joins_the_content_of_a_single_file(sets):
    """It keeps the bytes also when the file is deleted before the commit."""
    upload = await sets.request({"a": b"same", "b": b"b"})
    sets.send(upload, b"same")
    await sets.verify(upload)
    single = await sets.player.save(b"same", "single")
    assert [row["sha256"].hex() for row in await sets.rows("upload_files")] == [sets.hash_of(b"b")]
    await sets.player.service.delete(sets.id, single.slot_id, permanent=True)
    assert await sets.player.usage() == (4, 1)
    sets.send(upload, b"b")
    await sets.verify(upload)
    outcome = await sets.sets.finish(sets.id, upload.upload_id)
    assert (outcome.result, outcome.new_bytes) == (UploadResult.HEAD, 1)


async def test_a_set_whose_packed_file_is_not_verified_does_not_join(sets):
    upload = await sets.request((sets.entry("a", PACKED, **claims(sets, b"plain")),))
    await sets.player.save(PACKED, "single")
    [waiting] = await sets.rows("upload_files")
    assert waiting["upload_id"] == upload.upload_id


async def test_a_single_file_keeps_its_parts_beside_a_set_with_its_bytes(of_player, new_player):
    """The set says nothing of the unpacked bytes, so the file still has to be sent, in its parts."""
    sets = of_player(new_player(max_bytes=20 * MIB, quota_bytes=100 * MIB))
    packed = gzip.compress(random.Random(0).randbytes(9 * MIB), compresslevel=0, mtime=0)
    hashes = [sets.hash_of(packed[: 8 * MIB]), sets.hash_of(packed[8 * MIB :])]
    raw = {"content_encoding": "gzip", "raw_sha256": sets.hash_of(b"other")}
    single = await sets.request((sets.entry(None, packed, part_sha256=hashes, **raw),), "single", device_id=None)
    await sets.save({"a": packed})
    [parts] = await UploadQueries(sets.player.connection).parts_of_single(sets.id, single.upload_id)
    assert len(parts.part_sha256) == 2
