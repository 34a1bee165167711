"""Asks the Catalog for products that somebody owns and that no event has spoken of yet."""

import logging

import grpc.aio
from gameshelf.gateway.adapters.catalog import Catalog
from gameshelf.gateway.database import Acquire
from gameshelf.library import CatalogProjection

_log = logging.getLogger(__name__)

_BATCH = 100


class WantedProducts:
    """Fills the catalog projection's gaps over gRPC; without a ``catalog`` to ask it only forgets what is filled."""

    def __init__(self, acquire: Acquire, catalog: Catalog | None) -> None:
        self._acquire = acquire
        self._catalog = catalog

    async def run_once(self) -> None:
        """Asks for every product that is due, 100 a call."""
        try:
            while await self._ask():
                pass
        except grpc.aio.AioRpcError as error:
            _log.warning("the Catalog is away, its products are asked for again soon: %s", error.code().name)

    async def _ask(self) -> bool:
        # One transaction around the call: when the Catalog is away, nothing has been taken off the list.
        async with self._acquire() as connection, connection.transaction():
            projection = CatalogProjection(connection)
            product_ids = await projection.take_wanted(_BATCH)
            if product_ids and self._catalog:
                await projection.apply(await self._catalog.products(product_ids))
        return bool(product_ids)
