"""Explains to support why a user may play a product, or may not, with the whole chain of reasons.

``_reasons.py`` has the decisions. A test checks that the chain leads to the answer of ``AccessQueries`` after any
history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import prefixed, user
from gameshelf.library._family.ports import Players
from gameshelf.library._family.queries import FamilyQueries, TakenSeat, taken_seat_columns
from gameshelf.library._family.rules import LinkVerdict
from gameshelf.library._family.store import MEMBERSHIP_COLUMNS, Link
from gameshelf.library._models import FamilyMembership, FamilySeat, LibraryItem, LinkStatus, Product
from gameshelf.library._queries.access import AccessDecision, AccessQueries
from gameshelf.library._queries.support import ITEM_COLUMNS, GrantView, ItemState, LibrarySupportQueries
from gameshelf.library._reasons import LinkReason, SeatReason, Start, by_weight, link_reason, start
from gameshelf.library._rules import known_rating
from sqlalchemy import Uuid, bindparam, func, literal, select, true
from sqlmodel import col

MOST_LINKS = 100
"""How many links of a user are read, and so how many owners; a user has one per person who ever shared with them."""
MOST_PLAYED = 10
"""For how many shared copies the running sessions are queried; by default a user has at most five."""


@dataclass(frozen=True, slots=True)
class CatalogProduct:
    """A product as the Catalog has published it; None stands for a field that it has not published."""

    product_type: str | None
    title_ru: str | None
    title_en: str | None
    is_free_to_play: bool | None
    family_sharing_allowed: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a user may play a product or may not, as of ``at`` (aware, the database's clock)."""

    user_id: UUID
    product_id: UUID
    at: datetime
    access: AccessDecision
    """The decision that every other service gets."""
    start: Start
    """The outcome of starting the game. With a busy seat there is access nevertheless."""
    catalog: CatalogProduct | None
    """None while the Catalog has not published the product."""
    item: ItemState | None
    grants: Sequence[GrantView]
    """The oldest first, tombstones too; at most 100."""
    links: Sequence[LinkReason]
    """Every link with an owner, including ended ones; those that count first, the deciding one before the others."""
    deciding_link_id: UUID | None
    """The link that decides ``access``; None where none counts, and where the user owns the product."""
    starting_link_id: UUID | None
    """The link whose copy a start would take, or because of which a start is refused."""
    own_seat: SeatReason | None
    """The seat of a member who plays the user's own copy, and who would have to stop."""


_PRODUCT_ID = bindparam("product_id", type_=Uuid)
_M, _I, _S = FamilyMembership, LibraryItem, FamilySeat
_product = (
    select(col(Product.product_id), *(col(getattr(Product, field.name)) for field in fields(CatalogProduct)))
    .where(col(Product.product_id) == _PRODUCT_ID)
    .subquery("product")
)
_item = select(*ITEM_COLUMNS).where(col(_I.user_id) == user(), col(_I.product_id) == _PRODUCT_ID).subquery("item")
_moment = select(func.now().label("at")).subquery("moment")
_WHAT_IS_KNOWN = Statement(
    select(
        _moment.c.at,
        _product.c.product_id,
        *prefixed("catalog_", (_product.c[field.name] for field in fields(CatalogProduct))),
        *prefixed("item_", _item.c),
    ).select_from(_moment.outerjoin(_product, true()).outerjoin(_item, true()))
)
_CATALOG = RowReader(CatalogProduct, _WHAT_IS_KNOWN, prefix="catalog_")
_ITEM = RowReader(ItemState, _WHAT_IS_KNOWN, prefix="item_", convert={"user_rating": known_rating})
_LINKS = Statement(
    select(*MEMBERSHIP_COLUMNS)
    .where(col(_M.user_id) == user())
    .order_by(col(_M.status) != LinkStatus.ACTIVE.value, col(_M.active_since), col(_M.id))
    .limit(literal(MOST_LINKS))
)
_LINK = RowReader(Link, _LINKS, given=("invited_at",))
_OWNER = bindparam("owner_id", type_=Uuid)
_theirs = (
    select(col(_I.added_at))
    .where(col(_I.user_id) == _OWNER, col(_I.product_id) == _PRODUCT_ID, col(_I.acquisition_type).is_not(None))
    .subquery("theirs")
)


def _seat_of(name: str, *conditions: Any) -> Any:
    """Selects a taken seat of the owner."""
    taken = select(*taken_seat_columns(_S)).where(
        col(_S.owner_user_id) == _OWNER, col(_S.holder_user_id).is_not(None), *conditions
    )
    return taken.limit(literal(1)).subquery(name)


_seat = _seat_of("seat", col(_S.product_id) == _PRODUCT_ID)
_other_seat = _seat_of("other_seat", col(_S.product_id) != _PRODUCT_ID, col(_S.holder_user_id) == user())
# About one owner: where tables are distributed by user, no statement reads the rows of a member and those of an owner.
_OF_OWNER = Statement(
    select(
        _theirs.c.added_at.label("owned_since"),
        *prefixed("seat_", _seat.c),
        *prefixed("other_seat_", _other_seat.c),
    ).select_from(_moment.outerjoin(_theirs, true()).outerjoin(_seat, true()).outerjoin(_other_seat, true()))
)
_SEAT, _OTHER_SEAT = (RowReader(TakenSeat, _OF_OWNER, prefix=prefix) for prefix in ("seat_", "other_seat_"))


class AccessExplained:
    """Explains access over one connection; in a snapshot ("repeatable read") all of it is of one moment.

    ``players`` reports which sessions run.
    """

    def __init__(self, connection: Connection, players: Players) -> None:
        self._connection = connection
        self._players = players

    async def explain(self, user_id: UUID, product_id: UUID) -> Explanation:
        """Returns the whole chain. Five round trips, one more for each link, two for an owned product, three for each
        of ten shared copies.
        """
        row = await _WHAT_IS_KNOWN.first(self._connection, user_id=user_id, product_id=product_id)
        if row is None:
            raise LookupError("a statement without a condition found nothing")
        at = row["at"]
        catalog = _CATALOG.read(row) if row["product_id"] else None
        item = _ITEM.read(row) if row["item_id"] else None
        is_owned = item is not None and item.acquisition_type is not None
        is_forbidden = catalog is not None and (
            catalog.family_sharing_allowed is False or bool(catalog.is_free_to_play)
        )
        grants = await LibrarySupportQueries(self._connection).grants(user_id, [product_id])
        links = await self._links(user_id, product_id, is_forbidden, at)
        [access] = await AccessQueries(self._connection).access([(user_id, product_id)])
        deciding = None if is_owned else next(iter(by_weight(links)), None)
        outcome, starting = start(is_owned, links, at)
        return Explanation(
            user_id=user_id,
            product_id=product_id,
            at=at,
            access=access,
            start=outcome,
            catalog=catalog,
            item=item,
            grants=grants.get(product_id, ()),
            links=links,
            deciding_link_id=deciding.link.id if deciding else None,
            starting_link_id=starting.link.id if starting else None,
            own_seat=await self._own_seat(user_id, product_id) if is_owned else None,
        )

    async def _links(self, user_id: UUID, product_id: UUID, is_forbidden: bool, at: datetime) -> list[LinkReason]:
        links = _LINK.read_all(await _LINKS.all(self._connection, user_id=user_id))
        found = [await self._weighed(user_id, link, product_id, is_forbidden, at) for link in links]
        weighed = by_weight(found)
        sharing = [one for one in weighed if one.reason == LinkVerdict.SHARED][:MOST_PLAYED]
        asked = [await self._played(one, product_id) for one in sharing]
        return [*asked, *weighed[len(asked) :], *(one for one in found if not one.counts)]

    async def _weighed(
        self, user_id: UUID, link: Link, product_id: UUID, is_forbidden: bool, at: datetime
    ) -> LinkReason:
        row = await _OF_OWNER.first(
            self._connection, user_id=user_id, owner_id=link.owner_user_id, product_id=product_id
        )
        if row is None:
            raise LookupError("a statement without a condition found nothing")
        return _reason(link, row, product_id, is_forbidden, at)

    async def _played(self, one: LinkReason, product_id: UUID) -> LinkReason:
        """Returns a link that shares the product with whether the sessions of its seats run."""
        return replace(
            one,
            seat=await self._asked(one.seat.seat) if one.seat else None,
            other_seat=await self._asked(one.other_seat.seat) if one.other_seat else None,
            owner_plays_since=await self._players.own_copy_played_since(one.link.owner_user_id, product_id),
        )

    async def _own_seat(self, user_id: UUID, product_id: UUID) -> SeatReason | None:
        seat = await FamilyQueries(self._connection).seat(user_id, product_id)
        return await self._asked(seat) if seat else None

    async def _asked(self, seat: TakenSeat) -> SeatReason:
        running = await self._players.running(seat.held_by_user_id, [seat.session_id])
        return SeatReason(seat, runs=seat.session_id in running)


def _reason(link: Link, row: Record, product_id: UUID, is_forbidden: bool, at: datetime) -> LinkReason:
    reason = link_reason(link, product_id, row["owned_since"], is_forbidden, at)
    seat = SeatReason(_SEAT.read(row), runs=None) if row["seat_owner_user_id"] else None
    other = SeatReason(_OTHER_SEAT.read(row), runs=None) if row["other_seat_owner_user_id"] else None
    return replace(reason, seat=seat, other_seat=other)
