"""Every command of support: who may run it, what is remembered of it, and whether it can be taken back. The one table.

``docs/support/commands.md`` is made from it.
"""

from dataclasses import dataclass
from enum import StrEnum

from gameshelf.gateway.runtime.identity import Role

ANY = frozenset({Role.SUPPORT, Role.ADMIN})
ADMIN = frozenset({Role.ADMIN})


class Kind(StrEnum):
    """What a command does, as far as the audit is concerned."""

    READ = "read"
    AUDITED_READ = "audited read"
    """It hands out what a user may want to know that it was handed out."""
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Command:
    """One command, as it is typed after ``libctl``, and the call that serves it."""

    name: str
    rpc: str
    kind: Kind
    roles: frozenset[Role]
    can_undo: bool = False


def _read(name: str, rpc: str, roles: frozenset[Role] = ANY) -> Command:
    return Command(name, rpc, Kind.READ, roles)


def _audited(name: str, rpc: str, roles: frozenset[Role]) -> Command:
    return Command(name, rpc, Kind.AUDITED_READ, roles)


def _change(name: str, rpc: str, roles: frozenset[Role], *, can_undo: bool = False) -> Command:
    return Command(name, rpc, Kind.CHANGE, roles, can_undo)


COMMANDS = (
    _audited("user show", "ShowUser", ANY),
    _audited("user export", "ExportUser", ADMIN),
    _change("user erase", "EraseUser", ADMIN),
    _read("library list", "ListLibrary"),
    _change("library grant", "GrantProduct", ADMIN, can_undo=True),
    _change("library revoke", "RevokeProduct", ADMIN, can_undo=True),
    _read("access explain", "ExplainAccess"),
    _read("saves list", "ListSaves"),
    _read("saves versions", "ListSaveVersions"),
    _read("saves uploads", "ListSaveUploads"),
    _audited("saves download", "DownloadSave", ANY),
    _change("saves restore", "RestoreSave", ANY, can_undo=True),
    _change("saves pin", "PinSave", ANY, can_undo=True),
    _change("saves reconcile", "ReconcileSaves", ADMIN),
    _read("conflicts list", "ListSaveConflicts"),
    _read("conflicts show", "ShowSaveConflict"),
    _change("conflicts resolve", "ResolveSaveConflict", ANY),
    _read("quota show", "ShowQuota"),
    _change("quota set", "SetQuota", ANY, can_undo=True),
    _change("quota reset", "ResetQuota", ANY, can_undo=True),
    _read("quota top", "ListTopQuotas"),
    _read("quota recalculate", "RecalculateQuota"),
    _read("family list", "ListFamilyLinks"),
    _read("family show", "ShowFamilyLink"),
    _change("family revoke", "RevokeFamilyLink", ADMIN, can_undo=True),
    _change("family reopen", "ReopenFamilyLink", ADMIN, can_undo=True),
    _read("family seats", "ListFamilySeats"),
    _change("family release-seat", "ReleaseFamilySeat", ANY),
    _read("playtime show", "ShowPlaytime"),
    _change("playtime correct", "CorrectPlaytime", ANY, can_undo=True),
    _change("playtime recompute", "RecomputePlaytime", ANY),
    _read("playtime anomalies", "ListPlaytimeAnomalies"),
    _read("achievements show", "ShowAchievements"),
    _change("achievements grant", "GrantAchievement", ADMIN, can_undo=True),
    _change("achievements revoke", "RevokeAchievement", ADMIN, can_undo=True),
    _read("events outbox", "ShowOutbox"),
    _read("events dlq list", "ListDeadLetters"),
    _change("events dlq replay", "ReplayDeadLetters", ADMIN),
    _read("audit list", "ListAudit"),
    _read("audit show", "ShowAudit"),
    _change("audit undo", "UndoChange", ANY),
)
BY_RPC = {command.rpc: command for command in COMMANDS}
BY_NAME = {command.name: command for command in COMMANDS}
