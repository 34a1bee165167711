"""Parameters, conditions and expressions that several statements share."""

from typing import Any

from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames._models import ContentState, SavegameContent, SavegameMetadata, SavegameSlot, SavegameUpload
from sqlalchemy import BigInteger, LargeBinary, String, Uuid, and_, bindparam, func, literal_column, select
from sqlmodel import col

S, M, C, U = SavegameSlot, SavegameMetadata, SavegameContent, SavegameUpload

SLOT = bindparam("slot_id", type_=Uuid)
NAME = bindparam("slot_name", type_=String)
KEY = bindparam("slot_key", type_=String)
"""The name folded by ``naming.slot_key``."""
PRODUCT = bindparam("product_id", type_=Uuid)
UPLOAD = bindparam("upload_id", type_=Uuid)
VERSION = bindparam("version", type_=BigInteger)
HASH = bindparam("content", type_=LargeBinary)
IDENTITY = bindparam("identity", type_=LargeBinary)
NOW = bindparam("now", type_=TIME)

OF_SLOT = (col(M.user_id) == user(), col(M.slot_id) == SLOT)
# A literal: with a parameter the generic plan could not use the partial index of live contents.
IS_LIVE = col(C.state) == literal_column(f"'{ContentState.LIVE.value}'")
IS_OPEN = col(U.outcome).is_(None)


def identity_of(version: Any) -> Any:
    """The identity of a version or an upload, which lineage compares."""
    return func.coalesce(col(version.content_identity), col(version.file_hash_sha256))


def is_awaited() -> Any:
    """The condition that an open upload may still add bytes that the user does not have."""
    is_there: Any = select(literal_column("1")).where(
        col(C.user_id) == user(), col(C.file_hash_sha256) == col(U.file_hash_sha256), IS_LIVE
    )
    return and_(col(U.user_id) == user(), IS_OPEN, col(U.content_id).is_(None), ~is_there.exists())


def reserved_bytes(*other: Any) -> Any:
    """The bytes that a user's open uploads may still add; equal contents count once. ``other`` are more conditions."""
    sizes = (
        select(func.max(col(U.file_size_bytes)).label("bytes"))
        .where(is_awaited(), *other)
        .group_by(col(U.file_hash_sha256))
        .subquery("sizes")
    )
    return select(func.coalesce(func.sum(sizes.c.bytes), 0)).scalar_subquery()


def used_bytes() -> Any:
    """The bytes of a user's contents. Each content counts once, however many versions hold it."""
    used = func.coalesce(func.sum(col(C.file_size_bytes)), 0)
    return select(used).where(col(C.user_id) == user(), IS_LIVE).scalar_subquery()
