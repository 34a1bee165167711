"""Reads and writes for the adoption of objects that the database does not know."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, rows, user
from gameshelf.savegames._models import ContentState, SavegameContent, SavegameSlot
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._set_models import SavegameManifestContent
from gameshelf.savegames._store.expressions import (
    HASH,
    IS_LIVE,
    NAME,
    NOW,
    OF_SLOT,
    PRODUCT,
    SLOT,
    VERSION,
    C,
    M,
    S,
    U,
)
from gameshelf.savegames._store.numbers import is_named
from gameshelf.savegames._store.slots import SLOT_COLUMNS, Slot
from sqlalchemy import BigInteger, LargeBinary, String, Uuid, any_, bindparam, literal, select, true, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class CandidateVersion:
    """A version that an object may have been created for, or may have grown from."""

    version: int
    id: UUID
    content: bytes
    is_kept: bool
    uploaded_at: datetime


_SLOT = Statement(
    select(*SLOT_COLUMNS)
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        is_named(),
        col(S.deleted_at).is_(None),
    )
    .order_by((col(S.slot_name) == NAME).desc())
    .limit(1)
)
_FOUND_SLOT = RowReader(Slot, _SLOT)
_candidate: Any = select(
    col(M.version),
    col(M.id),
    col(M.file_hash_sha256).label("content"),
    col(M.content_id).is_not(None).label("is_kept"),
    col(M.server_uploaded_at).label("uploaded_at"),
)
# Two selects: a condition with OR would be compared with each version of the history.
_CANDIDATES = Statement(
    union(
        _candidate.where(*OF_SLOT, col(M.version) == any_(array("versions", BigInteger))),
        _candidate.where(col(M.user_id) == user(), col(M.id) == bindparam("id", type_=Uuid), col(M.slot_id) == SLOT),
    )
)
_CANDIDATE = RowReader(CandidateVersion, _CANDIDATES)
_IS_ASSIGNED = Statement(
    select(literal(1)).where(col(U.user_id) == user(), col(U.slot_id) == SLOT, col(U.version) == VERSION).limit(1)
)
_ASSIGN_NUMBER = Statement(
    update(SavegameSlot)
    .where(col(S.user_id) == user(), col(S.id) == SLOT, col(S.last_version) <= VERSION)
    .values(last_version=bindparam("new_last_version", type_=BigInteger))
)
_ADD_CONTENT = Statement(
    insert(SavegameContent).values(
        user_id=user(),
        id=bindparam("content_id", type_=Uuid),
        s3_object_key=bindparam("key", type_=String),
        file_size_bytes=bindparam("size", type_=BigInteger),
        file_hash_sha256=HASH,
        state=literal(ContentState.LIVE.value),
        created_at=NOW,
    )
)


@dataclass(frozen=True, slots=True)
class AdoptedContent:
    """An object that becomes a content."""

    content_id: UUID
    key: str
    size: int
    sha256: bytes


_added = rows(
    "added",
    id=("content_ids", Uuid),
    key=("keys", String),
    size=("sizes", BigInteger),
    sha256=("hashes", LargeBinary),
)
_ADD_CONTENTS = Statement(
    insert(SavegameContent).from_select(
        ["user_id", "id", "s3_object_key", "file_size_bytes", "file_hash_sha256", "state", "created_at"],
        select(
            user(),
            _added.c.id,
            _added.c.key,
            _added.c.size,
            _added.c.sha256,
            literal(ContentState.LIVE.value),
            NOW,
        ),
        include_defaults=False,
    )
)
_HOLD = Statement(
    insert(SavegameManifestContent).from_select(
        ["user_id", "manifest_id", "content_id"],
        select(user(), bindparam("manifest_id", type_=Uuid), col(C.id)).where(
            col(C.user_id) == user(), col(C.file_hash_sha256) == any_(array("hashes", LargeBinary)), IS_LIVE
        ),
        include_defaults=False,
    )
)
# IS NOT TRUE rather than NOT: a plan that was made while all lists were written would read the index of the unwritten
# lists of all users instead of the key.
_WRITTEN = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id) == bindparam("content_id", type_=Uuid),
        col(C.is_written).is_not(true()),
    )
    .values(is_written=True, file_size_bytes=bindparam("size", type_=BigInteger), file_hash_sha256=HASH)
)


class AdoptionStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def slot(self, user_id: UUID, product_id: UUID, slot_name: str) -> Slot | None:
        """Returns the save with this name that is not in the trash."""
        row = await _SLOT.first(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            slot_name=slot_name,
            slot_key=slot_key(slot_name),
        )
        return _FOUND_SLOT.read_optional(row)

    async def candidates(
        self, user_id: UUID, slot_id: UUID, versions: Collection[int], version_id: UUID
    ) -> list[CandidateVersion]:
        """Returns the versions with these numbers, and the one with that id."""
        rows = await _CANDIDATES.all(
            self._connection, user_id=user_id, slot_id=slot_id, versions=list(versions), id=version_id
        )
        return _CANDIDATE.read_all(rows)

    async def is_assigned(self, user_id: UUID, slot_id: UUID, version: int) -> bool:
        """Whether the number was assigned to an upload, whatever its outcome."""
        row = await _IS_ASSIGNED.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return row is not None

    async def assign_number(self, user_id: UUID, slot_id: UUID, version: int, last_version: int) -> None:
        """Sets the last number of a slot, unless the slot has assigned a number above ``version``."""
        await _ASSIGN_NUMBER.run(
            self._connection, user_id=user_id, slot_id=slot_id, version=version, new_last_version=last_version
        )

    async def add_content(
        self, user_id: UUID, content_id: UUID, key: str, size: int, content: bytes, now: datetime
    ) -> None:
        """Adds an object as a live content of the user."""
        await _ADD_CONTENT.run(
            self._connection, user_id=user_id, content_id=content_id, key=key, size=size, content=content, now=now
        )

    async def add_contents(self, user_id: UUID, contents: Collection[AdoptedContent], now: datetime) -> None:
        """Adds objects as live contents of the user."""
        if contents:
            await _ADD_CONTENTS.run(
                self._connection,
                user_id=user_id,
                content_ids=[one.content_id for one in contents],
                keys=[one.key for one in contents],
                sizes=[one.size for one in contents],
                hashes=[one.sha256 for one in contents],
                now=now,
            )

    async def hold_contents(self, user_id: UUID, manifest_id: UUID, hashes: Collection[bytes]) -> None:
        """Makes a list hold the live contents with these hashes."""
        await _HOLD.run(self._connection, user_id=user_id, manifest_id=manifest_id, hashes=list(hashes))

    async def set_written(self, user_id: UUID, content_id: UUID, size: int, content: bytes) -> None:
        """Records that the object of a list is in the store."""
        await _WRITTEN.run(self._connection, user_id=user_id, content_id=content_id, size=size, content=content)
