"""Expiry, and differences between object store and database: they are found, kept for a grace period, and deleted."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames import jobs as savegame_jobs
from gameshelf.gateway.domains.savegames.object_store import s3_config
from gameshelf.savegames import (
    SavegameSweeps,
    SavegameUploadIncomplete,
    SavegameUploads,
    StoreUnavailable,
    incoming_key,
    object_key,
    staging_key,
)
from gameshelf.savegames.s3 import new_client

GRACE = timedelta(days=30)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def bucket(service):
    """Puts and deletes objects without the service."""
    config = s3_config(load_settings(service.environment))

    class Bucket:
        async def put(self, key, data=b"bytes"):
            await client.put_object(Bucket=config.bucket, Key=key, Body=data)

        async def remove(self, key):
            await client.delete_object(Bucket=config.bucket, Key=key)

    async with new_client(config) as client:
        yield Bucket()


async def keys_of(jobs, player):
    """The objects that hold a player's versions, the oldest first."""
    rows = await jobs.pool.fetch(
        "SELECT s3_object_key FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'live' "
        "ORDER BY created_at",
        player.id,
    )
    return [row["s3_object_key"] for row in rows]


def key_for(user_id, jobs):
    return object_key(user_id, uuid4(), "slot", 1, uuid4(), jobs.now())


async def test_reservations_end_and_leave_neither_slot_nor_bytes(player, device, data_of, jobs):
    savegame_id, _ = data_of(await device.save(b"there"))
    waiting = await device.request_upload(b"never sent", "never")
    joined = await device.request_upload(b"there", "joined")
    sent = await device.request_upload(b"sent", "sent")
    await device.put(sent, b"sent")
    assert not joined["upload_required"]
    assert await player.saved_bytes() == (5, 14)
    await jobs.run(timedelta(minutes=64))
    assert await player.saved_bytes() == (5, 14)
    assert staging_key(UUID(sent["internal_save_id"])) in await jobs.all_keys()
    await jobs.run(timedelta(minutes=66))
    assert staging_key(UUID(sent["internal_save_id"])) not in await jobs.all_keys()
    assert await player.saved_bytes() == (5, 0)
    assert await jobs.keys(player) == await jobs.known_keys(player)
    for upload in (waiting, joined, sent):
        assert (await device.confirm(upload)).status_code == 404
    slots = await jobs.pool.fetch("SELECT id::text FROM savegames.savegame_slots WHERE user_id = $1", player.id)
    assert [row["id"] for row in slots] == [savegame_id]
    assert await device.load(savegame_id) == b"there"


async def test_what_only_a_reservation_held_goes_with_it(player, device, data_of, jobs):
    savegame_id, _ = data_of(await device.save(b"joined"))
    joined = await device.request_upload(b"joined", "other")
    assert (await player.http.delete(f"/savegames/{savegame_id}?permanent=true")).status_code == 204
    assert await player.saved_bytes() == (6, 0)
    await jobs.run()
    other, _ = data_of(await device.confirm(joined))
    assert await device.load(other) == b"joined"
    again = await device.request_upload(b"joined", "third")
    assert (await player.http.delete(f"/savegames/{other}?permanent=true")).status_code == 204
    await jobs.run(timedelta(hours=2))
    assert (await player.saved_bytes(), again["upload_required"]) == ((0, 0), False)
    await jobs.run(timedelta(hours=2) + GRACE - MINUTE)
    assert await jobs.keys(player) == await jobs.known_keys(player) != await jobs.live_keys(player)
    await jobs.run(timedelta(hours=2) + GRACE + MINUTE)
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)


async def test_the_trash_is_emptied_in_time_and_its_bytes_after_the_grace(player, device, data_of, refused, jobs):
    trashed, _ = data_of(await device.save(b"old"))
    data_of(await device.save(b"old and new"))
    kept, _ = data_of(await device.save(b"old", "other"))
    [old, new] = await keys_of(jobs, player)
    assert (await player.http.delete(f"/savegames/{trashed}")).status_code == 204
    await jobs.run(GRACE - MINUTE)
    assert (await player.get("/savegames", trashed="true"))["meta"]["total_items"] == 1
    await jobs.run(GRACE + MINUTE)
    assert refused(await player.post(f"/savegames/{trashed}/undelete")) == (404, "SAVEGAME_SLOT_NOT_FOUND")
    assert await player.saved_bytes() == (3, 0)
    assert {old, new} <= await jobs.keys(player)
    await jobs.run(GRACE + MINUTE + GRACE - MINUTE)
    assert {old, new} <= await jobs.keys(player)
    await jobs.run(GRACE + MINUTE + GRACE + MINUTE)
    assert (old in await jobs.keys(player), new in await jobs.keys(player)) == (True, False)
    assert await device.load(kept) == b"old"


async def test_history_goes_with_the_day_that_kept_it_and_pins_stay(player, device, data_of, jobs):
    """Makes ten versions of today, and one of each of the two days before."""
    left = (jobs.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0) - jobs.now()
    if left < MINUTE:  # it would be another day in the middle
        await asyncio.sleep(left.total_seconds() + 1)
    for number in range(12):
        savegame_id, _ = data_of(await device.save(b"version %d" % number))
        if number < 2:
            await jobs.pool.execute(
                "UPDATE savegames.savegame_metadata SET server_uploaded_at = $2 WHERE user_id = $1 AND version = $3",
                player.id,
                jobs.now() - timedelta(days=2 - number),
                number + 1,
            )

    async def kept():
        found = (await player.get(f"/savegames/{savegame_id}/versions", limit=100))["data"]
        return [one["attributes"]["version"] for one in found if one["attributes"]["status"] != "pruned"]

    assert await kept() == list(range(12, 0, -1))
    assert (await player.patch(f"/savegames/{savegame_id}/versions/2", {"is_pinned": True})).status_code == 200
    oldest = (await keys_of(jobs, player))[0]
    await jobs.run(timedelta(days=1))
    left = [12, 11, 10, 9, 8, 7, 6, 5, 4, 2]
    assert await kept() == left
    await jobs.run(timedelta(days=5))
    assert await kept() == left
    assert await player.saved_bytes() == (sum(len(b"version %d" % (number - 1)) for number in left), 0)
    await jobs.run(timedelta(days=30))
    assert oldest in await jobs.keys(player)
    await jobs.run(timedelta(days=32))
    assert await jobs.keys(player) == await jobs.live_keys(player)
    for number in left:
        assert await device.load(savegame_id, number) == b"version %d" % (number - 1)


async def test_orphaned_objects_are_deleted_and_foreign_ones_stay(player, device, data_of, jobs, bucket):
    savegame_id, _ = data_of(await device.save(b"mine"))
    orphan = key_for(uuid4(), jobs)
    foreign = {"backup.tar", "0123/notes.txt", "zzzz/else.sav", f"staged/{uuid4()}", f"12345/{uuid4()}/x.sav"}
    for key in (orphan, *foreign):
        await bucket.put(key)
    await jobs.run(GRACE - MINUTE)
    assert {orphan, *foreign} <= await jobs.all_keys()
    await jobs.run(GRACE + MINUTE)
    assert {orphan, *foreign} & await jobs.all_keys() == foreign
    assert await device.load(savegame_id) == b"mine"
    for key in foreign:
        await bucket.remove(key)


async def test_orphans_stay_while_the_comparison_after_a_restore_is_young(jobs, bucket):
    """A set that lacked a file may be completed, and compared again."""
    orphan = key_for(uuid4(), jobs)
    await bucket.put(orphan)
    restored = (
        "INSERT INTO gateway.restores (restored_point, backup, actor, reason, restored_at, reconciled_at) "
        "VALUES (now(), 'base', 'test', 'test', now(), $1) RETURNING id"
    )
    made = await jobs.pool.fetchval(restored, jobs.now() + GRACE)
    try:
        await jobs.run(GRACE + MINUTE)
        assert orphan in await jobs.all_keys()
        await jobs.run(GRACE + GRACE + MINUTE)
        assert orphan not in await jobs.all_keys()
    finally:
        # Without the mark the database would be one that lacks a restore, for every service of the platform.
        await jobs.pool.execute("UPDATE gateway.restores SET reconciled_at = restored_at WHERE id = $1", made)


async def test_what_lies_in_staging_and_belongs_to_no_open_upload_goes_at_once(player, device, jobs, bucket):
    upload = await device.request_upload(b"open")
    await device.put(upload, b"open")
    for name in (uuid4(), "not-an-id", f"{uuid4()}/below"):
        await bucket.put(f"staging/{name}")
    await jobs.run()
    staged = {key for key in await jobs.all_keys() if key.startswith("staging/")}
    assert staged == {staging_key(UUID(upload["internal_save_id"]))}
    assert (await device.confirm(upload)).status_code == 200
    await jobs.run()
    assert await jobs.keys(player) == await jobs.known_keys(player)


async def test_what_was_sent_for_a_set_goes_with_its_upload(device, jobs, bucket):
    """Files at their keys, and multipart uploads that nobody completed."""
    open_id, ended = UUID((await device.request_upload(b"open"))["internal_save_id"]), uuid4()
    keys = {incoming_key(upload_id, bytes(32)) for upload_id in (open_id, ended)}
    for key in (*keys, f"incoming/{open_id}/else"):
        await bucket.put(key)
    begun = {await jobs.objects.begin_parts(key) for key in (*keys, "backup.tar")}

    async def started():
        return {one.key: one.multipart_id for one in await jobs.objects.open_parts("") if one.multipart_id in begun}

    await jobs.run()
    assert {key for key in await jobs.all_keys() if key.startswith("incoming/")} == {incoming_key(open_id, bytes(32))}
    assert (await started()).keys() == {incoming_key(open_id, bytes(32)), "backup.tar"}
    await jobs.run(timedelta(minutes=66))
    assert not [key for key in await jobs.all_keys() if key.startswith("incoming/")]
    [foreign] = (await started()).items()
    assert foreign[0] == "backup.tar"
    await jobs.objects.abort_parts(*foreign)


async def test_a_multipart_upload_that_cannot_be_ended_holds_up_no_other(jobs, monkeypatch):
    """The store refuses one of them, by a rule that this test stands for."""
    keys = sorted(incoming_key(uuid4(), bytes(32)) for _ in range(3))
    begun = {await jobs.objects.begin_parts(key): key for key in keys}
    abort = jobs.objects.abort_parts

    async def refuse_first(key, multipart_id):
        if key == keys[0]:
            raise StoreUnavailable("AccessDenied")
        await abort(key, multipart_id)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.objects, "abort_parts", refuse_first)
        await jobs.run()
    left = [one for one in await jobs.objects.open_parts("") if one.multipart_id in begun]
    assert [one.key for one in left] == keys[:1]
    await abort(left[0].key, left[0].multipart_id)


@pytest.mark.parametrize("counts", [(1, 3, 1), (5,), (2, 1, 4)])
async def test_all_multipart_uploads_of_a_key_are_ended(jobs, monkeypatch, counts):
    """Those of one key may end at the next page, also where the store refuses to end the first ones."""
    monkeypatch.setattr(savegame_jobs, "_PAGE", 2)
    monkeypatch.setattr(savegame_jobs, "_FAILURES_OF_A_STORE", 100)
    keys = sorted(incoming_key(uuid4(), bytes(32)) for _ in counts)
    begun = [await jobs.objects.begin_parts(key) for key, count in zip(keys, counts, strict=True) for _ in range(count)]
    abort, tried = jobs.objects.abort_parts, []

    async def refuse(key, multipart_id):
        tried.append(multipart_id)
        raise StoreUnavailable("AccessDenied")

    with monkeypatch.context() as patched:
        patched.setattr(jobs.objects, "abort_parts", refuse)
        await jobs.run()
    assert sorted(set(tried) & {*begun}) == sorted(begun)
    for one in await jobs.objects.open_parts(""):
        if one.multipart_id in begun:
            await abort(one.key, one.multipart_id)


async def missing(jobs, player):
    rows = await jobs.pool.fetch(
        "SELECT s3_object_key FROM savegames.savegame_contents WHERE user_id = $1 AND missing_since IS NOT NULL",
        player.id,
    )
    return [row["s3_object_key"] for row in rows]


async def test_a_version_without_its_object_is_pruned_after_the_grace(player, device, data_of, refused, jobs, bucket):
    savegame_id, _ = data_of(await device.save(b"lost"))
    data_of(await device.save(b"back again"))
    data_of(await device.save(b"there"))
    lost, back, _ = await keys_of(jobs, player)
    for key in (lost, back):
        await bucket.remove(key)
    await jobs.run()
    assert await missing(jobs, player) == []  # as young as a copy that is on its way
    hours = timedelta(hours=3)
    await jobs.run(hours)
    assert sorted(await missing(jobs, player)) == sorted([lost, back])
    await bucket.put(back, b"back again")
    await jobs.run(GRACE + hours - MINUTE)
    assert await missing(jobs, player) == [lost]
    assert await player.saved_bytes() == (19, 0)
    await jobs.run(GRACE + hours + MINUTE)
    found = (await player.get(f"/savegames/{savegame_id}/versions"))["data"]
    assert [one["attributes"]["status"] for one in found] == ["head", "history", "pruned"]
    assert await player.saved_bytes() == (15, 0)
    restored = await player.post(f"/savegames/{savegame_id}/restore", {"version": 1})
    assert refused(restored) == (404, "SAVEGAME_VERSION_NOT_FOUND")
    assert [await device.load(savegame_id, number) for number in (2, 3)] == [b"back again", b"there"]
    await jobs.run(GRACE + GRACE + hours + hours)
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)


@pytest.mark.parametrize("slot", ["slot", "another"])
async def test_who_still_has_bytes_that_the_store_has_lost_brings_them_back(
    player, device, data_of, jobs, bucket, slot
):
    savegame_id, _ = data_of(await device.save(b"precious"))
    [key] = await keys_of(jobs, player)
    await bucket.remove(key)
    await jobs.run(timedelta(hours=3))
    assert await missing(jobs, player) == [key]
    upload = await device.request_upload(b"precious", slot)
    assert upload["upload_required"]
    await device.put(upload, b"precious")
    there, _ = data_of(await device.confirm(upload))
    assert await device.load(there) == b"precious"
    assert await device.load(savegame_id, 1) == b"precious"
    assert await player.saved_bytes() == (8, 0)
    await jobs.run(GRACE + timedelta(hours=4))
    assert await device.load(savegame_id, 1) == b"precious"
    assert await jobs.keys(player) == await jobs.known_keys(player)


async def test_a_crash_between_copy_and_commit_leaves_nothing(player, device, data_of, jobs):
    upload = await device.request_upload(b"bytes")
    await device.put(upload, b"bytes")
    upload_id = UUID(upload["internal_save_id"])
    verified = await jobs.saves.verify(player.id, upload_id)  # what it did until then
    made = verified.attempt.target
    assert made in await jobs.keys(player)
    savegame_id, _ = data_of(await device.confirm(upload))
    await jobs.run(timedelta(minutes=59))
    assert made in await jobs.keys(player)
    await jobs.run(timedelta(minutes=61))
    assert made not in await jobs.keys(player)
    assert await jobs.keys(player) == await jobs.known_keys(player)
    assert await device.load(savegame_id) == b"bytes"


async def test_a_confirmation_that_took_too_long_is_refused_and_begins_again(player, device, data_of, jobs):
    """Its object was given up meanwhile: it may be gone already, and is never adopted."""
    upload = await device.request_upload(b"slow")
    await device.put(upload, b"slow")
    upload_id = UUID(upload["internal_save_id"])
    verified = await jobs.saves.verify(player.id, upload_id)
    async with jobs.pool.acquire() as connection:
        marked = await SavegameSweeps(connection, lambda: jobs.now() + timedelta(minutes=61)).mark_for_deletion(1000)
    assert verified.attempt.target in {one.key for one in marked}
    async with jobs.transactions.begin(player.id) as transaction:
        finished = transaction.of(SavegameUploads).finish_confirmation(
            player.id, upload_id, verified.attempt, verified.digest
        )
        with pytest.raises(SavegameUploadIncomplete):
            await finished
        transaction.discard()
    await jobs.run(timedelta(minutes=61))
    assert verified.attempt.target not in await jobs.keys(player)
    savegame_id, _ = data_of(await device.confirm(upload))
    assert await device.load(savegame_id) == b"slow"


async def test_instances_that_sweep_at_once_do_it_once(player, device, data_of, jobs, new_jobs, bucket):
    others = [jobs, await new_jobs(), await new_jobs()]
    orphans = [key_for(uuid4(), jobs) for _ in range(4)]
    saved = [data_of(await device.save(b"slot %d" % number, f"slot {number}"))[0] for number in range(6)]
    for savegame_id in saved[:3]:
        assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
    for number in range(4):
        upload = await device.request_upload(b"staged %d" % number, f"staged {number}")
        await device.put(upload, b"staged %d" % number)
        await bucket.put(orphans[number])
    kept = set(await keys_of(jobs, player))
    await asyncio.gather(*(one.run(GRACE + MINUTE) for one in others))
    assert (await player.get("/savegames", trashed="true"))["data"] == []
    await asyncio.gather(*(one.run(GRACE + GRACE + GRACE) for one in others))
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    assert len(kept & await jobs.keys(player)) == 3
    assert not await jobs.all_keys() & set(orphans)
    for number in (3, 4, 5):
        assert await device.load(saved[number]) == b"slot %d" % number
    scan = await jobs.pool.fetchrow("SELECT cursor, finished_at FROM savegames.savegame_scans")
    assert (scan["cursor"], scan["finished_at"] is None) == ("", False)


@on_one_server("it has no triggers")
async def test_one_player_who_cannot_be_served_holds_up_nobody_else(
    player, new_player, device, new_device, data_of, jobs, wait_until
):
    """The first user's rows can't be deleted, because of a fault that no rule expects."""
    other = new_player()
    await other.buys(device.product)

    async def owned():
        return await other.products()

    await wait_until(owned)
    for one in (device, new_device(of=other)):
        savegame_id, _ = data_of(await one.save(b"old"))
        assert (await one.player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
        await one.request_upload(b"open", "open")
    await jobs.pool.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''unforeseen''; END'; "
        "CREATE TRIGGER broken BEFORE DELETE ON savegames.savegame_uploads FOR EACH ROW "
        f"WHEN (OLD.user_id = '{player.id}') EXECUTE FUNCTION fail()"
    )
    try:
        await jobs.run(GRACE + MINUTE)
        assert [await one.saved_bytes() for one in (player, other)] == [(3, 4), (0, 0)]
    finally:
        await jobs.pool.execute("DROP TRIGGER broken ON savegames.savegame_uploads; DROP FUNCTION fail()")

    async def tidied():
        await jobs.run(GRACE + MINUTE, compare=False)  # a failed user is not retried at once
        return await player.saved_bytes() == (0, 0)

    await wait_until(tidied)


async def test_saves_of_the_release_before_get_their_folded_names(player, device, data_of, jobs):
    slots = [data_of(await device.save(name.encode(), name))[0] for name in ("Save", "other", "Third")]
    taken = "UPDATE savegames.savegame_slots SET slot_key = NULL WHERE user_id = $1"
    await jobs.pool.execute(taken, player.id)
    renamed = "UPDATE savegames.savegame_slots SET slot_name = 'save' WHERE user_id = $1 AND slot_name = 'other'"
    await jobs.pool.execute(renamed, player.id)
    for _ in range(2):
        await jobs.run()
        found = await jobs.pool.fetch(
            "SELECT id, slot_key FROM savegames.savegame_slots WHERE user_id = $1 ORDER BY created_at", player.id
        )
        assert [(str(row["id"]), row["slot_key"]) for row in found] == list(
            zip(slots, ("save", None, "third"), strict=True)
        )
    assert data_of(await device.save(b"more", "SAVE"))[0] == slots[0]
