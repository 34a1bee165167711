"""The statements that write settings, with the reads that a decision to write needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.sql import TIME, RowErasure, rows, user
from gameshelf.settings._history.store import (
    KEEP_ACCOUNT,
    KEEP_ALL,
    KEEP_DELETED_ACCOUNT,
    KEEP_DELETED_OVERLAY,
    KEEP_OVERLAY,
    keep_evicted,
)
from gameshelf.settings._layers import ACCOUNT_REVISION, IS_COUNTED, OVERLAY_REVISION
from gameshelf.settings._models import FirstRevision, GameSettings, KeptPayload, LayerKind, SettingsOverlay
from gameshelf.settings._rules import Json, as_text, from_text
from sqlalchemy import (
    BigInteger,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_G, _O = GameSettings, SettingsOverlay
_PRODUCT = bindparam("product_id", type_=Uuid)
_KIND, _NAME = bindparam("kind", type_=String), bindparam("name", type_=String)
_NOW = bindparam("now", type_=TIME)
_REVISION = bindparam("revision", type_=BigInteger)
_PAYLOAD = cast(bindparam("payload", type_=Text), JSONB)
_OF_GAME = (col(_G.user_id) == user(), col(_G.product_id) == _PRODUCT)

SYNCED_AFTER = timedelta(minutes=1)
"""The age at which a read updates the time of the last synchronisation (contract, section 3.7)."""
USED_AFTER = timedelta(hours=1)
"""The age at which a read updates the time of an overlay's last use."""

ERASURE = RowErasure((KeptPayload, SettingsOverlay, GameSettings))


@dataclass(frozen=True, slots=True)
class StoredOverlay:
    """A requested overlay."""

    payload: Json
    revision: int
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The stored settings of a game: the account's layer and the requested overlays."""

    revision: int
    """The revision of the newest change of any layer."""
    account_revision: int
    """0 without a layer of the account."""
    is_counted: bool
    """Whether the revisions of all layers are stored; otherwise each layer counts as changed at ``revision``."""
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None
    account: Json | None
    """None without a layer of the account."""
    overlay_count: int
    """The number of all overlays, requested or not."""
    overlays: dict[LayerKind, StoredOverlay] = field(default_factory=dict)

    def revision_of(self, kind: LayerKind | None) -> int:
        """Returns the revision of a requested overlay, or with None of the account's layer; 0 where it is missing."""
        if kind is None:
            return self.account_revision
        return self.overlays[kind].revision if kind in self.overlays else 0

    def layer(self, named: tuple[LayerKind, str] | None) -> Json | None:
        """Returns the payload of a requested overlay, or with None that of the account; None where it is missing."""
        if named is None:
            return self.account
        overlay = self.overlays.get(named[0])
        return overlay.payload if overlay else None

    @property
    def exists(self) -> bool:
        """Whether there is any layer. Deleted settings keep only their revision."""
        return self.account is not None or self.overlay_count > 0


_requested = rows("requested", kind=("kinds", String), name=("names", String))
_every = aliased(SettingsOverlay)
_overlay_count = (
    select(func.count())
    .select_from(_every)
    .where(col(_every.user_id) == user(), col(_every.product_id) == _PRODUCT)
    .scalar_subquery()
)
_last_used_at = func.coalesce(col(_O.last_used_at), col(_O.last_updated_at))
# The next change gets this revision, of whatever layer.
_next_revision = func.coalesce(col(_G.revision) + 1, select(col(FirstRevision.revision)).scalar_subquery(), 1)
_one = select(literal(1).label("one")).subquery("one")
_LOAD = Statement(
    select(
        _next_revision.label("next_revision"),
        col(_G.revision),
        ACCOUNT_REVISION.label("account_revision"),
        IS_COUNTED.label("is_counted"),
        col(_G.last_updated_at),
        col(_G.last_synced_with_cloud_at),
        cast(_G.settings_payload, Text).label("account"),
        _overlay_count.label("overlay_count"),
        col(_O.kind),
        cast(_O.settings_payload, Text).label("overlay"),
        OVERLAY_REVISION.label("overlay_revision"),
        _last_used_at.label("last_used_at"),
    )
    .select_from(_one)
    .outerjoin(GameSettings, and_(*_OF_GAME))
    .outerjoin(
        SettingsOverlay,
        and_(
            col(_O.user_id) == col(_G.user_id),
            col(_O.product_id) == col(_G.product_id),
            tuple_(col(_O.kind), col(_O.name)).in_(select(_requested.c.kind, _requested.c.name)),
        ),
    )
)


def _head(payload: Any) -> Any:
    """Writes a revision of a game's settings. ``payload`` is the account's new layer; None keeps the layer."""
    written: dict[str, Any] = {
        "revision": _REVISION,
        "counted_revision": _REVISION,
        "last_updated_at": _NOW,
        "last_synced_with_cloud_at": _NOW,
    }
    if payload is not None:
        written |= {"settings_payload": payload, "account_revision": _REVISION}
    inserted = insert(GameSettings).values(user_id=user(), product_id=_PRODUCT, **written)
    return inserted.on_conflict_do_update(index_elements=["user_id", "product_id"], set_=written)


_ADD_ACCOUNT = Statement(_head(_PAYLOAD))
_PUT_ACCOUNT = Statement(_head(_PAYLOAD).add_cte(*KEEP_ACCOUNT))
_overlay = insert(SettingsOverlay).from_select(
    ["user_id", "product_id", "kind", "name", "settings_payload", "last_updated_at", "last_used_at", "revision"],
    select(user(), _PRODUCT, _KIND, _NAME, _PAYLOAD, _NOW, _NOW, _REVISION),
    include_defaults=False,
)
_put_overlay = _overlay.on_conflict_do_update(
    index_elements=["user_id", "product_id", "kind", "name"],
    set_={
        name: _overlay.excluded[name] for name in ("settings_payload", "last_updated_at", "last_used_at", "revision")
    },
)
_ADD_OVERLAY = Statement(_put_overlay.add_cte(_head(None).cte("counted")))
_PUT_OVERLAY = Statement(_put_overlay.add_cte(*KEEP_OVERLAY, _head(None).cte("counted")))
_of_game = (col(_O.user_id) == user(), col(_O.product_id) == _PRODUCT)
_next = (
    update(GameSettings)
    .where(*_OF_GAME)
    .values(
        revision=_REVISION,
        counted_revision=_REVISION,
        last_updated_at=_NOW,
        last_synced_with_cloud_at=_NOW,
    )
)
_DELETE_OVERLAY = Statement(
    _next.add_cte(
        *KEEP_DELETED_OVERLAY,
        delete(SettingsOverlay).where(*_of_game, col(_O.kind) == _KIND, col(_O.name) == _NAME).cte("overlay"),
    )
)
_DELETE_ACCOUNT = Statement(_next.values(settings_payload=None, account_revision=None).add_cte(*KEEP_DELETED_ACCOUNT))
_DELETE_ALL = Statement(
    _next.values(settings_payload=None, account_revision=None).add_cte(
        *KEEP_ALL, delete(SettingsOverlay).where(*_of_game).cte("overlays")
    )
)
_unused = (
    select(col(_O.kind), col(_O.name))
    .where(*_of_game)
    .order_by(_last_used_at, col(_O.kind), col(_O.name))
    .limit(1)
    .subquery("unused")
)
_EVICT = Statement(
    delete(SettingsOverlay)
    .where(*_of_game, col(_O.kind) == _unused.c.kind, col(_O.name) == _unused.c.name)
    .returning(col(_O.kind), col(_O.name))
    .add_cte(*keep_evicted(_unused))
)
_stored = (
    update(GameSettings)
    .where(*_OF_GAME)
    .values(account_revision=col(_G.revision), counted_revision=col(_G.revision))
    .returning(col(_G.revision))
    .cte("stored")
)
_STORE_REVISIONS = Statement(update(SettingsOverlay).where(*_of_game).values(revision=_stored.c.revision))
_MARK_USED = Statement(
    update(SettingsOverlay)
    .where(*_of_game, tuple_(col(_O.kind), col(_O.name)).in_(select(_requested.c.kind, _requested.c.name)))
    .values(last_used_at=_NOW)
)
LAYERS = Statement(
    select(
        literal("account").label("layer"),
        literal(None, String).label("name"),
        ACCOUNT_REVISION.label("revision"),
        col(_G.last_updated_at),
        literal(None, TIME).label("last_used_at"),
    )
    .where(*_OF_GAME, col(_G.settings_payload).is_not(None))
    .union_all(
        select(col(_O.kind), col(_O.name), OVERLAY_REVISION, col(_O.last_updated_at), _last_used_at)
        .join(GameSettings, and_(col(_G.user_id) == col(_O.user_id), col(_G.product_id) == col(_O.product_id)))
        .where(*_of_game)
    )
)
_MARK_SYNCED = Statement(
    update(GameSettings)
    .where(
        *_OF_GAME,
        or_(
            col(_G.last_synced_with_cloud_at).is_(None),
            col(_G.last_synced_with_cloud_at) < bindparam("before", type_=TIME),
        ),
    )
    .values(last_synced_with_cloud_at=_NOW)
)


def lookup_settings(user_id: UUID, product_id: UUID, overlays: Sequence[tuple[LayerKind, str]]) -> BoundStatement:
    """Returns what ``SettingsStore.load`` reads."""
    return _LOAD.bind(
        user_id=user_id,
        product_id=product_id,
        kinds=[kind for kind, _ in overlays],
        names=[name for _, name in overlays],
    )


class SettingsStore:
    """Settings over one connection. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(
        self, user_id: UUID, product_id: UUID, overlays: Sequence[tuple[LayerKind, str]]
    ) -> tuple[StoredSettings | None, int]:
        """Returns the account's layer and the requested overlays, or None for a game that never had settings; and the
        revision of the next change.
        """
        found = await lookup_settings(user_id, product_id, overlays).all(self._connection)
        first = found[0]
        next_revision: int = first["next_revision"]
        if first["revision"] is None:
            return None, next_revision
        account = None if first["account"] is None else from_text(first["account"])
        stored = StoredSettings(
            first["revision"],
            first["account_revision"],
            first["is_counted"],
            first["last_updated_at"],
            first["last_synced_with_cloud_at"],
            account,
            first["overlay_count"],
            {
                LayerKind(row["kind"]): StoredOverlay(
                    from_text(row["overlay"]), row["overlay_revision"], row["last_used_at"]
                )
                for row in found
                if row["kind"]
            },
        )
        return stored, next_revision

    async def put(
        self,
        user_id: UUID,
        product_id: UUID,
        layer: tuple[LayerKind, str] | None,
        payload: Json,
        revision: int,
        now: datetime,
        *,
        is_new: bool,
    ) -> None:
        """Writes one layer, which gets ``revision``. Keeps the payload before, unless the layer ``is_new``."""
        kind, name = layer or (None, None)
        statement = (_ADD_OVERLAY if is_new else _PUT_OVERLAY) if layer else (_ADD_ACCOUNT if is_new else _PUT_ACCOUNT)
        await statement.write(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            kind=kind,
            name=name,
            payload=as_text(payload),
            revision=revision,
            now=now,
        )

    async def delete(
        self, user_id: UUID, product_id: UUID, layer: tuple[LayerKind, str] | None, revision: int, now: datetime
    ) -> None:
        """Deletes one overlay, or with None all layers, and keeps their payloads. The game gets ``revision``."""
        kind, name = layer or (None, None)
        statement = _DELETE_OVERLAY if layer else _DELETE_ALL
        await statement.write(
            self._connection, user_id=user_id, product_id=product_id, kind=kind, name=name, revision=revision, now=now
        )

    async def delete_account(self, user_id: UUID, product_id: UUID, revision: int, now: datetime) -> None:
        """Deletes the account's layer alone, and keeps its payload. The game gets ``revision``."""
        await _DELETE_ACCOUNT.write(
            self._connection, user_id=user_id, product_id=product_id, revision=revision, now=now
        )

    async def store_revisions(self, user_id: UUID, product_id: UUID) -> None:
        """Stores the game's revision as that of each layer, after a change by a version that does not write them."""
        await _STORE_REVISIONS.write(self._connection, user_id=user_id, product_id=product_id)

    async def evict(self, user_id: UUID, product_id: UUID, now: datetime) -> tuple[LayerKind, str]:
        """Deletes the least recently used overlay, keeps its payload, and returns its address. The caller changes the
        revision.
        """
        row = await _EVICT.first(self._connection, user_id=user_id, product_id=product_id, now=now)
        assert row is not None
        return LayerKind(row["kind"]), row["name"]

    async def layers(self, user_id: UUID, product_id: UUID) -> list[Any]:
        """Returns a row of ``LAYERS`` for every layer of a game."""
        return await LAYERS.all(self._connection, user_id=user_id, product_id=product_id)

    async def mark_used(
        self, user_id: UUID, product_id: UUID, overlays: Sequence[tuple[LayerKind, str]], now: datetime
    ) -> None:
        """Stores ``now`` as the time of the last use of these overlays."""
        await _MARK_USED.write(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            kinds=[kind for kind, _ in overlays],
            names=[name for _, name in overlays],
            now=now,
        )

    async def mark_synced(self, user_id: UUID, product_id: UUID, now: datetime) -> None:
        """Stores ``now`` as the time when a client had the current settings."""
        before = now - SYNCED_AFTER
        await _MARK_SYNCED.write(self._connection, user_id=user_id, product_id=product_id, now=now, before=before)
