"""Whether the saves of a user are synchronised without being asked."""

from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames._errors import UserQuotaExceeded
from gameshelf.savegames._store.preferences import ACCOUNT, MAX_PREFERENCES, PreferenceStore


class SavegamePreferences:
    """The preferences of a user, over one connection: of the account, and of products.

    Saves of a product are synchronised without being asked if both say so. Each does unless its user has changed it.
    """

    def __init__(self, connection: Connection, clock: Clock = utc_now, serialise: Serialise | None = None) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = PreferenceStore(connection)
        self._clock = clock

    async def auto_sync(self, user_id: UUID, product_id: UUID | None = None) -> bool:
        """Returns the preference of a product; None: of the account. One round trip, and no transaction is needed."""
        return await self._store.auto_sync(user_id, product_id or ACCOUNT)

    async def set_auto_sync(self, user_id: UUID, auto_sync: bool, product_id: UUID | None = None) -> None:
        """Changes the preference of a product; None: of the account. Raises UserQuotaExceeded for too many products."""
        await self._serialise(user_id)
        if auto_sync:
            await self._store.switch_on(user_id, product_id or ACCOUNT)
        elif not await self._store.switch_off(user_id, product_id or ACCOUNT, self._clock()):
            raise UserQuotaExceeded(limit="preferences", max=MAX_PREFERENCES)
