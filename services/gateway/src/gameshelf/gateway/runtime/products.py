"""The port for names of products: lists of all domains show titles and covers, which one domain provides."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from gameshelf.gateway.runtime.errors import Language
from gameshelf.kernel.database import Connection


class ProductName(Protocol):
    """The title and cover of a product."""

    @property
    def cover_image_url(self) -> str | None: ...

    def title(self, language: Language) -> str | None:
        """Returns the title in a language, else in the other one; None if the Catalog has sent none."""


class ProductNames(Protocol):
    """Reads the names of products over one connection."""

    async def products(self, product_ids: Sequence[UUID]) -> Mapping[UUID, ProductName]:
        """Returns the names of products; leaves out those without one. One round trip."""


MakeProductNames = Callable[[Connection], ProductNames]
