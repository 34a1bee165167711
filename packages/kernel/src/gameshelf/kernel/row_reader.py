"""Rows of statements as dataclass objects, by column name.

The names are compared when the reader is made, which is when its module is imported. So a column that is renamed, that
is missing or that is new stops the import, and a column that moves is still read into its own field.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast, overload

from asyncpg import Record
from gameshelf.kernel.database import Statement

T = TypeVar("T")
_Values = Callable[[Any], Any]
"""Makes the values of the columns of a row."""


class RowReader(Generic[T]):
    """Makes objects of one dataclass from rows of statements whose columns have the names of its fields.

    - ``statements``: the statements whose rows are read. Those that are composed later go through ``checked``.
    - ``prefix``: in a row that holds several objects, the columns of this one begin with it (``sql.prefixed`` labels
      them). Columns without the prefix belong to others.
    - ``others``: columns that are no fields, such as ``total``; a reader stands for all columns that it reads.
    - ``given``: fields that are no columns. ``read`` takes them by name; one that has a default may be left out.
    - ``convert``: by field a function that makes its value from the column's. It is not called for NULL.

    Raises TypeError where the columns of a statement and the fields differ.

    >>> _FIND = Statement(select(col(Item.id), col(Item.title)).where(col(Item.id) == bindparam("id", type_=Uuid)))
    >>> _ITEM = RowReader(ItemView, _FIND)
    >>> item = _ITEM.read_optional(await _FIND.first(connection, id=item_id))
    """

    __slots__ = ("_given", "_kind", "_others", "_place", "_prefix", "columns", "read")

    read: Callable[..., T]
    """Makes an object from a row of one of the statements; fields that are ``given`` follow by name."""

    def __init__(
        self,
        kind: type[T],
        *statements: Statement,
        prefix: str = "",
        others: Iterable["str | RowReader[Any]"] = (),
        given: Sequence[str] = (),
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        if not is_dataclass(kind):
            raise TypeError(f"{kind} is no dataclass")
        names = [field.name for field in fields(kind) if field.init]
        unknown = {*given, *(convert or {})} - set(names)
        if unknown:
            raise TypeError(f"{kind.__name__} has no fields {_listed(unknown)}")
        read = [name for name in names if name not in given]
        self._kind, self._prefix, self._given = kind, prefix, tuple(given)
        self._others = frozenset(
            name for other in others for name in ([other] if isinstance(other, str) else other.columns)
        )
        self.columns: tuple[str, ...] = tuple(prefix + name for name in read)
        """The names of the columns that are read, in the order of the fields."""
        self._place: int | None = None
        places = {self._place_in(statement) for statement in statements}
        if len(places) == 1:
            self._place = places.pop()
        self.read = self._reading(names, read, convert or {})

    def checked(self, statement: Statement) -> Statement:
        """A statement that is composed later, once its columns are compared with the fields.

        Raises TypeError where they differ.
        """
        place = self._place_in(statement)
        if self._place is not None and place != self._place:
            raise TypeError(f"the columns of {self._kind.__name__} stand at another place than in other statements")
        return statement

    def read_all(self, rows: Iterable[Record]) -> list[T]:
        """An object for each row."""
        read = self.read
        return [read(row) for row in rows]

    @overload
    def read_optional(self, row: None) -> None: ...
    @overload
    def read_optional(self, row: Record | None) -> T | None: ...
    def read_optional(self, row: Record | None) -> T | None:
        """The object of a row; None where there is no row."""
        return None if row is None else self.read(row)

    def _place_in(self, statement: Statement) -> int | None:
        """Where the columns begin if they stand side by side in the order of the fields; else None."""
        there = statement.columns
        own = [name for name in there if name.startswith(self._prefix) and name not in self._others]
        missing, unknown = set(self.columns) - set(there), set(own) - set(self.columns)
        twice = {name for name in self.columns if there.count(name) > 1}
        problems = [
            *([f"no column for {_listed(missing)}"] if missing else []),
            *([f"no field for {_listed(unknown)}"] if unknown else []),
            *([f"several columns called {_listed(twice)}"] if twice else []),
        ]
        if problems:
            raise TypeError(f"{self._kind.__name__} cannot be read from {statement.sql!r}: {'; '.join(problems)}")
        if not self.columns:
            return None
        place = there.index(self.columns[0])
        return place if there[place : place + len(self.columns)] == self.columns else None

    def _reading(self, names: list[str], read: list[str], convert: Mapping[str, Callable[[Any], Any]]) -> Any:
        kind, place = cast(Any, self._kind), self._place
        if place is not None and not convert and not self._given:
            end = place + len(read)
            return lambda row: kind(*row[place:end])
        values = self._values()
        if convert:
            values = _converting(values, [(read.index(name), function) for name, function in convert.items()])
        if names[: len(read)] == read:
            return lambda row, **given: kind(*values(row), **given)
        return lambda row, **given: kind(**dict(zip(read, values(row), strict=True)), **given)

    def _values(self) -> _Values:
        """The columns' values in the order of the fields. By place is quicker, where the order is proven."""
        if self._place is not None:
            return itemgetter(slice(self._place, self._place + len(self.columns)))
        if len(self.columns) > 1:
            return itemgetter(*self.columns)
        return lambda row: [row[name] for name in self.columns]


def _converting(
    values: Callable[[Any], Any], functions: list[tuple[int, Callable[[Any], Any]]]
) -> Callable[[Any], Any]:
    def converted(row: Any) -> list[Any]:
        found = list(values(row))
        for index, function in functions:
            if found[index] is not None:
                found[index] = function(found[index])
        return found

    return converted


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
