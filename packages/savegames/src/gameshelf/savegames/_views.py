"""Versions and conflicts as the package returns them, and the columns that they are read from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import prefixed, user
from gameshelf.savegames._limits import MAX_COMPARED
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import SLOT, S, one_version
from sqlalchemy import Text, and_, case, cast, func, literal_column, select, true
from sqlmodel import col

_X = SavegameConflict


class VersionStatus(StrEnum):
    """Place of a version in its save: `head`, `history` (the head grew from it, or no conflict is about it any more),
    `branch` (an open conflict is about it) or `pruned` (its bytes are gone).
    """

    HEAD = "head"
    HISTORY = "history"
    """The head grew from this version, or no conflict is about it any more."""
    BRANCH = "branch"
    """The version is a side of an open conflict, or such a side grew from it."""
    PRUNED = "pruned"
    """The bytes of this version were deleted."""


@dataclass(frozen=True, slots=True)
class SaveVersion:
    """A version of a save with its slot. Times are aware and in UTC."""

    slot_id: UUID
    product_id: UUID
    slot_name: str
    deleted_at: datetime | None
    """When the save was put into the trash."""
    id: UUID
    version: int
    parent_version: int
    """0: the version grew from nothing."""
    merged_version: int | None
    status: VersionStatus
    size: int
    content: bytes
    """SHA-256."""
    client_modified_at: datetime | None
    server_uploaded_at: datetime
    device_id: str | None
    comment: str | None
    is_pinned: bool
    playtime_seconds: int | None
    content_encoding: str | None
    encryption: str | None
    """As JSON."""
    identity: bytes
    """The identity of the content: two versions of the same kind with the same identity hold the same save."""
    file_count: int | None
    """The number of files of a set; None: a single file."""
    game_version_id: str | None
    """The version of the game that wrote the save."""


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """Both sides of an open conflict, as they are now."""

    id: UUID
    opened_at: datetime
    head: SaveVersion
    branch: SaveVersion
    base_version: int
    """The version that the branch grew from; 0: it grew from nothing."""


def open_branches() -> Any:
    """Selects the versions of ``SLOT`` that open conflicts are about: their branches, each back to at most
    ``MAX_COMPARED`` versions.
    """
    tips = (
        select(col(_X.branch_version).label("version"), literal_column("1").label("depth"))
        .where(col(_X.user_id) == user(), col(_X.slot_id) == SLOT, col(_X.resolved_at).is_(None))
        .cte("of_branches", recursive=True)
    )
    grown = one_version(SLOT, tips.c.version, "grown")
    found = tips.union_all(
        select(grown.c.parent_version, tips.c.depth + literal_column("1"))
        .select_from(tips.join(grown, true()))
        .where(~grown.c.in_head, tips.c.depth < literal_column(str(MAX_COMPARED)))
    )
    return select(found.c.version)


def version_columns(version: Any, branches: Any = None, slot: Any = S) -> tuple[Any, ...]:
    """The columns of SaveVersion, under the names of its fields. ``branches`` is the select of ``open_branches``; it is
    left out where every version is a head or a side of an open conflict.
    """
    status = case(
        (col(version.content_id).is_(None), VersionStatus.PRUNED.value),
        (col(version.version) == col(slot.head_version), VersionStatus.HEAD.value),
        (col(version.in_head), VersionStatus.HISTORY.value),
        *([] if branches is None else [(col(version.version).not_in(branches), VersionStatus.HISTORY.value)]),
        else_=VersionStatus.BRANCH.value,
    )
    return (
        col(slot.id).label("slot_id"),
        col(slot.product_id),
        col(slot.slot_name),
        col(slot.deleted_at),
        col(version.id),
        col(version.version),
        col(version.parent_version),
        col(version.merged_version),
        status.label("status"),
        col(version.file_size_bytes).label("size"),
        col(version.file_hash_sha256).label("content"),
        col(version.client_modified_at),
        col(version.server_uploaded_at),
        col(version.device_id),
        col(version.comment),
        col(version.is_pinned),
        col(version.playtime_seconds),
        col(version.content_encoding),
        cast(col(version.encryption), Text).label("encryption"),
        func.coalesce(col(version.content_identity), col(version.file_hash_sha256)).label("identity"),
        col(version.file_count),
        col(version.game_version_id),
    )


def conflict_sides(conflict: Any = SavegameConflict) -> Any:
    """Selects conflicts of the user with both of their sides, which ``ConflictReader`` reads."""
    head = one_version(col(S.id), col(S.head_version), "head")
    branch = one_version(col(S.id), col(conflict.branch_version), "branch")
    return (
        select(
            col(conflict.id),
            col(conflict.opened_at),
            func.coalesce(col(conflict.base_version), branch.c.parent_version).label("base_version"),
            *prefixed("head_", version_columns(head.c)),
            *prefixed("branch_", version_columns(branch.c)),
        )
        .select_from(conflict)
        .join(S, and_(col(S.user_id) == col(conflict.user_id), col(S.id) == col(conflict.slot_id)))
        .join(head, true())
        .join(branch, true())
    )


class ConflictReader:
    """Reads conflicts from rows of statements that select ``conflict_sides`` and perhaps ``others``."""

    def __init__(self, *statements: Statement, others: Iterable[str] = ()) -> None:
        sides = {
            prefix: RowReader(SaveVersion, *statements, prefix=prefix, convert={"status": VersionStatus})
            for prefix in ("head_", "branch_")
        }
        self._head, self._branch = sides["head_"], sides["branch_"]
        self._conflict = RowReader(
            OpenConflict, *statements, given=("head", "branch"), others=(self._head, self._branch, *others)
        )

    def read(self, row: Record) -> OpenConflict:
        """Returns the conflict in a row."""
        return self._conflict.read(row, head=self._head.read(row), branch=self._branch.read(row))
