"""The messages of the WebSocket.

Written by clients/python/generate.py from the AsyncAPI document; not to be edited.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class AchievementUnlockedMessagePayloadAchievementNames(TypedDict):
    """The name in each language. Null: the Catalog has none in this language."""

    ru: str | None
    en: str | None


class AchievementUnlockedMessagePayload(TypedDict):
    """Of `AchievementUnlockedMessagePayload`."""

    product_id: str
    achievement_id: str
    achievement_name: str | None
    """The name in Russian, otherwise in English, otherwise the API name."""
    achievement_names: "AchievementUnlockedMessagePayloadAchievementNames"
    """The name in each language. Null: the Catalog has none in this language."""
    unlocked_at: str


class AchievementUnlockedMessage(TypedDict):
    """An achievement was unlocked."""

    event_type: Literal["achievement.unlocked"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "AchievementUnlockedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class FamilyLibraryUpdatedMessagePayload(TypedDict):
    """Of `FamilyLibraryUpdatedMessagePayload`."""

    link_id: str
    owner_user_id: str
    added: int
    """How many games have become visible."""
    removed: int
    """How many games are gone."""


class FamilyLibraryUpdatedMessage(TypedDict):
    """Games that an owner shares changed. Many games of one owner have become visible or are gone, or the first
    games of a new link have arrived. Read the library again.
    """

    event_type: Literal["family.library.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "FamilyLibraryUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class FamilyLinkUpdatedMessagePayload(TypedDict):
    """Of `FamilyLinkUpdatedMessagePayload`."""

    link_id: str
    owner_user_id: str
    shared_with_user_id: str
    status: Literal["pending_approval", "active", "revoked_by_owner", "declined_by_user", "revoked_by_admin"]
    mode: Literal["all", "only", "except"]
    expires_at: str | None


class FamilyLinkUpdatedMessage(TypedDict):
    """A family link changed. It is sent once per change and not once per game. Read the library again."""

    event_type: Literal["family.link.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "FamilyLinkUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class FamilySeatReclaimedMessagePayload(TypedDict):
    """Of `FamilySeatReclaimedMessagePayload`."""

    owner_user_id: str
    product_id: str
    session_id: str
    lost_at: str
    grace_seconds: int


class FamilySeatReclaimedMessage(TypedDict):
    """The owner wants to play their copy. The session may continue until lost_at. Then it ends."""

    event_type: Literal["family.seat.reclaimed"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "FamilySeatReclaimedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class LibraryCategoryUpdatedMessagePayload(TypedDict):
    """Of `LibraryCategoryUpdatedMessagePayload`."""

    category_id: str
    name: str
    display_order: int
    is_deleted: bool


class LibraryCategoryUpdatedMessage(TypedDict):
    """A category was created, changed or deleted. For a deleted category the message contains its last name and
    order. No game belongs to it any more.
    """

    event_type: Literal["library.category.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "LibraryCategoryUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class LibraryItemAddedMessagePayloadTitles(TypedDict):
    """Of `LibraryItemAddedMessagePayloadTitles`."""

    ru: str | None
    en: str | None


class LibraryItemAddedMessagePayload(TypedDict):
    """Of `LibraryItemAddedMessagePayload`."""

    library_item_id: str
    product_id: str
    acquisition_type: Literal["purchase", "gift", "key_activation", "family_shared_access", "free_to_play"]
    added_at: str
    shared_from_user_id: NotRequired[str]
    """The owner who shares the game. Absent for an own copy."""
    title: str | None
    """The title in Russian, otherwise in English. Null: the Catalog has not sent a title yet."""
    titles: "LibraryItemAddedMessagePayloadTitles"
    cover_image_url: str | None


class LibraryItemAddedMessage(TypedDict):
    """A game was added to the library. Read the item for its title and cover."""

    event_type: Literal["library.item.added"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "LibraryItemAddedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class LibraryItemRemovedMessagePayload(TypedDict):
    """Of `LibraryItemRemovedMessagePayload`."""

    library_item_id: str
    product_id: str
    reason: Literal["refund", "revoked", "support", "no_longer_shared"]


class LibraryItemRemovedMessage(TypedDict):
    """A game was removed from the library. The user's last grant of the game ended, or nobody shares it with them
    any more.
    """

    event_type: Literal["library.item.removed"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "LibraryItemRemovedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class LibraryItemUpdatedMessagePayloadChanges(TypedDict):
    """Of `LibraryItemUpdatedMessagePayloadChanges`."""

    is_hidden: NotRequired[bool]
    category_ids: NotRequired[list[str]]
    installation_status: NotRequired[
        Literal["not_installed", "installing", "installed", "updating", "repair_needed", "error"]
    ]
    installed_version_id: NotRequired[str | None]
    installations: NotRequired[list[dict[str, Any]]]
    """The installations on all devices."""
    user_rating: NotRequired[float]
    acquisition_type: NotRequired[Literal["purchase", "gift", "key_activation", "family_shared_access", "free_to_play"]]
    shared_from_user_id: NotRequired[str | None]
    """The owner of the copy, if it is shared now. Null: the user's own copy."""
    added_at: NotRequired[str]
    total_playtime_seconds: NotRequired[int]
    last_played_at: NotRequired[str | None]
    locked_achievement_ids: NotRequired[list[str]]
    """The achievements of the game that support has revoked. Read the achievements of the game again."""


class LibraryItemUpdatedMessagePayload(TypedDict):
    """Of `LibraryItemUpdatedMessagePayload`."""

    library_item_id: str
    product_id: str
    changes: "LibraryItemUpdatedMessagePayloadChanges"


class LibraryItemUpdatedMessage(TypedDict):
    """An item changed. `changes` contains the new values of the attributes that changed."""

    event_type: Literal["library.item.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "LibraryItemUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class LibraryUpdatedMessagePayload(TypedDict):
    """Of `LibraryUpdatedMessagePayload`."""

    count: int
    """How many items changed."""


class LibraryUpdatedMessage(TypedDict):
    """Many items changed at once. Read the library again."""

    event_type: Literal["library.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "LibraryUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class PlaytimeSessionEndedMessagePayload(TypedDict):
    """Of `PlaytimeSessionEndedMessagePayload`."""

    session_id: str
    product_id: str
    start_time: str
    end_time: str
    duration_seconds: int
    end_reason: Literal["completed", "timeout", "imported", "access_revoked", "seat_lost"]
    total_playtime_seconds: int
    """The user's playtime of the product on all devices, including this session."""


class PlaytimeSessionEndedMessage(TypedDict):
    """A session ended. A session ended, or a session that was played offline was imported. Durations are whole
    seconds.
    """

    event_type: Literal["playtime.session.ended"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "PlaytimeSessionEndedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class PlaytimeSessionStartedMessagePayload(TypedDict):
    """Of `PlaytimeSessionStartedMessagePayload`."""

    session_id: str
    product_id: str
    device_id: str | None
    start_time: str


class PlaytimeSessionStartedMessage(TypedDict):
    """A session started. The user plays a game, on this device or on another one."""

    event_type: Literal["playtime.session.started"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "PlaytimeSessionStartedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class ResyncRequiredMessage(TypedDict):
    """A full reload is required. The messages after the cursor can't be sent any more. Read everything again, and
    resume from this id.
    """

    event_type: Literal["resync.required"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: dict[str, Any]
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class SavegameSyncStatusMessagePayload(TypedDict):
    """Of `SavegameSyncStatusMessagePayload`."""

    savegame_id: str
    product_id: str
    slot_name: str
    status: Literal["sync_started", "sync_completed", "sync_failed", "conflict", "deleted"]
    last_synced_at: str | None
    error_message: str | None
    """With sync_failed: SAVEGAME_HASH_MISMATCH, SAVEGAME_UPLOAD_INCOMPLETE (never confirmed) or CANCELLED."""
    version: NotRequired[int]
    """With sync_completed: the head. If a conflict ended because its save was deleted permanently: the last head.
    """
    conflict_id: NotRequired[str]
    """With conflict, and with the sync_completed that ends it."""
    file_count: NotRequired[int | None]
    """With the sync_completed of an upload of a set: how many files it has. Otherwise null."""
    new_bytes: NotRequired[int | None]
    """With the sync_completed of an upload of a set: how many of its bytes were not stored before. Otherwise null.
    """


class SavegameSyncStatusMessage(TypedDict):
    """The synchronisation of a save started, completed, failed or found a conflict. After sync_completed,
    `version` is the head of the save: download it unless this device has just uploaded it.
    """

    event_type: Literal["savegame.sync.status"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "SavegameSyncStatusMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class SettingsUpdatedMessagePayload(TypedDict):
    """Of `SettingsUpdatedMessagePayload`."""

    product_id: str
    revision: int
    layer: Literal["account", "platform", "device", None]
    """The layer. Null: all layers were deleted."""
    platform: str | None
    device_id: str | None
    is_deleted: bool
    updated_at: str


class SettingsUpdatedMessage(TypedDict):
    """A game's settings changed. Read the settings again unless the device knows the revision. The device that
    wrote them receives the message too.
    """

    event_type: Literal["settings.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "SettingsUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class WishlistItemOnSaleMessagePayload(TypedDict):
    """Of `WishlistItemOnSaleMessagePayload`."""

    wishlist_item_id: str
    product_id: str
    sale_id: str
    price_minor: int
    """The price in minor units of the currency."""
    currency: str
    discount_percent: int
    sale_ends_at: str | None


class WishlistItemOnSaleMessage(TypedDict):
    """A wished product is on sale. The message is sent once per user, sale and product."""

    event_type: Literal["wishlist.item.on_sale"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "WishlistItemOnSaleMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class WishlistItemPriceDroppedMessagePayload(TypedDict):
    """Of `WishlistItemPriceDroppedMessagePayload`."""

    wishlist_item_id: str
    product_id: str
    price_minor: int
    """The price in minor units of the currency."""
    currency: str
    old_price_minor: int
    """The previous price, in minor units of the currency."""


class WishlistItemPriceDroppedMessage(TypedDict):
    """The price of a wished product was lowered permanently. The price was lowered, without a sale, to the user's
    target price or below. The message is sent once per user and price.
    """

    event_type: Literal["wishlist.item.price_dropped"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "WishlistItemPriceDroppedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class WishlistUpdatedMessagePayload(TypedDict):
    """Of `WishlistUpdatedMessagePayload`."""

    product_id: str | None
    """The product of the item. Null: the list was reordered."""


class WishlistUpdatedMessage(TypedDict):
    """The wishlist changed. An item was added, removed or changed. Read the wishlist again."""

    event_type: Literal["wishlist.updated"]
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: "WishlistUpdatedMessagePayload"
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


class UnknownMessage(TypedDict):
    """A message of a later version."""

    event_type: str
    id: str
    """The number of the event in the user's stream: the cursor to resume from."""
    timestamp: str
    payload: dict[str, Any]
    origin: NotRequired[str]
    """The X-Client-Id of the request that caused it, if it had one."""


LiveMessage: TypeAlias = (
    AchievementUnlockedMessage
    | FamilyLibraryUpdatedMessage
    | FamilyLinkUpdatedMessage
    | FamilySeatReclaimedMessage
    | LibraryCategoryUpdatedMessage
    | LibraryItemAddedMessage
    | LibraryItemRemovedMessage
    | LibraryItemUpdatedMessage
    | LibraryUpdatedMessage
    | PlaytimeSessionEndedMessage
    | PlaytimeSessionStartedMessage
    | ResyncRequiredMessage
    | SavegameSyncStatusMessage
    | SettingsUpdatedMessage
    | WishlistItemOnSaleMessage
    | WishlistItemPriceDroppedMessage
    | WishlistUpdatedMessage
    | UnknownMessage
)
"""A message; its ``event_type`` says which one."""
