"""Statements on distributed tables: which cross shards, who runs them, and that the page about it lists them."""

import ast
from pathlib import Path

import pytest
from gameshelf.devstack.source_tree import parse_source
from gameshelf.devstack.statements import GROUPS, list_as_table, tables_in
from gameshelf.gateway.wiring import MIGRATIONS
from gameshelf.libctl.main import NOUNS

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "services" / "gateway" / "src"
PAGE = ROOT / "docs" / "scaling.md"
LOCAL = {f"{one.schema}.{table}" for one in MIGRATIONS for table in one.local_tables}
OTHER_CALLERS = {"batch calls", "consumer", "heartbeats", "jobs", "libctl", "relay", "sockets"}
WHOLE = {f"{one.schema}.{table}" for one in MIGRATIONS for table in one.whole_tables}


def declared_jobs():
    calls = (node for path in GATEWAY.rglob("*.py") for node in ast.walk(parse_source(path.read_text("utf-8"))))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "Job"
        and isinstance(call.args[0], ast.Constant)
    }


def test_the_page_lists_every_statement_that_crosses_shards():
    assert list_as_table() in PAGE.read_text("utf-8"), f"{PAGE.name} needs this table:\n{list_as_table()}"


def test_the_callers_of_what_crosses_shards_exist():
    jobs = declared_jobs()
    for caller in {caller for group in GROUPS for caller in group.by.split(", ")} - OTHER_CALLERS:
        kind, _, name = caller.partition(" ")
        if kind == "job":
            assert name in jobs, caller
        else:
            assert kind == "libctl", caller
            assert name in NOUNS, caller


def test_no_statement_joins_a_local_table(statements):
    joined = {
        name: tables for name, one in statements.items() if (tables := tables_in(one.sql)) & LOCAL and tables - LOCAL
    }
    assert joined == {}, "such a table is copied to each machine: take it out of local_tables"


def test_tables_of_one_machine_are_nobodys(keys):
    assert {table: keys.get(table, "unknown") for table in LOCAL | WHOLE} == dict.fromkeys(LOCAL | WHOLE)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1 FROM s.a WHERE EXISTS (SELECT FROM s.b)", {"s.a", "s.b"}),
        ("WITH x AS (DELETE FROM s.a RETURNING 1) INSERT INTO s.b SELECT * FROM x", {"s.a", "s.b"}),
        ("SELECT 1 FROM pg_catalog.pg_class", set()),
    ],
)
def test_tables_are_found_wherever_a_statement_names_them(sql, tables):
    assert tables_in(sql) == tables
