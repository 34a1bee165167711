"""Makes one statement of the same statement for several users, the members of a group.

It works on texts that this code made, as ``combine.py`` does. Each parameter has its type behind it (``$1::UUID``), and
an insert names the user first, unless it only adds rows, such as deltas of a counter. A statement of another shape has
no form for a group. A test lets PostgreSQL prepare every form.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameshelf.gateway.runtime.unit_of_work.combine import (
    NotCombinable,
    is_plain_read,
    remembered,
    split_ctes,
    uses_any,
    written_tables,
)

_TYPE = r"TIMESTAMP WITH(?:OUT)? TIME ZONE|DOUBLE PRECISION|[A-Z]+(?:\(\d+(?:, \d+)?\))?"
_PARAMETER = re.compile(rf"\$(\d+)((?:::({_TYPE})((?:\[\])*))?)")
_INSERT = re.compile(r"INSERT INTO (\w+\.\w+) \((\w+)[\w, ]*\) (?=SELECT \$(\d+)::UUID\b)")
_ADDITION = re.compile(r"INSERT INTO \w+\.\w+ \([\w, ]+\) (?=SELECT )")
_DELETE = re.compile(r"DELETE FROM (\w+\.\w+) \s*WHERE (?=(\1\.user_id) = \$(\d+)::UUID AND )")
_TAIL = re.compile(r" (?:ON CONFLICT|RETURNING)\b")
_VOLATILE = re.compile(r"\b(?:gen_random_uuid|random|nextval|clock_timestamp)\(")
_ACROSS_ROWS = re.compile(r"\b(?:\w+agg|count|sum|min|max|avg|row_number)\(|\b(?:GROUP BY|LIMIT|DISTINCT|EXISTS)\b")


WHOSE = "_whose"
"""The last column of the rows for several members."""


@dataclass(frozen=True, slots=True)
class GroupForm:
    """The text of a statement for several members, and how its values are made of those of each member.

    The column ``WHOSE`` says whose a row is: the number of the member, from 1; or the user's id, if it writes.
    """

    query: str
    columns: Sequence[int]
    """The parameters, from 0, that have one value for each member."""
    lists: Sequence[int]
    """The parameters that have a list for each member. The lists follow each other in one."""
    shared: Sequence[int]
    """The parameters that have the same value for all members."""
    user: int | None
    """Which parameter is the user's id, if it writes."""

    def values(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Returns the values of the statement, of those of each member."""
        values: list[Any] = [[call[place] for call in calls] for place in self.columns]
        together: list[Any] = []
        for place in self.lists:
            starts: list[int | None] = []
            ends: list[int] = []
            joined: list[Any] = []
            for call in calls:
                own = call[place]
                starts.append(None if own is None else len(joined) + 1)
                joined += own or ()
                ends.append(len(joined))
            values += [starts, ends]
            together.append(joined)
        return [*values, *together, *(calls[0][place] for place in self.shared)]


def differing(calls: Sequence[Sequence[Any]]) -> tuple[bool, ...]:
    """Returns for each parameter whether its values differ between the calls."""
    first, *others = calls
    return tuple(any(call[place] != value for call in others) for place, value in enumerate(first))


@remembered
def group_form(query: str, differs: tuple[bool, ...], *, has_result: bool = True) -> GroupForm | None:
    """Returns the form of a statement for several members; None if it has none.

    ``differs`` says of each parameter whether its values differ between the members, which at least one does. A write
    without ``has_result`` returns no rows.
    """
    members = _Members.of(query, differs)
    if members is None:
        return None
    if is_plain_read(query):
        text = f"SELECT _of.*, _member.number AS {WHOSE} FROM {members.source(query)}"  # noqa: S608
        return GroupForm(text, members.columns, members.lists, members.shared, None)
    try:
        ctes, main = split_ctes(query)
    except NotCombinable:
        return None
    if ctes and has_result:
        return None
    user = _user_of(main)
    names, tables = tuple(name for name, _ in ctes), written_tables(query)
    bodies = (text[text.index("(") + 1 : -1].strip() for _, text in ctes)
    parts = [members.written(body, names, tables) for body in bodies]
    last = members.written(main, names, tables)
    if last is None or None in parts:
        return None
    if has_result:
        if user is None:
            return None
        last += f"{',' if ' RETURNING ' in last else ' RETURNING'} {user[0]} AS {WHOSE}"
    heads = ", ".join(f"{name} AS ({part})" for name, part in zip(names, parts, strict=True))
    text = f"WITH {heads} {last}" if heads else last
    return GroupForm(text, members.columns, members.lists, members.shared, user[1] if user and has_result else None)


@dataclass(frozen=True, slots=True)
class _Members:
    """The members as a table: a row for each, with its values."""

    columns: Sequence[int]
    lists: Sequence[int]
    shared: Sequence[int]
    kinds: dict[int, str]

    @staticmethod
    def of(query: str, differs: Sequence[bool]) -> "_Members | None":
        kinds: dict[int, str] = {}
        depths: dict[int, int] = {}
        for number, _, kind, brackets in _PARAMETER.findall(query):
            if kind:
                kinds[int(number) - 1], depths[int(number) - 1] = kind, len(brackets) // 2
        own = [place for place, is_own in enumerate(differs) if is_own]
        if not own or any(depths.get(place, 2) > 1 for place in own):
            return None
        return _Members(
            [place for place in own if not depths[place]],
            [place for place in own if depths[place]],
            [place for place, is_own in enumerate(differs) if not is_own],
            kinds,
        )

    @property
    def table(self) -> str:
        """The members with their values, as it stands behind FROM."""
        types = [*(self.kinds[place] for place in self.columns), *["INTEGER"] * (2 * len(self.lists))]
        given = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
        bounds = (f"{end}{place}" for place in self.lists for end in ("start", "end"))
        names = ", ".join([*(f"value{place}" for place in self.columns), *bounds, "number"])
        return f"unnest({given}) WITH ORDINALITY AS _member({names})"

    def source(self, query: str) -> str:
        """Returns the members, each with the rows that a query has for it.

        The planner must not join them in another way: it knows neither how many members there are, nor how few rows
        each has.
        """
        rows = f"(SELECT * FROM ({self.replace(query)}) AS _own OFFSET 0) AS _of"  # noqa: S608
        return f"{self.table} CROSS JOIN LATERAL {rows}"

    def written(self, part: str, names: Sequence[str], tables: frozenset[str]) -> str | None:
        """Returns the part of a write for all members; None if it can't be written for all.

        ``names`` are those of all parts, ``tables`` what they write.
        """
        added = self._added(part, names, tables)
        if added:
            return added
        if not self._has_own(part):
            # It runs once instead of once for each member, which is the same only if it takes row by row what another
            # part has written.
            branches = part.split(" UNION ALL ")
            takes = rf"\b(?:FROM|JOIN) (?:{'|'.join(names)})\b" if names else "$^"
            is_by_row = part.startswith("INSERT INTO ") and all(re.search(takes, branch) for branch in branches)
            return None if _ACROSS_ROWS.search(part) or not is_by_row else self.replace(part)
        if _names_any(part, names):
            return None  # each member would have what another part has written for all of them
        deleted = _DELETE.match(part)
        if deleted and self._is_user(_user_of(part)):
            end = _end_of_select(part, deleted.end())
            which = self.replace(part[deleted.end() : end])
            return f"{part[: deleted.end(1)]} USING {self.table} WHERE {which}{self.replace(part[end:])}"
        found = _INSERT.match(part)
        if found is None or not self._is_user(_user_of(part)):
            return None
        end = _end_of_select(part, found.end())
        if self._has_own(part[end:]):
            return None
        source = self.source(part[found.end() : end])
        return f"{part[: found.end()]}SELECT _of.* FROM {source}{self.replace(part[end:])}"  # noqa: S608

    def _added(self, part: str, names: Sequence[str], tables: frozenset[str]) -> str | None:
        """Returns the part for all members if it only adds rows, and depends on nothing that the members write.

        Where all values are the same, PostgreSQL may compute the rows once: none may have a value of its own, such as a
        random id.
        """
        found = _ADDITION.match(part)
        if found is None or _user_of(part):
            return None
        rows = part[found.end() :]
        if _end_of_select(rows, 0) < len(rows) or uses_any(rows, tables) or _names_any(rows, names):
            return None
        if _VOLATILE.search(rows):
            return None
        return f"{part[: found.end()]}SELECT _of.* FROM {self.source(rows)}"  # noqa: S608

    def _is_user(self, user: tuple[str, int] | None) -> bool:
        return user is not None and user[1] in self.columns

    def _has_own(self, text: str) -> bool:
        return any(int(found[1]) - 1 not in self.shared for found in _PARAMETER.finditer(text))

    def replace(self, text: str) -> str:
        """Puts the values of the member in the place of its parameters."""
        return _PARAMETER.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        place, cast = int(found[1]) - 1, found[2]
        if place in self.columns:
            return f"_member.value{place}{cast}"
        first_list = len(self.columns) + 2 * len(self.lists) + 1
        if place in self.lists:
            number = first_list + self.lists.index(place)
            return f"(${number}::{self.kinds[place]}[])[_member.start{place}:_member.end{place}]{cast}"
        return f"${first_list + len(self.lists) + self.shared.index(place)}{cast}"


def _names_any(text: str, names: Sequence[str]) -> bool:
    return bool(names) and re.search(rf"\b(?:{'|'.join(names)})\b", text) is not None


def _user_of(part: str) -> tuple[str, int] | None:
    """Returns the column with the user's id in what a part writes, and the parameter that it is given by, from 0."""
    if found := _INSERT.match(part):
        return f"{found[1]}.{found[2]}", int(found[3]) - 1
    if found := _DELETE.match(part):
        return found[2], int(found[3]) - 1
    return None


def _end_of_select(query: str, at: int) -> int:
    """Returns where what a part selects or deletes ends: at ON CONFLICT or RETURNING, outside of parentheses."""
    depth = 0
    for place in range(at, len(query)):
        depth += {"(": 1, ")": -1}.get(query[place], 0)
        if not depth and _TAIL.match(query, place):
            return place
    return len(query)
