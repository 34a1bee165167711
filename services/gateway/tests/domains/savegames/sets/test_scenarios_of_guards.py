"""Scenarios 15 to 19 of the design of sets: guards of a set, plans of other devices, and policies that change."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from gameshelf.devstack.events import CloudEvent
from gameshelf.savegames import SaveFile, identity_of

UPDATED = "com.platform.catalog.product.updated.v1"
OLD = {"saves/a.dat": b"a", "saves/b.dat": b"b"}
NEW = {"saves/a.dat": b"a 2", "saves/b.dat": b"b"}


def identity(files):
    return identity_of(SaveFile(path, len(one), sha256(one).digest()) for path, one in files.items()).hex()


async def planned(device, files, intent="launch", **more):
    """The plan of a device that has these files, and its only save."""
    slots = [{"slot_name": "world", "content_hash": files and identity(files), **more}]
    asked = {"product_id": str(device.device.product), "device_id": device.name, "intent": intent, "slots": slots}
    answer = await device.player.post("/savegames/plan", asked)
    assert answer.status_code == 200, answer.text
    attributes = answer.json()["data"]["attributes"]
    return attributes, attributes["slots"][0]


async def try_to_save(device, files, **more):
    entries = [device.entry(path, content) for path, content in files.items()]
    return await device.ask({"files": entries, **more})


def refusal(response):
    [error] = response.json()["errors"]
    return response.status_code, error["code"], error["meta"]


async def state_policy(device, wait_until, revision, **policy):
    """States the policy of the game as the Catalog does, and waits until it counts."""
    data = {"productId": str(device.device.product), "savegamePolicy": {"revision": revision, **policy}}
    await device.player.publish(CloudEvent(UPDATED, data))

    async def is_stored():
        found = await device.player.get(f"/savegames/policy/{device.device.product}")
        return found["data"]["attributes"]["revision"] == revision

    await wait_until(is_stored)


async def test_scenario_15_base_not_synced(player, pc, deck, data_of):
    savegame_id, _ = data_of(await pc.save(OLD))
    assert (await planned(deck, NEW, base_version=1))[1]["reason"] == "base_not_synced"
    status, code, meta = refusal(await try_to_save(deck, NEW, base_version=1))
    assert (status, code, meta["head_version"]) == (409, "SAVEGAME_BASE_NOT_SYNCED", 1)
    assert await pc.load(savegame_id) == OLD
    assert (await player.get("/savegames/uploads"))["data"] == []
    await deck.load(savegame_id)
    assert (await planned(deck, NEW))[1]["reason"] == "changed"
    assert data_of(await deck.save(NEW, base_version=1))[1]["version"] == 2


async def test_scenario_16_a_regression_is_named_and_a_restore_passes(pc, data_of):
    savegame_id, _ = data_of(await pc.save(OLD))
    data_of(await pc.save(NEW, base_version=1))
    plan, slot = await planned(pc, OLD, base_version=2)
    assert (slot["action"], slot["reason"], slot["regresses_to"], plan["proceed"]) == ("upload", "regresses", 1, "ask")
    committed = await pc.save(OLD, base_version=2)
    assert (committed.status_code, committed.json()["meta"]["regresses_to"]) == (200, 1)
    restored = await pc.player.post(f"/savegames/{savegame_id}/restore", {"version": 2, "device_id": pc.name})
    _, head = data_of(restored)
    assert (head["version"], head["content_identity"]) == (4, identity(NEW))
    assert await pc.load(savegame_id) == NEW


async def test_scenario_17_shrinking_asks_for_the_count(pc, data_of, fields_of):
    files = {f"saves/{number}.dat": b"%d" % number for number in range(49)}
    left = dict(list(files.items())[:13])
    savegame_id, _ = data_of(await pc.save(files))
    for more in ({}, {"confirm_removals": 35}):
        status, code, meta = refusal(await try_to_save(pc, left, base_version=1, **more))
        assert (status, code, meta["removed"]) == (409, "SAVEGAME_SHRINKS", 36)
    [(field, _)] = fields_of(await try_to_save(pc, left, base_version=1, confirm_removals=0))
    assert field == "confirm_removals"
    assert await pc.load(savegame_id) == files
    assert data_of(await pc.save(left, base_version=1, confirm_removals=36))[1]["file_count"] == 13
    assert await pc.load(savegame_id) == left
    assert await pc.load(savegame_id, 1) == files


async def test_scenario_18_exit_without_commit_is_pending(pc, deck, data_of, connection):
    savegame_id, _ = data_of(await pc.save(OLD))
    await deck.load(savegame_id)
    # Played for two hours and ten minutes. A session's times are whole seconds.
    playing = {"product_id": str(deck.device.product), "device_id": deck.name}
    session = (await deck.player.post("/playtime/sessions/start", playing)).json()["data"]["id"]
    plan, _ = await planned(pc, OLD)
    assert ([one["state"] for one in plan["others"]], plan["proceed"]) == (["session_active"], "ask")
    earlier = "UPDATE playtime.playtime_sessions SET start_time = $2 WHERE id = $1"
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=130)
    await connection.execute(earlier, UUID(session), began)
    assert (await deck.player.post(f"/playtime/sessions/{session}/end")).status_code == 200
    await planned(deck, NEW, "exit")
    plan, _ = await planned(pc, OLD)
    [other] = plan["others"]
    assert (other["device_id"], other["state"], other["slot_name"]) == ("deck", "upload_pending", "world")
    assert 7800 <= other["unsynced_playtime_seconds"] < 8400
    assert plan["proceed"] == "ask"
    upload_id, attributes = await deck.begin(NEW)
    plan, _ = await planned(pc, OLD)
    assert ([one["state"] for one in plan["others"]], plan["proceed"]) == (["upload_open"], "wait")
    await deck.send_all(upload_id, attributes, NEW)
    data_of(await deck.commit(upload_id))
    plan, slot = await planned(pc, OLD)
    assert (plan["others"], plan["proceed"], slot["action"]) == ([], "yes", "download")


async def test_scenario_19_a_narrower_policy_deletes_nothing(pc, data_of, wait_until):
    await state_policy(pc, wait_until, 1, roots={"saves": {}})
    old = {f"saves/{number}.log": b"%d" % number for number in range(9)} | {"saves/a.sav": b"a"}
    savegame_id, _ = data_of(await pc.save(old, policy_revision=1))
    await state_policy(pc, wait_until, 2, roots={"saves": {"include": ["*.sav"]}})
    status, code, meta = refusal(await try_to_save(pc, {"saves/a.sav": b"a 2"}, base_version=1, policy_revision=1))
    assert (status, code, meta["policy_revision"]) == (409, "SAVEGAME_POLICY_CHANGED", 2)
    assert meta["policy"]["roots"]["saves"]["include"] == ["*.sav"]
    # Nine of ten files are no longer covered: that is no shrinking, and no deletion.
    saved = await pc.save({"saves/a.sav": b"a 2"}, base_version=1, policy_revision=2)
    assert data_of(saved)[1]["file_count"] == 1
    assert await pc.load(savegame_id, 1) == old
    restored = await pc.player.post(f"/savegames/{savegame_id}/restore", {"version": 1, "device_id": pc.name})
    assert data_of(restored)[1]["file_count"] == 10
    assert await pc.load(savegame_id) == old


async def test_branches_that_changed_other_units_are_planned_as_a_merge(pc, deck, data_of, wait_until):
    await state_policy(pc, wait_until, 1, merge="units", units=[{"name": "{w}", "match": ["saves/{w}/**"]}])
    base = {"saves/w1/a": b"1", "saves/w2/a": b"1", "saves/options": b"1"}
    savegame_id, _ = data_of(await pc.save(base))
    await deck.load(savegame_id)
    data_of(await pc.save({**base, "saves/w1/a": b"2"}, base_version=1))

    async def reason(changes):
        files = {**base, **changes}
        units = [
            {"name": name, "sha256": identity({path: one for path, one in files.items() if path.startswith(prefix)})}
            for name, prefix in (("w1", "saves/w1/"), ("W2", "saves/w2/"), ("saves/", "saves/options"))
        ]
        plan, slot = await planned(deck, files, units=units)
        return slot["action"], slot["reason"], plan["proceed"]

    assert await reason({"saves/w2/a": b"2"}) == ("merge", "units", "yes")
    assert await reason({"saves/w1/a": b"3"}) == ("conflict", "diverged", "ask")
    plan, slot = await planned(deck, {**base, "saves/w2/a": b"2"})
    assert (slot["reason"], plan["proceed"]) == ("diverged", "ask")
    # What was planned happens.
    merged = await deck.save({**base, "saves/w2/a": b"2"}, base_version=1)
    assert (merged.status_code, merged.json()["meta"]["resolution"]) == (200, "merge")
    assert await pc.load(savegame_id) == {**base, "saves/w1/a": b"2", "saves/w2/a": b"2"}
