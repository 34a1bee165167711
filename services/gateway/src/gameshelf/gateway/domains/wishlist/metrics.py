"""Metrics of the wishlist."""

from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from prometheus_client import CollectorRegistry, Counter


class WishlistMetrics(DomainMetrics):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.notifications = Counter(
            "wishlist_notifications", "Wishers who were notified of a sale or a lasting cut", registry=registry
        )
