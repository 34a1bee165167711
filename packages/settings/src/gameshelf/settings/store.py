"""All SQL of settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, Erasure, rows, user
from gameshelf.settings.models import FirstRevision, GameSettings, LayerKind, SettingsOverlay
from gameshelf.settings.rules import Json, as_text, from_text
from sqlalchemy import String, Text, Uuid, and_, bindparam, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_G, _O = GameSettings, SettingsOverlay
_PRODUCT = bindparam("product_id", type_=Uuid)
_KIND, _NAME = bindparam("kind", type_=String), bindparam("name", type_=String)
_NOW = bindparam("now", type_=TIME)
_PAYLOAD = cast(bindparam("payload", type_=Text), JSONB)
_OF_GAME = (col(_G.user_id) == user(), col(_G.product_id) == _PRODUCT)

SYNCED_AFTER = timedelta(minutes=1)
"""How old the time of the last synchronisation is before a read writes it anew (contract, section 3.7)."""

ERASURE = Erasure((SettingsOverlay, GameSettings))


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """What is stored of a game's settings, as far as it was asked for."""

    revision: int
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None
    account: Json | None
    """None without a layer of the account."""
    overlay_count: int
    """How many overlays there are, asked for or not."""
    overlays: dict[LayerKind, Json] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether there is any layer; of deleted settings the revision alone is left."""
        return self.account is not None or self.overlay_count > 0


_asked = rows("asked", kind=("kinds", String), name=("names", String))
_every = aliased(SettingsOverlay)
_overlay_count = (
    select(func.count())
    .select_from(_every)
    .where(col(_every.user_id) == col(_G.user_id), col(_every.product_id) == col(_G.product_id))
    .scalar_subquery()
)
_LOAD = Statement(
    select(
        col(_G.revision),
        col(_G.last_updated_at),
        col(_G.last_synced_with_cloud_at),
        cast(_G.settings_payload, Text).label("account"),
        _overlay_count.label("overlay_count"),
        col(_O.kind),
        cast(_O.settings_payload, Text).label("overlay"),
    )
    .select_from(GameSettings)
    .outerjoin(
        SettingsOverlay,
        and_(
            col(_O.user_id) == col(_G.user_id),
            col(_O.product_id) == col(_G.product_id),
            tuple_(col(_O.kind), col(_O.name)).in_(select(_asked.c.kind, _asked.c.name)),
        ),
    )
    .where(*_OF_GAME)
)


def _head(payload: Any) -> Any:
    """The next revision of a game's settings; ``payload`` is the account's layer, or nothing to leave that as it is."""
    first = func.coalesce(select(col(FirstRevision.revision)).scalar_subquery(), 1)
    values = {"revision": first, "last_updated_at": _NOW, "last_synced_with_cloud_at": _NOW}
    if payload is not None:
        values["settings_payload"] = payload
    made = insert(GameSettings).values(user_id=user(), product_id=_PRODUCT, **values)
    return made.on_conflict_do_update(
        index_elements=["user_id", "product_id"], set_={**values, "revision": col(_G.revision) + 1}
    ).returning(col(_G.revision))


_overlay = insert(SettingsOverlay).values(
    user_id=user(), product_id=_PRODUCT, kind=_KIND, name=_NAME, settings_payload=_PAYLOAD, last_updated_at=_NOW
)
_put_overlay = _overlay.on_conflict_do_update(
    index_elements=["user_id", "product_id", "kind", "name"],
    set_={"settings_payload": _overlay.excluded.settings_payload, "last_updated_at": _NOW},
)
_of_game = (col(_O.user_id) == user(), col(_O.product_id) == _PRODUCT)
_PUT_ACCOUNT = Statement(_head(_PAYLOAD))
_PUT_OVERLAY = Statement(_head(None).add_cte(_put_overlay.cte("overlay")))
_next = (
    update(GameSettings)
    .where(*_OF_GAME)
    .values(revision=col(_G.revision) + 1, last_updated_at=_NOW, last_synced_with_cloud_at=_NOW)
    .returning(col(_G.revision))
)
_DELETE_OVERLAY = Statement(
    _next.add_cte(delete(SettingsOverlay).where(*_of_game, col(_O.kind) == _KIND, col(_O.name) == _NAME).cte("overlay"))
)
_DELETE_ALL = Statement(
    _next.values(settings_payload=None).add_cte(delete(SettingsOverlay).where(*_of_game).cte("overlays"))
)
_SYNCED = Statement(
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


class SettingsStore:
    """Settings over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(
        self, user_id: UUID, product_id: UUID, overlays: Sequence[tuple[LayerKind, str]]
    ) -> StoredSettings | None:
        """The account's layer and those of the overlays that there are; None for a game that was never set."""
        found = await _LOAD.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            kinds=[kind for kind, _ in overlays],
            names=[name for _, name in overlays],
        )
        if not found:
            return None
        first = found[0]
        account = None if first["account"] is None else from_text(first["account"])
        return StoredSettings(
            first["revision"],
            first["last_updated_at"],
            first["last_synced_with_cloud_at"],
            account,
            first["overlay_count"],
            {LayerKind(row["kind"]): from_text(row["overlay"]) for row in found if row["kind"]},
        )

    async def put(
        self, user_id: UUID, product_id: UUID, layer: tuple[LayerKind, str] | None, payload: Json, now: datetime
    ) -> int:
        """Writes one layer; the new revision."""
        kind, name = layer or (None, None)
        statement = _PUT_OVERLAY if layer else _PUT_ACCOUNT
        row = await statement.first(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            kind=kind,
            name=name,
            payload=as_text(payload),
            now=now,
        )
        return _revision(row)

    async def delete(self, user_id: UUID, product_id: UUID, layer: tuple[LayerKind, str] | None, now: datetime) -> int:
        """Deletes one overlay, or with None all layers; the new revision."""
        kind, name = layer or (None, None)
        statement = _DELETE_OVERLAY if layer else _DELETE_ALL
        row = await statement.first(
            self._connection, user_id=user_id, product_id=product_id, kind=kind, name=name, now=now
        )
        return _revision(row)

    async def synced(self, user_id: UUID, product_id: UUID, now: datetime) -> None:
        """A client has the settings as they are, as of now."""
        before = now - SYNCED_AFTER
        await _SYNCED.run(self._connection, user_id=user_id, product_id=product_id, now=now, before=before)


def _revision(row: Any) -> int:
    revision: int = row["revision"]
    return revision
