"""A batch of the verification is linear in the files of the upload, by plans from before there were any files."""

from datetime import timedelta

import pytest
from gameshelf.devstack.statements import Measured
from gameshelf.savegames import MIGRATIONS, Digest, FileResult
from gameshelf.savegames._store import set_commits, set_contexts, upload_files

FILES = 1_500
MOST = 20 * FILES
"""The rows that all nodes of a plan handle; comparing each file with each content makes a million."""
STATEMENTS = {
    "known": set_contexts._CONTENTS,
    "note": upload_files._NOTE,
    "next": upload_files._NEXT,
    "count": upload_files._COUNT,
    "unverified": upload_files._UNVERIFIED,
    "state": set_commits._STATE,
    "awaited": set_commits._AWAITED,
    "live": set_commits._GO_LIVE,
}


@pytest.fixture
def savegames_dsn(create_database):
    """A database of its own, whose tables were never analyzed."""
    return create_database(MIGRATIONS)


async def test_no_statement_compares_all_files_with_all_contents(of_player, new_player):
    sets = of_player(new_player())
    connection = sets.player.connection
    measured = {
        name: await Measured.prepare(connection, statement, "force_generic_plan")
        for name, statement in STATEMENTS.items()
    }
    await connection.execute(
        "INSERT INTO savegames.savegame_contents "
        "(user_id, id, s3_object_key, file_size_bytes, file_hash_sha256, state, created_at) "
        "SELECT $1::text::uuid, gen_random_uuid(), $1::text || number, 1, sha256(number::text::bytea || '!'), 'live', "
        "now() FROM generate_series(1, $2::int) number",
        str(sets.id),
        FILES,
    )
    upload = await sets.request({f"{number}": b"%d" % number for number in range(FILES)})
    results, after = [], b""
    for _ in range(FILES // 64 // 2):
        work = await sets.sets.begin(sets.id, upload.upload_id, results, after)
        results = [FileResult(one, Digest(one.size, one.sha256), None) for one in work.attempts]
        after = work.attempts[-1].sha256
    [manifest] = await sets.rows("manifests")
    given = {
        "user_id": sets.id,
        "upload_id": upload.upload_id,
        "manifest_id": manifest["id"],
        "after_sha256": after,
        "limit": 64,
        "hashes": [one.attempt.sha256 for one in results],
        "content_ids": [one.attempt.content_id for one in results],
        "are_own": [True] * len(results),
        "now": sets.player.now,
        "delete_after": sets.player.now + timedelta(hours=2),
    }
    for name in ("problems", "raw_hashes", "raw_encodings", "raw_sizes"):
        given[name] = [None] * len(results)
    rows = {}
    for name, one in measured.items():
        constants = one.statement._constants
        work = await one.run([constants[key] if key in constants else given[key] for key in one.statement._names])
        rows[name] = work.rows
        if name == "next":
            print(work.plan)
    assert {name: number for name, number in rows.items() if number > MOST} == {}
    await connection.execute("DELETE FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'live'", sets.id)
    assert rows["next"] < 20 * 64  # not those of all later batches
