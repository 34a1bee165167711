"""An achievement as callers see it: with the state of one user, or with its rarity alone."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from gameshelf.achievements._models import (
    AchievementMetadata,
    AchievementUnlocks,
    OwnedProduct,
    ProductOwners,
    UserAchievement,
)
from gameshelf.achievements._rules import Reached, Step, rarity, rarity_with
from gameshelf.kernel.sql import user
from sqlalchemy import and_, func, literal, select
from sqlmodel import col

Language = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class AchievementState:
    """A user's state of an achievement. An achievement that was never begun is locked and has no progress."""

    is_unlocked: bool = False
    unlocked_at: datetime | None = None
    current_progress: int | None = None
    rarity_at_unlock: float | None = None


@dataclass(frozen=True, slots=True)
class Achievement:
    """A definition and a user's state of it. ``unlocks`` and ``owners`` are the counters behind its rarity."""

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
    target: int | None
    """The progress that unlocks it; None while the Catalog has published no target. Then no progress unlocks it."""
    server_authoritative: bool
    is_unlocked: bool
    unlocked_at: datetime | None
    current_progress: int | None
    rarity_at_unlock: float | None
    """In percent, with one decimal."""
    unlocks: int
    owners: int
    is_owned: bool
    """Whether the user owns the product personally, and so counts in its rarities."""

    @property
    def rarity(self) -> float | None:
        """The owners who have unlocked it, in percent of all owners, with one decimal; None without owners."""
        return rarity(self.unlocks, self.owners)

    @property
    def is_secret(self) -> bool:
        """Whether the user may not see its name and description."""
        return self.is_hidden and not self.is_unlocked

    def name(self, language: Language) -> str | None:
        """Returns its name in this language, or in the other one where it has none; None for a secret achievement."""
        return None if self.is_secret else in_language(language, self.name_ru, self.name_en)

    def description(self, language: Language) -> str | None:
        """Returns its description, by the same rules as ``name``."""
        return None if self.is_secret else in_language(language, self.description_ru, self.description_en)

    @property
    def state(self) -> AchievementState:
        """The user's state alone."""
        return AchievementState(self.is_unlocked, self.unlocked_at, self.current_progress, self.rarity_at_unlock)

    def after(self, reached: Reached, at: datetime) -> "Achievement":
        """Returns the achievement after a progress that was reached at that time."""
        if reached.step is Step.UNLOCK:
            rare = rarity_with(self.unlocks, self.owners, counts=self.is_owned)
            return self.put(AchievementState(True, at, reached.current, rare))
        return replace(self, current_progress=reached.current)

    def put(self, state: AchievementState) -> "Achievement":
        """Returns the achievement with another state of the user. Only an unlock or a lock of an owner changes the
        counters.
        """
        change = (state.is_unlocked - self.is_unlocked) if self.is_owned else 0
        return replace(
            self,
            is_unlocked=state.is_unlocked,
            unlocked_at=state.unlocked_at,
            current_progress=state.current_progress,
            rarity_at_unlock=state.rarity_at_unlock,
            unlocks=max(self.unlocks + change, 0),
            owners=max(self.owners, 1) if self.is_owned else self.owners,
        )


@dataclass(frozen=True, slots=True)
class AchievementRarity:
    """A definition and its rarity, without any user's state. ``unlocks`` and ``owners`` are the counters behind it."""

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
        """The owners who have unlocked it, in percent of all owners, with one decimal; None without owners."""
        return rarity(self.unlocks, self.owners)

    def name(self, language: Language) -> str | None:
        """Returns its name in this language, or in the other one where it has none; None for a hidden achievement."""
        return None if self.is_hidden else in_language(language, self.name_ru, self.name_en)

    def description(self, language: Language) -> str | None:
        """Returns its description, by the same rules as ``name``."""
        return None if self.is_hidden else in_language(language, self.description_ru, self.description_en)


def in_language(language: Language, ru: str | None, en: str | None) -> str | None:
    """Returns the text in this language, or in the other one where there is none."""
    return (en or ru) if language == "en" else (ru or en)


_M, _U, _A, _O = AchievementMetadata, UserAchievement, AchievementUnlocks, ProductOwners
_owned = (
    select(literal(1))
    .where(col(OwnedProduct.user_id) == user(), col(OwnedProduct.product_id) == col(_M.product_id))
    .exists()
)


def achievements_of_user() -> Any:
    """Selects every definition with the state of the user: the fields of ``Achievement``."""
    return (
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
            col(_M.target_progress).label("target"),
            func.coalesce(_M.server_authoritative, False).label("server_authoritative"),
            func.coalesce(_U.is_unlocked, False).label("is_unlocked"),
            col(_U.unlocked_at),
            col(_U.current_progress),
            col(_U.rarity_at_unlock),
            func.coalesce(_A.unlocks, 0).label("unlocks"),
            func.coalesce(_O.owners, 0).label("owners"),
            _owned.label("is_owned"),
        )
        .select_from(_M)
        .outerjoin(_U, and_(col(_U.user_id) == user(), col(_U.achievement_meta_id) == col(_M.id)))
        .outerjoin(_A, col(_A.achievement_meta_id) == col(_M.id))
        .outerjoin(_O, col(_O.product_id) == col(_M.product_id))
    )
