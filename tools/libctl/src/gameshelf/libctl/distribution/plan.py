"""Decides where each table goes, from its keys alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import TopologicalSorter

from gameshelf.kernel.distribution import USER_COLUMNS, user_column


class Placement(StrEnum):
    """Where the rows of a table are."""

    BY_USER = "by user"
    """On the shard of their user, with all other rows of that user."""
    REFERENCE = "everywhere"
    """All rows on each machine, so that each shard can join them."""
    WHOLE = "one machine"
    """All rows on one of the machines, as many users' changes add some."""
    LOCAL = "coordinator"
    """On the coordinator only, as jobs alone use them."""


@dataclass(frozen=True, slots=True)
class CurrentTable:
    """A table as it is in the database. Its name has the schema."""

    name: str
    columns: Mapping[str, str]
    """The type of each column."""
    primary_key: Sequence[str]
    unique: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The columns of each unique index, by its name."""
    triggers: Sequence[str] = ()
    references: Collection[str] = ()
    """The tables that its foreign keys name."""
    distributed_by: str | None = None
    """The column by which it is distributed already."""
    is_everywhere: bool = False
    """Whether it is a reference table already."""
    is_whole: bool = False
    """Whether it is on one of the machines already."""
    group: int | None = None
    """Tables of one group have the rows of a user on one machine."""


@dataclass(frozen=True, slots=True)
class TablePlacement:
    """What is done with a table. ``beside`` is a table whose shards its own are with; None begins a new group."""

    table: str
    placement: Placement
    column: str | None = None
    beside: str | None = None
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in their order, and what prevents them, a sentence each."""

    steps: Sequence[TablePlacement]
    obstacles: Sequence[str]


def plan(tables: Iterable[CurrentTable], local: Collection[str], whole: Collection[str] = ()) -> Plan:
    """Decides what is done with each table; a table comes after those that it references.

    A table whose primary key begins with the user is distributed by the user. ``local`` names those that stay where
    they are, ``whole`` those that are moved to one machine. All others are copied to each machine.
    """
    every = {table.name: table for table in tables}
    steps: list[TablePlacement] = []
    obstacles: list[str] = []
    first_of: dict[str, CurrentTable] = {}
    for table in _in_order(every):
        column = user_column(table.primary_key)
        placement = _placement(table, local, whole)
        kind = table.columns[column] if column else ""
        first = first_of.setdefault(kind, table) if column and placement is Placement.BY_USER else table
        is_done = _is_done(table, placement)
        if not is_done:
            obstacles += _obstacles(table, placement, column)
        elif first.group is not None and table.group != first.group and placement is Placement.BY_USER:
            obstacles.append(f"{table.name} is distributed, but not beside {first.name}")
        beside = first.name if first is not table else None
        steps.append(
            TablePlacement(table.name, placement, column if placement is Placement.BY_USER else None, beside, is_done)
        )
    return Plan(steps, obstacles)


def _placement(table: CurrentTable, local: Collection[str], whole: Collection[str]) -> Placement:
    if table.name in local:
        return Placement.LOCAL
    if table.name in whole:
        return Placement.WHOLE
    return Placement.BY_USER if user_column(table.primary_key) else Placement.REFERENCE


def _in_order(tables: Mapping[str, CurrentTable]) -> Iterable[CurrentTable]:
    """Returns each table after those that it references, and distributed ones before others of their kind."""
    graph = {name: sorted(set(tables[name].references) & set(tables) - {name}) for name in sorted(tables)}
    order = [tables[name] for name in TopologicalSorter(graph).static_order()]
    return sorted(order, key=lambda table: table.distributed_by is None)


def _is_done(table: CurrentTable, placement: Placement) -> bool:
    if placement is Placement.BY_USER:
        return table.distributed_by is not None
    if placement is Placement.WHOLE:
        # Release 0.2.0 has copied it to each machine, and Citus takes back no table with an identity column.
        return table.is_whole or table.is_everywhere
    return placement is Placement.LOCAL or table.is_everywhere


def _obstacles(table: CurrentTable, placement: Placement, column: str | None) -> Iterable[str]:
    if table.triggers:
        yield f"{table.name} has triggers: {', '.join(sorted(table.triggers))}"
    if placement is Placement.BY_USER:
        for name, columns in sorted(table.unique.items()):
            if column not in columns:
                yield f"{table.name}: the unique key {name} does not contain {column}"
    elif users := sorted(set(USER_COLUMNS) & set(table.columns) - set(table.primary_key)):
        yield f"{table.name} has {', '.join(users)}, but its primary key does not begin with it"
    if placement is not Placement.BY_USER and table.distributed_by:
        yield f"{table.name} is distributed by {table.distributed_by}, which this version does not expect"
    if not table.primary_key and placement is not Placement.LOCAL:
        yield f"{table.name} has no primary key"
