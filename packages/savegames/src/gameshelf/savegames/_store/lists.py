"""Lists of the files of sets, and the contents that they hold.

A list holds its contents while an open upload has it, or a version with its bytes. The list of a pruned version stays
without them, as long as it may be the base of a merge.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, user
from gameshelf.savegames import _lists
from gameshelf.savegames._files import FileList, hash_of, identity_of
from gameshelf.savegames._limits import MAX_COMPARED
from gameshelf.savegames._models import SavegameConflict, SavegameDevice, SavegameMetadata
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent
from gameshelf.savegames._store.expressions import (
    HASH,
    IDENTITY,
    IS_LIVE,
    IS_OPEN,
    MANIFEST,
    NOW,
    OF_SLOT,
    SLOT,
    C,
    H,
    L,
    M,
    U,
    one_version,
)
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    LargeBinary,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ONE: Any = literal_column("1")
_D, _X = SavegameDevice, SavegameConflict
_FILES_IN_LOOP = 500
MAX_FORGOTTEN = 20
"""So many versions of a slot lose their lists at a time."""


@dataclass(frozen=True, slots=True)
class ListedContent:
    """A content of a list, where the store has it."""

    sha256: bytes
    content_id: UUID
    key: str
    size: int
    is_missing: bool
    """Whether its object was found missing in the store."""


MANIFEST_VALUES: Mapping[str, Any] = {
    "user_id": user(),
    "id": MANIFEST,
    "slot_id": SLOT,
    "file_hash_sha256": HASH,
    "content_identity": IDENTITY,
    "file_count": bindparam("file_count", type_=Integer),
    "content_count": bindparam("content_count", type_=Integer),
    "total_bytes": bindparam("total_bytes", type_=BigInteger),
    "body": bindparam("body", type_=LargeBinary),
    "created_at": NOW,
}
"""The values of a list's row, for statements that store one; ``manifest_values`` has those that depend on the files."""
_ADD = Statement(insert(SavegameManifest).values(**MANIFEST_VALUES))
_BODIES = Statement(
    select(col(L.id), col(L.body)).where(col(L.user_id) == user(), col(L.id) == any_(array("manifest_ids", Uuid)))
)
# A subquery of one value: as a condition EXISTS it would be joined, and a plan for few rows would read all sources for
# each content.
_is_of_source = (
    select(_ONE)
    .where(
        col(H.user_id) == user(),
        col(H.content_id) == col(C.id),
        col(H.manifest_id) == any_(array("source_ids", Uuid)),
    )
    .limit(_ONE)
    .correlate(C)
    .scalar_subquery()
)
_COPY_CONTENTS = Statement(
    insert(SavegameManifestContent)
    .from_select(
        ["user_id", "manifest_id", "content_id"],
        select(col(C.user_id), MANIFEST, col(C.id)).where(
            col(C.user_id) == user(),
            col(C.file_hash_sha256) == any_(array("hashes", LargeBinary)),
            IS_LIVE,
            _is_of_source.is_not(None),
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(H.content_id))
)
_source = bindparam("source_id", type_=Uuid)
_copied = (
    insert(SavegameManifest)
    .from_select(
        [*MANIFEST_VALUES],
        select(
            user(),
            MANIFEST,
            SLOT,
            col(L.file_hash_sha256),
            col(L.content_identity),
            col(L.file_count),
            col(L.content_count),
            col(L.total_bytes),
            col(L.body),
            NOW,
        ).where(col(L.user_id) == user(), col(L.id) == _source),
        include_defaults=False,
    )
    .cte("copied")
)
_COPY = Statement(
    insert(SavegameManifestContent)
    .from_select(
        ["user_id", "manifest_id", "content_id"],
        select(user(), MANIFEST, col(H.content_id)).where(col(H.user_id) == user(), col(H.manifest_id) == _source),
        include_defaults=False,
    )
    .add_cte(_copied)
)
_with_content = and_(col(C.user_id) == col(H.user_id), col(C.id) == col(H.content_id))
_CONTENTS = Statement(
    select(
        col(C.file_hash_sha256).label("sha256"),
        col(C.id).label("content_id"),
        col(C.s3_object_key).label("key"),
        col(C.file_size_bytes).label("size"),
        col(C.missing_since).is_not(None).label("is_missing"),
    )
    .select_from(H)
    .join(C, _with_content)
    .where(col(H.user_id) == user(), col(H.manifest_id) == MANIFEST)
    .order_by(col(C.file_hash_sha256))
)
_LISTED_CONTENT = RowReader(ListedContent, _CONTENTS)
_of_slot = (col(L.user_id) == user(), col(L.slot_id) == SLOT)
_is_kept = (
    select(_ONE)
    .where(col(M.user_id) == col(L.user_id), col(M.manifest_id) == col(L.id), col(M.content_id).is_not(None))
    .correlate(L)
    .exists()
)
_is_uploaded = (
    select(_ONE).where(col(U.user_id) == col(L.user_id), col(U.manifest_id) == col(L.id), IS_OPEN).correlate(L).exists()
)
_unheld = select(col(L.id)).where(*_of_slot, ~_is_kept, ~_is_uploaded).correlate(None)
_RELEASE = Statement(
    delete(SavegameManifestContent)
    .where(col(H.user_id) == user(), col(H.manifest_id).in_(_unheld))
    .returning(col(H.content_id))
)
_REMOVE_CONTENTS = Statement(
    delete(SavegameManifestContent)
    .where(col(H.user_id) == user(), col(H.manifest_id).in_(select(col(L.id)).where(*_of_slot)))
    .returning(col(H.content_id))
)
_REMOVE = Statement(delete(SavegameManifest).where(*_of_slot))

# What may be the base of a merge: what a device or an open upload grew from, and the versions of the head's history
# from which branches of devices and of open conflicts grew.
_device_versions: Any = select(col(_D.version).label("version")).where(
    col(_D.user_id) == user(), col(_D.slot_id) == SLOT
)
_is_open_conflict = (col(_X.user_id) == user(), col(_X.slot_id) == SLOT, col(_X.resolved_at).is_(None))
_bases = union(
    _device_versions,
    select(col(_X.base_version)).where(*_is_open_conflict, col(_X.base_version).is_not(None)),
    select(col(U.base_version)).where(col(U.user_id) == user(), col(U.slot_id) == SLOT, IS_OPEN),
).subquery("bases")
_tips = union(_device_versions, select(col(_X.branch_version)).where(*_is_open_conflict)).subquery("tips")
_step = one_version(SLOT, _tips.c.version, "step")
_tip = (
    select(_step.c.version, _step.c.parent_version, literal_column("1", Integer).label("depth"))
    .select_from(_tips.join(_step, true()))
    .where(~_step.c.in_head)
    .cte("branch", recursive=True)
)
_grown = one_version(SLOT, _tip.c.parent_version, "grown")
_branch = _tip.union(
    select(_grown.c.version, _grown.c.parent_version, _tip.c.depth + 1)
    .select_from(_tip.join(_grown, true()))
    .where(~_grown.c.in_head, _tip.c.depth < literal_column(str(MAX_COMPARED)))
)
_forgettable = (
    select(col(M.version))
    .where(
        *OF_SLOT,
        col(M.content_id).is_(None),
        col(M.manifest_id).is_not(None),
        col(M.version).not_in(select(_bases.c.version)),
        or_(~col(M.in_head), col(M.version).not_in(select(_branch.c.parent_version))),
    )
    .order_by(col(M.version))
    .limit(literal_column(str(MAX_FORGOTTEN)))
    .correlate(None)
    .scalar_subquery()
)
_forgotten = (
    update(SavegameMetadata)
    # An array, so that the versions are found by their numbers and not compared with the whole history.
    .where(*OF_SLOT, col(M.version) == any_(func.array(_forgettable, type_=ARRAY(BigInteger))))
    .values(manifest_id=None)
    .returning(col(M.version))
    .cte("forgotten")
)
_is_of_version = (
    select(_ONE).where(col(M.user_id) == col(L.user_id), col(M.manifest_id) == col(L.id)).correlate(L).exists()
)
_is_of_upload = (
    select(_ONE).where(col(U.user_id) == col(L.user_id), col(U.manifest_id) == col(L.id)).correlate(L).exists()
)
# The rows are those before the update: lists that it frees are deleted by the next run.
_FORGET = Statement(delete(SavegameManifest).where(*_of_slot, ~_is_of_version, ~_is_of_upload).add_cte(_forgotten))


async def manifest_values(manifest_id: UUID, files: FileList) -> dict[str, object]:
    """Returns the parameters of ``MANIFEST_VALUES`` that depend on the files. Long lists are packed in a thread."""
    if len(files) <= _FILES_IN_LOOP:
        return _values(manifest_id, files)
    return await asyncio.to_thread(_values, manifest_id, files)


def _values(manifest_id: UUID, files: FileList) -> dict[str, object]:
    return {
        "manifest_id": manifest_id,
        "content": hash_of(files),
        "identity": identity_of(files),
        "file_count": len(files),
        "content_count": len({file.sha256 for file in files}),
        "total_bytes": sum(file.size for file in files),
        "body": _lists.encode(files),
    }


class ListStore:
    """The lists of a user's sets. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_list(self, user_id: UUID, slot_id: UUID, manifest_id: UUID, files: FileList, now: datetime) -> None:
        """Stores a list. It holds no contents yet."""
        values = await manifest_values(manifest_id, files)
        await _ADD.run(self._connection, user_id=user_id, slot_id=slot_id, now=now, **values)

    async def read_bodies(self, user_id: UUID, manifest_ids: Collection[UUID]) -> dict[UUID, bytes]:
        """Returns lists as they are stored; ``_lists.decode`` reads them."""
        found = await _BODIES.all(self._connection, user_id=user_id, manifest_ids=list(manifest_ids))
        return {row["id"]: row["body"] for row in found}

    async def copy_contents(
        self, user_id: UUID, manifest_id: UUID, sources: Sequence[UUID], hashes: Iterable[bytes]
    ) -> set[UUID]:
        """Makes a list hold those contents of other lists that have one of these hashes, and returns them."""
        found = await _COPY_CONTENTS.all(
            self._connection,
            user_id=user_id,
            manifest_id=manifest_id,
            source_ids=list(sources),
            hashes=list(hashes),
        )
        return {row["content_id"] for row in found}

    async def copy_list(self, user_id: UUID, source_id: UUID, manifest_id: UUID, slot_id: UUID, now: datetime) -> None:
        """Copies a list to another slot, with the contents that it holds."""
        await _COPY.run(
            self._connection, user_id=user_id, source_id=source_id, manifest_id=manifest_id, slot_id=slot_id, now=now
        )

    async def listed_contents(self, user_id: UUID, manifest_id: UUID) -> list[ListedContent]:
        """Returns the contents that a list holds, in the order of their hashes."""
        found = await _CONTENTS.all(self._connection, user_id=user_id, manifest_id=manifest_id)
        return _LISTED_CONTENT.read_all(found)

    async def release(self, user_id: UUID, slot_id: UUID) -> set[UUID]:
        """Makes those lists of a slot hold nothing that neither an open upload nor a version with its bytes has, and
        returns the contents that they held.
        """
        found = await _RELEASE.all(self._connection, user_id=user_id, slot_id=slot_id)
        return {row["content_id"] for row in found}

    async def forget(self, user_id: UUID, slot_id: UUID) -> None:
        """Deletes the lists of a slot that nothing has. The oldest pruned versions give up theirs, unless it may be the
        base of a merge. Comes after ``release``.
        """
        await _FORGET.run(self._connection, user_id=user_id, slot_id=slot_id)

    async def remove_contents(self, user_id: UUID, slot_id: UUID) -> set[UUID]:
        """Makes all lists of a slot hold nothing, and returns the contents that they held."""
        found = await _REMOVE_CONTENTS.all(self._connection, user_id=user_id, slot_id=slot_id)
        return {row["content_id"] for row in found}

    async def remove(self, user_id: UUID, slot_id: UUID) -> None:
        """Deletes all lists of a slot, once no upload and no version has one."""
        await _REMOVE.run(self._connection, user_id=user_id, slot_id=slot_id)
