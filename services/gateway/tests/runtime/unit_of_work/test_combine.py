"""Texts of statements are combined into one, with the parameters of all."""

import re

import pytest
from gameshelf.devstack.statements.found import PACKAGES, found
from gameshelf.gateway.runtime.unit_of_work.combine import (
    NotCombinable,
    is_plain_read,
    lookups_together,
    uses_any,
    writes_together,
    written_tables,
)

HEAD = "WITH head AS (UPDATE s.users SET v = $1 WHERE id = $2 RETURNING 1 AS one) SELECT one FROM head"


def test_the_parameters_of_writes_follow_those_of_the_head():
    together = writes_together(HEAD, ("INSERT INTO s.a (x) VALUES ($1)", "DELETE FROM s.b WHERE y = $2 AND z = $1"))
    assert together == (
        "WITH head AS (UPDATE s.users SET v = $1 WHERE id = $2 RETURNING 1 AS one), "
        "write_0 AS (INSERT INTO s.a (x) VALUES ($3)), "
        "write_1 AS (DELETE FROM s.b WHERE y = $5 AND z = $4) SELECT one FROM head"
    )


def test_the_parts_of_a_write_stand_beside_it():
    parts = "WITH gone AS \n(DELETE FROM s.a WHERE x = f($1)), \nnew AS MATERIALIZED (SELECT 1)"
    write = f"{parts} INSERT INTO s.b VALUES (1)"
    assert writes_together("UPDATE s.c SET v = $1", (write,)) == (
        "WITH gone AS \n(DELETE FROM s.a WHERE x = f($2)), new AS MATERIALIZED (SELECT 1), "
        "write_0 AS (INSERT INTO s.b VALUES (1)) UPDATE s.c SET v = $1"
    )


@pytest.mark.parametrize(
    "writes",
    [
        ("INSERT INTO s.a VALUES (1)", "UPDATE s.a SET x = 2"),
        ("WITH one AS (DELETE FROM s.a) DELETE FROM s.b", "WITH one AS (DELETE FROM s.c) DELETE FROM s.d"),
        ("WITH RECURSIVE one AS (SELECT 1) DELETE FROM s.a",),
        ("UPDATE s.users SET v = 3",),
        ("INSERT INTO s.a VALUES (1)", "INSERT INTO s.b SELECT x FROM s.a"),
    ],
    ids=["one table", "one name", "recursive", "the table of the head", "a read of what is written"],
)
def test_what_would_not_see_each_other_is_refused(writes):
    with pytest.raises(NotCombinable):
        writes_together(HEAD, writes)


def test_lookups_stand_beside_the_first_row():
    others = (("SELECT b, c FROM s.b WHERE id = $1", 2), ("SELECT d FROM s.d WHERE id = $1", 1))
    assert lookups_together("SELECT a FROM s.a WHERE id = $1", others) == (
        "SELECT _first.*, _0.*, _1.* FROM (SELECT a FROM s.a WHERE id = $1) AS _first "
        "LEFT JOIN ((SELECT row_number() OVER () AS _0_row, _0_0, _0_1 FROM "
        "(SELECT b, c FROM s.b WHERE id = $2) AS _of(_0_0, _0_1)) AS _0 "
        "FULL JOIN (SELECT row_number() OVER () AS _1_row, _1_0 FROM "
        "(SELECT d FROM s.d WHERE id = $3) AS _of(_1_0)) AS _1 ON _1._1_row = _0._0_row) ON true"
    )


@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ("SELECT a FROM s.a WHERE updated_at > $1", True),
        ("SELECT a FROM s.a FOR UPDATE SKIP LOCKED", False),
        ("SELECT a FROM s.a FOR KEY SHARE", False),
        ("SELECT pg_try_advisory_xact_lock(1)", False),
        ("WITH gone AS (DELETE FROM s.a) SELECT 1", False),
        ("INSERT INTO s.a VALUES (1)", False),
    ],
)
def test_only_a_query_that_changes_and_locks_nothing_is_a_plain_read(query, is_read):
    assert is_plain_read(query) is is_read


def test_written_tables_are_those_of_all_parts():
    query = "WITH a AS (UPDATE s.a SET x = 1), b AS (SELECT 1 FROM s.b FOR UPDATE) INSERT INTO s.c SELECT 1 FROM s.d"
    assert written_tables(query) == {"s.a", "s.c"}
    assert uses_any("SELECT 1 FROM s.c", written_tables(query))
    assert not uses_any("SELECT 1 FROM s.d", written_tables(query))


def test_no_literal_of_a_statement_looks_like_a_part_of_it():
    statements = [statement for package in PACKAGES for statement in found(package).values()]
    assert len(statements) > 500
    literal = re.compile(r"'[^']*'")
    for statement in statements:
        for text in literal.findall(statement.sql):
            assert not set(text) & set("()$"), (text, statement.sql)
