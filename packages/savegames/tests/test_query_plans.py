"""The plan of each statement: it finds a user's rows by their key, and due rows by their time, among any others.

The plans are those without values ("generic"), which the server comes to use for statements that are prepared once.
"""

import json

import asyncpg
import pytest
from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import RowErasure
from gameshelf.savegames import MIGRATIONS
from gameshelf.savegames import _store as stores
from gameshelf.savegames._queries import accounts, finding, overview, saves, sets, support
from gameshelf.savegames._store import (
    adoptions,
    conflicts,
    contents,
    list_objects,
    lists,
    merges,
    plan_contexts,
    plans,
    scans,
    set_commits,
    set_contexts,
    set_reservations,
    slots,
    upload_contexts,
    upload_files,
    uploads,
    usage,
    versions,
)

MODULES = (
    accounts,
    finding,
    overview,
    saves,
    sets,
    support,
    stores,
    adoptions,
    upload_contexts,
    upload_files,
    conflicts,
    contents,
    list_objects,
    lists,
    merges,
    plan_contexts,
    plans,
    scans,
    set_commits,
    set_contexts,
    set_reservations,
    slots,
    uploads,
    usage,
    versions,
)
# Statements over all users search by a time, by an object key, or by the ids of uploads.
OVER_ALL = {
    "accounts._CONTENTS": "s3_object_key",
    "contents._DUE": "delete_after",
    "finding._SAVES": "uuid_send(id)",
    "finding._UPLOADS": "id",
    "finding._CONFLICTS": "uuid_send(id)",
    "list_objects._REWRITE": "s3_object_key",
    "scans._EXPECTED": "s3_object_key",
    "scans._KNOWN": "s3_object_key",
    "scans._LOST": "missing_since",
    "scans._OPEN": "id",
    "scans._MISS": "s3_object_key",
    "scans._BACK": "s3_object_key",
    "slots._ALL_WITHOUT_KEY": "ROW(user_id, id)",
    "slots._DUE": "prune_at",
    "slots._IN_TRASH": "deleted_at",
    "support._OF_ALL": "ROW(opened_at, id)",
    "uploads._EXPIRE": "expires_at",
    "uploads._WITH_EXPIRED": "expires_at",
}
# They read what a partial index has of all users.
OF_ALL = {"list_objects._OLDEST", "list_objects._UNWRITTEN", "scans._COUNT_OPEN"}
# The table has one row per scan, and there are few scans.
OF_SCANS = {"scans._FIND", "scans._MOVE", "scans._START"}

# 50 users with 400 contents and 400 slots each, 10 of which have 40 versions, and one has 5,000. Of a long history few
# versions have their bytes; few uploads are open, and few contents are due.
FILL = """
SET session_replication_role = replica;  -- the rows fit together: their foreign keys need not be checked one by one
INSERT INTO savegames.savegame_slots (user_id, id, product_id, slot_name, slot_key, head_version, last_version,
    created_at, deleted_at, prune_at)
SELECT md5('u' || u)::uuid, md5('s' || u || '-' || s)::uuid, md5('p' || s % 3)::uuid, 'slot ' || s,
       CASE WHEN s % 100 > 0 THEN 'slot ' || s END, 40, 40, now(),
       CASE WHEN s = 9 THEN now() - u * interval '1 hour' END, CASE WHEN s = 8 THEN now() + u * interval '1 hour' END
FROM generate_series(1, 50) u, generate_series(0, 399) s;
UPDATE savegames.savegame_slots SET head_version = 5000, last_version = 5000
WHERE user_id = md5('u1')::uuid AND slot_name = 'slot 0';
INSERT INTO savegames.savegame_contents (user_id, id, s3_object_key, file_size_bytes, file_hash_sha256, state,
    created_at, delete_after, missing_since)
SELECT md5('u' || u)::uuid, md5('c' || u || '-' || c)::uuid, md5('u' || u) || '/' || c, 1000,
       sha256(c::text::bytea), CASE WHEN c % 50 = 0 THEN 'dropped' ELSE 'live' END, now() - c * interval '1 hour',
       CASE WHEN c % 50 = 0 THEN now() + c * interval '1 hour' END, CASE WHEN c % 100 = 1 THEN now() END
FROM generate_series(1, 50) u, generate_series(1, 400) c;
INSERT INTO savegames.savegame_metadata (user_id, slot_id, version, id, parent_version, in_head, content_id,
    file_size_bytes, file_hash_sha256, server_uploaded_at, is_pinned, pruned_at)
SELECT md5('u' || u)::uuid, md5('s' || u || '-' || s)::uuid, v, md5('v' || u || '-' || s || '-' || v)::uuid, v - 1,
       true, CASE WHEN v > 30 THEN md5('c' || u || '-' || s * 40 + v)::uuid END, 1000,
       sha256((s * 40 + v)::text::bytea), now() - v * interval '1 hour', false, CASE WHEN v <= 30 THEN now() END
FROM generate_series(1, 50) u, generate_series(0, 9) s, generate_series(1, 40) v;
INSERT INTO savegames.savegame_metadata (user_id, slot_id, version, id, parent_version, in_head, content_id,
    file_size_bytes, file_hash_sha256, server_uploaded_at, is_pinned, pruned_at)
SELECT md5('u1')::uuid, md5('s1-0')::uuid, v, md5('w' || v)::uuid, v - 1, v % 10 > 0,
       CASE WHEN v > 4990 THEN md5('c1-' || v - 4990)::uuid END, 1000, sha256(v::text::bytea), now(), false,
       CASE WHEN v <= 4990 THEN now() END
FROM generate_series(41, 5000) v;
INSERT INTO savegames.savegame_uploads (user_id, id, slot_id, version, base_version, file_size_bytes, file_hash_sha256,
    content_id, conflict_policy, created_at, expires_at, outcome)
SELECT md5('u' || u)::uuid, md5('o' || u || '-' || n)::uuid, md5('s' || u || '-' || n % 10)::uuid, n, n - 1, 1000,
       sha256(n::text::bytea), CASE WHEN n % 400 = 0 THEN md5('c' || u || '-' || n)::uuid END, 'manual', now(),
       now() + n * interval '1 hour', CASE WHEN n % 10 > 0 THEN '{}'::jsonb END
FROM generate_series(1, 50) u, generate_series(1, 800) n;
INSERT INTO savegames.savegame_conflicts (user_id, id, slot_id, branch_version, head_version, opened_at, resolved_at,
    resolution)
SELECT md5('u' || u)::uuid, md5('x' || u || '-' || n)::uuid, md5('s' || u || '-' || n % 10)::uuid, n, n, now(),
       CASE WHEN n > 9 THEN now() END, CASE WHEN n > 9 THEN 'keep_both' END
FROM generate_series(1, 50) u, generate_series(1, 400) n;
INSERT INTO savegames.savegame_devices (user_id, slot_id, device_id, version, synced_at)
SELECT md5('u' || u)::uuid, md5('s' || u || '-' || s)::uuid, 'device ' || d, 1, now()
FROM generate_series(1, 50) u, generate_series(0, 9) s, generate_series(1, 64) d;
INSERT INTO savegames.savegame_numbers (user_id, product_id, slot_key, last_version)
SELECT md5('u' || u)::uuid, md5('p' || n % 3)::uuid, 'slot ' || n, n
FROM generate_series(1, 50) u, generate_series(1, 400) n;
INSERT INTO savegames.savegame_allowances (user_id, day, signed_bytes)
SELECT md5('q' || u)::uuid, current_date, 1 FROM generate_series(1, 5000) u;
INSERT INTO savegames.savegame_quotas (user_id, limit_bytes, set_at)
SELECT md5('q' || u)::uuid, 1, now() FROM generate_series(1, 5000) u;
INSERT INTO savegames.savegame_manifests (user_id, id, slot_id, file_hash_sha256, content_identity, file_count,
    content_count, total_bytes, body, created_at)
SELECT md5('u' || u)::uuid, md5('l' || u || '-' || s || '-' || v)::uuid, md5('s' || u || '-' || s)::uuid,
       sha256((s * 40 + v)::text::bytea), sha256((s * 40 + v)::text::bytea), 3, 3, 3000, '', now()
FROM generate_series(1, 50) u, generate_series(0, 9) s, generate_series(1, 40) v;
INSERT INTO savegames.savegame_manifest_contents (user_id, manifest_id, content_id)
SELECT md5('u' || u)::uuid, md5('l' || u || '-' || s || '-' || v)::uuid, md5('c' || u || '-' || s * 40 + v)::uuid
FROM generate_series(1, 50) u, generate_series(0, 9) s, generate_series(31, 40) v;
INSERT INTO savegames.savegame_manifest_contents (user_id, manifest_id, content_id)
SELECT md5('u' || u)::uuid, md5('l' || u || '-0-40')::uuid, md5('c' || u || '-' || c)::uuid
FROM generate_series(1, 50) u, generate_series(41, 400) c;
UPDATE savegames.savegame_metadata SET manifest_id = md5('l' || u || '-' || s || '-' || version)::uuid, file_count = 3
FROM generate_series(1, 50) u, generate_series(0, 9, 2) s
WHERE user_id = md5('u' || u)::uuid AND slot_id = md5('s' || u || '-' || s)::uuid AND version BETWEEN 31 AND 40;
UPDATE savegames.savegame_uploads SET manifest_id = md5('l' || u || '-' || n % 10 || '-' || n % 40 + 1)::uuid,
    file_count = 3
FROM generate_series(1, 50) u, generate_series(20, 800, 20) n
WHERE user_id = md5('u' || u)::uuid AND id = md5('o' || u || '-' || n)::uuid;
INSERT INTO savegames.savegame_upload_files (user_id, upload_id, sha256, size_bytes)
SELECT md5('u' || u)::uuid, md5('o' || u || '-' || n * 20)::uuid, sha256((n * 1000 + f)::text::bytea), 1000
FROM generate_series(1, 50) u, generate_series(1, 40) n, generate_series(1, 20) f;
INSERT INTO savegames.savegame_device_states (user_id, product_id, device_id, intent, intent_at)
SELECT md5('u' || u)::uuid, md5('p' || n % 3)::uuid, 'device ' || n, 'exit', now()
FROM generate_series(1, 50) u, generate_series(1, 190) n;
INSERT INTO savegames.savegame_preferences (user_id, product_id, auto_sync, changed_at)
SELECT md5('q' || u)::uuid, md5('p' || n)::uuid, true, now() FROM generate_series(1, 5000) u, generate_series(1, 2) n;
INSERT INTO savegames.savegame_policies (product_id, revision, source, policy, said_at, changed_at)
SELECT md5('p' || n)::uuid, 1, 'catalog', '{}', now(), now() FROM generate_series(1, 5000) n;
INSERT INTO savegames.savegame_game_versions (product_id, game_version_id, first_seen_at)
SELECT md5('p' || n % 500)::uuid, n::text, now() FROM generate_series(1, 5000) n;
SET session_replication_role = origin;
"""


@pytest.fixture(scope="module")
def empty(create_database):
    return create_database(MIGRATIONS)


@pytest.fixture(scope="module")
async def full(empty):
    """A connection to a database of 20,000 contents, 25,000 versions and 40,000 uploads."""
    settings = {
        "plan_cache_mode": "force_generic_plan",
        # Tables of this size look cheap to read whole, if only several workers share it; real ones don't.
        "max_parallel_workers_per_gather": "0",
    }
    connection = await asyncpg.connect(empty, server_settings=settings)
    await connection.execute(FILL)
    await connection.execute("VACUUM ANALYZE")
    yield connection
    await connection.close()


def statements():
    """Every statement of the package by its name."""
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, RowErasure):
                value = value.statements
            for number, statement in enumerate(value if isinstance(value, tuple) else (value,)):
                if isinstance(statement, Statement):
                    short = module.__name__.rpartition(".")[2]
                    yield f"{short}.{name}" + (f" {number}" if number else ""), statement


async def plan(connection, statement):
    """Returns the nodes of a statement's plan, each before its children."""
    nulls = ", ".join("NULL" for _ in statement._names)
    await connection.execute(f"PREPARE explained AS {statement.sql}")
    [[found]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE explained{f'({nulls})' if nulls else ''}")
    await connection.execute("DEALLOCATE explained")
    nodes, rest = [], [json.loads(found)[0]["Plan"]]
    while rest:
        node = rest.pop()
        nodes.append(node)
        rest += node.get("Plans", ())
    return nodes


def complaints(nodes, name):
    """Describes the problems of a plan."""
    for node in nodes:
        condition = node.get("Index Cond", "")
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "savegame_scans":
            yield f"{name} reads all of {node['Relation Name']}"
        if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"):
            keys = {"user_id", OVER_ALL.get(name, "user_id")}
            if node["Index Name"] in ("pk_savegame_policies", "pk_savegame_game_versions"):
                keys = {"product_id"}  # they belong to no user
            if node["Index Name"] == "ix_savegame_uploads_id":
                keys = {"id"}  # no two uploads have the same id
            if not any(f"{key} " in condition or f"({key})" in condition for key in keys):
                yield f"{name} goes through {node['Index Name']} by {condition or 'nothing'}"


NAMED = dict(statements())


@pytest.mark.parametrize("name", [name for name in NAMED if name not in OF_SCANS | OF_ALL])
async def test_a_statement_finds_its_rows_by_key(full, name):
    assert list(complaints(await plan(full, NAMED[name]), name)) == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("upload_contexts._CONTEXT", "uq_savegame_contents_live"),  # by the hash, and for the sum
        ("upload_contexts._CONTEXT", "ix_savegame_uploads_open"),
        ("upload_contexts._CONTEXT", "uq_savegame_slots_name"),
        ("upload_contexts._CONTEXT", "ix_savegame_slots_trash"),
        ("upload_contexts._CONTEXT", "ix_savegame_uploads_hash"),
        ("contents._LIVE", "uq_savegame_contents_live"),
        ("versions._KEPT", "ix_savegame_metadata_kept"),
        ("versions._HISTORIES", "ix_savegame_metadata_kept"),
        ("slots._ALL_WITHOUT_KEY", "ix_savegame_slots_no_key"),
        ("saves._VERSIONS", "uq_savegame_conflicts_open"),
        ("usage._USAGE", "ix_savegame_uploads_open"),
        ("contents._DUE", "ix_savegame_contents_delete_after"),
        ("list_objects._OLDEST", "ix_savegame_contents_unwritten"),
        ("list_objects._UNWRITTEN", "ix_savegame_contents_unwritten"),
        ("lists._FORGET", "ix_savegame_metadata_pruned_lists"),
        ("scans._LOST", "ix_savegame_contents_missing"),
        ("scans._EXPECTED", "ix_savegame_contents_key"),
        ("support._OF_ALL", "ix_savegame_conflicts_opened_at"),
    ],
)
async def test_a_frequent_statement_uses_the_partial_index(full, name, index):
    assert index in [node.get("Index Name") for node in await plan(full, NAMED[name])]


@pytest.mark.parametrize("name", ["set_commits._AWAITED", "versions._CONTENTS_OF_LISTS"])
async def test_the_contents_of_a_list_are_found_by_their_ids(full, name):
    """Through the live contents of the user, a list of n files would take n² steps."""
    nodes = [one for one in await plan(full, NAMED[name]) if one.get("Relation Name") == "savegame_contents"]
    assert nodes
    assert all("(id = " in node.get("Index Cond", "") for node in nodes)


@pytest.mark.parametrize(
    "name",
    [
        "conflicts._EXTEND",
        "lists._FORGET",
        "merges._SIDES",
        "plans._SAVES",
        "saves._CONFLICT",
        "saves._CONFLICTS",
        "saves._DOWNLOAD",
        "saves._HEAD",
        "saves._SAVES",
        "saves._VERSION",
        "set_contexts._CONTEXT",
        "sets._CONTENTS",
        "sets._VERSION",
        "slots._HAS_GROWN",
        "support._COPIES",
        "support._HEAD",
        "support._OF_USER",
        "support._SIDES",
        "versions._JOIN_HEAD",
        "versions._PRUNE",
    ],
)
async def test_single_versions_are_not_found_in_the_whole_history(full, name):
    """The planner takes a save for one that has a version or two, and one has thousands."""
    nodes = [one for one in await plan(full, NAMED[name]) if one.get("Index Name") == "pk_savegame_metadata"]
    assert nodes
    assert [node["Index Cond"] for node in nodes if "version = " not in node["Index Cond"]] == []


def test_the_statements_were_found():
    assert len(NAMED) > 60
    assert OVER_ALL.keys() | OF_SCANS | OF_ALL <= NAMED.keys()
