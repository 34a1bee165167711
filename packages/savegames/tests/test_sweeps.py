"""Queries of the maintenance jobs, and the comparison of store and database, on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.savegames import (
    Digest,
    OpenMultipart,
    SavegameUploadIncomplete,
    StoredObject,
    UploadResult,
    incoming_key,
    object_key,
    part_key,
    staging_key,
)

DAY = timedelta(days=1)


@pytest.fixture
async def player(new_player):
    """A player who is alone in the database, since sweeps are over all users."""
    return new_player(max_versions=4, delete_grace=10 * DAY)


def listed(player, key, age=timedelta(0)):
    return StoredObject(key, 3, player.now - age)


async def kept(player, slot_id):
    return [version for version, (*_, status) in (await player.versions(slot_id)).items() if status != "pruned"]


async def expected(player, after="", through=None, limit=1000):
    return await player.sweeps.expected_contents(after, through, limit)


async def miss(player):
    """A scan that finds all objects missing."""
    await player.sweeps.mark_missing(await expected(player), [])


async def test_expired_uploads_are_found_and_deleted(player):
    await player.request(b"one")
    await player.save(b"two", "other")
    assert await player.sweeps.users_with_expired_uploads(10) == []
    player.later(hours=2)
    assert await player.sweeps.users_with_expired_uploads(10) == [player.id]
    await player.uploads.expire(player.id)
    assert await player.sweeps.users_with_expired_uploads(10) == []
    assert [row["slot_name"] for row in await player.rows("slots")] == ["other"]
    assert await player.usage() == (3, 0)
    player.later(days=30)
    assert await player.sweeps.users_with_expired_uploads(10) == [player.id]  # outcomes are remembered for so long
    await player.uploads.expire(player.id)
    assert await player.rows("uploads") == []


async def test_objects_are_marked_for_deletion_a_few_at_a_time(player):
    """Given up confirmations are marked with the others: a run after a long outage has no statement about all."""
    slots = {}
    for number in range(3):
        sent = await player.request(b"%d" % number, f"{number}")
        slots[number] = await player.uploads.begin_confirmation(player.id, sent.upload_id)
        player.later(minutes=1)
    dropped = await player.save(b"dropped", "dropped")
    await player.service.delete(player.id, dropped.slot_id, permanent=True)

    async def states():
        return sorted(row["state"] for row in await player.rows("contents"))

    player.later(days=20)
    assert [one.key for one in await player.sweeps.mark_for_deletion(2)] == [slots[0].target, slots[1].target]
    assert await states() == ["dropped", "dropped", "dropped", "pending"]
    await player.sweeps.remove_deleted(await player.sweeps.mark_for_deletion(2))
    assert len(await player.sweeps.mark_for_deletion(10)) == 2
    assert await states() == ["dropped", "dropped"]


async def test_a_joined_content_is_dropped_with_its_upload(player):
    outcome = await player.save(b"one")
    await player.request(b"one", "other")
    await player.service.delete(player.id, outcome.slot_id, permanent=True)
    player.later(hours=2)
    await player.uploads.expire(player.id)
    assert await player.usage() == (0, 0)
    assert [row["state"] for row in await player.rows("contents")] == ["dropped"]


async def test_history_becomes_prunable_at_midnight(player):
    for number in range(12):
        slot = (await player.save(b"%d" % number)).slot_id
        player.later(hours=6)
    assert await kept(player, slot) == [12, 11, 10, 9, 6]  # the last one of the day before yesterday stays
    midnight = datetime(2026, 5, 24, tzinfo=UTC)
    assert [row["prune_at"] for row in await player.rows("slots")] == [midnight]
    player.now = midnight - timedelta(seconds=1)
    assert await player.sweeps.to_prune(10) == []
    player.now = midnight
    assert await player.sweeps.to_prune(10) == [(player.id, slot)]
    await player.service.prune(player.id, slot)
    assert await kept(player, slot) == [12, 11, 10, 9]
    assert [row["prune_at"] for row in await player.rows("slots")] == [None]
    assert await player.sweeps.to_prune(10) == []


async def test_marked_objects_are_returned_until_their_rows_are_deleted(player):
    outcome = await player.save(b"one")
    await player.service.delete(player.id, outcome.slot_id, permanent=True)
    assert await player.sweeps.mark_for_deletion(10) == []
    player.later(days=10)
    marked = await player.sweeps.mark_for_deletion(10)
    assert [one.key for one in marked] == list(player.objects)
    assert await player.sweeps.mark_for_deletion(10) == marked  # a job was killed before it deleted the objects
    await player.sweeps.remove_deleted(marked)
    assert await player.sweeps.mark_for_deletion(10) == []
    assert await player.rows("contents") == []
    await player.sweeps.remove_deleted([])


async def test_a_marked_object_is_never_adopted(player):
    waiting = await player.request(b"one")
    attempt = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    player.later(hours=1)
    [marked] = await player.sweeps.mark_for_deletion(10)
    assert marked.key == attempt.target
    with pytest.raises(SavegameUploadIncomplete):
        await player.uploads.finish_confirmation(player.id, waiting.upload_id, attempt, Digest(3, attempt.content))
    # Only dropped contents are deleted: a live content stays, even if a caller passes it.
    await player.confirm(waiting)
    [live] = [row for row in await player.rows("contents") if row["state"] == "live"]
    await player.sweeps.remove_deleted([replace(marked, content_id=live["id"])])
    assert live["id"] in {row["id"] for row in await player.rows("contents")}


async def test_staged_objects_without_an_open_upload_are_abandoned(player):
    waiting, confirmed = await player.request(b"one"), await player.request(b"two")
    await player.confirm(confirmed)
    staged = [waiting.key, confirmed.key, staging_key(player.id), "staging/something"]
    assert await player.sweeps.abandoned_objects([listed(player, key) for key in staged]) == staged[1:]
    assert await player.sweeps.abandoned_objects([]) == []


async def test_unknown_objects_are_orphans_once_they_are_old(player):
    await player.save(b"one")
    waiting = await player.request(b"two")
    attempt = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    [known] = player.objects
    found = [
        listed(player, known, 99 * DAY),
        listed(player, attempt.target, 99 * DAY),
        listed(player, "0000/young", 9 * DAY),
        listed(player, "0000/old", 11 * DAY),
    ]
    assert await player.sweeps.orphaned_objects(found) == ["0000/old"]
    assert await player.sweeps.orphaned_objects([]) == []


async def test_expected_contents_are_sorted_by_key(player):
    for number in range(5):
        await player.save(b"%d" % number, f"slot{number}")
    assert await expected(player) == []  # too young: their objects may have been listed before
    player.later(hours=3)
    await player.save(b"young", "young")
    keys = [one.key for one in await expected(player)]
    assert len(keys) == 5
    assert keys == sorted(keys, key=str.encode)
    assert [one.key for one in await expected(player, keys[0], keys[3])] == keys[1:4]
    assert [one.key for one in await expected(player, keys[1], limit=2)] == keys[2:4]


async def test_content_missing_for_the_whole_grace_period_is_lost(player):
    slot = (await player.save(b"one")).slot_id
    await player.save(b"one", "other")
    await player.save(b"two")
    player.later(hours=3)
    missing = [one for one in await expected(player) if "/slot/" in one.key][:1]
    await player.sweeps.mark_missing(missing, [])
    player.later(days=9)
    await player.sweeps.mark_missing(missing, [])
    assert await player.sweeps.lost_contents(10) == []
    player.later(days=1)
    [lost] = await player.sweeps.lost_contents(10)
    await player.service.prune_lost(*lost)
    player.has_lost = True
    assert await player.sweeps.lost_contents(10) == []
    statuses = {row["file_hash_sha256"]: row["content_id"] for row in await player.rows("metadata")}
    assert sorted(content is None for content in statuses.values()) == [False, True]
    assert (await player.queries.save(player.id, slot)).version == 2


async def test_an_object_that_exists_again_is_not_lost(player):
    await player.save(b"one")
    player.later(hours=3)
    await miss(player)
    [missing] = await expected(player)
    assert missing.missing_since == player.now
    player.later(days=10)
    [lost] = await player.sweeps.lost_contents(10)
    await player.sweeps.mark_missing([], [missing])
    assert await player.sweeps.lost_contents(10) == []
    await player.service.prune_lost(*lost)
    assert await player.usage() == (3, 0)


async def test_a_missing_object_is_uploaded_again_and_mended(player):
    slot = (await player.save(b"one")).slot_id
    player.later(hours=3)
    joined = await player.request(b"one", "joined")
    await miss(player)
    gone = (await player.queries.download(player.id, slot, None)).key
    with pytest.raises(SavegameUploadIncomplete):
        await player.uploads.finish_confirmation(player.id, joined.upload_id, None, None)
    again = await player.request(b"one")
    assert again.is_required
    seen = await expected(player)
    assert (await player.confirm(again)).result is UploadResult.IDENTICAL
    mended = (await player.queries.download(player.id, slot, None)).key
    assert mended != gone
    assert mended in player.objects
    assert (await player.confirm(joined)).result is UploadResult.HEAD
    # A late note that the old object is missing does not concern the new object.
    await player.sweeps.mark_missing(seen, [])
    player.later(days=10)
    assert await player.sweeps.lost_contents(10) == []
    assert [one.key for one in await player.sweeps.mark_for_deletion(10)] == [gone]
    assert await player.usage() == (3, 0)


async def test_an_upload_that_joined_a_missing_content_needs_its_bytes(player):
    outcome = await player.save(b"one")
    player.later(hours=3)
    renewed, begun = await player.request(b"one", "renewed"), await player.request(b"one", "begun")
    await miss(player)
    assert (await player.uploads.renew(player.id, renewed.upload_id)).is_required
    assert await player.usage() == (3, 0)  # counted although the object is missing
    assert (await player.confirm(begun)).result is UploadResult.HEAD
    assert not (await player.request(b"one", "another")).is_required
    assert (await player.queries.download(player.id, outcome.slot_id, None)).key in player.objects
    # If nothing else holds the content, it is dropped.
    other = await player.save(b"two")
    player.later(hours=3)
    joined = await player.request(b"two", "joined")
    await miss(player)
    await player.service.delete(player.id, other.slot_id, permanent=True)
    assert (await player.uploads.renew(player.id, joined.upload_id)).is_required
    await player.check()


async def test_uploads_that_joined_a_lost_content_need_its_bytes(player):
    outcome = await player.save(b"one")
    player.later(hours=3)
    await miss(player)
    await player.service.delete(player.id, outcome.slot_id)
    player.later(days=10, minutes=-5)
    [content] = await player.rows("contents")
    await player.sweeps.mark_missing([], await expected(player))
    joined = await player.request(b"one", "joined")
    await player.sweeps.mark_missing(await expected(player), [])
    await player.connection.execute(
        "UPDATE savegames.savegame_contents SET missing_since = $1 WHERE id = $2", player.now - 11 * DAY, content["id"]
    )
    await player.service.delete(player.id, outcome.slot_id, permanent=True)
    await player.service.prune_lost(player.id, content["id"])
    assert await player.usage() == (0, 3)
    assert (await player.confirm(joined)).result is UploadResult.HEAD


async def test_a_scan_resumes_at_its_cursor_and_starts_once_per_day(player):
    sweeps = player.sweeps
    scan = await sweeps.due_scan()
    assert (scan.cursor, scan.finished_at) == ("", None)
    await sweeps.move_scan(scan, "k1", is_end=False)
    await sweeps.move_scan(scan, "k0", is_end=False)  # a slower instance, from an outdated cursor
    scan = await sweeps.due_scan()
    assert scan.cursor == "k1"
    await sweeps.move_scan(scan, "", is_end=True)
    assert await sweeps.due_scan() is None
    await sweeps.move_scan(replace(scan, cursor=""), "k1", is_end=False)  # it has ended, and stays so
    assert await sweeps.due_scan() is None
    player.later(days=1)
    assert (await sweeps.due_scan()).cursor == ""


async def test_what_clients_sent_for_a_set_goes_with_its_upload(player):
    open_id, ended = (await player.request(b"one")).upload_id, uuid4()
    await player.save(b"two", "other")
    kept_key = incoming_key(open_id, bytes(32))
    keys = [kept_key, incoming_key(ended, bytes(32)), "incoming/", f"incoming/{open_id}", f"incoming/{open_id}/x"]
    assert await player.sweeps.abandoned_objects([listed(player, key) for key in keys]) == keys[1:]
    player.later(hours=2)
    await player.uploads.expire(player.id)
    assert await player.sweeps.abandoned_objects([listed(player, kept_key)]) == [kept_key]


async def test_multipart_uploads_that_nothing_needs_are_found(player):
    open_id = (await player.request(b"one")).upload_id
    of_version = object_key(player.id, player.product, "slot", 1, uuid4(), player.now)
    part = part_key(player.id, player.product, "slot", uuid4())

    def begun(key, age=timedelta(0)):
        return OpenMultipart(key, uuid4().hex, player.now - age)

    in_work, old = timedelta(days=7), timedelta(days=7, seconds=1)
    kept = [
        begun(incoming_key(open_id, bytes(32)), in_work),
        begun(of_version, in_work),
        begun(part, in_work),
        begun("backup.tar", 300 * DAY),
        begun(staging_key(open_id), old),  # no upload to staging/ has parts
    ]
    abandoned = [
        begun(incoming_key(uuid4(), bytes(32))),
        begun(incoming_key(open_id, bytes(32)), old),
        begun(f"incoming/{open_id}/x"),
        begun(of_version, old),
        begun(part, old),
    ]
    assert await player.sweeps.abandoned_multiparts(kept + abandoned) == abandoned


async def test_contents_of_sets_are_orphans_like_any_other_object(player):
    await player.save(b"one")
    [row] = await player.rows("contents")
    known, orphan, young = (part_key(player.id, player.product, "slot", uuid4()) for _ in range(3))
    await player.connection.execute(
        "UPDATE savegames.savegame_contents SET s3_object_key = $2 WHERE id = $1", row["id"], known
    )
    old = 10 * DAY + timedelta(seconds=1)
    found = [listed(player, known, old), listed(player, orphan, old), listed(player, young, 10 * DAY)]
    assert await player.sweeps.orphaned_objects(found) == [orphan]


async def test_no_orphans_while_the_comparison_after_a_restore_is_young(player):
    found = [listed(player, "0000/old", 99 * DAY)]
    young = player.now - player.limits.delete_grace
    assert await player.sweeps.orphaned_objects(found, young) == []
    assert await player.sweeps.orphaned_objects(found, young - timedelta(seconds=1)) == ["0000/old"]
