"""Parameters, conditions and expressions that several statements share."""

from typing import Any

from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames._files import SET_PREFIX
from gameshelf.savegames._models import (
    ContentKind,
    ContentState,
    SavegameContent,
    SavegameMetadata,
    SavegameSlot,
    SavegameUpload,
)
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent, SavegameUploadFile
from sqlalchemy import (
    BigInteger,
    LargeBinary,
    String,
    Uuid,
    all_,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

S, M, C, U = SavegameSlot, SavegameMetadata, SavegameContent, SavegameUpload
L, H, F = SavegameManifest, SavegameManifestContent, SavegameUploadFile

SLOT = bindparam("slot_id", type_=Uuid)
NAME = bindparam("slot_name", type_=String)
KEY = bindparam("slot_key", type_=String)
"""The name folded by ``naming.slot_key``."""
PRODUCT = bindparam("product_id", type_=Uuid)
UPLOAD = bindparam("upload_id", type_=Uuid)
MANIFEST = bindparam("manifest_id", type_=Uuid)
VERSION = bindparam("version", type_=BigInteger)
HASH = bindparam("content", type_=LargeBinary)
IDENTITY = bindparam("identity", type_=LargeBinary)
NOW = bindparam("now", type_=TIME)

OF_SLOT = (col(M.user_id) == user(), col(M.slot_id) == SLOT)
# A literal: with a parameter the generic plan could not use the partial index of live contents.
IS_LIVE = col(C.state) == literal_column(f"'{ContentState.LIVE.value}'")
IS_LIVE_BY_ID = col(C.state) == ContentState.LIVE.value
"""The same condition where contents are found by their ids, keys or times. It does not match that partial index,
through which a plan for few contents would read all of the user's.
"""
IS_FILE = col(C.kind) == literal_column(f"'{ContentKind.FILE.value}'")
IS_OPEN = col(U.outcome).is_(None)
IS_SINGLE = col(U.file_count).is_(None)
"""The condition that an upload is of a single file."""
UPLOAD_OF_FILE = and_(col(U.user_id) == col(F.user_id), col(U.id) == col(F.upload_id))

_SET_PREFIX: Any = literal_column(f"'\\x{SET_PREFIX.hex()}'::bytea", LargeBinary)
_ONE: Any = literal_column("1")


def identity_of(version: Any) -> Any:
    """The lineage key of a version or an upload (``_files.lineage_key``). That of a set is not what clients see."""
    single = func.coalesce(col(version.content_identity), col(version.file_hash_sha256))
    of_set = _SET_PREFIX.op("||")(col(version.content_identity))
    return case((col(version.file_count).is_(None), single), else_=of_set)


def one_version(slot_id: Any, number: Any, name: str) -> Any:
    """A lateral select of the version of a slot of the user with this number.

    It is cut to one row for the sake of the planner, which takes a slot for one that has a version or two. In a plain
    join, an index scan by the slot alone looks as cheap to it as one by slot and number: it would read all versions of
    the slot, however many there are, and compare their numbers. The user is the parameter, never a column of another
    table: by a column Citus would not know the shard of a select that is cut.
    """
    version = aliased(M)
    found = select(version).where(
        col(version.user_id) == user(), col(version.slot_id) == slot_id, col(version.version) == number
    )
    return found.limit(_ONE).lateral(name)


def awaited_contents(*of_upload: Any) -> Any:
    """The contents that open uploads may still add, and that the user does not have: ``sha256`` and ``bytes``, and
    ``slot_id`` of the upload. A content that several uploads await is in several rows. ``of_upload`` are conditions.
    """
    singles: Any = select(
        col(U.file_hash_sha256).label("sha256"), col(U.file_size_bytes).label("bytes"), col(U.slot_id).label("slot_id")
    ).where(
        col(U.user_id) == user(),
        IS_OPEN,
        IS_SINGLE,
        col(U.content_id).is_(None),
        ~_is_there(col(U.file_hash_sha256)),
        *of_upload,
    )
    of_sets: Any = (
        select(col(F.sha256), col(F.size_bytes).label("bytes"), col(U.slot_id).label("slot_id"))
        .select_from(F)
        .join(U, UPLOAD_OF_FILE)
        .where(col(F.user_id) == user(), IS_OPEN, ~IS_SINGLE, ~_is_there(col(F.sha256)), *of_upload)
    )
    return union_all(singles, of_sets).subquery("awaited")


def _is_there(sha256: Any) -> Any:
    return select(_ONE).where(col(C.user_id) == user(), col(C.file_hash_sha256) == sha256, IS_LIVE).exists()


def counted_sizes(sha256: Any = None) -> Any:
    """A select of the contents whose bytes are counted for open uploads that have not expired: ``sha256`` and
    ``bytes``, as each upload announced them. A content that several uploads await is in several rows. With a hash it
    is of that content alone.
    """
    singles: Any = select(col(U.file_hash_sha256).label("sha256"), col(U.file_size_bytes).label("bytes")).where(
        col(U.user_id) == user(), IS_SINGLE, IS_OPEN, col(U.expires_at) > NOW, col(U.content_id).is_(None)
    )
    of_sets: Any = (
        select(col(F.sha256), col(F.size_bytes).label("bytes"))
        .select_from(F)
        .join(U, UPLOAD_OF_FILE)
        .where(col(F.user_id) == user(), ~IS_SINGLE, IS_OPEN, col(U.expires_at) > NOW)
    )
    if sha256 is not None:
        singles = singles.where(col(U.file_hash_sha256) == sha256)
        of_sets = of_sets.where(col(F.sha256) == sha256)
    return union_all(singles, of_sets)


def reserved_bytes(*of_upload: Any, but: Any = None) -> Any:
    """The bytes that a user's open uploads may still add; equal contents count once, whatever awaits them.

    ``of_upload`` are conditions; the contents of the array ``but`` are left out.
    """
    awaited = awaited_contents(*of_upload)
    sizes = select(func.max(awaited.c.bytes).label("bytes")).group_by(awaited.c.sha256)
    if but is not None:
        sizes = sizes.where(awaited.c.sha256 != all_(but))
    found = sizes.subquery("sizes")
    return select(func.coalesce(func.sum(found.c.bytes), 0)).scalar_subquery()


def verified_content(*columns: Any) -> Any:
    """The verified pending content of a file that an upload awaits: ``id`` and other columns of contents.

    It is looked up for each file. A join would compare all files with all contents of the user, where the statistics
    are of the time before the upload.
    """
    return (
        select(col(C.id), *columns)
        .where(
            col(C.user_id) == user(),
            col(C.id) == col(F.content_id),
            col(C.state) == literal_column(f"'{ContentState.PENDING.value}'"),
            col(C.verified_at).is_not(None),
        )
        .limit(_ONE)
        .correlate(F)
    )


def live_content(sha256: Any, name: str, *conditions: Any) -> Any:
    """A lateral select of the user's live content with this hash, if it meets the conditions about ``C``.

    It is looked up for each hash. A plain join could compare all of them with all contents of the user.
    """
    found = select(C).where(col(C.user_id) == user(), col(C.file_hash_sha256) == sha256, IS_LIVE, *conditions)
    return found.limit(_ONE).correlate_except(C).lateral(name)


def used_bytes() -> Any:
    """The bytes of a user's files. Each content counts once, however many versions hold it; lists do not count."""
    used = func.coalesce(func.sum(col(C.file_size_bytes)), 0)
    return select(used).where(col(C.user_id) == user(), IS_LIVE, IS_FILE).scalar_subquery()
