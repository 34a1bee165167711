"""Finds what Citus refuses or does otherwise in a change of a distributed table, or of one that each machine has.

Citus evaluates what it can before it sends a change to the machine of the rows; what it can't, it refuses. These rules
are those that were met with version 13.2; a plan on a server is the only full proof.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pglast
from pglast import ast as nodes

ast: Any = nodes

_VARY = frozenset({"clock_timestamp", "gen_random_uuid", "nextval", "random", "statement_timestamp"})
"""Functions whose result differs within a statement."""
_DEPEND = frozenset({"concat", "jsonb_build_object", "now", "to_jsonb", "transaction_timestamp"})
"""Functions that depend on the session or the transaction."""


class Obstacle(StrEnum):
    """Why Citus refuses a change."""

    PARAMETER = "a parameter in ON CONFLICT of an INSERT from a SELECT: a machine does not know the types of the others"
    RETURNED = "a parameter in RETURNING of an INSERT from a SELECT, which no machine gets: return a column"
    FUNCTION = "a function in ON CONFLICT that is not immutable: take the value from excluded"
    VOLATILE = "a volatile function in UPDATE: pass the value"
    SUBQUERY = "a subquery in VALUES: insert from a SELECT, or read it first"


def obstacles(sql: str) -> frozenset[Obstacle]:
    """Returns what Citus refuses in a statement, wherever in it the change stands."""
    found: set[Obstacle] = set()
    for node in _walk([raw.stmt for raw in pglast.parse_sql(sql)]):
        if isinstance(node, ast.InsertStmt):
            found |= _of_insert(node)
        elif isinstance(node, ast.UpdateStmt) and _calls(node.targetList) & _VARY:
            found.add(Obstacle.VOLATILE)
    return frozenset(found)


def is_miscounted(sql: str) -> bool:
    """Returns whether Citus may count rows that a statement has not changed: those of an INSERT from a SELECT that
    were there, unless it returns what it has changed.
    """
    change = pglast.parse_sql(sql)[0].stmt
    return (
        isinstance(change, ast.InsertStmt)
        and change.onConflictClause is not None
        and not change.selectStmt.valuesLists
        and not change.returningClause
    )


def _of_insert(node: Any) -> set[Obstacle]:
    found: set[Obstacle] = set()
    values = node.selectStmt.valuesLists if node.selectStmt else None
    if values and any(isinstance(part, ast.SubLink) for part in _walk(values)):
        found.add(Obstacle.SUBQUERY)
    if not values and any(isinstance(part, ast.ParamRef) for part in _walk(node.returningClause)):
        found.add(Obstacle.RETURNED)
    if conflict := node.onConflictClause:
        changed = (conflict.targetList, conflict.whereClause)
        if not values and any(isinstance(part, ast.ParamRef) for part in _walk(changed)):
            found.add(Obstacle.PARAMETER)
        if _calls(changed) & (_VARY | _DEPEND):
            found.add(Obstacle.FUNCTION)
    return found


def _calls(part: Any) -> frozenset[str]:
    """The names of the functions that are called."""
    return frozenset(one.funcname[-1].sval for one in _walk(part) if isinstance(one, ast.FuncCall))


def _walk(part: Any) -> Iterator[Any]:
    if isinstance(part, list | tuple):
        for one in part:
            yield from _walk(one)
    elif isinstance(part, ast.Node):
        yield part
        for name in part:
            yield from _walk(getattr(part, name))
