"""What the world is told: each domain event as a CloudEvent for Kafka and as a message for the user's devices.

One readable function an event; an event that has no form here is told to nobody.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Any
from uuid import UUID, uuid4

from gameshelf.achievements import AchievementLocked, AchievementUnlocked
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.kernel.events import Event
from gameshelf.library import (
    AcquisitionType,
    CategoryUpdated,
    GameAdded,
    GameRemoved,
    ItemUpdated,
    LibraryUpdated,
    LinkUpdated,
    ProductView,
    SeatReclaimed,
    ShareWithdrawn,
)
from gameshelf.playtime import (
    AnomalyFound,
    PlaytimeChanged,
    PlaytimeCorrected,
    SessionCopyChanged,
    SessionEnded,
    SessionResumed,
    SessionStarted,
)
from gameshelf.savegames import (
    FailureReason,
    SavegameConflictDropped,
    SavegameConflicted,
    SavegameConflictResolved,
    SavegameDeleted,
    SavegameHeadMoved,
    SavegameUploaded,
    UploadFailed,
    UploadRequested,
    UploadUnneeded,
)
from gameshelf.settings import SettingsUpdated
from gameshelf.wishlist import PriceDropped, SaleNoticed, WishAdded, WishlistChanged, WishRemoved

SOURCE = "platform.library-service"
NOTIFICATIONS = "com.platform.notification.send.requests.v1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """The two forms of one event; None where it has no such form."""

    cloud_type: str | None = None
    cloud_data: Json | None = None
    device_type: str | None = None
    device_payload: Json | None = None
    topic: str | None = None
    """Where the CloudEvent goes, if not to the topic of the service's events."""
    cloud_id: UUID | None = None
    """The CloudEvent's id, where that has to be the same whenever it is made again."""


@singledispatch
def tell(event: Event) -> Told:
    """The forms of a domain event."""
    raise TypeError(f"{type(event).__name__} has no form in gameshelf.gateway.runtime.outbox.messages")


@tell.register
def _(event: GameAdded) -> Told:
    return Told(
        "com.platform.library.game.added.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "acquisitionType": event.acquisition_type,
            "addedAt": event.added_at,
        },
        *_added_for_devices(event),
    )


def _added_for_devices(event: GameAdded) -> tuple[str, Json]:
    how = {"acquisition_type": event.acquisition_type, "added_at": event.added_at}
    if event.was_shared:
        # It was there already, as somebody else's.
        return _changed_for_devices(event, {**how, "shared_from_user_id": None})
    return "library.item.added", {"library_item_id": event.item_id, "product_id": event.product_id, **how}


def _changed_for_devices(event: GameAdded | GameRemoved, changes: Json) -> tuple[str, Json]:
    about = {"library_item_id": event.item_id, "product_id": event.product_id}
    return "library.item.updated", {**about, "changes": changes}


@tell.register
def _(event: GameRemoved) -> Told:
    return Told(
        "com.platform.library.game.removed.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "removedAt": event.occurred_at,
            "reason": event.reason,
        },
        *_removed_for_devices(event),
    )


def _removed_for_devices(event: GameRemoved) -> tuple[str, Json]:
    if event.shared_from_user_id is not None:
        # It stays, as somebody else's.
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


@tell.register
def _(event: ItemUpdated) -> Told:
    return Told(
        device_type="library.item.updated",
        device_payload={
            "library_item_id": event.item_id,
            "product_id": event.product_id,
            "changes": event.changes,
        },
    )


@tell.register
def _(event: LibraryUpdated) -> Told:
    return Told(device_type="library.updated", device_payload={"count": event.count})


@tell.register
def _(event: CategoryUpdated) -> Told:
    return Told(
        device_type="library.category.updated",
        device_payload={
            "category_id": event.category_id,
            "name": event.name,
            "display_order": event.display_order,
            "is_deleted": event.is_deleted,
        },
    )


@tell.register
def _(event: SessionStarted) -> Told:
    return Told(
        "com.platform.library.playtime.session.started.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "sessionId": event.session_id,
            "deviceId": event.device_id or None,
            "platform": event.platform,
            "startedAt": event.started_at,
        },
        "playtime.session.started",
        {
            "session_id": event.session_id,
            "product_id": event.product_id,
            "device_id": event.device_id or None,
            "start_time": event.started_at,
        },
    )


@tell.register
def _(event: SessionEnded) -> Told:
    return Told(
        "com.platform.library.playtime.session.ended.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "sessionId": event.session_id,
            "sessionDurationSeconds": event.duration_seconds,
            "totalPlaytimeSeconds": event.total_playtime_seconds,
            "startedAt": event.started_at,
            "endedAt": event.ended_at,
            "endReason": event.end_reason,
        },
        "playtime.session.ended",
        {
            "session_id": event.session_id,
            "product_id": event.product_id,
            "start_time": event.started_at,
            "end_time": event.ended_at,
            "duration_seconds": event.duration_seconds,
            "end_reason": event.end_reason,
            "total_playtime_seconds": event.total_playtime_seconds,
        },
    )


@tell.register
def _(event: AchievementUnlocked) -> Told:
    return Told(
        "com.platform.library.achievement.unlocked.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "achievementMetaId": event.achievement_id,
            "unlockedAt": event.unlocked_at,
        },
        "achievement.unlocked",
        {
            "product_id": event.product_id,
            "achievement_id": event.achievement_id,
            "achievement_name": event.name_ru or event.name_en or event.api_name,
            "achievement_names": {"ru": event.name_ru, "en": event.name_en},
            "unlocked_at": event.unlocked_at,
        },
    )


@tell.register
def _(event: WishAdded) -> Told:
    return Told("com.platform.library.wishlist.item.added.v1", _wish(event), *_wishlist(event.product_id))


@tell.register
def _(event: WishRemoved) -> Told:
    removed = {"removedAt": event.occurred_at, "reason": event.reason}
    data = {**_wish(event), **removed}
    return Told("com.platform.library.wishlist.item.removed.v1", data, *_wishlist(event.product_id))


@tell.register
def _(event: WishlistChanged) -> Told:
    device_type, payload = _wishlist(event.product_id)
    return Told(device_type=device_type, device_payload=payload)


def _wishlist(product_id: UUID | None) -> tuple[str, Json]:
    """What devices hear of a wishlist: whose item it is about, or, after a reorder, nobody's."""
    return "wishlist.updated", {"product_id": product_id}


def _wish(event: WishAdded | WishRemoved) -> Json:
    return {
        "userId": event.user_id,
        "productId": event.product_id,
        "wishlistItemId": event.item_id,
        "addedAt": event.added_at,
    }


@tell.register
def _(event: SaleNoticed) -> Told:
    return Told(
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


@tell.register
def _(event: PriceDropped) -> Told:
    return Told(
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


@tell.register
def _(event: LinkUpdated) -> Told:
    # Each party's devices hear of it, Kafka once: with the owner's events.
    is_owner = event.user_id == event.owner_user_id
    return Told(
        "com.platform.library.family.link.updated.v1" if is_owner else None,
        {
            "userId": event.owner_user_id,
            "linkId": event.link_id,
            "sharedWithUserId": event.shared_with_user_id,
            "status": event.status,
            "mode": event.mode,
            "expiresAt": event.expires_at,
            "updatedAt": event.occurred_at,
        },
        "family.link.updated",
        {
            "link_id": event.link_id,
            "owner_user_id": event.owner_user_id,
            "shared_with_user_id": event.shared_with_user_id,
            "status": event.status,
            "mode": event.mode,
            "expires_at": event.expires_at,
        },
    )


@tell.register
def _(event: SeatReclaimed) -> Told:
    return Told(
        device_type="family.seat.reclaimed",
        device_payload={
            "owner_user_id": event.owner_user_id,
            "product_id": event.product_id,
            "session_id": event.session_id,
            "lost_at": event.lost_at,
            "grace_seconds": event.grace_seconds,
        },
    )


@tell.register
def _(event: SettingsUpdated) -> Told:
    return Told(
        "com.platform.library.game.settings.updated.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "revision": event.revision,
            "layer": event.layer,
            "platform": event.platform,
            "deviceId": event.device_id,
            "isDeleted": event.is_deleted,
            "updatedAt": event.occurred_at,
        },
        "settings.updated",
        {
            "product_id": event.product_id,
            "revision": event.revision,
            "layer": event.layer,
            "platform": event.platform,
            "device_id": event.device_id,
            "is_deleted": event.is_deleted,
            "updated_at": event.occurred_at,
        },
    )


_OfSave = (
    UploadRequested
    | SavegameUploaded
    | SavegameHeadMoved
    | SavegameDeleted
    | UploadUnneeded
    | UploadFailed
    | SavegameConflicted
    | SavegameConflictResolved
    | SavegameConflictDropped
)


def _sync(event: _OfSave, status: str, **more: Any) -> Json:
    """The payload of ``savegame.sync.status``."""
    payload = {
        "savegame_id": event.slot_id,
        "product_id": event.product_id,
        "slot_name": event.slot_name,
        "status": status,
        "last_synced_at": event.occurred_at if status == "sync_completed" else None,
        "error_message": None,
    }
    return payload | more


@tell.register
def _(event: UploadRequested) -> Told:
    return Told(device_type="savegame.sync.status", device_payload=_sync(event, "sync_started"))


@tell.register
def _(event: SavegameUploaded) -> Told:
    # Of a branch the devices hear by its conflict.
    status = None if event.is_branch else "savegame.sync.status"
    return Told(
        "com.platform.library.savegame.uploaded.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "savegameId": event.slot_id,
            "slotName": event.slot_name,
            "version": event.version,
            "isBranch": event.is_branch,
            "s3Path": event.s3_path,
            "fileSizeBytes": event.file_size_bytes,
            "clientTimestamp": event.client_modified_at,
            "serverTimestamp": event.occurred_at,
        },
        status,
        _sync(event, "sync_completed", version=event.version),
    )


# What was not needed ends too: a device that shows a sync would show it for ever.
@tell.register(UploadUnneeded)
@tell.register(SavegameHeadMoved)
def _(event: UploadUnneeded | SavegameHeadMoved) -> Told:
    return Told(
        device_type="savegame.sync.status", device_payload=_sync(event, "sync_completed", version=event.version)
    )


_FAILURES = {
    FailureReason.MISMATCH: "SAVEGAME_HASH_MISMATCH",
    FailureReason.EXPIRED: "SAVEGAME_UPLOAD_INCOMPLETE",
    FailureReason.CANCELLED: "CANCELLED",
}
"""What the message's ``error_message`` says: the code of the refusal, where there was one."""


@tell.register
def _(event: UploadFailed) -> Told:
    payload = _sync(event, "sync_failed", error_message=_FAILURES[event.reason])
    return Told(device_type="savegame.sync.status", device_payload=payload)


@tell.register
def _(event: SavegameDeleted) -> Told:
    return Told(device_type="savegame.sync.status", device_payload=_sync(event, "deleted"))


@tell.register
def _(event: SavegameConflicted) -> Told:
    return Told(
        "com.platform.library.savegame.conflict.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "savegameId": event.slot_id,
            "slotName": event.slot_name,
            "conflictId": event.conflict_id,
            "headVersion": event.head_version,
            "branchVersion": event.branch_version,
            "occurredAt": event.occurred_at,
        },
        "savegame.sync.status",
        _sync(event, "conflict", conflict_id=event.conflict_id),
    )


@tell.register
def _(event: SavegameConflictResolved) -> Told:
    # With ``keep_both`` nothing else says that the conflict is over: the head stays, and the new slot is another save.
    payload = _sync(event, "sync_completed", version=event.head_version, conflict_id=event.conflict_id)
    return Told(device_type="savegame.sync.status", device_payload=payload)


@tell.register
def _(event: SavegameConflictDropped) -> Told:
    payload = _sync(event, "sync_completed", version=event.head_version, conflict_id=event.conflict_id)
    return Told(device_type="savegame.sync.status", device_payload=payload)


# The library item tells of totals, and of achievements that support took back; a sign of life and what support finds
# are nobody else's; a share that is withdrawn ends sessions, and they tell of themselves.
@tell.register(AchievementLocked)
@tell.register(PlaytimeChanged)
@tell.register(PlaytimeCorrected)
@tell.register(SessionResumed)
@tell.register(SessionCopyChanged)
@tell.register(AnomalyFound)
@tell.register(ShareWithdrawn)
def _(event: Event) -> Told:
    return Told()


def name_product(told: Told, product: ProductView | None) -> Told:
    """The forms of an event about a product, whose title and cover devices show before they read anything."""
    names: Json = {"title": None, "titles": {"ru": None, "en": None}, "cover_image_url": None}
    if product:
        names = {
            "title": product.title("ru"),
            "titles": {"ru": product.title_ru, "en": product.title_en},
            "cover_image_url": product.cover_image_url,
        }
    return replace(told, device_payload={**(told.device_payload or {}), **names})


def cloud_event(told: Told, event: Event, sequence: int, traceparent: str | None) -> bytes:
    """The CloudEvent 1.0, structured JSON. ``sequence`` is the user's own event number."""
    document: Json = {
        "specversion": "1.0",
        "id": told.cloud_id or uuid4(),
        "source": SOURCE,
        "type": told.cloud_type,
        "subject": event.user_id,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        "sequence": str(sequence),
        "data": told.cloud_data,
    }
    if traceparent:
        document["traceparent"] = traceparent
    return encode(document)


def device_message(event_type: str, sequence: int, at: datetime, payload: Json, origin: str | None = None) -> str:
    """One message of the WebSocket (contract, section 5). Its id is the number of the event in the user's stream.

    ``origin`` is the ``X-Client-Id`` of the request of REST or gRPC that caused it.
    """
    message: Json = {"event_type": event_type, "id": str(sequence), "timestamp": at, "payload": payload}
    if origin is not None:
        message["origin"] = origin
    return encode(message).decode()
