"""Pieces that several statements are made of."""

from typing import Any

from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames.models import ContentState, SavegameContent, SavegameMetadata, SavegameSlot, SavegameUpload
from sqlalchemy import BigInteger, LargeBinary, Uuid, bindparam, func, literal_column, select
from sqlmodel import col

S, M, C, U = SavegameSlot, SavegameMetadata, SavegameContent, SavegameUpload

SLOT = bindparam("slot_id", type_=Uuid)
PRODUCT = bindparam("product_id", type_=Uuid)
UPLOAD = bindparam("upload_id", type_=Uuid)
VERSION = bindparam("version", type_=BigInteger)
HASH = bindparam("content", type_=LargeBinary)
NOW = bindparam("now", type_=TIME)

OF_SLOT = (col(M.user_id) == user(), col(M.slot_id) == SLOT)
# Written out: with a parameter in its place a plan for all values could not use the index of those that are live.
IS_LIVE = col(C.state) == literal_column(f"'{ContentState.LIVE.value}'")
IS_OPEN = col(U.outcome).is_(None)


def reserved_bytes() -> Any:
    """What a user's open uploads may still bring."""
    reserved = func.coalesce(func.sum(col(U.file_size_bytes)), 0)
    return select(reserved).where(col(U.user_id) == user(), IS_OPEN, col(U.content_id).is_(None)).scalar_subquery()


def used_bytes() -> Any:
    """What a user's contents take: each counts once, whatever refers to it."""
    used = func.coalesce(func.sum(col(C.file_size_bytes)), 0)
    return select(used).where(col(C.user_id) == user(), IS_LIVE).scalar_subquery()
