"""Rows become objects by column name; what differs is refused when the reader is made."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import asyncpg
import pytest
from gameshelf.kernel.database import Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import prefixed
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, func, insert, literal, null, select, update

boxes = Table("boxes", MetaData(), Column("id", Integer, primary_key=True), Column("label", Text), Column("note", Text))


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Box:
    id: int
    label: str | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Painted:
    colour: Colour | None
    coats: int


ID, LABEL, NOTE = literal(7).label("id"), literal("a").label("label"), literal("b").label("note")
TOTAL = literal(3).label("total")
IN_ORDER = Statement(select(ID, LABEL, NOTE))
SWAPPED = Statement(select(ID, NOTE, LABEL))
BEHIND = Statement(select(TOTAL, ID, LABEL, NOTE))


class Row(dict[str, object]):
    """Stands for a record of asyncpg, which is read by name, by place and by slice."""

    def __getitem__(self, key):
        return super().__getitem__(key) if isinstance(key, str) else tuple(self.values())[key]


VALUES = {"id": 7, "label": "a", "note": "b", "total": 3}


def row(statement):
    return Row({name: VALUES[name] for name in statement.columns})


@pytest.mark.parametrize(
    ("statements", "others"),
    [
        ((IN_ORDER,), ()),
        ((SWAPPED,), ()),
        ((IN_ORDER, SWAPPED), ()),
        ((BEHIND,), ("total",)),
        ((BEHIND, IN_ORDER), ("total",)),
    ],
)
def test_each_column_is_read_into_the_field_of_its_name(statements, others):
    reader = RowReader(Box, *statements, others=others)
    for statement in statements:
        assert reader.read(row(statement)) == Box(7, "a", "b")
        assert reader.read_all([row(statement)] * 2) == [Box(7, "a", "b")] * 2
    assert reader.read_optional(None) is None


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ((ID, NOTE), {}, "no column for label"),
        ((ID, LABEL, NOTE, TOTAL), {}, "no field for total"),
        ((ID, NOTE, literal("c").label("lable")), {}, "no column for label; no field for lable"),
        ((ID, LABEL, NOTE, literal("c").label("label")), {}, "several columns called label"),
        ((ID, LABEL, NOTE), {"given": ("weight",)}, "no fields weight"),
        ((ID, LABEL, NOTE), {"convert": {"weight": str}}, "no fields weight"),
        ((ID, LABEL, NOTE), {"given": ("note",)}, "no field for note"),
        (prefixed("box_", (ID, LABEL, NOTE, TOTAL)), {"prefix": "box_"}, "no field for box_total"),
    ],
)
def test_columns_that_differ_from_the_fields_are_refused(columns, options, message):
    with pytest.raises(TypeError, match=message):
        RowReader(Box, Statement(select(*columns)), **options)


def test_a_composed_statement_is_compared_when_it_is_composed():
    reader = RowReader(Box, IN_ORDER, others=("total",))
    assert reader.checked(IN_ORDER) is IN_ORDER
    for statement, message in (
        (Statement(select(ID, LABEL)), "no column for note"),
        (SWAPPED, "another place"),
        (BEHIND, "another place"),
    ):
        with pytest.raises(TypeError, match=message):
            reader.checked(statement)
    by_name = RowReader(Box, others=("total",))
    for statement in (IN_ORDER, SWAPPED, BEHIND):
        assert by_name.read(row(by_name.checked(statement))) == Box(7, "a", "b")


def test_a_field_that_is_no_column_is_given_and_others_are_converted():
    statement = Statement(select(ID, NOTE))
    reader = RowReader(Box, statement, given=("label",), convert={"note": partial(str.join, "-"), "id": str})
    assert reader.read(Row(id=7, note="xy"), label="L") == Box("7", "L", "x-y")
    assert reader.read(Row(id=7, note=None), label="L") == Box("7", "L", None)
    defaulted = RowReader(Box, Statement(select(ID, LABEL)), given=("note",))
    assert defaulted.read(Row(id=7, label="a")) == Box(7, "a")
    with pytest.raises(TypeError):
        reader.read(Row(id=7, note="xy"))


def test_only_dataclasses_are_made_of_rows():
    with pytest.raises(TypeError, match="no dataclass"):
        RowReader(tuple, IN_ORDER)


async def test_the_columns_of_a_statement_are_those_that_the_server_names(database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE boxes (id integer PRIMARY KEY, label text, note text)")
    other = boxes.alias()
    added = insert(boxes).values(id=bindparam("id", type_=Integer)).returning(boxes.c.id).cte("added")
    for core in (
        select(boxes),
        select(boxes.c.id, other.c.id, func.count(), func.count(), literal(1)).group_by(boxes.c.id, other.c.id),
        select(added.c.id, func.now()),
        update(boxes).values(label="x").returning(boxes.c.note, boxes.c.id.label("number")),
        select(select(boxes).union_all(select(boxes)).subquery("both")),
    ):
        statement = Statement(core)
        prepared = await connection.prepare(statement.sql)
        assert statement.columns == tuple(column.name for column in prepared.get_attributes())
    assert Statement(update(boxes).values(label="x")).columns == ()
    await connection.close()


async def test_a_row_of_a_join_holds_several_objects(database):
    painted = select(literal("red").label("colour"), literal(2).label("coats")).subquery("painted")
    bare = select(null().label("colour"), literal(0).label("coats")).subquery("bare")
    statement = Statement(
        select(ID, LABEL, NOTE, *prefixed("first_", painted.c), *prefixed("second_", bare.c), TOTAL).select_from(
            painted, bare
        )
    )
    first, second = (
        RowReader(Painted, statement, prefix=prefix, convert={"colour": Colour}) for prefix in ("first_", "second_")
    )
    box = RowReader(Box, statement, others=(first, second, "total"))
    connection = await asyncpg.connect(database)
    found = await statement.first(connection)
    assert box.read(found) == box.read_optional(found) == Box(7, "a", "b")
    assert (first.read(found), second.read(found)) == (Painted(Colour.RED, 2), Painted(None, 0))
    assert first.read(found).colour is Colour.RED
    await connection.close()
