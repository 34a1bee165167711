"""SQL expressions that compute the union of sessions: ``rules.union`` for ledgers of any length."""

from typing import Any

from sqlalchemy import BigInteger, cast, func, select


def unions(ended: Any, *keys: str) -> Any:
    """The unions of ``ended`` (a subquery of times that are not empty), one for each value of its columns ``keys``.

    Sessions that overlap or touch form one stretch: a new one begins where a session starts after all before it ended.
    """
    order, of = (ended.c.start_time, ended.c.end_time), [ended.c[key] for key in keys]
    before = func.max(ended.c.end_time).over(partition_by=of, order_by=order, rows=(None, -1))
    marked = select(*ended.c, (ended.c.start_time > before).label("begins")).subquery("marked")
    order, of = (marked.c.start_time, marked.c.end_time), [marked.c[key] for key in keys]
    number = func.count().filter(marked.c.begins).over(partition_by=of, order_by=order, rows=(None, 0))
    numbered = select(*marked.c, number.label("stretch")).subquery("numbered")
    of = [numbered.c[key] for key in keys]
    return (
        select(
            *of, func.min(numbered.c.start_time).label("start_time"), func.max(numbered.c.end_time).label("end_time")
        )
        .group_by(*of, numbered.c.stretch)
        .cte("unions")
    )


def whole(column: Any) -> Any:
    """The sum of whole numbers, as a whole number."""
    return cast(func.sum(column), BigInteger)


def seconds(start: Any, end: Any) -> Any:
    """The seconds from ``start`` to ``end``; both are whole seconds."""
    return cast(func.extract("epoch", end - start), BigInteger)
