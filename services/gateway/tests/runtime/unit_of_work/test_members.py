"""Texts of statements that are for one user become texts for several."""

import pytest
from gameshelf.gateway.runtime.unit_of_work.members import differing, group_form

READ = "SELECT s.a.x FROM s.a WHERE s.a.user_id = $1::UUID AND s.a.kind = $2::VARCHAR AND s.a.y = ANY ($3::INTEGER[])"
ADD = (
    "INSERT INTO s.a (user_id, x) SELECT $1::UUID AS one, new.x FROM unnest($2::INTEGER[]) AS new(x) "
    "ON CONFLICT DO NOTHING"
)
MEMBERS = "unnest($1::UUID[], $2::INTEGER[], $3::INTEGER[]) WITH ORDINALITY AS _member"


def test_a_read_has_the_rows_of_each_member():
    form = group_form(READ, (True, False, True))
    assert form.query == (
        f"SELECT _of.*, _member.number AS _whose FROM {MEMBERS}(value0, start2, end2, number) CROSS JOIN LATERAL "
        "(SELECT * FROM (SELECT s.a.x FROM s.a WHERE s.a.user_id = _member.value0::UUID AND s.a.kind = $5::VARCHAR "
        "AND s.a.y = ANY (($4::INTEGER[])[_member.start2:_member.end2]::INTEGER[])) AS _own OFFSET 0) AS _of"
    )
    calls = [("u1", "k", [1, 2]), ("u2", "k", []), ("u3", "k", None), ("u4", "k", [3])]
    assert differing(calls) == (True, False, True)
    assert form.values(calls) == [["u1", "u2", "u3", "u4"], [1, 3, None, 3], [2, 2, 2, 3], [1, 2, 3], "k"]


def test_an_insert_says_whose_its_rows_are():
    form = group_form(ADD, (True, True))
    assert form.query == (
        f"INSERT INTO s.a (user_id, x) SELECT _of.* FROM {MEMBERS}(value0, start1, end1, number) CROSS JOIN LATERAL "
        "(SELECT * FROM (SELECT _member.value0::UUID AS one, new.x FROM "
        "unnest(($4::INTEGER[])[_member.start1:_member.end1]::INTEGER[]) AS new(x)) AS _own OFFSET 0) AS _of "
        "ON CONFLICT DO NOTHING RETURNING s.a.user_id AS _whose"
    )
    assert form.user == 0
    returning = group_form(f"{ADD} RETURNING s.a.x", (True, True))
    assert returning.query == form.query.replace("RETURNING ", "RETURNING s.a.x, ")
    assert not group_form(ADD, (True, True), has_result=False).query.endswith("_whose")


def test_a_delete_is_of_the_rows_of_each_member():
    query = "DELETE FROM s.a WHERE s.a.user_id = $1::UUID AND s.a.x = ANY ($2::INTEGER[])"
    form = group_form(query, (True, True))
    assert form.query == (
        f"DELETE FROM s.a USING {MEMBERS}(value0, start1, end1, number) WHERE s.a.user_id = _member.value0::UUID "
        "AND s.a.x = ANY (($4::INTEGER[])[_member.start1:_member.end1]::INTEGER[]) RETURNING s.a.user_id AS _whose"
    )


def test_a_part_without_values_takes_what_the_others_have_written():
    parts = f"WITH made AS ({ADD} RETURNING s.a.x) INSERT INTO s.b (x) SELECT made.x FROM made"
    form = group_form(parts, (True, True), has_result=False)
    assert form.query.endswith("RETURNING s.a.x) INSERT INTO s.b (x) SELECT made.x FROM made")


@pytest.mark.parametrize("differs", [(True, True), (True, False)], ids=["own values", "the same values"])
def test_what_only_adds_rows_is_run_once_for_each_member(differs):
    adds = f"WITH written AS ({ADD}) INSERT INTO s.b (x) SELECT new.x FROM unnest($2::INTEGER[]) AS new(x)"
    form = group_form(adds, differs, has_result=False)
    table = (
        f"{MEMBERS}(value0, start1, end1, number)" if differs[1] else "unnest($1::UUID[]) WITH ORDINALITY AS _member"
    )
    values = "($4::INTEGER[])[_member.start1:_member.end1]::INTEGER[]" if differs[1] else "$2::INTEGER[]"
    rest = "" if differs[1] else "(value0, number)"
    assert form.query.endswith(
        f"INSERT INTO s.b (x) SELECT _of.* FROM {table}{rest} CROSS JOIN LATERAL "
        f"(SELECT * FROM (SELECT new.x FROM unnest({values}) AS new(x)) AS _own OFFSET 0) AS _of"
    )
    assert group_form(adds, differs) is None  # of several writes only the last one's rows would be known


def test_whose_rows_were_only_added_is_not_known():
    query = "INSERT INTO s.a (x, user_id) SELECT 1, $1::UUID"
    assert group_form(query, (True,)) is None
    assert group_form(query, (True,), has_result=False).query == (
        "INSERT INTO s.a (x, user_id) SELECT _of.* FROM unnest($1::UUID[]) WITH ORDINALITY AS _member(value0, number) "
        "CROSS JOIN LATERAL (SELECT * FROM (SELECT 1, _member.value0::UUID) AS _own OFFSET 0) AS _of"
    )


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE s.a SET x = 1 WHERE user_id = $1::UUID",
        "DELETE FROM s.a WHERE user_id = $1::UUID RETURNING x",
        "DELETE FROM s.a WHERE s.a.user_id = $1::UUID OR s.a.x = 1",
        "SELECT x FROM s.a WHERE user_id = $1::UUID FOR UPDATE",
        "INSERT INTO s.a (x, user_id) SELECT 1, $1::UUID ON CONFLICT DO NOTHING",
        "INSERT INTO s.a (x, user_id) SELECT max(s.a.x), $1::UUID FROM s.a",
        "INSERT INTO s.a (id, user_id) SELECT gen_random_uuid(), $1::UUID",
        "INSERT INTO s.a (user_id) SELECT $1::UUID ON CONFLICT (user_id) DO UPDATE SET user_id = $1::UUID",
        "INSERT INTO s.a (user_id) VALUES ($1::UUID)",
        "SELECT x FROM s.a WHERE user_id = $1",
        "SELECT x FROM s.a WHERE y = $1::INTEGER[][]",
    ],
)
def test_what_has_no_form_for_several_is_known(query):
    assert group_form(query, (True,)) is None
    assert group_form(query, (True,), has_result=False) is None


@pytest.mark.parametrize(
    "rest",
    [
        "INSERT INTO s.b (x) SELECT count(*) FROM made",
        "INSERT INTO s.b (x) SELECT max(made.x) FROM made",
        "INSERT INTO s.b (x) SELECT made.x FROM made LIMIT 1",
        "INSERT INTO s.b (x) SELECT count(*) FROM s.a",
        "INSERT INTO s.b (x) SELECT 1 ON CONFLICT DO NOTHING",
        "INSERT INTO s.b (user_id, x) SELECT $1::UUID AS one, made.x FROM made",
        "DELETE FROM s.b WHERE s.b.user_id = $1::UUID AND s.b.x IN (SELECT x FROM made)",
        "INSERT INTO s.b (x) SELECT made.x FROM made UNION ALL SELECT 1",
        "INSERT INTO s.b (x) SELECT 1 FROM s.c WHERE EXISTS (SELECT FROM made)",
        "UPDATE s.b SET x = 1 FROM made",
    ],
)
def test_a_part_that_would_mix_members_is_refused(rest):
    assert group_form(f"WITH made AS ({ADD} RETURNING s.a.x) {rest}", (True, True), has_result=False) is None


def test_values_that_are_all_the_same_need_no_form():
    assert group_form(READ, differing([("u", "k", [1]), ("u", "k", [1])])) is None
