"""Messages, events and metrics about cloud saves: for the player's other devices, other services and operators."""

import asyncio
import json
import re
import urllib.request
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from botocore.session import get_session
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

TOPIC = "com.platform.library.events.v1"
UPLOADED = "com.platform.library.savegame.uploaded.v1"
CONFLICT = "com.platform.library.savegame.conflict.v1"


@pytest.fixture
def other_device(service, player, next_message):
    """A WebSocket of another device, and a function that checks and returns its next messages."""

    @asynccontextmanager
    async def opened():
        async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
            await next_message(socket, greeting=True)

            async def receive(*statuses):
                messages = [await next_message(socket) for _ in statuses]
                assert {one["event_type"] for one in messages} == {"savegame.sync.status"}
                payloads = [one["payload"] for one in messages]
                assert tuple(one["status"] for one in payloads) == statuses
                for one, message in zip(payloads, messages, strict=True):
                    is_done = one["status"] == "sync_completed"
                    assert one["last_synced_at"] == (message["timestamp"] if is_done else None)
                    assert ("version" in one) == is_done
                    assert "conflict_id" in one or one["status"] != "conflict"
                return payloads

            yield receive

    return opened


@pytest.fixture
def events_of(platform, player, read_records):
    """The player's CloudEvents of saves, once there is one about the slot ``end``; without that one."""

    async def of():
        def mine(records):
            documents = [json.loads(record.value) for record in records]
            return [one for one in documents if one["subject"] == str(player.id) and "savegame" in one["type"]]

        def is_all(records):
            return any(one["data"]["slotName"] == "end" for one in mine(records))

        return [one for one in mine(await read_records(platform, TOPIC, is_all)) if one["data"]["slotName"] != "end"]

    return of


@pytest.fixture
def fetch(platform):
    """The bytes and the metadata of an object by its path, as the platform itself reads them."""
    client = get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=platform.store["S3_ENDPOINT"],
        aws_access_key_id=platform.store["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=platform.store["S3_SECRET_ACCESS_KEY"],
    )

    def by(path):
        bucket, _, key = path.removeprefix("s3://").partition("/")
        answer = client.get_object(Bucket=bucket, Key=key)
        return key, answer["Body"].read(), answer["Metadata"]

    yield by
    client.close()


def counted(service):
    """The counters of syncs: their number by direction and result, their bytes by direction."""
    with urllib.request.urlopen(service.metrics, timeout=PATIENCE_SECONDS) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    return {
        tuple(sample.labels.values()): sample.value
        for sample in samples
        if sample.name in ("savegame_syncs_total", "savegame_sync_bytes_total")
    }


async def test_other_devices_follow_a_save(device, other_device, data_of):
    async with other_device() as receive:
        upload = await device.request_upload(b"one")
        [started] = await receive("sync_started")
        await device.put(upload, b"one")
        savegame_id, _ = data_of(await device.confirm(upload))
        [done] = await receive("sync_completed")
        slot = {"savegame_id": savegame_id, "product_id": str(device.product), "slot_name": "slot"}
        assert slot.items() <= started.items()
        assert {**slot, "version": 1, "error_message": None}.items() <= done.items()
        await device.confirm(upload)  # again: no more messages, the next one is of the next save
        data_of(await device.save(b"two"))
        _, done = await receive("sync_started", "sync_completed")
        assert done["version"] == 2


async def test_a_sync_that_has_started_ends_also_where_there_is_no_new_version(device, other_device, data_of):
    data_of(await device.save(b"one"))
    data_of(await device.save(b"two"))
    async with other_device() as receive:
        identical = await device.save(b"two")
        assert (identical.status_code, identical.json()["meta"]["result"]) == (200, "identical")
        assert (await receive("sync_started", "sync_completed"))[1]["version"] == 2
        behind = await device.save(b"one", base_version=1)
        assert (behind.status_code, behind.json()["meta"]["result"]) == (200, "behind")
        assert (await receive("sync_started", "sync_completed"))[1]["version"] == 2


async def test_other_devices_receive_that_a_save_has_failed(player, device, other_device, refused):
    async with other_device() as receive:
        upload = await device.request_upload(b"one")
        assert refused(await device.confirm(upload)) == (422, "SAVEGAME_UPLOAD_INCOMPLETE")  # not yet: no failure
        await device.put(upload, b"two")
        assert refused(await device.confirm(upload)) == (422, "SAVEGAME_HASH_MISMATCH")
        _, failed = await receive("sync_started", "sync_failed")
        assert failed["error_message"] == "SAVEGAME_HASH_MISMATCH"
        given_up = await device.request_upload(b"three")
        cancelled = await player.http.delete(f"/savegames/uploads/{given_up['internal_save_id']}")
        assert cancelled.status_code == 204
        assert (await receive("sync_started", "sync_failed"))[1]["error_message"] == "CANCELLED"


async def test_the_expiry_of_an_unconfirmed_upload_is_published(player, device, jobs):
    await device.request_upload(b"never sent")
    await jobs.run(timedelta(hours=2), compare=False)
    events = (await player.get("/events", cursor="0"))["data"]
    published = [
        one["attributes"]["payload"] for one in events if one["attributes"]["event_type"] == "savegame.sync.status"
    ]
    assert [(one["status"], one["error_message"]) for one in published] == [
        ("sync_started", None),
        ("sync_failed", "SAVEGAME_UPLOAD_INCOMPLETE"),
    ]


async def test_other_devices_receive_a_deletion_and_a_late_upload(player, device, other_device, data_of):
    savegame_id, _ = data_of(await device.save(b"one"))
    async with other_device() as receive:
        assert (await player.http.delete(f"/savegames/{savegame_id}")).status_code == 204
        [deleted] = await receive("deleted")
        assert (deleted["savegame_id"], deleted["slot_name"]) == (savegame_id, "slot")
        await device.confirm(await device.request_upload(b"one"))
        assert (await receive("deleted"))[0]["savegame_id"] == savegame_id


async def test_other_devices_receive_a_conflict_and_its_resolution(player, device, other_device, data_of):
    savegame_id, _ = data_of(await device.save(b"start"))
    data_of(await device.save(b"cloud"))
    async with other_device() as receive:
        meta = (await device.save(b"local", base_version=1)).json()["errors"][0]["meta"]
        _, conflict = await receive("sync_started", "conflict")
        assert (conflict["conflict_id"], conflict["savegame_id"]) == (meta["conflict_id"], savegame_id)
        await device.save(b"local resumed", base_version=3)
        assert (await receive("sync_started", "conflict"))[1]["conflict_id"] == meta["conflict_id"]
        path = f"/savegames/conflicts/{meta['conflict_id']}/resolve"
        overtaken = await player.post(path, {"resolution": "keep_local", "branch_version": 3})
        assert overtaken.status_code == 409  # and no device receives a message about it
        data_of(await player.post(path, {"resolution": "keep_local"}))
        [resolved] = await receive("sync_completed")
        assert (resolved["savegame_id"], resolved["version"]) == (savegame_id, 5)
        assert resolved["conflict_id"] == meta["conflict_id"]


async def test_other_devices_receive_copies_and_restored_saves(player, device, other_device, data_of):
    savegame_id, _ = data_of(await device.save(b"start"))
    data_of(await device.save(b"cloud"))
    meta = (await device.save(b"local", base_version=1)).json()["errors"][0]["meta"]
    async with other_device() as receive:
        both = await player.post(f"/savegames/conflicts/{meta['conflict_id']}/resolve", {"resolution": "keep_both"})
        # Without this message the badge of the conflict would never go away.
        copied, ended = await receive("sync_completed", "sync_completed")
        assert (ended["savegame_id"], ended["version"]) == (savegame_id, 2)
        assert ended["conflict_id"] == meta["conflict_id"]
        assert copied["savegame_id"] == both.json()["meta"]["copy_savegame_id"]
        assert (copied["slot_name"], copied["version"]) == ("slot (conflict v3)", 1)
        data_of(await player.post(f"/savegames/{savegame_id}/restore", {"version": 1}))
        assert [one["version"] for one in await receive("sync_completed")] == [4]
        await player.http.delete(f"/savegames/{savegame_id}")
        data_of(await device.save(b"new"))
        data_of(await player.post(f"/savegames/{savegame_id}/undelete"))
        *_, back = await receive("deleted", "sync_started", "sync_completed", "sync_completed")
        assert (back["savegame_id"], back["slot_name"], back["version"]) == (savegame_id, "slot (2)", 4)


@pytest.mark.parametrize("is_in_trash", [False, True])
async def test_the_end_of_a_conflict_with_its_save_is_published(player, device, other_device, data_of, is_in_trash):
    savegame_id, _ = data_of(await device.save(b"start"))
    data_of(await device.save(b"cloud"))
    meta = (await device.save(b"local", base_version=1)).json()["errors"][0]["meta"]
    if is_in_trash:
        await player.http.delete(f"/savegames/{savegame_id}")
    async with other_device() as receive:
        await player.http.delete(f"/savegames/{savegame_id}", params={"permanent": "true"})
        ended, *_ = await receive("sync_completed", *([] if is_in_trash else ["deleted"]))
        assert (ended["savegame_id"], ended["conflict_id"]) == (savegame_id, meta["conflict_id"])
        assert ended["version"] == 2


async def test_a_conflict_that_a_policy_ends_at_once_is_published_as_its_result(device, other_device, data_of):
    data_of(await device.save(b"start"))
    data_of(await device.save(b"cloud"))
    async with other_device() as receive:
        more = {"base_version": 1, "conflict_policy": "longest_playtime", "playtime_seconds": 9}
        data_of(await device.save(b"local", **more))
        *_, done = await receive("sync_started", "sync_completed")
        assert done["version"] == 4


async def test_each_upload_is_published_once_with_the_path_of_its_bytes(player, device, events_of, fetch, data_of):
    modified = "2026-05-20T12:00:00Z"
    savegame_id, first = data_of(await device.save(b"start", "Глава 1", client_modified_at=modified))
    data_of(await device.save(b"cloud", "Глава 1"))
    upload = await device.request_upload(b"local", "Глава 1", base_version=1)
    await device.put(upload, b"local")
    conflict_id = (await device.confirm(upload)).json()["errors"][0]["meta"]["conflict_id"]
    await asyncio.gather(*(device.confirm(upload) for _ in range(5)))
    data_of(await device.save(b"cloud", "Глава 1"))  # identical: nothing to publish
    copied_id, _ = data_of(await device.save(b"local", "slot-2"))  # the bytes are there already
    data_of(await device.save(b"", "end"))
    events = await events_of()
    kinds = [(one["type"], one["data"].get("version"), one["data"].get("isBranch")) for one in events]
    assert kinds == [
        (UPLOADED, 1, False),
        (UPLOADED, 2, False),
        (UPLOADED, 3, True),
        (CONFLICT, None, None),
        (UPLOADED, 1, False),
    ]
    start, cloud, local, conflict, copied = (one["data"] for one in events)
    assert (start["clientTimestamp"], start["serverTimestamp"]) == (modified, first["server_uploaded_at"])
    assert (start["fileSizeBytes"], start["slotName"], start["savegameId"]) == (5, "Глава 1", savegame_id)
    assert cloud["clientTimestamp"] is None
    about = {"conflictId": conflict_id, "savegameId": savegame_id, "headVersion": 2, "branchVersion": 3}
    assert about.items() <= conflict.items()
    assert (copied["savegameId"], copied["s3Path"]) == (copied_id, local["s3Path"])
    user = str(player.id)
    folder = f"{sha256(user.encode()).hexdigest()[:4]}/{user}/{device.product}"
    slot = "~" + sha256("Глава 1".encode()).hexdigest()[:32]
    for data, content, parent in ((start, b"start", 0), (cloud, b"cloud", 1), (local, b"local", 1)):
        key, found, metadata = fetch(data["s3Path"])
        assert re.fullmatch(rf"{folder}/{re.escape(slot)}/\d{{8}}T\d{{6}}Z_v{data['version']}_[0-9a-f]{{12}}\.sav", key)
        assert found == content
        assert metadata == {
            "user-id": user,
            "product-id": str(device.product),
            "slot-name": "%D0%93%D0%BB%D0%B0%D0%B2%D0%B0 1",
            "version": str(data["version"]),
            "parent-version": str(parent),
            "sha256": sha256(content).hexdigest(),
        }


async def test_a_safe_name_of_a_slot_stands_in_its_key(device, events_of, fetch, data_of):
    data_of(await device.save(b"x", "Slot_1.sav"))
    data_of(await device.save(b"y", "end"))
    [event] = await events_of()
    key, _, metadata = fetch(event["data"]["s3Path"])
    assert (key.split("/")[3], metadata["slot-name"]) == ("Slot_1.sav", "Slot_1.sav")


async def test_syncs_and_their_bytes_are_counted(service, player, device, data_of):
    before = counted(service)
    content = uuid4().bytes * 1000
    savegame_id, _ = data_of(await device.save(content))
    data_of(await device.save(content[1:]))
    await device.save(content[2:], base_version=1)
    data_of(await device.save(content[1:]))
    data_of(await device.save(content, base_version=1))
    data_of(await device.save(content, "other"))
    await device.put(upload := await device.request_upload(b"announced"), b"different")
    await device.confirm(upload)
    for _ in range(2):
        assert await device.load(savegame_id) == content[1:]
    now = counted(service)
    counts = {labels: value - before.get(labels, 0) for labels, value in now.items()}
    assert {labels: count for labels, count in counts.items() if count} == {
        ("upload", "completed"): 3,
        ("upload", "conflict"): 1,
        ("upload", "identical"): 1,
        ("upload", "behind"): 1,
        ("upload", "failed"): 1,
        ("download", "signed"): 2,
        ("upload",): 16000 + 15999 + 15998,
        ("download",): 2 * 15999,
    }
