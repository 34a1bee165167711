"""Request, upload and confirmation, on a real PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput, PermissionDenied
from gameshelf.savegames import (
    MAX_OPEN_UPLOADS,
    Digest,
    FailureReason,
    SavegameFileTooLarge,
    SavegameUploaded,
    SavegameUploadIncomplete,
    SavegameVersionNotFound,
    SavesFilter,
    UploadFailed,
    UploadRequested,
    UploadResult,
    UserQuotaExceeded,
)
from gameshelf.savegames._limits import ATTEMPT_FOR, REMEMBER_FOR

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def last(player, kind):
    return [event for event in player.events if isinstance(event, kind)][-1]


async def test_a_save_grows_version_by_version(player):
    first = await player.save(b"one", device_id="pc")
    assert (first.result, first.version) == (UploadResult.HEAD, 1)
    second = await player.save(b"two", device_id="pc")
    assert (second.result, second.version, second.slot_id) == (UploadResult.HEAD, 2, first.slot_id)
    assert await player.versions(first.slot_id) == {1: (0, None, "history"), 2: (1, None, "head")}
    assert await player.usage() == (6, 0)


async def test_the_properties_given_by_the_client_are_stored(player):
    properties = {
        "client_modified_at": player.now - HOUR,
        "device_id": "pc",
        "comment": "Перед боссом",
        "playtime_seconds": 3600,
        "content_encoding": "zstd",
    }
    outcome = await player.save(b"one", **properties, encryption={"scheme": "age", "key_id": "k1"})
    save = await player.queries.save(player.id, outcome.slot_id)
    assert {name: getattr(save, name) for name in properties} == properties
    assert save.encryption == '{"key_id": "k1", "scheme": "age"}'
    event = last(player, SavegameUploaded)
    assert (event.file_size_bytes, event.sent_bytes, event.client_modified_at) == (3, 3, player.now - HOUR - SECOND)


async def test_content_that_the_head_holds_is_not_uploaded_again(player):
    first = await player.save(b"one")
    again = await player.request(b"one")
    assert not again.is_required
    assert not last(player, UploadRequested).is_required
    assert (await player.confirm(again)).result is UploadResult.IDENTICAL
    assert await player.versions(first.slot_id) == {1: (0, None, "head")}


async def test_content_that_the_head_grew_from_is_behind(player):
    first = await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="deck", base_version=1)
    behind = await player.save(b"one", device_id="pc")
    assert (behind.result, behind.version, behind.slot_id) == (UploadResult.BEHIND, 2, first.slot_id)
    # The device does not have the head yet, so its next change is a branch.
    assert (await player.save(b"three", device_id="pc")).result is UploadResult.CONFLICT


async def test_a_device_has_the_version_that_it_uploaded_or_reported(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.synced(slot, "deck", 1)
    assert (await player.save(b"two", device_id="deck")).result is UploadResult.HEAD
    assert (await player.save(b"three")).result is UploadResult.HEAD
    assert (await player.save(b"four")).result is UploadResult.HEAD
    # A requested download proves nothing.
    await player.queries.download(player.id, slot, 4)
    assert (await player.request(b"five", device_id="deck")).conflict_expected
    await player.synced(slot, "deck", 4)
    assert not (await player.request(b"five", device_id="deck")).conflict_expected
    assert (await player.save(b"five", device_id="deck")).result is UploadResult.HEAD
    # A device that uploads the bytes of the head has the head.
    await player.save(b"six", device_id="deck")
    assert (await player.save(b"six", device_id="pc", base_version=1)).result is UploadResult.IDENTICAL
    assert (await player.save(b"seven", device_id="pc")).result is UploadResult.HEAD


async def test_a_named_base_overrides_the_version_of_the_device(player):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="deck", base_version=1)
    assert (await player.save(b"three", device_id="pc", base_version=2)).result is UploadResult.HEAD
    assert (await player.save(b"four", device_id="pc", base_version=0)).result is UploadResult.CONFLICT
    waiting = await player.request(b"five")
    assert (
        await player.request(b"six", base_version=5)
    ).conflict_expected  # there is no such version yet: it grew from nothing
    with pytest.raises(SavegameVersionNotFound) as error:
        await player.request(b"six", base_version=77)
    assert error.value.pointer == "base_version"
    assert (await player.confirm(waiting)).version == 5
    with pytest.raises(SavegameVersionNotFound):
        await player.request(b"six", "other", base_version=1)


async def test_an_upload_with_an_older_base_than_the_head_is_a_branch(player):
    first = await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    branch = await player.save(b"three", base_version=1, device_id="deck")
    assert (branch.result, branch.version, branch.head_version) == (UploadResult.CONFLICT, 3, 2)
    grown = await player.save(b"four", device_id="deck")
    assert (grown.result, grown.version, grown.conflict_id) == (UploadResult.CONFLICT, 4, branch.conflict_id)
    assert await player.versions(first.slot_id) == {
        1: (0, None, "history"),
        2: (1, None, "head"),
        3: (1, None, "branch"),
        4: (3, None, "branch"),
    }
    assert [event.is_branch for event in player.events if isinstance(event, SavegameUploaded)] == [
        False,
        False,
        True,
        True,
    ]


async def test_of_two_first_uploads_the_one_confirmed_later_is_a_branch(player):
    first, second = await player.request(b"one"), await player.request(b"two")
    head = await player.confirm(second)
    branch = await player.confirm(first)
    assert (head.result, head.version) == (UploadResult.HEAD, 2)
    assert (branch.result, branch.version, branch.head_version) == (UploadResult.CONFLICT, 1, 2)
    assert await player.versions(head.slot_id) == {1: (0, None, "branch"), 2: (0, None, "head")}


@pytest.mark.parametrize(("most", "size"), [(3, 4), (600, 601), (0, 501)])
async def test_the_policy_of_a_product_has_its_own_limit_of_a_file(player, most, size):
    await player.set_policy(limits={"max_file_bytes": most})
    with pytest.raises(SavegameFileTooLarge) as refused:
        await player.request(b"x" * size)
    assert (refused.value.pointer, refused.value.meta["max_bytes"]) == ("file_size_bytes", size - 1)
    assert (await player.save(b"x" * (size - 1))).result is UploadResult.HEAD


async def test_a_file_that_is_too_large_is_refused(player):
    with pytest.raises(SavegameFileTooLarge):
        await player.request(b"x" * 501)
    player.access.barred.add(player.product)
    with pytest.raises(PermissionDenied):
        await player.request(b"x")
    player.access.barred.clear()
    await player.request(b"x" * 500)
    await player.request(b"y" * 500)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"z")
    assert error.value.meta["limit"] == "user"
    with pytest.raises(SavegameVersionNotFound):
        await player.request(b"", base_version=7)


async def test_known_bytes_of_another_size_are_refused(player):
    await player.save(b"one")
    with pytest.raises(InvalidInput) as error:
        await player.request(b"one", "other", file_size_bytes=4)
    assert error.value.problems[0].rule == "size_of_known_content"


async def test_the_number_of_open_uploads_is_limited(player):
    for number in range(MAX_OPEN_UPLOADS):
        waiting = await player.request(b"%d" % number)
    with pytest.raises(UserQuotaExceeded) as error:
        await player.request(b"more")
    assert error.value.meta == {"limit": "open_uploads", "max": MAX_OPEN_UPLOADS}
    await player.confirm(waiting)
    assert await player.request(b"more")


async def test_the_same_bytes_are_stored_once_and_joined_on_request(player):
    first = await player.save(b"one")
    joined = await player.request(b"one", "other")
    assert not joined.is_required
    assert await player.uploads.begin_confirmation(player.id, joined.upload_id) is None
    # A content that an upload has joined stays, even if no version holds it any more.
    await player.service.delete(player.id, first.slot_id, permanent=True)
    assert await player.usage() == (3, 0)
    outcome = await player.confirm(joined)
    assert outcome.result is UploadResult.HEAD
    assert (last(player, SavegameUploaded).sent_bytes, len(await player.rows("contents"))) == (0, 1)
    await player.service.delete(player.id, outcome.slot_id, permanent=True)
    assert await player.usage() == (0, 0)


async def test_a_dropped_content_is_never_joined(player):
    first = await player.save(b"one")
    await player.service.delete(player.id, first.slot_id, permanent=True)
    again = await player.request(b"one")
    assert again.is_required
    await player.confirm(again)
    assert sorted(row["state"] for row in await player.rows("contents")) == ["dropped", "live"]
    assert len({row["s3_object_key"] for row in await player.rows("contents")}) == 2


async def test_two_uploads_of_the_same_new_bytes_become_one_content(player):
    one, other = await player.request(b"one", "one"), await player.request(b"one", "other")
    assert (one.is_required, other.is_required, await player.usage()) == (True, True, (0, 3))
    await player.confirm(one)
    await player.confirm(other)
    assert await player.usage() == (3, 0)
    assert [row["state"] for row in await player.rows("contents")] == ["live"]
    await player.sweep()
    assert {row["s3_object_key"] for row in await player.rows("contents")} == player.objects


async def test_a_repeated_confirmation_has_the_same_outcome(player):
    first = await player.request(b"one")
    outcome = await player.confirm(first)
    await player.save(b"two")
    branch = await player.request(b"three", base_version=1)
    conflict = await player.confirm(branch)
    for _ in range(2):
        assert await player.confirm(first) == outcome
        assert await player.confirm(branch) == conflict
        assert await player.uploads.renew(player.id, first.upload_id) is None
    assert len(await player.rows("metadata")) == 3
    player.later(seconds=REMEMBER_FOR.total_seconds())
    await player.sweep()
    with pytest.raises(SavegameVersionNotFound):
        await player.confirm(first)


async def test_of_two_concurrent_confirmations_the_later_leaves_no_object(player):
    waiting = await player.request(b"one")
    attempts = [await player.uploads.begin_confirmation(player.id, waiting.upload_id) for _ in range(2)]
    assert attempts[0].target != attempts[1].target
    outcomes = [
        await player.uploads.finish_confirmation(player.id, waiting.upload_id, one, Digest(3, one.content))
        for one in attempts
    ]
    assert outcomes[0] == outcomes[1]
    marked = await player.sweeps.mark_for_deletion(1000)
    assert [one.key for one in marked if one.user_id == player.id] == [attempts[1].target]


@pytest.mark.parametrize("sent", [b"two", b"longer", b""])
async def test_an_upload_of_other_bytes_frees_its_room(player, sent):
    waiting = await player.request(b"one")
    outcome = await player.confirm(waiting, sent)
    assert outcome.result is UploadResult.MISMATCH
    failed = last(player, UploadFailed)
    assert (failed.upload_id, failed.reason) == (waiting.upload_id, FailureReason.MISMATCH)
    assert await player.usage() == (0, 0)
    # A client that lost the response gets the same one for a month.
    for _ in range(2):
        assert await player.confirm(waiting) == outcome
    assert (await player.queries.saves(player.id, SavesFilter())).total == 0
    await player.sweep()
    assert not player.objects
    player.later(seconds=REMEMBER_FOR.total_seconds())
    await player.sweep()
    assert await player.rows("slots") == []
    with pytest.raises(SavegameVersionNotFound):
        await player.confirm(waiting)


async def test_a_slot_stays_while_another_upload_to_it_is_open(player):
    first, second, third = [await player.request(content) for content in (b"one", b"two", b"three")]
    assert (await player.confirm(first, b"other")).result is UploadResult.MISMATCH
    player.later(minutes=30)
    await player.uploads.renew(player.id, third.upload_id)
    player.later(minutes=40)
    await player.sweep()
    with pytest.raises(SavegameVersionNotFound):
        await player.confirm(second)
    assert (await player.confirm(third)).version == 3


async def test_bytes_that_were_not_sent_yet_can_be_sent_later(player):
    waiting = await player.request(b"one")
    attempt = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    await player.uploads.abandon_confirmation(player.id, attempt)
    assert await player.rows("contents") == []
    for given in ((None, None), (attempt, None)):  # nothing was copied, or the object was deleted
        with pytest.raises(SavegameUploadIncomplete):
            await player.uploads.finish_confirmation(player.id, waiting.upload_id, *given)
    assert await player.usage() == (0, 3)
    assert (await player.confirm(waiting)).result is UploadResult.HEAD


async def test_a_confirmation_that_took_too_long_can_start_again(player):
    waiting = await player.request(b"one")
    attempt = await player.uploads.begin_confirmation(player.id, waiting.upload_id)
    player.later(seconds=ATTEMPT_FOR.total_seconds())
    await player.sweep()  # its object is deleted
    with pytest.raises(SavegameUploadIncomplete):
        await player.uploads.finish_confirmation(player.id, waiting.upload_id, attempt, Digest(3, attempt.content))
    assert (await player.confirm(waiting)).result is UploadResult.HEAD


async def test_an_upload_can_be_confirmed_until_an_hour_after_its_url(player):
    first, second = await player.request(b"one"), await player.request(b"two")
    player.later(seconds=(player.limits.url_lives + HOUR - SECOND).total_seconds())
    assert (await player.confirm(first)).result is UploadResult.HEAD
    player.later(seconds=1)
    with pytest.raises(SavegameVersionNotFound):
        await player.confirm(second)
    assert await player.uploads.renew(player.id, second.upload_id) is None


async def test_expired_uploads_use_no_room_before_the_job_runs(player):
    for content in (b"x" * 500, b"y" * 500):
        await player.request(content, "other")
    player.later(hours=2)
    again = await player.request(b"z" * 500)
    assert await player.usage() == (0, 500)
    assert [row["slot_name"] for row in await player.rows("slots")] == ["slot"]
    assert (await player.confirm(again)).version == 1


async def test_an_open_reservation_can_be_renewed(player):
    waiting = await player.request(b"one")
    player.later(minutes=64)
    again = await player.uploads.renew(player.id, waiting.upload_id)
    assert again == waiting
    player.later(minutes=64)
    player.access.barred.add(player.product)
    with pytest.raises(PermissionDenied):
        await player.uploads.renew(player.id, waiting.upload_id)
    assert (await player.confirm(waiting)).result is UploadResult.HEAD


async def test_an_upload_of_another_user_is_unknown(player, new_player):
    other, waiting = new_player(), await player.request(b"one")
    for upload_id in (waiting.upload_id, uuid4()):
        with pytest.raises(SavegameVersionNotFound):
            await other.uploads.begin_confirmation(other.id, upload_id)
        with pytest.raises(SavegameVersionNotFound):
            await other.uploads.finish_confirmation(other.id, upload_id, None, None)
        assert await other.uploads.renew(other.id, upload_id) is None
    assert (await player.confirm(waiting)).result is UploadResult.HEAD


async def test_an_upload_never_joins_a_content_of_another_user(player, new_player):
    await player.save(b"one")
    assert (await new_player().request(b"one")).is_required


async def test_of_many_devices_the_last_64_are_remembered(player):
    slot = (await player.save(b"one", device_id="first")).slot_id
    for number in range(70):
        player.later(seconds=1)
        await player.synced(slot, f"device {number}", 1)
    assert {row["device_id"] for row in await player.rows("devices")} == {f"device {number}" for number in range(6, 70)}
