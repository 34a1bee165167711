"""Corrects sort keys of titles that another version of the service has written."""

from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.library import CatalogProjection

_AT_ONCE = 1000


class TitleFolding:
    """Rewrites the keys by which titles are sorted and searched, where they differ from those of this version.

    It reads all products, 1,000 per transaction, and writes only those whose keys differ. An older version may write
    its own keys as long as it runs, so the job is repeated.
    """

    def __init__(self, acquire: Acquire, at_once: int = _AT_ONCE) -> None:
        self._acquire = acquire
        self._at_once = at_once

    async def run_once(self) -> None:
        start: UUID | None = UUID(int=0)
        while start is not None:
            async with self._acquire() as connection, connection.transaction():
                start = await CatalogProjection(connection).refold(start, self._at_once)
        async with self._acquire() as connection:
            await CatalogProjection(connection).end_refold()
