"""Uploads that were interrupted are resumed or cancelled; what a device says that it has; packed saves. Over REST
and a real object store.
"""

import asyncio
import gzip
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
import zstandard
from gameshelf.gateway.domains.savegames.use_cases import resumable

NOT_FOUND = (404, "SAVEGAME_VERSION_NOT_FOUND")
LEVEL = b"".join(b"%d: %d;" % (number, number**2) for number in range(10_000))
NO_SLOT = (404, "SAVEGAME_SLOT_NOT_FOUND")


async def shown(player, upload):
    return (await player.get(f"/savegames/uploads/{upload['internal_save_id']}"))["data"]["attributes"]


async def reserved(player):
    return (await player.get("/savegames/quota"))["data"]["attributes"]["reserved_bytes"]


async def test_an_interrupted_upload_is_resumed_by_another_process(player, device, data_of):
    content = b"x" * 50_000
    uploads = [await device.request_upload(content) for _ in range(21)]
    assert len({upload["internal_save_id"] for upload in uploads}) == 1
    assert await reserved(player) == 50_000
    found = await player.get("/savegames/uploads", product_id=str(device.product))
    [listed] = found["data"]
    assert (listed["id"], listed["type"]) == (uploads[0]["internal_save_id"], "savegameUpload")
    assert found["meta"]["total_items"] == 1
    assert (await player.get("/savegames/uploads", product_id=str(uuid4())))["data"] == []
    before = await shown(player, uploads[0])
    assert (before["status"], before["slot_name"], before["missing_bytes"], before["missing_count"]) == (
        "open",
        "slot",
        50_000,
        1,
    )
    [missing] = before["uploads"]
    assert (missing["sha256"], missing["size_bytes"]) == (sha256(content).hexdigest(), 50_000)
    assert (await device.put(missing, content)).status_code == 200
    arrived = await shown(player, uploads[0])
    assert (arrived["missing_bytes"], arrived["missing_count"], arrived["uploads"]) == (0, 0, [])
    savegame_id, made = data_of(await device.confirm(uploads[0]))
    assert (made["version"], await device.load(savegame_id)) == (1, content)
    after = await shown(player, uploads[0])
    assert (after["status"], after["savegame_id"], after["uploads"]) == ("committed", savegame_id, [])
    assert (await player.get("/savegames/uploads"))["data"] == []


async def test_an_upload_is_given_up_once_and_for_all(player, device, new_player, new_device, refused):
    upload = await device.request_upload(b"x" * 1000)
    path = f"/savegames/uploads/{upload['internal_save_id']}"
    thief = new_player()
    for method in ("get", "delete"):
        assert refused(await getattr(thief.http, method)(path)) == NOT_FOUND
    for _ in range(2):
        assert (await player.http.delete(path)).status_code == 204
    assert await reserved(player) == 0
    assert (await shown(player, upload))["status"] == "cancelled"
    assert (await device.put(upload, b"x" * 1000)).status_code == 200
    assert refused(await device.confirm(upload)) == NOT_FOUND
    done = await device.request_upload(b"done")
    await device.put(done, b"done")
    assert (await device.confirm(done)).status_code == 200
    assert refused(await player.http.delete(f"/savegames/uploads/{done['internal_save_id']}")) == NOT_FOUND
    assert refused(await player.http.delete(f"/savegames/uploads/{uuid4()}")) == NOT_FOUND


async def test_who_may_not_play_any_more_sees_an_upload_and_gets_no_url(player, device, wait_until):
    lost = uuid4()
    bought = await player.buys(lost)
    await wait_until(lambda: owns(player, lost))
    upload = await type(device)(player, lost, "pc", device.store).request_upload(b"late")
    await player.publish(type(bought)("com.platform.payment.purchase.refunded.v1", bought.data))
    await wait_until(lambda: lacks(player, lost))
    found = await shown(player, upload)
    assert (found["status"], found["missing_count"]) == ("open", 1)
    assert (found["uploads"][0]["upload_url"], found["uploads"][0]["headers"]) == (None, {})
    assert (await player.http.delete(f"/savegames/uploads/{upload['internal_save_id']}")).status_code == 204


async def owns(player, product):
    return str(product) in await player.products()


async def lacks(player, product):
    return str(product) not in await player.products()


async def test_a_fresh_url_can_be_confirmed_as_long_as_any(player, device, jobs):
    upload = await device.request_upload(b"x")
    expiry = "SELECT expires_at FROM savegames.savegame_uploads WHERE user_id = $1"

    async def age():
        expires_at = await jobs.pool.fetchval(expiry, player.id) - timedelta(hours=1)
        await jobs.pool.execute(
            "UPDATE savegames.savegame_uploads SET expires_at = $2 WHERE user_id = $1", player.id, expires_at
        )

    await age()
    first = await shown(player, upload)
    await asyncio.sleep(1.1)  # signatures have seconds
    again = await shown(player, upload)
    assert again["expires_at"] > first["expires_at"] > upload.get("expires_at", "")
    assert again["uploads"][0]["upload_url"] != first["uploads"][0]["upload_url"]
    await age()  # two hours after it was asked for, one after the newest URL
    await device.put(again["uploads"][0], b"x")
    assert (await device.confirm(upload)).status_code == 200


async def test_where_nothing_can_be_written_an_upload_is_shown_without_a_url(player, device, jobs):
    upload = await device.request_upload(b"x")
    async with jobs.pool.acquire() as connection:
        await connection.execute("SET default_transaction_read_only = on")
        found = await resumable(connection, player.id, UUID(upload["internal_save_id"]), jobs.saves, jobs.now())
    assert (found.upload.is_required, found.may_play) == (True, False)


@pytest.mark.parametrize(
    "body", [{}, {"version": 1}, {"version": 0, "device_id": "pc"}, {"version": 1, "device_id": ""}]
)
async def test_synced_names_version_and_device(player, device, data_of, body):
    savegame_id, _ = data_of(await device.save(b"one"))
    assert (await player.post(f"/savegames/{savegame_id}/synced", body)).status_code == 400


async def test_synced_is_of_ones_own_save_and_a_version_that_is_there(player, device, new_player, data_of, refused):
    savegame_id, _ = data_of(await device.save(b"one"))
    said = {"version": 1, "device_id": "deck"}
    assert refused(await new_player().post(f"/savegames/{savegame_id}/synced", said)) == NO_SLOT
    assert refused(await player.post(f"/savegames/{savegame_id}/synced", {**said, "version": 2})) == NOT_FOUND
    answer = await player.post(f"/savegames/{savegame_id}/synced", said)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_deleted_save_stays_deleted_when_a_device_comes_back_with_it(player, new_device, data_of, refused):
    pc, deck = new_device("pc"), new_device("deck")
    savegame_id, _ = data_of(await pc.save(b"one"))
    await deck.load(savegame_id)
    assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
    for said in ({}, {"savegame_id": savegame_id, "base_version": 1}, {"base_version": 1}):
        upload = await deck.request_upload(b"one", **said)
        assert (upload["upload_required"], upload["upload_url"]) == (False, None)
        answer = await deck.confirm(upload)
        found, attributes = data_of(answer)
        assert (found, answer.json()["meta"]) == (savegame_id, {"result": "deleted"})
        assert attributes["deleted_at"] is not None
    assert (await player.get("/savegames"))["data"] == []
    assert refused(await deck.ask(b"two", savegame_id=str(uuid4()))) == NO_SLOT
    new_id, made = data_of(await deck.save(b"one", base_version=0))
    assert (new_id != savegame_id, made["version"]) == (True, 2)
    # Played on from the deleted one: no part of the new save's history.
    assert refused(await pc.save(b"one, played on", base_version=1)) == (409, "SAVEGAME_VERSION_CONFLICT")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", [gzip.compress(LEVEL, level) for level in (1, 9)]),
        ("zstd", [zstandard.compress(LEVEL, level) for level in (3, 19)]),
    ],
)
async def test_the_same_save_packed_again_is_the_same_save(device, data_of, refused, encoding, packed):
    assert packed[0] != packed[1]
    raw = sha256(LEVEL).hexdigest()
    said = {"content_encoding": encoding, "raw_sha256": raw, "raw_size_bytes": len(LEVEL)}
    _, made = data_of(await device.save(packed[0], **said))
    assert (made["content_identity"], made["file_hash_sha256"]) == (raw, sha256(packed[0]).hexdigest())
    again = await device.save(packed[1], **said)
    assert (data_of(again)[1]["version"], again.json()["meta"]) == (1, {"result": "identical"})
    false = {**said, "raw_sha256": sha256(b"other").hexdigest()}
    assert refused(await device.save(packed[0][:-1] + b"!", **false)) == (422, "SAVEGAME_HASH_MISMATCH")


async def test_an_upload_that_goes_back_says_to_which_version(device, data_of):
    for content in (b"one", b"two"):
        data_of(await device.save(content))
    back = await device.save(b"one")
    assert (data_of(back)[1]["version"], back.json()["meta"]) == (3, {"result": "head", "regresses_to": 1})
