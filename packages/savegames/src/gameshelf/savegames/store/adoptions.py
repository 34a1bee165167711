"""What has to be known, and written, of objects that the database has lost sight of."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import array, user
from gameshelf.savegames.models import ContentState, SavegameContent, SavegameSlot
from gameshelf.savegames.naming import slot_key
from gameshelf.savegames.store.expressions import HASH, NAME, NOW, OF_SLOT, PRODUCT, SLOT, VERSION, M, S, U
from gameshelf.savegames.store.numbers import is_named
from gameshelf.savegames.store.slots import Slot
from sqlalchemy import BigInteger, String, Uuid, any_, bindparam, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class CandidateVersion:
    """A version that may be the one that an object was made for, or the one that it grew from."""

    version: int
    id: UUID
    content: bytes
    is_kept: bool
    uploaded_at: datetime


_SLOT = Statement(
    select(col(S.id), col(S.product_id), col(S.slot_name), col(S.head_version), col(S.last_version), col(S.deleted_at))
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        is_named(),
        col(S.deleted_at).is_(None),
    )
    .order_by((col(S.slot_name) == NAME).desc())
    .limit(1)
)
_CANDIDATES = Statement(
    select(
        col(M.version),
        col(M.id),
        col(M.file_hash_sha256),
        col(M.content_id).is_not(None),
        col(M.server_uploaded_at),
    ).where(
        *OF_SLOT, or_(col(M.version) == any_(array("versions", BigInteger)), col(M.id) == bindparam("id", type_=Uuid))
    )
)
_GIVEN = Statement(
    select(literal(1)).where(col(U.user_id) == user(), col(U.slot_id) == SLOT, col(U.version) == VERSION).limit(1)
)
_GIVE = Statement(
    update(SavegameSlot)
    .where(col(S.user_id) == user(), col(S.id) == SLOT, col(S.last_version) <= VERSION)
    .values(last_version=bindparam("new_last_version", type_=BigInteger))
)
_KEEP = Statement(
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


class AdoptionStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def slot(self, user_id: UUID, product_id: UUID, slot_name: str) -> Slot | None:
        """The save of that name that is not in the trash."""
        row = await _SLOT.first(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            slot_name=slot_name,
            slot_key=slot_key(slot_name),
        )
        return Slot(*row.values()) if row else None

    async def candidates(
        self, user_id: UUID, slot_id: UUID, versions: Collection[int], version_id: UUID
    ) -> list[CandidateVersion]:
        """The versions of these numbers, and the one of that id."""
        rows = await _CANDIDATES.all(
            self._connection, user_id=user_id, slot_id=slot_id, versions=list(versions), id=version_id
        )
        return [CandidateVersion(*row.values()) for row in rows]

    async def is_given(self, user_id: UUID, slot_id: UUID, version: int) -> bool:
        """Whether an upload was given that number, whatever came of it."""
        row = await _GIVEN.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return row is not None

    async def give(self, user_id: UUID, slot_id: UUID, version: int, last_version: int) -> None:
        """Of a slot that never gave this number, or gave none above it, ``last_version`` is the last one now."""
        await _GIVE.run(
            self._connection, user_id=user_id, slot_id=slot_id, version=version, new_last_version=last_version
        )

    async def keep(self, user_id: UUID, content_id: UUID, key: str, size: int, content: bytes, now: datetime) -> None:
        """Makes an object a content of the user."""
        await _KEEP.run(
            self._connection, user_id=user_id, content_id=content_id, key=key, size=size, content=content, now=now
        )
