"""Lists and counts dead letters, in parts of bounded work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.kafka.incoming import WRONG_TOPIC
from gameshelf.gateway.runtime.tables import NOBODY, DeadLetter
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, user
from sqlalchemy import (
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

COUNTED = 200_000
"""Number of letters that are read to count those that a filter selects."""
LOOKED_AT = 10_000
"""Number of letters that a part reads; it may contain fewer, or none, of a rare kind."""
SHOWN_BYTES = 4096
"""Bytes of the original value that are shown."""
SHOWN_KEY_BYTES = 200
MAX_KINDS = 100

BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """The letter after which a part begins; letters are ordered by time and id."""

    created_at: datetime = BEGINNING
    id: UUID = _NO_ID


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Selects letters; a field that is None selects all. ``until`` is inclusive. With an ``id`` it has the user of that
    letter, too (``with_user``).
    """

    topic: str | None = None
    reason: str | None = None
    user_id: UUID | None = None
    since: datetime = BEGINNING
    until: datetime = END
    id: UUID | None = None

    def values(self) -> dict[str, Any]:
        """Returns the parameters of the statements."""
        return {
            "topic": self.topic,
            "reason": self.reason,
            "user_id": self.user_id,
            "since": self.since,
            "until": self.until,
            "letter_id": self.id,
        }


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that could not be applied. ``value`` is the beginning of the original value."""

    id: UUID
    user_id: UUID | None
    topic: str
    reason: str
    detail: str
    created_at: datetime
    key: bytes | None
    value: bytes | None
    value_size: int
    can_replay: bool


@dataclass(frozen=True, slots=True)
class LetterPart:
    """Some letters, and where the next part begins; None at the end."""

    letters: Sequence[Letter]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Scanned:
    """The number of letters that a statement has looked at or selected, with the place of the last one."""

    count: int
    created_at: datetime | None
    id: UUID | None

    @property
    def next_place(self) -> Place | None:
        """The place where the letters after them begin."""
        return Place(self.created_at, self.id) if self.created_at and self.id else None


@dataclass(frozen=True, slots=True)
class LetterKind:
    """The number of letters with a topic and a reason."""

    topic: str
    reason: str
    count: int
    can_replay: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of letters that a filter selects at a moment."""

    kinds: Sequence[LetterKind]
    """Largest first; at most ``MAX_KINDS``."""
    total: int
    is_more: bool
    """True if counting stopped early: the numbers are lower bounds."""
    at: datetime


D = DeadLetter
_more = "[89ab][0-9a-f]"
# Well-formed UTF-8 without NUL, in hexadecimal digits.
_UTF8 = "|".join(
    (
        "(0[1-9a-f]|[1-7][0-9a-f])",
        f"(c[2-9a-f]|d[0-9a-f]){_more}",
        f"(e0[ab][0-9a-f]|e[1-9a-cef]{_more}|ed[89][0-9a-f]){_more}",
        f"(f0[9ab][0-9a-f]|f[1-3]{_more}|f48[0-9a-f]){_more}{_more}",
    )
)
_key = col(D.record_key)
# The outbox stores keys as text. Any other key would have to change, and with it the partition.
HAS_TEXT_KEY = case(
    (_key.is_(None), True),
    (func.octet_length(_key).between(1, 200), func.encode(_key, "hex").op("~")(literal(f"^({_UTF8})+$"))),
    else_=False,
)
CAN_REPLAY = and_(col(D.value).is_not(None), HAS_TEXT_KEY)
"""Whether a letter can be replayed unchanged. One without a value can never be applied."""


def can_replay(of_id: bool) -> Any:
    """Returns whether a command replays a letter. One with the reason WRONG_TOPIC is replayed only by its id: its
    sender may have no permission for the event's topic.
    """
    return CAN_REPLAY if of_id else and_(CAN_REPLAY, col(D.reason) != WRONG_TOPIC)


_T, _I = bindparam("after_time", type_=TIME), bindparam("after_id", type_=Uuid)
_ORDER = (col(D.created_at), col(D.id))
_LETTER_ID = bindparam("letter_id", type_=Uuid)


def _narrow(letter: Any) -> Any:
    """Returns the conditions that no index supports."""
    topic, reason = bindparam("topic", type_=String), bindparam("reason", type_=String)
    return and_(
        or_(cast(topic, String).is_(None), letter.topic == topic),
        or_(cast(reason, String).is_(None), letter.reason == reason),
    )


def looked_at(of_user: bool, of_id: bool) -> Any:
    """Selects the letters that a part examines in order: ``id``, ``created_at``, ``topic``, ``reason``, ``user_id``."""
    found = (
        select(col(D.id), col(D.created_at), col(D.topic), col(D.reason), col(D.user_id))
        .where(
            col(D.created_at).between(bindparam("since", type_=TIME), bindparam("until", type_=TIME)),
            col(D.created_at) >= _T,
            tuple_(*_ORDER) > tuple_(_T, _I),
        )
        .order_by(*_ORDER)
        .limit(bindparam("look", type_=Integer))
    )
    if of_user:
        found = found.where(col(D.user_id) == user())
    if of_id:
        found = found.where(col(D.id) == _LETTER_ID)
    return found.cte("looked_at").prefix_with("MATERIALIZED")


def picked(window: Any) -> Any:
    """Selects the examined letters that match the filter, as many as the part may have."""
    chosen = select(window.c.user_id, window.c.id, window.c.created_at).where(_narrow(window.c))
    return (
        chosen.order_by(window.c.created_at, window.c.id)
        .limit(bindparam("limit", type_=Integer))
        .cte("picked")
        .prefix_with("MATERIALIZED")
    )


def scanned(rows: Any, prefix: str) -> tuple[Any, Any, Any]:
    """Selects the columns of ``Scanned`` about these rows, under names with a prefix."""
    back = (rows.c.created_at.desc(), rows.c.id.desc())
    return (
        select(func.count()).select_from(rows).scalar_subquery().label(f"{prefix}count"),
        select(rows.c.created_at).order_by(*back).limit(1).scalar_subquery().label(f"{prefix}created_at"),
        select(rows.c.id).order_by(*back).limit(1).scalar_subquery().label(f"{prefix}id"),
    )


def part_of(of: LetterFilter, after: Place, limit: int) -> dict[str, Any]:
    """Returns the parameters of the statements for a part. Without a topic or reason they select every letter."""
    look = limit if of.topic is None and of.reason is None else LOOKED_AT
    return {**of.values(), "after_time": after.created_at, "after_id": after.id, "limit": limit, "look": look}


def next_place(found: Scanned, looked: Scanned, part: dict[str, Any]) -> Place | None:
    """Returns where the next part begins, from the letters that were selected and those that were looked at."""
    if found.count == part["limit"]:
        return found.next_place
    return looked.next_place if looked.count == part["look"] else None


def _list(of_user: bool, of_id: bool) -> Statement:
    window = looked_at(of_user, of_id)
    chosen = picked(window)
    shown = (
        select(
            col(D.id),
            col(D.user_id),
            col(D.topic),
            col(D.reason),
            col(D.detail),
            col(D.created_at),
            func.substr(_key, 1, SHOWN_KEY_BYTES, type_=LargeBinary).label("key"),
            func.substr(col(D.value), 1, SHOWN_BYTES, type_=LargeBinary).label("value"),
            func.coalesce(func.octet_length(col(D.value)), 0).label("value_size"),
            can_replay(of_id).label("can_replay"),
        )
        .join(chosen, and_(chosen.c.user_id == col(D.user_id), chosen.c.id == col(D.id)))
        .subquery("shown")
    )
    whole = select(*scanned(window, "looked_")).subquery("whole")
    return Statement(
        select(*shown.c, *whole.c)
        .select_from(whole.outerjoin(shown, literal(True)))
        .order_by(shown.c.created_at, shown.c.id)
    )


SHAPES = ((False, False), (True, False), (True, True))
"""Whether a statement finds letters by the user, and by the id. No statement finds them by the id alone."""
_LIST = {shape: _list(*shape) for shape in SHAPES}
_LOOKED = RowReader(Scanned, *_LIST.values(), prefix="looked_")
_LETTER = RowReader(
    Letter,
    *_LIST.values(),
    others=[_LOOKED],
    convert={"user_id": lambda user_id: None if user_id == NOBODY else user_id},
)


def _count(of_user: bool, of_id: bool) -> Statement:
    found = (
        select(col(D.topic), col(D.reason), can_replay(of_id).label("can_replay"))
        .where(col(D.created_at).between(bindparam("since", type_=TIME), bindparam("until", type_=TIME)))
        .order_by(col(D.created_at))
        .limit(COUNTED + 1)
    )
    if of_user:
        found = found.where(col(D.user_id) == user())
    if of_id:
        found = found.where(col(D.id) == _LETTER_ID)
    looked = found.cte("looked_at").prefix_with("MATERIALIZED")
    size = select(func.count()).select_from(looked).scalar_subquery()
    kinds = (
        select(
            looked.c.topic,
            looked.c.reason,
            func.count().label("count"),
            func.count().filter(looked.c.can_replay).label("can_replay"),
        )
        .where(_narrow(looked.c))
        .group_by(looked.c.topic, looked.c.reason)
        .subquery("kinds")
    )
    whole = select(size.label("looked"), func.now().label("at")).subquery("whole")
    return Statement(
        select(*kinds.c, *whole.c)
        .select_from(whole.outerjoin(kinds, literal(True)))
        .order_by(kinds.c["count"].desc(), kinds.c.topic, kinds.c.reason)
    )


_COUNT = {key: _count(*key) for key in _LIST}
_KIND = RowReader(LetterKind, *_COUNT.values(), others=("looked", "at"))
_WHOSE = Statement(select(col(D.user_id)).where(col(D.id) == _LETTER_ID).limit(1))
_OF_USER = Statement(select(func.count().label("n")).select_from(D).where(col(D.user_id) == user()))


async def with_user(connection: Connection, of: LetterFilter) -> LetterFilter:
    """Returns the filter with the user of its letter, if it has an id alone. Zero or one round trip."""
    if of.id is None or of.user_id is not None:
        return of
    row = await _WHOSE.first(connection, letter_id=of.id)
    return replace(of, user_id=row["user_id"] if row else NOBODY)  # of nobody there is no letter with this id


async def list_letters(connection: Connection, of: LetterFilter, after: Place, limit: int) -> LetterPart:
    """Returns letters after a place, the oldest first: at most ``limit``. A part may be empty and not the last one.

    One round trip.
    """
    part = part_of(of, after, limit)
    rows = await _LIST[shape_of(of)].all(connection, **part)
    letters = [_LETTER.read(row) for row in rows if row["id"] is not None]
    last = letters[-1] if letters else None
    found = Scanned(len(letters), last.created_at, last.id) if last else Scanned(0, None, None)
    return LetterPart(letters, next_place(found, _LOOKED.read(rows[0]), part))


async def count_letters(connection: Connection, of: LetterFilter) -> Counted:
    """Counts the letters that a filter selects, by topic and reason. One round trip."""
    rows = await _COUNT[shape_of(of)].all(connection, **of.values())
    kinds = [_KIND.read(row) for row in rows if row["topic"] is not None]
    first = rows[0]
    is_more = first["looked"] > COUNTED
    return Counted(kinds[:MAX_KINDS], sum(kind.count for kind in kinds), is_more, first["at"])


async def count_of_user(connection: Connection, user_id: UUID) -> int:
    """Counts the letters about a user. One round trip."""
    row = await _OF_USER.first(connection, user_id=user_id)
    return row["n"] if row else 0


def shape_of(of: LetterFilter) -> tuple[bool, bool]:
    """Returns which of the ``SHAPES`` finds the letters of a filter."""
    return of.user_id is not None, of.id is not None
