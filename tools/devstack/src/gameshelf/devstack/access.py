"""Implementations of the kernel's port for access to products, in memory, for tests that run without the library."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.errors import DomainError, PermissionDenied


class AllButBarred:
    """``ProductAccess``: everybody may play every product but those in ``barred``."""

    def __init__(self) -> None:
        self.barred: set[UUID] = set()

    async def refusals(self, user_id: UUID, product_ids: Collection[UUID]) -> Mapping[UUID, DomainError]:
        return {product: PermissionDenied() for product in product_ids if product in self.barred}


class GrantedProducts:
    """``ProductAccessHistory``: a user may play what was granted to them, since the time that was given with it."""

    def __init__(self) -> None:
        self.since: dict[tuple[UUID, UUID], datetime] = {}
        """By user and product."""

    def grant(self, user_id: UUID, product_id: UUID, since: datetime) -> None:
        self.since[user_id, product_id] = since

    async def refusals(self, user_id: UUID, product_ids: Collection[UUID]) -> Mapping[UUID, DomainError]:
        return {product: PermissionDenied() for product in product_ids if (user_id, product) not in self.since}

    async def first_access(self, user_id: UUID, product_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        granted = (product for product in product_ids if (user_id, product) in self.since)
        return {product: self.since[user_id, product] for product in granted}
