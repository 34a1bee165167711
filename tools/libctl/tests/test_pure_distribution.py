"""The plan of a distribution, from the keys of the tables."""

from dataclasses import replace

import pytest
from gameshelf.libctl.distribution.plan import CurrentTable, Placement, TablePlacement, plan

USER = CurrentTable("s.users", {"user_id": "uuid"}, ["user_id"])
ITEM = CurrentTable("s.items", {"user_id": "uuid", "id": "uuid"}, ["user_id", "id"], references=["s.users"])
AUDIT = CurrentTable("s.audit", {"user_hash": "bytea", "id": "bigint"}, ["user_hash", "id"])
PRODUCT = CurrentTable("s.products", {"product_id": "uuid"}, ["product_id"])
DELTA = CurrentTable("s.deltas", {"id": "bigint", "product_id": "uuid"}, ["id"])
COUNT = CurrentTable("s.counts", {"id": "integer"}, ["id"])
ERASED = CurrentTable("s.erased", {"user_hash": "bytea"}, ["user_hash"])


def test_tables_of_users_go_by_user_and_others_everywhere():
    planned = plan([ITEM, USER, PRODUCT, COUNT, DELTA, ERASED], {"s.counts"}, {"s.deltas"})
    assert planned.obstacles == []
    placements = {step.table: (step.placement, step.column) for step in planned.steps}
    assert placements == {
        "s.items": (Placement.BY_USER, "user_id"),
        "s.users": (Placement.BY_USER, "user_id"),
        "s.products": (Placement.REFERENCE, None),
        "s.erased": (Placement.REFERENCE, None),
        "s.deltas": (Placement.WHOLE, None),
        "s.counts": (Placement.LOCAL, None),
    }


def test_a_table_comes_after_those_that_it_references():
    names = [step.table for step in plan([ITEM, USER], ()).steps]
    assert names == ["s.users", "s.items"]


def test_tables_with_one_kind_of_key_are_beside_each_other():
    assert plan([AUDIT, ITEM, USER], ()).steps == [
        TablePlacement("s.audit", Placement.BY_USER, "user_hash"),
        TablePlacement("s.users", Placement.BY_USER, "user_id"),
        TablePlacement("s.items", Placement.BY_USER, "user_id", beside="s.users"),
    ]


def test_a_run_that_was_interrupted_continues_beside_what_is_done():
    done = replace(ITEM, references=(), distributed_by="user_id", group=4)
    early = CurrentTable("s.a", {"user_id": "uuid"}, ["user_id"])
    planned = plan([early, done], ())
    assert planned.obstacles == []
    assert planned.steps == [
        TablePlacement("s.items", Placement.BY_USER, "user_id", is_done=True),
        TablePlacement("s.a", Placement.BY_USER, "user_id", beside="s.items"),
    ]


def test_what_is_done_needs_nothing_more():
    tables = [replace(USER, distributed_by="user_id", group=4), replace(PRODUCT, is_everywhere=True), COUNT]
    assert all(step.is_done for step in plan(tables, {"s.counts"}).steps)


@pytest.mark.parametrize(
    ("table", "is_done"),
    [(DELTA, False), (replace(DELTA, is_whole=True), True), (replace(DELTA, is_everywhere=True), True)],
    ids=["new", "on one machine", "copied by the release before"],
)
def test_a_table_of_one_machine_is_moved_once(table, is_done):
    planned = plan([table], (), {"s.deltas"})
    assert planned.obstacles == []
    assert [step.is_done for step in planned.steps] == [is_done]


def obstacles(*tables):
    return list(plan(tables, ()).obstacles)


def test_a_unique_key_without_the_user_prevents_it():
    table = replace(ITEM, unique={"pk_items": ["user_id", "id"], "uq_items": ["id"]})
    assert obstacles(table) == ["s.items: the unique key uq_items does not contain user_id"]


def test_a_trigger_prevents_it():
    assert obstacles(replace(PRODUCT, triggers=["noted"])) == ["s.products has triggers: noted"]


def test_a_users_table_whose_key_begins_otherwise_prevents_it():
    table = CurrentTable("s.letters", {"id": "bigint", "user_id": "uuid"}, ["id"])
    assert obstacles(table) == ["s.letters has user_id, but its primary key does not begin with it"]


def test_a_table_without_a_key_prevents_it():
    assert obstacles(CurrentTable("s.rows", {"n": "integer"}, [])) == ["s.rows has no primary key"]


def test_tables_on_other_machines_than_the_users_prevent_it():
    users = replace(USER, distributed_by="user_id", group=4)
    items = replace(ITEM, distributed_by="user_id", group=5)
    assert obstacles(users, items) == ["s.items is distributed, but not beside s.users"]


def test_a_shared_table_that_is_distributed_prevents_it():
    table = replace(PRODUCT, distributed_by="product_id", group=4)
    assert obstacles(table) == ["s.products is distributed by product_id, which this version does not expect"]
