"""All SQL of the products that a member keeps of their owners. Each statement is about one user's rows.

An owner's change adds a mark with the owner (``marks.py``). A job turns it into outdated links of the members,
and refreshes each outdated link in a transaction of its member, with the link locked. A change that is committed before
the lock is read, and a later one makes the link outdated again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.library._family.rules import Scope, effective
from gameshelf.library._item_ids import item_id
from gameshelf.library._models import (
    OUTDATED,
    FamilyLink,
    FamilyMembership,
    LibraryItem,
    LinkStatus,
)
from gameshelf.library._shares.models import ShareChange, SharedProduct
from gameshelf.library._shares.rules import ListedProduct, Offer, SeenProduct
from gameshelf.library._visible import is_active, is_forbidden, is_in_scope
from sqlalchemy import Integer, String, Uuid, and_, any_, bindparam, delete, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_L, _M, _P, _C, _I = FamilyLink, FamilyMembership, SharedProduct, ShareChange, LibraryItem
_LIMIT = bindparam("limit", type_=Integer)
_OWNER = bindparam("owner_id", type_=Uuid)
_OF_LINK = (col(_M.user_id) == user(), col(_M.owner_user_id) == _OWNER)
_OF_SHARE = (col(_P.user_id) == user(), col(_P.owner_user_id) == _OWNER)


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's side of a link, locked."""

    id: UUID
    status: str
    mode: str
    product_ids: Sequence[UUID]
    expires_at: datetime | None
    active_since: datetime | None
    products_since: datetime | None

    def is_active(self, now: datetime) -> bool:
        return effective(LinkStatus(self.status), self.expires_at, now) is LinkStatus.ACTIVE

    @property
    def scope(self) -> Scope:
        return Scope.from_columns(self.mode, self.product_ids)


_CHANGED = Statement(select(col(_C.owner_user_id)).distinct().order_by(col(_C.owner_user_id)).limit(_LIMIT))
_TAKE_MARKS = Statement(delete(ShareChange).where(col(_C.owner_user_id) == _OWNER))
_MEMBERS = Statement(
    select(col(_L.shared_with_user_id))
    .where(col(_L.owner_user_id) == _OWNER, col(_L.status) == LinkStatus.ACTIVE.value)
    .order_by(col(_L.shared_with_user_id))
)
_MAKE_OUTDATED = Statement(update(FamilyMembership).where(*_OF_LINK).values(products_as_of=None))
_OUTDATED_LINKS = Statement(
    select(col(_M.user_id), col(_M.owner_user_id))
    .where(text(OUTDATED))
    .order_by(col(_M.user_id), col(_M.owner_user_id))
    .limit(_LIMIT)
)
_LOCK = Statement(
    select(
        col(_M.id),
        col(_M.status),
        col(_M.mode),
        col(_M.product_ids),
        col(_M.expires_at),
        col(_M.active_since),
        col(_M.products_since),
    )
    .where(*_OF_LINK, text(OUTDATED))
    .with_for_update(key_share=True)
)
_FIRST = bindparam("first", type_=Uuid)
_OWNED = Statement(
    select(col(_I.product_id), col(_I.product_type), col(_I.added_at))
    .where(col(_I.user_id) == _OWNER, col(_I.acquisition_type).is_not(None), col(_I.product_id) >= _FIRST)
    .order_by(col(_I.product_id))
    .limit(_LIMIT)
)
_STORED = Statement(
    select(col(_P.product_id), col(_P.product_type), col(_P.added_at)).where(
        *_OF_SHARE, col(_P.product_id).between(_FIRST, bindparam("last", type_=Uuid))
    )
)
_new = rows(
    "new",
    product_id=("product_ids", Uuid),
    product_type=("product_types", String),
    added_at=("times", TIME),
)
_insert = insert(SharedProduct).from_select(
    ["user_id", "owner_user_id", "product_id", "product_type", "added_at"],
    select(user(), _OWNER, *_new.c),
    include_defaults=False,
)
_WRITE = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "owner_user_id", "product_id"],
        set_={"product_type": _insert.excluded.product_type, "added_at": _insert.excluded.added_at},
    )
)
_REMOVE = Statement(delete(SharedProduct).where(*_OF_SHARE, col(_P.product_id) == any_(array("product_ids", Uuid))))
_REMOVE_ALL = Statement(delete(SharedProduct).where(*_OF_SHARE))
_SET_CURRENT = Statement(
    update(FamilyMembership)
    .where(*_OF_LINK)
    .values(products_as_of=col(_M.updated_at), products_since=bindparam("since", type_=TIME))
)
_wanted = rows("wanted", product_id=("product_ids", Uuid))
_offers = (
    select(col(_P.owner_user_id), col(_P.added_at), col(_M.active_since), col(_M.id).label("link_id"))
    .join(FamilyMembership, and_(col(_M.user_id) == col(_P.user_id), col(_M.owner_user_id) == col(_P.owner_user_id)))
    .where(
        col(_P.user_id) == user(),
        col(_P.owner_user_id) != _OWNER,
        col(_P.product_id) == _wanted.c.product_id,
        is_active(_M),
        is_in_scope(_M, _wanted.c.product_id),
    )
    .order_by(col(_M.active_since), col(_M.id))
    .limit(1)
    .lateral("offers")
)
_SEEN = Statement(
    select(
        _wanted.c.product_id,
        col(_I.id).label("item_id"),
        col(_I.acquisition_type).is_not(None).label("is_owned"),
        is_forbidden(_wanted.c.product_id).label("is_forbidden"),
        *_offers.c,
    )
    .select_from(_wanted)
    .outerjoin(LibraryItem, and_(col(_I.user_id) == user(), col(_I.product_id) == _wanted.c.product_id))
    .outerjoin(_offers, true())
)
_LISTED = RowReader(ListedProduct, _OWNED, _STORED)
_MEMBERSHIP = RowReader(Membership, _LOCK)
_OFFER = RowReader(Offer, _SEEN, others=("product_id", "item_id", "is_owned", "is_forbidden"))


class ShareStore:
    """The products that members keep of their owners, over one connection. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def changed_owners(self, limit: int) -> list[UUID]:
        """Returns at most ``limit`` owners with marks, the same ones first each time."""
        return [row["owner_user_id"] for row in await _CHANGED.all(self._connection, limit=limit)]

    async def take_marks(self, owner_id: UUID) -> bool:
        """Deletes the marks of an owner; returns whether there were any."""
        return await _TAKE_MARKS.run(self._connection, owner_id=owner_id) > 0

    async def members(self, owner_id: UUID) -> list[UUID]:
        """Returns the members of an owner's active links."""
        return [row["shared_with_user_id"] for row in await _MEMBERS.all(self._connection, owner_id=owner_id)]

    async def make_outdated(self, member_id: UUID, owner_id: UUID) -> None:
        """Marks that the products of a link have to be compared again."""
        await _MAKE_OUTDATED.run(self._connection, user_id=member_id, owner_id=owner_id)

    async def outdated_links(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns member and owner of at most ``limit`` outdated links, the same ones first each time."""
        found = await _OUTDATED_LINKS.all(self._connection, limit=limit)
        return [(row["user_id"], row["owner_user_id"]) for row in found]

    async def lock(self, member_id: UUID, owner_id: UUID) -> Membership | None:
        """Locks an outdated link until the transaction ends; None where it is not outdated any more."""
        return _MEMBERSHIP.read_optional(await _LOCK.first(self._connection, user_id=member_id, owner_id=owner_id))

    async def owned(self, owner_id: UUID, first: UUID, limit: int) -> list[ListedProduct]:
        """Returns the products of an owner from ``first`` on, in their order."""
        found = await _OWNED.all(self._connection, owner_id=owner_id, first=first, limit=limit)
        return _LISTED.read_all(found)

    async def stored(self, member_id: UUID, owner_id: UUID, first: UUID, last: UUID) -> list[ListedProduct]:
        """Returns the member's rows of an owner from ``first`` to ``last``."""
        found = await _STORED.all(self._connection, user_id=member_id, owner_id=owner_id, first=first, last=last)
        return _LISTED.read_all(found)

    async def write(self, member_id: UUID, owner_id: UUID, products: Sequence[ListedProduct]) -> None:
        """Adds rows of the member, or replaces them."""
        await _WRITE.run(
            self._connection,
            user_id=member_id,
            owner_id=owner_id,
            product_ids=[one.product_id for one in products],
            product_types=[one.product_type for one in products],
            times=[one.added_at for one in products],
        )

    async def remove(self, member_id: UUID, owner_id: UUID, product_ids: Collection[UUID]) -> None:
        """Deletes rows of the member."""
        await _REMOVE.run(self._connection, user_id=member_id, owner_id=owner_id, product_ids=list(product_ids))

    async def remove_all(self, member_id: UUID, owner_id: UUID) -> None:
        """Deletes all rows that the member has of an owner."""
        await _REMOVE_ALL.run(self._connection, user_id=member_id, owner_id=owner_id)

    async def set_current(self, member_id: UUID, owner_id: UUID, since: datetime | None) -> None:
        """Stores that the rows show the link as it is; None: there are none, because the link is not active."""
        await _SET_CURRENT.run(self._connection, user_id=member_id, owner_id=owner_id, since=since)

    async def seen(self, member_id: UUID, owner_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, SeenProduct]:
        """Returns how the member sees these products apart from this owner's share."""
        found = await _SEEN.all(self._connection, user_id=member_id, owner_id=owner_id, product_ids=list(product_ids))
        return {
            row["product_id"]: SeenProduct(
                row["product_id"],
                row["item_id"] or item_id(member_id, row["product_id"]),
                row["is_owned"] or row["is_forbidden"],
                _OFFER.read(row) if row["owner_user_id"] else None,
            )
            for row in found
        }
