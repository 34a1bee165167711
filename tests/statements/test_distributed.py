"""No change of a table has a form that Citus refuses, in a statement or in a function of the database, and no count is
used that Citus gets wrong.
"""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from gameshelf.devstack.source_tree import parse_source
from gameshelf.devstack.statements.distributed import Obstacle, is_miscounted, obstacles
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
        (INSERT + "SET n = excluded.n RETURNING $3::int", {Obstacle.RETURNED}),
        (INSERT + "SET n = excluded.n RETURNING n", set()),
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


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (INSERT.replace("DO UPDATE ", "DO NOTHING"), True),
        (INSERT + "SET n = excluded.n", True),
        (INSERT.replace("DO UPDATE ", "DO NOTHING RETURNING 1"), False),
        (INSERT.partition(" ON CONFLICT")[0], False),
        ("INSERT INTO s.t (user_id, n) VALUES ($1, $2) ON CONFLICT DO NOTHING", False),
        ("UPDATE s.t SET n = $2 WHERE user_id = $1", False),
    ],
)
def test_what_citus_counts_wrongly_is_recognised(sql, expected):
    assert is_miscounted(sql) is expected


def used_counts(module):
    """The names of the statements of a module whose count somebody uses: ``await NAME.run(…)`` within another part."""
    tree = parse_source(Path(import_module(f"gameshelf.{module}").__file__).read_text("utf-8"))
    unused = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Await) and id(node) not in unused and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr == "run" and isinstance(called.value, ast.Name):
                yield called.value.id


def test_no_count_is_used_that_citus_gets_wrong(statements):
    places = {name.partition(" ")[0].rpartition(".") for name, one in statements.items() if is_miscounted(one.sql)}
    counted = {module: set(used_counts(module)) for module, _, _ in places}
    used = {f"{module}.{name}" for module, _, name in places if name in counted[module]}
    assert counted["savegames._store.preferences"] == {"_SWITCH_OFF"}
    # Its SELECT finds nothing where it returns that nothing was stored; a row that was there is changed.
    assert used == {"savegames._store.preferences._SWITCH_OFF"}


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
