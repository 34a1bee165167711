"""The mark of an owner whose games have changed; it is part of the statement that changes them."""

from typing import Any

from gameshelf.library._models import FamilyLink, LinkStatus
from gameshelf.library._shares.models import ShareChange
from sqlalchemy import literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ONE: Any = literal_column("1")


def mark_change(owner_id: Any) -> Any:
    """An insert of a mark, if the owner has links.

    Invitations count, too: one that is accepted meanwhile would not be seen as a link yet.
    """
    link = FamilyLink
    is_open = col(link.status).in_(
        [literal_column(f"'{status}'") for status in (LinkStatus.PENDING.value, LinkStatus.ACTIVE.value)]
    )
    marked = select(owner_id).select_from(link).where(col(link.owner_user_id) == owner_id, is_open).limit(_ONE)
    return insert(ShareChange).from_select(["owner_user_id"], marked, include_defaults=False)
