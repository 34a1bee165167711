"""Queries of links and seats: SQL to plain values. Nothing here writes or decides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, user
from gameshelf.library._family.commands import Direction, LinkFilter
from gameshelf.library._family.rules import Scope
from gameshelf.library._family.store import (
    LINK_COLUMNS,
    MEMBERSHIP_COLUMNS,
    Link,
    LinkStore,
    SeatStore,
    has_status,
    is_living,
)
from gameshelf.library._models import FamilyLink, FamilyMembership, FamilySeat, LinkStatus
from gameshelf.library._shares.store import ShareStore
from gameshelf.library._visible import is_active
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlmodel import col

_L, _M, _S = FamilyLink, FamilyMembership, FamilySeat
_NOW = bindparam("now", type_=TIME)
_MOST_SEATS = 1000
_MOST_OWNERS = 100
"""Of how many owners support sees the seats that a member holds, those first whose copies were played last."""


@dataclass(frozen=True, slots=True)
class TakenSeat:
    """The seat of a shared copy that a member plays. Times are aware and in UTC."""

    owner_user_id: UUID
    product_id: UUID
    seat_number: int
    held_by_user_id: UUID
    session_id: UUID
    since: datetime
    lost_at: datetime | None
    """When the holder has to stop, because the owner plays."""


@dataclass(frozen=True, slots=True)
class LostSeat:
    """A seat whose holder has to stop at a time."""

    owner_user_id: UUID
    holder_user_id: UUID
    session_id: UUID
    lost_at: datetime


def _as_it_counts(link: Any) -> Any:
    """Returns the columns of a link, with the status that counts now."""
    columns: Any = LINK_COLUMNS if link is _L else MEMBERSHIP_COLUMNS
    is_over = and_(
        has_status(link, LinkStatus.PENDING.value, LinkStatus.ACTIVE.value),
        ~is_living(link, LinkStatus.PENDING.value, LinkStatus.ACTIVE.value),
    )
    status = case((is_over, LinkStatus.REVOKED.value), else_=col(link.status)).label("status")
    return [status if one.name == "status" else one for one in columns if one.name != "invited_at"]


_sides = {
    Direction.OWNER: select(*_as_it_counts(_L)).where(col(_L.owner_user_id) == user()),
    Direction.MEMBER: select(*_as_it_counts(_M)).where(col(_M.user_id) == user()),
}


def _listed(side: Any) -> Statement:
    found = side.subquery("found")
    return Statement(
        select(found, func.count().over().label("total"))
        .where(
            or_(
                bindparam("statuses", type_=ARRAY(String)).is_(None),
                found.c.status == any_(bindparam("statuses", type_=ARRAY(String))),
            )
        )
        .order_by(found.c.shared_at.desc(), found.c.id)
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=BigInteger))
    )


_LINKS: dict[Direction | None, Statement] = {direction: _listed(side) for direction, side in _sides.items()}
_LINKS[None] = _listed(union_all(*_sides.values()))
_LINK = Statement(
    select(union_all(*_sides.values()).subquery("found")).where(column("id", Uuid) == bindparam("link_id", type_=Uuid))
)
_LINK_VIEW = RowReader(Link, *_LINKS.values(), _LINK, others=("total",), given=("invited_at",))


def taken_seat_columns(seat: Any) -> list[Any]:
    """The columns of a ``TakenSeat``; ``seat`` is ``FamilySeat`` or an alias of it."""
    return [
        col(seat.owner_user_id),
        col(seat.product_id),
        col(seat.seat_number),
        col(seat.holder_user_id).label("held_by_user_id"),
        col(seat.session_id),
        col(seat.taken_at).label("since"),
        col(seat.lost_at),
    ]


_SEAT_COLUMNS = taken_seat_columns(_S)
_TAKEN = Statement(
    select(*_SEAT_COLUMNS)
    .where(col(_S.owner_user_id) == user(), col(_S.holder_user_id).is_not(None))
    .limit(_MOST_SEATS)
)
_SCOPES = Statement(
    select(col(_M.owner_user_id), col(_M.mode), col(_M.product_ids)).where(col(_M.user_id) == user(), is_active(_M))
)
# Who takes a seat notes the access in their own side of the link, where it stays, whatever becomes of the link.
_PLAYED_OWNERS = Statement(
    select(col(_M.owner_user_id))
    .where(col(_M.user_id) == user(), col(_M.last_access_at).is_not(None))
    .order_by(col(_M.last_access_at).desc())
    .limit(literal(_MOST_OWNERS))
)
_SEAT = Statement(
    select(*_SEAT_COLUMNS).where(
        col(_S.owner_user_id) == user(),
        col(_S.product_id) == bindparam("product_id", type_=Uuid),
        col(_S.holder_user_id).is_not(None),
    )
)
_LOSING = Statement(
    select(col(_S.owner_user_id), col(_S.holder_user_id), col(_S.session_id), col(_S.lost_at))
    .where(col(_S.lost_at).is_not(None))
    .order_by(col(_S.lost_at))
    .limit(bindparam("limit", type_=Integer))
)
_IS_LOST = Statement(
    select(col(_S.lost_at)).where(
        col(_S.owner_user_id) == bindparam("owner_id", type_=Uuid),
        col(_S.holder_user_id) == user(),
        col(_S.session_id) == bindparam("session_id", type_=Uuid),
        col(_S.lost_at) <= _NOW,
    )
)

_TAKEN_SEAT = RowReader(TakenSeat, _TAKEN, _SEAT)
_LOST_SEAT = RowReader(LostSeat, _LOSING)


class FamilyQueries:
    """Reads of links and seats over one connection, which needs no transaction.

    A method is one round trip, unless it says otherwise.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def links(self, user_id: UUID, wanted: LinkFilter, now: datetime) -> Slice[Link]:
        """Returns a user's links, the newest first, with the status that counts now. Past the end a second round trip
        counts.
        """
        rows = await self._listed(user_id, wanted, now, wanted.slice.limit, wanted.slice.offset)
        counted = rows or (await self._listed(user_id, wanted, now, 1, 0) if wanted.slice.number > 1 else [])
        return Slice(_LINK_VIEW.read_all(rows), counted[0]["total"] if counted else 0)

    async def _listed(self, user_id: UUID, wanted: LinkFilter, now: datetime, limit: int, offset: int) -> list[Record]:
        return await _LINKS[wanted.direction].all(
            self._connection,
            user_id=user_id,
            statuses=list(wanted.status) or None,
            now=now,
            limit=limit,
            offset=offset,
        )

    async def link(self, user_id: UUID, link_id: UUID, now: datetime) -> Link | None:
        """Returns a link of which the user is the owner or the member; None when there is none of that id."""
        row = await _LINK.first(self._connection, user_id=user_id, link_id=link_id, now=now)
        return _LINK_VIEW.read_optional(row)

    async def seats(self, user_id: UUID) -> list[TakenSeat]:
        """Returns the taken seats of the user's copies, and of the copies that owners share with them.

        Two round trips, and one for each owner.
        """
        taken = await self._taken(user_id)
        for row in await _SCOPES.all(self._connection, user_id=user_id):
            scope = Scope.from_columns(row["mode"], row["product_ids"])
            # A member does not see the seats of games that the owner does not share with them, unless they hold the
            # seat.
            taken += [
                seat
                for seat in await self._taken(row["owner_user_id"])
                if scope.covers(seat.product_id) or seat.held_by_user_id == user_id
            ]
        return sorted(taken, key=_age)

    async def _taken(self, owner_id: UUID) -> list[TakenSeat]:
        return _TAKEN_SEAT.read_all(await _TAKEN.all(self._connection, user_id=owner_id))

    async def seats_concerning(self, user_id: UUID) -> list[TakenSeat]:
        """Returns every taken seat of the user's copies and every seat that they hold, even if the game is no longer
        shared; the oldest first, at most 1000.

        Two round trips, and one for each of at most 100 owners whose copies the user has played.
        """
        concerning = await self._taken(user_id)
        for row in await _PLAYED_OWNERS.all(self._connection, user_id=user_id):
            concerning += await self.held_seats(row["owner_user_id"], user_id)
        return sorted(concerning, key=_age)[:_MOST_SEATS]

    async def held_seats(self, owner_id: UUID, holder_id: UUID) -> list[TakenSeat]:
        """Returns the seats of an owner's copies that a member holds, even if the games are no longer shared."""
        return [seat for seat in await self._taken(owner_id) if seat.held_by_user_id == holder_id]

    async def seat(self, owner_id: UUID, product_id: UUID) -> TakenSeat | None:
        """Returns the seat of an owner's copy; None while it is free."""
        row = await _SEAT.first(self._connection, user_id=owner_id, product_id=product_id)
        return _TAKEN_SEAT.read_optional(row)

    async def losing(self, limit: int) -> list[LostSeat]:
        """Returns the seats of all users whose holders have to stop, the earliest deadline first."""
        rows = await _LOSING.all(self._connection, limit=limit)
        return _LOST_SEAT.read_all(rows)

    async def is_lost(self, owner_id: UUID, holder_id: UUID, session_id: UUID, now: datetime) -> bool:
        """Whether a session holds a seat of an owner's copies whose deadline has passed."""
        lost = await _IS_LOST.first(
            self._connection, owner_id=owner_id, user_id=holder_id, session_id=session_id, now=now
        )
        return lost is not None

    async def expired(self, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns owner and id of links that have expired and are not stored as ended yet."""
        return await LinkStore(self._connection).expired(now, limit)

    async def links_of(self, user_id: UUID, but: Collection[UUID], limit: int) -> list[tuple[UUID, UUID, UUID]]:
        """Returns owner, id and member of a user's links, on either side and of any status, except some by id."""
        return await LinkStore(self._connection).links_of(user_id, but, limit)

    async def members_since(self, owner_id: UUID, since: datetime) -> list[UUID]:
        """Returns the members with whom an owner shares, or has shared until after ``since``."""
        return await LinkStore(self._connection).members_since(owner_id, since)

    async def changed_owners(self, limit: int) -> list[UUID]:
        """Returns owners whose games have changed since their links were last marked."""
        return await ShareStore(self._connection).changed_owners(limit)

    async def outdated_links(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns member and owner of links whose products at the member have to be refreshed."""
        return await ShareStore(self._connection).outdated_links(limit)

    async def lost_seats(self, now: datetime, limit: int) -> list[LostSeat]:
        """Returns the seats whose deadlines have passed."""
        found = await SeatStore(self._connection).lost_seats(now, limit)
        return [
            LostSeat(seat.owner_user_id, seat.holder_user_id, seat.session_id, seat.lost_at)
            for seat in found
            if seat.holder_user_id and seat.session_id and seat.lost_at
        ]


def _age(seat: TakenSeat) -> tuple[datetime, UUID, UUID]:
    """The order of listed seats: the oldest first."""
    return seat.since, seat.owner_user_id, seat.product_id
