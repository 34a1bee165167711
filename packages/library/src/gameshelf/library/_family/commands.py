"""Commands and filters of family links, validated."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.library._models import LinkMode, LinkStatus
from pydantic import BaseModel, ConfigDict, Field

MAX_PRODUCTS = 1000
"""How many products a link names at most."""

SharedProducts = Annotated[tuple[UUID, ...], Field(max_length=MAX_PRODUCTS)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewLink(_Command):
    """An invitation to play games of the user."""

    shared_with_user_id: UUID
    """User who is invited."""
    mode: LinkMode = LinkMode.ALL
    """Which games are shared; `all` if it is left out."""
    product_ids: SharedProducts = ()
    """Products that the modes `only` and `except` are about."""
    expires_at: Moment | None = None
    """When the link ends by itself; null or left out: never."""


class LinkChanges(_Command):
    """Changes to a link; a field that is left out stays as it is."""

    mode: LinkMode = LinkMode.ALL
    """Which games are shared. `all` clears `product_ids`."""
    product_ids: SharedProducts = ()
    """Products that the modes `only` and `except` are about."""
    expires_at: Moment | None = None
    """When the link ends by itself; null: never."""


class Direction(StrEnum):
    """The side of a link that a user is on: `owner` or `member`."""

    OWNER = "owner"
    MEMBER = "member"


class LinkFilter(_Command):
    """Which links are listed."""

    direction: Direction | None = None
    """Only links of which the user is the owner, or the member."""
    status: Annotated[tuple[LinkStatus, ...], Field(max_length=len(LinkStatus))] = ()
    """States, comma separated. Links in any of them are listed."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


def require_scope(mode: LinkMode, product_ids: SharedProducts) -> None:
    """Raises InvalidInput where products are named for the mode ``all``."""
    if mode is LinkMode.ALL and product_ids:
        raise InvalidInput(Problem("no_products_for_all", pointer="product_ids"))
