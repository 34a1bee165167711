"""Reading settings."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.settings.commands import Address
from gameshelf.settings.store import SYNCED_AFTER, SettingsStore
from gameshelf.settings.views import Settings, view


class SettingsQueries:
    """Reads of a user's settings over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._store = SettingsStore(connection)

    async def settings(self, user_id: UUID, product_id: UUID, address: Address, now: datetime) -> Settings | None:
        """A game's settings as an address sees them, None when there are none.

        Reading them is a synchronisation: at most once a minute that is written down, by a second round trip.
        """
        stored = await self._store.load(user_id, product_id, address.overlays())
        if stored is None or not stored.exists:
            return None
        last = stored.last_synced_with_cloud_at
        if last is None or last < now - SYNCED_AFTER:
            await self._store.synced(user_id, product_id, now)
        return view(product_id, stored)
