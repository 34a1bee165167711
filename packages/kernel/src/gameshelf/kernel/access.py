"""The port by which domain packages learn which products a user may play, without importing the package that decides.

It has two sizes, so that no caller has to implement a method that a package never calls: savegames and settings need
``ProductAccess``; achievements and playtime, which import what happened offline, need ``ProductAccessHistory``.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gameshelf.kernel.errors import DomainError


class ProductAccess(Protocol):
    """Decides which products a user may play. It is called inside the user's transaction."""

    async def refusals(self, user_id: UUID, product_ids: Collection[UUID]) -> Mapping[UUID, DomainError]:
        """Returns those of the products that the user may not play now, each with the error that refuses it:
        PermissionDenied, or one that is more specific.
        """
        ...


class ProductAccessHistory(ProductAccess, Protocol):
    """Also knows since when a user may play a product."""

    async def first_access(self, user_id: UUID, product_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        """Returns those of the products that the user may play now, each with the time when the user first could
        (aware), by any right: one that has ended counts.
        """
        ...


async def require_access(access: ProductAccess, user_id: UUID, product_id: UUID) -> None:
    """Raises the error that refuses the product when the user may not play it now. One call of the port."""
    refusal = (await access.refusals(user_id, [product_id])).get(product_id)
    if refusal is not None:
        raise refusal
