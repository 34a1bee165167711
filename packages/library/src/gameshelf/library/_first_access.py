"""When a user could first play a product, by any right: offline play since then may be reported.

Grants are never deleted, and a link keeps when it was accepted, also after it has ended; so the time follows from them.
``first_accesses`` has the times that no longer follow: it is written in the statement that overwrites the time or scope
of a link, or deletes the link. So it costs a purchase and a new link nothing, and no time is stored twice.
"""

from typing import Any

from gameshelf.library._models import FamilyMembership, FirstAccess, Grant, LinkStatus, Product
from gameshelf.library._visible import FENCE, is_in_scope
from sqlalchemy import and_, case, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_M, _F = FamilyMembership, FirstAccess
_INFINITY: Any = literal_column("'infinity'::timestamptz")


def _began(grant: Any) -> Any:
    """When a member's access to a copy began: with the owner's grant, or with the link."""
    return func.greatest(col(grant.acquired_at), col(_M.active_since))


def _gave_access(grant: Any) -> Any:
    """Whether a link, even one that has ended, ever gave its member access to the copy of an owner's grant."""
    product, began = aliased(Product), _began(grant)
    link_ended = case(
        (col(_M.status) == LinkStatus.ACTIVE.value, func.coalesce(col(_M.expires_at), _INFINITY)),
        else_=col(_M.updated_at),
    )
    # The projection has the time at which the Catalog forbade sharing a product; until then the copy was shared.
    forbidden_at = (
        select(func.coalesce(col(product.family_sharing_allowed_at), literal_column("'-infinity'::timestamptz")))
        .where(col(product.product_id) == col(grant.product_id), col(product.family_sharing_allowed).is_(False))
        .correlate_except(product)
        .scalar_subquery()
    )
    return and_(
        col(grant.user_id) == col(_M.owner_user_id),
        col(grant.acquired_at).is_not(None),
        col(_M.active_since).is_not(None),
        is_in_scope(_M, col(grant.product_id)),
        began < func.least(func.coalesce(col(grant.ended_at), _INFINITY), link_ended),
        or_(forbidden_at.is_(None), began < forbidden_at),
    )


def first_access(user_id: Any, product_id: Any) -> Any:
    """A value that is looked up row by row: when the user could first play the product; null means never."""
    own, theirs, kept = aliased(Grant), aliased(Grant), aliased(FirstAccess)
    by_grants = (
        select(func.min(col(own.acquired_at)))
        .where(col(own.user_id) == user_id, col(own.product_id) == product_id)
        .correlate_except(own)
        .scalar_subquery()
    )
    of_link = (
        select(_began(theirs).label("began"))
        .where(_gave_access(theirs), col(theirs.product_id) == product_id)
        .correlate_except(theirs)
        .offset(FENCE)
        .lateral("of_link")
    )
    by_links = (
        select(func.min(of_link.c.began))
        .select_from(_M)
        .join(of_link, true())
        .where(col(_M.user_id) == user_id)
        .correlate_except(_M, of_link)
        .scalar_subquery()
    )
    by_past_links = (
        select(col(kept.first_access_at))
        .where(col(kept.user_id) == user_id, col(kept.product_id) == product_id)
        .correlate_except(kept)
        .scalar_subquery()
    )
    return func.least(by_grants, by_links, by_past_links)


def keep_first_accesses(*of_link: Any) -> Any:
    """An upsert that keeps the first accesses by the links of these conditions (on ``FamilyMembership``)."""
    began = func.min(_began(Grant))
    insertion = insert(FirstAccess).from_select(
        ["user_id", "product_id", "first_access_at"],
        select(col(_M.user_id), col(Grant.product_id), began)
        .select_from(_M)
        .join(Grant, _gave_access(Grant))
        .where(*of_link)
        .group_by(col(_M.user_id), col(Grant.product_id))
        # Two transactions on links of one member write in the same order, and so do not deadlock.
        .order_by(col(_M.user_id), col(Grant.product_id)),
        include_defaults=False,
    )
    earlier = insertion.excluded.first_access_at
    return insertion.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={"first_access_at": earlier},
        where=col(_F.first_access_at) > earlier,
    )
