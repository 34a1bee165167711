"""SQL of first accesses. An owner's grants are read by the owner's id alone, so each statement is about one user."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.library._first_access import GrantTimes
from gameshelf.library._models import FirstAccess, Grant, Product
from sqlalchemy import Uuid, any_, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_F, _G = FirstAccess, Grant
_FIRST_TIME: Any = literal_column("'-infinity'::timestamptz")

# The product is looked up row by row: of a join the planner would read the whole catalog.
_product = (
    select(func.coalesce(col(Product.family_sharing_allowed_at), _FIRST_TIME).label("forbidden_at"))
    .where(col(Product.product_id) == col(_G.product_id), col(Product.family_sharing_allowed).is_(False))
    .limit(literal_column("1"))
    .lateral("product")
)
_GRANTS = Statement(
    select(col(_G.product_id), col(_G.acquired_at), col(_G.ended_at), _product.c.forbidden_at)
    .select_from(Grant)
    .outerjoin(_product, true())
    .where(
        col(_G.user_id) == user(),
        col(_G.acquired_at).is_not(None),
        or_(array("product_ids", Uuid).is_(None), col(_G.product_id) == any_(array("product_ids", Uuid))),
    )
)
_GRANT = RowReader(GrantTimes, _GRANTS)
_kept = rows("kept", product_id=("product_ids", Uuid), first_access_at=("times", TIME))
_insert = insert(FirstAccess).from_select(
    ["user_id", "product_id", "first_access_at"], select(user(), *_kept.c), include_defaults=False
)
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "product_id"],
        set_={"first_access_at": _insert.excluded.first_access_at},
        where=col(_F.first_access_at) > _insert.excluded.first_access_at,
    )
)


async def grants_of(
    connection: Connection, owner_id: UUID, product_ids: Collection[UUID] | None = None
) -> list[GrantTimes]:
    """Returns an owner's grants of these products, or of all."""
    found = await _GRANTS.all(
        connection, user_id=owner_id, product_ids=None if product_ids is None else list(product_ids)
    )
    return _GRANT.read_all(found)


async def keep_first_accesses(connection: Connection, member_id: UUID, first: Mapping[UUID, datetime]) -> None:
    """Keeps since when a member could play products, unless an earlier time is kept."""
    if first:
        # Two transactions on links of one member write in the same order, and so do not deadlock.
        products = sorted(first)
        times = [first[product_id] for product_id in products]
        await _KEEP.run(connection, user_id=member_id, product_ids=products, times=times)


def by_grants_and_past_links(user_id: Any, product_id: Any) -> Any:
    """A value that is looked up row by row: when the user could first play the product by grants of their own, or by
    links that no longer say it; null means never.
    """
    by_grants = (
        select(func.min(col(_G.acquired_at)))
        .where(col(_G.user_id) == user_id, col(_G.product_id) == product_id)
        .correlate_except(Grant)
        .scalar_subquery()
    )
    by_past_links = (
        select(col(_F.first_access_at))
        .where(col(_F.user_id) == user_id, col(_F.product_id) == product_id)
        .correlate_except(FirstAccess)
        .scalar_subquery()
    )
    return func.least(by_grants, by_past_links)
