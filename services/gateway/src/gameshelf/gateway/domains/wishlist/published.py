"""Published forms of the wishlist's events: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping
from uuid import UUID

from gameshelf.gateway.runtime.outbox.messages import EventForm, JsonObject, Published
from gameshelf.kernel.events import Event
from gameshelf.wishlist import PriceDropped, SaleNoticed, WishAdded, WishlistChanged, WishRemoved

NOTIFICATIONS = "com.platform.notification.send.requests.v1"
BULK_TOPICS = frozenset({NOTIFICATIONS})


def _wish_added(event: WishAdded) -> Published:
    return Published("com.platform.library.wishlist.item.added.v1", _wish(event), *_wishlist(event.product_id))


def _wish_removed(event: WishRemoved) -> Published:
    removed = {"removedAt": event.occurred_at, "reason": event.reason}
    data = {**_wish(event), **removed}
    return Published("com.platform.library.wishlist.item.removed.v1", data, *_wishlist(event.product_id))


def _wishlist_changed(event: WishlistChanged) -> Published:
    device_type, payload = _wishlist(event.product_id)
    return Published(device_type=device_type, device_payload=payload)


def _wishlist(product_id: UUID | None) -> tuple[str, JsonObject]:
    """Makes the message to devices, which names no product after the list was reordered."""
    return "wishlist.updated", {"product_id": product_id}


def _wish(event: WishAdded | WishRemoved) -> JsonObject:
    return {
        "userId": event.user_id,
        "productId": event.product_id,
        "wishlistItemId": event.item_id,
        "addedAt": event.added_at,
    }


def _sale_noticed(event: SaleNoticed) -> Published:
    return Published(
        "com.platform.notification.send.request.v1",
        {
            "userId": event.user_id,
            "templateName": "wishlist_sale_push",
            "payloadVariables": {
                "gameName": event.title,
                "discountPercent": event.discount_percent,
                "priceMinor": event.price_minor,
                "currency": event.currency,
                "saleId": event.sale_id,
            },
        },
        "wishlist.item.on_sale",
        {
            "wishlist_item_id": event.item_id,
            "product_id": event.product_id,
            "sale_id": event.sale_id,
            "price_minor": event.price_minor,
            "currency": event.currency,
            "discount_percent": event.discount_percent,
            "sale_ends_at": event.sale_ends_at,
        },
        topic=NOTIFICATIONS,
        cloud_id=event.notification_id,
    )


def _price_dropped(event: PriceDropped) -> Published:
    return Published(
        "com.platform.notification.send.request.v1",
        {
            "userId": event.user_id,
            "templateName": "wishlist_price_drop_push",
            "payloadVariables": {
                "gameName": event.title,
                "priceMinor": event.price_minor,
                "currency": event.currency,
                "oldPriceMinor": event.old_price_minor,
            },
        },
        "wishlist.item.price_dropped",
        {
            "wishlist_item_id": event.item_id,
            "product_id": event.product_id,
            "price_minor": event.price_minor,
            "currency": event.currency,
            "old_price_minor": event.old_price_minor,
        },
        topic=NOTIFICATIONS,
        cloud_id=event.notification_id,
    )


FORMS: Mapping[type[Event], EventForm] = {
    WishAdded: EventForm(_wish_added),
    WishRemoved: EventForm(_wish_removed),
    WishlistChanged: EventForm(_wishlist_changed),
    SaleNoticed: EventForm(_sale_noticed),
    PriceDropped: EventForm(_price_dropped),
}
