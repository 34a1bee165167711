"""Members of a group ask together what they ask at the same time; a member that fails ends the work of all."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.unit_of_work.lockstep import Lockstep, MembersFailed, MemberUnit, close_together
from gameshelf.gateway.runtime.unit_of_work.units import NeedsLock
from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import array, rows, user
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, any_, delete, select
from sqlalchemy.dialects.postgresql import insert

_shelf = Table("shelf", MetaData(schema="tried"), Column("user_id", Uuid, primary_key=True), Column("place", Integer))
_new = rows("new", place=("places", Integer))
_add = insert(_shelf).from_select(["user_id", "place"], select(user(), *_new.c), include_defaults=False)
ADD = Statement(_add.on_conflict_do_nothing())
OF_USER = Statement(
    select(_shelf.c.place)
    .where(_shelf.c.user_id == user(), _shelf.c.place == any_(array("places", Integer)))
    .order_by(_shelf.c.place)
)
EMPTY = Statement(delete(_shelf).where(_shelf.c.user_id == user()))
REMOVE = Statement(delete(_shelf).where(_shelf.c.user_id == user(), _shelf.c.place == any_(array("places", Integer))))
_moves = Table("moves", MetaData(schema="tried"), Column("user_id", Uuid))
_noted = insert(_moves).from_select(["user_id"], select(user()), include_defaults=False)
ADD_NOTED = Statement(_add.on_conflict_do_nothing().add_cte(_noted.cte("noted")))
TABLE = """
CREATE SCHEMA tried;
CREATE TABLE tried.shelf (user_id uuid, place int, PRIMARY KEY (user_id, place));
CREATE TABLE tried.moves (user_id uuid);
"""


class Watched:
    """A connection that notes what is sent."""

    def __init__(self, connection):
        self.connection = connection
        self.sent = []

    async def fetch(self, query, *args):
        self.sent.append(query)
        return await self.connection.fetch(query, *args)

    async def execute(self, query, *args):
        self.sent.append(query)
        return await self.connection.execute(query, *args)


@pytest.fixture
async def watched(database):
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    yield Watched(connection)
    await connection.close()


def members(watched, count):
    lockstep = Lockstep(watched)
    return lockstep, {uuid4(): MemberUnit(lockstep) for _ in range(count)}


async def places(unit, user_id, *asked):
    return [row["place"] for row in await OF_USER.all(unit, user_id=user_id, places=list(asked))]


async def test_each_member_gets_its_own_rows_and_counts(watched):
    lockstep, units = members(watched, 20)
    found = {}

    async def work(number, user_id, unit):
        added = await ADD.run(unit, user_id=user_id, places=list(range(number % 4)))
        found[user_id] = (added, await places(unit, user_id, 2, 0, number))

    await lockstep.run({user_id: work(number, user_id, unit) for number, (user_id, unit) in enumerate(units.items())})
    expected = [(number % 4, [one for one in (0, 2) if one < number % 4]) for number in range(20)]
    assert list(found.values()) == expected
    assert len(watched.sent) == 2


async def test_members_that_differ_are_served_one_after_the_other(watched):
    lockstep, units = members(watched, 6)

    async def work(number, user_id, unit):
        for _ in range(number):
            await ADD.run(unit, user_id=user_id, places=[1])
        if number % 2:
            assert await EMPTY.run(unit, user_id=user_id) == 1
        assert await places(unit, user_id, 1) == ([1] if number and not number % 2 else [])

    await lockstep.run({user_id: work(number, user_id, unit) for number, (user_id, unit) in enumerate(units.items())})
    assert await watched.connection.fetchval("SELECT count(*) FROM tried.shelf") == 2


async def test_what_members_delete_is_deleted_together(watched):
    lockstep, units = members(watched, 5)
    removed = {}

    async def work(number, user_id, unit):
        await ADD.run(unit, user_id=user_id, places=list(range(5)))
        removed[number] = await REMOVE.run(unit, user_id=user_id, places=list(range(number)))

    await lockstep.run({user_id: work(number, user_id, unit) for number, (user_id, unit) in enumerate(units.items())})
    assert (removed, len(watched.sent)) == ({number: number for number in range(5)}, 2)
    left = "SELECT user_id, count(*) AS n FROM tried.shelf GROUP BY user_id"
    counts = {row["user_id"]: row["n"] for row in await watched.connection.fetch(left)}
    assert counts == {user_id: 5 - number for number, user_id in enumerate(units)}


async def test_writes_wait_for_the_end_of_all(watched):
    lockstep, units = members(watched, 3)

    async def work(user_id, unit):
        await ADD.write(unit, user_id=user_id, places=[1, 2])
        await asyncio.sleep(0)

    await lockstep.run({user_id: work(user_id, unit) for user_id, unit in units.items()})
    assert not watched.sent
    await close_together(watched, list(units.values()))
    assert len(watched.sent) == 1
    assert await watched.connection.fetchval("SELECT count(*) FROM tried.shelf") == 6


async def test_writes_of_one_member_keep_their_order(watched):
    lockstep, units = members(watched, 3)

    async def work(user_id, unit):
        await ADD.write(unit, user_id=user_id, places=[1, 2])
        await EMPTY.write(unit, user_id=user_id)
        await ADD.write(unit, user_id=user_id, places=[3])

    await lockstep.run({user_id: work(user_id, unit) for user_id, unit in units.items()})
    await close_together(watched, list(units.values()))
    assert {row["place"] for row in await watched.connection.fetch("SELECT place FROM tried.shelf")} == {3}


async def test_a_read_of_what_waits_is_made_after_it_is_written(watched):
    lockstep, units = members(watched, 3)

    async def work(user_id, unit):
        await ADD.write(unit, user_id=user_id, places=[1])
        assert await places(unit, user_id, 1) == [1]

    await lockstep.run({user_id: work(user_id, unit) for user_id, unit in units.items()})
    assert len(watched.sent) == 2


async def test_a_write_of_two_tables_is_one_statement_before_a_read(watched):
    lockstep, units = members(watched, 5)

    async def work(user_id, unit):
        await ADD_NOTED.write(unit, user_id=user_id, places=[1])
        assert await places(unit, user_id, 1) == [1]

    await lockstep.run({user_id: work(user_id, unit) for user_id, unit in units.items()})
    assert len(watched.sent) == 2
    moves = await watched.connection.fetch("SELECT user_id FROM tried.moves")
    assert sorted(row["user_id"] for row in moves) == sorted(units)


async def test_a_member_that_fails_is_named_and_ends_the_others(watched):
    lockstep, units = members(watched, 4)
    bad = list(units)[2]
    ended = []

    async def work(user_id, unit):
        try:
            await places(unit, user_id, 1)
            if user_id == bad:
                raise ValueError(user_id)
            await places(unit, user_id, 2)
        except asyncio.CancelledError:
            ended.append(user_id)
            raise

    with pytest.raises(MembersFailed) as failed:
        await lockstep.run({user_id: work(user_id, unit) for user_id, unit in units.items()})
    assert failed.value.errors.keys() == {bad}
    assert set(ended) == units.keys() - {bad}


async def test_what_the_server_refuses_ends_all(watched):
    lockstep, units = members(watched, 3)
    add = Statement(_add)
    with pytest.raises(asyncpg.UniqueViolationError):
        await lockstep.run({one: add.run(unit, user_id=one, places=[1, 1]) for one, unit in units.items()})


async def test_a_member_has_no_part_that_fails_alone(watched):
    _, units = members(watched, 1)
    [unit] = units.values()
    with pytest.raises(NeedsLock):
        async with unit.transaction():
            raise AssertionError


async def test_a_group_without_work_ends(watched):
    await Lockstep(watched).run({})
    await close_together(watched, [])
    assert not watched.sent
