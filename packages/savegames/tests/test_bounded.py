"""The number of rows that are read of a long history, on a real PostgreSQL."""

from hashlib import sha256

import pytest
from gameshelf.savegames import Resolve, SavegameUploads, UploadQueries, UploadResult, UploadsFilter
from gameshelf.savegames._limits import MAX_COMPARED

LONG = 3_000
GROW = """
INSERT INTO savegames.savegame_metadata (user_id, slot_id, version, id, parent_version, in_head, content_id,
    file_size_bytes, file_hash_sha256, server_uploaded_at, is_pinned, pruned_at)
SELECT $1, $2, v, gen_random_uuid(), v - 1, true, NULL, 3, sha256(v::text::bytea), now(), false, now()
FROM generate_series(2, $3::bigint) v
"""


class Counting:
    """A connection that counts the rows that it fetches."""

    def __init__(self, connection):
        self._connection = connection
        self.rows = 0

    async def fetch(self, query, *args):
        found = await self._connection.fetch(query, *args)
        self.rows += len(found)
        return found

    async def fetchrow(self, query, *args):
        found = await self._connection.fetchrow(query, *args)
        self.rows += found is not None
        return found

    async def execute(self, query, *args):
        return await self._connection.execute(query, *args)

    def is_in_transaction(self):
        return self._connection.is_in_transaction()


@pytest.fixture
async def slot(player):
    """A save of 3,000 versions, of which only the first and the last two have their bytes."""
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.connection.execute(GROW, player.id, slot, LONG)
    await player.connection.execute(
        "UPDATE savegames.savegame_slots SET head_version = $3, last_version = $3 WHERE user_id = $1 AND id = $2",
        player.id,
        slot,
        LONG,
    )
    await player.save(b"two", base_version=LONG)
    await player.save(b"head", base_version=LONG + 1)
    return slot


@pytest.mark.parametrize(
    ("base", "content", "result"),
    [
        (0, b"one", UploadResult.BEHIND),
        (0, b"two", UploadResult.BEHIND),
        (0, b"new", UploadResult.CONFLICT),
        (1, b"one", UploadResult.BEHIND),
        (1, b"two", UploadResult.CONFLICT),  # the history after such an old base is not read so far
        (LONG - 100, b"two", UploadResult.BEHIND),
        (LONG + 1, b"two", UploadResult.BEHIND),
        (2, b"one", UploadResult.CONFLICT),
    ],
)
async def test_an_old_base_reads_only_a_part_of_the_history(player, slot, base, content, result):
    counting = Counting(player.connection)
    player.uploads = SavegameUploads(counting, player.events.append, player.access, player.clock, player.limits)
    upload = await player.request(content, base_version=base)
    assert upload.conflict_expected is (result is UploadResult.CONFLICT)
    assert (await player.confirm(upload)).result is result
    assert counting.rows < 2 * MAX_COMPARED + 50


async def test_open_uploads_read_only_a_part_of_the_history(player, slot):
    requested = [await player.request(b"two", "slot", base_version=1, device_id=str(number)) for number in range(5)]
    requested.append(await player.request(sha256(b"other").digest(), base_version=0))
    counting = Counting(player.connection)
    found = await UploadQueries(counting).uploads(player.id, UploadsFilter(limit=100), player.now)
    assert {one.id for one in found.items} == {upload.upload_id for upload in requested}
    assert counting.rows < 6 * (MAX_COMPARED + 2)


async def test_all_versions_of_a_long_branch_join_the_head(player):
    slot = (await player.save(b"one", device_id="pc")).slot_id
    await player.save(b"two", device_id="pc")
    for number in range(10):
        grown = await player.save(b"%d" % number, device_id="deck", **({"base_version": 1} if not number else {}))
    beside = await player.save(b"beside", device_id="laptop", base_version=1)
    await player.conflicts.resolve(player.id, grown.conflict_id, Resolve(resolution="keep_local"))
    rows = {row["version"]: row["in_head"] for row in await player.rows("metadata") if row["slot_id"] == slot}
    assert [version for version, in_head in rows.items() if not in_head] == [beside.version]
