"""What a drill has measured, and whether that is enough: decisions on plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

BackupKind = Literal["logical", "base"]
"""As in ``gateway.backups``: a dump, or a base backup with the archived WAL."""

MAX_RTO_SECONDS = 3600
"""Section 14 of the specification: a restore takes less than an hour,"""
MAX_RPO_SECONDS: dict[BackupKind, int] = {"logical": 24 * 3600, "base": 300}
"""and loses less than five minutes with the WAL; a dump is of every night."""


@dataclass(frozen=True, slots=True)
class DrillLimits:
    """In seconds. A limit is kept by what is equal to it."""

    rto: int
    rpo: int


@dataclass(frozen=True, slots=True)
class Marker:
    """A row that was committed into the live database at a known time."""

    id: str
    written_at: datetime


@dataclass(slots=True)
class Drill:
    """A drill while it is under way, and its result.

    ``newest`` is the time of the newest commit that came back. ``expected`` is the marker that the live database had
    and the backup must have; without a live database, or where the backup is older than any marker, there is none.
    """

    kind: BackupKind
    backup: str
    started_at: datetime
    server: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    newest: datetime | None = None
    expected: Marker | None = None
    marker_found: bool = False
    tables: int = 0
    rows: int = 0
    users: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def rto(self) -> float:
        """The seconds of all steps, from the empty folder to a database that was checked."""
        return sum(self.seconds.values())

    @property
    def rpo(self) -> float | None:
        """The seconds whose commits are lost if the live database is lost when the restore begins."""
        return max((self.started_at - self.newest).total_seconds(), 0.0) if self.newest else None


def problems(drill: Drill, limits: DrillLimits) -> list[str]:
    """Returns why the drill has failed, one sentence each; none where it has passed."""
    found = list(drill.failures)
    if drill.expected and not drill.marker_found:
        found.append(f"the marker of {drill.expected.written_at:%Y-%m-%d %H:%M:%S} UTC did not come back")
    if drill.rto > limits.rto:
        found.append(f"the restore took {drill.rto:.0f} s, more than {limits.rto} s")
    if drill.rpo is None:
        found.append("the time of the newest commit that came back is unknown")
    elif drill.rpo > limits.rpo:
        found.append(f"the newest commit that came back is {drill.rpo:.0f} s old, more than {limits.rpo} s")
    if not drill.rows:
        found.append("what came back holds no rows")
    elif not drill.users:
        found.append("what came back holds no user")
    return found


def missing_segments(archived: Sequence[str], replayed: Sequence[str]) -> str | None:
    """Returns a sentence about the first segment after the replayed ones, if the archive continues behind it.

    Recovery ends without an error where a segment is missing, however many follow. Names are those of files in
    ``pg_wal``: the timeline in 8 digits, then the position, which continues across timelines.
    """
    positions = {name[8:]: name for name in archived}
    last = max((name[8:] for name in replayed), default="")
    later = sorted(position for position in positions if position > last)
    if not later or not last:
        return None
    return (
        f"the WAL has a gap: nothing was replayed after {max(replayed, key=lambda name: name[8:])}, and the archive "
        f"continues with {positions[later[0]]}"
    )
