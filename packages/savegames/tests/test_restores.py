"""After a restore no number is given out that a device or the store may remember from the lost time."""


async def test_versions_go_on_beyond_those_of_the_lost_time(player):
    before = await player.save(b"before")
    await player.connection.execute("SELECT savegames.mark_restored()")
    after = await player.save(b"after")
    assert after.version > before.version + 1_000_000
    assert await player.versions(after.slot_id) == {
        before.version: (0, None, "history"),
        after.version: (before.version, None, "head"),
    }
