"""Queries of access: whether a user may play a product, by ownership or by a family link, and why or why not.

Access is decided by the user's own rows. Only the reason of a refusal depends on what owners own: it is looked up owner
by owner, where there is no access and there are links.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.errors import DomainError, PermissionDenied
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, rows, user
from gameshelf.library._family.errors import FamilyAccessRestricted
from gameshelf.library._family.rules import RESTRICTED, LinkVerdict, Scope, verdict
from gameshelf.library._first_access import first_accesses
from gameshelf.library._models import AcquisitionType, FamilyMembership, Grant, LibraryItem, LinkStatus
from gameshelf.library._shares.models import SharedProduct
from gameshelf.library._store.first_accesses import by_grants_and_past_links, grants_of
from gameshelf.library._visible import FENCE, has_own, is_active, is_forbidden, is_free, is_in_scope
from sqlalchemy import Integer, Uuid, and_, any_, bindparam, func, literal, literal_column, or_, select, true
from sqlmodel import col

MOST_OWNERS = 20
"""How many links are looked at for the reason of a refusal, active ones first: anybody may invite a user."""
MOST_LINKS = 1000
"""How many links are looked at for a first access: those that the user has ever accepted."""


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


@dataclass(frozen=True, slots=True)
class _Link:
    """A link of a member, as of ``at``, the database's clock."""

    id: UUID
    owner_user_id: UUID
    status: str
    mode: str
    product_ids: Sequence[UUID]
    expires_at: datetime | None
    active_since: datetime | None
    updated_at: datetime
    at: datetime

    def verdict(self, product_id: UUID, is_forbidden: bool) -> LinkVerdict:
        """Returns the verdict on a product, if the owner owns it."""
        return verdict(LinkStatus(self.status), self.expires_at, self.scope, product_id, is_forbidden, self.at)

    @property
    def scope(self) -> Scope:
        return Scope.from_columns(self.mode, self.product_ids)


_I, _M, _P = LibraryItem, FamilyMembership, SharedProduct
_PLACE = {one: place for place, one in enumerate(LinkVerdict)}
_asked = (
    func.unnest(array("product_ids", Uuid))
    .table_valued("product_id", with_ordinality="position", name="asked")
    .render_derived()
)


def _offers(product_id: Any) -> Any:
    """Selects the links by which others share a product with the user now, by what is kept with the user."""
    return (
        select(
            col(_M.owner_user_id),
            func.greatest(col(_P.added_at), col(_M.active_since)).label("since"),
            col(_M.active_since),
            col(_M.id),
        )
        .select_from(_M)
        .join(SharedProduct, and_(col(_P.user_id) == user(), col(_P.owner_user_id) == col(_M.owner_user_id)))
        .where(
            col(_M.user_id) == user(),
            col(_P.product_id) == product_id,
            is_active(_M),
            is_in_scope(_M, product_id),
        )
    )


_offer_of_asked = _offers(_asked.c.product_id)
_offer = _offer_of_asked.order_by(col(_M.active_since), col(_M.id)).limit(literal_column("1")).lateral("offer")
# A link that was refused before it was ever accepted does not count.
_COUNTS = or_(col(_M.status) == LinkStatus.PENDING.value, col(_M.active_since).is_not(None))
_access_of_asked = (
    select(
        _asked.c.product_id,
        col(_I.acquisition_type),
        col(_I.added_at),
        _offer.c.owner_user_id,
        _offer.c.since,
        select(literal(1))
        .where(col(Grant.user_id) == user(), col(Grant.product_id) == _asked.c.product_id)
        .exists()
        .label("was_granted"),
        select(literal(1)).where(col(_M.user_id) == user(), _COUNTS).exists().label("has_links"),
        is_forbidden(_asked.c.product_id).label("is_forbidden"),
        is_free(_asked.c.product_id).label("is_free"),
    )
    .select_from(_asked)
    .outerjoin(LibraryItem, and_(col(_I.user_id) == user(), col(_I.product_id) == _asked.c.product_id))
    .outerjoin(_offer, true())
    .order_by(_asked.c.position)
)
_ACCESS = Statement(_access_of_asked)
_FIRST_ACCESS = Statement(
    _access_of_asked.add_columns(by_grants_and_past_links(user(), _asked.c.product_id).label("first_access_at"))
)
_wanted = rows("wanted", product_id=("product_ids", Uuid))
_shared = _offers(_wanted.c.product_id).offset(FENCE).lateral("shared")
_SHARING_OWNERS = Statement(
    select(_wanted.c.product_id, _shared.c.owner_user_id)
    .select_from(_wanted)
    .join(_shared, ~is_forbidden(_wanted.c.product_id))
    .where(~has_own(user(), _wanted.c.product_id))
    .order_by(_shared.c.active_since, _shared.c.id)
)
_SHARES = Statement(
    select(_wanted.c.product_id, _shared.c.owner_user_id, _shared.c.since)
    .select_from(_wanted)
    .join(_shared, ~is_forbidden(_wanted.c.product_id))
    .order_by(_shared.c.active_since, _shared.c.id)
)
_OWNS = Statement(
    select(literal(1)).where(
        col(_I.user_id) == user(),
        col(_I.acquisition_type).is_not(None),
        col(_I.product_id) == bindparam("product_id", type_=Uuid),
    )
)
_link_columns = [col(getattr(_M, name)) for name in _Link.__dataclass_fields__ if name != "at"]
_LINKS = Statement(
    select(*_link_columns, func.now().label("at"))
    .where(col(_M.user_id) == user(), _COUNTS)
    .order_by(col(_M.active_since).is_(None), col(_M.status) != LinkStatus.ACTIVE.value, col(_M.active_since).desc())
    .limit(bindparam("limit", type_=Integer))
)
_LINK = RowReader(_Link, _LINKS)
_OWNED = Statement(
    select(col(_I.product_id)).where(
        col(_I.user_id) == user(),
        col(_I.acquisition_type).is_not(None),
        col(_I.product_id) == any_(array("product_ids", Uuid)),
    )
)


class AccessQueries:
    """Queries of access over one connection, which needs no transaction.

    A method that is about one user is one round trip; where access is refused to a user with links it is one for the
    links and one for each of at most ``MOST_OWNERS`` owners more.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def access(self, pairs: Sequence[tuple[UUID, UUID]]) -> list[AccessDecision]:
        """Returns for each (user, product), in order, whether the user may play it now. One statement per user."""
        products: dict[UUID, list[UUID]] = {}
        for user_id, product_id in pairs:
            products.setdefault(user_id, []).append(product_id)
        found = {user_id: iter(await self._of_user(user_id, asked)) for user_id, asked in products.items()}
        return [next(found[user_id]) for user_id, _ in pairs]

    async def _of_user(self, user_id: UUID, products: Sequence[UUID]) -> list[AccessDecision]:
        found = await _ACCESS.all(self._connection, user_id=user_id, product_ids=list(products))
        return await self._decided(user_id, found)

    async def _decided(self, user_id: UUID, found: Sequence[Any], *, but_shares: bool = False) -> list[AccessDecision]:
        """Returns a decision for each row; ``but_shares``: what is kept of shares was found to be outdated."""
        decisions = [_access(row, but_shares) for row in found]
        forbidden = {
            row["product_id"]: row["is_forbidden"]
            for row, one in zip(found, decisions, strict=True)
            if not one.has_access and one.reason != CLAIMABLE and row["has_links"]
        }
        reasons = await self._reasons(user_id, forbidden) if forbidden else {}
        return [
            AccessDecision(False, reasons[row["product_id"]]) if row["product_id"] in reasons else one
            for row, one in zip(found, decisions, strict=True)
        ]

    async def _reasons(self, user_id: UUID, forbidden: dict[UUID, bool]) -> dict[UUID, LinkVerdict]:
        """Returns why no link gives access to products that the user may not play; without those of no owner."""
        links = _LINK.read_all(await _LINKS.all(self._connection, user_id=user_id, limit=MOST_OWNERS))
        owned: dict[UUID, set[UUID]] = {}
        reasons: dict[UUID, LinkVerdict] = {}
        for product_id, is_forbidden_ in forbidden.items():
            for place, link in _by_favour(links, product_id, is_forbidden_):
                if link.owner_user_id not in owned:
                    owned[link.owner_user_id] = await self._owned(link.owner_user_id, forbidden)
                if product_id in owned[link.owner_user_id]:
                    reasons[product_id] = place
                    break
        return reasons

    async def _owned(self, owner_id: UUID, product_ids: Collection[UUID]) -> set[UUID]:
        found = await _OWNED.all(self._connection, user_id=owner_id, product_ids=list(product_ids))
        return {row["product_id"] for row in found}

    async def first_access(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, datetime]:
        """Returns those of these products that the user may play now, each with the time when they first could, by any
        right: grants and links that have ended count, too.

        One round trip; one more for a user with links, and one for each owner whose link the user ever accepted.
        """
        products = list(product_ids)
        found = await _FIRST_ACCESS.all(self._connection, user_id=user_id, product_ids=products)
        first: dict[UUID, datetime] = {}
        for row in found:
            since = _access(row).acquired_at
            if since is not None:
                first[row["product_id"]] = min(filter(None, (since, row["first_access_at"])))
        if first and any(row["has_links"] for row in found):
            for link in _LINK.read_all(await _LINKS.all(self._connection, user_id=user_id, limit=MOST_LINKS)):
                earlier = [one for one, at in first.items() if link.active_since and link.active_since < at]
                if earlier:
                    given = first_accesses(link, await grants_of(self._connection, link.owner_user_id, earlier))
                    first |= {one: min(at, first[one]) for one, at in given.items()}
        return first

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user owns the product personally."""
        return await _OWNS.first(self._connection, user_id=user_id, product_id=product_id) is not None

    async def require(self, user_id: UUID, product_id: UUID) -> None:
        """Raises PermissionDenied or FamilyAccessRestricted when the user may not play the product now."""
        [access] = await self._of_user(user_id, [product_id])
        if not access.has_access:
            raise _refusal(access)

    @staticmethod
    def lookup_owned(user_id: UUID, product_id: UUID) -> BoundStatement:
        """Returns what ``owns`` reads."""
        return _OWNS.bind(user_id=user_id, product_id=product_id)

    @staticmethod
    def lookup(user_id: UUID, product_ids: Collection[UUID]) -> BoundStatement:
        """Returns what ``refusals`` reads first."""
        return _ACCESS.bind(user_id=user_id, product_ids=list(product_ids))

    async def refusals(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, DomainError]:
        """Returns those of these products that the user may not play now, each with the error that refuses it."""
        products = list(product_ids)
        found = await self._of_user(user_id, products)
        return {
            product_id: _refusal(access)
            for product_id, access in zip(products, found, strict=True)
            if not access.has_access
        }

    async def refusal(self, user_id: UUID, product_id: UUID) -> DomainError:
        """Returns the error that refuses a product which the user does not own, and which no owner shares: under the
        locks of the owners nobody did.
        """
        found = await _ACCESS.all(self._connection, user_id=user_id, product_ids=[product_id])
        [access] = await self._decided(user_id, found, but_shares=True)
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


def _by_favour(links: Iterable[_Link], product_id: UUID, is_forbidden: bool) -> list[tuple[LinkVerdict, _Link]]:
    """Returns the links that may say why a product is refused, the most favourable verdict first.

    One that would share it says nothing: what is kept with the user decided that its owner does not own the product.
    """
    judged = [(one.verdict(product_id, is_forbidden), one) for one in links]
    refusing = [(place, one) for place, one in judged if place is not LinkVerdict.SHARED]
    return sorted(refusing, key=lambda found: _PLACE[found[0]])


def _access(row: Any, but_shares: bool = False) -> AccessDecision:
    if row["acquisition_type"] is not None:
        return AccessDecision(True, "owned", row["added_at"], row["acquisition_type"])
    if row["is_free"]:
        return AccessDecision(False, CLAIMABLE)
    owner_id = row["owner_user_id"]
    if owner_id is not None and not row["is_forbidden"] and not but_shares:
        shared = AcquisitionType.FAMILY_SHARED_ACCESS
        return AccessDecision(True, LinkVerdict.SHARED, row["since"], shared, owner_id)
    return AccessDecision(False, "refunded" if row["was_granted"] else "not_owned")


def _refusal(access: AccessDecision) -> DomainError:
    if access.reason in RESTRICTED:
        return FamilyAccessRestricted(reason=access.reason)
    return PermissionDenied(reason=access.reason)
