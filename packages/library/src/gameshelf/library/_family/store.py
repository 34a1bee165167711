"""All SQL that changes links and seats, and the reads on which decisions depend.

The row of a link is stored with the owner. A change by either party locks it, and writes the member's mirror in the
same transaction; each statement is about one of the two. A copy is locked by the owner's item row, which grants change
and which every start locks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.library._family.rules import Scope
from gameshelf.library._first_access import first_accesses
from gameshelf.library._models import FamilyLink, FamilyMembership, FamilySeat, LibraryItem, LinkStatus
from gameshelf.library._store.first_accesses import grants_of, keep_first_accesses
from sqlalchemy import (
    ARRAY,
    Integer,
    String,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_L, _M, _S, _I = FamilyLink, FamilyMembership, FamilySeat, LibraryItem


@dataclass(frozen=True, slots=True)
class Link:
    """A link between an owner and a member. Times are aware and in UTC."""

    id: UUID
    owner_user_id: UUID
    shared_with_user_id: UUID
    status: str
    mode: str
    product_ids: Sequence[UUID]
    expires_at: datetime | None
    shared_at: datetime
    active_since: datetime | None
    last_access_at: datetime | None
    created_at: datetime
    updated_at: datetime
    invited_at: Sequence[datetime] = ()
    """Only the row of the owner has it."""

    @property
    def scope(self) -> Scope:
        return Scope.from_columns(self.mode, self.product_ids)


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


_NAMES = [field.name for field in fields(Link)]
_MIRRORED = [name for name in _NAMES if name not in ("owner_user_id", "shared_with_user_id", "invited_at")]
LINK_COLUMNS = tuple(col(getattr(_L, name)) for name in _NAMES)
MEMBERSHIP_COLUMNS = tuple(
    col(_M.user_id).label(name) if name == "shared_with_user_id" else col(getattr(_M, name))
    for name in _NAMES
    if name != "invited_at"
)
SEAT_COLUMNS = tuple(col(getattr(_S, field.name)) for field in fields(Seat))

_OWNER = bindparam("owner_id", type_=Uuid)
_LINK_ID = bindparam("link_id", type_=Uuid)
_PRODUCT = bindparam("product_id", type_=Uuid)
_NOW = bindparam("now", type_=TIME)
_LIVING = (LinkStatus.PENDING.value, LinkStatus.ACTIVE.value)


def is_living(link: Any, *statuses: str) -> Any:
    """Whether a link (or its mirror) has one of these statuses and has not expired."""
    # Written so that no index on the time fits: the planner is to use the key.
    return and_(has_status(link, *statuses), func.coalesce(col(link.expires_at), literal_column("'infinity'")) > _NOW)


def has_status(link: Any, *statuses: str) -> Any:
    """Whether the stored status of a link (or its mirror) is one of these."""
    # Literals, so that a partial index on some of the statuses can be used.
    return col(link.status).in_([literal_column(f"'{status}'") for status in statuses])


_LOCK_LINK = Statement(
    select(*LINK_COLUMNS).where(col(_L.owner_user_id) == _OWNER, col(_L.id) == _LINK_ID).with_for_update()
)
_LOCK_PAIR = Statement(
    select(*LINK_COLUMNS)
    .where(col(_L.owner_user_id) == _OWNER, col(_L.shared_with_user_id) == bindparam("member_id", type_=Uuid))
    .with_for_update()
)
_OWNER_OF = Statement(select(col(_M.owner_user_id)).where(col(_M.user_id) == user(), col(_M.id) == _LINK_ID))
_COUNT_LINKS = Statement(
    select(func.count().label("n"))
    .select_from(FamilyLink)
    .where(col(_L.owner_user_id) == user(), is_living(_L, *_LIVING))
)
_COUNT_MEMBERSHIPS = Statement(
    select(func.count().label("n"))
    .select_from(FamilyMembership)
    .where(col(_M.user_id) == user(), is_living(_M, LinkStatus.ACTIVE.value))
)


def _bound(name: str) -> Any:
    kinds: dict[str, Any] = {
        "id": Uuid,
        "owner_user_id": Uuid,
        "shared_with_user_id": Uuid,
        "status": String,
        "mode": String,
        "product_ids": ARRAY(Uuid),
        "invited_at": ARRAY(TIME),
    }
    return bindparam(f"new_{name}", type_=kinds.get(name, TIME))


_insert_link = insert(FamilyLink).values({name: _bound(name) for name in _NAMES})
_WRITE_LINK = Statement(
    _insert_link.on_conflict_do_update(
        index_elements=["owner_user_id", "shared_with_user_id"],
        set_={name: _insert_link.excluded[name] for name in _NAMES if name not in ("id", "created_at")},
    )
)
_mirror = insert(FamilyMembership).values(
    user_id=_bound("shared_with_user_id"),
    owner_user_id=_bound("owner_user_id"),
    **{name: _bound(name) for name in _MIRRORED},
)
_MIRROR = Statement(
    _mirror.on_conflict_do_update(
        index_elements=["user_id", "owner_user_id"],
        # The products that the member has of it are compared again.
        set_={name: _mirror.excluded[name] for name in _MIRRORED} | {"products_as_of": literal_column("NULL")},
    )
)
_NOTE_ACCESS = Statement(
    update(FamilyLink).where(col(_L.owner_user_id) == _OWNER, col(_L.id) == _LINK_ID).values(last_access_at=_NOW)
)
_OF_MIRROR = (col(_M.user_id) == user(), col(_M.owner_user_id) == _OWNER)
_NOTE_ACCESS_OF_MEMBER = Statement(update(FamilyMembership).where(*_OF_MIRROR).values(last_access_at=_NOW))
_EXPIRED = Statement(
    select(col(_L.owner_user_id), col(_L.id))
    .where(has_status(_L, *_LIVING), col(_L.expires_at) <= _NOW)
    .order_by(col(_L.expires_at))
    .limit(bindparam("limit", type_=Integer))
)

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
    .where(col(_S.holder_user_id) == user(), col(_S.session_id) == any_(array("session_ids", Uuid)))
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
_BUT = array("but", Uuid)
_owned = select(col(_L.owner_user_id), col(_L.id), col(_L.shared_with_user_id)).where(
    col(_L.owner_user_id) == user(), col(_L.id) != all_(_BUT)
)
_joined = select(col(_M.owner_user_id), col(_M.id), col(_M.user_id)).where(
    col(_M.user_id) == user(), col(_M.id) != all_(_BUT)
)
_LINKS_OF = Statement(union_all(_owned, _joined).limit(bindparam("limit", type_=Integer)))
_MEMBERS_SINCE = Statement(
    select(col(_L.shared_with_user_id)).where(
        col(_L.owner_user_id) == _OWNER,
        col(_L.active_since).is_not(None),
        or_(has_status(_L, LinkStatus.ACTIVE.value), col(_L.updated_at) > bindparam("since", type_=TIME)),
    )
)
_DELETE_MIRROR = Statement(delete(FamilyMembership).where(*_OF_MIRROR))
_DELETE_LINK = Statement(
    delete(FamilyLink).where(
        col(_L.owner_user_id) == _OWNER, col(_L.shared_with_user_id) == bindparam("member_id", type_=Uuid)
    )
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

_LINK = RowReader(Link, _LOCK_LINK, _LOCK_PAIR, _LOCK_SHARED_COPIES, others=("copy_product_id",))
_SEAT = RowReader(Seat, _SEATS, _SEAT_OF_COPY, _RECLAIM, _HELD, _LOST)


class LinkStore:
    """Links over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, owner_id: UUID, link_id: UUID) -> Link | None:
        """Locks the link until the transaction ends and returns it."""
        row = await _LOCK_LINK.first(self._connection, owner_id=owner_id, link_id=link_id)
        return _LINK.read_optional(row)

    async def lock_pair(self, owner_id: UUID, member_id: UUID) -> Link | None:
        """Locks the link of a pair until the transaction ends and returns it; None if they never had one."""
        row = await _LOCK_PAIR.first(self._connection, owner_id=owner_id, member_id=member_id)
        return _LINK.read_optional(row)

    async def owner_of(self, member_id: UUID, link_id: UUID) -> UUID | None:
        """Returns the owner of a link of the member."""
        row = await _OWNER_OF.first(self._connection, user_id=member_id, link_id=link_id)
        return row["owner_user_id"] if row else None

    async def count_links(self, owner_id: UUID, now: datetime) -> int:
        """Returns how many active and pending links an owner has."""
        row = await _COUNT_LINKS.first(self._connection, user_id=owner_id, now=now)
        return row["n"] if row else 0

    async def count_memberships(self, member_id: UUID, now: datetime) -> int:
        """Returns how many active links a member has."""
        row = await _COUNT_MEMBERSHIPS.first(self._connection, user_id=member_id, now=now)
        return row["n"] if row else 0

    async def write(self, link: Link, before: Link | None = None) -> None:
        """Writes a link and its mirror. Keeps the first accesses that only the link as it was before shows.

        ``before`` was read under the lock of the link; None: the pair has none, and the owner is serialised.
        """
        if before and (before.active_since, before.scope) != (link.active_since, link.scope):
            await self._keep_first_accesses(before)
        values = {f"new_{name}": getattr(link, name) for name in _NAMES}
        values |= {name: list(values[name]) for name in ("new_product_ids", "new_invited_at")}
        await _WRITE_LINK.run(self._connection, **values)
        await _MIRROR.run(self._connection, **values)

    async def _keep_first_accesses(self, link: Link) -> None:
        if link.active_since:
            first = first_accesses(link, await grants_of(self._connection, link.owner_user_id))
            await keep_first_accesses(self._connection, link.shared_with_user_id, first)

    async def note_access(self, link: Link, now: datetime) -> None:
        """Stores that the member used the link now."""
        await _NOTE_ACCESS.run(self._connection, owner_id=link.owner_user_id, link_id=link.id, now=now)
        await _NOTE_ACCESS_OF_MEMBER.write(
            self._connection, user_id=link.shared_with_user_id, owner_id=link.owner_user_id, now=now
        )

    async def expired(self, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns owner and id of links that have expired and are not stored as ended yet."""
        found = await _EXPIRED.all(self._connection, now=now, limit=limit)
        return [(row["owner_user_id"], row["id"]) for row in found]

    async def links_of(self, user_id: UUID, but: Collection[UUID], limit: int) -> list[tuple[UUID, UUID, UUID]]:
        """Returns owner, id and member of a user's links, on either side and of any status, except some by id."""
        found = await _LINKS_OF.all(self._connection, user_id=user_id, but=list(but), limit=limit)
        return [(row["owner_user_id"], row["id"], row["shared_with_user_id"]) for row in found]

    async def members_since(self, owner_id: UUID, since: datetime) -> list[UUID]:
        """Returns the members with whom an owner shares, or has shared until after ``since``."""
        found = await _MEMBERS_SINCE.all(self._connection, owner_id=owner_id, since=since)
        return [row["shared_with_user_id"] for row in found]

    async def delete(self, link: Link, keep: bool) -> None:
        """Deletes a link and its mirror; ``keep`` keeps since when its member could play the shared games."""
        if keep:
            await self._keep_first_accesses(link)
        await _DELETE_LINK.run(self._connection, owner_id=link.owner_user_id, member_id=link.shared_with_user_id)
        await _DELETE_MIRROR.run(self._connection, owner_id=link.owner_user_id, user_id=link.shared_with_user_id)


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

    async def release(self, holder_id: UUID, session_ids: Collection[UUID]) -> None:
        """Frees the seats of these sessions."""
        await _RELEASE.write(self._connection, user_id=holder_id, session_ids=list(session_ids))

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
