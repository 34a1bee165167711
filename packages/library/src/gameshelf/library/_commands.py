"""Commands and filters of a library, validated."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from gameshelf.kernel.errors import Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import NORMALISED, Name
from gameshelf.library._models import InstallationStatus
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

MAX_CATEGORIES = 200
"""How many categories a user may have; also how many an item may be in."""


class ItemSort(StrEnum):
    """Orders of the library. `name_asc`, `name_desc`: by title; `last_played_desc`: the last played first;
    `added_at_desc`: the latest addition first; `playtime_desc`: the most played first.
    """

    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"
    LAST_PLAYED_DESC = "last_played_desc"
    ADDED_AT_DESC = "added_at_desc"
    PLAYTIME_DESC = "playtime_desc"


class HiddenFilter(StrEnum):
    """Whether hidden items are listed: `false` (not), `true` (with the others) or `only`."""

    EXCLUDE = "false"
    INCLUDE = "true"
    ONLY = "only"


_AS_BOOLEAN = TypeAdapter(bool)


def _hidden(value: Any) -> Any:
    """A boolean in any of the forms that a query has for one."""
    try:
        return HiddenFilter.INCLUDE if _AS_BOOLEAN.validate_python(value) else HiddenFilter.EXCLUDE
    except ValidationError:
        return value


class SharedFilter(StrEnum):
    """Whether games that a family member shares are listed: `include`, `only` or `exclude`."""

    INCLUDE = "include"
    ONLY = "only"
    EXCLUDE = "exclude"


ProductType = Annotated[str, Field(min_length=1, max_length=50), NORMALISED]


class _Command(BaseModel):
    """Input of a use case. In a command that changes something, a default only means that the field may be left out:
    ``model_fields_set`` contains the fields that were sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemFilter(_Command):
    """Which items of a library, in which order, and which page of them.

    ``search`` is a part of the title in either language, in any case, of at most 200 code points; no character of it
    is special. An empty ``status``, ``search``, ``product_ids`` or ``product_type`` filters nothing.
    """

    status: tuple[InstallationStatus, ...] = Field(default=(), max_length=len(InstallationStatus))
    """Installation statuses, comma separated. Items with any of them are listed."""
    category_id: UUID | None = None
    """Category that the items are in."""
    search: Annotated[str, Field(max_length=200), NORMALISED] = ""
    """Part of the title in either language, in any case. No character is special."""
    sort_by: ItemSort = ItemSort.LAST_PLAYED_DESC
    """Order of the items."""
    include_hidden: Annotated[HiddenFilter, BeforeValidator(_hidden)] = HiddenFilter.EXCLUDE
    """Whether hidden items are listed."""
    shared: SharedFilter = SharedFilter.INCLUDE
    """Whether shared games are listed."""
    product_ids: tuple[UUID, ...] = Field(default=(), max_length=100)
    """Products, comma separated: which of these does the user have?"""
    product_type: tuple[ProductType, ...] = Field(default=(), max_length=20)
    """Types of products as the Catalog names them, comma separated, such as `game`."""
    uncategorized: bool = False
    """With `true` only items that are in no category."""
    played: bool | None = None
    """With `true` only items that were ever played, with `false` only the others."""
    device_id: Name | None = None
    """Device whose installation `status` filters by, and the items show."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        """The page to return."""
        return Page(self.page, self.limit)


class OnDevice(_Command):
    """Of which device an item shows the installation; left out, the best of all."""

    device_id: Name | None = None
    """Device whose installation the item shows; left out, the best of all devices."""


class ClaimProduct(_Command):
    """The product to claim."""

    product_id: UUID
    """A product that the Catalog calls free to play."""


_Categories = Annotated[tuple[UUID, ...], Field(max_length=MAX_CATEGORIES)]


class ItemChanges(_Command):
    """Changes to an item; a field that is left out stays as it is. `category_ids` excludes the other two lists."""

    is_hidden: bool = False
    """Whether the item is hidden."""
    category_ids: _Categories = ()
    """The categories that the item is in from now on, in place of all others."""
    add_category_ids: _Categories = ()
    """Categories to add the item to."""
    remove_category_ids: _Categories = ()
    """Categories to remove the item from."""
    installation_status: InstallationStatus = InstallationStatus.NOT_INSTALLED
    """Installation status, as of now."""
    installed_version_id: Name | None = None
    """Version that is installed; null clears it."""
    device_id: Name = "-"
    """Device that the installation is about; left out, all devices."""

    def problems(self, prefix: str = "") -> list[Problem]:
        """Returns the problems of fields that exclude each other; ``prefix`` is put before their names in a path."""
        edits = self.model_fields_set & {"add_category_ids", "remove_category_ids"}
        found = []
        if edits and "category_ids" in self.model_fields_set:
            found.append(Problem("categories_or_changes", pointer=f"{prefix}category_ids"))
        if set(self.add_category_ids) & set(self.remove_category_ids):
            found.append(Problem("added_and_removed", pointer=f"{prefix}remove_category_ids"))
        return found


class BulkItem(ItemChanges):
    """Changes to one of many items; a field that is left out stays as it is."""

    id: UUID
    """Id of the item."""


class BulkChanges(_Command):
    """Changes to many items."""

    most_values: ClassVar[int] = 20_000
    """How many values all items together may have. The transport counts them before it parses the command."""

    items: tuple[BulkItem, ...] = Field(min_length=1, max_length=500)
    """The items with their changes; each item once."""


DisplayOrder = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


CategoryName = Annotated[Name, BeforeValidator(_trimmed)]


class NewCategory(_Command):
    """A new category."""

    name: CategoryName
    """Name of the category, unique for the user without regard to case and spacing."""
    display_order: DisplayOrder = 0
    """Position in the list of categories, the lowest first; 0 if it is left out."""


class CategoryChanges(_Command):
    """Changes to a category; a field that is left out stays as it is."""

    name: CategoryName = "-"
    """Name of the category, unique for the user without regard to case and spacing."""
    display_order: DisplayOrder = 0
    """Position in the list of categories, the lowest first."""
