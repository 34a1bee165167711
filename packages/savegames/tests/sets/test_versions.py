"""Requests beside versions of a set: what is there already is not sent, and what would be lost is asked about."""

import pytest
from gameshelf.savegames import (
    SavegameBaseNotSynced,
    SavegameHashMismatch,
    SavegamePolicyChanged,
    SavegameShrinks,
    SavegameVersionNotFound,
    UploadResult,
)

WORLD = {"world/level.dat": b"level", "world/map.dat": b"a map", "options.ini": b"loud"}


async def test_of_a_thousand_files_only_the_changed_ones_are_sent(new_player, of_player):
    sets = of_player(new_player())
    before = {f"world/{number}": b"%d" % number for number in range(1000)}
    first = await sets.save(before)
    assert (first.result, first.file_count) == (UploadResult.HEAD, 1000)
    used, _ = await sets.player.usage()
    after = before | {f"world/{number}": b"changed %d" % number for number in range(3)}
    for more in ({}, {"delta": sets.delta(1, before, after)}):
        reservation = await sets.request(None if more else after, **more.get("delta", {}))
        assert len(reservation.missing) == 3
        assert (reservation.file_count, reservation.base_version) == (1000, 1)
    assert await sets.player.usage() == (used, 27)
    [held] = await sets.player.connection.fetch(
        "SELECT count(*) FROM savegames.savegame_manifest_contents h JOIN savegames.savegame_uploads u "
        "ON u.manifest_id = h.manifest_id WHERE u.user_id = $1 AND u.outcome IS NULL",
        sets.id,
    )
    assert held["count"] == 997
    second = await sets.save(after, delta=sets.delta(1, before, after))
    assert (second.result, second.version, second.new_bytes) == (UploadResult.HEAD, reservation.base_version + 1, 27)


async def test_a_delta_with_another_result_reserves_nothing(sets):
    await sets.save(WORLD)
    delta = sets.delta(1, WORLD, WORLD | {"new": b"new"})
    with pytest.raises(SavegameHashMismatch):
        await sets.request(None, **delta | {"set_sha256": sets.hash_of(b"")})
    with pytest.raises(SavegameVersionNotFound):
        await sets.request(None, **delta | {"base_version": 7})
    assert [row["outcome"] is None for row in await sets.rows("uploads")] == [False]
    assert (await sets.player.usage())[1] == 0


async def test_a_delta_may_remove_and_respell(sets):
    await sets.save(WORLD)
    after = {"World/Level.dat": b"level", "world/map.dat": b"a map", "new": b"n"}
    delta = sets.delta(1, WORLD, after)
    delta["remove"] = ("options.ini",)
    outcome = await sets.save(after, delta=delta)
    assert (outcome.version, outcome.file_count) == (2, 3)
    assert sorted(map(sorted, await sets.listed()))[0] == sorted(after)


async def test_a_device_that_never_had_the_head_does_not_replace_it(sets):
    await sets.save(WORLD)
    with pytest.raises(SavegameBaseNotSynced) as error:
        await sets.request(WORLD | {"new": b"new"}, device_id="deck", base_version=1)
    assert error.value.meta == {"head_version": 1, "device_version": None}
    [slot] = await sets.rows("slots")
    await sets.player.synced(slot["id"], "deck", 1)
    assert (await sets.request(WORLD | {"new": b"new"}, device_id="deck")).base_version == 1


async def test_a_save_that_shrinks_needs_the_number_of_files(sets):
    await sets.save(WORLD)
    with pytest.raises(SavegameShrinks) as error:
        await sets.request({"options.ini": b"loud"})
    assert (error.value.meta["removed"], error.value.meta["bytes"]) == (2, 10)
    reservation = await sets.request({"options.ini": b"loud"}, confirm_removals=2)
    assert reservation.missing == ()
    # The same request again is the upload that is open.
    assert (await sets.request({"options.ini": b"loud"})).upload_id == reservation.upload_id


async def test_a_set_in_the_trash_needs_no_bytes(sets):
    saved = await sets.save(WORLD)
    await sets.player.service.delete(sets.id, saved.slot_id)
    reservation = await sets.request(WORLD)
    assert (reservation.is_deleted, reservation.missing, reservation.file_count) == (True, (), 3)
    assert (await sets.request(WORLD)).upload_id == reservation.upload_id
    outcome = await sets.sets.finish(sets.id, reservation.upload_id)
    assert (outcome.result, outcome.slot_id) == (UploadResult.DELETED, saved.slot_id)
    changed = await sets.request(WORLD | {"new": b"new"})
    assert (changed.is_deleted, len(changed.missing)) == (False, 1)


async def test_the_device_has_to_use_the_current_policy(sets):
    await sets.player.set_policy()
    with pytest.raises(SavegamePolicyChanged):
        await sets.request(WORLD, policy_revision=3)
    assert (await sets.request(WORLD, policy_revision=1)).file_count == 3


async def test_content_that_was_lost_is_mended_by_the_next_set_that_has_it(sets):
    await sets.save(WORLD)
    await sets.player.connection.execute(
        "UPDATE savegames.savegame_contents SET missing_since = now() WHERE user_id = $1 AND kind = 'file'", sets.id
    )
    after = WORLD | {"new": b"new"}
    reservation = await sets.request(after)
    assert len(reservation.missing) == 4
    assert await sets.player.usage() == (14, 3)
    sets.send_all(reservation, after)
    await sets.verify(reservation)
    outcome = await sets.sets.finish(sets.id, reservation.upload_id)
    assert (outcome.version, outcome.new_bytes) == (2, 3)
    contents = [row for row in await sets.rows("contents") if row["state"] == "live" and row["kind"] == "file"]
    assert [row["missing_since"] for row in contents] == [None] * 4
    for row in contents:
        assert sets.objects.content(row["s3_object_key"])


async def test_a_file_becomes_a_set_and_a_set_a_file(sets):
    await sets.player.save(b"single", "slot", device_id="pc")
    outcome = await sets.save(WORLD)
    assert (outcome.result, outcome.version) == (UploadResult.HEAD, 2)
    with pytest.raises(SavegameShrinks) as error:
        await sets.request([sets.entry(None, b"single")])
    assert error.value.meta["removed"] == 3
    reservation = await sets.request([sets.entry(None, b"single")], confirm_removals=3)
    assert (reservation.is_set, reservation.base_version) == (False, 2)


async def test_a_set_and_a_file_with_its_list_are_not_the_same(sets):
    text = f"{sets.hash_of(b'x')} a\n".encode()
    single = await sets.player.save(text, "slot", device_id="pc")
    outcome = await sets.save({"a": b"x"})
    assert (outcome.result, outcome.version) == (UploadResult.HEAD, single.version + 1)
