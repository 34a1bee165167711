"""What each consumed event does: a few lines per event. The table of them is in ``consumed.py``.

An event of a user changes that user's data in the user's transaction. Facts of products are everybody's and have a
transaction of their own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from gameshelf.achievements import DefinitionFact
from gameshelf.gateway.runtime.kafka.incoming import (
    AchievementDefinition,
    GiftFact,
    InstallationChange,
    KeyFact,
    OrderFact,
    PriceChange,
    ProductChange,
    Refund,
    Reinstatement,
    Review,
)
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.library import GrantKind, InstallationStatus, LibraryService, NewGrant, ProductFact
from gameshelf.wishlist import Price, discount


@dataclass(frozen=True, slots=True)
class Said:
    """What an event says of itself."""

    at: datetime
    """The event's own time, or that of its receipt."""
    source: str
    event_id: str
    """Of a part that says an event again it is that event's."""

    def fact_id(self, said_id: str | None) -> str:
        """What a fact is known by: the id that its data says, else the event's, in at most 210 characters."""
        if said_id is not None:
            return f"id:{said_id}"
        name = f"{self.source}\n{self.event_id}"
        return f"event:{sha256(name.encode()).hexdigest()}"


Handle = Callable[[Transaction, Any, Said], Awaitable[None]]
"""Applies an event's data in the transaction of its user."""


async def purchased(transaction: Transaction, data: OrderFact, said: Said) -> None:
    since = data.purchase_timestamp or said.at
    types = {item.product_id: item.product_type for item in data.items if item.product_type is not None}
    grants = [
        NewGrant(product_id, GrantKind.ORDER, data.order_id, since, types.get(product_id), quantity or 1)
        for product_id, quantity in _quantities(data, absent=1).items()
    ]
    await transaction.of(LibraryService).grant(data.user_id, grants)


async def refunded(transaction: Transaction, data: Refund, said: Said) -> None:
    fact_id, quantities = said.fact_id(data.refund_id), _quantities(data, absent=None)
    await transaction.of(LibraryService).refund(data.user_id, data.order_id, quantities, fact_id, said.at)


async def reinstated(transaction: Transaction, data: Reinstatement, said: Said) -> None:
    fact_id, quantities = said.fact_id(data.reinstatement_id), _quantities(data, absent=None)
    await transaction.of(LibraryService).reinstate(data.user_id, data.order_id, quantities, fact_id, said.at)


def _quantities(data: OrderFact, absent: int | None) -> Mapping[UUID, int | None]:
    """By product how many an event is about: equal products add up. None is all, which nothing adds to."""
    quantities: dict[UUID, int | None] = {}
    for item in data.items:
        quantity = absent if item.quantity is None else item.quantity
        before = quantities.get(item.product_id, 0)
        quantities[item.product_id] = None if before is None or quantity is None else before + quantity
    return quantities


async def key_activated(transaction: Transaction, data: KeyFact, said: Said) -> None:
    grant = NewGrant(data.product_id, GrantKind.KEY, data.key_id, data.timestamp or said.at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def key_revoked(transaction: Transaction, data: KeyFact, said: Said) -> None:
    await _revoke(transaction, data, GrantKind.KEY, data.key_id)


async def gift_received(transaction: Transaction, data: GiftFact, said: Said) -> None:
    grant = NewGrant(data.product_id, GrantKind.GIFT, data.gift_id, data.timestamp or said.at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def gift_revoked(transaction: Transaction, data: GiftFact, said: Said) -> None:
    await _revoke(transaction, data, GrantKind.GIFT, data.gift_id)


async def _revoke(transaction: Transaction, data: KeyFact | GiftFact, kind: GrantKind, source_id: str) -> None:
    library = transaction.of(LibraryService)
    await library.end_grants(data.user_id, kind, source_id, [data.product_id], reason="revoked")


async def installed(transaction: Transaction, data: InstallationChange, said: Said) -> None:
    await _installation(transaction, data, InstallationStatus.INSTALLED, said)


async def uninstalled(transaction: Transaction, data: InstallationChange, said: Said) -> None:
    await _installation(transaction, data, InstallationStatus.NOT_INSTALLED, said)


async def installation_changed(transaction: Transaction, data: InstallationChange, said: Said) -> None:
    if data.status is not None:
        await _installation(transaction, data, data.status, said)


async def _installation(
    transaction: Transaction, data: InstallationChange, status: InstallationStatus, said: Said
) -> None:
    service, at = transaction.of(LibraryService), data.timestamp or said.at
    await service.set_installation(data.user_id, data.product_id, status, data.version_id, at, data.device_id)


async def reviewed(transaction: Transaction, data: Review, said: Said) -> None:
    if data.rating is not None:
        await transaction.of(LibraryService).set_rating(data.user_id, data.product_id, data.rating, said.at)


def product_fact(data: ProductChange, at: datetime) -> ProductFact:
    """What the Catalog said; a field that is absent or null was not said."""
    said: dict[str, Any] = {
        "product_type": data.product_type,
        "title_ru": data.new_title.ru if data.new_title else None,
        "title_en": data.new_title.en if data.new_title else None,
        "cover_image_url": data.new_cover_image_url,
        "is_free_to_play": data.is_free_to_play,
        "family_sharing_allowed": data.family_sharing_allowed,
    }
    at = data.timestamp or at
    return ProductFact(data.product_id, at, {name: value for name, value in said.items() if value is not None})


def definition_facts(data: ProductChange, at: datetime) -> list[DefinitionFact]:
    """What the Catalog said of a product's achievements."""
    at = data.timestamp or at
    return [DefinitionFact(one.id, data.product_id, at, _said(one)) for one in data.achievements or ()]


def _said(of: AchievementDefinition) -> dict[str, Any]:
    said: dict[str, Any] = {
        "api_name": of.api_name,
        "name_ru": of.name.ru if of.name else None,
        "name_en": of.name.en if of.name else None,
        "description_ru": of.description.ru if of.description else None,
        "description_en": of.description.en if of.description else None,
        "icon_url_locked": of.icon_url_locked,
        "icon_url_unlocked": of.icon_url_unlocked,
        "is_hidden": of.is_hidden,
        "target_progress": of.target_progress,
        "server_authoritative": of.server_authoritative,
    }
    return {name: value for name, value in said.items() if value is not None}


def price_fact(data: PriceChange, at: datetime) -> Price:
    """What the Catalog said that a product costs."""
    percent = discount(data.discount_percent, data.price_minor, data.old_price_minor)
    at = data.timestamp or at
    return Price(
        data.product_id,
        data.price_minor,
        data.currency,
        percent,
        data.sale_id,
        data.sale_ends_at,
        at,
        old_price_minor=data.old_price_minor,
    )
