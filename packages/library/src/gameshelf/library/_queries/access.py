"""Queries of access: whether a user may play a product, by ownership or by a family link, and why or why not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.errors import DomainError, PermissionDenied
from gameshelf.kernel.sql import array, rows, user
from gameshelf.library._family.errors import FamilyAccessRestricted
from gameshelf.library._family.rules import RESTRICTED, LinkVerdict
from gameshelf.library._first_access import first_access
from gameshelf.library._models import AcquisitionType, FamilyMembership, Grant, LibraryItem, LinkStatus
from gameshelf.library._visible import FENCE, has_own, is_active, is_forbidden, is_free, is_in_scope
from sqlalchemy import Uuid, and_, bindparam, case, func, literal, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """Whether a user may play a product.

    ``reason`` is ``owned`` or ``shared``; without access ``claimable`` (it is free, and not claimed), ``refunded``
    (every known grant has ended), ``not_owned``, or the reason why a link does not give it: ``out_of_scope``,
    ``sharing_forbidden``, ``link_expired``, ``link_ended``, ``link_pending``. The rest is None without access.
    """

    has_access: bool
    reason: str
    acquired_at: datetime | None = None
    access_type: str | None = None
    shared_from_user_id: UUID | None = None


CLAIMABLE = "claimable"


@dataclass(frozen=True, slots=True)
class Share:
    """The owner who shares a product, and since when the member may play it (aware)."""

    owner_user_id: UUID
    since: datetime


_I, _M = LibraryItem, FamilyMembership
_theirs = aliased(LibraryItem)
_VERDICTS = tuple(LinkVerdict)

_asked = rows("asked", user_id=("user_ids", Uuid), product_id=("product_ids", Uuid))
_asked_in_order = (
    func.unnest(array("user_ids", Uuid), array("product_ids", Uuid))
    .table_valued(*_asked.c, with_ordinality="position", name="asked")
    .render_derived()
)


def _verdict(product_id: Any) -> Any:
    """Returns the index of the link's verdict in ``LinkVerdict``."""
    of = {verdict: place for place, verdict in enumerate(_VERDICTS)}
    return case(
        (col(_M.status) == LinkStatus.PENDING.value, of[LinkVerdict.LINK_PENDING]),
        (col(_M.status) != LinkStatus.ACTIVE.value, of[LinkVerdict.LINK_ENDED]),
        (~is_active(_M), of[LinkVerdict.LINK_EXPIRED]),
        (~is_in_scope(_M, product_id), of[LinkVerdict.OUT_OF_SCOPE]),
        (is_forbidden(product_id), of[LinkVerdict.SHARING_FORBIDDEN]),
        else_=of[LinkVerdict.SHARED],
    )


def _links(user_id: Any, product_id: Any) -> Any:
    """Selects links of a member with owners who own the product, each with its verdict."""
    return (
        select(
            col(_M.owner_user_id),
            _verdict(product_id).label("verdict"),
            func.greatest(col(_theirs.added_at), col(_M.active_since)).label("since"),
            col(_M.active_since),
            col(_M.id),
        )
        .join(
            _theirs,
            and_(
                col(_theirs.user_id) == col(_M.owner_user_id),
                col(_theirs.product_id) == product_id,
                col(_theirs.acquisition_type).is_not(None),
            ),
        )
        # A link that was refused before it was ever accepted does not count.
        .where(
            col(_M.user_id) == user_id,
            or_(col(_M.status) == LinkStatus.PENDING.value, col(_M.active_since).is_not(None)),
        )
    )


_of_pair = _links(_asked_in_order.c.user_id, _asked_in_order.c.product_id)
_link = (
    _of_pair.order_by(_of_pair.selected_columns.verdict, _of_pair.selected_columns.active_since, col(_M.id))
    .limit(1)
    .lateral("link")
)
_access_of_pairs = (
    select(
        col(_I.acquisition_type),
        col(_I.added_at),
        _link.c.verdict,
        _link.c.owner_user_id,
        _link.c.since,
        select(literal(1))
        .where(col(Grant.user_id) == _asked_in_order.c.user_id, col(Grant.product_id) == _asked_in_order.c.product_id)
        .exists()
        .label("was_granted"),
        is_free(_asked_in_order.c.product_id).label("is_free"),
    )
    .select_from(_asked_in_order)
    .outerjoin(
        LibraryItem,
        and_(col(_I.user_id) == _asked_in_order.c.user_id, col(_I.product_id) == _asked_in_order.c.product_id),
    )
    .outerjoin(_link, true())
    .order_by(_asked_in_order.c.position)
)
_ACCESS = Statement(_access_of_pairs)
_FIRST_ACCESS = Statement(
    _access_of_pairs.add_columns(
        first_access(_asked_in_order.c.user_id, _asked_in_order.c.product_id).label("first_access_at")
    )
)
_wanted = rows("wanted", product_id=("product_ids", Uuid))
_offers = _links(user(), _wanted.c.product_id).offset(FENCE).lateral("offers")
_SHARING_OWNERS = Statement(
    select(_wanted.c.product_id, _offers.c.owner_user_id)
    .select_from(_wanted)
    .join(_offers, _offers.c.verdict == _VERDICTS.index(LinkVerdict.SHARED))
    .where(~has_own(user(), _wanted.c.product_id))
    .order_by(_offers.c.active_since, _offers.c.id)
)
_SHARES = Statement(
    select(_wanted.c.product_id, _offers.c.owner_user_id, _offers.c.since)
    .select_from(_wanted)
    .join(_offers, _offers.c.verdict == _VERDICTS.index(LinkVerdict.SHARED))
    .order_by(_offers.c.active_since, _offers.c.id)
)
_OWNS = Statement(
    select(literal(1)).where(
        col(_I.user_id) == user(),
        col(_I.acquisition_type).is_not(None),
        col(_I.product_id) == bindparam("product_id", type_=Uuid),
    )
)


class AccessQueries:
    """Queries of access over one connection, which needs no transaction. Each method is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def access(self, pairs: Sequence[tuple[UUID, UUID]]) -> list[AccessDecision]:
        """Returns for each (user, product), in order, whether the user may play it now."""
        found = await _ACCESS.all(
            self._connection,
            user_ids=[user_id for user_id, _ in pairs],
            product_ids=[product_id for _, product_id in pairs],
        )
        return [_access(row) for row in found]

    async def first_access(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, datetime]:
        """Returns those of these products that the user may play now, each with the time when they first could, by any
        right: grants and links that have ended count, too.
        """
        products = list(product_ids)
        found = await _FIRST_ACCESS.all(self._connection, user_ids=[user_id for _ in products], product_ids=products)
        first: dict[UUID, datetime] = {}
        for product_id, row in zip(products, found, strict=True):
            since = _access(row).acquired_at
            if since is not None:
                first[product_id] = min(filter(None, (since, row["first_access_at"])))
        return first

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user owns the product personally."""
        return await _OWNS.first(self._connection, user_id=user_id, product_id=product_id) is not None

    async def require(self, user_id: UUID, product_id: UUID) -> None:
        """Raises PermissionDenied or FamilyAccessRestricted when the user may not play the product now."""
        [access] = await self.access([(user_id, product_id)])
        if not access.has_access:
            raise _refusal(access)

    @staticmethod
    def lookup_owned(user_id: UUID, product_id: UUID) -> BoundStatement:
        """Returns what ``owns`` reads."""
        return _OWNS.bind(user_id=user_id, product_id=product_id)

    @staticmethod
    def lookup(user_id: UUID, product_ids: Collection[UUID]) -> BoundStatement:
        """Returns what ``refusals`` reads."""
        return _ACCESS.bind(user_ids=[user_id for _ in product_ids], product_ids=list(product_ids))

    async def refusals(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, DomainError]:
        """Returns those of these products that the user may not play now, each with the error that refuses it."""
        products = list(product_ids)
        found = await self.access([(user_id, product_id) for product_id in products])
        return {
            product_id: _refusal(access)
            for product_id, access in zip(products, found, strict=True)
            if not access.has_access
        }

    async def refusal(self, user_id: UUID, product_id: UUID) -> DomainError:
        """Returns the error that refuses a product which the user may not play."""
        [access] = await self.access([(user_id, product_id)])
        return _refusal(access)

    async def sharing_owners(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
        """Returns by product the owners who share it with the user, oldest link first; without products that the user
        owns.
        """
        owners: dict[UUID, list[UUID]] = {}
        for row in await _SHARING_OWNERS.all(self._connection, user_id=user_id, product_ids=list(product_ids)):
            owners.setdefault(row["product_id"], []).append(row["owner_user_id"])
        return owners

    @staticmethod
    def lookup_shares(user_id: UUID, product_ids: Collection[UUID]) -> BoundStatement:
        """Returns what ``shares`` reads."""
        return _SHARES.bind(user_id=user_id, product_ids=list(product_ids))

    async def shares(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, Share]:
        """Returns those of these products that are shared with the user, even if they own them, by the oldest link."""
        shares: dict[UUID, Share] = {}
        for row in await self.lookup_shares(user_id, product_ids).all(self._connection):
            shares.setdefault(row["product_id"], Share(row["owner_user_id"], row["since"]))
        return shares


def _access(row: Any) -> AccessDecision:
    if row["acquisition_type"] is not None:
        return AccessDecision(True, "owned", row["added_at"], row["acquisition_type"])
    if row["is_free"]:
        return AccessDecision(False, CLAIMABLE)
    if row["verdict"] is None:
        return AccessDecision(False, "refunded" if row["was_granted"] else "not_owned")
    verdict = _VERDICTS[row["verdict"]]
    if verdict is LinkVerdict.SHARED:
        return AccessDecision(True, verdict, row["since"], AcquisitionType.FAMILY_SHARED_ACCESS, row["owner_user_id"])
    return AccessDecision(False, verdict)


def _refusal(access: AccessDecision) -> DomainError:
    if access.reason in RESTRICTED:
        return FamilyAccessRestricted(reason=access.reason)
    return PermissionDenied(reason=access.reason)
