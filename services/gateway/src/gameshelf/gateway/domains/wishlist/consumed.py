"""Prices from the Catalog (contract, section 6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.kafka.fields import WHOLE, EventAmount, EventData, SourceId, rounded_down
from gameshelf.kernel.clock import Clock, EventTime
from gameshelf.kernel.database import Connection
from gameshelf.wishlist import Price, Prices, discount
from pydantic import BeforeValidator, Field, StrictInt


class PriceChange(EventData):
    product_id: UUID
    price_minor: EventAmount
    old_price_minor: Annotated[StrictInt, Field(ge=1, le=10**15), WHOLE] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", max_length=3)]
    discount_percent: Annotated[StrictInt, Field(ge=0, le=100), BeforeValidator(rounded_down)] | None = None
    """The discount in whole percent, rounded down."""
    sale_id: SourceId | None = None
    sale_ends_at: EventTime = None
    timestamp: EventTime = None


async def apply_prices(connection: Connection, events: Sequence[tuple[PriceChange, datetime]], clock: Clock) -> None:
    await Prices(connection, clock).apply([price_fact(data, at) for data, at in events])


def price_fact(data: PriceChange, at: datetime) -> Price:
    """Converts the Catalog's data of a price; ``at`` is used if the data has no time."""
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


EVENTS: Mapping[str, ConsumedEvent] = {
    "com.platform.catalog.price.updated.v1": ConsumedEvent(
        "com.platform.catalog.events.v1", PriceChange, apply_all=apply_prices
    ),
}
