"""What players have achieved: definitions, progress, unlocks, and how rare they are.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.achievements.commands import (
    MAX_IMPORT,
    ImportAchievements,
    NamedAchievement,
    OfflineAchievement,
    Progress,
    ReportProgress,
    SummaryFilter,
    Unreadable,
)
from gameshelf.achievements.counters import Difference, RarityCounters
from gameshelf.achievements.definitions import MAX_DEFINITIONS, DefinitionFact, Definitions
from gameshelf.achievements.errors import AchievementAlreadyUnlocked, AchievementNotFound
from gameshelf.achievements.events import AchievementLocked, AchievementUnlocked
from gameshelf.achievements.models import LOCK_SPACE, METADATA, SCHEMA
from gameshelf.achievements.overview import count_unlocked
from gameshelf.achievements.queries import AchievementQueries, ProductAchievements
from gameshelf.achievements.rarities import AchievementRarity
from gameshelf.achievements.recounts import RecountProgress, Recounts
from gameshelf.achievements.service import AchievementService, ImportedAchievement, Outcome, Reported, Supported
from gameshelf.achievements.target_reviews import TargetReview, TargetReviews
from gameshelf.achievements.views import Achievement, AchievementState, Language
from gameshelf.kernel.migrations import Migrations

__version__ = "0.1.0.dev0"

MIGRATIONS = Migrations("gameshelf.achievements", SCHEMA)

__all__ = [
    "LOCK_SPACE",
    "MAX_DEFINITIONS",
    "MAX_IMPORT",
    "METADATA",
    "MIGRATIONS",
    "Achievement",
    "AchievementAlreadyUnlocked",
    "AchievementLocked",
    "AchievementNotFound",
    "AchievementQueries",
    "AchievementRarity",
    "AchievementService",
    "AchievementState",
    "AchievementUnlocked",
    "DefinitionFact",
    "Definitions",
    "Difference",
    "ImportAchievements",
    "ImportedAchievement",
    "Language",
    "NamedAchievement",
    "OfflineAchievement",
    "Outcome",
    "ProductAchievements",
    "Progress",
    "RarityCounters",
    "RecountProgress",
    "Recounts",
    "ReportProgress",
    "Reported",
    "SummaryFilter",
    "Supported",
    "TargetReview",
    "TargetReviews",
    "Unreadable",
    "count_unlocked",
]
