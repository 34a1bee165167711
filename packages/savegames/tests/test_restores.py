"""After a restore no number is given out that a device or the store may remember from the lost time, and nothing that
was confirmed in it is taken for given up.
"""

import pytest
from gameshelf.savegames import Digest, SavegameUploadIncomplete, metadata_of


async def test_version_numbers_continue_above_the_lost_ones(player):
    before = await player.save(b"before")
    await player.connection.execute("SELECT savegames.mark_restored()")
    after = await player.save(b"after")
    assert after.version > before.version + 1_000_000
    assert await player.versions(after.slot_id) == {
        before.version: (0, None, "history"),
        after.version: (before.version, None, "head"),
    }


async def test_an_upload_confirmed_during_the_backup_is_adopted(player):
    before = await player.save(b"before")
    sent = await player.request(b"confirmed a moment later")
    confirmed = sent.upload_id
    attempt = await player.uploads.begin_confirmation(player.id, confirmed)
    backup = await player.backup()
    player.objects.add(attempt.target)
    player.written[attempt.target] = (attempt.size, metadata_of(attempt.target, attempt.metadata), player.now)
    await player.uploads.finish_confirmation(player.id, confirmed, attempt, Digest(attempt.size, attempt.content))
    await player.restore_backup(backup)
    await player.connection.execute("SELECT savegames.mark_restored()")
    [adopted] = await player.adopt()
    assert (str(adopted.outcome), adopted.object.key) == ("head", attempt.target)
    player.later(hours=3)
    await player.sweep()
    found = await player.queries.download(player.id, before.slot_id, None)
    assert (found.key, found.version.content) == (attempt.target, attempt.content)
    assert found.key in player.objects


async def test_a_confirmation_interrupted_by_a_restore_starts_again(player):
    sent = await player.request(b"1")
    attempt = await player.uploads.begin_confirmation(player.id, sent.upload_id)
    await player.connection.execute("SELECT savegames.mark_restored()")
    with pytest.raises(SavegameUploadIncomplete):
        await player.uploads.finish_confirmation(
            player.id, sent.upload_id, attempt, Digest(attempt.size, attempt.content)
        )
    assert (str((await player.confirm(sent)).result), (await player.usage())[0]) == ("head", 1)
