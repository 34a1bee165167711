"""Nobody's figures depend on another user's rows (contract, section 3.3): every read gives a user the same, whether or
not strangers have a thousand rows of the same products in every table, those at the edges of windows among them.
"""

import asyncpg
import pytest
from gameshelf.devstack.statements import ACROSS, Class, Reason, classify, is_read, values
from gameshelf.devstack.statements.rows import CIRCLE
from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import TIME, user
from gameshelf.playtime import METADATA
from sqlalchemy import bindparam, func, select

STRANGERS = range(1008, 1072)
AT_EDGES = range(2000, 2024)
ROWS, PRODUCTS, ENOUGH = 48, 16, 4
# Statements that read about everybody, or about products, return rows of everybody.
ABOUT_ALL = {name for name, reason in ACROSS.items() if reason is not Reason.FAMILY}
# Statements that find nothing in rows that are made by number; the packages' own tests run them.
NOTHING_FOUND = {
    "library._family.queries._IS_LOST",  # a seat of one session that is lost
    "library._shares.store._STORED",  # products after one and up to another
    "gateway.runtime.support.received._EVENTS",  # events of commits, by their exact times
    "gateway.runtime.unit_of_work.head._CONFIRM",  # a row of one version
    "playtime._store.anomalies._RAW",  # sessions but those that are named
    "settings._history.queries._PAYLOAD",  # one revision of a layer, by its kind and its name
    "savegames._queries.accounts._CONTENTS",  # by the names of objects, which begin with the user
    "savegames._store.list_objects._FIND",  # a list whose object is not written, and its version
    "savegames._store.slots._HAS_GROWN",  # a device whose version grew from an older one
    "savegames._store.versions._HISTORY",  # versions that are no heads
    "savegames._queries.support._COPIES",  # two slots of one content
    "savegames._queries.support._OF_USER",  # an open conflict of a live slot, its two sides
}


async def outcome(connection, statement, arguments):
    """The rows of one run, whatever their order, or the name of an error."""
    try:
        async with connection.transaction():
            rows = await connection.fetch(statement.sql, *arguments)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return str(error)
    return sorted(repr(tuple(row.values())) for row in rows)


async def runs(connection, statement, words):
    """Some runs of a statement that find something, each with its values, and those before that find nothing."""
    kept = []
    for arguments in await values(connection, statement, words):
        kept.append((arguments, await outcome(connection, statement, arguments)))
        if sum(isinstance(found, list) and bool(found) for _, found in kept) == ENOUGH:
            break
    return kept


_I, _T = (METADATA.tables[f"playtime.{name}"] for name in ("playtime_intervals", "playtime_totals"))
_ANYBODYS = _I.alias()


def leak(name, which, column="start_time"):
    """Sums the play of each product from the newest (or oldest) row of *anybody* before (or after) a time on: as
    ``last_2_weeks_seconds`` was found, whose subquery had lost the user of the row around it.
    """
    at = bindparam(name, type_=TIME)
    anybodys = _ANYBODYS.c[column]
    newest = select(func.max(anybodys)).where(anybodys <= at).scalar_subquery()
    oldest = select(func.min(anybodys)).where(anybodys > at).scalar_subquery()
    at_it = select(func.count()).where(anybodys == at).scalar_subquery()
    mine = _I.c[column]
    condition = {"newest": mine >= newest, "oldest": mine <= oldest, "at": at_it == 0}[which]
    played = (
        select(func.count())
        .select_from(_I)
        .where(_I.c.user_id == _T.c.user_id, _I.c.product_id == _T.c.product_id, condition)
        .correlate(_T)
    )
    return Statement(select(_T.c.product_id, played.scalar_subquery()).where(_T.c.user_id == user()))


LEAKS = {
    f"{which} {column} at {name}": leak(name, which, column)
    for which in ("newest", "oldest", "at")
    for column in ("start_time", "end_time")
    for name in ("since", "until")
}
"""Statements that are wrong, so that the proof is seen to find them."""


@pytest.mark.long
async def test_every_read_gives_the_same_beside_a_thousand_rows_of_strangers(everything, statements, keys):
    connection, tables = everything
    reads = LEAKS | {
        name: statement
        for name, statement in statements.items()
        if is_read(statement.sql)
        and name.partition(" ")[0] not in ABOUT_ALL
        and classify(statement.sql, keys).kind is not Class.REFERENCE
    }
    # In one transaction: now() is the same before and after.
    async with connection.transaction():
        await tables.fill_of_nobody(connection, 200, PRODUCTS)
        await tables.fill_of_users(connection, range(CIRCLE), ROWS, PRODUCTS)
        before = {name: await runs(connection, statement, tables.words) for name, statement in reads.items()}
        await tables.fill_of_users(connection, STRANGERS, 16, PRODUCTS)
        await tables.fill_of_users(connection, AT_EDGES, PRODUCTS, PRODUCTS, at_edges=True)
        for table in (table for table, key in keys.items() if key):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") >= len(STRANGERS), table
        changed = [
            name
            for name, statement in reads.items()
            for arguments, found in before[name]
            if await outcome(connection, statement, arguments) != found
        ]
    assert set(changed) - LEAKS.keys() == set()
    assert LEAKS.keys() - set(changed) == set(), "the proof finds no such mistake any more"
    # A statement that finds nothing proves nothing.
    empty = {name for name in reads if not any(isinstance(found, list) and found for _, found in before[name])}
    assert {name.partition(" ")[0] for name in empty} == NOTHING_FOUND, [before[name][-1] for name in empty]
