"""Each statement touches one user's rows, or it stands in the list of those that touch several users' rows."""

import pytest
from gameshelf.devstack.statements import ACROSS, Class, classify

T = {"s.items": "user_id", "s.links": "owner_user_id", "s.products": None}

ROUTERS = [
    "SELECT 1 FROM s.items i WHERE i.user_id = $1",
    "SELECT 1 FROM s.items WHERE items.user_id = $1::uuid AND id = $2",
    "SELECT 1 FROM s.items i JOIN s.links l ON l.owner_user_id = i.user_id WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i LEFT JOIN s.links l ON l.owner_user_id = i.user_id WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i LEFT JOIN s.links l ON l.owner_user_id = $1 WHERE i.user_id = $1",
    "SELECT 1 FROM s.links l RIGHT JOIN s.items i ON l.owner_user_id = i.user_id WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i LEFT JOIN (s.links l JOIN s.items o ON o.user_id = l.owner_user_id) "
    "ON l.owner_user_id = i.user_id WHERE i.user_id = $1",
    "SELECT (SELECT max(id) FROM s.items o WHERE o.user_id = i.user_id) FROM s.items i WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i WHERE i.user_id = $1 AND EXISTS (SELECT FROM s.links l WHERE l.owner_user_id = i.user_id)",
    "WITH mine AS (SELECT user_id AS u FROM s.items WHERE user_id = $1) "
    "SELECT 1 FROM mine JOIN s.links l ON l.owner_user_id = mine.u",
    "SELECT 1 FROM (SELECT user_id FROM s.items WHERE user_id = $1 UNION ALL SELECT owner_user_id FROM s.links "
    "WHERE owner_user_id = $1) both_ JOIN s.items i ON i.user_id = both_.user_id",
    "WITH RECURSIVE hops AS (SELECT user_id FROM s.items WHERE user_id = $1 UNION ALL "
    "SELECT o.user_id FROM hops JOIN s.items o ON o.user_id = hops.user_id) SELECT 1 FROM hops",
    "INSERT INTO s.items (user_id, id) VALUES ($1, $2) ON CONFLICT (user_id, id) DO NOTHING",
    "INSERT INTO s.items (id, user_id) SELECT new.id, $1 FROM unnest($2::uuid[]) AS new(id)",
    "INSERT INTO s.items (user_id) SELECT l.owner_user_id FROM s.links l WHERE l.owner_user_id = $1 RETURNING user_id",
    "WITH gone AS (DELETE FROM s.items WHERE user_id = $1 RETURNING user_id) "
    "INSERT INTO s.links (owner_user_id) SELECT gone.user_id FROM gone",
    "UPDATE s.items SET x = 1 FROM s.links l WHERE items.user_id = l.owner_user_id AND l.owner_user_id = $1",
    "DELETE FROM s.items WHERE (user_id, id) IN (SELECT user_id, id FROM s.items WHERE user_id = $1 LIMIT $2)",
    "SELECT 1 FROM s.items i JOIN s.products p ON p.id = i.id WHERE (i.user_id, i.id) = ($1, $2)",
    "SELECT 1 FROM s.items i, LATERAL (SELECT FROM s.links l WHERE l.owner_user_id = i.user_id) x WHERE i.user_id = $1",
]
ACROSS_USERS = [
    "SELECT 1 FROM s.items",
    "SELECT 1 FROM s.items WHERE user_id = ANY ($1)",
    "SELECT 1 FROM s.items WHERE user_id = $1 OR id = $2",
    "SELECT 1 FROM s.items WHERE NOT user_id = $1",
    "SELECT 1 FROM s.items WHERE user_id > $1",
    "SELECT 1 FROM s.items i JOIN s.links l ON l.id = i.id WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i JOIN s.links l ON l.owner_user_id = $2 WHERE i.user_id = $1",
    "SELECT 1 FROM s.items i LEFT JOIN s.links l ON i.user_id = $1 AND l.owner_user_id = i.user_id",
    "SELECT 1 FROM s.links l FULL JOIN s.items i ON i.user_id = l.owner_user_id AND l.owner_user_id = $1",
    "SELECT (SELECT max(o.id) FROM s.items o, s.links l WHERE o.user_id = l.owner_user_id) FROM s.items "
    "WHERE items.user_id = $1",
    "SELECT 1 FROM s.items i WHERE EXISTS (SELECT FROM s.links l WHERE l.owner_user_id = i.user_id AND i.user_id = $1)",
    "SELECT 1 FROM s.items i WHERE i.user_id = (SELECT l.owner_user_id FROM s.links l WHERE l.owner_user_id = $1)",
    "SELECT 1 FROM s.items i WHERE i.user_id IN (SELECT owner_user_id FROM s.links WHERE member = $1)",
    "SELECT 1 FROM s.items i WHERE i.user_id NOT IN (SELECT owner_user_id FROM s.links WHERE owner_user_id = $1)",
    "SELECT 1 FROM (SELECT user_id FROM s.items WHERE user_id = $1 UNION ALL SELECT id FROM s.products) both_ "
    "JOIN s.items i ON i.user_id = both_.user_id",
    "INSERT INTO s.items (user_id) SELECT new.id FROM unnest($1::uuid[]) AS new(id)",
    "INSERT INTO s.items (id, user_id) VALUES ($1, $2), ($2, $1)",
    "UPDATE s.items SET user_id = $1",
    "UPDATE s.items SET x = 1 FROM s.links l WHERE items.id = l.id AND l.owner_user_id = $1",
    "WITH gone AS (DELETE FROM s.items RETURNING user_id) SELECT 1 FROM s.links WHERE owner_user_id = $1",
]


@pytest.mark.parametrize("sql", ROUTERS)
def test_one_users_rows_are_recognised(sql):
    assert classify(sql, T).kind is Class.ROUTER


@pytest.mark.parametrize("sql", ACROSS_USERS)
def test_several_users_rows_are_recognised(sql):
    assert classify(sql, T).kind is Class.ACROSS_USERS


def test_what_touches_no_users_rows_is_recognised():
    assert classify("SELECT 1 FROM s.products WHERE id = $1", T).kind is Class.REFERENCE
    assert classify("SELECT pg_advisory_xact_lock($1)", T).kind is Class.REFERENCE


def test_the_tables_that_are_named_are_those_without_a_user():
    sql = "SELECT 1 FROM s.items i JOIN s.links l ON l.id = i.id WHERE i.user_id = $1"
    assert classify(sql, T).loose == {"s.links"}


def test_the_statement_that_read_everybodys_play_would_have_been_found():
    """An earlier fault in ``last_2_weeks_seconds``: a subquery without a reference to the row around it."""
    sql = (
        "SELECT (SELECT sum(1) FROM s.items i WHERE i.user_id = t.user_id AND i.start >= (SELECT max(b.start) "
        "FROM s.items b, s.items u WHERE b.user_id = u.user_id AND b.start <= $2)) FROM s.items t WHERE t.user_id = $1"
    )
    assert classify(sql, T).kind is Class.ACROSS_USERS


def test_every_statement_is_one_users_or_nobodys_or_stands_in_the_list(statements, keys):
    across = {
        name.partition(" ")[0]: sorted(verdict.loose)
        for name, statement in statements.items()
        if (verdict := classify(statement.sql, keys)).kind is Class.ACROSS_USERS
    }
    assert {name: loose for name, loose in across.items() if name not in ACROSS} == {}, "say why in across.py"
    assert set(ACROSS) - set(across) == set(), "these touch one user's rows"
