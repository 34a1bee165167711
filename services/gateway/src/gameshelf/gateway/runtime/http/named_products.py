"""Adds titles and covers of products to lists, also of products that the user no longer owns."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.errors import Language
from gameshelf.gateway.runtime.http.resources import Field
from gameshelf.gateway.runtime.http.routing import Read
from gameshelf.gateway.runtime.http.schemas import TEXT, nullable
from gameshelf.gateway.runtime.products import ProductName

TITLE = Field(
    "title",
    nullable(TEXT),
    "Title of the product in the language of the response, else in the other language; null until the Catalog names "
    "the product. Responses to a change do not have it.",
    "Starfall",
    is_optional=True,
)
"""``put_names`` adds this field and the next one."""
COVER = Field(
    "cover_image_url",
    nullable(TEXT),
    "Address of the cover image of the product; null while it is unknown. Responses to a change do not have it.",
    "https://cdn.example.com/covers/starfall.jpg",
    is_optional=True,
)


async def name_products(read: Read, attributes: Sequence[dict[str, Any]]) -> None:
    """Adds ``title`` and ``cover_image_url`` to attributes that have a ``product_id``; null until the Catalog names
    the product. One round trip, none if there are no such attributes.
    """
    product_ids = {one["product_id"] for one in attributes}
    products = await read.product_names.products(list(product_ids)) if product_ids else {}
    put_names(attributes, products, read.language)


def put_names(attributes: Sequence[dict[str, Any]], products: Mapping[UUID, ProductName], language: Language) -> None:
    """Adds ``title`` and ``cover_image_url`` of these products to attributes that have a ``product_id``."""
    for one in attributes:
        product = products.get(one["product_id"])
        one["title"] = product.title(language) if product else None
        one["cover_image_url"] = product.cover_image_url if product else None


async def with_titles(read: Read, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the resources with the titles and covers of their products."""
    await name_products(read, [resource["attributes"] for resource in resources])
    return resources
