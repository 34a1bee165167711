"""What a user may ask of their library, validated."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from gameshelf.kernel.errors import Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from gameshelf.kernel.text import NORMALISED, Name
from gameshelf.library.models import InstallationStatus
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

MAX_CATEGORIES = 200
"""How many categories a user may have; also how many an item may be in."""


class ItemSort(StrEnum):
    """Orders of the library. Each ends in the item's id, so pages never overlap."""

    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"
    LAST_PLAYED_DESC = "last_played_desc"
    ADDED_AT_DESC = "added_at_desc"
    PLAYTIME_DESC = "playtime_desc"


class HiddenFilter(StrEnum):
    """Whether hidden games are listed."""

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
    """Whether games that a family member shares are listed."""

    INCLUDE = "include"
    ONLY = "only"
    EXCLUDE = "exclude"


ProductType = Annotated[str, Field(min_length=1, max_length=50), NORMALISED]


class _Command(BaseModel):
    """Input of a use case. Of what changes something, a default only says that the field may be left out:
    ``model_fields_set`` tells what was sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemFilter(_Command):
    """Which items of a library, in which order, and which page of them.

    ``search`` is a part of the title in either language, in any case, of at most 200 code points; no character of it
    is special. An empty ``status``, ``search``, ``product_ids`` or ``product_type`` filters nothing.
    """

    status: tuple[InstallationStatus, ...] = Field(default=(), max_length=len(InstallationStatus))
    category_id: UUID | None = None
    search: Annotated[str, Field(max_length=200), NORMALISED] = ""
    sort_by: ItemSort = ItemSort.LAST_PLAYED_DESC
    include_hidden: Annotated[HiddenFilter, BeforeValidator(_hidden)] = HiddenFilter.EXCLUDE
    shared: SharedFilter = SharedFilter.INCLUDE
    product_ids: tuple[UUID, ...] = Field(default=(), max_length=100)
    product_type: tuple[ProductType, ...] = Field(default=(), max_length=20)
    """Any of them, as the Catalog calls it (or the purchase did), in this very case."""
    uncategorized: bool = False
    """Only those in no category."""
    played: bool | None = None
    """Only those that were ever played; false: only those that were not."""
    device_id: Name | None = None
    """On which device ``status`` counts; both fields of the summary are that device's, too."""
    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        """The page that is wanted."""
        return Page(self.page, self.limit)


class OnDevice(_Command):
    """Of which device an item shows the installation; left out, the best of all."""

    device_id: Name | None = None


class ClaimProduct(_Command):
    """Claims a free-to-play product."""

    product_id: UUID


_Categories = Annotated[tuple[UUID, ...], Field(max_length=MAX_CATEGORIES)]


class ItemChanges(_Command):
    """Changes to an item; what is left out stays as it is. ``category_ids`` replaces the whole set, and excludes the
    other two.
    """

    is_hidden: bool = False
    category_ids: _Categories = ()
    add_category_ids: _Categories = ()
    remove_category_ids: _Categories = ()
    installation_status: InstallationStatus = InstallationStatus.NOT_INSTALLED
    installed_version_id: Name | None = None
    device_id: Name = "-"
    """Which device the installation is about; left out, it is about all of them."""

    def problems(self, pointer: str) -> list[Problem]:
        """What is wrong with the fields together; ``pointer`` is where they stand."""
        edits = self.model_fields_set & {"add_category_ids", "remove_category_ids"}
        found = []
        if edits and "category_ids" in self.model_fields_set:
            found.append(Problem("categories_or_changes", pointer=f"{pointer}/category_ids"))
        if set(self.add_category_ids) & set(self.remove_category_ids):
            found.append(Problem("added_and_removed", pointer=f"{pointer}/remove_category_ids"))
        return found


class BulkItem(ItemChanges):
    """Changes to one of many items."""

    id: UUID


class BulkChanges(_Command):
    """Changes to many items at once; each is named once."""

    most_values: ClassVar[int] = 20_000
    """How many values it may have, of all items together. Whoever reads it counts them first."""

    items: tuple[BulkItem, ...] = Field(min_length=1, max_length=500)


DisplayOrder = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


CategoryName = Annotated[Name, BeforeValidator(_trimmed)]


class NewCategory(_Command):
    """A new category. Its name is unique a user, by its folded form."""

    name: CategoryName
    display_order: DisplayOrder = 0


class CategoryChanges(_Command):
    """Changes to a category; what is left out stays as it is."""

    name: CategoryName = "-"
    display_order: DisplayOrder = 0
