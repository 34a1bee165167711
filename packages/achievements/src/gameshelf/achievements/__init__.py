"""The achievements of players: definitions, progress, unlocks and rarity.

This module is the whole public API of the package. Don't import from the modules below it.
"""

from gameshelf.achievements.commands import (
    MAX_IMPORT,
    AchievementSummaryFilter,
    ImportAchievements,
    NamedAchievement,
    OfflineAchievement,
    ProgressUpdate,
    ReportProgress,
    UnreadableAchievement,
)
from gameshelf.achievements.definitions import MAX_DEFINITIONS, DefinitionFact, Definitions
from gameshelf.achievements.errors import AchievementAlreadyUnlocked, AchievementNotFound
from gameshelf.achievements.events import AchievementLocked, AchievementUnlocked
from gameshelf.achievements.models import METADATA, SCHEMA
from gameshelf.achievements.queries import AchievementQueries, AchievementSummary, count_unlocked
from gameshelf.achievements.service import (
    AchievementService,
    ImportedAchievement,
    Reported,
    ReportOutcome,
    SupportedChange,
)
from gameshelf.achievements.store import (
    CounterDifference,
    PlayersInProgress,
    RarityCounters,
    RarityRecounts,
    RecountProgress,
    TargetReview,
)
from gameshelf.achievements.target_reviews import TargetReviews
from gameshelf.achievements.views import Achievement, AchievementRarity, AchievementState, Language
from gameshelf.kernel.migrations import Migrations

__version__ = "0.1.0.dev0"

MIGRATIONS = Migrations("gameshelf.achievements", SCHEMA)

__all__ = [
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
    "AchievementSummary",
    "AchievementSummaryFilter",
    "AchievementUnlocked",
    "CounterDifference",
    "DefinitionFact",
    "Definitions",
    "ImportAchievements",
    "ImportedAchievement",
    "Language",
    "NamedAchievement",
    "OfflineAchievement",
    "PlayersInProgress",
    "ProgressUpdate",
    "RarityCounters",
    "RarityRecounts",
    "RecountProgress",
    "ReportOutcome",
    "ReportProgress",
    "Reported",
    "SupportedChange",
    "TargetReview",
    "TargetReviews",
    "UnreadableAchievement",
    "count_unlocked",
]
