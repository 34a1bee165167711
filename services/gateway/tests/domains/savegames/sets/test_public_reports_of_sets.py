"""What public reports say about uploads of many files in other systems, tried over REST and a real object store."""

import asyncio
import os
from collections import Counter
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.gateway.domains.savegames.sets import SetCommits, VerifyingUpload

FILES = {"saves/a": b"first", "saves/b": b"second", "saves/c": b"third"}
NOT_FOUND = (404, "SAVEGAME_VERSION_NOT_FOUND")


async def sent(pc, files=FILES, **more):
    upload_id, attributes = await pc.begin(files, **more)
    await pc.send_all(upload_id, attributes, files)
    return upload_id


async def test_requests_at_once_are_one_upload(player, pc):
    entries = [pc.entry(path, content) for path, content in FILES.items()]
    answers = await asyncio.gather(*(pc.ask({"files": entries}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert await player.saved_bytes() == (0, sum(map(len, FILES.values())))


async def test_commits_at_once_are_one_version(player, pc, data_of):
    """A stalled first try that ends late must not take away what a repeated one has made."""
    upload_id = await sent(pc)
    answers = await asyncio.gather(*(pc.commit(upload_id) for _ in range(6)))
    savegame_id, saved = data_of(answers[0])
    assert {answer.text for answer in answers} == {answers[0].text}
    assert (saved["version"], len((await player.get(f"/savegames/{savegame_id}/versions"))["data"])) == (1, 1)
    assert await pc.load(savegame_id) == FILES
    assert await player.saved_bytes() == (sum(map(len, FILES.values())), 0)


async def test_an_upload_is_committed_or_cancelled_and_never_both(player, pc, jobs):
    uploads = []
    for _ in range(3):
        files = {path: os.urandom(20) for path in FILES}
        upload_id = await sent(pc, files, base_version=0)
        uploads.append(f"incoming/{upload_id}/")
        used, _ = await player.saved_bytes()
        committed, cancelled = await asyncio.gather(
            pc.commit(upload_id), player.http.delete(f"/savegames/uploads/{upload_id}")
        )
        results = (committed.status_code, cancelled.status_code)
        assert results in ((200, 404), (409, 404), (404, 204)), results
        kept = 60 if results[1] == 404 else 0
        assert await player.saved_bytes() == (used + kept, 0)
    await jobs.run()
    assert [key for key in await jobs.all_keys() if key.startswith(tuple(uploads))] == []


async def test_a_url_that_is_used_again_changes_no_version(player, pc, data_of):
    upload_id, attributes = await pc.begin(FILES)
    await pc.send_all(upload_id, attributes, FILES)
    savegame_id, _ = data_of(await pc.commit(upload_id))
    for one in attributes["uploads"]:
        await pc.put(one, os.urandom(one["size_bytes"]))
    assert await pc.load(savegame_id) == FILES


async def test_the_existence_of_an_object_proves_no_content(
    player, pc, new_player, new_set_device, data_of, wait_until
):
    """Another user's bytes are no reason to skip the upload of one's own."""
    data_of(await pc.save(FILES))
    stranger = new_player()
    await stranger.buys(pc.device.product)
    await wait_until(stranger.products)
    other = new_set_device("pc", stranger)
    _, attributes = await other.begin(FILES)
    assert attributes["missing_count"] == len(FILES)


async def test_equal_and_empty_files_are_stored_once(player, pc, jobs, data_of):
    files = {f"saves/{number}": b"the same" for number in range(50)} | {f"saves/empty/{n}": b"" for n in range(50)}
    upload_id, attributes = await pc.begin(files)
    assert (attributes["file_count"], attributes["missing_count"], attributes["missing_bytes"]) == (100, 2, 8)
    assert await pc.send_all(upload_id, attributes, files) == 2
    savegame_id, saved = data_of(await pc.commit(upload_id))
    assert saved["file_size_bytes"] == 50 * 8
    assert await pc.load(savegame_id) == files
    found = await pc.download(savegame_id, have=[sha256(b"").hexdigest()])
    counts = Counter(bool(file["download_url"]) for file in found["files"])
    assert (counts, found["missing_count"], found["missing_bytes"]) == ({True: 50, False: 50}, 1, 8)


async def test_bodies_of_commits_are_checked(player, pc, data_of, fields_of):
    upload_id = await sent(pc)
    path = f"/savegames/uploads/{upload_id}/commit"
    json = {"Content-Type": "application/json"}
    assert (await player.http.post(path, content=b"{", headers=json)).status_code == 400
    assert (await player.http.post(path, content=b"x", headers={"Content-Type": "text/plain"})).status_code == 415
    for body in ({"data": {"id": str(uuid4())}}, {"data": {"attributes": {"force": True}}}):
        assert (await player.http.post(path, json=body)).status_code == 400, body
    data_of(await player.http.post(path, json={"data": {"id": upload_id, "type": "x", "attributes": {}}}))


async def test_lists_of_a_download_are_bounded(player, pc, data_of, fields_of):
    savegame_id, _ = data_of(await pc.save(FILES))
    digests = [sha256(b"%d" % number).hexdigest() for number in range(1001)]
    path = f"/savegames/{savegame_id}/download"
    for field, most in (("have", 1000), ("want", 100)):
        assert (await player.post(path, {field: digests[:most]})).status_code == 200
        assert [place for place, _ in fields_of(await player.post(path, {field: digests[: most + 1]}))] == [field]
        assert fields_of(await player.post(path, {field: ["x" * 64]}))[0][0] == f"{field}/0"


async def test_who_lost_the_game_sees_what_is_missing_and_keeps_what_was_sent(
    player, new_set_device, wait_until, data_of, refused
):
    game = uuid4()
    bought = await player.buys(game)

    async def owns():
        return str(game) in await player.products()

    await wait_until(owns)
    pc = new_set_device("pc", game=game)
    upload_id, attributes = await pc.begin(FILES)
    first = attributes["uploads"][0]
    [content] = [content for content in FILES.values() if sha256(content).hexdigest() == first["sha256"]]
    await pc.put(first, content)
    later = await sent(pc, {"saves/a": b"whole"}, slot="other")
    await player.publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data))

    async def lacks():
        return not await owns()

    await wait_until(lacks)
    left = (await player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
    assert {one["sha256"] for one in left["uploads"]} == {one["sha256"] for one in attributes["uploads"][1:]}
    assert {(one["upload_url"], one["method"]) for one in left["uploads"]} == {(None, None)}
    savegame_id, _ = data_of(await pc.commit(later))
    assert refused(await player.post(f"/savegames/{savegame_id}/download", {})) == (403, "PERMISSION_DENIED")
    assert len((await player.get(f"/savegames/{savegame_id}/versions/1/files"))["data"]) == 1


async def test_a_commit_in_work_is_no_first_response(pc, player, transactions, monkeypatch, data_of):
    """A key that kept it would answer it for a day, whatever has become of the upload."""
    client, _ = transactions
    upload_id, key = await sent(pc), {"Idempotency-Key": "k"}

    async def verify(self, user_id, upload_id):
        return VerifyingUpload(1, 3)

    with monkeypatch.context() as patched:
        patched.setattr(SetCommits, "verify", verify)
        answer = await client.post(f"/uploads/{upload_id}/commit", headers=key)
    assert (answer.status_code, answer.json()["meta"]) == (202, {"verified_count": 1, "total_count": 3})
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["data"]["attributes"]["status"] == "open"
    _, saved = data_of(await client.post(f"/uploads/{upload_id}/commit", headers=key))
    assert saved["version"] == 1


async def test_a_key_belongs_to_its_address(pc, player, data_of):
    first, second = await sent(pc), await sent(pc, {"saves/other": b"other"}, slot="other")
    key = {"Idempotency-Key": "k"}
    one, other = [data_of(await pc.commit(upload_id, **key))[0] for upload_id in (first, second)]
    assert one != other


@pytest.mark.parametrize("device_id", ["pc", "deck"])
async def test_a_retry_without_its_key_makes_no_conflict(pc, player, data_of, device_id):
    """The answer was lost, and the client begins again with the list it had, based on what it knew."""
    data_of(await pc.save(FILES))
    changed = FILES | {"saves/a": b"changed"}
    data_of(await pc.save(changed, base_version=1))
    repeated = await pc.save(changed, base_version=1, device_id=device_id)
    _, saved = data_of(repeated)
    assert (repeated.json()["meta"]["result"], saved["version"]) == ("identical", 2)
    assert (await player.get("/savegames/conflicts"))["data"] == []
