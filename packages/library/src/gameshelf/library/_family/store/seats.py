"""All SQL that locks copies and changes seats, and the reads on which decisions depend.

A copy is locked by the owner's item row, which grants change and which every start locks. Each statement of a request
is about one user's rows; whose copy it is, is known by the one who plays it.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.library._family.store.links import LINK_COLUMNS, Link, is_living
from gameshelf.library._models import FamilyLink, FamilySeat, LibraryItem, LinkStatus
from sqlalchemy import (
    Integer,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_L, _S, _I = FamilyLink, FamilySeat, LibraryItem


@dataclass(frozen=True, slots=True)
class Seat:
    """The seat of a copy, taken or not."""

    owner_user_id: UUID
    product_id: UUID
    seat_number: int
    holder_user_id: UUID | None
    session_id: UUID | None
    taken_at: datetime | None
    lost_at: datetime | None


SEAT_COLUMNS = tuple(col(getattr(_S, field.name)) for field in fields(Seat))
_OWNER = bindparam("owner_id", type_=Uuid)
_PRODUCT = bindparam("product_id", type_=Uuid)
_NOW = bindparam("now", type_=TIME)

# Grants of the owner change this row. So while it is locked the copy stays owned.
_LOCK_OWN_COPY = Statement(
    select(literal(1))
    .where(col(_I.user_id) == user(), col(_I.product_id) == _PRODUCT, col(_I.acquisition_type).is_not(None))
    .with_for_update(key_share=True)
)
# One statement for each user, in the order of their ids: first the link with the member, then the copies. So two
# transactions that lock several never deadlock, even if each user plays copies of the other. The member's playtime is
# written into their own rows later, and these are copies, too.
_locked_link = (
    select(*LINK_COLUMNS)
    .where(
        col(_L.owner_user_id) == _OWNER,
        col(_L.shared_with_user_id) == user(),
        is_living(_L, LinkStatus.ACTIVE.value),
    )
    .with_for_update(key_share=True)
    .cte("locked_link")
)
# As a separate value it is computed before the first copy is locked.
_sharing = func.array(select(_locked_link.c.owner_user_id).scalar_subquery())
_locked_items = (
    select(col(_I.user_id), col(_I.product_id), col(_I.acquisition_type))
    .where(
        col(_I.user_id) == _OWNER,
        col(_I.product_id) == any_(array("product_ids", Uuid)),
        any_(_sharing) == _OWNER,
    )
    .order_by(col(_I.product_id))
    .with_for_update(key_share=True)
    .cte("locked_items")
)
_LOCK_SHARED_COPIES = Statement(
    select(*_locked_link.c, _locked_items.c.product_id.label("copy_product_id"))
    .join(_locked_items, _locked_items.c.user_id == _locked_link.c.owner_user_id)
    .where(_locked_items.c.acquisition_type.is_not(None))
)
_LOCK_OWN_ITEMS = Statement(
    select(col(_I.product_id))
    .where(col(_I.user_id) == user(), col(_I.product_id) == any_(array("product_ids", Uuid)))
    .order_by(col(_I.product_id))
    .with_for_update(key_share=True)
)
_OF_COPY = (col(_S.owner_user_id) == _OWNER, col(_S.product_id) == _PRODUCT)
# A decision about a seat needs the seat itself, and the one of this owner that the member already holds.
_SEATS = Statement(
    select(*SEAT_COLUMNS).where(
        col(_S.owner_user_id) == _OWNER, or_(col(_S.product_id) == _PRODUCT, col(_S.holder_user_id) == user())
    )
)
_SEAT_OF_COPY = Statement(select(*SEAT_COLUMNS).where(*_OF_COPY))
_take = insert(FamilySeat).values(
    owner_user_id=_OWNER,
    product_id=_PRODUCT,
    seat_number=1,
    holder_user_id=user(),
    session_id=bindparam("session_id", type_=Uuid),
    taken_at=_NOW,
)
_TAKE = Statement(
    _take.on_conflict_do_update(
        index_elements=["owner_user_id", "product_id"],
        set_={
            "seat_number": col(_S.seat_number) + 1,
            "holder_user_id": _take.excluded.holder_user_id,
            "session_id": _take.excluded.session_id,
            "taken_at": _take.excluded.taken_at,
            "lost_at": None,
        },
    ).returning(col(_S.seat_number))
)
_FREED: dict[str, Any] = {"holder_user_id": None, "session_id": None, "taken_at": None, "lost_at": None}
_RELEASE = Statement(
    update(FamilySeat)
    .where(
        col(_S.owner_user_id) == _OWNER,
        col(_S.holder_user_id) == user(),
        col(_S.session_id) == any_(array("session_ids", Uuid)),
    )
    .values(_FREED)
)
_RECLAIM = Statement(
    update(FamilySeat)
    .where(*_OF_COPY, col(_S.holder_user_id).is_not(None), col(_S.lost_at).is_(None))
    .values(lost_at=bindparam("new_lost_at", type_=TIME))
    .returning(*SEAT_COLUMNS)
)
_HELD = Statement(
    select(*SEAT_COLUMNS).where(
        col(_S.owner_user_id) == _OWNER,
        col(_S.holder_user_id).is_not(None),
        or_(
            bindparam("member_id", type_=Uuid).is_(None),
            col(_S.holder_user_id) == bindparam("member_id", type_=Uuid),
        ),
        or_(array("product_ids", Uuid).is_(None), col(_S.product_id) == any_(array("product_ids", Uuid))),
    )
)
_LOST = Statement(
    select(*SEAT_COLUMNS)
    .where(col(_S.lost_at).is_not(None), col(_S.lost_at) <= bindparam("through", type_=TIME))
    .order_by(col(_S.lost_at))
    .limit(bindparam("limit", type_=Integer))
)
_DELETE_SEATS = Statement(
    delete(FamilySeat).where(
        tuple_(col(_S.owner_user_id), col(_S.product_id)).in_(
            select(col(_S.owner_user_id), col(_S.product_id))
            .where(col(_S.owner_user_id) == user())
            .limit(bindparam("limit", type_=Integer))
        )
    )
)
_RELEASE_ALL = Statement(update(FamilySeat).where(col(_S.holder_user_id) == user()).values(_FREED))

_LINK = RowReader(Link, _LOCK_SHARED_COPIES, others=("copy_product_id",))
_SEAT = RowReader(Seat, _SEATS, _SEAT_OF_COPY, _RECLAIM, _HELD, _LOST)


def lock_of_own_copy(user_id: UUID, product_id: UUID) -> BoundStatement:
    """Returns what ``SeatStore.lock_own_copy`` runs."""
    return _LOCK_OWN_COPY.bind(user_id=user_id, product_id=product_id)


def lookup_seat(owner_id: UUID, product_id: UUID) -> BoundStatement:
    """Returns what ``SeatStore.seat_of_copy`` reads."""
    return _SEAT_OF_COPY.bind(owner_id=owner_id, product_id=product_id)


class SeatStore:
    """Seats over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_own_copy(self, user_id: UUID, product_id: UUID) -> None:
        """Locks the user's own copy until the transaction ends, if the user owns the product."""
        await lock_of_own_copy(user_id, product_id).first(self._connection)

    async def seat_of_copy(self, owner_id: UUID, product_id: UUID) -> Seat | None:
        """Returns the seat of a copy, if it was ever taken."""
        return _SEAT.read_optional(await lookup_seat(owner_id, product_id).first(self._connection))

    async def lock_shared_copies(
        self, member_id: UUID, copies: Collection[tuple[UUID, UUID]], now: datetime
    ) -> dict[tuple[UUID, UUID], Link]:
        """Returns those of these copies (owner, product) that are owned and whose owner has an active link with the
        member.

        Locks copies and links until the transaction ends: one statement for each owner, and one for the member's own
        rows, if they are among the copies. Own rows are not returned. The caller checks the scopes of the links.
        """
        products: dict[UUID, list[UUID]] = {}
        for owner_id, product_id in copies:
            products.setdefault(owner_id, []).append(product_id)
        locked: dict[tuple[UUID, UUID], Link] = {}
        for owner_id in sorted(products):
            asked = products[owner_id]
            if owner_id == member_id:
                await _LOCK_OWN_ITEMS.all(self._connection, user_id=member_id, product_ids=asked)
                continue
            found = await _LOCK_SHARED_COPIES.all(
                self._connection, owner_id=owner_id, user_id=member_id, product_ids=asked, now=now
            )
            locked |= {(owner_id, row["copy_product_id"]): _LINK.read(row) for row in found}
        return locked

    async def seats(self, owner_id: UUID, member_id: UUID, product_id: UUID) -> tuple[Seat | None, Seat | None]:
        """Returns the seat of a copy, if it was ever taken, and the seat of another copy of the owner that the member
        holds.
        """
        found = _SEAT.read_all(
            await _SEATS.all(self._connection, owner_id=owner_id, user_id=member_id, product_id=product_id)
        )
        of_copy = next((seat for seat in found if seat.product_id == product_id), None)
        return of_copy, next((seat for seat in found if seat.product_id != product_id), None)

    async def take_seat(
        self, owner_id: UUID, product_id: UUID, holder_id: UUID, session_id: UUID, now: datetime
    ) -> int:
        """Gives the seat to a member and returns its number. The caller has locked the copy and found the seat free."""
        row = await _TAKE.first(
            self._connection,
            owner_id=owner_id,
            product_id=product_id,
            user_id=holder_id,
            session_id=session_id,
            now=now,
        )
        number: int = row["seat_number"] if row else 0
        return number

    async def release(self, owner_id: UUID, holder_id: UUID, session_ids: Collection[UUID]) -> None:
        """Frees the seats of an owner's copies that these sessions hold."""
        await _RELEASE.write(self._connection, owner_id=owner_id, user_id=holder_id, session_ids=list(session_ids))

    async def reclaim(self, owner_id: UUID, product_id: UUID, lost_at: datetime) -> Seat | None:
        """Sets the deadline of the member who holds the seat of the copy; None where no member does, or it is set
        already.
        """
        row = await _RECLAIM.first(self._connection, owner_id=owner_id, product_id=product_id, new_lost_at=lost_at)
        return _SEAT.read_optional(row)

    async def held_seats(
        self, owner_id: UUID, *, member_id: UUID | None = None, product_ids: Collection[UUID] | None = None
    ) -> list[Seat]:
        """Returns the taken seats of an owner's copies; only those of one member or of some products, if they are
        named.
        """
        found = await _HELD.all(
            self._connection,
            owner_id=owner_id,
            member_id=member_id,
            product_ids=None if product_ids is None else list(product_ids),
        )
        return _SEAT.read_all(found)

    async def lost_seats(self, through: datetime, limit: int) -> list[Seat]:
        """Returns the taken seats whose deadline is not after ``through``, the earliest first."""
        found = await _LOST.all(self._connection, through=through, limit=limit)
        return _SEAT.read_all(found)

    async def delete_some(self, owner_id: UUID, limit: int) -> int:
        """Deletes at most ``limit`` seats of an owner's copies; returns how many."""
        return await _DELETE_SEATS.run(self._connection, user_id=owner_id, limit=limit)

    async def release_all(self, holder_id: UUID) -> None:
        """Frees every seat that a user holds."""
        await _RELEASE_ALL.run(self._connection, user_id=holder_id)
