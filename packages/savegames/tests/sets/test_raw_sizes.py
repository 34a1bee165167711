"""A false size of unpacked bytes is named, also where their hash is known already: no client could unpack them."""

import gzip

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import FileProblem, UploadResult

RAW = b"plain"
PACKED = gzip.compress(RAW, mtime=0)


def claim(sets, size, path="a", **more):
    """The entry of the packed bytes with their true hash, and a claimed size of the unpacked ones."""
    raw = {"raw_sha256": sets.hash_of(RAW), "raw_size_bytes": size}
    return sets.entry(path, PACKED, **{"content_encoding": "gzip"} | raw | more)


async def finished(sets, upload):
    """The problems of a commit; none: it became a version."""
    await sets.verify(upload)
    found = await sets.sets.finish(sets.id, upload.upload_id)
    if getattr(found, "result", None) is UploadResult.HEAD:
        return []
    assert found.missing_count == 0
    return [(one.path, one.problem) for one in found.mismatched]


async def sent(sets, entry, slot="slot"):
    """Sends and commits a set with one file."""
    upload = await sets.request((entry,), slot)
    sets.send(upload, PACKED)
    return await finished(sets, upload)


async def test_a_false_size_of_a_known_content_is_named(sets):
    assert await sent(sets, claim(sets, 5)) == []
    false = await sets.request((claim(sets, 6),), "other")
    assert false.missing == ()
    assert await finished(sets, false) == [("a", FileProblem.RAW)]
    right = await sets.request((claim(sets, 5),), "other")
    assert (right.upload_id, await finished(sets, right)) == (false.upload_id, [])


async def test_a_size_may_be_left_out(sets):
    assert await sent(sets, claim(sets, 5)) == []
    upload = await sets.request((claim(sets, None),), "other")
    assert await sets.rows("upload_files") == []
    assert await finished(sets, upload) == []


async def test_a_set_that_waits_with_a_false_size_joins_no_other_set(sets):
    waiting = await sets.request((claim(sets, 6),), "waiting")
    no_size = await sets.request((claim(sets, None),), "none", device_id="deck")
    assert await sent(sets, claim(sets, 5)) == []
    assert [row["upload_id"] for row in await sets.rows("upload_files")] == [waiting.upload_id]
    assert await finished(sets, no_size) == []
    assert await finished(sets, waiting) == [("a", FileProblem.RAW)]


@pytest.mark.parametrize(("size", "waits"), [(6, True), (5, False), (None, False)])
async def test_a_set_that_waits_joins_a_file_of_the_same_size_alone(sets, size, waits):
    waiting = await sets.request((claim(sets, size),), "waiting")
    raw = {"content_encoding": "gzip", "raw_sha256": sets.hash_of(RAW)}
    upload = await sets.player.request(PACKED, "single", **raw)
    attempt = await sets.player.uploads.begin_confirmation(sets.id, upload.upload_id)
    sets.objects.upload(attempt.target, PACKED)
    digest = await sets.objects.digest(attempt.target, attempt.size, attempt.packing)
    await sets.player.uploads.finish_confirmation(sets.id, upload.upload_id, attempt, digest)
    assert [row["upload_id"] for row in await sets.rows("upload_files")] == [waiting.upload_id] * waits
    assert await finished(sets, waiting) == ([("a", FileProblem.RAW)] if waits else [])


async def test_a_file_of_another_size_joins_no_set(sets):
    raw = {"content_encoding": "gzip", "raw_sha256": sets.hash_of(RAW)}
    false = await sets.player.request(PACKED, "false", raw_size_bytes=6, **raw)
    true = await sets.player.request(PACKED, "true", raw_size_bytes=5, **raw)
    assert await sent(sets, claim(sets, 5)) == []
    joined = {row["id"]: row["content_id"] is not None for row in await sets.rows("uploads") if not row["outcome"]}
    assert joined == {false.upload_id: False, true.upload_id: True}
    assert (await sets.player.request(PACKED, "again", raw_size_bytes=6, **raw)).is_required
    assert not (await sets.player.request(PACKED, "more", raw_size_bytes=5, **raw)).is_required


async def test_another_size_is_verified_by_a_repeated_request(sets):
    upload = await sets.request((claim(sets, 5),))
    sets.send(upload, PACKED)
    await sets.verify(upload)
    assert (await sets.request((claim(sets, None),))).missing == ()
    assert [one.size for one in (await sets.request((claim(sets, 6),))).missing] == [len(PACKED)]
    assert await finished(sets, upload) == [("a", FileProblem.RAW)]
    again = await sets.request((claim(sets, 5),))
    assert [one.is_rejected for one in again.missing] == [False]
    assert await finished(sets, again) == []


@pytest.mark.parametrize("path", ["a", None])
async def test_bytes_that_are_not_packed_have_their_own_size(sets, path):
    raw = {"content_encoding": "identity", "raw_sha256": sets.hash_of(PACKED)}
    with pytest.raises(InvalidInput) as refused:
        await sets.request((claim(sets, len(PACKED) + 1, path, **raw),))
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [
        ("raw_size_of_identity", "files/0/raw_size_bytes")
    ]
    assert await sets.request((claim(sets, len(PACKED), path, **raw),))


async def test_a_delta_cannot_claim_another_size_than_its_base(sets):
    assert await sent(sets, claim(sets, 5, "z")) == []

    def delta(entry):
        text = "".join(f"{sets.hash_of(PACKED)} {path}\n" for path in ("a", "z"))
        return {"base_version": 1, "put": (entry,), "set_sha256": sets.hash_of(text.encode())}

    with pytest.raises(InvalidInput) as refused:
        await sets.request(None, **delta(claim(sets, 6)))
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [("said_differently", "put/0/sha256")]
    assert await sets.request(None, **delta(claim(sets, None)))


async def test_of_equal_bytes_the_claimed_size_is_verified(sets):
    """A delta that claims a size beside a file of the base that claims none."""
    assert await sent(sets, claim(sets, None, "z")) == []
    text = "".join(f"{sets.hash_of(PACKED)} {path}\n" for path in ("a", "z"))
    delta = {"base_version": 1, "put": (claim(sets, 6),), "set_sha256": sets.hash_of(text.encode())}
    upload = await sets.request(None, **delta)
    assert ("a", FileProblem.RAW) in await finished(sets, upload)
