"""Values for the parameters of any statement, from their names and types: those that the rows of ``rows`` have."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
from gameshelf.devstack.statements.rows import CIRCLE, EDGES, TEXTS, product, row_id, user, user_hash
from gameshelf.kernel.database import Statement

_PAST = ("since", "after", "low", "start", "begin", "earliest", "from", "opened")
"""Parts of the names of times that lie in the past; other times lie in the future."""
_IDS = 3 * TEXTS


async def values(connection: asyncpg.Connection, statement: Statement, words: Sequence[str]) -> Iterator[list[Any]]:
    """Several lists of values for a statement, each for all of its parameters, about user 0 and those of their circle.

    One by one they try every word and the first few numbers, lists with everything, and lists that are not given.
    Times are counted from the beginning of the running transaction, as those of rows are.
    """
    now = await connection.fetchval("SELECT date_trunc('second', now())")
    prepared = await connection.prepare(statement.sql)
    kinds = [kind.name for kind in prepared.get_parameters()]
    names = statement._names
    known = statement._constants
    given = [(name, kind, name in known) for name, kind in zip(names, kinds, strict=True)]
    turns = _IDS + (len(words) if any(kind in ("text", "varchar") for _, kind, _ in given) else 0)
    has_user = "user_id" in names

    def one(turn: int) -> list[Any]:
        return [
            known[name] if fixed else _value(name, kind, turn, words, now, has_user=has_user)
            for name, kind, fixed in given
        ]

    return (one(turn) for turn in range(turns))


def _value(name: str, kind: str, turn: int, words: Sequence[str], now: datetime, *, has_user: bool) -> Any:
    if kind.endswith("[]"):
        # Lists side by side are about the same rows, so that theirs are as long.
        if turn % 2 and not name.startswith(("user", "owner")):
            return None if turn % 4 == 3 else []
        places = range(_IDS + len(words) if kind in ("text[]", "varchar[]") else _IDS)
        return [_value(name.removesuffix("s"), kind[:-2], place, words, now, has_user=has_user) for place in places]
    if kind == "uuid":
        return _uuid(name, turn, has_user=has_user)
    if kind == "timestamptz":
        # A name is not always right: every other time, or two times of four, it is the other way round.
        is_past = turn % 4 < 2 if any(part in name for part in _PAST) else turn % 2 == 1
        # Some windows begin among the rows, as an edge is where others' rows can come in.
        before, among, _, behind = EDGES
        return now + timedelta(days=(among if turn % 8 in (0, 5) else before) if is_past else behind)
    if kind in ("text", "varchar"):
        # With the product of the same number, and then every word.
        return f"text{turn % TEXTS}" if turn < _IDS else words[turn - _IDS]
    if kind in ("int2", "int4", "int8", "numeric", "float8"):
        large = {"limit": 1000, "offset": 0, "after_id": 0, "after": 0}
        return large.get(name, 1 + turn % 3)
    others = {
        "bool": turn % 2 == 0,
        "bytea": user_hash(0) if name == "user_hash" else sha256(str(turn).encode()).digest(),
        "jsonb": "{}",
        "date": now.date(),
        "json": "{}",
    }
    return others[kind]


def _uuid(name: str, turn: int, *, has_user: bool) -> Any:
    if "product" in name:
        return product(turn % TEXTS)
    if name.startswith(("user", "subject", "holder", "player")):
        return user(0)
    others = user(1 + turn % (CIRCLE - 1))
    if name.startswith(("owner", "new_owner")):
        return others if has_user else user(0)
    if name.startswith(("member", "partner", "new_shared_with")):
        return others
    return row_id(turn)
