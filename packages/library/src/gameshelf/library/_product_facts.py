"""Facts about products that the Catalog publishes, and the columns that follow from them. No I/O, no clock.

Each field has its newest value, by the Catalog's own time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from gameshelf.kernel.clock import not_in_future
from gameshelf.kernel.folding import fold_title
from gameshelf.kernel.text import NORMALISED
from gameshelf.library._rules import is_newer
from pydantic import BaseModel, ConfigDict, Field, StrictBool

_Title = Annotated[str, Field(min_length=1, max_length=500), NORMALISED]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_type: Annotated[str, Field(min_length=1, max_length=50), NORMALISED] | None = None
    title_ru: _Title | None = None
    title_en: _Title | None = None
    cover_image_url: Annotated[str, Field(max_length=2000), NORMALISED] | None = None
    is_free_to_play: StrictBool | None = None
    family_sharing_allowed: StrictBool | None = None


FIELDS = tuple(_Values.model_fields)
"""The fields that the Catalog may set, each with a time of its own in the column ``<field>_at``."""
SORT_KEYS = ("sort_key_ru", "sort_key_en")
COLUMNS = (*FIELDS, *(f"{name}_at" for name in FIELDS), *SORT_KEYS)
"""The columns of a product that ``merge`` makes: all but its id."""


@dataclass(frozen=True, slots=True)
class ProductFact:
    """Fields of one product that the Catalog published at one time (aware); a field that is absent or None stays as it
    is.

    Its texts are brought into NFC. Raises ValueError for a name or a value that no product can have.
    """

    product_id: UUID
    said_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    """Any of ``title_ru``, ``title_en`` (1 to 500 code points), ``cover_image_url`` (at most 2000), ``product_type`` (1
    to 50), ``is_free_to_play`` and ``family_sharing_allowed``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _Values.model_validate(self.values).model_dump(exclude_none=True))


def merge(product: dict[str, Any], fact: ProductFact, now: datetime) -> dict[str, Any]:
    """Returns the columns of a product once ``fact`` is known too: every field keeps its newest value."""
    said_at = not_in_future(fact.said_at, now)
    merged = dict(product)
    for name, value in fact.values.items():
        if is_newer(said_at, merged[f"{name}_at"]):
            merged[name], merged[f"{name}_at"] = value, said_at
    merged |= zip(SORT_KEYS, sort_keys(merged["title_ru"], merged["title_en"]), strict=True)
    return merged


def sort_keys(title_ru: str | None, title_en: str | None) -> tuple[str | None, str | None]:
    """Returns the keys by which a product's Russian and English titles are sorted and searched.

    A title in one language stands in for the other one.
    """
    return _sort_key(title_ru or title_en), _sort_key(title_en or title_ru)


def _sort_key(title: str | None) -> str | None:
    # A title of punctuation alone folds to nothing; it keeps its own form, so that it is sorted, too.
    return None if title is None else fold_title(title) or title.casefold()
