"""What a device intended last with the saves of a product."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.savegames._limits import MAX_DEVICE_STATES
from gameshelf.savegames._set_models import SavegameDeviceState
from gameshelf.savegames._store.expressions import NOW, PRODUCT, SLOT, S
from sqlalchemy import (
    ARRAY,
    Boolean,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_T = SavegameDeviceState
_DEVICE = bindparam("device_id", type_=String)
_IS_PENDING = bindparam("is_pending", type_=Boolean)
_PENDING_SLOTS: Any = bindparam("pending_slots", type_=ARRAY(Text))
_of_product = and_(col(_T.user_id) == user(), col(_T.product_id) == PRODUCT)
# Of the other devices, since the statement does not see the row that it adds itself.
_oldest = (
    select(col(_T.device_id))
    .where(_of_product, col(_T.device_id) != _DEVICE)
    .order_by(col(_T.intent_at).desc(), col(_T.device_id))
    .offset(literal_column(str(MAX_DEVICE_STATES - 1)))
)
_new = insert(SavegameDeviceState).values(
    user_id=user(),
    product_id=PRODUCT,
    device_id=_DEVICE,
    device_name=bindparam("device_name", type_=String),
    intent=bindparam("intent", type_=String),
    intent_at=NOW,
    pending_since=case((_IS_PENDING, NOW), else_=null()),
    pending_slots=case((_IS_PENDING, _PENDING_SLOTS), else_=null()),
)
# A commit after the plan has cleared it, and the device has nothing to upload any more.
_is_committed = func.coalesce(col(_T.committed_at) > NOW, literal_column("false"))
_is_settled = or_(~_IS_PENDING, _is_committed)
_NOTE = Statement(
    _new.on_conflict_do_update(
        index_elements=["user_id", "product_id", "device_id"],
        set_={
            "device_name": func.coalesce(_new.excluded.device_name, col(_T.device_name)),
            "intent": _new.excluded.intent,
            "intent_at": _new.excluded.intent_at,
            "pending_since": case((_is_settled, null()), else_=func.coalesce(col(_T.pending_since), NOW)),
            "pending_slots": case((_is_settled, null()), else_=_new.excluded.pending_slots),
        },
    ).add_cte(delete(SavegameDeviceState).where(_of_product, col(_T.device_id).in_(_oldest)).cte("forgotten"))
)


def committed_by(device: Any) -> Any:
    """The update of the state of a device that commits an upload to the save ``SLOT`` of ``PRODUCT`` at ``NOW``: that
    save is not pending any more.
    """
    name = select(col(S.slot_name)).where(col(S.user_id) == user(), col(S.id) == SLOT).scalar_subquery()
    left: Any = func.array_remove(col(_T.pending_slots), cast(name, Text))
    is_left = func.cardinality(left) > literal_column("0")
    return (
        update(SavegameDeviceState)
        .where(_of_product, col(_T.device_id) == device)
        .values(
            committed_at=NOW,
            pending_since=case((is_left, col(_T.pending_since)), else_=null()),
            pending_slots=case((is_left, left), else_=null()),
        )
    )


class DeviceStateStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def note_intent(
        self,
        user_id: UUID,
        product_id: UUID,
        device_id: str,
        device_name: str | None,
        intent: str,
        pending_slots: Sequence[str],
        now: datetime,
    ) -> None:
        """Stores an intent, and the names of the saves that the device has to upload. Of more than
        ``MAX_DEVICE_STATES`` devices those are forgotten whose intents are the oldest.
        """
        await _NOTE.run(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            device_id=device_id,
            device_name=device_name,
            intent=intent,
            is_pending=bool(pending_slots),
            pending_slots=list(pending_slots),
            now=now,
        )
