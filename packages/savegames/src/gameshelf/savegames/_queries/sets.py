"""Rows of versions with their lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, user
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent
from gameshelf.savegames._store.expressions import IS_LIVE, SLOT, VERSION, C, S, one_version
from gameshelf.savegames._views import SaveVersion, VersionStatus, open_branches, version_columns
from sqlalchemy import (
    BigInteger,
    Boolean,
    LargeBinary,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlmodel import col

_H, _L = SavegameManifestContent, SavegameManifest


@dataclass(frozen=True, slots=True)
class VersionWithList:
    """A version whose bytes are stored."""

    version: SaveVersion
    manifest_id: UUID | None
    body: bytes | None
    """Its list, as it is stored; None: a single file."""
    key: str
    """The key of its object."""


@dataclass(frozen=True, slots=True)
class VersionContents:
    """The contents of a version, also of one whose bytes were deleted."""

    content: bytes
    file_count: int | None
    body: bytes | None
    """None: a single file, or a set whose list is forgotten."""


_chosen = one_version(col(S.id), func.coalesce(bindparam("version", type_=BigInteger), col(S.head_version)), "chosen")
_VERSION = Statement(
    select(
        *version_columns(_chosen.c, open_branches()),
        _chosen.c.manifest_id,
        col(_L.body),
        col(C.s3_object_key).label("key"),
    )
    .select_from(S)
    .join(_chosen, true())
    .join(C, and_(col(C.user_id) == user(), col(C.id) == _chosen.c.content_id))
    .outerjoin(_L, and_(col(_L.user_id) == user(), col(_L.id) == _chosen.c.manifest_id))
    .where(
        col(S.user_id) == user(),
        or_(bindparam("in_trash", type_=Boolean), col(S.deleted_at).is_(None)),
        col(S.id) == SLOT,
    )
)
_SAVE_VERSION = RowReader(
    SaveVersion, _VERSION, others=("manifest_id", "body", "key"), convert={"status": VersionStatus}
)
_VERSION_WITH_LIST = RowReader(VersionWithList, _VERSION, given=("version",), others=(_SAVE_VERSION,))
_one = one_version(SLOT, VERSION, "one")
_CONTENTS = Statement(
    select(_one.c.file_hash_sha256.label("content"), _one.c.file_count, col(_L.body)).select_from(
        _one.outerjoin(_L, and_(col(_L.user_id) == user(), col(_L.id) == _one.c.manifest_id))
    )
)
_VERSION_CONTENTS = RowReader(VersionContents, _CONTENTS)
# A subquery of one value: the few contents are found by their hashes, not among all of a long list.
_is_of_list = (
    select(literal_column("1"))
    .where(
        col(_H.user_id) == user(),
        col(_H.manifest_id) == bindparam("manifest_id", type_=Uuid),
        col(_H.content_id) == col(C.id),
    )
    .limit(literal_column("1"))
    .correlate(C)
    .scalar_subquery()
)
_KEYS = Statement(
    select(col(C.file_hash_sha256), col(C.s3_object_key)).where(
        col(C.user_id) == user(),
        col(C.file_hash_sha256) == any_(array("hashes", LargeBinary)),
        IS_LIVE,
        _is_of_list.is_not(None),
    )
)


class SetRows:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def version(
        self, user_id: UUID, slot_id: UUID, version: int | None, *, in_trash: bool = False
    ) -> VersionWithList | None:
        """A version, by default the head, with its list; None where there is no such version or object."""
        row = await _VERSION.first(
            self._connection, user_id=user_id, slot_id=slot_id, version=version, in_trash=in_trash
        )
        return _VERSION_WITH_LIST.read(row, version=_SAVE_VERSION.read(row)) if row else None

    async def contents(self, user_id: UUID, slot_id: UUID, version: int) -> VersionContents | None:
        """The contents of a version, also of one whose bytes were deleted."""
        row = await _CONTENTS.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return _VERSION_CONTENTS.read_optional(row)

    async def keys(self, user_id: UUID, manifest_id: UUID, hashes: Sequence[bytes]) -> dict[bytes, str]:
        """The keys of the objects of these contents of a list, in the order of ``hashes``."""
        found = await _KEYS.all(self._connection, user_id=user_id, manifest_id=manifest_id, hashes=list(hashes))
        keys = {row["file_hash_sha256"]: row["s3_object_key"] for row in found}
        return {content: keys[content] for content in hashes if content in keys}
