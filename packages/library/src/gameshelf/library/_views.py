"""The results of reading a library, as plain values."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from gameshelf.library._installations import Installation, parse

Language = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as its user sees it. Times are aware and in UTC."""

    id: UUID
    product_id: UUID
    product_type: str | None
    title: str | None
    cover_image_url: str | None
    added_at: datetime
    acquisition_type: str
    shared_from_user_id: UUID | None
    installation_status: str
    installed_version_id: str | None
    last_played_at: datetime | None
    total_playtime_seconds: int
    is_hidden: bool
    user_rating: float | None
    category_ids: Sequence[UUID]
    installations_json: str
    """``installations`` as stored JSON: a service shows thousands of items per second and parses none of them."""

    @property
    def installations(self) -> Sequence[Installation]:
        """The installations of all devices. Status and version are the best of them, or those of the device of the
        query.
        """
        return parse(self.installations_json)

    @property
    def state(self) -> str:
        """Hash of the user's state of an item: whether it is hidden, its categories, its installations."""
        state = (self.is_hidden, sorted(map(str, self.category_ids)), [astuple(one) for one in self.installations])
        return blake2b(repr(state).encode(), digest_size=9).hexdigest()


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category of the user's own. Times are aware and in UTC.

    ``item_count`` counts the games that its list shows by default, so neither hidden ones nor those without access.
    """

    id: UUID
    name: str
    display_order: int
    item_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProductView:
    """The fields of a product that are shown."""

    product_id: UUID
    title_ru: str | None
    title_en: str | None
    cover_image_url: str | None

    def title(self, language: Language) -> str | None:
        """Returns the title in a language, else in the other one."""
        titles = (self.title_en, self.title_ru) if language == "en" else (self.title_ru, self.title_en)
        return titles[0] or titles[1]
