"""What a client may ask and change of links, validated."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from gameshelf.library.models import LinkMode, LinkStatus
from pydantic import BaseModel, ConfigDict, Field

MAX_PRODUCTS = 1000
"""How many products a link names at most."""

Products = Annotated[tuple[UUID, ...], Field(max_length=MAX_PRODUCTS)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewLink(_Command):
    """Games to be shared with somebody."""

    shared_with_user_id: UUID
    mode: LinkMode = LinkMode.ALL
    product_ids: Products = ()
    expires_at: Moment | None = None


class LinkChanges(_Command):
    """Changes to what is shared; what is left out stays as it is, null as ``expires_at`` clears it."""

    mode: LinkMode = LinkMode.ALL
    product_ids: Products = ()
    expires_at: Moment | None = None


class Direction(StrEnum):
    """On which side of a link a user stands."""

    OWNER = "owner"
    MEMBER = "member"


class LinkFilter(_Command):
    """Which links are listed."""

    direction: Direction | None = None
    status: Annotated[tuple[LinkStatus, ...], Field(max_length=len(LinkStatus))] = ()
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


def require_scope(mode: LinkMode, product_ids: Products) -> None:
    """Products are named where they mean something. Raises InvalidInput."""
    if mode is LinkMode.ALL and product_ids:
        raise InvalidInput(Problem("no_products_for_all", pointer="/data/attributes/product_ids"))
