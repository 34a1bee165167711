"""The consumed events: each type with its topic, the model of its data, and the handler of an event about a user.

The one table of them: the consumer and ``./dev publish`` read it. A type counts on its own topic only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gameshelf.gateway.kafka import applied
from gameshelf.gateway.kafka.incoming import (
    AccountDeleted,
    GiftReceived,
    InstallationChange,
    KeyActivation,
    PriceChange,
    ProductChange,
    Purchase,
    Review,
)
from pydantic import BaseModel

_PAYMENTS = "com.platform.payment.events.v1"
CATALOG = "com.platform.catalog.events.v1"
_DOWNLOADS = "com.platform.download.events.v1"
_SOCIAL = "com.platform.social.events.v1"
_ACCOUNTS = "com.platform.account.events.v1"

TOPICS = (_PAYMENTS, CATALOG, _DOWNLOADS, _SOCIAL, _ACCOUNTS)
"""The topics that the consumer reads."""


@dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """How events of one type are read and applied."""

    topic: str
    data: type[BaseModel]
    handle: applied.Handle | None = None
    """Applies an event about a user in that user's transaction. None for facts of products, which are applied many at
    a time, and for the end of an account.
    """


ACCOUNT_DELETED = "com.platform.account.user.deleted.v1"

# The contract writes two of the Download service's types short; both readings of them are accepted.
CONSUMED: Mapping[str, ConsumedEvent] = {
    "com.platform.payment.purchase.completed.v1": ConsumedEvent(_PAYMENTS, Purchase, applied.purchased),
    "com.platform.payment.purchase.refunded.v1": ConsumedEvent(_PAYMENTS, Purchase, applied.refunded),
    "com.platform.payment.key.activated.v1": ConsumedEvent(_PAYMENTS, KeyActivation, applied.key_activated),
    "com.platform.payment.gift.received.v1": ConsumedEvent(_PAYMENTS, GiftReceived, applied.gift_received),
    "com.platform.catalog.product.created.v1": ConsumedEvent(CATALOG, ProductChange),
    "com.platform.catalog.product.updated.v1": ConsumedEvent(CATALOG, ProductChange),
    "com.platform.catalog.price.updated.v1": ConsumedEvent(CATALOG, PriceChange),
    "com.platform.download.game.installed.v1": ConsumedEvent(_DOWNLOADS, InstallationChange, applied.installed),
    "com.platform.download.game.uninstalled.v1": ConsumedEvent(_DOWNLOADS, InstallationChange, applied.uninstalled),
    "com.platform.download.uninstalled.v1": ConsumedEvent(_DOWNLOADS, InstallationChange, applied.uninstalled),
    "com.platform.download.game.status.changed.v1": ConsumedEvent(
        _DOWNLOADS, InstallationChange, applied.installation_changed
    ),
    "com.platform.download.status.changed.v1": ConsumedEvent(
        _DOWNLOADS, InstallationChange, applied.installation_changed
    ),
    "com.platform.social.review.submitted.v1": ConsumedEvent(_SOCIAL, Review, applied.reviewed),
    ACCOUNT_DELETED: ConsumedEvent(_ACCOUNTS, AccountDeleted),
}
"""Event type → how it is read and applied."""
