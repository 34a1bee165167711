"""What a plan needs besides the saves: the policy, the preferences, and what the user's devices are at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._limits import MAX_DEVICE_STATES, MAX_OPEN_UPLOADS
from gameshelf.savegames._set_models import (
    SavegameDeviceState,
    SavegameGameVersion,
    SavegamePolicy,
    SavegamePreference,
)
from gameshelf.savegames._store.expressions import IS_OPEN, NOW, PRODUCT, S, U
from gameshelf.savegames._store.preferences import ACCOUNT
from sqlalchemy import String, Text, Uuid, bindparam, cast, func, literal, literal_column, select, true
from sqlmodel import col

_T, _P, _F, _V = SavegameDeviceState, SavegamePolicy, SavegamePreference, SavegameGameVersion
_DEVICE = bindparam("device_id", type_=String)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a device intended last."""

    device_id: str
    device_name: str | None
    intent: str
    intent_at: datetime
    pending_since: datetime | None
    pending_slot: str | None
    """The first of the saves that it has to upload."""
    committed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceUpload:
    """An open upload of a device."""

    device_id: str
    device_name: str | None
    slot_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What is the same for all saves of a plan."""

    revision: int | None
    """None: the product has no policy."""
    source: str | None
    policy: str | None
    """JSON."""
    auto_sync: bool
    """Whether account and product are synchronised without being asked."""
    game_version_at: datetime | None
    """When the version of the game on the device was first seen."""
    states: Sequence[DeviceState]
    uploads: Sequence[DeviceUpload]
    """Of other devices, to this product."""


_one = select(literal(1)).subquery()
_state = (
    select(
        *(col(getattr(_T, name)) for name in ("device_id", "device_name", "intent", "intent_at", "pending_since")),
        cast(col(_T.pending_slots)[1], Text).label("pending_slot"),
        col(_T.committed_at),
    )
    .where(col(_T.user_id) == user(), col(_T.product_id) == PRODUCT)
    .order_by(col(_T.intent_at).desc())
    .limit(literal_column(str(MAX_DEVICE_STATES)))
    .subquery("state")
)
_STATE_FIELDS = tuple(DeviceState.__dataclass_fields__)
_states = select(*(func.array_agg(_state.c[name]).label(f"state_{name}") for name in _STATE_FIELDS)).subquery("states")
# The one slot of each upload: a plan that was made while the tables were empty would read all slots for each of them.
_slot = (
    select(col(S.product_id), col(S.slot_name))
    .where(col(S.user_id) == user(), col(S.id) == col(U.slot_id))
    .limit(literal_column("1"))
    .correlate(U)
    .lateral("slot")
)
_upload = (
    select(col(U.device_id), col(U.device_name), _slot.c.slot_name, col(U.created_at))
    .join(_slot, true())
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        col(U.expires_at) > NOW,
        _slot.c.product_id == PRODUCT,
        col(U.device_id) != _DEVICE,
    )
    .limit(literal_column(str(MAX_OPEN_UPLOADS)))
    .subquery("upload")
)
_UPLOAD_FIELDS = tuple(DeviceUpload.__dataclass_fields__)
_uploads = select(*(func.array_agg(_upload.c[name]).label(f"upload_{name}") for name in _UPLOAD_FIELDS)).subquery(
    "uploads"
)
_is_off = (
    select(literal(1))
    .where(
        col(_F.user_id) == user(),
        col(_F.product_id).in_([PRODUCT, cast(literal_column(f"'{ACCOUNT}'"), Uuid)]),
        ~col(_F.auto_sync),
    )
    .exists()
)
_game_version_at = (
    select(col(_V.first_seen_at))
    .where(
        col(_V.product_id) == PRODUCT,
        col(_V.game_version_id) == bindparam("game_version_id", type_=String),
    )
    .scalar_subquery()
)
_CONTEXT = Statement(
    select(
        col(_P.revision),
        col(_P.source),
        cast(col(_P.policy), Text).label("policy"),
        (~_is_off).label("auto_sync"),
        _game_version_at.label("game_version_at"),
        *_states.c,
        *_uploads.c,
    ).select_from(
        _one.outerjoin(_P, col(_P.product_id) == PRODUCT).outerjoin(_states, true()).outerjoin(_uploads, true())
    )
)
_PLAN_CONTEXT = RowReader(
    PlanContext,
    _CONTEXT,
    given=("states", "uploads"),
    others=(*_states.c.keys(), *_uploads.c.keys()),
)


class PlanContextStore:
    """One statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_context(
        self, user_id: UUID, product_id: UUID, device_id: str, game_version_id: str | None, now: datetime
    ) -> PlanContext:
        """Returns the policy, the preferences, and what the devices of a product are at."""
        row = await _CONTEXT.first(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            device_id=device_id,
            game_version_id=game_version_id,
            now=now,
        )
        assert row is not None
        states = [DeviceState(*one) for one in _zipped(row, "state_", _STATE_FIELDS)]
        uploads = [DeviceUpload(*one) for one in _zipped(row, "upload_", _UPLOAD_FIELDS)]
        return _PLAN_CONTEXT.read(row, states=states, uploads=uploads)


def _zipped(row: Record, prefix: str, names: Sequence[str]) -> Any:
    return zip(*(row[prefix + name] or () for name in names), strict=True)
