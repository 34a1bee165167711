"""The audit at size: with any filter, a page is read in the order of an index, and no row is read needlessly."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import pytest
from gameshelf.gateway.runtime.support.audit import _LIST, _LIST_OF_ITEM
from gameshelf.gateway.runtime.support.timeline import OWN_TIMELINE
from gameshelf.gateway.runtime.tables import MIGRATIONS

VALUES = {
    "before_id": 2**63 - 1,
    "limit": 21,
    "kind": "change",
    "command": "user erase",
    "user_hash": b"u",
    "ticket": "4711",
    "batch_id": "00000000-0000-4000-8000-000000000001",
    "actor_id": "00000000-0000-4000-8000-000000000000",
}


@pytest.fixture
async def connection(database):
    await asyncio.to_thread(MIGRATIONS.upgrade, database)
    opened = await asyncpg.connect(database, server_settings={"plan_cache_mode": "force_generic_plan"})
    await opened.execute(
        "INSERT INTO gateway.audit (kind, command, actor_id, actor_roles, user_hash, target) "
        "SELECT 'refusal', 'user show', gen_random_uuid(), 'user', decode(md5(n::text), 'hex'), '{}' "
        "FROM generate_series(1, 20000) AS n"
    )
    await opened.execute("ANALYZE gateway.audit")
    yield opened
    await opened.close()


def nodes(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize(
    ("names", "index"),
    [
        ((), "ix_audit_id"),
        (("kind",), "ix_audit_kind"),
        (("command",), "ix_audit_command"),
        (("kind", "command"), "ix_audit_command_kind"),
        (("user_id",), "pk_audit"),
        (("actor_id",), "ix_audit_actor"),
        (("ticket",), "ix_audit_ticket"),
        (("batch_id",), "ix_audit_batch"),
    ],
)
async def test_a_page_is_read_in_the_order_of_an_index(connection, names, index):
    statement = _LIST[names]
    prepared = await connection.prepare(statement.sql)
    [found] = await prepared.explain(*statement._values(VALUES))
    of_entries = [node for node in nodes(found["Plan"]) if node.get("Alias") in ("audit", None)]
    scans = {node["Index Name"]: node for node in of_entries if "Index Name" in node}
    assert index in scans, json.dumps(found)
    assert "Filter" not in scans[index]
    assert not any(node["Node Type"] in ("Seq Scan", "Sort") for node in nodes(found["Plan"]))


async def test_an_item_of_a_batch_is_found_among_all_of_it(connection):
    await connection.execute(
        "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target, batch_id, batch_item) "
        "SELECT 'change', 'quota set', 'support', decode(md5(n::text), 'hex'), '{}', $1, n "
        "FROM generate_series(1, 5000) AS n",
        VALUES["batch_id"],
    )
    await connection.execute("ANALYZE gateway.audit")
    prepared = await connection.prepare(_LIST_OF_ITEM.sql)
    [found] = await prepared.explain(*_LIST_OF_ITEM._values({**VALUES, "batch_item": 77}))
    scans = {node["Index Name"]: node for node in nodes(found["Plan"]) if "Index Name" in node}
    assert "Filter" not in scans["ix_audit_batch_item"]
    assert len(await prepared.fetch(*_LIST_OF_ITEM._values({**VALUES, "batch_item": 77}))) == 1


async def test_a_page_of_a_timeline_reads_no_other_entries(connection):
    await connection.execute(
        "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target, happened_at) "
        "SELECT 'read', 'user show', 'support', 'u', '{}', now() - n * interval '1 s' "
        "FROM generate_series(1, 5000) AS n"
    )
    await connection.execute("ANALYZE gateway.audit")
    [support] = [one for one in OWN_TIMELINE if one.kind == "support"]
    [statement] = support.statements
    place = {"since": datetime(2000, 1, 1, tzinfo=UTC), "before": datetime(2100, 1, 1, tzinfo=UTC), "after_key": ""}
    values = statement._values({**VALUES, **place})
    prepared = await connection.prepare(statement.sql)
    [found] = await prepared.explain(*values, analyze=True)
    [scan] = [node for node in nodes(found["Plan"]) if node["Node Type"] == "Index Scan"]
    assert (scan["Index Name"], "Sort" in {node["Node Type"] for node in nodes(found["Plan"])}) == (
        "ix_audit_user",
        False,
    )
    assert scan["Actual Rows"] < 100
    assert len(await prepared.fetch(*values)) == VALUES["limit"]


async def test_after_a_restore_no_entry_gets_the_number_of_one_that_was_lost(connection):
    add = (
        "INSERT INTO gateway.audit (kind, command, actor_roles, user_hash, target) "
        "VALUES ('change', 'quota set', '', '', '{}') "
    )
    lost = await connection.fetchval(add + "RETURNING id")
    await connection.execute("SELECT gateway.mark_restored(now(), 'a copy', 'a test', 'the disk burned')")
    assert await connection.fetchval(add + "RETURNING id") > lost + 10**9
