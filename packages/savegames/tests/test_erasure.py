"""Erasure of one user, in bounded parts, on a real PostgreSQL."""

OF_SETS = ("manifests", "manifest_contents", "upload_files")
TABLES = (
    "slots",
    "metadata",
    "contents",
    "uploads",
    "conflicts",
    "devices",
    "quotas",
    "numbers",
    "allowances",
    "preferences",
    "device_states",
    *OF_SETS,
)


async def fill(player, sets):
    await player.save(b"one", device_id="pc")
    await player.save(b"two", device_id="pc")
    await player.save(b"three", base_version=1, device_id="deck")
    trashed = await player.save(b"four", "trashed")
    await player.service.delete(player.id, trashed.slot_id)
    purged = await player.save(b"seven", "purged")
    await player.service.delete(player.id, purged.slot_id, permanent=True)
    await player.request(b"five")
    await player.request(b"one", "joined")
    await player.uploads.begin_confirmation(player.id, (await player.request(b"six")).upload_id)
    await sets.save({"a": b"of a set", "b": b"one"}, "set")
    await sets.request({"a": b"of a set", "b": b"awaited"}, "set")
    await player.service.set_quota(player.id, 100)
    about = (player.id, player.product)
    await player.connection.execute("INSERT INTO savegames.savegame_preferences VALUES ($1, $2, true, now())", *about)
    await player.connection.execute(
        "INSERT INTO savegames.savegame_device_states (user_id, product_id, device_id, intent, intent_at) "
        "VALUES ($1, $2, 'pc', 'exit', now())",
        *about,
    )


async def test_an_erasure_deletes_all_rows_of_one_user_only(new_player, sets_of):
    gone, stays = new_player(), new_player()
    for player in (gone, stays):
        await fill(player, sets_of(player))
    before = {table: await stays.rows(table) for table in TABLES}
    assert all(before.values())
    parts = 0
    while await gone.service.erase(gone.id, 2):
        parts += 1
    assert parts >= sum((len(rows) + 1) // 2 for rows in before.values())
    assert {table: await gone.rows(table) for table in TABLES} == {table: [] for table in TABLES}
    assert {table: await stays.rows(table) for table in TABLES} == before
    assert not await gone.service.erase(gone.id)


async def test_an_erased_user_can_start_again(player, sets):
    await fill(player, sets)
    while await player.service.erase(player.id):
        pass
    assert (await player.save(b"one")).version == 1
    assert await player.usage() == (3, 0)
