"""The identity of a save that is packed or encrypted again, or has an equivalent name. On a real PostgreSQL."""

import gzip
import tracemalloc
from datetime import timedelta
from hashlib import sha256
from random import Random

import pytest
import zstandard
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import Digest, SavegameFileTooLarge, SavegameUploadIncomplete, SavesFilter, UploadResult
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._ports import Packing
from gameshelf.savegames._unpacking import Unpacking
from gameshelf.savegames.testing import MemoryStore
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

PLAIN = b"level 1" * 10
NOISE = Random(1).randbytes(200_000)


def hexed(content):
    return sha256(content).hexdigest()


async def packed(player, content, **more):
    """Saves gzipped bytes, and verifies them as a store does."""
    sent = gzip.compress(content, **more)
    upload = await player.request(
        sent, content_encoding="gzip", raw_sha256=hexed(content), raw_size_bytes=len(content), device_id="pc"
    )
    attempt = await player.uploads.begin_confirmation(player.id, upload.upload_id)
    if attempt is None:
        return await player.uploads.finish_confirmation(player.id, upload.upload_id, None, None)
    store = MemoryStore()
    store.upload(attempt.target, sent)
    digest = await store.digest(attempt.target, attempt.size, attempt.packing)
    return await player.uploads.finish_confirmation(player.id, upload.upload_id, attempt, digest)


async def test_the_same_save_packed_at_another_level_is_identical(player):
    first = await packed(player, PLAIN, compresslevel=1, mtime=1)
    again = await packed(player, PLAIN, compresslevel=9, mtime=2)
    assert (first.result, again.result, again.version) == (UploadResult.HEAD, UploadResult.IDENTICAL, 1)
    save = await player.queries.save(player.id, first.slot_id)
    assert (save.identity, save.content) == (sha256(PLAIN).digest(), sha256(gzip.compress(PLAIN, 1, mtime=1)).digest())
    await packed(player, PLAIN * 2)
    assert (await packed(player, PLAIN, compresslevel=5)).regresses_to == 1


async def test_the_same_save_encrypted_with_another_nonce_is_identical(player):
    def marks(identity):
        return {"scheme": "age", "key_id": "k1", "identity": identity}

    mac, other = hexed(b"mac"), hexed(b"other")
    first = await player.save(b"nonce 1", encryption=marks(mac))
    assert (await player.save(b"nonce 2", encryption=marks(mac.upper()))).result is UploadResult.IDENTICAL
    assert (await player.save(b"nonce 3", encryption=marks(other))).result is UploadResult.HEAD
    assert (await player.queries.save(player.id, first.slot_id)).identity.hex() == other
    stale = await player.save(b"nonce 4", encryption=marks(mac), base_version=1, device_id="deck")
    assert stale.result is UploadResult.BEHIND


async def test_other_unpacked_bytes_are_a_mismatch(player):
    sent = gzip.compress(PLAIN)
    for properties in (
        {"raw_sha256": hexed(b"other")},
        {"raw_sha256": hexed(PLAIN), "raw_size_bytes": 1},
    ):
        upload = await player.request(sent, content_encoding="gzip", **properties)
        attempt = await player.uploads.begin_confirmation(player.id, upload.upload_id)
        digest = Digest(len(sent), sha256(sent).digest(), sha256(PLAIN).digest(), len(PLAIN))
        outcome = await player.uploads.finish_confirmation(player.id, upload.upload_id, attempt, digest)
        assert outcome.result is UploadResult.MISMATCH
    # Bytes that cannot be unpacked have no hash.
    upload = await player.request(b"no gzip", content_encoding="gzip", raw_sha256=hexed(PLAIN))
    attempt = await player.uploads.begin_confirmation(player.id, upload.upload_id)
    outcome = await player.uploads.finish_confirmation(
        player.id, upload.upload_id, attempt, Digest(7, attempt.content, None, None)
    )
    assert outcome.result is UploadResult.MISMATCH


RAW = {"content_encoding": "gzip", "raw_sha256": "00" * 32}


async def verified(player, upload, sent, unpacked=PLAIN):
    """Confirms the sent bytes, with the hash of their unpacked form."""
    attempt = await player.uploads.begin_confirmation(player.id, upload.upload_id)
    digest = Digest(len(sent), sha256(sent).digest(), sha256(unpacked).digest(), len(unpacked))
    return await player.uploads.finish_confirmation(player.id, upload.upload_id, attempt, digest)


@pytest.mark.parametrize(
    "first",
    [
        {},
        {"content_encoding": "gzip"},
        {"content_encoding": "gzip", "encryption": {"scheme": "a", "key_id": "b", "identity": "00" * 32}},
    ],
)
async def test_the_hash_of_unpacked_bytes_is_verified_for_stored_bytes_too(player, first):
    sent = gzip.compress(PLAIN)
    slot = (await player.save(sent, **first)).slot_id
    for slot_name in ("slot", "other"):
        upload = await player.request(sent, slot_name, **RAW)
        assert upload.is_required
        assert (await player.uploads.renew(player.id, upload.upload_id)).is_required
        with pytest.raises(SavegameUploadIncomplete):
            await player.uploads.finish_confirmation(player.id, upload.upload_id, None, None)
        assert (await verified(player, upload, sent)).result is UploadResult.MISMATCH
    assert list(await player.versions(slot)) == [1]


async def test_stored_bytes_with_a_verified_hash_are_not_sent_again(player):
    sent = gzip.compress(PLAIN)
    await player.save(sent)
    [stored] = [row["id"] for row in await player.rows("contents")]
    properties = {**RAW, "raw_sha256": hexed(PLAIN)}
    upload = await player.request(sent, **properties)
    assert (upload.is_required, await player.usage()) == (True, (len(sent), 0))
    assert (await verified(player, upload, sent)).result is UploadResult.HEAD
    assert await player.usage() == (len(sent), 0)
    assert [row["id"] for row in await player.rows("contents") if row["state"] == "live"] == [stored]
    upload = await player.request(sent, "other", **properties)
    assert not upload.is_required
    outcome = await player.confirm(upload)
    assert (await player.queries.save(player.id, outcome.slot_id)).identity.hex() == hexed(PLAIN)
    # It was verified for that encoding.
    assert (await player.request(sent, "third", **{**properties, "content_encoding": "zstd"})).is_required
    plain = {"content_encoding": "identity", "raw_sha256": hexed(sent)}
    assert not (await player.request(sent, "fourth", **plain)).is_required


async def test_bytes_sent_again_for_verification_need_no_more_room(new_player):
    sent = gzip.compress(PLAIN)
    player = new_player(max_bytes=500, quota_bytes=len(sent), product_quota_bytes=len(sent))
    await player.save(sent)
    upload = await player.request(sent, **RAW | {"raw_sha256": hexed(PLAIN)})
    assert (await verified(player, upload, sent)).result is UploadResult.HEAD
    assert await player.usage() == (len(sent), 0)


@pytest.mark.parametrize("is_kept", [True, False])
async def test_an_open_upload_with_another_hash_needs_its_bytes(player, is_kept):
    sent = gzip.compress(PLAIN)
    slot = (await player.save(sent)).slot_id
    joined = await player.request(sent, "other")
    assert not joined.is_required
    if not is_kept:
        await player.service.delete(player.id, slot, permanent=True)
    again = await player.request(sent, "other", **RAW)
    assert (again.upload_id, again.is_required) == (joined.upload_id, True)
    assert await player.usage() == ((len(sent), 0) if is_kept else (0, len(sent)))
    assert (await verified(player, again, sent)).result is UploadResult.MISMATCH


@pytest.mark.parametrize(
    ("properties", "rule", "field"),
    [
        ({"raw_sha256": hexed(b"")}, "raw_needs_encoding", "content_encoding"),
        ({"raw_sha256": hexed(b""), "content_encoding": "br"}, "raw_needs_encoding", "content_encoding"),
        (
            {"raw_sha256": hexed(b""), "content_encoding": "gzip", "encryption": {"scheme": "a", "key_id": "b"}},
            "raw_of_encrypted",
            "raw_sha256",
        ),
        ({"raw_size_bytes": 1}, "missing", "raw_sha256"),
        (
            {"raw_size_bytes": 301, "raw_sha256": hexed(b""), "content_encoding": "gzip"},
            "raw_too_large",
            "raw_size_bytes",
        ),
        (
            {"raw_size_bytes": 4, "raw_sha256": hexed(b"one"), "content_encoding": "identity"},
            "raw_size_of_identity",
            "raw_size_bytes",
        ),
    ],
)
async def test_a_hash_that_cannot_be_verified_is_refused(player, properties, rule, field):
    with pytest.raises(InvalidInput) as error:
        await player.request(b"one", **properties)
    [problem] = error.value.problems
    assert (problem.rule, problem.pointer) == (rule, field)


async def test_bytes_that_are_too_large_unpacked_are_refused(player):
    with pytest.raises(SavegameFileTooLarge):
        await player.request(b"x" * 100, raw_size_bytes=501, raw_sha256=hexed(b""), content_encoding="gzip")


async def test_an_unknown_encoding_is_stored_as_it_is(player):
    outcome = await player.save(b"one", content_encoding="my packer 7")
    assert (await player.queries.save(player.id, outcome.slot_id)).content_encoding == "my packer 7"


PACK = {"gzip": gzip.compress, "zstd": zstandard.compress, "identity": bytes}


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda pack: pack(PLAIN), PLAIN),
        (lambda pack: pack(PLAIN) + pack(b"more"), PLAIN + b"more"),  # two in sequence
        (lambda pack: pack(b""), b""),
        (lambda pack: pack(bytes(200_000)), bytes(200_000)),
        (lambda pack: pack(NOISE), NOISE),
        (lambda pack: pack(PLAIN)[:-1], None),  # cut off
        (lambda pack: pack(PLAIN) + b"rubbish", None),
        (lambda pack: b"", None),
        (lambda pack: PLAIN, None),
        (lambda pack: pack(bytes(1_000_001)), None),  # larger than allowed
    ],
)
async def test_the_unpacked_form_of_packed_bytes_is_hashed(encoding, make, found):
    sent = make(PACK[encoding])
    for size in (1, 1000, len(sent) or 1):
        unpacking = Unpacking(Packing(encoding, 1_000_000))
        for start in range(0, len(sent), size):
            list(unpacking.feed(sent[start : start + size]))
        expected = (None, None) if found is None else (sha256(found).digest(), len(found))
        assert unpacking.result() == expected
        if len(sent) > 10_000:
            break


async def test_a_store_hashes_packed_and_unpacked_bytes():
    store = MemoryStore()
    for encoding, pack in PACK.items():
        sent = pack(PLAIN)
        store.upload("key", sent)
        digest = await store.digest("key", len(sent), Packing(encoding, 1_000_000))
        assert digest == Digest(len(sent), sha256(sent).digest(), sha256(PLAIN).digest(), len(PLAIN))
        assert await store.digest("key", len(sent)) == Digest(len(sent), sha256(sent).digest())


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_unpacked_in_small_steps_up_to_the_limit(encoding):
    bomb = PACK[encoding](bytes(64 * 1024**2))
    unpacking, steps = Unpacking(Packing(encoding, 8 * 1024**2)), 0
    tracemalloc.start()
    for _ in unpacking.feed(bomb):
        steps += 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (unpacking.result(), steps > 3, peak < 8 * 1024**2) == ((None, None), True, True)


@pytest.mark.parametrize("name", ["Save1", "save1 ", "save1.", "sa\u200bve1", "SAVE1. .", "\ufeffsave1", "s\u00adave1"])
async def test_equivalent_names_are_one_save(player, name):
    slot = (await player.save(b"one", "save1", device_id="pc")).slot_id
    grown = await player.save(b"two", name, device_id="pc")
    assert (grown.result, grown.slot_id) == (UploadResult.HEAD, slot)
    [save] = (await player.queries.saves(player.id, SavesFilter())).items
    assert save.slot_name == "save1"
    # Also where that name is in the trash, or was deleted for good.
    await player.service.delete(player.id, slot, permanent=True)
    assert (await player.save(b"three", name)).version == 3


async def test_saves_of_the_release_before_are_found_by_their_folded_names_too(player):
    slot = (await player.save(b"one", "Save1")).slot_id
    await player.connection.execute("UPDATE savegames.savegame_slots SET slot_key = NULL")
    assert (await player.save(b"two", "save1")).slot_id == slot
    [row] = await player.rows("slots")
    assert (row["slot_name"], row["slot_key"]) == ("Save1", "save1")


async def test_of_saves_with_colliding_names_the_oldest_gets_the_folded_name(player):
    slots = [(await player.save(name.encode(), f"name {name}")).slot_id for name in ("a", "b", "c")]
    await player.connection.execute("UPDATE savegames.savegame_slots SET slot_key = NULL")
    for slot, name in zip(slots, ("Save", "SAVE", "save"), strict=True):
        await player.connection.execute("UPDATE savegames.savegame_slots SET slot_name = $2 WHERE id = $1", slot, name)
    assert (await player.request(b"new", "sAVE")) is not None
    assert {row["slot_name"]: row["slot_key"] for row in await player.rows("slots")} == {
        "Save": "save",
        "SAVE": None,
        "save": None,
    }
    for slot, name in [*zip(slots, ("Save", "SAVE", "save"), strict=True), (slots[0], "saVe")]:
        assert (await player.save(f"more {name}".encode(), name)).slot_id == slot
    # A later save of that name gets another one.
    await player.service.delete(player.id, slots[2])
    await player.service.undelete(player.id, slots[2])
    assert "save (2)" in {row["slot_name"] for row in await player.rows("slots")}


@pytest.mark.parametrize("name", [".", "...", " . ", "\u00ad.", "../x", "a/..", "a\\..\\b"])
async def test_an_empty_name_or_a_parent_folder_is_refused(player, name):
    with pytest.raises(ValidationError):
        await player.request(b"one", name)


@settings(derandomize=True)
@given(st.text(min_size=1, max_size=40))
def test_folding_again_changes_nothing(name):
    key = slot_key(name)
    assert slot_key(key) == key
    assert slot_key(name.upper().lower()) == slot_key(name.lower())
    assert slot_key(name + " .") == key


async def test_a_clock_that_is_ahead_has_no_advantage(player):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc", client_modified_at=player.now + timedelta(days=365 * 70))
    branch = await player.save(
        b"three", device_id="deck", base_version=1, conflict_policy="most_recent", client_modified_at=player.now
    )
    assert (branch.result, branch.resolution) == (UploadResult.RESOLVED, "keep_local")
    lost = await player.save(
        b"four",
        device_id="laptop",
        base_version=1,
        conflict_policy="most_recent",
        client_modified_at=player.now - timedelta(hours=1),
    )
    assert lost.resolution == "keep_cloud"
