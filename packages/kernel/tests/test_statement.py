"""Core statements, compiled once and run by asyncpg on a real PostgreSQL."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.kernel.database import Statement
from sqlalchemy import (
    ARRAY,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    insert,
    literal,
    select,
    update,
)

things = Table(
    "things", MetaData(), Column("id", Uuid, primary_key=True), Column("size", Integer), Column("name", Text)
)
ADD = Statement(insert(things).values(id=bindparam("id"), size=bindparam("size"), name=bindparam("name")))
OF = Statement(
    select(things.c.name).where(things.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(things.c.name)
)
GROW = Statement(
    update(things).values(size=things.c.size + 1).where(things.c.size >= bindparam("least", type_=Integer))
)


async def test_parameters_are_passed_by_name_and_constants_stay(database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE things (id uuid PRIMARY KEY, size integer, name text)")
    ids = [uuid4() for _ in range(3)]
    for index, thing_id in enumerate(ids):
        assert await ADD.run(connection, name=f"n{index}", size=index, id=thing_id) == 1

    assert [row["name"] for row in await OF.all(connection, ids=ids[:2])] == ["n0", "n1"]
    assert await OF.first(connection, ids=[uuid4()]) is None
    assert await GROW.run(connection, least=1) == 2
    await connection.close()


def test_an_insert_that_relies_on_a_python_default_is_refused():
    counted = Table("counted", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer, default=0))
    refused = Statement(insert(counted).values(id=bindparam("id")))
    for _ in range(2):
        with pytest.raises(TypeError, match="default"):
            refused.bind(id=1)


def test_a_statement_is_compiled_at_its_first_use_and_once(monkeypatch):
    core = select(things.c.id, things.c.size.label("n")).where(things.c.name == bindparam("name"))
    statement, compile_core, compiled = Statement(core), core.compile, []
    monkeypatch.setattr(core, "compile", lambda **options: compiled.append(core) or compile_core(**options))
    assert statement.columns == ("id", "n")
    assert compiled == []
    assert "things.name = $1" in statement.sql
    assert statement.bind(name="x").values == ["x"]
    assert (statement.columns, compiled) == (("id", "n"), [core])
    with pytest.raises(AttributeError, match="text"):
        statement.text  # noqa: B018 - reading it is what fails


async def test_a_missing_parameter_is_an_error_and_not_a_null(database):
    connection = await asyncpg.connect(database)
    with pytest.raises(TypeError, match="size"):
        await ADD.run(connection, id=uuid4(), name="n")
    assert await Statement(select(bindparam("size", type_=Integer).label("n"))).first(connection, size=None) == (None,)
    await connection.close()


async def test_constants_of_a_statement_stay_what_they_were(database):
    one_of = Statement(select(literal(7).in_([bindparam("n", type_=Integer), 5, 7]).label("found")))
    connection = await asyncpg.connect(database)
    assert await one_of.first(connection, n=1) == (True,)
    assert await one_of.first(connection, n=1, unknown="is ignored") == (True,)
    await connection.close()
