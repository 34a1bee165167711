"""Uploads that fail, race, or are malicious: confirmed bytes never change."""

import asyncio
import os
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.sets import SetCommits, VerifyingUpload
from gameshelf.gateway.domains.savegames.use_cases import Saves, confirm_upload
from gameshelf.savegames import SavegameSets
from prometheus_client import CollectorRegistry

INCOMPLETE = (422, "SAVEGAME_UPLOAD_INCOMPLETE")
MISMATCH = (422, "SAVEGAME_HASH_MISMATCH")
NOT_FOUND = (404, "SAVEGAME_VERSION_NOT_FOUND")
AWAY = (503, "SERVICE_UNAVAILABLE")
FULL = (422, "USER_QUOTA_EXCEEDED")


async def versions(player, savegame_id):
    found = await player.get(f"/savegames/{savegame_id}/versions", limit=100)
    return [one["attributes"]["version"] for one in found["data"]]


async def nothing_left_over(jobs, player):
    """After open uploads have expired and were swept, the store has only contents that players have, or had lately."""
    await jobs.run(timedelta(hours=2))
    pending = "SELECT count(*) FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'pending'"
    assert not await jobs.pool.fetchval(pending, player.id)
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    used, reserved = await player.saved_bytes()
    held = "SELECT coalesce(sum(file_size_bytes), 0) FROM savegames.savegame_contents WHERE user_id = $1"
    assert (used, reserved) == (await jobs.pool.fetchval(held + " AND state = 'live'", player.id), 0)


async def send_half(upload, content):
    """Half of the body over a connection that then breaks."""
    url = urlsplit(upload["upload_url"])
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content[: len(content) // 2])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_an_incomplete_upload_can_still_be_sent(player, device, data_of, refused, jobs):
    content = os.urandom(200_000)
    upload = await device.request_upload(content)
    assert refused(await device.confirm(upload)) == INCOMPLETE
    await send_half(upload, content)
    assert refused(await device.confirm(upload, **{"Idempotency-Key": "k"})) == INCOMPLETE
    assert await player.saved_bytes() == (0, 200_000)
    assert (await device.put(upload, content)).status_code == 200
    again = await device.confirm(upload, **{"Idempotency-Key": "k"})
    assert (refused(again), again.headers.get("Idempotency-Replayed")) == (INCOMPLETE, "true")  # the first response
    savegame_id, made = data_of(await device.confirm(upload, **{"Idempotency-Key": "another"}))
    assert (made["version"], await device.load(savegame_id)) == (1, content)
    await nothing_left_over(jobs, player)


@pytest.mark.parametrize("sent", [b"123456789!", b"12345678", b""])
async def test_the_store_takes_no_other_length_than_was_announced(player, device, refused, jobs, sent):
    upload = await device.request_upload(b"123456789")
    answer = await device.store.put(upload["upload_url"], content=sent)
    assert 400 <= answer.status_code < 500
    assert refused(await device.confirm(upload)) == INCOMPLETE
    await nothing_left_over(jobs, player)


async def test_other_content_of_the_same_length_frees_the_reservation(player, device, data_of, refused, jobs):
    upload = await device.request_upload(b"announced")
    assert (await device.put(upload, b"different")).status_code == 200
    key = {"Idempotency-Key": "k"}
    assert refused(await device.confirm(upload, **key)) == MISMATCH
    again = await device.confirm(upload, **key)
    assert (refused(again), again.headers.get("Idempotency-Replayed")) == (MISMATCH, "true")
    assert refused(await device.confirm(upload)) == MISMATCH  # a client that lost the answer gets it again
    assert await player.saved_bytes() == (0, 0)
    assert (await player.get("/savegames"))["data"] == []
    savegame_id, made = data_of(await device.save(b"announced"))
    assert (made["version"], await device.load(savegame_id)) == (2, b"announced")
    await nothing_left_over(jobs, player)


async def test_nothing_at_all_can_be_saved(player, device, data_of, jobs):
    savegame_id, made = data_of(await device.save(b""))
    assert (made["file_size_bytes"], await device.load(savegame_id)) == (0, b"")
    await nothing_left_over(jobs, player)


async def test_repeated_and_concurrent_confirmations_make_one_version(player, device, data_of, jobs):
    upload = await device.request_upload(b"once")
    await device.put(upload, b"once")
    at_once = await asyncio.gather(*(device.confirm(upload) for _ in range(6)))
    later = await device.confirm(upload)
    savegame_id, _ = data_of(later)
    assert {(one.status_code, one.text) for one in (*at_once, later)} == {(200, later.text)}
    assert await versions(player, savegame_id) == [1]
    await nothing_left_over(jobs, player)
    assert (await device.confirm(upload)).text == later.text


async def test_twins_with_one_key_get_the_first_answer(device):
    upload = await device.request_upload(b"once")
    await device.put(upload, b"once")
    twins = await asyncio.gather(*(device.confirm(upload, **{"Idempotency-Key": "k"}) for _ in range(3)))
    assert len({one.text for one in twins}) == 1
    assert sorted(one.headers.get("Idempotency-Replayed", "") for one in twins) == ["", "true", "true"]


async def test_the_first_answer_to_a_key_outlives_the_save(player, device, data_of, refused):
    upload = await device.request_upload(b"gone")
    await device.put(upload, b"gone")
    first = await device.confirm(upload, **{"Idempotency-Key": "k"})
    savegame_id, _ = data_of(first)
    assert (await player.http.delete(f"/savegames/{savegame_id}?permanent=true")).status_code == 204
    again = await device.confirm(upload, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.text) == (200, first.text)
    assert refused(await device.confirm(upload)) == NOT_FOUND


async def test_the_same_bytes_uploaded_twice_at_once_are_stored_once(player, device, data_of, jobs):
    one, other = await device.request_upload(b"twins", "a"), await device.request_upload(b"twins", "b")
    assert (one["upload_required"], other["upload_required"]) == (True, True)
    for upload in (one, other):
        await device.put(upload, b"twins")
    confirmed = await asyncio.gather(device.confirm(one), device.confirm(other))
    for response in confirmed:
        savegame_id, _ = data_of(response)
        assert await device.load(savegame_id) == b"twins"
    assert await player.saved_bytes() == (5, 0)
    await nothing_left_over(jobs, player)


async def test_nobody_else_can_confirm(device, new_player, new_device, refused, data_of):
    upload = await device.request_upload(b"mine")
    await device.put(upload, b"mine")
    thief = new_device("pc", of=new_player())
    assert refused(await thief.confirm(upload)) == NOT_FOUND
    data_of(await device.confirm(upload))
    assert refused(await thief.confirm(upload)) == NOT_FOUND


async def aged(jobs, upload, **ago):
    """As if the URL had been asked for that long ago; for how long it could be confirmed."""
    upload_id, earlier = UUID(upload["internal_save_id"]), timedelta(**ago)
    times = "SELECT created_at, expires_at FROM savegames.savegame_uploads WHERE id = $1"
    created_at, expires_at = await jobs.pool.fetchrow(times, upload_id)
    # With values: Citus refuses a change by a function of a column that depends on the time zone.
    move = "UPDATE savegames.savegame_uploads SET created_at = $2, expires_at = $3 WHERE id = $1"
    await jobs.pool.execute(move, upload_id, created_at - earlier, expires_at - earlier)
    return expires_at - created_at


async def test_an_upload_can_be_confirmed_for_an_hour_after_its_url_has_run_out(player, device, data_of, refused, jobs):
    late, too_late = await device.request_upload(b"late", "late"), await device.request_upload(b"too late", "too late")
    for upload, content in ((late, b"late"), (too_late, b"too late")):
        await device.put(upload, content)
    hour = timedelta(seconds=late["expires_in_seconds"]) + timedelta(hours=1)
    assert await aged(jobs, late, minutes=64) == hour
    assert await aged(jobs, too_late, minutes=65) == hour
    data_of(await device.confirm(late))
    assert refused(await device.confirm(too_late)) == NOT_FOUND
    await jobs.run(compare=False)
    assert await player.saved_bytes() == (4, 0)
    assert refused(await device.confirm(too_late)) == NOT_FOUND
    assert await jobs.keys(player) == await jobs.known_keys(player)
    assert len(await jobs.keys(player)) == 1


async def test_at_most_64_uploads_are_open_and_what_is_over_makes_place(player, device, data_of, refused, jobs):
    uploads = [await device.request_upload(bytes([number]), f"slot {number}") for number in range(63)]
    contenders = await asyncio.gather(*(device.ask(bytes([100 + number]), f"more {number}") for number in range(5)))
    assert sorted(one.status_code for one in contenders) == [200, 422, 422, 422, 422]
    [full, *_] = [one for one in contenders if one.status_code == 422]
    assert (refused(full), full.json()["errors"][0]["meta"]) == (FULL, {"limit": "open_uploads", "max": 64})
    await device.put(uploads[0], bytes([0]))
    data_of(await device.confirm(uploads[0]))
    assert (await device.ask(b"next")).status_code == 200
    await nothing_left_over(jobs, player)
    assert len((await player.get("/savegames", limit=100))["data"]) == 1
    assert await jobs.pool.fetchval("SELECT count(*) FROM savegames.savegame_slots WHERE user_id = $1", player.id) == 1


@pytest.fixture(scope="module")
def tight(platform):
    """A service whose players may keep a thousand bytes."""
    made = platform.service(LIBRARY_SERVICE_ROLES="api", USER_SAVEGAME_QUOTA_BYTES="1000")
    made.start()
    return made


async def test_uploads_that_race_for_the_last_bytes_win_as_far_as_they_fit(
    tight, platform, player, new_player, new_device, data_of, refused, new_jobs
):
    poor = new_player(platform, tight, player.id)
    device = new_device(of=poor)
    contents = [bytes([number]) * 300 for number in range(9)]
    asked = await asyncio.gather(*(device.ask(content, f"slot {content[0]}") for content in contents))
    won = [content for content, one in zip(contents, asked, strict=True) if one.status_code == 200]
    lost = [one for one in asked if one.status_code != 200]
    assert (len(won), {refused(one) for one in lost}) == (3, {FULL})
    assert lost[0].json()["errors"][0]["meta"] == {
        "limit": "user",
        "used_bytes": 0,
        "reserved_bytes": 900,
        "limit_bytes": 1000,
        "required_bytes": 300,
    }
    saved = []
    for one, content in ((one, content) for one, content in zip(asked, contents, strict=True) if content in won):
        upload = one.json()["data"]["attributes"]
        await device.put(upload, content)
        saved.append(data_of(await device.confirm(upload))[0])
    assert await poor.saved_bytes() == (900, 0)
    # A head is never pruned to make place; history is, and only as much of it as is needed.
    assert refused(await device.ask(b"x" * 101)) == FULL
    data_of(await device.save(b"y" * 100, "y"))
    assert (await poor.http.delete(f"/savegames/{saved[0]}?permanent=true")).status_code == 204
    savegame_id, _ = data_of(await device.save(b"1" * 150))
    data_of(await device.save(b"2" * 150))
    data_of(await device.save(b"3" * 150))
    assert await poor.saved_bytes() == (1000, 0)
    status = [one["attributes"]["status"] for one in (await poor.get(f"/savegames/{savegame_id}/versions"))["data"]]
    assert status == ["head", "history", "pruned"]
    await nothing_left_over_but_grace(await new_jobs(tight), poor)


async def test_history_whose_bytes_the_head_has_too_does_not_go_for_nothing(
    tight, platform, player, new_player, new_device, data_of
):
    poor = new_player(platform, tight, player.id)
    device = new_device(of=poor)
    savegame_id, _ = data_of(await device.save(b"a" * 300))
    data_of(await device.save(b"b" * 300))
    data_of(await poor.post(f"/savegames/{savegame_id}/restore", {"version": 1}))
    data_of(await device.save(b"c" * 500, "other"))
    found = (await poor.get(f"/savegames/{savegame_id}/versions"))["data"]
    assert [one["attributes"]["status"] for one in found] == ["head", "pruned", "history"]
    assert await poor.saved_bytes() == (800, 0)


async def nothing_left_over_but_grace(jobs, player):
    """A commit drops bytes, which stay for the grace period and are deleted after it."""
    await jobs.run(timedelta(days=29))
    assert await jobs.keys(player) == await jobs.known_keys(player)
    await jobs.run(timedelta(days=31))
    assert await jobs.keys(player) == await jobs.live_keys(player) == await jobs.known_keys(player)


async def test_a_used_url_changes_no_version(player, device, data_of, refused, jobs):
    before = await device.request_upload(b"version 1")
    await device.put(before, b"not it at")
    await device.put(before, b"version 1")
    savegame_id, _ = data_of(await device.confirm(before))
    for content in (b"poisoned!", b"version 1"):
        assert (await device.put(before, content)).status_code == 200
        data_of(await device.confirm(before))
    second = await device.request_upload(b"version 2")
    await device.put(second, b"version 2")
    await device.put(before, b"poisoned!")
    data_of(await device.confirm(second))
    await device.put(second, b"poisoned!")
    assert [await device.load(savegame_id, number) for number in (1, 2)] == [b"version 1", b"version 2"]
    await nothing_left_over(jobs, player)
    assert [await device.load(savegame_id, number) for number in (1, 2)] == [b"version 1", b"version 2"]


async def test_a_write_during_the_confirmation_gets_all_or_nothing(player, device, data_of, refused, jobs):
    kept = {}
    for number in range(6):
        good, bad = os.urandom(400_000), os.urandom(400_000)
        upload = await device.request_upload(good, f"slot {number}")
        await device.put(upload, good)
        flood = [device.put(upload, (bad, good)[turn % 2]) for turn in range(6)]
        confirmed, *_ = await asyncio.gather(device.confirm(upload), *flood)
        if confirmed.status_code == 200:
            kept[data_of(confirmed)[0]] = good
        else:
            assert refused(confirmed) in (MISMATCH, INCOMPLETE, AWAY)
        await device.put(upload, bad)
    await nothing_left_over(jobs, player)
    for savegame_id, content in kept.items():
        assert await device.load(savegame_id) == content
    assert await player.saved_bytes() == (400_000 * len(kept), 0)


async def test_a_file_that_takes_longer_than_a_request_is_verified_once(player, device, jobs):
    """A repeated confirmation waits for the first one, and its result is kept for a client that comes later."""
    upload = await device.request_upload(b"slow")
    await device.put(upload, b"slow")
    upload_id, may_end, begun = UUID(upload["internal_save_id"]), asyncio.Event(), []

    class SlowSaves(Saves):
        async def verify(self, user_id, upload_id):
            begun.append(upload_id)
            await may_end.wait()
            return await super().verify(user_id, upload_id)

    own = SavegameMetrics(CollectorRegistry())
    saves = SlowSaves(jobs.objects, jobs.transactions, own, 60, 0)
    about = (saves, jobs.transactions, jobs.pool.acquire, own, lambda one: one.of(SavegameSets))
    commits = SetCommits(*about, seconds=0.05)
    assert [await commits.verify(player.id, upload_id) for _ in range(3)] == [VerifyingUpload(0, 1)] * 3
    may_end.set()
    while isinstance(verified := await commits.verify(player.id, upload_id), VerifyingUpload):
        pass
    assert (verified.single.digest.size, begun) == (4, [upload_id])

    async def finish(transaction):
        return await confirm_upload(transaction, upload_id, verified.single)

    assert (await jobs.transactions.run(player.id, finish)).version.version == 1
    may_end.clear()
    assert await commits.verify(player.id, upload_id) == VerifyingUpload(0, 1)
    await commits.close()
    assert begun == [upload_id, upload_id]
