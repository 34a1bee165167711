"""Reservations of uploads: repeated, listed, cancelled and limited per day. On a real PostgreSQL."""

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from gameshelf.savegames import (
    FailureReason,
    SavegameVersionNotFound,
    UploadFailed,
    UploadQueries,
    UploadResult,
    UploadsFilter,
    UploadStatus,
    UserQuotaExceeded,
)
from gameshelf.savegames._outcomes import UploadOutcome, as_text, from_text
from pydantic import TypeAdapter


@pytest.fixture
def uploads(player):
    """The queries of the player's uploads."""
    return UploadQueries(player.connection)


async def listed(player, uploads, **of):
    return await uploads.uploads(player.id, UploadsFilter(**of), player.now)


async def test_a_repeated_request_updates_the_same_upload(player, uploads):
    first = await player.request(b"x" * 400, device_id="pc", comment="before", playtime_seconds=1)
    for _ in range(21):
        player.later(minutes=3)
        again = await player.request(b"x" * 400, device_id="pc", comment="after", playtime_seconds=2)
        assert (again.upload_id, again.key) == (first.upload_id, first.key)
    assert await player.usage() == (0, 400)
    assert (await listed(player, uploads)).total == 1
    player.later(hours=1)  # two hours after the first request
    outcome = await player.confirm(first)
    assert (outcome.result, outcome.version) == (UploadResult.HEAD, 1)
    save = await player.queries.save(player.id, outcome.slot_id)
    assert (save.comment, save.playtime_seconds) == ("after", 2)


@pytest.mark.parametrize(
    ("content", "properties"),
    [
        (b"y" * 10, {}),
        (b"x" * 10, {"slot": "other"}),
        (b"x" * 10, {"device_id": "deck"}),
        (b"x" * 10, {"device_id": None}),
        (b"x" * 10, {"base_version": 1}),
        (b"x" * 10, {"product_id": uuid4()}),
    ],
)
async def test_a_different_request_is_another_upload_of_the_same_bytes(player, content, properties):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    first = await player.request(b"x" * 10, device_id="pc")
    await player.service.set_quota(player.id, 16 if content == b"x" * 10 else 26)  # exactly the needed room
    other = await player.request(content, **{"device_id": "pc"} | properties)
    assert other.upload_id != first.upload_id
    assert other.key != first.key
    assert await player.usage() == (6, 10 if content == b"x" * 10 else 20)
    # The bytes stay reserved until the last open upload of them has ended.
    await player.uploads.cancel(player.id, first.upload_id)
    assert await player.usage() == (6, 10)
    assert (await player.confirm(other)).result in (UploadResult.HEAD, UploadResult.CONFLICT)
    assert await player.usage() == (16, 0)


async def test_a_repeated_request_joins_a_content_stored_since(player):
    first = await player.request(b"one", device_id="pc")
    await player.save(b"one", "other", device_id="pc")
    again = await player.request(b"one", device_id="pc")
    assert (again.upload_id, again.is_required) == (first.upload_id, False)
    assert (await player.confirm(again)).result is UploadResult.HEAD


async def test_open_uploads_are_listed_oldest_first_with_their_outcome(player, uploads):
    slot = (await player.save(b"one")).slot_id
    await player.save(b"two")
    grown = await player.request(b"three", base_version=2)
    player.later(seconds=1)
    branch = await player.request(b"four", base_version=1)
    player.later(seconds=1)
    joined = await player.request(b"one", "other")
    player.later(seconds=1)
    player.product = uuid4()
    elsewhere = await player.request(b"five")
    found = (await listed(player, uploads)).items
    assert [one.id for one in found] == [one.upload_id for one in (grown, branch, joined, elsewhere)]
    assert [one.conflict_expected for one in found] == [False, True, False, False]
    assert [one.is_required for one in found] == [True, True, False, True]
    assert {one.status for one in found} == {UploadStatus.OPEN}
    assert (found[0].slot_id, found[0].slot_name, found[0].size, found[0].key) == (slot, "slot", 5, grown.key)
    assert (await listed(player, uploads, product_id=player.product)).total == 1
    second = await listed(player, uploads, page=2, limit=3)
    assert ([one.id for one in second.items], second.total) == ([elsewhere.upload_id], 4)
    player.later(hours=2)
    assert (await listed(player, uploads)).total == 0


async def test_an_upload_has_a_status(player, uploads, new_player):
    async def status(upload):
        return (await uploads.upload(player.id, upload.upload_id, player.now)).status

    done, failed, given_up, late = [await player.request(b"%d" % number, str(number)) for number in range(4)]
    await player.confirm(done)
    await player.confirm(failed, b"other")
    await player.uploads.cancel(player.id, given_up.upload_id)
    assert [await status(one) for one in (done, failed, given_up, late)] == [
        UploadStatus.COMMITTED,
        UploadStatus.FAILED,
        UploadStatus.CANCELLED,
        UploadStatus.OPEN,
    ]
    player.later(minutes=65)
    assert await status(late) is UploadStatus.EXPIRED
    player.events.clear()
    await player.sweep()
    [event] = player.events
    assert (type(event), event.upload_id, event.reason) == (UploadFailed, late.upload_id, FailureReason.EXPIRED)
    assert {row["slot_name"] for row in await player.rows("slots")} == {"0", "1"}
    for unknown in (late.upload_id, given_up.upload_id, uuid4()):
        with pytest.raises(SavegameVersionNotFound):
            await uploads.upload(player.id, unknown, player.now)
    with pytest.raises(SavegameVersionNotFound):
        await uploads.upload(new_player().id, done.upload_id, player.now)


async def test_a_cancelled_upload_frees_its_room_and_ends(player):
    waiting = await player.request(b"x" * 500)
    attempt = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    await player.uploads.cancel(player.id, waiting.upload_id)
    assert await player.usage() == (0, 0)
    failed = [event for event in player.events if isinstance(event, UploadFailed)]
    assert [(event.upload_id, event.reason) for event in failed] == [(waiting.upload_id, FailureReason.CANCELLED)]
    await player.uploads.cancel(player.id, waiting.upload_id)
    for refused in (
        player.uploads.begin_confirmation(player.id, waiting.upload_id),
        player.uploads.finish_confirmation(player.id, waiting.upload_id, attempt, None),
        player.uploads.cancel(player.id, uuid4()),
    ):
        with pytest.raises(SavegameVersionNotFound):
            await refused
    done = await player.request(b"one")
    await player.confirm(done)
    with pytest.raises(SavegameVersionNotFound):
        await player.uploads.cancel(player.id, done.upload_id)
    joined = await player.request(b"one", "other")
    await player.uploads.cancel(player.id, joined.upload_id)
    assert await player.usage() == (3, 0)


async def test_the_daily_allowance_counts_each_content_once(new_player):
    player = new_player(quota_bytes=1000, daily_bytes=1000)
    for number in range(4):
        slot = (await player.save(b"%d" % number * 200)).slot_id
        await player.service.delete(player.id, slot, permanent=True)
    assert await player.usage() == (0, 0)
    kept = await player.request(b"x" * 200, device_id="pc")
    await player.request(b"x" * 200, "other", device_id="deck")
    await player.request(b"x" * 200, device_id="pc")
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"y")
    midnight = player.now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    assert error.value.meta == {
        "limit": "daily",
        "used_bytes": 1000,
        "limit_bytes": 1000,
        "required_bytes": 1,
        "resets_at": midnight,
    }
    # A stored content uses none of it.
    await player.confirm(kept)
    assert not (await player.request(b"x" * 200, "third")).is_required
    player.now = midnight
    assert await player.request(b"y" * 500)


async def uploaded(player):
    slot = (await player.save(b"x" * 300)).slot_id
    await player.service.delete(player.id, slot, permanent=True)


async def cancelled(player):
    await player.uploads.cancel(player.id, (await player.request(b"x" * 300)).upload_id)


async def expired(player):
    await player.request(b"x" * 300)
    player.later(hours=2)


async def mismatched(player):
    assert (await player.confirm(await player.request(b"x" * 300), b"other")).result is UploadResult.MISMATCH


@pytest.mark.parametrize("ends", [uploaded, cancelled, expired, mismatched])
async def test_a_content_counts_again_once_no_open_upload_needs_it(new_player, ends):
    player = new_player(quota_bytes=1000, daily_bytes=1000)
    for _ in range(3):
        await ends(player)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"x" * 300)
    assert (error.value.meta["limit"], error.value.meta["used_bytes"]) == ("daily", 900)


async def test_open_uploads_of_the_same_bytes_create_one_object(new_player):
    player = new_player(quota_bytes=1000, daily_bytes=1000)
    first, *others = [await player.request(b"x" * 300, str(number)) for number in range(4)]
    slot = (await player.confirm(first)).slot_id
    await player.service.delete(player.id, slot, permanent=True)
    assert await player.usage() == (300, 0)  # held by the uploads that have joined it
    for number, waiting in enumerate(others, 1):
        assert not (await player.request(b"x" * 300, str(number))).is_required
        slot = (await player.confirm(waiting)).slot_id
        await player.service.delete(player.id, slot, permanent=True)
    assert await player.usage() == (0, 0)
    assert len(player.objects) == 1
    assert (await player.rows("allowances"))[0]["signed_bytes"] == 300


async def test_a_later_hash_of_unpacked_bytes_decides_what_must_be_sent(new_player):
    player = new_player(quota_bytes=1000, daily_bytes=500)
    player.now = player.now.replace(hour=23, minute=30)
    properties = {"content_encoding": "gzip", "raw_sha256": sha256(b"raw").hexdigest()}
    first = (await player.save(b"x" * 300)).slot_id
    assert not (await player.request(b"x" * 300, "other")).is_required
    await player.service.delete(player.id, first, permanent=True)
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"x" * 300, "other", **properties)
    player.later(minutes=45)  # the next day
    assert (await player.request(b"x" * 300, "other", **properties)).is_required
    await player.request(b"x" * 300, "other", **properties)
    assert (await player.rows("allowances"))[0]["signed_bytes"] == 300


async def test_a_clock_that_is_behind_midnight_grants_no_more_bytes(new_player):
    player = new_player(quota_bytes=1000, daily_bytes=1000)
    player.now = player.now.replace(hour=23, minute=59)
    ahead = player.now + timedelta(minutes=2)
    before, player.now = player.now, ahead
    await player.request(b"x" * 300)
    player.now = before
    await player.request(b"y" * 300)
    player.now = ahead
    with pytest.raises(UserQuotaExceeded):
        await player.request(b"z" * 401)


def test_the_release_before_reads_outcomes_of_sets():
    @dataclass
    class OutcomeOfTheReleaseBefore:
        result: str
        slot_id: UUID
        version: int
        head_version: int | None = None
        branch_version: int | None = None
        conflict_id: UUID | None = None
        resolution: str | None = None
        regresses_to: int | None = None

    outcome = UploadOutcome(UploadResult.RESOLVED, uuid4(), 7, resolution="merge", new_bytes=5, file_count=2)
    read = TypeAdapter(OutcomeOfTheReleaseBefore).validate_python(json.loads(as_text(outcome)))
    assert (read.result, read.version, read.resolution) == ("resolved", 7, "merge")


def test_the_release_before_reads_every_outcome():
    known = {"head", "identical", "behind", "conflict", "resolved", "mismatch"}
    for result in UploadResult:
        outcome = UploadOutcome(result, uuid4(), 7, regresses_to=3)
        text = as_text(outcome)
        assert from_text(text) == outcome
        assert any(f'"result": "{one}"' in text for one in known)
