"""The statements that keep payloads, as parts of those that replace or delete them: no round trip is added.

A part sees the layers as they were before its statement. Citus runs the parts one after the other, so these come first.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, user
from gameshelf.settings._layers import ACCOUNT_REVISION, OVERLAY_REVISION
from gameshelf.settings._models import GameSettings, KeptPayload, PayloadEnd, SettingsOverlay
from sqlalchemy import (
    Integer,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_KEPT = 10
"""How many payloads of a layer are kept."""
MAX_KEPT_BYTES = 1024**2
"""How many bytes they take together, as PostgreSQL stores them."""
MAX_KEPT_OF_GAME = 640
"""How many are kept of a game, with those of overlays that were deleted: a client may name ever new devices."""
MAX_KEPT_BYTES_OF_GAME = MAX_KEPT_OF_GAME // MAX_KEPT * MAX_KEPT_BYTES

_G, _O, _K = GameSettings, SettingsOverlay, KeptPayload
ACCOUNT, NO_NAME = "account", ""
_PRODUCT = bindparam("product_id", type_=Uuid)
_KIND, _NAME = bindparam("kind", type_=String), bindparam("name", type_=String)
_NOW = bindparam("now", type_=TIME)
_COLUMNS = (
    "user_id",
    "product_id",
    "kind",
    "name",
    "revision",
    "settings_payload",
    "stored_bytes",
    "written_at",
    "ended_at",
    "ended_by",
)
_game = (col(_G.user_id) == user(), col(_G.product_id) == _PRODUCT)
_overlays = (col(_O.user_id) == user(), col(_O.product_id) == _PRODUCT)
_of_game = (col(_K.user_id) == user(), col(_K.product_id) == _PRODUCT)
_game_of_overlay = and_(col(_G.user_id) == col(_O.user_id), col(_G.product_id) == col(_O.product_id))


def _stored(payload: Any) -> Any:
    return func.pg_column_size(payload, type_=Integer)


def _account(ended_by: PayloadEnd) -> Any:
    # The time of the game is that of its last change, which may have been one of an overlay.
    written_at = case((col(_G.revision) == ACCOUNT_REVISION, col(_G.last_updated_at)))
    return select(
        user(),
        _PRODUCT,
        literal(ACCOUNT, String),
        literal(NO_NAME, String),
        ACCOUNT_REVISION,
        col(_G.settings_payload),
        _stored(col(_G.settings_payload)),
        written_at,
        _NOW,
        literal(str(ended_by), String),
    ).where(*_game, col(_G.settings_payload).is_not(None), _stored(col(_G.settings_payload)) <= MAX_KEPT_BYTES)


def _overlay(ended_by: PayloadEnd, *which: Any) -> Any:
    return (
        select(
            user(),
            _PRODUCT,
            col(_O.kind),
            col(_O.name),
            OVERLAY_REVISION,
            col(_O.settings_payload),
            _stored(col(_O.settings_payload)),
            col(_O.last_updated_at),
            _NOW,
            literal(str(ended_by), String),
        )
        .select_from(SettingsOverlay)
        .join(GameSettings, _game_of_overlay)
        .where(*_overlays, *which, _stored(col(_O.settings_payload)) <= MAX_KEPT_BYTES)
    )


def _kept(rows: Any) -> Any:
    return (
        insert(KeptPayload)
        .from_select(list(_COLUMNS), rows, include_defaults=False)
        .on_conflict_do_nothing()
        .cte("kept")
    )


def _trimmed(*which: Any, most: Callable[[Any, Any], Any]) -> Any:
    """Deletes the oldest payloads. ``most`` makes the condition for too many, of the places from 1 for the newest one,
    and of the bytes up to each.
    """
    newest_first = col(_K.revision).desc()
    ranked = (
        select(
            col(_K.revision),
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(col(_K.stored_bytes)).over(order_by=newest_first).label("bytes"),
        )
        .where(*_of_game, *which)
        .subquery("ranked")
    )
    # One number, computed once: with a list of what is too old all would be ranked again for each payload.
    newest_old = select(func.max(ranked.c.revision)).where(most(ranked.c.place, ranked.c.bytes)).scalar_subquery()
    return delete(KeptPayload).where(*_of_game, *which, col(_K.revision) <= newest_old).cte("trimmed")


def _trimmed_layer(kind: Any, name: Any, added: Any) -> Any:
    """Makes room for a payload of ``added`` bytes."""
    return _trimmed(
        col(_K.kind) == kind,
        col(_K.name) == name,
        most=lambda place, bytes_: or_(place >= MAX_KEPT, bytes_ + func.coalesce(added, 0) > MAX_KEPT_BYTES),
    )


def _trimmed_layers(deleted: Any) -> Any:
    """The same for each of the layers that are deleted, as ``_sizes_of_…`` select them."""
    newest_first: dict[str, Any] = {"partition_by": [col(_K.kind), col(_K.name)], "order_by": col(_K.revision).desc()}
    ranked = (
        select(
            col(_K.kind),
            col(_K.name),
            col(_K.revision),
            func.row_number().over(**newest_first).label("place"),
            func.sum(col(_K.stored_bytes)).over(**newest_first).label("bytes"),
        )
        .where(*_of_game)
        .subquery("ranked_in_layers")
    )
    layer = deleted.subquery("deleted")
    old = (
        select(ranked.c.kind, ranked.c.name, func.max(ranked.c.revision).label("revision"))
        .join(layer, and_(layer.c.kind == ranked.c.kind, layer.c.name == ranked.c.name))
        .where(or_(ranked.c.place >= MAX_KEPT, ranked.c.bytes + layer.c.added > MAX_KEPT_BYTES))
        .group_by(ranked.c.kind, ranked.c.name)
        .subquery("old")
    )
    return (
        delete(KeptPayload)
        .where(*_of_game, col(_K.kind) == old.c.kind, col(_K.name) == old.c.name, col(_K.revision) <= old.c.revision)
        .cte("trimmed_layers")
    )


_trimmed_game = _trimmed(
    most=lambda place, bytes_: or_(place > MAX_KEPT_OF_GAME, bytes_ > MAX_KEPT_BYTES_OF_GAME),
)
_named = (col(_O.kind) == _KIND, col(_O.name) == _NAME)
_size_of_account = (
    select(_stored(col(_G.settings_payload)))
    .where(*_game, _stored(col(_G.settings_payload)) <= MAX_KEPT_BYTES)
    .scalar_subquery()
)
_size_of_overlay = (
    select(_stored(col(_O.settings_payload)))
    .where(*_overlays, *_named, _stored(col(_O.settings_payload)) <= MAX_KEPT_BYTES)
    .scalar_subquery()
)

KEEP_ACCOUNT = (_trimmed_layer(ACCOUNT, NO_NAME, _size_of_account), _kept(_account(PayloadEnd.REPLACED)))
"""Parts of a statement that replaces the account's layer."""
KEEP_OVERLAY = (_trimmed_layer(_KIND, _NAME, _size_of_overlay), _kept(_overlay(PayloadEnd.REPLACED, *_named)))
"""Parts of a statement that replaces an overlay (parameters ``kind`` and ``name``)."""
_sizes_of_account = select(
    literal(ACCOUNT, String).label("kind"),
    literal(NO_NAME, String).label("name"),
    _stored(col(_G.settings_payload)).label("added"),
).where(*_game, col(_G.settings_payload).is_not(None), _stored(col(_G.settings_payload)) <= MAX_KEPT_BYTES)


def _sizes_of_overlays(*which: Any) -> Any:
    return select(col(_O.kind), col(_O.name), _stored(col(_O.settings_payload)).label("added")).where(
        *_overlays, *which, _stored(col(_O.settings_payload)) <= MAX_KEPT_BYTES
    )


KEEP_DELETED_OVERLAY = (
    _trimmed_layers(_sizes_of_overlays(*_named)),
    _trimmed_game,
    _kept(_overlay(PayloadEnd.DELETED, *_named)),
)
KEEP_DELETED_ACCOUNT = (_trimmed_layers(_sizes_of_account), _trimmed_game, _kept(_account(PayloadEnd.DELETED)))
KEEP_ALL = (
    _trimmed_layers(_sizes_of_account.union_all(_sizes_of_overlays())),
    _trimmed_game,
    _kept(_account(PayloadEnd.DELETED).union_all(_overlay(PayloadEnd.DELETED))),
)


def keep_evicted(unused: Any) -> tuple[Any, Any, Any]:
    """Returns the parts of a statement that deletes the overlay in ``unused``."""
    which = (col(_O.kind) == unused.c.kind, col(_O.name) == unused.c.name)
    return _trimmed_layers(_sizes_of_overlays(*which)), _trimmed_game, _kept(_overlay(PayloadEnd.EVICTED, *which))


_key = list(KeptPayload.__table__.primary_key.columns)  # type: ignore[attr-defined]
_expired = (
    select(*_key)
    .where(col(_K.ended_at) < bindparam("before", type_=TIME))
    .order_by(col(_K.ended_at))
    .limit(bindparam("limit", type_=Integer))
)
_PRUNE = Statement(delete(KeptPayload).where(tuple_(*_key).in_(_expired)))


async def prune_kept_payloads(connection: Connection, before: datetime, limit: int) -> int:
    """Deletes at most ``limit`` payloads that ended before a time; returns how many it deleted."""
    return await _PRUNE.run(connection, before=before, limit=limit)
