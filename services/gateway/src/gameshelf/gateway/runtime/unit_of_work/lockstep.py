"""Runs the work of several users side by side over one connection: what they ask at the same time is asked together.

Each member is a task that calls its connection one by one, like any other. Once all that still run wait for an answer,
equal statements run as one, the others one after the other. So the number of round trips is that of the member with the
most of them, as long as all do alike; it is correct in any case. A member that fails ends the work of all: the caller
rolls back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.unit_of_work.combine import (
    NotCombinable,
    is_plain_read,
    uses_any,
    writes_together,
    written_tables,
)
from gameshelf.gateway.runtime.unit_of_work.members import WHOSE, differing, group_form
from gameshelf.gateway.runtime.unit_of_work.units import NeedsLock, UnitOfWork
from gameshelf.kernel.database import BoundStatement, Connection


class MembersFailed(Exception):
    """The work of these users failed; the work of the others may have been undone because of that."""

    def __init__(self, errors: Mapping[UUID, BaseException]) -> None:
        super().__init__(", ".join(sorted({type(error).__name__ for error in errors.values()})))
        self.errors = errors


class _Result(Enum):
    """What a member asks for."""

    ROWS = auto()
    STATUS = auto()
    NONE = auto()


@dataclass(slots=True)
class _Call:
    query: str
    values: Sequence[Any]
    result: _Result
    answer: "asyncio.Future[tuple[list[Any], str]]"
    """Its rows, and the status."""


class Lockstep:
    """Members over one connection, which is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[_Call] = []
        self._running = 0
        self._all_wait = asyncio.Event()

    async def run(self, works: Mapping[UUID, Awaitable[None]]) -> None:
        """Runs the work of each member to its end. Raises MembersFailed, and what PostgreSQL refuses for all."""
        tasks = {user_id: asyncio.ensure_future(work) for user_id, work in works.items()}
        self._running = len(tasks)
        for task in tasks.values():
            task.add_done_callback(self._member_waits)
        try:
            while works:
                await self._all_wait.wait()
                self._all_wait.clear()
                errors = {user_id: error for user_id, task in tasks.items() if (error := _error_of(task))}
                if errors:
                    raise MembersFailed(errors)
                if not self._waiting:
                    return
                calls, self._waiting = self._waiting, []
                await self.serve(calls)
                self._running += len(calls)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _member_waits(self, _: Any = None) -> None:
        self._running -= 1
        if not self._running:
            self._all_wait.set()

    async def call(self, query: str, values: Sequence[Any], result: _Result) -> tuple[list[Any], str]:
        """Runs a member's statement with those of the others. Returns its rows and the status."""
        answer: asyncio.Future[tuple[list[Any], str]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(query, values, result, answer))
        self._member_waits()
        return await answer

    async def serve(self, calls: Sequence[_Call]) -> None:
        """Runs calls of different members, and answers them."""
        groups: dict[tuple[str, _Result], list[_Call]] = {}
        for call in calls:
            groups.setdefault((call.query, call.result), []).append(call)
        answers: list[tuple[_Call, list[Any], str]] = []
        for group in groups.values():
            answers += await self._run_group(group)
        for call, rows, status in answers:
            call.answer.set_result((rows, status))

    async def _run_group(self, group: Sequence[_Call]) -> list[tuple[_Call, list[Any], str]]:
        query, values, has_result = group[0].query, [call.values for call in group], group[0].result is not _Result.NONE
        differs = differing(values)
        if len(group) > 1 and not any(differs) and is_plain_read(query):
            rows = await self._connection.fetch(query, *values[0])
            return [(call, rows, f"SELECT {len(rows)}") for call in group]
        form = group_form(query, differs, has_result=has_result) if len(group) > 1 else None
        if form is None:
            return [(call, *await self._run_alone(call)) for call in group]
        if not has_result:
            await self._connection.execute(form.query, *form.values(values))
            return [(call, [], "") for call in group]
        rows_of: dict[Any, list[Any]] = {}
        for row in await self._connection.fetch(form.query, *form.values(values)):
            rows_of.setdefault(row[WHOSE], []).append(row)
        keys = range(1, len(group) + 1) if form.user is None else [one[form.user] for one in values]
        answers = ((call, rows_of.get(key, [])) for call, key in zip(group, keys, strict=True))
        return [(call, rows, f"ROWS {len(rows)}") for call, rows in answers]

    async def _run_alone(self, call: _Call) -> tuple[list[Any], str]:
        if call.result is _Result.ROWS:
            return await self._connection.fetch(call.query, *call.values), ""
        return [], await self._connection.execute(call.query, *call.values)


def _error_of(task: "asyncio.Future[None]") -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


class _MemberConnection:
    """The connection of one member."""

    def __init__(self, lockstep: Lockstep) -> None:
        self._lockstep = lockstep

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        return (await self._lockstep.call(query, args, _Result.ROWS))[0]

    async def fetchrow(self, query: str, *args: Any) -> Any:
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None

    async def execute(self, query: str, *args: Any) -> str:
        return (await self._lockstep.call(query, args, _Result.STATUS))[1]

    def is_in_transaction(self) -> bool:
        return True


class MemberUnit(UnitOfWork):
    """The unit of work of one member. What it writes at its end runs with what the others write."""

    def __init__(self, lockstep: Lockstep) -> None:
        super().__init__(_MemberConnection(lockstep))
        self._lockstep = lockstep
        self.last: BoundStatement | None = None
        """The statement that ends the change of this user; None if it changed no data."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        raise NeedsLock("a part of a member's work can't fail alone")
        yield

    async def close(self, last: BoundStatement) -> None:
        self.last = last

    async def _before_dependent(self) -> None:
        writes, self._writes = self._writes, []
        for one in writes:
            await self._lockstep.call(one.query, one.values, _Result.NONE)

    def stages(self) -> list[list[tuple[str, Sequence[Any]]]]:
        """Returns what waits to be written: each stage has statements of which none depends on another."""
        stages: list[list[tuple[str, Sequence[Any]]]] = []
        placed: list[tuple[str, int]] = []
        for query, values, _ in self._writes:
            before = [stage for other, stage in placed if _depend(query, other)]
            stage = max(before) + 1 if before else 0
            placed.append((query, stage))
            if stage == len(stages):
                stages.append([])
            stages[stage].append((query, values))
        return stages


def _depend(query: str, other: str) -> bool:
    return uses_any(query, written_tables(other)) or uses_any(other, written_tables(query))


async def close_together(connection: Connection, units: Sequence[MemberUnit]) -> None:
    """Writes what the members have collected, and ends their changes: in one statement, if they can run as one.

    All values of the members' last statements are lists, which follow each other in one, or the same for all.
    """
    lasts = [unit.last for unit in units if unit.last]
    last = _joined(lasts) if lasts else None
    by_member = [unit.stages() for unit in units]
    count = max((len(stages) for stages in by_member), default=0)
    for number in range(count):
        together: dict[str, list[Sequence[Any]]] = {}
        for stages in by_member:
            for query, values in stages[number] if number < len(stages) else ():
                together.setdefault(query, []).append(values)
        await _write_stage(connection, together, last if number == count - 1 else None)
    if last and not count:
        await connection.execute(last.statement.sql, *last.values)


async def _write_stage(
    connection: Connection, together: Mapping[str, Sequence[Sequence[Any]]], last: BoundStatement | None
) -> None:
    combined: list[tuple[str, Sequence[Any]]] = [(last.statement.sql, last.values)] if last else []
    for query, calls in together.items():
        form = group_form(query, differing(calls), has_result=False) if len(calls) > 1 else None
        if form:
            combined.append((form.query, form.values(calls)))
        elif len(calls) == 1:
            combined.append((query, calls[0]))
        else:
            for values in calls:
                await connection.execute(query, *values)
    if not combined:
        return
    try:
        (first, _), *others = combined
        text = writes_together(first, tuple(query for query, _ in others))
    except NotCombinable:
        for query, values in reversed(combined):
            await connection.execute(query, *values)
    else:
        await connection.execute(text, *(value for _, values in combined for value in values))


def _joined(lasts: Sequence[BoundStatement]) -> BoundStatement:
    first = lasts[0]
    values = [
        [element for last in lasts for element in last.values[place]] if isinstance(value, list) else value
        for place, value in enumerate(first.values)
    ]
    return BoundStatement(first.statement, values)
