"""Open uploads of sets that await a content: they join it once another upload has made it."""

from collections.abc import Callable
from typing import Any

from gameshelf.kernel.sql import user
from gameshelf.savegames._models import ContentState, SavegameContent
from gameshelf.savegames._set_models import SavegameManifestContent, SavegameUploadFile
from gameshelf.savegames._store.expressions import IS_OPEN, IS_SINGLE, NOW, UPLOAD, C, F, U
from sqlalchemy import and_, delete, literal_column, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_PENDING: Any = literal_column(f"'{ContentState.PENDING.value}'")
_DROPPED: Any = literal_column(f"'{ContentState.DROPPED.value}'")


def joined_by_sets(made: Any, is_unpacked: Callable[[Any, Any, Any, Any], Any]) -> tuple[Any, ...]:
    """The changes by which uploads of sets other than ``UPLOAD`` join contents, as they would if they were requested
    now: their lists hold them, they await them no more, and what they have verified of their own is dropped.

    ``made`` has ``id``, ``file_hash_sha256`` and ``file_size_bytes`` of the contents. ``is_unpacked`` is the condition
    that nothing is left to be verified, of an encoding, a hash and a size of unpacked bytes, and a hash.
    """
    waiting: Any = (
        select(col(F.upload_id), col(F.sha256), col(F.content_id).label("own_id"), col(U.manifest_id), made.c.id)
        .select_from(made)
        .join(
            F,
            and_(
                col(F.user_id) == user(),
                col(F.sha256) == made.c.file_hash_sha256,
                col(F.size_bytes) == made.c.file_size_bytes,
                col(F.upload_id) != UPLOAD,
                is_unpacked(col(F.content_encoding), col(F.raw_sha256), col(F.raw_size_bytes), col(F.sha256)),
            ),
        )
        .join(
            U,
            and_(
                col(U.user_id) == user(),
                col(U.id) == col(F.upload_id),
                ~IS_SINGLE,
                IS_OPEN,
                col(U.expires_at) > NOW,
                col(U.manifest_id).is_not(None),
            ),
        )
        .cte("waiting")
    )
    held = (
        insert(SavegameManifestContent)
        .from_select(["user_id", "manifest_id", "content_id"], select(user(), waiting.c.manifest_id, waiting.c.id))
        .on_conflict_do_nothing()
        .cte("held_by_others")
    )
    abandoned = (
        update(SavegameContent)
        .where(col(C.user_id) == user(), col(C.id) == waiting.c.own_id, col(C.state) == _PENDING)
        .values(state=_DROPPED, delete_after=NOW)
        .cte("abandoned")
    )
    awaited_no_more = (
        delete(SavegameUploadFile)
        .where(
            col(F.user_id) == user(),
            tuple_(col(F.upload_id), col(F.sha256)).in_(select(waiting.c.upload_id, waiting.c.sha256)),
        )
        .cte("awaited_no_more")
    )
    return held, abandoned, awaited_no_more
