"""Sets of files over REST: requested, sent, committed and downloaded, byte for byte; and everything that is refused."""

import json
import os
from hashlib import sha256
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.savegames import SaveFile, hash_of, identity_of

NOT_FOUND = (404, "SAVEGAME_VERSION_NOT_FOUND")
NO_SAVE = (404, "SAVEGAME_SLOT_NOT_FOUND")
WORLD = {
    "saves/world-1/level.dat": b"level",
    "saves/world-1/Мир.dat": b"region" * 100,
    "saves/options.ini": b"",
    "saves/world-1/copy.dat": b"level",
}


def list_hash(files):
    return hash_of(SaveFile(path, len(content), sha256(content).digest()) for path, content in files.items()).hex()


async def test_a_set_is_saved_and_downloaded_byte_for_byte(player, pc, deck, data_of):
    upload_id, attributes = await pc.begin(WORLD, device_name="Computer", game_version_id="1.2")
    assert (attributes["status"], attributes["file_count"], attributes["base_version"]) == ("open", 4, 0)
    distinct = set(WORLD.values())
    assert (attributes["missing_count"], attributes["missing_bytes"]) == (3, sum(map(len, distinct)))
    hashes = [one["sha256"] for one in attributes["uploads"]]
    assert hashes == sorted(sha256(content).hexdigest() for content in distinct)
    assert await pc.send_all(upload_id, attributes, WORLD) == 3
    committed = await pc.commit(upload_id)
    savegame_id, saved = data_of(committed)
    assert committed.json()["meta"] == {"result": "head", "new_bytes": sum(map(len, distinct))}
    total = sum(map(len, WORLD.values()))
    assert (saved["version"], saved["file_count"], saved["file_size_bytes"]) == (1, 4, total)
    assert (saved["game_version_id"], saved["file_hash_sha256"]) == ("1.2", list_hash(WORLD))
    assert await deck.load(savegame_id) == WORLD
    assert await player.saved_bytes() == (sum(map(len, distinct)), 0)
    shown = (await player.get(f"/savegames/{savegame_id}/versions"))["data"][0]["attributes"]
    assert (shown["file_count"], shown["status"]) == (4, "head")


async def test_what_did_not_change_is_not_sent_again(player, pc, data_of):
    savegame_id, _ = data_of(await pc.save(WORLD))
    changed = {**WORLD, "saves/world-1/level.dat": b"level 2"}
    upload_id, attributes = await pc.begin(changed, base_version=1, savegame_id=savegame_id)
    assert [one["size_bytes"] for one in attributes["uploads"]] == [len(b"level 2")]
    await pc.send_all(upload_id, attributes, changed)
    _, saved = data_of(await pc.commit(upload_id))
    assert (saved["version"], saved["parent_version"]) == (2, 1)
    assert await pc.load(savegame_id) == changed
    assert await pc.load(savegame_id, 1) == WORLD


async def test_the_files_of_a_version_are_listed_in_pages(player, pc, data_of, refused):
    savegame_id, _ = data_of(await pc.save(WORLD))
    page = await player.get(f"/savegames/{savegame_id}/versions/1/files", limit=3)
    assert (page["meta"]["total_items"], len(page["data"])) == (4, 3)
    following = await player.get(f"/savegames/{savegame_id}/versions/1/files", limit=3, page=2)
    listed = [one["attributes"] for one in [*page["data"], *following["data"]]]
    assert [one["path"] for one in listed] == sorted(WORLD)
    assert all(one["sha256"] == sha256(WORLD[one["path"]]).hexdigest() for one in listed)
    assert len((await player.get(f"/savegames/{savegame_id}/versions/1/files", limit=1000))["data"]) == 4
    path = f"/savegames/{savegame_id}/versions/1/files"
    assert (await player.http.get(path, params={"limit": 1001})).status_code == 400
    assert refused(await player.http.get(f"/savegames/{savegame_id}/versions/9/files")) == NOT_FOUND
    assert refused(await player.http.get(f"/savegames/{uuid4()}/versions/1/files")) == NO_SAVE


async def test_a_download_has_urls_for_what_the_device_lacks(player, pc, data_of, refused):
    savegame_id, _ = data_of(await pc.save(WORLD))
    changed = {**WORLD, "saves/world-1/level.dat": b"level 2", "saves/new": b"new"}
    data_of(await pc.save(changed, base_version=1))
    lacking = {sha256(b"level 2").hexdigest(), sha256(b"new").hexdigest()}

    def urls(found):
        return {file["sha256"] for file in found["files"] if file["download_url"]}

    by_version = await pc.download(savegame_id, have_version=1)
    have = sorted({sha256(content).hexdigest() for content in WORLD.values()})
    for found in (by_version, await pc.download(savegame_id, have=have)):
        assert (urls(found), found["missing_count"], found["missing_bytes"]) == (lacking, 2, 10)
        assert (found["version"], found["file_count"], len(found["files"])) == (2, 5, 5)
    wanted = await pc.download(savegame_id, want=[sha256(b"new").hexdigest()], have_version=2)
    assert [(file["path"], bool(file["download_url"])) for file in wanted["files"]] == [("saves/new", True)]
    nothing = await pc.download(savegame_id, have_version=2)
    assert (urls(nothing), nothing["missing_count"]) == (set(), 0)
    assert refused(await player.post(f"/savegames/{savegame_id}/download", {"version": 9})) == NOT_FOUND
    assert refused(await player.post(f"/savegames/{uuid4()}/download", {})) == NO_SAVE


async def test_a_set_has_no_single_url(player, pc, data_of):
    savegame_id, _ = data_of(await pc.save(WORLD))
    answer = await player.http.get(f"/savegames/{savegame_id}/download-url")
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["code"], error["meta"]) == (409, "SAVEGAME_IS_A_SET", {"file_count": 4})


async def test_a_single_file_is_saved_by_the_same_calls(player, pc, data_of):
    content = os.urandom(5000)
    upload_id, attributes = await pc.begin({None: content}, "single", comment="alone")
    assert (attributes["file_count"], attributes["missing_count"], attributes["uploads"][0]["parts"]) == (None, 1, [])
    assert await pc.send(attributes, {None: content}) == 1
    savegame_id, saved = data_of(await pc.commit(upload_id))
    assert (saved["file_count"], saved["file_hash_sha256"], saved["comment"]) == (
        None,
        sha256(content).hexdigest(),
        "alone",
    )
    assert await pc.load(savegame_id) == {None: content}
    [file] = (await player.get(f"/savegames/{savegame_id}/versions/1/files"))["data"]
    assert (file["id"], file["attributes"]["path"]) == (sha256(content).hexdigest(), None)
    assert await pc.device.load(savegame_id) == content


async def test_either_call_confirms_either_kind(player, pc, data_of):
    upload_id, attributes = await pc.begin(WORLD)
    await pc.send_all(upload_id, attributes, WORLD)
    _, saved = data_of(await player.post("/savegames/confirm-upload", {"internal_save_id": upload_id}))
    assert saved["file_count"] == 4
    single = await pc.device.request_upload(b"one", "single")
    await pc.device.put(single, b"one")
    _, saved = data_of(await pc.commit(single["internal_save_id"]))
    assert saved["file_count"] is None


async def test_a_retry_with_a_key_gets_the_same_upload_signed_again(player, pc, data_of, refused):
    entries = [pc.entry(path, content) for path, content in WORLD.items()]
    key = {"Idempotency-Key": "k"}
    first = await pc.ask({"files": entries}, **key)
    again = await pc.ask({"files": entries}, **key)
    upload_id, _ = data_of(first)
    assert (data_of(again)[0], again.headers["Idempotency-Replayed"]) == (upload_id, "true")
    assert data_of(again)[1]["missing_count"] == 3
    assert refused(await pc.ask({"files": entries[1:]}, **key)) == (409, "IDEMPOTENCY_KEY_REUSED")
    await pc.send_all(upload_id, data_of(again)[1], WORLD)
    committed = await pc.commit(upload_id, **key)
    repeated = await pc.commit(upload_id, **key)
    assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (committed.content, "true")
    assert (await pc.commit(upload_id)).json() == committed.json()
    late = data_of(await pc.ask({"files": entries}, **key))
    assert (late[0], late[1]["status"], late[1]["uploads"]) == (upload_id, "committed", [])
    savegame_id = committed.json()["data"]["id"]
    path = f"/savegames/{savegame_id}/download"
    one, other = [await player.post(path, {"have": []}, **key) for _ in range(2)]
    assert other.headers["Idempotency-Replayed"] == "true"
    assert data_of(one)[0] == data_of(other)[0]
    assert all(file["download_url"] for file in data_of(other)[1]["files"])


async def test_no_signed_url_is_kept_for_a_key(player, platform, pc, data_of):
    key = {"Idempotency-Key": "k"}
    data_of(await pc.ask({"files": [pc.entry("saves/a", b"a")]}, **key))
    connection = await asyncpg.connect(platform.dsn)
    kept = await connection.fetchval("SELECT body FROM gateway.idempotency_keys WHERE user_id = $1", player.id)
    await connection.close()
    assert set(json.loads(kept)["data"]) == {"type", "id"}


async def test_an_incomplete_set_says_what_is_missing(player, pc, data_of, refused):
    upload_id, attributes = await pc.begin(WORLD)
    first = attributes["uploads"][0]
    by_hash = {sha256(content).hexdigest(): content for content in WORLD.values()}
    assert (await pc.put(first, by_hash[first["sha256"]])).status_code == 200
    answer = await pc.commit(upload_id)
    assert refused(answer) == (422, "SAVEGAME_UPLOAD_INCOMPLETE")
    meta = answer.json()["errors"][0]["meta"]
    assert (meta["missing_count"], meta["mismatched_count"], meta["mismatched"]) == (2, 0, [])
    missing = {one["sha256"] for one in attributes["uploads"][1:]}
    assert {one["sha256"] for one in meta["missing"]} == missing
    assert all(sha256(WORLD[one["path"]]).hexdigest() == one["sha256"] for one in meta["missing"])
    left = (await player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
    assert ({one["sha256"] for one in left["uploads"]}, left["missing_count"]) == (missing, 2)
    await pc.send_all(upload_id, left, WORLD)
    data_of(await pc.commit(upload_id))


async def test_another_content_is_named_and_can_be_sent_again(player, pc, data_of, refused):
    raw = {"raw_sha256": sha256(b"something else").hexdigest(), "content_encoding": "identity"}
    entries = [pc.entry("saves/good", b"good"), pc.entry("saves/bad", b"bad", **raw)]
    upload_id, attributes = data_of(await pc.ask({"files": entries}))
    files = {"saves/good": b"good", "saves/bad": b"bad"}
    await pc.send(attributes, files)
    answer = await pc.commit(upload_id)
    assert refused(answer) == (422, "SAVEGAME_HASH_MISMATCH")
    meta = answer.json()["errors"][0]["meta"]
    named = {"sha256": sha256(b"bad").hexdigest(), "path": "saves/bad", "reason": "raw_sha256"}
    assert (meta["mismatched"], meta["mismatched_count"], meta["missing_count"]) == ([named], 1, 0)
    left = (await player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
    assert [one["sha256"] for one in left["uploads"]] == [sha256(b"bad").hexdigest()]


async def test_a_cancelled_upload_frees_its_room(player, pc, refused):
    upload_id, attributes = await pc.begin(WORLD)
    await pc.send(attributes, WORLD)
    assert await player.saved_bytes() == (0, attributes["missing_bytes"])
    assert (await player.http.delete(f"/savegames/uploads/{upload_id}")).status_code == 204
    assert (await player.http.delete(f"/savegames/uploads/{upload_id}")).status_code == 204
    assert await player.saved_bytes() == (0, 0)
    assert refused(await pc.commit(upload_id)) == NOT_FOUND
    shown = (await player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
    assert (shown["status"], shown["uploads"]) == ("cancelled", [])


async def test_open_uploads_of_both_kinds_are_listed(player, pc):
    upload_id, _ = await pc.begin(WORLD)
    await pc.device.request_upload(b"one", "single")
    listed = {one["id"]: one["attributes"] for one in (await player.get("/savegames/uploads"))["data"]}
    shown = listed[upload_id]
    assert (shown["file_count"], shown["uploads"], shown["missing_bytes"]) == (4, [], sum(map(len, WORLD.values())))
    assert sorted(str(one["file_count"]) for one in listed.values()) == ["4", "None"]


async def test_the_uploads_of_others_are_not_there(new_player, pc, refused):
    upload_id, _ = await pc.begin(WORLD)
    stranger = new_player()
    assert refused(await stranger.http.get(f"/savegames/uploads/{upload_id}")) == NOT_FOUND
    assert refused(await stranger.post(f"/savegames/uploads/{upload_id}/commit")) == NOT_FOUND
    assert refused(await stranger.http.delete(f"/savegames/uploads/{upload_id}")) == NOT_FOUND


async def test_a_delta_equals_the_whole_list(player, pc, deck, data_of, refused):
    savegame_id, _ = data_of(await pc.save(WORLD))
    result = {**WORLD, "saves/world-1/level.dat": b"level 2"}
    del result["saves/options.ini"]
    delta = {
        "base_version": 1,
        "put": [pc.entry("saves/world-1/level.dat", b"level 2")],
        "remove": ["saves/options.ini"],
        "set_sha256": list_hash(result),
    }
    wrong = await pc.ask({**delta, "set_sha256": "0" * 64})
    assert refused(wrong) == (422, "SAVEGAME_HASH_MISMATCH")
    assert wrong.json()["errors"][0]["meta"]["reason"] == "set"
    assert (await player.get("/savegames/uploads"))["data"] == []
    upload_id, attributes = data_of(await pc.ask(delta))
    assert [one["sha256"] for one in attributes["uploads"]] == [sha256(b"level 2").hexdigest()]
    await pc.send_all(upload_id, attributes, {"x": b"level 2"})
    _, saved = data_of(await pc.commit(upload_id))
    files = [SaveFile(path, len(content), sha256(content).digest()) for path, content in result.items()]
    assert saved["content_identity"] == identity_of(files).hex()
    assert await deck.load(savegame_id) == result
    assert refused(await pc.ask({**delta, "base_version": 9})) == NOT_FOUND


BAD_PATHS = {
    "/a": "begin",
    "a//b": "empty",
    "a/": "empty",
    "./a": "parts",
    "a/../b": "parts",
    "x" * 256: "255",
    "a\tb": "control",
    "a:b": "characters",
    "saves\\a": "characters",
    "a/con.sav": "reserved",
    "a/COM¹": "reserved",
    "a./b": "dot",
    "b ": "dot",
}


async def test_each_rule_of_paths_names_the_file(pc, fields_of):
    entries = [pc.entry("saves/good", b"good"), *(pc.entry(path, b"") for path in BAD_PATHS)]
    found = dict(fields_of(await pc.ask({"files": entries}, **{"Accept-Language": "en"})))
    for index, (path, part) in enumerate(BAD_PATHS.items(), 1):
        assert part in found.pop(f"files/{index}/path"), path
    assert not found


PAIRS = {
    "the same": ("saves/a", "saves/a"),
    "another case": ("saves/Save", "saves/save"),
    "another form": ("saves/\u0439", "saves/\u0438\u0306"),
    "a folder": ("saves/a", "saves/a/b"),
}


@pytest.mark.parametrize("pair", PAIRS)
async def test_two_paths_that_cannot_stand_beside_each_other_are_both_named(pc, fields_of, pair):
    one, other = PAIRS[pair]
    answer = await pc.ask({"files": [pc.entry("z", b""), pc.entry(one, b""), pc.entry(other, b"")]})
    [(pointer, detail)] = fields_of(answer)
    assert {pointer, next(name for name in ("files/1", "files/2") if name in detail) + "/path"} == {
        "files/1/path",
        "files/2/path",
    }


def bad_lists(pc):
    entry = pc.entry("saves/a", b"a")
    large = {"path": "saves/large", "size_bytes": 20 * 1024**2, "sha256": "1" * 64}
    delta = {"base_version": 1, "put": [entry], "set_sha256": "0" * 64}
    return {
        "no files": ({"files": []}, "files"),
        "neither": ({}, "files"),
        "both": ({"files": [entry], **delta}, "put"),
        "a negative size": ({"files": [{**entry, "size_bytes": -1}]}, "files/0/size_bytes"),
        "no hash": ({"files": [{**entry, "sha256": "x" * 64}]}, "files/0/sha256"),
        "an unknown field": ({"files": [{**entry, "name": "x"}]}, "files/0/name"),
        "no path of one of two": ({"files": [entry, {**entry, "path": None}]}, "files/1/path"),
        "too few parts": ({"files": [{**large, "part_sha256": ["2" * 64] * 2}]}, "files/0/part_sha256"),
        "parts of a small file": ({"files": [{**entry, "part_sha256": [entry["sha256"]]}]}, "files/0/part_sha256"),
        "one hash, two sizes": (
            {"files": [entry, {**entry, "path": "saves/b", "size_bytes": 2}]},
            "files/1/sha256",
        ),
        "raw bytes without an encoding": ({"files": [{**entry, "raw_sha256": "3" * 64}]}, "files/0/content_encoding"),
        "no removal confirmed": ({"files": [entry], "confirm_removals": 0}, "confirm_removals"),
        "a device without a name": ({"files": [entry], "device_id": ""}, "device_id"),
        "a delta without its hash": ({"base_version": 1, "put": [entry]}, "set_sha256"),
        "a delta without its base": ({"put": [entry], "set_sha256": "0" * 64}, "base_version"),
        "removed twice": ({**delta, "remove": ["saves/b", "SAVES/B"]}, "remove/1"),
        "not in the base": ({**delta, "remove": ["saves/none"]}, "remove/0"),
        "put and removed": ({**delta, "remove": ["saves/b"], "put": [pc.entry("saves/B", b"")]}, "put/0/path"),
    }


async def test_bad_lists_name_the_field(player, pc, data_of, fields_of):
    data_of(await pc.save({"saves/b": b"b", "saves/c": b"c"}))
    for name, (attributes, pointer) in bad_lists(pc).items():
        found = fields_of(await pc.ask(attributes))
        assert pointer in [place for place, _ in found], (name, found)
    assert (await player.get("/savegames/uploads"))["data"] == []


async def test_a_set_needs_a_device(pc, fields_of):
    entry = pc.entry("saves/a", b"a")
    answer = await pc.player.post(
        "/savegames/uploads",
        {"product_id": str(pc.device.product), "save_slot_name": "world", "files": [entry]},
    )
    assert [place for place, _ in fields_of(answer)] == ["device_id"]


async def test_a_list_that_is_too_long_is_refused_early(pc, fields_of):
    entries = [{"path": f"saves/{number}", "size_bytes": 1, "sha256": "0" * 64} for number in range(10_001)]
    assert [place for place, _ in fields_of(await pc.ask({"files": entries}))] == ["files"]
    body = b'{"data": {"attributes": {"files": [' + b" " * (8 * 1024**2) + b"]}}}"
    headers = {"Content-Type": "application/json"}
    answer = await pc.player.http.post("/savegames/uploads", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_without_access_nothing_is_signed(player, pc, new_set_device, refused):
    stranger = new_set_device(game=uuid4())
    assert refused(await stranger.ask({"files": [pc.entry("a", b"a")]})) == (403, "PERMISSION_DENIED")
