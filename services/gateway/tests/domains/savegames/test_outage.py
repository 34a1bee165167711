"""An object store that is away: only requests that need it fail, nothing is lost, and all work resumes by itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers import S3
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.wiring import build
from gameshelf.savegames import StoreUnavailable, user_prefix

PART = 8 * 1024**2
SET = {"saves/level.dat": b"level", "saves/map.dat": b"map"}
AT_ONCE = 8
"""So many confirmations use the store at the same time."""


@pytest.fixture(scope="module")
def store(server_directory):
    server = S3(server_directory / f"s3-{uuid4().hex[:8]}")
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def platform(create_platform, store):
    made = create_platform(s3=store)
    yield made
    made.close()


@pytest.fixture(
    params=[
        pytest.param("stopped", marks=pytest.mark.long),
        pytest.param("killed", marks=pytest.mark.long),
        "frozen",
    ]
)
async def away(request, store):
    """Takes the store away, and brings it back."""
    take, bring = {
        "stopped": (store.stop, store.start),
        "killed": (store.kill, store.start),
        "frozen": (store.freeze, store.thaw),
    }[request.param]
    yield lambda: asyncio.to_thread(take), lambda: asyncio.to_thread(bring)
    if store.alive:
        store.thaw()
    else:
        store.start()


def says_that_s3_is_away(response):
    [error] = response.json()["errors"]
    assert (response.status_code, error["code"], error["meta"]) == (503, "SERVICE_UNAVAILABLE", {"dependency": "s3"})
    assert int(response.headers["Retry-After"]) >= 1
    return True


async def the_rest_is_served(player, product, session):
    assert str(product) in await player.products()
    beaten = await player.post(f"/playtime/sessions/{session}/heartbeat")
    assert beaten.status_code < 300, beaten.text
    put = await player.http.put(f"/settings/{product}", json={"data": {"attributes": {"settings_payload": {"a": 1}}}})
    assert put.status_code < 300, put.text
    assert (await player.get(f"/settings/{product}"))["data"]["attributes"]["settings_payload"] == {"a": 1}


async def reports_the_store(device, service, state):
    ready = await device.store.get(service.url + "/health/ready")
    assert ready.status_code == 200
    return ready.json()["dependencies"]["s3"] == state


@pytest.mark.long
async def test_players_upload_on_once_the_store_is_back(player, device, service, data_of, away, wait_until):
    take, bring = away
    start = await player.post("/playtime/sessions/start", {"product_id": str(device.product)})
    kept_id, _ = data_of(await device.save(b"kept", "kept"))
    staged = [await device.request_upload(bytes([number]), f"slot {number}") for number in range(4)]
    for number, upload in enumerate(staged):
        await device.put(upload, bytes([number]))
    await take()
    async with asyncio.timeout(PATIENCE_SECONDS):
        refused = asyncio.gather(*(device.confirm(upload) for upload in staged))
        await the_rest_is_served(player, device.product, start.json()["data"]["id"])
        await wait_until(lambda: reports_the_store(device, service, "degraded"))  # an answer is cached for a second
        assert all(says_that_s3_is_away(one) for one in await refused)
    # Requests that need no answer of the store succeed: a signature, bytes already stored, a confirmed upload.
    late = await device.request_upload(b"late", "late")
    data_of(await device.save(b"kept", "copy"))
    assert (await player.get(f"/savegames/{kept_id}/download-url"))["data"]["attributes"]["download_url"]
    await bring()
    for number, upload in enumerate(staged):
        savegame_id, made = data_of(await device.confirm(upload))
        assert (made["version"], await device.load(savegame_id)) == (1, bytes([number]))
    await device.put(late, b"late")
    data_of(await device.confirm(late))
    assert await device.load(kept_id) == b"kept"


async def test_who_waits_to_confirm_does_not_wait_for_a_store_that_hangs(player, device, store, jobs, data_of):
    staged = [await device.request_upload(bytes([number]), f"slot {number}") for number in range(2 * AT_ONCE)]
    store.freeze()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            refused = await asyncio.gather(*(device.confirm(upload) for upload in staged))
    finally:
        store.thaw()
    assert all(says_that_s3_is_away(one) for one in refused)
    # A tried copy may still be made, and is recorded; the other uploads have tried nothing and left nothing.
    pending = "SELECT count(*) FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'pending'"
    assert AT_ONCE <= await jobs.pool.fetchval(pending, player.id) < len(staged)
    await device.put(staged[-1], bytes([len(staged) - 1]))
    data_of(await device.confirm(staged[-1]))


@pytest.mark.long
async def test_jobs_resume_where_they_were(player, device, data_of, jobs, away):
    take, bring = away
    savegame_id, _ = data_of(await device.save(b"removed"))
    data_of(await device.save(b"stays", "other"))
    assert (await player.http.delete(f"/savegames/{savegame_id}?permanent=true")).status_code == 204
    await take()
    with pytest.raises(StoreUnavailable):
        await jobs.run(timedelta(days=31))
    await bring()
    await jobs.run(timedelta(days=31))
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    assert not await jobs.pool.fetchval(
        "SELECT count(*) FROM savegames.savegame_contents WHERE missing_since > '1970-1-1'"
    )


async def test_a_service_without_a_store_serves_the_rest(
    platform, player, new_player, device, new_device, data_of, refused
):
    savegame_id, _ = data_of(await device.save(b"from before"))
    upload = await device.request_upload(b"more")
    await device.put(upload, b"more")
    nowhere = dict.fromkeys(platform.store, "")
    service = platform.service(LIBRARY_SERVICE_ROLES="api,jobs", **nowhere)
    service.start()
    poor = new_player(platform, service, player.id)
    there = new_device(of=poor)
    ready = (await device.store.get(service.url + "/health/ready")).json()["dependencies"]
    assert (set(ready) & {"s3"}, ready["postgresql"]) == (set(), "ok")
    for response in (
        await there.ask(b"new"),
        await there.confirm(upload),
        await poor.http.get(f"/savegames/{savegame_id}/download-url"),
    ):
        assert says_that_s3_is_away(response)
    start = await poor.post("/playtime/sessions/start", {"product_id": str(device.product)})
    await the_rest_is_served(poor, device.product, start.json()["data"]["id"])
    assert [one["id"] for one in (await poor.get("/savegames"))["data"]] == [savegame_id]
    assert (await poor.patch(f"/savegames/{savegame_id}/versions/1", {"is_pinned": True})).status_code == 200
    assert (await there.save(b"from before", "copy")).status_code == 200
    assert (await poor.get("/savegames/quota"))["data"]["attributes"]["reserved_bytes"] == 4
    assert service.stop() == 0
    _, made = data_of(await device.confirm(upload))
    assert (made["version"], await device.load(savegame_id)) == (2, b"more")


@pytest.fixture
async def gateway(service):
    """The parts of a process, none of them started: the test runs the erasure itself."""
    made = await build(load_settings(service.environment))
    yield made
    await made.close()


async def rows_of(jobs, user_id):
    """The tables of saves and of the gateway in which a user is named."""
    tables = await jobs.pool.fetch(
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns "
        "WHERE table_schema IN ('savegames', 'gateway', 'library') AND column_name = 'user_id'"
    )
    return {
        row["name"]
        for row in tables
        if await jobs.pool.fetchval(f"SELECT count(*) FROM {row['name']} WHERE user_id = $1", user_id)
    }


@pytest.mark.long
async def test_accounts_are_erased_but_for_their_objects_which_follow(
    player, new_player, new_device, data_of, jobs, set_client, gateway, away, wait_until
):
    take, bring = away
    players = [player, new_player()]
    game = new_device().product
    await players[1].buys(game)

    async def owned():
        return str(game) in await players[1].products()

    await wait_until(owned)
    saved = await set_client.save(SET, slot="set")
    # An open set with a file that has arrived, one of whose two parts has, and bytes that are verified already.
    sent = SET | {"saves/new": b"new", "saves/large": bytes(PART) + b"more"}
    left_open = await set_client.request(sent, saved.version, slot="set")
    signed = await set_client.sign(left_open.upload_id, left_open)
    [large] = [one for one in signed.files if one.parts]
    cut = replace(
        signed, files=[one for one in signed.files if not one.parts] + [replace(large, parts=large.parts[1:])]
    )
    await set_client.send(cut, sent)
    await set_client.commits.verify(player.id, left_open.upload_id)
    for one in players:
        device = new_device(of=one)
        data_of(await device.save(b"first"))
        data_of(await device.save(b"second"))
        upload = await device.request_upload(b"staged")
        await device.put(upload, b"staged")
        await one.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(one.id)}))
    for one in players:

        async def is_refused(one=one):
            return (await one.http.get("/items")).status_code == 401

        await wait_until(is_refused)
    await take()
    with pytest.raises(StoreUnavailable):
        await gateway.erasure.run_once()
    for one in players:
        assert await rows_of(jobs, one.id) == {"gateway.user_streams"}
    await bring()
    kept = [await jobs.keys(one) for one in players]
    # The verified file of the open set, too; and the list of the other one, if the service's job has come to it.
    assert len(kept[0]) - len(SET) - 3 in (0, 1)
    assert len(kept[1]) == 2
    assert await jobs.objects.open_parts("") != []
    # An object that the database does not know is deleted too, such as a copy that the store made late.
    await jobs.objects.copy(min(kept[0]), f"{user_prefix(players[0].id)}{uuid4()}/slot/late.sav", {})
    await gateway.erasure.run_once()
    assert [await jobs.keys(one) for one in players] == [set(), set()]
    # So is one that arrives once all objects were deleted: the tombstone stays for longer than any work of the user's,
    # and until the store was compared with a restored database.
    await jobs.objects.put(late := f"{user_prefix(players[1].id)}{uuid4()}/slot/late.sav", b"late", {})
    await gateway.erasure.run_once()
    assert await jobs.keys(players[1]) == {late}
    await jobs.pool.execute("UPDATE gateway.user_streams SET erased_at = now() - interval '1 hour'")
    # A point ahead: from it on no event comes again, such as the deletions of these accounts.
    point = "now() + interval '2 hours'"
    await jobs.pool.execute(f"SELECT gateway.mark_restored({point}, 'a copy', 'a test', 'a test')")
    await gateway.erasure.run_once()
    assert [await rows_of(jobs, one.id) for one in players] == [{"gateway.user_streams"}] * 2
    # Without the mark the database would be one that lacks a restore, for every service of the platform.
    await jobs.pool.execute("UPDATE gateway.restores SET reconciled_at = now()")
    await gateway.erasure.run_once()
    [sweep] = [job.run for job in gateway.jobs if job.name == "objects"]
    await sweep()
    assert [await jobs.keys(one) for one in players] == [set(), set()]
    assert [key for key in await jobs.all_keys() if key.startswith(("incoming/", "staging/"))] == []
    assert await jobs.objects.open_parts("") == []
    assert [await rows_of(jobs, one.id) for one in players] == [set(), set()]
