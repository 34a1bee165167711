"""What happened to a user's products and family links, for the timeline of support."""

from typing import Any

from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from gameshelf.library._models import FamilyLink, FamilyMembership, Grant
from sqlalchemy import Text, Uuid, cast, null, select
from sqlmodel import col

_G, _L, _M = Grant, FamilyLink, FamilyMembership
_of_grant: tuple[Any, ...] = (
    (cast(col(_G.product_id), Text) + " " + col(_G.kind) + " " + col(_G.source_id)).label("key"),
    col(_G.product_id),
    col(_G.kind).label("grant_kind"),
    col(_G.source_id),
)


def _links(table: type[FamilyLink] | type[FamilyMembership], whose: Any, other: Any) -> Any:
    return select(
        col(table.updated_at).label("at"),
        cast(col(table.id), Text).label("key"),
        cast(null(), Uuid).label("product_id"),
        col(table.id).label("link_id"),
        other.label("other_user_id"),
        col(table.status),
    ).where(whose == user())


TIMELINE = (
    Happenings(
        "product_granted",
        select(col(_G.acquired_at).label("at"), *_of_grant, col(_G.quantity)).where(
            col(_G.user_id) == user(), col(_G.acquired_at).is_not(None)
        ),
    ),
    Happenings(
        "product_ended",
        select(col(_G.ended_at).label("at"), *_of_grant, col(_G.ended_by)).where(
            col(_G.user_id) == user(), col(_G.ended_at).is_not(None)
        ),
    ),
    Happenings("family_as_owner", _links(_L, col(_L.owner_user_id), col(_L.shared_with_user_id))),
    Happenings("family_as_member", _links(_M, col(_M.user_id), col(_M.owner_user_id))),
)
"""Grants and their ends, and the last change of each family link."""
