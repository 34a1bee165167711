"""Requests products from the Catalog that a user owns but that no event has described yet."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import grpc.aio
from gameshelf.gateway.domains.library.catalog import Catalog
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation, concerns_everybody
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.library import CatalogProjection, ProductFact

_log = logging.getLogger(__name__)

_BATCH = 100
# Statuses that concern a request, and not the state of the server.
_OF_A_REQUEST = (
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNKNOWN,
)


class MissingProducts:
    """Fills the gaps of the catalog projection over gRPC; without a ``catalog`` it only removes filled entries."""

    def __init__(self, acquire: Acquire, catalog: Catalog | None, metrics: Metrics | None = None) -> None:
        self._isolation = Isolation[UUID]("missing products", metrics)
        self._acquire = acquire
        self._catalog = catalog

    async def run_once(self) -> None:
        """Requests every product that is due, 100 per call."""
        try:
            while await self._ask():
                pass
        except grpc.aio.AioRpcError as error:
            _log.warning("the Catalog is away, missing products are requested again later: %s", error.code().name)

    async def _ask(self) -> bool:
        # The call is inside of the transaction, so that no entry is removed if the Catalog is away.
        async with self._acquire() as connection, connection.transaction():
            projection = CatalogProjection(connection)
            product_ids = await projection.take_missing(_BATCH)
            if product_ids and self._catalog:
                await self._apply(connection, await self._answers(self._catalog, product_ids))
        return bool(product_ids)

    async def _answers(self, catalog: Catalog, product_ids: Sequence[UUID]) -> list[ProductFact]:
        """Returns the Catalog's data of products, without those for which it fails; they are requested again later.

        Raises AioRpcError if the Catalog itself fails.
        """
        try:
            return await catalog.products(product_ids)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _OF_A_REQUEST:
                raise
            if len(product_ids) == 1:
                _log.warning("the Catalog fails for product %s: %s", product_ids[0], error.code().name)
                return []
        half = len(product_ids) // 2
        return [
            *await self._answers(catalog, product_ids[:half]),
            *await self._answers(catalog, product_ids[half:]),
        ]

    async def _apply(self, connection: Any, facts: Sequence[ProductFact]) -> None:
        projection = CatalogProjection(connection)
        try:
            async with connection.transaction():
                await projection.apply(facts)
        except Exception as error:
            if concerns_everybody(error):
                raise
            for fact in facts:
                with self._isolation.attempt(fact.product_id):
                    async with connection.transaction():
                        await projection.apply([fact])
