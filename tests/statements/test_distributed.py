"""No change of a table has a form that Citus refuses, in a statement or in a function of the database."""

import pytest
from gameshelf.devstack.statements.distributed import Obstacle, obstacles
from gameshelf.gateway.wiring import MIGRATIONS

INSERT = (
    "INSERT INTO s.t (user_id, n) SELECT $1, one.n FROM unnest($2::int[]) AS one(n) ON CONFLICT (user_id) DO UPDATE "
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (INSERT + "SET n = t.n + $3", {Obstacle.PARAMETER}),
        (INSERT + "SET n = excluded.n WHERE t.n < $3", {Obstacle.PARAMETER}),
        (INSERT + "SET at = now()", {Obstacle.FUNCTION}),
        (INSERT + "SET n = excluded.n, at = excluded.at", set()),
        ("INSERT INTO s.t (user_id, n) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET n = $2", set()),
        ("INSERT INTO s.t (user_id, at) VALUES ($1, now())", set()),
        ("INSERT INTO s.t (user_id, n) VALUES ($1, (SELECT max(n) FROM s.t))", {Obstacle.SUBQUERY}),
        ("INSERT INTO s.t (user_id, n) SELECT $1, (SELECT max(n) FROM s.t)", set()),
        ("UPDATE s.t SET at = clock_timestamp() WHERE user_id = $1", {Obstacle.VOLATILE}),
        ("UPDATE s.t SET at = now() WHERE user_id = $1", set()),
        ("WITH x AS (UPDATE s.t SET n = random() RETURNING n) SELECT n FROM x", {Obstacle.VOLATILE}),
    ],
)
def test_what_citus_refuses_is_recognised(sql, expected):
    assert obstacles(sql) == expected


def test_no_change_is_one_that_citus_refuses(statements):
    refused = {name: sorted(found) for name, one in statements.items() if (found := obstacles(one.sql))}
    assert refused == {}


async def test_no_function_changes_tables_in_a_form_that_citus_refuses(everything):
    connection, _ = everything
    functions = await connection.fetch(
        "SELECT oid::regprocedure::text AS name, prosrc FROM pg_proc WHERE prolang = "
        "(SELECT oid FROM pg_language WHERE lanname = 'sql') AND pronamespace = ANY ($1::text[]::regnamespace[])",
        [migrations.schema for migrations in MIGRATIONS],
    )
    assert "settings.mark_restored()" in {row["name"] for row in functions}
    # Arguments that are named are columns for the parser.
    refused = {row["name"]: sorted(found) for row in functions if (found := obstacles(row["prosrc"]))}
    assert refused == {}
