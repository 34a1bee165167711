"""Policies of saves from the Catalog (contract, section 6): an object in its events about products."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.kernel.clock import Clock, EventTime
from gameshelf.kernel.database import Connection
from gameshelf.savegames import PolicyDocument, PolicyFact, PolicyStore


class ProductSavePolicy(EventData):
    """The policy of a product that was created or updated; an invalid one is left out, and the rest counts."""

    optional_objects: ClassVar = {"savegame_policy": PolicyDocument}

    product_id: UUID
    savegame_policy: PolicyDocument | None = None
    timestamp: EventTime = None


async def apply_policies(
    connection: Connection, events: Sequence[tuple[ProductSavePolicy, datetime]], clock: Clock
) -> None:
    facts = [
        PolicyFact(data.product_id, data.savegame_policy, data.timestamp or at)
        for data, at in events
        if data.savegame_policy
    ]
    await PolicyStore(connection, clock).apply(facts)


_PRODUCT_SAVE_POLICY = ConsumedEvent("com.platform.catalog.events.v1", ProductSavePolicy, apply_all=apply_policies)

EVENTS: Mapping[str, ConsumedEvent] = {
    "com.platform.catalog.product.created.v1": _PRODUCT_SAVE_POLICY,
    "com.platform.catalog.product.updated.v1": _PRODUCT_SAVE_POLICY,
}
