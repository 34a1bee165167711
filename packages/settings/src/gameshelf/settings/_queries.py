"""Reads of settings."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.paging import Slice
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, page_of, user
from gameshelf.settings._commands import Address, GameFilter
from gameshelf.settings._models import GameSettings, LayerKind, SettingsOverlay
from gameshelf.settings._store import LAYERS, SYNCED_AFTER, USED_AFTER, SettingsStore
from gameshelf.settings._views import ACCOUNT, GameView, LayerPayload, LayerView, MergedSettings, view
from sqlalchemy import and_, bindparam, func, or_, select
from sqlmodel import col

_G, _O = GameSettings, SettingsOverlay
_overlays = (
    select(func.count())
    .select_from(_O)
    .where(col(_O.user_id) == col(_G.user_id), col(_O.product_id) == col(_G.product_id))
    .correlate(_G)
    .scalar_subquery()
)
_since = bindparam("since", type_=TIME)
_has_layers = or_(col(_G.settings_payload).is_not(None), _overlays > 0)
_GAMES = page_of(
    select(
        col(_G.product_id),
        col(_G.revision),
        col(_G.settings_payload).is_not(None).label("has_account_layer"),
        _overlays.label("overlay_count"),
        col(_G.last_updated_at),
        col(_G.last_synced_with_cloud_at),
    ).where(col(_G.user_id) == user(), or_(col(_G.last_updated_at) >= _since, and_(_since.is_(None), _has_layers))),
    lambda row: (row.last_updated_at.desc(), row.product_id),
)
_has_overlay = select(_O).where(col(_O.user_id) == col(_G.user_id), col(_O.product_id) == col(_G.product_id)).exists()
_COUNT = Statement(
    select(func.count().label("n"))
    .select_from(_G)
    .where(col(_G.user_id) == user(), or_(col(_G.settings_payload).is_not(None), _has_overlay))
)
_GAME = RowReader(GameView, _GAMES, others=("total",))
_LAYER = RowReader(LayerView, LAYERS)


class SettingsQueries:
    """Reads of settings over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._store = SettingsStore(connection)

    async def settings(self, user_id: UUID, product_id: UUID, address: Address, now: datetime) -> MergedSettings | None:
        """Returns the settings of a game for an address, or None where there are none.

        A read counts as a synchronisation, and as a use of the overlays. A second round trip stores the time of the
        synchronisation, at most once per minute; a third one that of the use, at most once per hour.
        """
        stored, _ = await self._store.load(user_id, product_id, address.overlays())
        if stored is None or not stored.exists:
            return None
        last = stored.last_synced_with_cloud_at
        if last is None or last < now - SYNCED_AFTER:
            await self._store.mark_synced(user_id, product_id, now)
        if any(overlay.last_used_at < now - USED_AFTER for overlay in stored.overlays.values()):
            await self._store.mark_used(user_id, product_id, address.overlays(), now)
        return view(product_id, stored, address)

    async def layer(self, user_id: UUID, product_id: UUID, address: Address) -> LayerPayload | None:
        """Returns the layer that an address names, or None where there is none. One round trip; it counts as no use.

        Raises InvalidInput where the address names two overlays.
        """
        named = address.layer()
        stored, _ = await self._store.load(user_id, product_id, address.overlays())
        payload = stored.layer(named) if stored else None
        if stored is None or payload is None:
            return None
        return LayerPayload(payload, stored.revision_of(named[0] if named else None))

    async def layers(self, user_id: UUID, product_id: UUID) -> list[LayerView]:
        """Returns the layers of a game: the account's first, then platforms and devices by name. One round trip."""
        found = _LAYER.read_all(await self._store.layers(user_id, product_id))
        order = {ACCOUNT: 0, LayerKind.PLATFORM: 1, LayerKind.DEVICE: 2}
        return sorted(found, key=lambda one: (order[one.layer], one.name or ""))

    async def games(self, user_id: UUID, wanted: GameFilter) -> Slice[GameView]:
        """Returns one page of the games with settings of the user, the last changed first. One round trip.

        With ``since`` it contains the games that changed then or later, also those whose layers are all deleted.
        """
        slice_ = wanted.slice
        rows = await _GAMES.all(
            self._connection, user_id=user_id, since=wanted.since, limit=slice_.limit, offset=slice_.offset
        )
        return Slice([_GAME.read(row) for row in rows if row["product_id"] is not None], rows[0]["total"])


async def count_games_with_settings(connection: Connection, user_id: UUID) -> int:
    """Returns for how many games a user has settings, without deleted ones. One round trip."""
    row = await _COUNT.first(connection, user_id=user_id)
    return row["n"] if row else 0
