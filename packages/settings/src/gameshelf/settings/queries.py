"""Reading settings."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import Slice
from gameshelf.kernel.sql import TIME, page_of, user
from gameshelf.settings.commands import Address, GameFilter
from gameshelf.settings.models import GameSettings, LayerKind, SettingsOverlay
from gameshelf.settings.store import SYNCED_AFTER, USED_AFTER, SettingsStore
from gameshelf.settings.views import ACCOUNT, GameView, LayerView, Settings, view
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


class SettingsQueries:
    """Reads of a user's settings over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._store = SettingsStore(connection)

    async def settings(self, user_id: UUID, product_id: UUID, address: Address, now: datetime) -> Settings | None:
        """A game's settings as an address sees them, None when there are none.

        Reading them is a synchronisation: at most once a minute that is written down, by a second round trip; by a
        third one, at most once an hour, that the overlays are in use.
        """
        stored = await self._store.load(user_id, product_id, address.overlays())
        if stored is None or not stored.exists:
            return None
        last = stored.last_synced_with_cloud_at
        if last is None or last < now - SYNCED_AFTER:
            await self._store.synced(user_id, product_id, now)
        if any(overlay.last_used_at < now - USED_AFTER for overlay in stored.overlays.values()):
            await self._store.used(user_id, product_id, address.overlays(), now)
        return view(product_id, stored, address)

    async def layers(self, user_id: UUID, product_id: UUID) -> list[LayerView]:
        """The layers of a game: the account's first, then platforms and devices by name. One round trip."""
        found = [LayerView(*row.values()) for row in await self._store.layers(user_id, product_id)]
        order = {ACCOUNT: 0, LayerKind.PLATFORM: 1, LayerKind.DEVICE: 2}
        return sorted(found, key=lambda one: (order[one.layer], one.name or ""))

    async def games(self, user_id: UUID, wanted: GameFilter) -> Slice[GameView]:
        """One page of the games that the user has settings of, the one that changed last first. One round trip.

        With ``since`` those that changed then or later, also those whose layers are all deleted.
        """
        slice_ = wanted.slice
        rows = await _GAMES.all(
            self._connection, user_id=user_id, since=wanted.since, limit=slice_.limit, offset=slice_.offset
        )
        return Slice([GameView(*row[:-1]) for row in rows if row["product_id"] is not None], rows[0]["total"])
