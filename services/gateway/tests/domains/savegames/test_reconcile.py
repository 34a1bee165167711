"""After a restore: objects that S3 still has are adopted, also by several runs at once, and after any interruption."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames import reconcile
from gameshelf.gateway.domains.savegames.reconcile import Applying, Cursor, CursorOutdated, Reconciliation, whole_saves
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.runtime.identity import Identity, Role
from gameshelf.gateway.runtime.restores import open_restore
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import AuditLog
from gameshelf.savegames import StoredObject, object_key, object_metadata, staging_key, user_prefix

TABLES = (
    "slots",
    "contents",
    "manifests",
    "manifest_contents",
    "metadata",
    "uploads",
    "upload_files",
    "conflicts",
    "devices",
)
BY = Identity(uuid4(), frozenset({Role.ADMIN}))
APPLYING = Applying(BY, "ticket 4711")
OLD = datetime(2026, 5, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def empty_store(jobs):
    """No object, row or open restore of another test: the embedded store resumes an unfinished listing at the key where
    it stopped, so the keys where listings of other tests ended must not come again.
    """
    await jobs.objects.delete(await jobs.all_keys())
    await jobs.pool.execute("TRUNCATE " + ", ".join(f"savegames.savegame_{table}" for table in TABLES))
    await jobs.pool.execute("UPDATE gateway.restores SET reconciled_at = now() WHERE reconciled_at IS NULL")


@pytest.fixture
def new_reconciliation(service, jobs):
    """Makes a reconciliation with pages of this size."""
    settings = load_settings(service.environment)

    def make(page_size=100):
        streams = UserStreams(settings.erasure_hash_key.get_secret_value().encode())
        acquire, limits = jobs.pool.acquire, settings.of(SavegameSection).limits
        return Reconciliation(
            acquire, jobs.saves, jobs.transactions, AuditLog(streams), limits, jobs.now, page_size=page_size
        )

    return make


async def walk(reconciliation, applying=APPLYING):
    """All pages."""
    pages, cursor = [], None
    while True:
        pages.append(await reconciliation.page(cursor, applying))
        cursor = pages[-1].next
        if cursor is None:
            return pages


async def becomes(reconciliation, player, applying=APPLYING):
    """Reconciles, and returns version and outcome of each object of a player."""
    pages = await walk(reconciliation, applying)
    return [(one.version, str(one.outcome)) for page in pages for user_id, one in page.adopted if user_id == player.id]


async def rows(jobs, player):
    """All that the database knows of a player's saves."""
    of = "SELECT * FROM savegames.savegame_{} WHERE user_id = $1 ORDER BY 1, 2, 3"
    return {table: await jobs.pool.fetch(of.format(table), player.id) for table in TABLES}


async def put_back(jobs, player, backup):
    """Puts a player's rows back as they were, as a restored backup does; the store stays as it is."""
    async with jobs.pool.acquire() as connection, connection.transaction():
        for table in reversed(TABLES):
            await connection.execute(f"DELETE FROM savegames.savegame_{table} WHERE user_id = $1", player.id)
        for table, kept in backup.items():
            for row in kept:
                places = ", ".join(f"${number + 1}" for number in range(len(row)))
                into = f"INSERT INTO savegames.savegame_{table} ({', '.join(row.keys())}) VALUES ({places})"
                await connection.execute(into, *row.values())


async def mark_restored(jobs):
    """A restore is open from now on; its id."""
    mark = "SELECT gateway.mark_restored(now(), 'a backup', 'a test', 'the disk burned')"
    return await jobs.pool.fetchval(mark)


async def seen(player, device):
    """A player's saves and what they hold: of each slot the head, and every version with parent, status and bytes."""
    found = {}
    for save in (await player.get("/savegames"))["data"]:
        versions = (await player.get(f"/savegames/{save['id']}/versions"))["data"]
        known = [one["attributes"] for one in versions]
        found[save["attributes"]["slot_name"], save["attributes"]["version"]] = [
            (one["version"], one["parent_version"], one["status"], await device.fetch(save["id"], one["version"]))
            for one in known
        ]
    return found


@pytest.mark.parametrize("page_size", [2, *(pytest.param(size, marks=pytest.mark.long) for size in (1, 3, 100))])
async def test_what_was_lost_is_there_again_byte_for_byte(player, device, jobs, new_reconciliation, page_size):
    await device.save(b"1", "один")
    backup = await rows(jobs, player)
    await device.save(b"2", "один")
    assert (await device.save(b"beside", "один", base_version=1)).status_code == 409
    await device.save(b"3", "один", base_version=2)
    await device.save(b"", "two")
    await device.save(b"more" * 50_000, "two")
    there, quota = await seen(player, device), await player.get("/savegames/quota")
    await put_back(jobs, player, backup)
    assert len(await seen(player, device)) == 1
    lost = await rows(jobs, player)

    looked = await becomes(new_reconciliation(page_size), player, None)
    assert await rows(jobs, player) == lost
    assert len(looked) == 5
    adopted = await becomes(new_reconciliation(page_size), player)
    assert sorted(version for version, _ in adopted) == [1, 2, 2, 3, 4]
    assert await seen(player, device) == there
    assert await player.get("/savegames/quota") == quota
    assert len((await player.get("/savegames/conflicts"))["data"]) == 1

    after = await rows(jobs, player)
    assert await becomes(new_reconciliation(page_size), player) == []
    assert await rows(jobs, player) == after
    assert (await device.save(b"resumes", "one more")).status_code == 200


async def test_devices_receive_it_and_the_audit_has_one_entry_per_user(player, device, jobs, new_reconciliation):
    backup = await rows(jobs, player)
    await device.save(b"1")
    await device.save(b"2")
    await put_back(jobs, player, backup)
    before = (await player.get("/events", cursor=0))["data"][-1]["id"]
    [page] = [page for page in await walk(new_reconciliation()) if page.adopted]
    received = [one["attributes"] for one in (await player.get("/events", cursor=int(before)))["data"]]
    assert [(one["event_type"], one["payload"]["status"]) for one in received] == [
        ("savegame.sync.status", "sync_completed")
    ] * 2
    entry = await jobs.pool.fetchrow("SELECT * FROM gateway.audit WHERE user_id = $1", player.id)
    assert entry["id"] in page.audit_ids
    assert (entry["command"], entry["actor_id"], entry["reason"]) == ("saves reconcile", BY.user_id, "ticket 4711")
    save = f"{device.product}/slot"
    assert f'"{save}": null' in entry["before"]
    assert f'"{save}": 2' in entry["after"]


async def test_what_does_not_fit_is_refused_and_left_alone(player, device, jobs, new_reconciliation):
    await device.save(b"there")
    [whole] = [row["s3_object_key"] for row in (await rows(jobs, player))["contents"]]

    def key(version=1, user_id=None):
        return object_key(user_id or player.id, device.product, "slot", version, uuid4(), jobs.now())

    def metadata(version, content, user_id=None):
        return object_metadata(
            user_id or player.id, device.product, "slot", version, version - 1, sha256(content).digest()
        )

    gone = uuid4()
    async with jobs.transactions.begin(gone):
        pass
    await jobs.pool.execute("UPDATE gateway.user_streams SET erased_at = now() WHERE user_id = $1", gone)
    objects = {
        key(1): ({}, "metadata"),
        key(2): (metadata(3, b"there"), "metadata"),
        key(4): (metadata(4, b"other"), "hash"),
        key(5, gone): (metadata(5, b"there", gone), "erased"),
    }
    for name, (stored_metadata, _) in objects.items():
        await jobs.objects.copy(whole, name, stored_metadata)
    await jobs.objects.copy(whole, staging_key(uuid4()), {})
    await jobs.objects.copy(whole, "somebody/else's", {})
    before = await rows(jobs, player)
    pages = await walk(new_reconciliation())
    refused = {one.key: one.reason for page in pages for one in page.refused}
    assert {name: refused.get(name) for name in objects} == {name: why for name, (_, why) in objects.items()}
    assert await rows(jobs, player) == before
    assert objects.keys() <= await jobs.all_keys()
    await jobs.objects.delete([*objects, "somebody/else's"])


async def test_what_the_store_lacks_is_noted_and_forgotten_when_it_is_back(player, device, jobs, new_reconciliation):
    await device.save(b"here")
    await device.save(b"gone", "other")
    contents = (await rows(jobs, player))["contents"]
    await jobs.pool.execute("UPDATE savegames.savegame_contents SET created_at = $2 WHERE user_id = $1", player.id, OLD)
    [gone] = [row["s3_object_key"] for row in contents if row["file_hash_sha256"] == sha256(b"gone").digest()]
    await jobs.objects.copy(gone, "kept", {})
    await jobs.objects.delete([gone])

    async def missed():
        rows_now = (await rows(jobs, player))["contents"]
        return [row["s3_object_key"] for row in rows_now if row["missing_since"]]

    for applying, noted in ((None, []), (APPLYING, [gone])):
        pages = await walk(new_reconciliation(2), applying)
        assert [one.key for page in pages for one in page.missing if one.user_id == player.id] == [gone]
        assert await missed() == noted
    await jobs.objects.copy("kept", gone, {})
    await walk(new_reconciliation(2))
    assert await missed() == []
    await jobs.objects.delete(["kept"])


# In one page: the embedded store resumes a listing without the objects that were added since it began.
@pytest.mark.parametrize("slot", ["a", *(pytest.param(name, marks=pytest.mark.long) for name in ("slot", "z"))])
async def test_bytes_that_are_missing_elsewhere_are_mended_at_once(player, device, jobs, new_reconciliation, slot):
    save = (await device.save(b"the only ones")).json()["data"]
    [content] = (await rows(jobs, player))["contents"]
    about = (player.id, device.product, slot, 2)
    again = object_key(*about, uuid4(), jobs.now())
    metadata = object_metadata(*about, 1, sha256(b"the only ones").digest())
    await jobs.objects.copy(content["s3_object_key"], again, metadata)
    await jobs.objects.delete([content["s3_object_key"]])
    looked = await becomes(new_reconciliation(1000), player, None)
    assert await becomes(new_reconciliation(1000), player) == looked
    [live] = [row for row in (await rows(jobs, player))["contents"] if row["state"] == "live"]
    assert (live["id"], live["s3_object_key"], live["missing_since"]) == (content["id"], again, None)
    assert await device.fetch(save["id"], 1) == b"the only ones"
    assert await becomes(new_reconciliation(1000), player) == []


async def lose_all(new_player, new_device, jobs, number):
    """Players whose saves the database has lost, and what they had."""
    players = []
    for _ in range(number):
        player = new_player()
        await player.buys((device := new_device(of=player)).product)
        players.append((player, device))
    had = {}
    for player, device in players:
        while str(device.product) not in await player.products():
            await asyncio.sleep(0.05)
        backup = await rows(jobs, player)
        for content in (b"1", b"2", player.id.bytes):
            await device.save(content)
        had[player.id] = await seen(player, device)
        await put_back(jobs, player, backup)
    return players, had


async def test_two_at_once_take_everything_back_once(new_player, new_device, jobs, new_reconciliation):
    players, had = await lose_all(new_player, new_device, jobs, 3)
    walks = await asyncio.gather(*(walk(new_reconciliation(size)) for size in (2, 100)))
    adopted = [user_id for pages in walks for page in pages for user_id, _ in page.adopted]
    for player, device in players:
        assert adopted.count(player.id) == 3
        assert await seen(player, device) == had[player.id]


@pytest.mark.long
async def test_wherever_it_stops_it_can_be_done_again(new_player, new_device, jobs, new_reconciliation, wait_until):
    players, had = await lose_all(new_player, new_device, jobs, 4)
    players.sort(key=lambda one: user_prefix(one[0].id))
    for number, (player, _) in enumerate(players):
        before = [one.id for one, _ in players[:number]]

        async def came_so_far(before=before):
            done = "SELECT count(DISTINCT user_id) FROM savegames.savegame_contents WHERE user_id = ANY($1)"
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return await jobs.pool.fetchval(done, before) == len(before) and await jobs.pool.fetchval(waiting)

        async with jobs.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", player.id)
            walking = asyncio.create_task(walk(new_reconciliation()))
            await wait_until(came_so_far)
            assert walking.cancel()
            await asyncio.gather(walking, return_exceptions=True)
        assert (await rows(jobs, player))["contents"] == []
    await walk(new_reconciliation())
    for player, device in players:
        assert await seen(player, device) == had[player.id]
        entries = await jobs.pool.fetch("SELECT target FROM gateway.audit WHERE user_id = $1", player.id)
        assert len(entries) == 1


async def test_only_a_whole_comparison_since_the_restore_ends_it(player, device, jobs, new_reconciliation):
    for slot in ("a", "b", "c"):
        await device.save(b"1", slot)
    reconciliation = new_reconciliation(1)

    async def is_open():
        async with jobs.pool.acquire() as connection:
            return await open_restore(connection) is not None

    before = (await reconciliation.page(None, APPLYING)).next
    await mark_restored(jobs)
    with pytest.raises(CursorOutdated):
        await reconciliation.page(before, APPLYING)
    looked = await reconciliation.page(None, None)
    assert looked.is_restore_open
    with pytest.raises(CursorOutdated):
        await reconciliation.page(looked.next, APPLYING)
    assert not (await walk(reconciliation, None))[-1].next
    assert await is_open()
    [*_, last] = pages = await walk(reconciliation)
    assert all(page.is_restore_open for page in pages[:-1])
    assert not last.is_restore_open
    assert not await is_open()
    entry = await jobs.pool.fetchrow("SELECT * FROM gateway.audit WHERE id = $1", last.audit_ids[-1])
    assert (entry["user_id"], entry["after"]) == (None, '{"is_restore_open": false}')


async def sets_of(jobs, player):
    """Each version of a set that the database has: its files with their keys, and whether its list is written."""
    found = await jobs.pool.fetch(
        "SELECT s.slot_name, m.version, m.in_head, c.is_written, array_agg(f.s3_object_key ORDER BY 1) AS keys "
        "FROM savegames.savegame_metadata m JOIN savegames.savegame_slots s USING (user_id) "
        "JOIN savegames.savegame_contents c ON c.user_id = m.user_id AND c.id = m.content_id "
        "JOIN savegames.savegame_manifest_contents h ON h.user_id = m.user_id AND h.manifest_id = m.manifest_id "
        "JOIN savegames.savegame_contents f ON f.user_id = m.user_id AND f.id = h.content_id AND f.state = 'live' "
        "WHERE m.user_id = $1 AND s.id = m.slot_id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2",
        player.id,
    )
    return [(*list(row.values())[:4], sorted(row["keys"])) for row in found]


async def test_scenario_20_a_whole_set_is_adopted_a_half_one_is_not(player, set_client, jobs, new_reconciliation):
    """The database is older than three versions of sets. A page has three objects."""
    shared = bytes(100_000)
    await set_client.save({"s/a": shared, "s/b": b"1"}, slot="whole")
    await set_client.lists.run_once()
    backup = await rows(jobs, player)
    await set_client.save({"s/a": shared, "s/b": b"2" * 70_000, "s/c": b"c" * 80_000}, base=1, slot="whole")
    await set_client.save({"s/a": shared, "s/c": b"c" * 80_000}, base=2, slot="whole")
    await set_client.save({"s/x": b"x", "s/gone": b"gone" * 20_000, "s/a": shared}, slot="half")
    await set_client.lists.run_once()
    before, quota = await sets_of(jobs, player), await player.saved_bytes()
    assert [one[:4] for one in before] == [
        ("half", 1, True, True),
        ("whole", 1, True, True),
        ("whole", 2, True, True),
        ("whole", 3, True, True),
    ]
    [lost] = [
        row["s3_object_key"]
        for row in (await rows(jobs, player))["contents"]
        if row["file_hash_sha256"] == sha256(b"gone" * 20_000).digest()
    ]
    await jobs.objects.copy(lost, "kept", {})
    await jobs.objects.delete([lost])
    await put_back(jobs, player, backup)

    reconciliation = new_reconciliation(3)
    for applying in (None, APPLYING):
        pages = await walk(reconciliation, applying)
        [refused] = [one for page in pages for one in page.refused]
        assert (refused.reason, refused.metadata.slot_name, refused.metadata.version) == ("incomplete", "half", 1)
        assert refused.detail == "1 of 3 contents: s/gone"
        adopted = [(one.version, str(one.outcome)) for page in pages for _, one in page.adopted]
        assert adopted == ([(2, "history"), (3, "head")] if applying else adopted)
    assert await sets_of(jobs, player) == before[1:]
    assert [page.adopted for page in await walk(reconciliation) if page.adopted] == []
    assert await sets_of(jobs, player) == before[1:]

    await jobs.objects.copy("kept", lost, {})
    await jobs.objects.delete(["kept"])
    [one] = [one for page in await walk(new_reconciliation(100)) for _, one in page.adopted]
    assert (one.object.metadata.slot_name, one.version, str(one.outcome)) == ("half", 1, "head")
    assert await sets_of(jobs, player) == before
    assert await player.saved_bytes() == quota
    await jobs.run(timedelta(hours=3))
    assert await jobs.keys(player) == await jobs.live_keys(player)


async def test_a_set_larger_than_a_call_reads_is_adopted_in_several(
    player, set_client, jobs, new_reconciliation, monkeypatch
):
    monkeypatch.setattr(reconcile, "_READ_BYTES", 150_000)
    backup = await rows(jobs, player)
    await set_client.save({f"s/{number}": bytes([number]) * 70_000 for number in range(7)})
    await set_client.lists.run_once()
    before = await sets_of(jobs, player)
    await put_back(jobs, player, backup)
    reads, digest = [], jobs.objects.digest

    async def counted(key, size, packing=None):
        reads.append(key)
        return await digest(key, size, packing)

    monkeypatch.setattr(jobs.objects, "digest", counted)
    pages = await walk(new_reconciliation(100))
    through = [page.next.through for page in pages if page.next and page.next.unfinished]
    assert (len(through), through) == (3, sorted(through))
    assert [len(page.adopted) for page in pages if page.adopted] == [1]
    assert len(reads) == len(set(reads)) == 7
    assert await sets_of(jobs, player) == before


async def test_a_cursor_that_nobody_came_to_does_not_end_it(player, device, jobs, new_reconciliation):
    for slot in ("a", "b"):
        await device.save(b"1", slot)
    restore_id = await mark_restored(jobs)
    reconciliation = new_reconciliation(1)
    first = (await reconciliation.page(None, APPLYING)).next
    for key in ("g", first.key + "0"):
        with pytest.raises(CursorOutdated):
            await reconciliation.page(Cursor(restore_id, True, key), APPLYING)
    # A cursor that one run reached is valid for any other run, and so is an earlier one.
    second = (await reconciliation.page(first, APPLYING)).next
    assert (await reconciliation.page(None, APPLYING)).next == first
    assert await reconciliation.page(second, APPLYING)
    await walk(reconciliation)
    async with jobs.pool.acquire() as connection:
        assert await open_restore(connection) is None


async def test_a_restore_amid_a_comparison_is_not_ended_by_it(player, device, jobs, new_reconciliation):
    await device.save(b"1")
    await device.save(b"1", "more")
    reconciliation = new_reconciliation(1)
    await mark_restored(jobs)
    first = (await reconciliation.page(None, APPLYING)).next
    again = await mark_restored(jobs)
    with pytest.raises(CursorOutdated):
        await reconciliation.page(first, APPLYING)
    async with jobs.pool.acquire() as connection:
        assert (await open_restore(connection)).id == again
    await walk(reconciliation)
    async with jobs.pool.acquire() as connection:
        assert await open_restore(connection) is None


def listed(*keys, size=1):
    return [StoredObject(key, size, OLD) for key in keys]


@pytest.mark.parametrize(
    ("keys", "is_end", "taken"),
    [
        ((), True, 0),
        ((), False, 0),
        (("a/1", "a/2"), True, 2),
        (("a/1", "a/2"), False, 2),  # a save that is larger than a page
        (("a/1", "b/1", "b/2"), False, 1),
        (("a/1", "a/2", "b/1"), False, 2),
        (("a/1", "b/1", "b/2"), True, 3),
    ],
)
def test_a_page_ends_with_a_save(keys, is_end, taken):
    assert whole_saves(listed(*keys), set(keys), 100, is_end=is_end) == taken


@pytest.mark.parametrize(
    ("most", "taken"),
    [(0, 2), (1, 2), (2, 2), (3, 2), (4, 4), (5, 5), (100, 5)],
)
def test_a_page_reads_no_more_than_it_may(most, taken):
    objects = listed("a/1", "a/2", "b/1", "b/2", "c/1")
    whole = whole_saves(objects, {one.key for one in objects}, most, is_end=True)
    assert whole == (1 if most < 2 else taken)
    assert whole_saves(objects, set(), 0, is_end=True) == 5
