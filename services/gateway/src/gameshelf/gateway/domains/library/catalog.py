"""A client of the Catalog over gRPC, for products that a user owns before an event of the Catalog describes them."""

import logging
from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

import grpc.aio
from gameshelf.kernel.clock import EARLIEST, event_time
from gameshelf.library import ProductFact
from gameshelf.protos.external.catalog.v1 import catalog_service_pb2 as messages
from gameshelf.protos.external.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub

_log = logging.getLogger(__name__)

_SECONDS = 5.0
# By default gRPC's pause between attempts to connect grows to two minutes, and all calls fail meanwhile.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 5000)]


class Catalog:
    """A client of ``CatalogService``."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_RECONNECT)
        self._stub = CatalogServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def products(self, product_ids: Sequence[UUID]) -> list[ProductFact]:
        """Returns the Catalog's data of up to 100 products, without unknown ones. Raises grpc.aio.AioRpcError."""
        request = messages.GetProductsBatchRequest(product_ids=[str(product_id) for product_id in product_ids])
        response = await self._stub.GetProductsBatch(request, timeout=_SECONDS)
        asked = set(product_ids)
        facts = []
        for product in response.products:
            try:
                fact = _fact(product)
            except (ValueError, OverflowError):
                # An invalid product does not affect the others.
                _log.warning("the Catalog sent an invalid product")
                continue
            if fact.product_id in asked:
                facts.append(fact)
        return facts

    async def close(self) -> None:
        await self._channel.close()


def _fact(product: messages.Product) -> ProductFact:
    said = {
        "product_type": product.product_type or None,
        "title_ru": product.title_ru or None,
        "title_en": product.title_en or None,
        "cover_image_url": product.cover_image_url or None,
        "is_free_to_play": product.is_free_to_play,
        "family_sharing_allowed": product.family_sharing_allowed,
    }
    values = {name: value for name, value in said.items() if value is not None}
    # Without a time it counts as the oldest fact, so that any event is newer.
    said_at = event_time(product.updated_at.ToDatetime(UTC)) or EARLIEST
    return ProductFact(UUID(product.product_id), said_at, values)
