"""Events about what a user owns, has installed and has reviewed (contract, section 6), and the handler of each."""

from collections.abc import Mapping
from typing import Annotated, ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.kafka.fields import NUMBER_AS_TEXT, EventData, ProductType, SourceId
from gameshelf.gateway.runtime.kafka.handling import Said
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.clock import EventTime
from gameshelf.kernel.text import Name
from gameshelf.library import GrantKind, InstallationStatus, LibraryService, NewGrant
from pydantic import AfterValidator, Field, FiniteFloat

MAX_ITEMS = 2000
"""Of an order: bundles of 1,741 games were sold."""

Quantity = Annotated[int, Field(ge=1, le=10**6)]


class OrderItem(EventData):
    product_id: UUID
    product_type: ProductType | None = None
    quantity: Quantity | None = None


class OrderFact(EventData):
    """A purchase, and the shape of what happens to it later."""

    element_lists: ClassVar = {"items": OrderItem}
    adds_up_by: ClassVar = "product_id"

    user_id: UUID
    order_id: SourceId
    items: Annotated[tuple[OrderItem, ...], Field(min_length=1, max_length=MAX_ITEMS)]
    purchase_timestamp: EventTime = None


class Refund(OrderFact):
    refund_id: SourceId | None = None


class Reinstatement(OrderFact):
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
    """None: on all devices."""
    timestamp: EventTime = None


def _rating(value: float) -> float | None:
    return value if 0 <= value <= 100 else None


class Review(EventData):
    user_id: UUID
    product_id: UUID
    rating: Annotated[FiniteFloat, AfterValidator(_rating)] | None = None
    """None for one outside of 0 to 100, which was not said."""


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
