"""What the schema itself does for sets: beside an instance of the release before, and after a restore."""

from contextlib import asynccontextmanager
from datetime import timedelta

WORLD = {"a": b"of the set", "b": b"of the set, too"}


@asynccontextmanager
async def undone(player):
    """What is written inside is undone, since it breaks the rules of sets."""
    transaction = player.connection.transaction()
    await transaction.start()
    yield
    await transaction.rollback()


async def test_the_release_before_can_delete_a_save_that_is_a_set(sets):
    saved = await sets.save(WORLD)
    await sets.request(WORLD | {"c": b"more"})
    # As that release purges: versions, uploads, devices, then the save. Lists go with it.
    execute = sets.player.connection.execute
    async with undone(sets.player):
        for table in ("uploads", "metadata", "devices"):
            await execute(f"DELETE FROM savegames.savegame_{table} WHERE user_id = $1", sets.id)
        await execute("DELETE FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", sets.id, saved.slot_id)
        for table in ("manifests", "manifest_contents", "upload_files"):
            assert await sets.rows(table) == []


async def test_after_a_restore_files_are_verified_and_lists_written_again(sets):
    await sets.save(WORLD)
    await sets.player.connection.execute(
        "UPDATE savegames.savegame_contents SET is_written = true, created_at = now() WHERE kind = 'list'"
    )
    reservation = await sets.request(WORLD | {"c": b"more"})
    sets.send(reservation, b"more")
    await sets.verify(reservation)
    await sets.player.connection.execute("SELECT savegames.mark_restored()")
    [file] = await sets.rows("upload_files")
    assert (file["content_id"], file["problem"]) == (None, None)
    assert [row["is_written"] for row in await sets.rows("contents") if row["kind"] == "list"] == [False]
    results, work = await sets.verify(reservation)
    assert ([one.problem for one in results], work.verified, work.total) == ([None], 3, 3)


async def test_lists_of_the_last_day_before_the_backup_are_written_again(sets):
    """However long ago the backup was made."""
    for slot, age in (("last", 0), ("day", 23), ("week", 7 * 24)):
        await sets.save(WORLD, slot)
        await sets.player.connection.execute(
            "UPDATE savegames.savegame_contents SET is_written = true, "
            "created_at = '2200-01-01'::timestamptz - $2::interval "
            "WHERE user_id = $1 AND kind = 'list' AND NOT is_written",
            sets.id,
            timedelta(hours=age),
        )
    await sets.player.connection.execute("SELECT savegames.mark_restored()")
    lists = await sets.player.connection.fetch(
        "SELECT slot_name, is_written FROM savegames.savegame_contents c "
        "JOIN savegames.savegame_metadata m ON m.content_id = c.id JOIN savegames.savegame_slots s ON s.id = m.slot_id "
        "WHERE c.user_id = $1 AND kind = 'list'",
        sets.id,
    )
    assert dict(map(tuple, lists)) == {"last": False, "day": False, "week": True}
