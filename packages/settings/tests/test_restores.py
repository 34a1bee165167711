"""After a restore no revision that a client remembers matches."""


async def test_revisions_continue_beyond_those_of_the_lost_time(player):
    lost = await player.put({"volume": 1})
    await player.connection.execute("SELECT settings.mark_restored()")
    now = await player.get()
    assert now.payload == {"volume": 1}
    assert now.revision > lost.revision + 1_000_000
    changed = await player.put({"volume": 2})
    assert changed.revision == now.revision + 1


async def test_lost_settings_restart_above_every_revision_clients_know(player):
    await player.connection.execute("SELECT settings.mark_restored()")
    made = await player.put({"volume": 3})
    assert made.revision > 1_000_000_000
    before = made.revision
    await player.connection.execute("SELECT settings.mark_restored()")  # a second restore does not decrease it
    assert (await player.put({"volume": 4})).revision > before
