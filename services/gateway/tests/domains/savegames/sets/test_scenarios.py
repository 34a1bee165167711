"""The scenarios of the design for saves that are sets of files, over REST and a real object store: 1 to 9, 14 to 19."""

import asyncio
import re
from hashlib import sha256

import pytest
import zstandard
from gameshelf.devstack.pytest_plugin import sized

WORLDS = [{"name": "{w}", "match": ["saves/{w}/**"]}]
MOST_STATEMENTS = 12
VERIFIED = re.compile(r"savegame_verify_seconds_count (\S+)")
SHRINKS = (409, "SAVEGAME_SHRINKS")
CONFLICT = (409, "SAVEGAME_VERSION_CONFLICT")
TWO = {"saves/w1/a": b"1a", "saves/w1/b": b"1b", "saves/w2/a": b"2a", "saves/w2/b": b"2b"}


def hash_of_list(files):
    lines = (f"{sha256(content).hexdigest()} {path}\n" for path, content in sorted(files.items()))
    return sha256("".join(lines).encode()).hexdigest()


@pytest.fixture
def apart(pc, deck, data_of):
    """Lets two devices have version 1, and then save two versions that are based on it; returns the last answer."""

    async def diverge(head, branch, first=TWO, **more):
        savegame_id, _ = data_of(await pc.save(first))
        assert await deck.load(savegame_id) == first
        data_of(await pc.save(head, base_version=1, confirm_removals=removed(first, head)))
        answer = await deck.save(branch, base_version=1, confirm_removals=removed(first, branch), **more)
        return savegame_id, answer

    return diverge


def removed(before, after):
    return len(before.keys() - after.keys()) or None


@pytest.fixture
def resolve(player):
    async def by(answer, **choice):
        conflict = answer.json()["errors"][0]["meta"]["conflict_id"]
        return await player.post(f"/savegames/conflicts/{conflict}/resolve", {"resolution": "merge", **choice})

    return by


async def test_scenario_01_merge_without_units_is_refused(pc, refused, apart, resolve):
    savegame_id, answer = await apart({**TWO, "saves/w1/a": b"head"}, {**TWO, "saves/w2/a": b"branch"})
    assert refused(answer) == CONFLICT
    merged = await resolve(answer)
    assert refused(merged) == (409, "SAVEGAME_MERGE_SPLITS_UNIT")
    assert merged.json()["errors"][0]["meta"] == {"reason": "no_units"}
    assert await pc.load(savegame_id) == {**TWO, "saves/w1/a": b"head"}


async def test_scenario_01_a_key_that_is_no_unit_is_refused(pc, set_policy, fields_of, apart, resolve):
    await set_policy(pc.device.product, units=WORLDS)
    _, answer = await apart({**TWO, "saves/w1/a": b"head"}, {**TWO, "saves/w2/a": b"branch"})
    assert [place for place, _ in fields_of(await resolve(answer, units={"w3": "head"}))] == ["units/w3"]
    assert fields_of(await resolve(answer, resolution="keep_cloud", units={"w1": "head"}))[0][0] == "units"


async def test_scenario_02_two_units_merge_themselves(player, pc, connection, set_policy, data_of, apart):
    await set_policy(pc.device.product, units=WORLDS, merge="units")
    head, branch = {**TWO, "saves/w1/a": b"head"}, {**TWO, "saves/w2/a": b"branch"}
    savegame_id, answer = await apart(head, branch)
    _, merged = data_of(answer)
    meta = answer.json()["meta"]
    assert (meta["result"], meta["resolution"]) == ("resolved", "merge")
    assert (merged["parent_version"], merged["merged_version"]) == (2, 3)
    assert await pc.load(savegame_id) == {**head, "saves/w2/a": b"branch"}
    contents = (
        "SELECT count(*) FROM savegames.savegame_contents WHERE user_id = $1 AND kind = 'file' AND state = 'live'"
    )
    assert await connection.fetchval(contents, player.id) == len({*TWO.values(), b"head", b"branch"})


async def test_scenario_03_a_deleted_file_stays_deleted(pc, set_policy, data_of, apart):
    await set_policy(pc.device.product, units=WORLDS, merge="units")
    head = {path: content for path, content in TWO.items() if path != "saves/w1/b"}
    savegame_id, answer = await apart(head, {**TWO, "saves/w2/a": b"branch"})
    data_of(answer)
    assert await pc.load(savegame_id) == {**head, "saves/w2/a": b"branch"}


async def test_scenario_04_delete_against_change_is_asked(player, pc, set_policy, data_of, refused, apart, resolve):
    await set_policy(pc.device.product, units=WORLDS, merge="units")
    head = {path: content for path, content in TWO.items() if "/w1/" not in path}
    branch = {**TWO, "saves/w1/a": b"branch"}
    savegame_id, answer = await apart(head, branch)
    assert refused(answer) == CONFLICT
    meta = answer.json()["errors"][0]["meta"]
    assert (meta["base_version"], meta["differences_count"], meta["unnamed_count"]) == (1, 2, 1)
    conflict = meta["conflict_id"]
    shown = (await player.get(f"/savegames/conflicts/{conflict}"))["data"]["attributes"]
    assert (shown["base_version"], shown["differences_count"]) == (1, 2)
    assert {(one["unit"], one["kind"], one["suggested"]) for one in shown["differences"]} == {
        ("w1", "delete_vs_change", None)
    }
    paged = await player.get(f"/savegames/conflicts/{conflict}/differences", limit=1)
    assert (paged["meta"]["total_items"], paged["data"][0]["attributes"]["head"]) == (2, None)
    asked = await resolve(answer)
    error = asked.json()["errors"][0]
    assert (asked.status_code, error["meta"]["unnamed"]) == (400, ["w1"])
    data_of(await resolve(answer, units={"w1": "branch"}))
    assert await pc.load(savegame_id) == branch


async def test_scenario_05_only_times_differ(pc, data_of):
    def entries(time):
        return [pc.entry(path, content, modified_at=time) for path, content in TWO.items()]

    data_of(await pc.save(TWO))
    upload_id, attributes = data_of(await pc.ask({"files": entries("2026-05-20T19:29:50Z"), "base_version": 1}))
    assert (attributes["missing_count"], attributes["uploads"]) == (0, [])
    committed = await pc.commit(upload_id)
    assert (committed.json()["meta"]["result"], data_of(committed)[1]["version"]) == ("identical", 1)


async def test_scenario_06_raw_bytes_and_a_false_raw_hash(pc, data_of, refused):
    raw = b" ".join(b"%d" % (number * number) for number in range(3000))
    marks = {"content_encoding": "zstd", "raw_sha256": sha256(raw).hexdigest(), "raw_size_bytes": len(raw)}
    packed = [zstandard.ZstdCompressor(level=level).compress(raw) for level in (1, 19)]
    assert packed[0] != packed[1]
    results = []
    for content in packed:
        entries = [pc.entry("saves/level", content, **marks), pc.entry("saves/b", b"b")]
        upload_id, attributes = data_of(await pc.ask({"files": entries}))
        await pc.send(attributes, {"a": content, "b": b"b"})
        results.append((await pc.commit(upload_id)).json()["meta"]["result"])
    assert results == ["head", "identical"]
    other = zstandard.ZstdCompressor().compress(raw[::-1])
    upload_id, attributes = data_of(await pc.ask({"files": [pc.entry("saves/level", other, **marks)]}))
    await pc.send(attributes, {"a": other})
    answer = await pc.commit(upload_id)
    assert refused(answer) == (422, "SAVEGAME_HASH_MISMATCH")
    [named] = answer.json()["errors"][0]["meta"]["mismatched"]
    assert (named["path"], named["reason"]) == ("saves/level", "raw_sha256")


async def test_scenario_07_any_order_and_astral_letters(pc, data_of):
    files = {"saves/a.sav": b"", "saves/\U0001f600.sav": b"a", "saves/\uffee.sav": b"hello"}
    published = "b602436695ab01a3c811569d369949ba972a58618c45784639745cba3f8e85e7"
    for slot, ordered in (("one", files), ("other", dict(reversed(files.items())))):
        savegame_id, saved = data_of(await pc.save(ordered, slot))
        assert saved["file_hash_sha256"] == published
        assert await pc.load(savegame_id) == files


async def test_scenario_08_a_new_spelling_moves_nothing(player, pc, data_of):
    savegame_id, _ = data_of(await pc.save({"SAVE/x": b"x", "SAVE/y": b"y", "SAVE/z": b"z"}))
    spelt = {"save/x": b"x", "save/y": b"y", "save/z": b"z"}
    upload_id, attributes = await pc.begin(spelt, base_version=1)
    assert attributes["uploads"] == []  # nothing counts as removed, and nothing is sent
    data_of(await pc.commit(upload_id))
    assert await pc.load(savegame_id) == spelt
    assert await player.saved_bytes() == (3, 0)


async def test_scenario_09_three_of_a_thousand_and_a_delta(pc, deck, data_of, refused):
    files = {f"saves/{number:04}": b"%d" % (number % 7) for number in range(1000)}
    savegame_id, _ = data_of(await pc.save(files))
    changed = {**files, "saves/0001": b"new 1", "saves/0500": b"new 2", "saves/0999": b"new 3"}
    upload_id, attributes = await pc.begin(changed, base_version=1)
    assert len(attributes["uploads"]) == 3
    put = [pc.entry(path, content) for path, content in changed.items() if files[path] != content]
    delta = {"base_version": 1, "put": put, "set_sha256": hash_of_list(changed)}
    again, _ = data_of(await pc.ask(delta))
    assert again == upload_id  # the same request, said in another way
    wrong = await deck.ask({**delta, "set_sha256": hash_of_list(files)})
    assert refused(wrong) == (422, "SAVEGAME_HASH_MISMATCH")
    assert len((await pc.player.get("/savegames/uploads"))["data"]) == 1
    await pc.send_all(upload_id, attributes, changed)
    data_of(await pc.commit(upload_id))
    assert await deck.load(savegame_id) == changed


async def test_scenario_09_three_of_a_thousand_cost_three(pc, service, transactions):
    client, done = transactions

    async def verified():
        answer = await pc.store.get(service.metrics)
        return int(float(VERIFIED.search(answer.text)[1]))

    files = {f"saves/{number:04}": b"%d" % (number % 7) for number in range(1000)}
    assert (await pc.save(files)).status_code == 200
    for version in (1, 2):
        files |= {f"saves/{number:04}": b"%d of %d" % (number, version) for number in (1, 500, 999)}
        upload_id, attributes = await pc.begin(files, base_version=version)
        assert await pc.send(attributes, files) == 3
        if version == 1:
            before = await verified()
            assert (await pc.commit(upload_id)).status_code == 200
            assert await verified() == before + 3
    answer = await client.post(f"/uploads/{upload_id}/commit")
    assert answer.status_code == 200, answer.text
    await asyncio.sleep(0)  # what was done before is noted in the next round of the loop
    assert len(done[-1]) <= MOST_STATEMENTS


async def test_scenario_14_many_branches_of_one_device(player, pc, deck, data_of, refused):
    savegame_id, _ = data_of(await pc.save({"saves/a": b"first"}))
    await deck.load(savegame_id)
    data_of(await pc.save({"saves/a": b"head"}, base_version=1))
    answers = [await deck.save({"saves/a": b"branch %d" % number}, base_version=1) for number in range(sized(13, 50))]
    assert {refused(answer) for answer in answers} == {CONFLICT}
    [conflict] = (await player.get("/savegames/conflicts"))["data"]
    assert {answer.json()["errors"][0]["meta"]["conflict_id"] for answer in answers} == {conflict["id"]}
    versions = (await player.get(f"/savegames/{savegame_id}/versions", limit=100))["data"]
    kept = [one for one in versions if one["attributes"]["status"] != "pruned"]
    assert (len(versions), len(kept)) == (len(answers) + 2, 11)  # the ten newest, and the head


async def test_scenario_15_base_not_synced(pc, deck, data_of, refused):
    savegame_id, _ = data_of(await pc.save(TWO))
    defaults = {**TWO, "saves/w1/a": b"defaults"}
    entries = [deck.entry(path, content) for path, content in defaults.items()]
    answer = await deck.ask({"files": entries, "base_version": 1})
    assert refused(answer) == (409, "SAVEGAME_BASE_NOT_SYNCED")
    assert answer.json()["errors"][0]["meta"]["head_version"] == 1
    assert await deck.load(savegame_id) == TWO
    data_of(await deck.save(defaults, base_version=1))


async def test_scenario_16_regression_is_named_restore_passes(player, pc, data_of):
    old = {**TWO, "saves/w1/a": b"old"}
    savegame_id, _ = data_of(await pc.save(old))
    data_of(await pc.save(TWO, base_version=1))
    back = await pc.save(old, base_version=2)
    assert (back.json()["meta"]["regresses_to"], data_of(back)[1]["version"]) == (1, 3)
    _, restored = data_of(await player.post(f"/savegames/{savegame_id}/restore", {"version": 2, "device_id": "pc"}))
    assert (restored["version"], restored["device_id"]) == (4, "pc")
    assert await pc.load(savegame_id) == TWO


async def test_one_unit_is_restored_out_of_history(player, pc, set_policy, data_of, fields_of):
    await set_policy(pc.device.product, units=WORLDS)
    savegame_id, _ = data_of(await pc.save(TWO))
    data_of(await pc.save(dict.fromkeys(TWO, b"new"), base_version=1))
    path = f"/savegames/{savegame_id}/restore"
    _, restored = data_of(await player.post(path, {"version": 1, "units": ["w1"]}))
    assert restored["version"] == 3
    expected = {path: content if "/w1/" in path else b"new" for path, content in TWO.items()}
    assert await pc.load(savegame_id) == expected
    assert fields_of(await player.post(path, {"version": 1, "units": ["w9"]}))[0][0] == "units/0"


async def test_scenario_17_shrinking_asks_for_the_count(pc, data_of, refused, fields_of):
    files = {f"saves/{number:02}": b"%d" % number for number in range(49)}
    savegame_id, _ = data_of(await pc.save(files))
    left = dict(list(files.items())[:13])
    entries = [pc.entry(path, content) for path, content in left.items()]
    answer = await pc.ask({"files": entries, "base_version": 1})
    meta = answer.json()["errors"][0]["meta"]
    assert (refused(answer), meta["removed"], meta["head_version"]) == (SHRINKS, 36, 1)
    assert refused(await pc.ask({"files": entries, "base_version": 1, "confirm_removals": 35})) == SHRINKS
    zero = await pc.ask({"files": entries, "base_version": 1, "confirm_removals": 0})
    assert fields_of(zero)[0][0] == "confirm_removals"
    data_of(await pc.save(left, base_version=1, confirm_removals=36))
    assert await pc.load(savegame_id) == left


async def test_scenario_18_exit_without_commit_is_pending(player, pc, deck, data_of):
    async def plan(device, intent):
        asked = {"product_id": str(pc.device.product), "device_id": device.name, "device_name": device.name.upper()}
        slot = {"slot_name": "world", "content_hash": hash_of_list(TWO)}
        answer = await player.post("/savegames/plan", {**asked, "intent": intent, "slots": [slot]})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["attributes"]

    await plan(pc, "exit")
    waiting = await plan(deck, "launch")
    [other] = waiting["others"]
    assert (other["device_id"], other["state"], other["device_name"]) == ("pc", "upload_pending", "PC")
    assert waiting["proceed"] == "ask"
    data_of(await pc.save(TWO))
    assert (await plan(deck, "launch"))["others"] == []


async def test_scenario_19_a_narrower_policy_deletes_nothing(pc, deck, set_policy, data_of, fields_of):
    product = pc.device.product
    files = {f"saves/{number}.{ending}": b"%d" % number for number in range(3) for ending in ("sav", "bak")}
    savegame_id, _ = data_of(await pc.save(files))
    await set_policy(product, roots={"saves": {"include": ["*.sav"]}})
    narrow = {path: content for path, content in files.items() if path.endswith(".sav")}
    beyond = await pc.ask({"files": [pc.entry(path, content) for path, content in files.items()], "base_version": 1})
    assert {place for place, _ in fields_of(beyond)} == {f"files/{number}/path" for number in (1, 3, 5)}
    changed = {**narrow, "saves/0.sav": b"new"}
    data_of(await pc.save(changed, base_version=1))  # what the policy left out does not count as removed
    assert await deck.load(savegame_id) == changed
    assert await deck.load(savegame_id, 1) == files
    data_of(await pc.player.post(f"/savegames/{savegame_id}/restore", {"version": 1}))
    assert await deck.load(savegame_id) == files
