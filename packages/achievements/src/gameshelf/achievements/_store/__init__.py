"""The statements that write achievements, with the reads that a decision to write needs."""

from gameshelf.achievements._store.achievements import AchievementStore, lookup_states
from gameshelf.achievements._store.counters import CounterDifference, RarityCounters
from gameshelf.achievements._store.definitions import DefinitionStore
from gameshelf.achievements._store.recounts import RarityRecounts, RecountProgress
from gameshelf.achievements._store.target_reviews import (
    PlayersInProgress,
    TargetReview,
    TargetReviewStore,
    UnlockOfReview,
)

__all__ = [
    "AchievementStore",
    "CounterDifference",
    "DefinitionStore",
    "PlayersInProgress",
    "RarityCounters",
    "RarityRecounts",
    "RecountProgress",
    "TargetReview",
    "TargetReviewStore",
    "UnlockOfReview",
    "lookup_states",
]
