"""Requests for uploads of sets on a real PostgreSQL: what is reserved, what has to be sent, what is refused."""

import gzip
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import (
    FileProblem,
    SavegameFileTooLarge,
    SavegameSlotNotFound,
    SavegameVersionNotFound,
    UploadQueries,
    UploadResult,
    UploadsFilter,
    UserQuotaExceeded,
    verify_file,
)


def hash_of_text(text):
    return sha256(text.encode()).hexdigest()


WORLD = {"world/level.dat": b"level", "world/map.dat": b"a map", "options.ini": b"loud"}


async def test_a_first_set_has_to_be_sent_whole(sets):
    reservation = await sets.request(WORLD)
    assert (reservation.is_set, reservation.file_count, reservation.base_version) == (True, 3, 0)
    wanted = sorted((sha256(data).digest(), len(data)) for data in WORLD.values())
    assert [(one.sha256, one.size) for one in reservation.missing] == wanted
    assert {one.key for one in reservation.missing} == {
        f"incoming/{reservation.upload_id}/{sets.hash_of(data)}" for data in WORLD.values()
    }
    assert await sets.player.usage() == (0, 14)
    assert await sets.listed() == [sorted(WORLD)]


async def test_the_same_request_is_the_same_upload(sets):
    first = await sets.request(WORLD)
    again = await sets.request(WORLD, comment="again", client_modified_at="2026-05-20T10:00:00Z")
    assert again.upload_id == first.upload_id
    [row] = await sets.rows("uploads")
    assert (row["comment"], row["file_count"], row["version"]) == ("again", 3, 1)
    other = await sets.request(WORLD, device_id="deck")
    assert other.upload_id != first.upload_id
    assert await sets.player.usage() == (0, 14)


async def test_files_arrive_and_are_verified_in_batches(sets):
    reservation = await sets.request(WORLD)
    sets.send_all(reservation, WORLD)
    results, work = await sets.verify(reservation, limit=2)
    assert [one.problem for one in results] == [None] * 3
    assert (work.verified, work.total) == (3, 3)
    assert (await sets.sets.renew(sets.id, reservation.upload_id)).missing == reservation.missing[:0]
    assert await sets.player.usage() == (0, 14)
    contents = await sets.rows("contents")
    assert {row["state"] for row in contents} == {"pending"}
    assert all(row["verified_at"] for row in contents)


async def test_cancelling_frees_everything(sets):
    reservation = await sets.request(WORLD)
    sets.send(reservation, b"level")
    await sets.verify(reservation)
    await sets.player.uploads.cancel(sets.id, reservation.upload_id)
    assert await sets.player.usage() == (0, 0)
    assert {row["state"] for row in await sets.rows("contents")} == {"dropped"}
    for table in ("upload_files", "manifests", "manifest_contents"):
        assert await sets.rows(table) == []


async def test_a_commit_asks_only_for_the_files_that_are_wrong(sets):
    reservation = await sets.request(WORLD)
    [level] = [one for one in reservation.missing if one.size == 5 and one.sha256 == sha256(b"level").digest()]
    sets.objects.upload(level.key, b"wrong")
    sets.send(reservation, b"a map")
    results, work = await sets.verify(reservation)
    assert {one.attempt.sha256: one.problem for one in results} == {
        sha256(b"level").digest(): FileProblem.SHA256,
        sha256(b"a map").digest(): None,
        sha256(b"loud").digest(): FileProblem.MISSING,
    }
    assert (work.verified, work.total) == (1, 3)
    left = await sets.sets.renew(sets.id, reservation.upload_id)
    assert {one.sha256: one.is_rejected for one in left.missing} == {
        sha256(b"level").digest(): True,
        sha256(b"loud").digest(): False,
    }
    sets.send(left, b"level", b"loud")
    assert (await sets.verify(reservation))[1].verified == 3


async def test_a_limit_of_zero_only_notes(sets):
    reservation = await sets.request(WORLD)
    sets.send_all(reservation, WORLD)
    work = await sets.sets.begin(sets.id, reservation.upload_id)
    results = [await verify_file(sets.objects, one) for one in work.attempts[:1]]
    noted = await sets.sets.begin(sets.id, reservation.upload_id, results, work.attempts[0].sha256, 0)
    assert (noted.attempts, noted.verified, noted.total) == ((), 1, 3)
    assert len(await sets.rows("contents")) == 3


async def test_two_commits_of_one_upload_keep_one_object_of_each_file(sets):
    reservation = await sets.request({"a": b"1"})
    sets.send(reservation, b"1")
    works = [await sets.sets.begin(sets.id, reservation.upload_id) for _ in range(2)]
    for work in works:
        results = [await verify_file(sets.objects, one) for one in work.attempts]
        await sets.sets.begin(sets.id, reservation.upload_id, results, b"", 0)
    states = {row["id"]: row["state"] for row in await sets.rows("contents")}
    first, second = (work.attempts[0].content_id for work in works)
    assert states == {first: "pending", second: "dropped"}
    [file] = await sets.rows("upload_files")
    assert file["content_id"] == first


async def test_two_devices_that_want_the_same_content_count_it_once(sets):
    await sets.request({"a": b"12345", "b": b"1"})
    await sets.request({"x": b"12345"}, slot="other", device_id="deck")
    await sets.player.request(b"12345", "single")
    assert await sets.player.usage() == (0, 6)
    [allowance] = await sets.rows("allowances")
    assert allowance["signed_bytes"] == 6


async def test_a_single_upload_that_asked_first_counts_for_the_set(sets):
    await sets.player.request(b"12345", "single")
    await sets.request({"a": b"12345", "b": b"1"})
    assert await sets.player.usage() == (0, 6)
    [allowance] = await sets.rows("allowances")
    assert allowance["signed_bytes"] == 6


async def test_contents_of_single_files_are_not_sent_again(sets):
    saved = await sets.player.save(b"known", "single")
    reservation = await sets.request({"a": b"known", "b": b"new"})
    assert [one.size for one in reservation.missing] == [3]
    assert await sets.player.usage() == (5, 3)
    await sets.player.service.delete(sets.id, saved.slot_id, permanent=True)
    assert await sets.player.usage() == (5, 3)
    await sets.player.uploads.cancel(sets.id, reservation.upload_id)
    assert await sets.player.usage() == (0, 0)


async def test_a_single_file_that_arrives_first_joins_the_set(sets):
    reservation = await sets.request({"a": b"known", "b": b"new"})
    await sets.player.save(b"known", "single")
    work = await sets.sets.begin(sets.id, reservation.upload_id)
    assert [one.size for one in work.attempts] == [3]
    assert (work.verified, work.total) == (1, 2)
    assert await sets.player.usage() == (5, 3)


async def test_unpacked_bytes_of_a_known_content_are_verified_in_place(sets):
    packed = gzip.compress(b"a long text " * 40, mtime=0)
    await sets.player.save(packed, "single")
    [content] = await sets.rows("contents")
    sets.objects.upload(content["s3_object_key"], packed)
    raw = sets.hash_of(b"a long text " * 40)
    file = sets.entry("a", packed, raw_sha256=raw, content_encoding="gzip")
    reservation = await sets.request([file])
    assert reservation.missing == ()
    results, work = await sets.verify(reservation)
    assert [(one.attempt.source, one.problem) for one in results] == [(None, None)]
    assert (work.verified, work.total) == (1, 1)
    [content] = await sets.rows("contents")
    assert (content["raw_sha256"].hex(), content["raw_encoding"], content["raw_size_bytes"]) == (raw, "gzip", 480)
    again = await sets.request([file, sets.entry("b", b"b")])
    assert [one.size for one in again.missing] == [1]
    assert len(await sets.rows("upload_files")) == 1


async def test_a_false_hash_of_unpacked_bytes_harms_nobody(sets):
    packed = gzip.compress(b"text", mtime=0)
    saved = await sets.player.save(packed, "single")
    [content] = await sets.rows("contents")
    sets.objects.upload(content["s3_object_key"], packed)
    file = sets.entry("a", packed, raw_sha256=sets.hash_of(b"other"), content_encoding="gzip")
    reservation = await sets.request([file])
    results, work = await sets.verify(reservation)
    assert [one.problem for one in results] == [FileProblem.RAW]
    assert (work.verified, work.total) == (0, 1)
    assert (await sets.player.queries.save(sets.id, saved.slot_id)).content == sha256(packed).digest()


async def test_expired_uploads_free_what_they_held(sets):
    await sets.request(WORLD)
    sets.player.later(hours=3)
    await sets.player.sweep()
    for table in ("upload_files", "manifests", "manifest_contents", "uploads", "slots"):
        assert await sets.rows(table) == []
    assert await sets.player.usage() == (0, 0)


async def test_an_extended_upload_keeps_what_was_verified(sets):
    reservation = await sets.request({"a": b"1"})
    sets.send(reservation, b"1")
    await sets.verify(reservation)
    for _ in range(5):
        sets.player.later(minutes=50)
        assert (await sets.sets.renew(sets.id, reservation.upload_id)).missing == ()
    await sets.player.sweep()
    assert [row["state"] for row in await sets.rows("contents")] == ["pending"]


async def test_deleting_a_save_ends_its_uploads_of_sets(sets):
    saved = await sets.player.save(b"known", "slot", device_id="pc")
    await sets.request({"a": b"other", "b": b"known"})
    await sets.player.service.delete(sets.id, saved.slot_id)
    assert await sets.rows("upload_files") == []
    assert await sets.rows("manifest_contents") == []
    assert await sets.player.usage() == (5, 0)


async def test_content_that_the_store_has_lost_is_asked_for_again(sets):
    await sets.player.save(b"known", "single")
    first = await sets.request({"a": b"known", "b": b"new"})
    assert [one.size for one in first.missing] == [3]
    await sets.player.connection.execute(
        "UPDATE savegames.savegame_contents SET missing_since = now() WHERE user_id = $1", sets.id
    )
    again = await sets.request({"a": b"known", "b": b"new"})
    assert again.upload_id == first.upload_id
    assert sorted(one.size for one in again.missing) == [3, 5]
    assert await sets.player.usage() == (5, 3)


async def test_parts_are_kept_until_others_are_announced(new_player, of_player):
    sets = of_player(new_player())
    size = 8 * 1024**2 + 1
    parts = [hash_of_text(text) for text in ("1", "2", "3")]
    big = {"path": "big", "size_bytes": size, "sha256": hash_of_text("big")}
    reservation = await sets.request([big | {"part_sha256": parts[:2]}])
    [file] = reservation.missing
    assert [part.hex() for part in file.part_sha256] == parts[:2]
    keep = UploadQueries(sets.player.connection).keep_multipart
    assert await keep(sets.id, reservation.upload_id, file.sha256, None, "one") == "one"
    assert await keep(sets.id, reservation.upload_id, file.sha256, None, "two") == "one"
    assert await keep(sets.id, reservation.upload_id, file.sha256, "one", "three") == "three"
    assert await keep(sets.id, reservation.upload_id, b"x" * 32, None, "four") is None
    again = await sets.request([big | {"part_sha256": parts[:2]}])
    assert again.missing[0].multipart_id == "three"
    other = await sets.request([big | {"part_sha256": parts[1:]}])
    assert other.missing[0].multipart_id is None


async def test_what_has_arrived_only_moves_forward_until_a_file_is_missing(sets):
    reservation = await sets.request(WORLD)
    queries = UploadQueries(sets.player.connection)
    await queries.set_arrived(sets.id, reservation.upload_id, b"b" * 32)
    await queries.set_arrived(sets.id, reservation.upload_id, b"a" * 32)
    assert (await sets.sets.renew(sets.id, reservation.upload_id)).arrived_through == b"b" * 32
    await sets.verify(reservation)
    assert (await sets.sets.renew(sets.id, reservation.upload_id)).arrived_through == b""


async def test_a_single_file_may_be_requested_like_a_set(sets):
    file = sets.entry(None, b"single")
    reservation = await sets.request([file], game_version_id="1.2", device_name="PC")
    assert (reservation.is_set, reservation.file_count) == (False, None)
    assert [(one.key, one.size) for one in reservation.missing] == [(f"staging/{reservation.upload_id}", 6)]
    [row] = await sets.rows("uploads")
    assert (row["file_count"], row["game_version_id"], row["device_name"]) == (None, "1.2", "PC")
    assert await sets.sets.begin(sets.id, reservation.upload_id) is None
    assert (await sets.sets.renew(sets.id, reservation.upload_id)).missing == reservation.missing


async def test_a_set_in_the_trash_needs_no_bytes(sets):
    saved = await sets.player.save(b"known", "slot", device_id="pc")
    await sets.player.service.delete(sets.id, saved.slot_id)
    # The canonical hash of a set is no hash of a file: it is a new save.
    reservation = await sets.request({"a": b"known"})
    assert (reservation.is_deleted, reservation.base_version) == (False, 0)


@pytest.mark.parametrize(
    ("limits", "files", "limit"),
    [
        ({"quota_bytes": 5}, {"a": b"123", "b": b"456"}, "user"),
        ({"product_quota_bytes": 5}, {"a": b"123", "b": b"456"}, "product"),
        ({"daily_bytes": 5}, {"a": b"123", "b": b"456"}, "daily"),
    ],
)
async def test_a_set_beyond_a_quota_is_refused_and_reserves_nothing(new_player, of_player, limits, files, limit):
    sets = of_player(new_player(**limits))
    with pytest.raises(UserQuotaExceeded) as error:
        await sets.request(files)
    assert error.value.meta["limit"] == limit
    assert await sets.rows("uploads") == []
    assert (await sets.request({"a": b"123", "b": b"123"})).file_count == 2


async def test_a_corrected_size_is_that_of_the_version(sets):
    wrong = (sets.entry("a", b"123456").model_copy(update={"size_bytes": 1}),)
    first = await sets.request(wrong)
    assert (await sets.request({"a": b"123456"})).upload_id == first.upload_id
    outcome = await sets.save({"a": b"123456"})
    [version] = await sets.rows("metadata")
    [held] = await sets.rows("manifests")
    assert (outcome.version, version["file_size_bytes"], held["total_bytes"]) == (1, 6, 6)
    assert await sets.player.usage() == (6, 0)


@pytest.mark.parametrize("limit", ["quota_bytes", "product_quota_bytes"])
async def test_history_that_the_set_itself_holds_makes_no_room(new_player, of_player, limit):
    sets = of_player(new_player(**{limit: 5}))
    await sets.save({"a": b"123"})
    await sets.save({"a": b"45"}, base_version=1)
    with pytest.raises(UserQuotaExceeded):
        await sets.request({"a": b"123", "b": b"6"}, base_version=2)
    outcome = await sets.save({"a": b"45", "b": b"6"}, base_version=2)
    assert (outcome.result, await sets.player.usage()) == (UploadResult.HEAD, (3, 0))


async def test_what_the_user_has_needs_no_room(new_player, of_player):
    sets = of_player(new_player(quota_bytes=6, product_quota_bytes=6, daily_bytes=6))
    await sets.player.save(b"12345", "single")
    assert [one.size for one in (await sets.request({"a": b"12345", "b": b"1"})).missing] == [1]


async def test_prunable_history_makes_room_for_a_request(new_player, of_player):
    sets = of_player(new_player(quota_bytes=10, max_versions=4))
    for content in (b"11111", b"22222"):
        await sets.player.save(content, "single")
    await sets.request({"a": b"3333", "b": b"4"})
    with pytest.raises(UserQuotaExceeded):
        await sets.request({"a": b"5555", "b": b"6"}, slot="other")


async def test_a_named_save_has_to_be_one_of_the_product(sets):
    with pytest.raises(SavegameSlotNotFound):
        await sets.request(WORLD, savegame_id=uuid4())
    with pytest.raises(SavegameVersionNotFound):
        await sets.request(WORLD, base_version=7)


async def test_the_reserved_uploads_are_bounded(sets):
    for number in range(64):
        await sets.request({"a": b"1"}, slot=f"slot {number}")
    with pytest.raises(UserQuotaExceeded) as error:
        await sets.request({"a": b"1"}, slot="one more")
    assert error.value.meta["limit"] == "open_uploads"


async def test_an_open_upload_shows_what_it_still_needs(sets):
    queries = UploadQueries(sets.player.connection)
    reservation = await sets.request(WORLD)
    shown = await queries.upload(sets.id, reservation.upload_id, sets.player.now)
    assert (shown.file_count, shown.is_required, shown.size) == (3, True, 14)
    assert await queries.missing_files(sets.id, shown) == reservation.missing
    sets.send_all(reservation, WORLD)
    await sets.verify(reservation)
    shown = await queries.upload(sets.id, reservation.upload_id, sets.player.now)
    assert (shown.is_required, await queries.missing_files(sets.id, shown)) == (False, ())
    sets.player.later(seconds=1)
    single = await sets.request([sets.entry(None, b"single")], slot="single")
    shown = await queries.upload(sets.id, single.upload_id, sets.player.now)
    assert (shown.file_count, await queries.missing_files(sets.id, shown)) == (None, ())
    listed = await queries.uploads(sets.id, UploadsFilter(), sets.player.now)
    assert [one.file_count for one in listed.items] == [3, None]


async def test_a_single_file_in_parts_differs_from_a_set(new_player, of_player):
    sets = of_player(new_player())
    queries = UploadQueries(sets.player.connection)
    big = {"path": None, "size_bytes": 8 * 1024**2 + 1, "sha256": hash_of_text("big")}
    parts = [hash_of_text(text) for text in ("1", "2")]
    reservation = await sets.request([big | {"part_sha256": parts}])
    [file] = reservation.missing
    assert (file.key, [part.hex() for part in file.part_sha256]) == (f"staging/{reservation.upload_id}", parts)
    assert await queries.parts_of_single(sets.id, reservation.upload_id) == reservation.missing
    assert await queries.parts_of_single(sets.id, (await sets.request(WORLD)).upload_id) is None
    small = await sets.request([sets.entry(None, b"small")], slot="small")
    assert await queries.parts_of_single(sets.id, small.upload_id) == ()


async def test_a_single_file_obeys_the_policy_of_its_product(sets):
    await sets.player.set_policy(limits={"max_file_bytes": 3, "oversize": "skip"})
    with pytest.raises(SavegameFileTooLarge) as refused:
        await sets.request((sets.entry(None, b"four"),))
    assert (refused.value.pointer, refused.value.meta["limit"]) == ("files/0/size_bytes", "file")
    assert (await sets.request((sets.entry(None, b"333"),))).is_set is False


async def test_a_single_file_that_is_known_with_another_size_is_named(sets):
    await sets.player.save(b"known", "other")
    wrong = sets.entry(None, b"known").model_copy(update={"size_bytes": 6})
    with pytest.raises(InvalidInput) as refused:
        await sets.request((wrong,))
    assert [(one.rule, one.pointer) for one in refused.value.problems] == [
        ("size_of_known_content", "files/0/size_bytes")
    ]
