"""Statements as they were sent: whose rows they touch follows from their values too."""

from uuid import uuid4

import pytest
from gameshelf.devstack.statements import across_users

KEYS = {"s.mine": "user_id", "s.theirs": "user_id", "s.products": None}
ONE, OTHER = uuid4(), uuid4()
JOINED = "SELECT 1 FROM s.mine AS m, s.theirs AS t WHERE m.user_id = $1 AND t.user_id = $2"


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        (JOINED, (ONE, ONE)),
        (f"BEGIN; SELECT 1 FROM s.mine WHERE user_id = '{ONE}' FOR UPDATE", ()),
        ("SELECT 1 FROM s.mine WHERE user_id = $1 AND title = 'ё'; DELETE FROM s.mine WHERE user_id = $1", (ONE,)),
        ("SELECT 1 FROM s.products", ()),
        ("COMMIT", ()),
    ],
    ids=["twice the same", "in the text", "two", "nobody's", "no rows"],
)
def test_what_is_of_one_user(sent, values):
    assert across_users(sent, values, KEYS) == []


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        (JOINED, (ONE, OTHER)),
        (JOINED, (1, 1)),
        ("SELECT 1 FROM s.mine WHERE user_id = ANY($1)", ([ONE],)),
        ("BEGIN; UPDATE s.mine SET title = $1", (ONE,)),
    ],
    ids=["two users", "no ids", "a list", "all"],
)
def test_what_is_of_several_users(sent, values):
    assert across_users(sent, values, KEYS)
