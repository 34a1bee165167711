"""How rare a product's achievements are: what a store page shows to everybody, of no user in particular."""

from dataclasses import dataclass
from uuid import UUID

from gameshelf.achievements.models import AchievementMetadata, AchievementUnlocks, ProductOwners
from gameshelf.achievements.rules import rarity
from gameshelf.achievements.views import Language, in_language
from gameshelf.kernel.database import Statement
from sqlalchemy import Uuid, bindparam, func, select
from sqlmodel import col

_M, _A, _O = AchievementMetadata, AchievementUnlocks, ProductOwners


@dataclass(frozen=True, slots=True)
class AchievementRarity:
    """A definition and its rarity. ``unlocks`` and ``owners`` are the counters behind it."""

    id: UUID
    product_id: UUID
    api_name: str | None
    name_ru: str | None
    name_en: str | None
    description_ru: str | None
    description_en: str | None
    icon_url_locked: str | None
    icon_url_unlocked: str | None
    is_hidden: bool
    unlocks: int
    owners: int

    @property
    def rarity(self) -> float | None:
        """Owners who unlocked it over owners, in percent with one decimal; None without owners."""
        return rarity(self.unlocks, self.owners)

    def name(self, language: Language) -> str | None:
        """Its name, in the other language where there is none in this one; None for a hidden one."""
        return None if self.is_hidden else in_language(language, self.name_ru, self.name_en)

    def description(self, language: Language) -> str | None:
        """Its description, by the same rules."""
        return None if self.is_hidden else in_language(language, self.description_ru, self.description_en)


RARITIES_OF_PRODUCT = Statement(
    select(
        col(_M.id),
        col(_M.product_id),
        col(_M.api_name),
        col(_M.name_ru),
        col(_M.name_en),
        col(_M.description_ru),
        col(_M.description_en),
        col(_M.icon_url_locked),
        col(_M.icon_url_unlocked),
        func.coalesce(_M.is_hidden, False).label("is_hidden"),
        func.coalesce(_A.unlocks, 0).label("unlocks"),
        func.coalesce(_O.owners, 0).label("owners"),
    )
    .select_from(_M)
    .outerjoin(_A, col(_A.achievement_meta_id) == col(_M.id))
    .outerjoin(_O, col(_O.product_id) == col(_M.product_id))
    .where(col(_M.product_id) == bindparam("product_id", type_=Uuid))
    .order_by(col(_M.api_name).asc().nulls_last(), col(_M.id))
)
