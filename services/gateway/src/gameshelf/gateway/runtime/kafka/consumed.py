"""The consumed events: each type with its topic, the model of its data, and the handler of an event about a user."""

from collections.abc import Mapping
from dataclasses import dataclass

from gameshelf.gateway.domains.accounts.consumed import AccountDeleted
from gameshelf.gateway.domains.library.consumed import (
    GiftFact,
    InstallationChange,
    KeyFact,
    OrderFact,
    Refund,
    Reinstatement,
    Review,
    gift_received,
    gift_revoked,
    installation_changed,
    installed,
    key_activated,
    key_revoked,
    purchased,
    refunded,
    reinstated,
    reviewed,
    uninstalled,
)
from gameshelf.gateway.domains.wishlist.consumed import PriceChange
from gameshelf.gateway.runtime.kafka.event_types import ACCOUNT_DELETED, TOPIC_OF
from gameshelf.gateway.runtime.kafka.handling import Handle
from gameshelf.gateway.runtime.kafka.incoming import ProductChange
from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """How events of one type are read and applied."""

    topic: str
    data: type[BaseModel]
    handle: Handle | None = None
    """Applies an event about a user in that user's transaction. None for facts of products, which are applied many at
    a time, and for the end of an account.
    """


_HANDLED: Mapping[str, tuple[type[BaseModel], Handle | None]] = {
    "com.platform.payment.purchase.completed.v1": (OrderFact, purchased),
    "com.platform.payment.purchase.refunded.v1": (Refund, refunded),
    "com.platform.payment.purchase.reinstated.v1": (Reinstatement, reinstated),
    "com.platform.payment.key.activated.v1": (KeyFact, key_activated),
    "com.platform.payment.key.revoked.v1": (KeyFact, key_revoked),
    "com.platform.payment.gift.received.v1": (GiftFact, gift_received),
    "com.platform.payment.gift.revoked.v1": (GiftFact, gift_revoked),
    "com.platform.catalog.product.created.v1": (ProductChange, None),
    "com.platform.catalog.product.updated.v1": (ProductChange, None),
    "com.platform.catalog.price.updated.v1": (PriceChange, None),
    "com.platform.download.game.installed.v1": (InstallationChange, installed),
    "com.platform.download.game.uninstalled.v1": (InstallationChange, uninstalled),
    "com.platform.download.uninstalled.v1": (InstallationChange, uninstalled),
    "com.platform.download.game.status.changed.v1": (InstallationChange, installation_changed),
    "com.platform.download.status.changed.v1": (InstallationChange, installation_changed),
    "com.platform.social.review.submitted.v1": (Review, reviewed),
    ACCOUNT_DELETED: (AccountDeleted, None),
}

CONSUMED: Mapping[str, ConsumedEvent] = {
    kind: ConsumedEvent(topic, *_HANDLED[kind]) for kind, topic in TOPIC_OF.items()
}
"""Event type → how it is read and applied."""
