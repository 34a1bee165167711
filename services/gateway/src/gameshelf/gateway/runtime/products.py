"""The port that names products. Lists of every domain show titles and covers, which one of the domains knows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from gameshelf.gateway.runtime.errors import Language
from gameshelf.kernel.database import Connection


class ProductName(Protocol):
    """How a product is shown."""

    @property
    def cover_image_url(self) -> str | None: ...

    def title(self, language: Language) -> str | None:
        """The title in a language, else in the other one; None while the Catalog has sent none."""


class ProductNames(Protocol):
    """The names of products, read over one connection."""

    async def products(self, product_ids: Sequence[UUID]) -> Mapping[UUID, ProductName]:
        """The names of those of the products that the Catalog has named. One round trip."""


MakeProductNames = Callable[[Connection], ProductNames]
