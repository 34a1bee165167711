"""A unit of work reads at once, and writes at the end or when something has to run after the writes."""

from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.database import transaction_with
from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.gateway.runtime.unit_of_work.units import LockedUnit, NeedsLock, OptimisticUnit
from gameshelf.kernel.database import Statement
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, delete, insert, select, update

_PLACE, _NAME = bindparam("place", type_=Integer), bindparam("name", type_=String)
_shelf = Table("shelf", MetaData(schema="tried"), Column("place", Integer, primary_key=True), Column("name", String))
_other = Table("other", MetaData(schema="tried"), Column("place", Integer))
ADD = Statement(insert(_shelf).values(place=_PLACE, name=_NAME))
RENAME = Statement(update(_shelf).where(_shelf.c.place == _PLACE).values(name=_NAME))
TAKE = Statement(delete(_shelf).where(_shelf.c.place == _PLACE).returning(_shelf.c.name))
OF_PLACE = Statement(select(_shelf.c.name, _shelf.c.place).where(_shelf.c.place == _PLACE))
ALL = Statement(select(_shelf.c.place, _shelf.c.name).order_by(_shelf.c.place))
LOCK = Statement(select(_shelf.c.place).where(_shelf.c.place == _PLACE).with_for_update())
ADD_OTHER = Statement(insert(_other).values(place=_PLACE))
OTHERS = Statement(select(_other.c.place).order_by(_other.c.place))
ONE = Statement(select(bindparam("one", 1, type_=Integer).label("one")))


class Watched:
    """A connection that notes what is sent."""

    def __init__(self, connection):
        self.connection = connection
        self.sent = []

    async def fetch(self, query, *args):
        self.sent.append(query)
        return await self.connection.fetch(query, *args)

    async def fetchrow(self, query, *args):
        self.sent.append(query)
        return await self.connection.fetchrow(query, *args)

    async def execute(self, query, *args):
        self.sent.append(query)
        return await self.connection.execute(query, *args)

    def is_closed(self):
        return self.connection.is_closed()


@pytest.fixture
async def watched(database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE SCHEMA tried; CREATE TABLE tried.shelf (place int PRIMARY KEY, name varchar)")
    await connection.execute("CREATE TABLE tried.other (place int); CREATE SCHEMA gateway")
    await connection.execute("CREATE TABLE gateway.user_streams (user_id uuid)")
    await ADD.run(connection, place=1, name="first")
    await ADD.run(connection, place=2, name="second")
    yield Watched(connection)
    await connection.close()


async def shelf(watched):
    return [row["name"] for row in await ALL.all(watched.connection)]


async def test_lookups_are_read_together_and_given_once(watched):
    unit = OptimisticUnit(watched)
    assert (await unit.look_up(ONE.bind(), [OF_PLACE.bind(place=2), ALL.bind(), OF_PLACE.bind(place=9)]))["one"] == 1
    [row] = await OF_PLACE.all(unit, place=2)
    assert (row["name"], row[1], row[0:2]) == ("second", 2, ("second", 2))
    assert [row["name"] for row in await ALL.all(unit)] == ["first", "second"]
    assert await OF_PLACE.first(unit, place=9) is None
    assert len(watched.sent) == 1
    assert (await OF_PLACE.first(unit, place=2))["name"] == "second"
    assert len(watched.sent) == 2


async def test_long_lookups_do_not_multiply(watched):
    for place in range(3, 203):
        await ADD.run(watched.connection, place=place, name=f"{place}")
        await ADD_OTHER.run(watched.connection, place=place)
    rows = []
    fetch = watched.fetch

    async def count(query, *args):
        rows[:] = await fetch(query, *args)
        return rows

    watched.fetch = count
    unit = OptimisticUnit(watched)
    await unit.look_ahead([ALL.bind(), OTHERS.bind(), OF_PLACE.bind(place=7)])
    assert len(rows) == 202
    assert [row["place"] for row in await ALL.all(unit)] == list(range(1, 203))
    assert [row["place"] for row in await OTHERS.all(unit)] == list(range(3, 203))
    assert [row["name"] for row in await OF_PLACE.all(unit, place=7)] == ["7"]


async def test_an_optimistic_unit_writes_with_its_last_statement(watched):
    unit = OptimisticUnit(watched)
    await ADD.write(unit, place=3, name="third")
    await ADD_OTHER.write(unit, place=7)
    assert watched.sent == []
    await unit.close(ONE.bind())
    assert len(watched.sent) == 1
    assert await shelf(watched) == ["first", "second", "third"]
    assert [row["place"] for row in await OTHERS.all(watched.connection)] == [7]


@pytest.mark.parametrize("first_write", [True, False])
async def test_an_optimistic_unit_gives_up_where_order_matters(watched, first_write):
    unit = OptimisticUnit(watched)
    if first_write:
        await ADD.write(unit, place=3, name="third")
        refused = [ALL.all(unit), OF_PLACE.first(unit, place=3)]
        assert await OTHERS.all(unit) == []
    else:
        refused = [TAKE.first(unit, place=1), LOCK.first(unit, place=1), ADD.run(unit, place=4, name="fourth")]
    for call in refused:
        with pytest.raises(NeedsLock):
            await call
    assert await shelf(watched) == ["first", "second"]


async def test_an_optimistic_unit_does_not_write_a_table_twice(watched):
    unit = OptimisticUnit(watched)
    await ADD.write(unit, place=3, name="third")
    await RENAME.write(unit, place=3, name="renamed")
    with pytest.raises(NeedsLock):
        await unit.close(ONE.bind())
    assert await shelf(watched) == ["first", "second"]


async def test_a_lookup_is_not_given_after_a_write_of_what_it_reads(watched):
    unit = LockedUnit(watched)
    await unit.look_up(ONE.bind(), [OF_PLACE.bind(place=1)])
    await RENAME.write(unit, place=1, name="renamed")
    assert (await OF_PLACE.first(unit, place=1))["name"] == "renamed"


async def test_a_lookup_is_not_given_after_a_change_that_ran(watched):
    unit = LockedUnit(watched)
    await unit.look_up(ONE.bind(), [ALL.bind(), OTHERS.bind()])
    assert (await TAKE.first(unit, place=1))["name"] == "first"
    assert [row["name"] for row in await ALL.all(unit)] == ["second"]
    sent = len(watched.sent)
    assert await OTHERS.all(unit) == []
    assert len(watched.sent) == sent


async def test_a_locked_unit_writes_before_what_needs_it(watched):
    async with transaction_with(watched, "SELECT 1"):
        unit = LockedUnit(watched)
        await ADD.write(unit, place=3, name="third")
        await ADD_OTHER.write(unit, place=7)
        assert await OTHERS.all(LockedUnit(watched)) == []
        assert (await TAKE.first(unit, place=3))["name"] == "third"
        await RENAME.write(unit, place=1, name="renamed")
        await ADD.write(unit, place=4, name="fourth")
        await unit.close(RENAME.bind(place=2, name="last"))
    assert await shelf(watched) == ["renamed", "last", "fourth"]


@pytest.mark.parametrize(("is_distributed", "sent"), [(False, 1), (True, 2)])
async def test_on_shards_what_is_about_another_user_runs_apart(watched, is_distributed, sent):
    watched.is_distributed = is_distributed
    unit = LockedUnit(watched)
    await ADD.write(unit, place=3, name="third")
    with unit.elsewhere():
        await ADD_OTHER.write(unit, place=7)
    assert watched.sent == []
    await unit.close(ONE.bind())
    assert ["tried.other" in query for query in watched.sent] == [True, False][:sent]
    assert await shelf(watched) == ["first", "second", "third"]
    assert [row["place"] for row in await OTHERS.all(watched.connection)] == [7]


async def test_on_shards_an_optimistic_unit_writes_of_one_user_only(watched):
    watched.is_distributed = True
    unit = OptimisticUnit(watched)
    with pytest.raises(NeedsLock), unit.elsewhere():
        await ADD_OTHER.write(unit, place=7)
    await ADD.write(unit, place=3, name="third")
    await unit.close(ONE.bind())
    assert await OTHERS.all(watched.connection) == []


async def test_a_part_that_fails_costs_nothing_where_it_only_collected(watched):
    async with transaction_with(watched, "SELECT 1"):
        unit = LockedUnit(watched)
        await ADD.write(unit, place=3, name="third")
        with suppress(ZeroDivisionError):
            async with unit.transaction():
                await ADD_OTHER.write(unit, place=7)
                raise ZeroDivisionError
        await unit.flush()
    assert not [query for query in watched.sent if "SAVEPOINT" in query]
    assert await shelf(watched) == ["first", "second", "third"]
    assert await OTHERS.all(watched.connection) == []


@pytest.mark.parametrize("fails", [True, False])
async def test_a_part_that_ran_something_is_undone_alone(watched, fails):
    async with transaction_with(watched, "SELECT 1"):
        unit = LockedUnit(watched)
        await ADD.write(unit, place=3, name="third")
        with suppress(ZeroDivisionError):
            async with unit.transaction():
                await ADD.write(unit, place=4, name="fourth")
                await TAKE.first(unit, place=1)
                await ADD_OTHER.write(unit, place=7)
                if fails:
                    raise ZeroDivisionError
        await unit.close(RENAME.bind(place=3, name="last"))
    assert await shelf(watched) == (["first", "second", "last"] if fails else ["second", "last", "fourth"])
    assert len(await OTHERS.all(watched.connection)) == (0 if fails else 1)


async def test_what_fails_in_a_transaction_is_rolled_back(watched):
    with suppress(ZeroDivisionError):
        async with transaction_with(watched, "SELECT 1"):
            await ADD.run(LockedUnit(watched), place=3, name="third")
            raise ZeroDivisionError
    assert await shelf(watched) == ["first", "second"]


async def test_locks_are_taken_when_the_transaction_begins(watched):
    user = uuid4()
    opening = Opening(locks=[LOCK.bind(place=1)])
    assert opening.needs_lock
    async with transaction_with(watched, opening.lock_query(user)):
        unit = LockedUnit(watched, opening.locks)
        assert await LOCK.first(unit, place=1) is None
        assert len(watched.sent) == 1
        other = await asyncpg.connect(**_address(watched.connection))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.fetch("SELECT 1 FROM tried.shelf WHERE place = 1 FOR UPDATE NOWAIT")
        await other.close()


def test_only_numbers_and_ids_are_written_into_a_query():
    assert Opening(locks=[LOCK.bind(place=7)]).lock_query(UUID(int=0)).endswith("place = 7::INTEGER FOR UPDATE")
    with pytest.raises(TypeError):
        Opening(locks=[OF_PLACE.bind(place="1; DROP TABLE x")]).lock_query(UUID(int=0))


def _address(connection):
    host, port = connection._addr
    params = connection._params
    return {"host": host, "port": port, "user": params.user, "database": params.database}
