"""Judges statements as they were sent, with their values: what was put together of several, or has ids in its text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pglast
from gameshelf.devstack.statements.classes import Class, classify
from pglast import ast as nodes

_PARAMETER = re.compile(r"\$(\d+)")
_ID = re.compile(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'")
_OF_ROWS = (nodes.SelectStmt, nodes.InsertStmt, nodes.UpdateStmt, nodes.DeleteStmt, nodes.MergeStmt)


def across_users(sent: str, values: Sequence[Any], keys: Mapping[str, str | None]) -> list[str]:
    """Returns the statements in a text that touch several users' rows. ``keys`` is as in ``classify``.

    Ids with one value are one user, whichever parameters they are. What is not about rows, such as COMMIT, is none.
    """
    numbers: dict[str, int] = {}

    def number_of(value: str) -> str:
        return f"${numbers.setdefault(value, 1001 + len(numbers))}"

    def parameter(found: re.Match[str]) -> str:
        value = values[int(found[1]) - 1]
        return number_of(str(value)) if isinstance(value, UUID) else found[0]

    text = _ID.sub(lambda found: number_of(found[1]), _PARAMETER.sub(parameter, sent))
    return [one for one in pglast.split(text) if _is_of_rows(one) and classify(one, keys).kind is Class.ACROSS_USERS]


def _is_of_rows(statement: str) -> bool:
    [raw] = pglast.parse_sql(statement)
    return isinstance(raw.stmt, _OF_ROWS)
