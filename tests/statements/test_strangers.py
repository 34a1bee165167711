"""Nobody's figures depend on another user's rows (contract, section 3.3): every read gives a user the same, whether or
not strangers have a thousand rows of the same products in every table.
"""

import asyncpg
from gameshelf.devstack.statements import ACROSS, Class, Reason, classify, is_read, values
from gameshelf.devstack.statements.rows import CIRCLE

STRANGERS = range(1008, 1072)
ROWS, PRODUCTS, ENOUGH = 48, 16, 4
# What reads about everybody, or about products, tells of everybody.
ABOUT_ALL = {name for name, reason in ACROSS.items() if reason is not Reason.FAMILY}
# What finds nothing in rows that are made by number; the packages' own tests read them.
NOTHING_FOUND = {
    "library.family.queries._IS_LOST",  # a seat of one session that is lost
    "savegames.accounts._CONTENTS",  # by the names of objects, which begin with the user
    "savegames.store.versions._HISTORY",  # versions that are no heads
    "savegames.support._COPIES",  # two slots of one content
    "savegames.support._OF_USER",  # an open conflict of a live slot, its two sides
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


async def test_every_read_gives_the_same_beside_a_thousand_rows_of_strangers(everything, statements, keys):
    connection, tables = everything
    reads = {
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
        for table in (table for table, key in keys.items() if key):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") >= len(STRANGERS), table
        changed = [
            name
            for name, statement in reads.items()
            for arguments, found in before[name]
            if await outcome(connection, statement, arguments) != found
        ]
    assert sorted(set(changed)) == []
    # A statement that finds nothing proves nothing.
    empty = {name for name in reads if not any(isinstance(found, list) and found for _, found in before[name])}
    assert {name.partition(" ")[0] for name in empty} == NOTHING_FOUND, [before[name][-1] for name in empty]
