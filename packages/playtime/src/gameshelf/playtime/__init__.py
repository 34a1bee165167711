"""Playtime: sessions, the ledger, totals and daily sums.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.playtime._commands import (
    Breakdown,
    DailyFilter,
    HistoryFilter,
    ImportSessions,
    OfflineSession,
    Period,
    PlaytimeSummaryFilter,
    SessionStatus,
    StartSession,
    UnreadableSession,
)
from gameshelf.playtime._errors import CorrectionsExceedPlay, FamilySeatLost, SessionAlreadyEnded, SessionNotFound
from gameshelf.playtime._events import (
    AnomalyFound,
    PlaytimeChanged,
    PlaytimeCorrected,
    ProductPlaytime,
    SessionCopyChanged,
    SessionEnded,
    SessionResumed,
    SessionStarted,
)
from gameshelf.playtime._imports import ImportResult
from gameshelf.playtime._liveness import Beat, SessionEnd, SessionKey, ShardWatch, before_shard, shard_of
from gameshelf.playtime._models import METADATA, SCHEMA, SHARDS, EndReason
from gameshelf.playtime._ports import Copies, PlayedCopy
from gameshelf.playtime._queries.copies import CopyQueries
from gameshelf.playtime._queries.devices import PlayingDevice, last_import, playing_devices
from gameshelf.playtime._queries.finding import FoundSession, found_sessions
from gameshelf.playtime._queries.imports import ImportedPlay
from gameshelf.playtime._queries.overview import PlaytimeOverview, playtime_overview
from gameshelf.playtime._queries.playtime import DaySum, PlatformSummary, PlaytimeQueries, ProductSummary
from gameshelf.playtime._queries.support import (
    AnomalyPlace,
    Correction,
    CorrectionPlace,
    FlaggedPlay,
    LedgerEntry,
    PlaytimeSupportQueries,
    SessionPlace,
)
from gameshelf.playtime._queries.timeline import TIMELINE
from gameshelf.playtime._queries.unsynced import MAX_RUNNING_DEVICES, UnsyncedPlay
from gameshelf.playtime._rules import Interval
from gameshelf.playtime._service import MAX_CORRECTION, PlaytimeService
from gameshelf.playtime._store.liveness import Liveness
from gameshelf.playtime._store.recompute import Figures, TotalDiscrepancy
from gameshelf.playtime._store.sessions import StoredSession
from gameshelf.playtime._watch import Seen, Watch, longest_gap, may_end, next_watch

__version__ = "0.3.0.dev0"

MIGRATIONS = Migrations("gameshelf.playtime", SCHEMA, local_tables=frozenset({"playtime_watches"}))

__all__ = [
    "MAX_CORRECTION",
    "MAX_RUNNING_DEVICES",
    "METADATA",
    "MIGRATIONS",
    "SHARDS",
    "TIMELINE",
    "AnomalyFound",
    "AnomalyPlace",
    "Beat",
    "Breakdown",
    "Copies",
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
    "FoundSession",
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
    "PlayedCopy",
    "PlayingDevice",
    "PlaytimeChanged",
    "PlaytimeCorrected",
    "PlaytimeOverview",
    "PlaytimeQueries",
    "PlaytimeService",
    "PlaytimeSummaryFilter",
    "PlaytimeSupportQueries",
    "ProductPlaytime",
    "ProductSummary",
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
    "TotalDiscrepancy",
    "UnreadableSession",
    "UnsyncedPlay",
    "Watch",
    "before_shard",
    "found_sessions",
    "last_import",
    "longest_gap",
    "may_end",
    "next_watch",
    "playing_devices",
    "playtime_overview",
    "shard_of",
]
