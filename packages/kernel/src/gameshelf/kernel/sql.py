"""Parts of statements that all domain packages use."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, Uuid, bindparam, column, delete, func, select, true, tuple_
from sqlalchemy.sql import TableValuedAlias
from sqlmodel import SQLModel

TIME = DateTime(timezone=True)


def user() -> Any:
    """Returns the parameter ``user_id``, the first part of every user's primary keys."""
    return bindparam("user_id", type_=Uuid)


def array(name: str, kind: Any) -> Any:
    """Returns a parameter that is a list."""
    return bindparam(name, type_=ARRAY(kind))


def rows(name: str, /, **columns: tuple[str, Any]) -> TableValuedAlias:
    """Returns lists as the columns of a table: for each column the name and the type of the list's parameter.

    So a statement for any number of rows has the same text, and the server prepares it once.
    """
    lists = (array(parameter, kind) for parameter, kind in columns.values())
    names = (column(column_name, kind) for column_name, (_, kind) in columns.items())
    return func.unnest(*lists).table_valued(*names, name=name).render_derived()


def prefixed(prefix: str, columns: Iterable[Any]) -> list[Any]:
    """Labels columns with names that begin with ``prefix``: for rows with several objects (see ``RowReader``)."""
    return [one.label(prefix + one.key) for one in columns]


def page_of(found: Any, order: Callable[[Any], Sequence[Any]]) -> Statement:
    """Returns a statement for one page of a select (parameters ``limit`` and ``offset``). Each row has the ``total`` of
    the whole select.

    ``order`` returns the order, given the select's columns. A page past the end has one row, with the total alone.
    """
    whole = select(func.count().label("total")).select_from(found.subquery("everything")).subquery("whole")
    cut = found.order_by(*order(found.selected_columns))
    cut = cut.limit(bindparam("limit", type_=Integer)).offset(bindparam("offset", type_=BigInteger))
    page = cut.subquery("page")
    return Statement(select(*page.c, whole.c.total).select_from(whole.outerjoin(page, true())).order_by(*order(page.c)))


class RowErasure:
    """Deletes one user's rows from tables whose keys begin with ``user_id``, in bounded parts.

    A table that refers to another one is before it in ``tables``, since a cascade would not be bounded.
    """

    def __init__(self, tables: Sequence[type[SQLModel]]) -> None:
        self.statements = tuple(_some_of(table) for table in tables)

    async def erase_some(self, connection: Connection, user_id: UUID, limit: int) -> bool:
        """Deletes at most ``limit`` rows of one table. Returns whether there may be more."""
        for statement in self.statements:
            if await statement.run(connection, user_id=user_id, limit=limit):
                return True
        return False


def _some_of(table: type[SQLModel]) -> Statement:
    key = list(table.__table__.primary_key.columns)  # type: ignore[attr-defined]
    chunk = select(*key).where(key[0] == user()).limit(bindparam("limit", type_=Integer))
    return Statement(delete(table).where(key[0] == user(), tuple_(*key).in_(chunk)))
