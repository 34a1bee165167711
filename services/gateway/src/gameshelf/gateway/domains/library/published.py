"""Published forms of the library's events: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.outbox.messages import EventForm, JsonObject, Published
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event
from gameshelf.library import (
    AcquisitionType,
    CategoryUpdated,
    GameAdded,
    GameRemoved,
    ItemUpdated,
    LibraryQueries,
    LibraryUpdated,
    ProductView,
    SharedGameAdded,
    SharedGameRemoved,
)


def _game_added(event: GameAdded, products: Mapping[UUID, ProductView]) -> Published:
    return Published(
        "com.platform.library.game.added.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "acquisitionType": event.acquisition_type,
            "addedAt": event.added_at,
        },
        *_added_for_devices(event, products.get(event.product_id)),
    )


def _added_for_devices(event: GameAdded, product: ProductView | None) -> tuple[str, JsonObject]:
    how = {"acquisition_type": event.acquisition_type, "added_at": event.added_at}
    if event.was_shared:
        # The item existed already, as a shared one.
        return _changed_for_devices(event, {**how, "shared_from_user_id": None})
    about = {"library_item_id": event.item_id, "product_id": event.product_id}
    return "library.item.added", {**about, **how, **_product_shown(product)}


def _product_shown(product: ProductView | None) -> JsonObject:
    """Returns title and cover, which devices show before they read the item."""
    if product is None:
        return {"title": None, "titles": {"ru": None, "en": None}, "cover_image_url": None}
    return {
        "title": product.title("ru"),
        "titles": {"ru": product.title_ru, "en": product.title_en},
        "cover_image_url": product.cover_image_url,
    }


def _changed_for_devices(event: GameAdded | GameRemoved, changes: JsonObject) -> tuple[str, JsonObject]:
    about = {"library_item_id": event.item_id, "product_id": event.product_id}
    return "library.item.updated", {**about, "changes": changes}


def _game_removed(event: GameRemoved) -> Published:
    return Published(
        "com.platform.library.game.removed.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "removedAt": event.occurred_at,
            "reason": event.reason,
        },
        *_removed_for_devices(event),
    )


def _removed_for_devices(event: GameRemoved) -> tuple[str, JsonObject]:
    if event.shared_from_user_id is not None:
        # The item stays as a shared one.
        shared = {
            "acquisition_type": AcquisitionType.FAMILY_SHARED_ACCESS,
            "added_at": event.shared_since,
            "shared_from_user_id": event.shared_from_user_id,
        }
        return _changed_for_devices(event, shared)
    return (
        "library.item.removed",
        {"library_item_id": event.item_id, "product_id": event.product_id, "reason": event.reason},
    )


def _shared_added(event: SharedGameAdded, products: Mapping[UUID, ProductView]) -> Published:
    return Published(
        device_type="library.item.added",
        device_payload={
            "library_item_id": event.item_id,
            "product_id": event.product_id,
            "acquisition_type": AcquisitionType.FAMILY_SHARED_ACCESS,
            "added_at": event.added_at,
            "shared_from_user_id": event.owner_user_id,
            **_product_shown(products.get(event.product_id)),
        },
    )


def _shared_removed(event: SharedGameRemoved) -> Published:
    return Published(
        device_type="library.item.removed",
        device_payload={
            "library_item_id": event.item_id,
            "product_id": event.product_id,
            "reason": "no_longer_shared",
        },
    )


def _item_updated(event: ItemUpdated) -> Published:
    return Published(
        device_type="library.item.updated",
        device_payload={
            "library_item_id": event.item_id,
            "product_id": event.product_id,
            "changes": event.changes,
        },
    )


def _library_updated(event: LibraryUpdated) -> Published:
    return Published(device_type="library.updated", device_payload={"count": event.count})


def _category_updated(event: CategoryUpdated) -> Published:
    return Published(
        device_type="library.category.updated",
        device_payload={
            "category_id": event.category_id,
            "name": event.name,
            "display_order": event.display_order,
            "is_deleted": event.is_deleted,
        },
    )


async def products_of(connection: Connection, events: Sequence[GameAdded]) -> Mapping[UUID, ProductView]:
    """Reads the products of new games for their messages: one round trip, if there are any."""
    added = {event.product_id for event in events if not event.was_shared}
    return await LibraryQueries(connection).products(list(added)) if added else {}


async def products_of_shared(connection: Connection, events: Sequence[SharedGameAdded]) -> Mapping[UUID, ProductView]:
    """Reads the products of new shared games for their messages. One round trip."""
    return await LibraryQueries(connection).products(list({event.product_id for event in events}))


FORMS: Mapping[type[Event], EventForm] = {
    GameAdded: EventForm(_game_added, products_of),
    GameRemoved: EventForm(_game_removed),
    SharedGameAdded: EventForm(_shared_added, products_of_shared),
    SharedGameRemoved: EventForm(_shared_removed),
    ItemUpdated: EventForm(_item_updated),
    LibraryUpdated: EventForm(_library_updated),
    CategoryUpdated: EventForm(_category_updated),
}
