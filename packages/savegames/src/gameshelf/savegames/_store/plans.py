"""The saves of a product in relation to what a plan is asked about, in two statements. Nothing is locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import rows, user
from gameshelf.savegames._models import (
    SavegameConflict,
    SavegameDevice,
    SavegameNumber,
    SavegameScan,
)
from gameshelf.savegames._plans import PlannedBranch
from gameshelf.savegames._set_models import (
    SavegameGameVersion,
)
from gameshelf.savegames._store.expressions import PRODUCT, M, S, identity_of, one_version
from gameshelf.savegames._store.numbers import OTHER_NAMES, RESTORED
from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

_D, _X, _N = SavegameDevice, SavegameConflict, SavegameNumber
_V = SavegameGameVersion
_DEVICE = bindparam("device_id", type_=String)


@dataclass(frozen=True, slots=True)
class AskedSave:
    """A save that a plan is asked about."""

    place: int
    name: str
    key: str
    """The folded name."""
    savegame_id: UUID | None
    base: int | None
    content: bytes | None
    """The lineage key of the content if it is a single file; None: the device has nothing."""
    set_key: bytes | None
    """The lineage key of the content if it is a set."""
    has_units: bool
    """Whether the device has named units, which only sets have."""


@dataclass(frozen=True, slots=True)
class LiveSave:
    """A live save of a product, in relation to what a plan is asked about."""

    slot_id: UUID
    slot_name: str
    head_version: int
    last_version: int
    head_key: bytes | None
    """The lineage key of the head's content; None once its bytes are lost."""
    head_is_set: bool
    head_file_count: int | None
    head_manifest_id: UUID | None
    head_device_id: str | None
    head_game_version_id: str | None
    head_game_version_at: datetime | None
    """When the version of the game that wrote the head was first seen."""
    head_uploaded_at: datetime
    device_version: int | None
    """The version that the device uploaded or reported last."""
    place: int | None
    """The place of the save that was asked about; None: it was not."""
    has_base: bool
    base_in_head: bool
    """Whether the head grew from the base."""
    base_manifest_id: UUID | None
    base_file_count: int | None
    regresses_to: int | None
    """The newest ancestor of the head with the device's content."""
    branches: tuple[PlannedBranch, ...]
    """Of open conflicts: those of the device, and those with its content."""


@dataclass(frozen=True, slots=True)
class AbsentSave:
    """What is known of a save that is not live, or of a number that a live one never had."""

    place: int
    named_version: int | None
    """The highest number of the save that is named by its id; None: there is none."""
    highest_version: int
    """The highest number that was assigned under the name to saves that are not live."""
    is_trashed: bool
    """Whether the content belongs to a save in the trash."""


_ASKED: dict[str, tuple[str, Any]] = {
    "place": ("places", Integer),
    "name": ("names", String),
    "key": ("keys", String),
    "savegame_id": ("savegame_ids", Uuid),
    "base": ("bases", BigInteger),
    "content": ("contents", LargeBinary),
    "set_key": ("set_keys", LargeBinary),
}
# Joined twice, since a join by one of two columns could not be a hash join.
_by_name, _by_key = rows("by_name", **_ASKED), rows("by_key", **_ASKED)
_older = aliased(M)


def _asked(name: str) -> Any:
    return case((_by_name.c.place.is_not(None), _by_name.c[name]), else_=_by_key.c[name])


def _kept_key(version: Any) -> Any:
    """The lineage key of a version; null once its bytes are gone."""
    return case((col(version.content_id).is_not(None), identity_of(version)))


_regresses_to = (
    select(func.max(col(_older.version)))
    .where(
        col(_older.user_id) == user(),
        col(_older.slot_id) == col(S.id),
        col(_older.in_head),
        col(_older.content_id).is_not(None),
        col(_older.version) < col(S.head_version),
        identity_of(_older).in_([_asked("content"), _asked("set_key")]),
    )
    .correlate(S, _by_name, _by_key)
    .scalar_subquery()
)
_base = one_version(col(S.id), func.coalesce(_asked("base"), col(_D.version)), "base")
_branch = one_version(col(_X.slot_id), col(_X.branch_version), "branch")
_branch_key = _kept_key(_branch.c)
_branches = (
    select(
        func.array_agg(col(_X.id)).label("branch_conflict_ids"),
        func.array_agg(col(_X.branch_version)).label("branch_versions"),
        func.array_agg(_branch_key).label("branch_keys"),
        func.array_agg(_branch.c.device_id).label("branch_device_ids"),
    )
    .select_from(_X)
    .join(_branch, true())
    .where(
        col(_X.user_id) == user(),
        col(_X.slot_id) == col(S.id),
        col(_X.resolved_at).is_(None),
        or_(
            _branch.c.device_id == _DEVICE,
            _branch_key.in_([_asked("content"), _asked("set_key")]),
        ),
    )
    .correlate(S, _by_name, _by_key)
    .lateral("branches")
)
_SAVES = Statement(
    select(
        col(S.id).label("slot_id"),
        col(S.slot_name),
        col(S.head_version),
        col(S.last_version),
        _kept_key(M).label("head_key"),
        col(M.file_count).is_not(None).label("head_is_set"),
        col(M.file_count).label("head_file_count"),
        col(M.manifest_id).label("head_manifest_id"),
        col(M.device_id).label("head_device_id"),
        col(M.game_version_id).label("head_game_version_id"),
        col(_V.first_seen_at).label("head_game_version_at"),
        col(M.server_uploaded_at).label("head_uploaded_at"),
        col(_D.version).label("device_version"),
        _asked("place").label("place"),
        _base.c.version.is_not(None).label("has_base"),
        func.coalesce(_base.c.in_head, literal_column("false")).label("base_in_head"),
        _base.c.manifest_id.label("base_manifest_id"),
        _base.c.file_count.label("base_file_count"),
        _regresses_to.label("regresses_to"),
        *_branches.c,
    )
    .select_from(S)
    .join(M, and_(col(M.user_id) == user(), col(M.slot_id) == col(S.id), col(M.version) == col(S.head_version)))
    .outerjoin(_D, and_(col(_D.user_id) == user(), col(_D.slot_id) == col(S.id), col(_D.device_id) == _DEVICE))
    .outerjoin(_V, and_(col(_V.product_id) == PRODUCT, col(_V.game_version_id) == col(M.game_version_id)))
    .outerjoin(_by_name, _by_name.c.name == col(S.slot_name))
    .outerjoin(_by_key, _by_key.c.key == col(S.slot_key))
    .outerjoin(_base, true())
    .outerjoin(_branches, true())
    .where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None))
    .order_by(col(S.slot_name), col(S.id))
)
_BRANCH_COLUMNS = ("branch_conflict_ids", "branch_versions", "branch_keys", "branch_device_ids")
_LIVE_SAVE = RowReader(LiveSave, _SAVES, given=("branches",), others=_BRANCH_COLUMNS)

_absent = rows("absent", **_ASKED)
_named, _trashed, _had, _grew, _holding = aliased(S), aliased(S), aliased(_D), aliased(M), aliased(M)


def _has_name(slot: Any) -> Any:
    return or_(col(slot.slot_name) == _absent.c.name, col(slot.slot_key) == _absent.c.key)


_in_trash = and_(
    col(_trashed.user_id) == user(), col(_trashed.product_id) == PRODUCT, col(_trashed.deleted_at).is_not(None)
)
_highest = func.greatest(
    literal_column("0"),
    select(func.max(col(_trashed.last_version)))
    .where(_in_trash, _has_name(_trashed))
    .correlate(_absent)
    .scalar_subquery(),
    select(func.max(col(_N.last_version)))
    .where(
        col(_N.user_id) == user(),
        col(_N.product_id) == PRODUCT,
        col(_N.slot_key).in_([_absent.c.key, _absent.c.name, literal_column(f"'{OTHER_NAMES}'")]),
    )
    .correlate(_absent)
    .scalar_subquery(),
    select(cast(func.floor(func.extract("epoch", col(SavegameScan.started_at))), BigInteger))
    .where(col(SavegameScan.name) == literal_column(f"'{RESTORED}'"))
    .scalar_subquery(),
)
_was_device = (
    select(literal(1))
    .where(
        col(_had.user_id) == user(),
        col(_had.slot_id) == col(_trashed.id),
        col(_had.device_id) == _DEVICE,
        _absent.c.base.is_(None),
    )
    .correlate(_trashed, _absent)
    .exists()
)
_has_grown = (
    select(literal(1))
    .where(col(_grew.user_id) == user(), col(_grew.slot_id) == col(_trashed.id), col(_grew.version) == _absent.c.base)
    .correlate(_trashed, _absent)
    .exists()
)
# The hash too: the release before stored packed bytes without another identity.
_holds = (
    select(literal(1))
    .where(
        col(_holding.user_id) == user(),
        col(_holding.slot_id) == col(_trashed.id),
        or_(
            identity_of(_holding).in_([_absent.c.content, _absent.c.set_key]),
            and_(col(_holding.file_count).is_(None), col(_holding.file_hash_sha256) == _absent.c.content),
        ),
    )
    .correlate(_trashed, _absent)
    .exists()
)
_is_trashed = (
    select(literal(1))
    .where(
        _in_trash,
        col(_trashed.head_version).is_not(None),
        or_(
            col(_trashed.id) == _absent.c.savegame_id,
            and_(_absent.c.savegame_id.is_(None), _has_name(_trashed), or_(_was_device, _has_grown)),
        ),
        _holds,
    )
    .correlate(_absent)
    .exists()
)
_ABSENT = Statement(
    select(
        _absent.c.place,
        col(_named.last_version).label("named_version"),
        cast(_highest, BigInteger).label("highest_version"),
        _is_trashed.label("is_trashed"),
    ).select_from(
        _absent.outerjoin(
            _named,
            and_(
                col(_named.user_id) == user(),
                col(_named.id) == _absent.c.savegame_id,
                col(_named.product_id) == PRODUCT,
                col(_named.head_version).is_not(None),
            ),
        )
    )
)
_ABSENT_SAVE = RowReader(AbsentSave, _ABSENT)


class PlanStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def live_saves(
        self, user_id: UUID, product_id: UUID, device_id: str, asked: Sequence[AskedSave]
    ) -> list[LiveSave]:
        """Returns all live saves of a product, in the order of their names."""
        found = await _SAVES.all(
            self._connection, user_id=user_id, product_id=product_id, device_id=device_id, **_lists(asked)
        )
        return [_LIVE_SAVE.read(row, branches=_read_branches(row)) for row in found]

    async def absent_saves(
        self, user_id: UUID, product_id: UUID, device_id: str, asked: Sequence[AskedSave]
    ) -> dict[int, AbsentSave]:
        """Returns what is known of saves that are not live, by their places."""
        found = await _ABSENT.all(
            self._connection, user_id=user_id, product_id=product_id, device_id=device_id, **_lists(asked)
        )
        return {one.place: one for one in _ABSENT_SAVE.read_all(found)}


def _lists(asked: Sequence[AskedSave]) -> dict[str, list[Any]]:
    return {parameter: [getattr(one, name) for one in asked] for name, (parameter, _) in _ASKED.items()}


def _zipped(row: Record, prefix: str, names: Sequence[str]) -> Any:
    return zip(*(row[prefix + name] or () for name in names), strict=True)


def _read_branches(row: Record) -> tuple[PlannedBranch, ...]:
    return tuple(
        PlannedBranch(conflict_id, version, key, device_id)
        for conflict_id, version, key, device_id in _zipped(row, "", _BRANCH_COLUMNS)
    )
