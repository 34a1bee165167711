"""What devices repeat, correct, or say wrongly about uploads of sets."""

import gzip

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import UploadResult
from gameshelf.savegames._set_confirmations import IncompleteSet
from gameshelf.savegames._set_verification import FileProblem

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
