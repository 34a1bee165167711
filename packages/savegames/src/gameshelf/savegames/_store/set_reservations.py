"""Reservations of uploads of sets: the upload, its list, and the contents that it has yet to bring."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.savegames._files import FileList
from gameshelf.savegames._models import SavegameUpload
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent, SavegameUploadFile
from gameshelf.savegames._store.allowances import SIGNED
from gameshelf.savegames._store.expressions import HASH, IDENTITY, MANIFEST, NOW, UPLOAD, F, L, U
from gameshelf.savegames._store.lists import MANIFEST_VALUES, manifest_values
from gameshelf.savegames._store.uploads import NUMBERED
from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A content that an upload has to bring, or to have verified."""

    sha256: bytes
    size: int
    content_encoding: str | None
    """The encoding that is unpacked; None: nothing is."""
    raw_sha256: bytes | None
    raw_size: int | None
    part_sha256: bytes | None
    """The hashes of its parts, one behind the other; None: it is sent by one request."""
    content_id: UUID | None
    """The content that is there, and of which only the unpacked bytes have to be verified."""


_files = rows(
    "file",
    sha256=("file_hashes", LargeBinary),
    size_bytes=("file_sizes", BigInteger),
    content_encoding=("file_encodings", String),
    raw_sha256=("file_raw_hashes", LargeBinary),
    raw_size_bytes=("file_raw_sizes", BigInteger),
    part_sha256=("file_parts", LargeBinary),
    content_id=("file_contents", Uuid),
)
_FILE_COLUMNS = [column.name for column in _files.c]
_new_files = insert(SavegameUploadFile).from_select(
    ["user_id", "upload_id", *_FILE_COLUMNS], select(user(), UPLOAD, *_files.c), include_defaults=False
)
_held = rows("held", id=("held_ids", Uuid))
_new_holds = insert(SavegameManifestContent).from_select(
    ["user_id", "manifest_id", "content_id"], select(user(), MANIFEST, _held.c.id), include_defaults=False
)
_list = (
    insert(SavegameManifest)
    .from_select(
        [*MANIFEST_VALUES],
        select(*{**MANIFEST_VALUES, "slot_id": NUMBERED.c.id}.values()),
        include_defaults=False,
    )
    .cte("list")
)
_details = {
    "client_modified_at": bindparam("client_modified_at", type_=TIME),
    "comment": bindparam("comment", type_=String),
    "playtime_seconds": bindparam("playtime_seconds", type_=BigInteger),
    "conflict_policy": bindparam("conflict_policy", type_=String),
    "game_version_id": bindparam("game_version_id", type_=String),
    "device_name": bindparam("device_name", type_=String),
}
_upload = {
    "user_id": user(),
    "id": UPLOAD,
    "slot_id": NUMBERED.c.id,
    "version": NUMBERED.c.last_version,
    "base_version": bindparam("base_version", type_=BigInteger),
    "file_size_bytes": bindparam("total_bytes", type_=BigInteger),
    "file_hash_sha256": HASH,
    "content_identity": IDENTITY,
    "file_count": bindparam("file_count", type_=Integer),
    "manifest_id": MANIFEST,
    "created_at": NOW,
    "expires_at": bindparam("expires_at", type_=TIME),
    "device_id": bindparam("device_id", type_=String),
    **_details,
}
_added = (
    insert(SavegameUpload)
    .from_select(list(_upload), select(*_upload.values()), include_defaults=False)
    .returning(col(U.slot_id), col(U.version))
    .cte("added")
)
# Each row comes behind those that it refers to: PostgreSQL checks references at the end of the statement, but Citus
# runs its parts one after another in this order, and checks those of each.
_RESERVE = Statement(
    select(_added.c.slot_id, _added.c.version).add_cte(
        NUMBERED, SIGNED, _list, _new_holds.cte("holding"), _added, _new_files.cte("awaiting")
    )
)
_has_same_raw_size = col(F.raw_size_bytes).is_not_distinct_from(_new_files.excluded.raw_size_bytes)
_is_same_raw = and_(
    col(F.raw_sha256).is_not_distinct_from(_new_files.excluded.raw_sha256),
    col(F.content_encoding).is_not_distinct_from(_new_files.excluded.content_encoding),
)
# A size that is claimed no more needs no verification.
_stays_verified = and_(_is_same_raw, or_(_new_files.excluded.raw_size_bytes.is_(None), _has_same_raw_size))
# Rejected bytes have to be sent again, however often they are requested, unless the request itself was wrong.
_has_same_problem = and_(
    col(F.size_bytes) == _new_files.excluded.size_bytes,
    or_(and_(_is_same_raw, _has_same_raw_size), col(F.problem) != literal_column("'raw'")),
)
_TOTAL = bindparam("total_bytes", type_=BigInteger)
_renewed_files = _new_files.on_conflict_do_update(
    index_elements=["user_id", "upload_id", "sha256"],
    set_={
        "size_bytes": _new_files.excluded.size_bytes,
        "content_encoding": _new_files.excluded.content_encoding,
        "raw_sha256": _new_files.excluded.raw_sha256,
        "raw_size_bytes": _new_files.excluded.raw_size_bytes,
        "part_sha256": _new_files.excluded.part_sha256,
        "multipart_id": case(
            (col(F.part_sha256).is_not_distinct_from(_new_files.excluded.part_sha256), col(F.multipart_id))
        ),
        "content_id": case((_stays_verified, col(F.content_id)), else_=_new_files.excluded.content_id),
        "problem": case((_has_same_problem, col(F.problem))),
    },
)
_unwanted = delete(SavegameUploadFile).where(
    col(F.user_id) == user(), col(F.upload_id) == UPLOAD, col(F.sha256).not_in(select(_files.c.sha256))
)
_renewed_list = (
    update(SavegameManifest)
    .where(col(L.user_id) == user(), col(L.id) == MANIFEST)
    .values(
        content_identity=IDENTITY,
        file_count=bindparam("file_count", type_=Integer),
        total_bytes=_TOTAL,
        body=bindparam("body", type_=LargeBinary),
    )
)
# What was not awaited before was never looked for.
_awaits_more = (
    select(literal_column("1"))
    .select_from(_files)
    .where(_files.c.sha256.not_in(select(col(F.sha256)).where(col(F.user_id) == user(), col(F.upload_id) == UPLOAD)))
    .exists()
)
_RENEW = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        expires_at=func.greatest(col(U.expires_at), bindparam("new_expires_at", type_=TIME)),
        arrived_through=case((~_awaits_more, col(U.arrived_through))),
        content_identity=IDENTITY,
        file_size_bytes=_TOTAL,
        **_details,
    )
    .add_cte(
        _unwanted.cte("unwanted"),
        _renewed_files.cte("awaiting"),
        _new_holds.on_conflict_do_nothing().cte("holding"),
        _renewed_list.cte("list"),
    )
)
_SET_DETAILS = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        game_version_id=bindparam("new_game_version_id", type_=String),
        device_name=bindparam("new_device_name", type_=String),
    )
)
_AWAIT = Statement(_renewed_files)


class SetReservationStore:
    """Reservations of a user's uploads of sets. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_set(
        self,
        user_id: UUID,
        manifest_id: UUID,
        files: FileList,
        held: Collection[UUID],
        wanted: Sequence[NeededFile],
        **values: Any,
    ) -> tuple[UUID, int]:
        """Stores an upload of a set with its list, and returns its slot and version number. The list holds the contents
        ``held``; those in ``wanted`` have to be sent, or verified.
        """
        row = await _RESERVE.first(
            self._connection,
            user_id=user_id,
            held_ids=list(held),
            **await manifest_values(manifest_id, files),
            **_file_rows(wanted),
            **values,
        )
        assert row is not None
        return row["slot_id"], row["version"]

    async def renew_set(
        self,
        user_id: UUID,
        manifest_id: UUID,
        files: FileList,
        held: Collection[UUID],
        wanted: Sequence[NeededFile],
        **values: Any,
    ) -> None:
        """Brings an open upload of a set up to date: its list, its details, and what has to be sent. What was verified
        stays verified.
        """
        await _RENEW.run(
            self._connection,
            user_id=user_id,
            held_ids=list(held),
            **await manifest_values(manifest_id, files),
            **_file_rows(wanted),
            **values,
        )

    async def set_details(
        self, user_id: UUID, upload_id: UUID, game_version_id: str | None, device_name: str | None
    ) -> None:
        """Sets what only requests for sets, and those like them, say."""
        await _SET_DETAILS.run(
            self._connection,
            user_id=user_id,
            upload_id=upload_id,
            new_game_version_id=game_version_id,
            new_device_name=device_name,
        )

    async def await_single(self, user_id: UUID, upload_id: UUID, wanted: NeededFile) -> None:
        """Notes that the single file of an open upload is sent in parts."""
        await _AWAIT.run(self._connection, user_id=user_id, upload_id=upload_id, **_file_rows([wanted]))


def _file_rows(wanted: Sequence[NeededFile]) -> dict[str, object]:
    return {
        "file_hashes": [one.sha256 for one in wanted],
        "file_sizes": [one.size for one in wanted],
        "file_encodings": [one.content_encoding for one in wanted],
        "file_raw_hashes": [one.raw_sha256 for one in wanted],
        "file_raw_sizes": [one.raw_size for one in wanted],
        "file_parts": [one.part_sha256 for one in wanted],
        "file_contents": [one.content_id for one in wanted],
    }
