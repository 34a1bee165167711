"""The Catalog over gRPC, for products that somebody owns before the Catalog's events spoke of them."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

import grpc.aio
from gameshelf.library import ProductFact
from gameshelf.protos.external.catalog.v1 import catalog_service_pb2 as messages
from gameshelf.protos.external.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub

_SECONDS = 5.0


class Catalog:
    """A client of ``CatalogService``."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self._stub = CatalogServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def products(self, product_ids: Sequence[UUID]) -> list[ProductFact]:
        """What the Catalog says of up to 100 products; unknown ones are left out. Raises grpc.aio.AioRpcError."""
        request = messages.GetProductsBatchRequest(product_ids=[str(product_id) for product_id in product_ids])
        response = await self._stub.GetProductsBatch(request, timeout=_SECONDS)
        return [_fact(product) for product in response.products]

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
    return ProductFact(UUID(product.product_id), product.updated_at.ToDatetime(UTC), values)
