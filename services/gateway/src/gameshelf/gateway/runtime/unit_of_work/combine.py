"""Combines the texts of statements into one statement, so that they cost one round trip.

It works on texts that this code made: no literal in them holds a parenthesis, a quote or a parameter. A test checks
this for every statement.
"""

import re
from functools import lru_cache

_PARAMETER = re.compile(r"\$(\d+)")
_CHANGES = re.compile(
    r"\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|FOR (?:KEY )?SHARE|nextval|setval|set_config|pg_\w*advisory\w*)\b"
)
_WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+\.\w+)")
_CTE = re.compile(r"[,\s]*(\w+)(?:\([\w, ]*\))? AS (?:MATERIALIZED )?\s*\(")

remembered = lru_cache(maxsize=1_000)
"""As many as a connection prepares. Which texts there are depends on what is written together, and so on callers."""


class NotCombinable(Exception):
    """These statements can't run as one: a part of it sees the state before all of them."""


@remembered
def is_plain_read(query: str) -> bool:
    """Returns whether a query reads only, and locks nothing."""
    return _CHANGES.search(query) is None


@remembered
def written_tables(query: str) -> frozenset[str]:
    """Returns the tables that a query writes, each with its schema."""
    return frozenset(_WRITTEN.findall(query))


@remembered
def uses_any(query: str, tables: frozenset[str]) -> bool:
    """Returns whether a query reads or writes one of the tables."""
    return any(table in query for table in tables)


@remembered
def lookups_together(first: str, others: tuple[tuple[str, int], ...]) -> str:
    """Returns one query for several: as many rows as the longest of the others has, the one row of the first in each.

    ``others`` has the text of each query and the number of its columns. They are called ``_<query>_<column>``, by
    number, after ``_<query>_row``, which numbers the rows of the query from 1 and is null beyond its last one.
    """
    if not others:
        return first
    columns, joined, at = ["_first.*"], "", ""
    offset = _count_parameters(first)
    for number, (query, width) in enumerate(others):
        names = ", ".join(f"_{number}_{place}" for place in range(width))
        table = f"({_shifted(query, offset)}) AS _of({names})"
        numbered = f"(SELECT row_number() OVER () AS _{number}_row, {names} FROM {table}) AS _{number}"  # noqa: S608
        row = f"_{number}._{number}_row"
        joined = f"({joined} FULL JOIN {numbered} ON {row} = {at})" if number else numbered
        at = f"coalesce({at}, {row})" if number else row
        columns.append(f"_{number}.*")
        offset += _count_parameters(query)
    return f"SELECT {', '.join(columns)} FROM ({first}) AS _first LEFT JOIN {joined} ON true"  # noqa: S608


@remembered
def writes_together(head: str, writes: tuple[str, ...]) -> str:
    """Returns one statement that runs ``head`` and then the writes, which become CTEs of it.

    Raises NotCombinable for two writes of one table, for a write that reads what an earlier one writes, which it would
    not see, and for two CTEs of one name.
    """
    if not writes:
        return head
    ctes, main = split_ctes(head)
    offset = _count_parameters(head)
    earlier: frozenset[str] = frozenset()
    for number, write in enumerate(writes):
        if uses_any(write, earlier) or written_tables(write) & written_tables(head):
            raise NotCombinable(f"a write after another one of the same table: {write}")
        earlier |= written_tables(write)
        inner, last = split_ctes(_shifted(write, offset))
        ctes += [*inner, (f"write_{number}", f"write_{number} AS ({last})")]
        offset += _count_parameters(write)
    names = [name for name, _ in ctes]
    if len(set(names)) < len(names):
        raise NotCombinable(f"several CTEs of one name: {sorted(names)}")
    return f"WITH {', '.join(text for _, text in ctes)} {main}"


def _shifted(query: str, offset: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", query)


def _count_parameters(query: str) -> int:
    return max((int(number) for number in _PARAMETER.findall(query)), default=0)


def split_ctes(query: str) -> tuple[list[tuple[str, str]], str]:
    """Splits ``WITH a AS (…), b AS (…) main`` into its CTEs, each with its name, and the rest."""
    if not query.startswith("WITH "):
        return [], query
    if query.startswith("WITH RECURSIVE"):
        raise NotCombinable("a recursive statement")
    ctes, at = [], len("WITH ")
    while found := _CTE.match(query, at):
        end = _closing(query, found.end())
        ctes.append((found[1], query[found.start(1) : end + 1]))
        at = end + 1
        if not query[at:].lstrip().startswith(","):
            break
    return ctes, query[at:].strip()


def _closing(query: str, at: int) -> int:
    """Returns the place of the parenthesis that closes the one before ``at``."""
    depth = 1
    while True:
        depth += {"(": 1, ")": -1}.get(query[at], 0)
        if not depth:
            return at
        at += 1
