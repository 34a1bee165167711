"""The types of consumed events and the topic of each (contract, section 6). A type counts on its own topic only.

Imports nothing, so that ``./dev publish``, which needs no more, doesn't import the service.
"""

from collections.abc import Mapping

_PAYMENTS = "com.platform.payment.events.v1"
CATALOG = "com.platform.catalog.events.v1"
_DOWNLOADS = "com.platform.download.events.v1"
_SOCIAL = "com.platform.social.events.v1"
_ACCOUNTS = "com.platform.account.events.v1"

TOPICS = (_PAYMENTS, CATALOG, _DOWNLOADS, _SOCIAL, _ACCOUNTS)
"""The topics that the consumer reads."""

ACCOUNT_DELETED = "com.platform.account.user.deleted.v1"

# The contract writes two of the Download service's types short; both readings of them are accepted.
TOPIC_OF: Mapping[str, str] = {
    "com.platform.payment.purchase.completed.v1": _PAYMENTS,
    "com.platform.payment.purchase.refunded.v1": _PAYMENTS,
    "com.platform.payment.purchase.reinstated.v1": _PAYMENTS,
    "com.platform.payment.key.activated.v1": _PAYMENTS,
    "com.platform.payment.key.revoked.v1": _PAYMENTS,
    "com.platform.payment.gift.received.v1": _PAYMENTS,
    "com.platform.payment.gift.revoked.v1": _PAYMENTS,
    "com.platform.catalog.product.created.v1": CATALOG,
    "com.platform.catalog.product.updated.v1": CATALOG,
    "com.platform.catalog.price.updated.v1": CATALOG,
    "com.platform.download.game.installed.v1": _DOWNLOADS,
    "com.platform.download.game.uninstalled.v1": _DOWNLOADS,
    "com.platform.download.uninstalled.v1": _DOWNLOADS,
    "com.platform.download.game.status.changed.v1": _DOWNLOADS,
    "com.platform.download.status.changed.v1": _DOWNLOADS,
    "com.platform.social.review.submitted.v1": _SOCIAL,
    ACCOUNT_DELETED: _ACCOUNTS,
}
"""Event type → topic."""
