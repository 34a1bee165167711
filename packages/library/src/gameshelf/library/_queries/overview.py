"""The overview of a library: its numbers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.library._models import AcquisitionType, FamilyLink, FamilyMembership, LinkStatus
from gameshelf.library._visible import visible_items
from sqlalchemy import and_, func, or_, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class LibraryOverview:
    """The numbers of a user's games, and of people with whom they share; ended links do not count."""

    games_owned: int
    games_shared: int
    """Games that others share with the user and that the user does not own."""
    family_members: int
    """Members with whom the user shares, or whom they have invited."""
    family_owners: int
    """Owners who share with the user, or have invited them."""


_items = visible_items()
_is_shared = col(_items.acquisition_type) == AcquisitionType.FAMILY_SHARED_ACCESS.value
_games = (
    select(
        func.count().filter(~_is_shared).label("games_owned"),
        func.count().filter(_is_shared).label("games_shared"),
    )
    .select_from(_items)
    .subquery("games")
)


def _lasts(link: type[FamilyLink] | type[FamilyMembership]) -> Any:
    """Whether a link is active or pending now."""
    is_open = or_(*(col(link.status) == status.value for status in (LinkStatus.PENDING, LinkStatus.ACTIVE)))
    return and_(is_open, or_(col(link.expires_at).is_(None), col(link.expires_at) > func.now()))


_L, _M = FamilyLink, FamilyMembership
_members = select(func.count()).select_from(_L).where(col(_L.owner_user_id) == user(), _lasts(_L))
_owners = select(func.count()).select_from(_M).where(col(_M.user_id) == user(), _lasts(_M))
_OVERVIEW = Statement(
    select(
        *_games.c, _members.scalar_subquery().label("family_members"), _owners.scalar_subquery().label("family_owners")
    ).select_from(_games)
)
_READER = RowReader(LibraryOverview, _OVERVIEW)


async def library_overview(connection: Connection, user_id: UUID) -> LibraryOverview:
    """Returns the overview of a user's library. One round trip."""
    row = await _OVERVIEW.first(connection, user_id=user_id)
    assert row is not None
    return _READER.read(row)
