"""How long a player has played: sessions, the ledger, totals and daily sums.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.playtime.commands import (
    Breakdown,
    DailyFilter,
    HistoryFilter,
    ImportSessions,
    OfflineSession,
    Period,
    SessionStatus,
    StartSession,
    SummaryFilter,
    UnreadableSession,
)
from gameshelf.playtime.copies import CopyQueries
from gameshelf.playtime.errors import CorrectionsExceedPlay, FamilySeatLost, SessionAlreadyEnded, SessionNotFound
from gameshelf.playtime.events import (
    AnomalyFound,
    PlaytimeChanged,
    PlaytimeCorrected,
    ProductPlaytime,
    SessionCopyChanged,
    SessionEnded,
    SessionResumed,
    SessionStarted,
)
from gameshelf.playtime.imports import ImportedPlay
from gameshelf.playtime.liveness import Beat, Liveness, SessionEnd, SessionKey, ShardWatch, before_shard, shard_of
from gameshelf.playtime.models import LOCK_SPACE, METADATA, SCHEMA, SHARDS, EndReason
from gameshelf.playtime.overview import PlaytimeOverview, playtime_overview
from gameshelf.playtime.ports import Copies, Copy
from gameshelf.playtime.queries import DaySum, PlatformSummary, PlaytimeQueries, ProductSummary
from gameshelf.playtime.recompute import Figures, Recount
from gameshelf.playtime.rules import Interval
from gameshelf.playtime.service import MAX_CORRECTION, ImportResult, PlaytimeService
from gameshelf.playtime.store import StoredSession
from gameshelf.playtime.support import (
    AnomalyPlace,
    Correction,
    CorrectionPlace,
    FlaggedPlay,
    LedgerEntry,
    SessionPlace,
    SupportQueries,
)
from gameshelf.playtime.watch import Seen, Watch, longest_gap, may_end, next_watch

__version__ = "0.1.0.dev0"

MIGRATIONS = Migrations("gameshelf.playtime", SCHEMA)

__all__ = [
    "LOCK_SPACE",
    "MAX_CORRECTION",
    "METADATA",
    "MIGRATIONS",
    "SHARDS",
    "AnomalyFound",
    "AnomalyPlace",
    "Beat",
    "Breakdown",
    "Copies",
    "Copy",
    "CopyQueries",
    "Correction",
    "CorrectionPlace",
    "CorrectionsExceedPlay",
    "DailyFilter",
    "DaySum",
    "EndReason",
    "FamilySeatLost",
    "Figures",
    "FlaggedPlay",
    "HistoryFilter",
    "ImportResult",
    "ImportSessions",
    "ImportedPlay",
    "Interval",
    "LedgerEntry",
    "Liveness",
    "OfflineSession",
    "Period",
    "PlatformSummary",
    "PlaytimeChanged",
    "PlaytimeCorrected",
    "PlaytimeOverview",
    "PlaytimeQueries",
    "PlaytimeService",
    "ProductPlaytime",
    "ProductSummary",
    "Recount",
    "Seen",
    "SessionAlreadyEnded",
    "SessionCopyChanged",
    "SessionEnd",
    "SessionEnded",
    "SessionKey",
    "SessionNotFound",
    "SessionPlace",
    "SessionResumed",
    "SessionStarted",
    "SessionStatus",
    "ShardWatch",
    "StartSession",
    "StoredSession",
    "SummaryFilter",
    "SupportQueries",
    "UnreadableSession",
    "Watch",
    "before_shard",
    "longest_gap",
    "may_end",
    "next_watch",
    "playtime_overview",
    "shard_of",
]
