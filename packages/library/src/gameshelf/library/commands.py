"""What a user may ask of their library, validated."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from gameshelf.kernel.text import NORMALISED, Name
from gameshelf.library.models import InstallationStatus
from pydantic import BaseModel, ConfigDict, Field

MAX_CATEGORIES = 200
"""How many categories a user may have; also how many an item may be in."""


class ItemSort(StrEnum):
    """Orders of the library. Each ends in the item's id, so pages never overlap."""

    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"
    LAST_PLAYED_DESC = "last_played_desc"
    ADDED_AT_DESC = "added_at_desc"
    PLAYTIME_DESC = "playtime_desc"


class SharedFilter(StrEnum):
    """Whether games that a family member shares are listed."""

    INCLUDE = "include"
    ONLY = "only"
    EXCLUDE = "exclude"


class _Command(BaseModel):
    """Input of a use case. Of what changes something, a default only says that the field may be left out:
    ``model_fields_set`` tells what was sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemFilter(_Command):
    """Which items of a library, in which order, and which page of them.

    ``search`` is a part of the title in either language, in any case, of at most 200 code points; no character of it
    is special. An empty ``status`` or ``search`` filters nothing.
    """

    status: tuple[InstallationStatus, ...] = Field(default=(), max_length=len(InstallationStatus))
    category_id: UUID | None = None
    search: Annotated[str, Field(max_length=200), NORMALISED] = ""
    sort_by: ItemSort = ItemSort.LAST_PLAYED_DESC
    include_hidden: bool = False
    shared: SharedFilter = SharedFilter.INCLUDE
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        """The page that is wanted."""
        return Page(self.page, self.limit)


class ClaimProduct(_Command):
    """Claims a free-to-play product."""

    product_id: UUID


class ItemChanges(_Command):
    """Changes to an item; what is left out stays as it is. ``category_ids`` replaces the whole set."""

    is_hidden: bool = False
    category_ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_CATEGORIES)
    installation_status: InstallationStatus = InstallationStatus.NOT_INSTALLED
    installed_version_id: Name | None = None


DisplayOrder = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class NewCategory(_Command):
    """A new category. Its name is unique a user."""

    name: Name
    display_order: DisplayOrder = 0


class CategoryChanges(_Command):
    """Changes to a category; what is left out stays as it is."""

    name: Name = "-"
    display_order: DisplayOrder = 0
