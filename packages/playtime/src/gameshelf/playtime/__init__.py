"""How long a player has played: sessions, the ledger, totals and daily sums.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.playtime.commands import (
    DailyFilter,
    HistoryFilter,
    ImportSessions,
    OfflineSession,
    Period,
    StartSession,
    SummaryFilter,
)
from gameshelf.playtime.errors import SessionAlreadyEnded, SessionNotFound
from gameshelf.playtime.events import AnomalyFound, PlaytimeCorrected, SessionEnded, SessionStarted
from gameshelf.playtime.models import SCHEMA, EndReason
from gameshelf.playtime.ports import Access
from gameshelf.playtime.queries import DaySum, PlaytimeQueries, ProductSummary
from gameshelf.playtime.service import ImportResult, PlaytimeService
from gameshelf.playtime.store import StoredSession

__version__ = "0.1.0"

MIGRATIONS = Migrations("gameshelf.playtime", SCHEMA)

__all__ = [
    "MIGRATIONS",
    "Access",
    "AnomalyFound",
    "DailyFilter",
    "DaySum",
    "EndReason",
    "HistoryFilter",
    "ImportResult",
    "ImportSessions",
    "OfflineSession",
    "Period",
    "PlaytimeCorrected",
    "PlaytimeQueries",
    "PlaytimeService",
    "ProductSummary",
    "SessionAlreadyEnded",
    "SessionEnded",
    "SessionNotFound",
    "SessionStarted",
    "StartSession",
    "StoredSession",
    "SummaryFilter",
]
