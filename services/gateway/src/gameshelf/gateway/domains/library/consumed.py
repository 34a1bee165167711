"""Consumed events about orders, keys, gifts, installations, reviews and products (contract, section 6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.kafka.fields import (
    NUMBER_AS_TEXT,
    EventData,
    EventProductType,
    EventUrl,
    Localised,
    SourceId,
)
from gameshelf.gateway.runtime.kafka.handling import Received
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.clock import Clock, EventTime
from gameshelf.kernel.database import Connection
from gameshelf.kernel.text import Name
from gameshelf.library import CatalogProjection, GrantKind, InstallationStatus, LibraryService, NewGrant, ProductFact
from pydantic import AfterValidator, Field, FiniteFloat, StrictBool

MAX_ITEMS = 2000
"""Maximum number of items in an order: bundles of 1,741 games have been sold."""

Quantity = Annotated[int, Field(ge=1, le=10**6)]


class OrderItem(EventData):
    product_id: UUID
    product_type: EventProductType | None = None
    quantity: Quantity | None = None


class OrderData(EventData):
    """A purchase; refunds and reinstatements have the same fields."""

    element_lists: ClassVar = {"items": OrderItem}
    adds_up_by: ClassVar = "product_id"

    user_id: UUID
    order_id: SourceId
    items: Annotated[tuple[OrderItem, ...], Field(min_length=1, max_length=MAX_ITEMS)]
    purchase_timestamp: EventTime = None


class Refund(OrderData):
    refund_id: SourceId | None = None


class Reinstatement(OrderData):
    reinstatement_id: SourceId | None = None


class KeyFact(EventData):
    """A key was activated, or revoked."""

    user_id: UUID
    product_id: UUID
    key_id: SourceId
    timestamp: EventTime = None


class GiftFact(EventData):
    """A gift was received, or revoked."""

    user_id: UUID
    product_id: UUID
    gift_id: SourceId
    timestamp: EventTime = None


class InstallationChange(EventData):
    user_id: UUID
    product_id: UUID
    version_id: Annotated[Name, Field(max_length=100), NUMBER_AS_TEXT] | None = None
    status: InstallationStatus | None = None
    device_id: Annotated[Name, Field(max_length=100), NUMBER_AS_TEXT] | None = None
    """None for an installation on all devices."""
    timestamp: EventTime = None


def _rating(value: float) -> float | None:
    return value if 0 <= value <= 100 else None


class Review(EventData):
    user_id: UUID
    product_id: UUID
    rating: Annotated[FiniteFloat, AfterValidator(_rating)] | None = None
    """None for a rating outside of 0 to 100, which is ignored."""


class ProductChange(EventData):
    """A product was created or updated. Its achievements are read by the domain that has them."""

    product_id: UUID
    new_title: Localised | None = None
    new_cover_image_url: EventUrl | None = None
    product_type: EventProductType | None = None
    is_free_to_play: StrictBool | None = None
    family_sharing_allowed: StrictBool | None = None
    timestamp: EventTime = None


async def purchased(transaction: Transaction, data: OrderData, received: Received) -> None:
    since = data.purchase_timestamp or received.at
    types = {item.product_id: item.product_type for item in data.items if item.product_type is not None}
    grants = [
        NewGrant(product_id, GrantKind.ORDER, data.order_id, since, types.get(product_id), quantity or 1)
        for product_id, quantity in _quantities(data, absent=1).items()
    ]
    await transaction.of(LibraryService).grant(data.user_id, grants)


async def refunded(transaction: Transaction, data: Refund, received: Received) -> None:
    fact_id, quantities = received.fact_id(data.refund_id), _quantities(data, absent=None)
    await transaction.of(LibraryService).refund(data.user_id, data.order_id, quantities, fact_id, received.at)


async def reinstated(transaction: Transaction, data: Reinstatement, received: Received) -> None:
    fact_id, quantities = received.fact_id(data.reinstatement_id), _quantities(data, absent=None)
    await transaction.of(LibraryService).reinstate(data.user_id, data.order_id, quantities, fact_id, received.at)


def _quantities(data: OrderData, absent: int | None) -> Mapping[UUID, int | None]:
    """Returns the quantity of each product in an event; equal products are summed. None stands for all copies."""
    quantities: dict[UUID, int | None] = {}
    for item in data.items:
        quantity = absent if item.quantity is None else item.quantity
        before = quantities.get(item.product_id, 0)
        quantities[item.product_id] = None if before is None or quantity is None else before + quantity
    return quantities


async def key_activated(transaction: Transaction, data: KeyFact, received: Received) -> None:
    grant = NewGrant(data.product_id, GrantKind.KEY, data.key_id, data.timestamp or received.at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def key_revoked(transaction: Transaction, data: KeyFact, received: Received) -> None:
    await _revoke(transaction, data, GrantKind.KEY, data.key_id)


async def gift_received(transaction: Transaction, data: GiftFact, received: Received) -> None:
    grant = NewGrant(data.product_id, GrantKind.GIFT, data.gift_id, data.timestamp or received.at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def gift_revoked(transaction: Transaction, data: GiftFact, received: Received) -> None:
    await _revoke(transaction, data, GrantKind.GIFT, data.gift_id)


async def _revoke(transaction: Transaction, data: KeyFact | GiftFact, kind: GrantKind, source_id: str) -> None:
    library = transaction.of(LibraryService)
    await library.end_grants(data.user_id, kind, source_id, [data.product_id], reason="revoked")


async def installed(transaction: Transaction, data: InstallationChange, received: Received) -> None:
    await _installation(transaction, data, InstallationStatus.INSTALLED, received)


async def uninstalled(transaction: Transaction, data: InstallationChange, received: Received) -> None:
    await _installation(transaction, data, InstallationStatus.NOT_INSTALLED, received)


async def installation_changed(transaction: Transaction, data: InstallationChange, received: Received) -> None:
    if data.status is not None:
        await _installation(transaction, data, data.status, received)


async def _installation(
    transaction: Transaction, data: InstallationChange, status: InstallationStatus, received: Received
) -> None:
    service, at = transaction.of(LibraryService), data.timestamp or received.at
    await service.set_installation(data.user_id, data.product_id, status, data.version_id, at, data.device_id)


async def reviewed(transaction: Transaction, data: Review, received: Received) -> None:
    if data.rating is not None:
        await transaction.of(LibraryService).set_rating(data.user_id, data.product_id, data.rating, received.at)


async def apply_products(
    connection: Connection, events: Sequence[tuple[ProductChange, datetime]], clock: Clock
) -> None:
    await CatalogProjection(connection, clock).apply([product_fact(data, at) for data, at in events])


def product_fact(data: ProductChange, at: datetime) -> ProductFact:
    """Converts the Catalog's data of a product; a field that is absent or null changes nothing. ``at`` is used if the
    data has no time.
    """
    columns: dict[str, Any] = {
        "product_type": data.product_type,
        "title_ru": data.new_title.ru if data.new_title else None,
        "title_en": data.new_title.en if data.new_title else None,
        "cover_image_url": data.new_cover_image_url,
        "is_free_to_play": data.is_free_to_play,
        "family_sharing_allowed": data.family_sharing_allowed,
    }
    at = data.timestamp or at
    return ProductFact(data.product_id, at, {name: value for name, value in columns.items() if value is not None})


_PAYMENTS = "com.platform.payment.events.v1"
_CATALOG = "com.platform.catalog.events.v1"
_DOWNLOADS = "com.platform.download.events.v1"
_SOCIAL = "com.platform.social.events.v1"
_PRODUCT = ConsumedEvent(_CATALOG, ProductChange, apply_all=apply_products)
_UNINSTALLED = ConsumedEvent(_DOWNLOADS, InstallationChange, uninstalled)
_INSTALLATION_CHANGED = ConsumedEvent(_DOWNLOADS, InstallationChange, installation_changed)

# The contract abbreviates two types of the Download service; both interpretations are accepted.
EVENTS: Mapping[str, ConsumedEvent] = {
    "com.platform.payment.purchase.completed.v1": ConsumedEvent(_PAYMENTS, OrderData, purchased),
    "com.platform.payment.purchase.refunded.v1": ConsumedEvent(_PAYMENTS, Refund, refunded),
    "com.platform.payment.purchase.reinstated.v1": ConsumedEvent(_PAYMENTS, Reinstatement, reinstated),
    "com.platform.payment.key.activated.v1": ConsumedEvent(_PAYMENTS, KeyFact, key_activated),
    "com.platform.payment.key.revoked.v1": ConsumedEvent(_PAYMENTS, KeyFact, key_revoked),
    "com.platform.payment.gift.received.v1": ConsumedEvent(_PAYMENTS, GiftFact, gift_received),
    "com.platform.payment.gift.revoked.v1": ConsumedEvent(_PAYMENTS, GiftFact, gift_revoked),
    "com.platform.catalog.product.created.v1": _PRODUCT,
    "com.platform.catalog.product.updated.v1": _PRODUCT,
    "com.platform.download.game.installed.v1": ConsumedEvent(_DOWNLOADS, InstallationChange, installed),
    "com.platform.download.game.uninstalled.v1": _UNINSTALLED,
    "com.platform.download.uninstalled.v1": _UNINSTALLED,
    "com.platform.download.game.status.changed.v1": _INSTALLATION_CHANGED,
    "com.platform.download.status.changed.v1": _INSTALLATION_CHANGED,
    "com.platform.social.review.submitted.v1": ConsumedEvent(_SOCIAL, Review, reviewed),
}
