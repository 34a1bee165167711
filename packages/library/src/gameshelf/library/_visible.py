"""The items that a user sees in their library: the games they own, and those that others share with them.

A shared game is the member's own row if there is one, else a computed row: its id follows from user and product, so it
is the same before and after the row is written.
"""

from typing import Any

from gameshelf.library._item_ids import item_id_sql
from gameshelf.library._models import (
    AcquisitionType,
    FamilyMembership,
    InstallationStatus,
    LibraryItem,
    LinkMode,
    LinkStatus,
    Product,
)
from gameshelf.library._shares.models import SharedProduct
from sqlalchemy import (
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased
from sqlmodel import col

_M, _P = FamilyMembership, SharedProduct
FENCE: Any = literal_column("0")
"""As an offset it keeps the planner from merging a subquery into the surrounding query."""
_ITEM: Any = LibraryItem.__table__  # type: ignore[attr-defined]


def is_active(membership: Any) -> Any:
    """Whether a membership gives access now."""
    not_over = or_(col(membership.expires_at).is_(None), col(membership.expires_at) > func.now())
    return and_(col(membership.status) == LinkStatus.ACTIVE.value, not_over)


def is_in_scope(membership: Any, product_id: Any) -> Any:
    """Whether a membership covers a product."""
    is_named = product_id == any_(col(membership.product_ids))
    return case(
        (col(membership.mode) == LinkMode.ONLY.value, is_named),
        (col(membership.mode) == LinkMode.EXCEPT.value, ~is_named),
        else_=True,
    )


def is_forbidden(product_id: Any) -> Any:
    """Whether a product is never shared: the Catalog forbids it, or it is free, so that users claim it themselves. A
    product that the Catalog has not published may be shared.
    """
    product = aliased(Product)
    may_not = or_(col(product.family_sharing_allowed).is_(False), col(product.is_free_to_play).is_(True))
    said = select(may_not).where(col(product.product_id) == product_id)
    return func.coalesce(said.correlate_except(product).scalar_subquery(), False)


def is_free(product_id: Any) -> Any:
    """Whether a product is free to play by the Catalog: a value that is looked up row by row."""
    product = aliased(Product)
    said = select(col(product.is_free_to_play)).where(col(product.product_id) == product_id)
    return func.coalesce(said.correlate_except(product).scalar_subquery(), False)


def has_own(user_id: Any, product_id: Any) -> Any:
    """Whether the user owns a product personally: a value that is looked up row by row."""
    item = aliased(LibraryItem)
    owned = select(true()).where(
        col(item.user_id) == user_id, col(item.product_id) == product_id, col(item.acquisition_type).is_not(None)
    )
    return owned.correlate_except(item).scalar_subquery().is_not(None)


def of_link(shared: Any, membership: Any) -> Any:
    """Whether a shared product is one of a membership."""
    return and_(
        col(shared.user_id) == col(membership.user_id), col(shared.owner_user_id) == col(membership.owner_user_id)
    )


def visible_items() -> Any:
    """Returns the rows of a library, as ``LibraryItem`` has them: owned ones, and shared ones with the member's own
    state.

    All of them are the user's own rows: the membership decides at once, and the shared products follow what the owner
    owns.

    Its parameter is ``user_id``. Where two owners share one game the oldest link counts.
    """
    user_id = bindparam("user_id", type_=Uuid)
    owned = select(*_ITEM.c).where(_ITEM.c.user_id == user_id, _ITEM.c.acquisition_type.is_not(None))
    mine = aliased(LibraryItem)
    since = func.greatest(col(_P.added_at), col(_M.active_since))
    offered = (
        select(
            col(_P.product_id),
            col(_P.product_type),
            col(_P.owner_user_id),
            since.label("added_at"),
        )
        .distinct(col(_P.product_id))
        .select_from(_M)
        .join(SharedProduct, of_link(_P, _M))
        .where(
            col(_M.user_id) == user_id,
            is_active(_M),
            is_in_scope(_M, col(_P.product_id)),
            ~is_forbidden(col(_P.product_id)),
            ~has_own(user_id, col(_P.product_id)),
        )
        .order_by(col(_P.product_id), col(_M.active_since), col(_M.id))
        .subquery("offered")
    )
    own = {
        "user_id": user_id,
        "id": func.coalesce(mine.id, item_id_sql(user_id, offered.c.product_id)),
        "product_id": offered.c.product_id,
        "product_type": func.coalesce(mine.product_type, offered.c.product_type),
        "added_at": offered.c.added_at,
        "acquisition_type": literal(AcquisitionType.FAMILY_SHARED_ACCESS.value),
        "shared_from_user_id": offered.c.owner_user_id,
        "installation_status": func.coalesce(mine.installation_status, InstallationStatus.NOT_INSTALLED.value),
        "total_playtime_seconds": func.coalesce(mine.total_playtime_seconds, 0),
        "is_hidden": func.coalesce(mine.is_hidden, false()),
        "created_at": func.coalesce(mine.created_at, offered.c.added_at),
        "updated_at": func.coalesce(mine.updated_at, offered.c.added_at),
    }
    columns = [
        cast(own[column.name] if column.name in own else getattr(mine, column.name), column.type).label(column.name)
        for column in _ITEM.c
    ]
    shared = (
        select(*columns)
        .select_from(offered)
        .outerjoin(mine, and_(col(mine.user_id) == user_id, col(mine.product_id) == offered.c.product_id))
    )
    # A statement that refers to it twice computes it once.
    return aliased(LibraryItem, union_all(owned, shared).cte("visible"))


_listed: Any = aggregate_order_by(literal_column("','"), col(_M.owner_user_id))
ACTIVE_SHARES = (
    select(func.string_agg(func.concat(col(_M.id), ":", func.extract("epoch", col(_M.updated_at))), _listed))
    .where(col(_M.user_id) == bindparam("user_id", type_=Uuid), is_active(_M))
    .scalar_subquery()
)
"""The links by which others share with the user now, each with the time of its last change, as text; null: nobody
shares. For statements of callers whose ETag covers it: the member's version grows a moment after the other party has
changed a link, and not at all when one expires.
"""
