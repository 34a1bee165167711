"""The achievements of players: definitions, progress, unlocks and rarity.

This module is the whole public API of the package. Don't import from the modules below it.
"""

from gameshelf.achievements._attempts.attempts import AttemptKey, RefusedAttempts, attempt_subject
from gameshelf.achievements._attempts.queries import refused_attempts
from gameshelf.achievements._attempts.store import MAX_REFUSED, RefusedAttemptStore, prune_refused_attempts
from gameshelf.achievements._commands import (
    MAX_IMPORT,
    AchievementSummaryFilter,
    ImportAchievements,
    NamedAchievement,
    OfflineAchievement,
    ProgressUpdate,
    ReportProgress,
    UnreadableAchievement,
)
from gameshelf.achievements._definitions import MAX_DEFINITIONS, DefinitionFact, Definitions
from gameshelf.achievements._errors import AchievementAlreadyUnlocked, AchievementNotFound
from gameshelf.achievements._events import AchievementLocked, AchievementUnlocked
from gameshelf.achievements._models import METADATA, SCHEMA
from gameshelf.achievements._queries import AchievementQueries, AchievementSummary, count_unlocked
from gameshelf.achievements._service import (
    AchievementService,
    ImportedAchievement,
    Reported,
    ReportOutcome,
    SupportedChange,
)
from gameshelf.achievements._store import (
    CounterDifference,
    PlayersInProgress,
    RarityCounters,
    RarityRecounts,
    RecountProgress,
    TargetReview,
)
from gameshelf.achievements._target_reviews import TargetReviews
from gameshelf.achievements._timeline.queries import TIMELINE
from gameshelf.achievements._views import Achievement, AchievementRarity, AchievementState, Language
from gameshelf.kernel.migrations import Migrations

__version__ = "0.3.0.dev0"

MIGRATIONS = Migrations(
    "gameshelf.achievements",
    SCHEMA,
    local_tables=frozenset({"recounts"}),
    whole_tables=frozenset({"rarity_deltas"}),
)

__all__ = [
    "MAX_DEFINITIONS",
    "MAX_IMPORT",
    "MAX_REFUSED",
    "METADATA",
    "MIGRATIONS",
    "TIMELINE",
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
    "AttemptKey",
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
    "RefusedAttemptStore",
    "RefusedAttempts",
    "ReportOutcome",
    "ReportProgress",
    "Reported",
    "SupportedChange",
    "TargetReview",
    "TargetReviews",
    "UnreadableAchievement",
    "attempt_subject",
    "count_unlocked",
    "prune_refused_attempts",
    "refused_attempts",
]
