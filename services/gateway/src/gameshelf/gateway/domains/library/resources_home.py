"""The resources of the first screen of a launcher."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.library.resources import LIBRARY_ITEM
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.components import single
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, array, nullable
from gameshelf.playtime import StoredSession
from gameshelf.savegames import OpenConflict, UsedStorage
from gameshelf.wishlist import PricedWish

MOST = 10
"""How many entries each list has at most."""
_PRODUCT = "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"

RUNNING_SESSION = ObjectResource(
    "RunningSession",
    StoredSession,
    "A session that runs now.",
    Field("session_id", schemas.UUID, "Id of the session.", "45c48cce-2e2d-4fbd-aa1a-fc51c7c6ad26", "id"),
    Field("product_id", schemas.UUID, "Product that is played.", _PRODUCT),
    Field(
        "device_id",
        nullable(TEXT),
        "Device of the session, if the client sent one.",
        "deck-7",
        lambda of, _: of.device_id or None,
    ),
    Field("platform", nullable(TEXT), "Platform of the session, if the client sent one.", "linux"),
    Field("start_time", TIME, "When the session started.", "2026-05-20T18:00:00Z"),
    TITLE,
    COVER,
)
CONFLICT_OF_SAVE = ObjectResource(
    "ConflictOfSave",
    OpenConflict,
    "An open conflict of a save, which the user has to resolve.",
    Field("conflict_id", schemas.UUID, "Id of the conflict.", "d3d94468-02a4-4259-b55d-38e6d163e820", "id"),
    Field("savegame_id", schemas.UUID, "Id of the save.", "e4da3b7f-bbce-4234-9777-2b0674a318d5", "head.slot_id"),
    Field("product_id", schemas.UUID, "Product of the save.", _PRODUCT, "head.product_id"),
    Field("slot_name", TEXT, "Name of the save within its product.", "autosave", "head.slot_name"),
    Field("opened_at", TIME, "When the conflict began.", "2026-05-20T19:30:02Z"),
    Field(
        "head_device_id", nullable(TEXT), "Device that uploaded the head, if it was named.", "desktop", "head.device_id"
    ),
    Field(
        "branch_device_id",
        nullable(TEXT),
        "Device that uploaded the branch, if it was named.",
        "deck-7",
        "branch.device_id",
    ),
    TITLE,
    COVER,
)
WISH_ON_SALE = ObjectResource(
    "WishOnSale",
    PricedWish,
    "A product on the wishlist whose current price is that of a sale.",
    Field(
        "wishlist_item_id",
        schemas.UUID,
        "Id of the item of the wishlist.",
        "a87ff679-a2f3-471d-8a81-5f1c6d7e8f90",
        "wish.id",
    ),
    Field("product_id", schemas.UUID, "Product on the wishlist.", _PRODUCT, "wish.product_id"),
    Field(
        "price_minor",
        COUNT,
        "Price to pay, with the discount, in minor units of the currency.",
        149900,
        "price.price_minor",
    ),
    Field("currency", TEXT, "Currency by its ISO 4217 code.", "RUB", "price.currency"),
    Field("discount_percent", COUNT, "Discount in percent.", 25, "price.discount_percent"),
    Field("sale_id", TEXT, "Sale that the price belongs to.", "summer-2026", "price.sale_id"),
    Field(
        "sale_ends_at",
        nullable(TIME),
        "When the sale ends, if that is known.",
        "2026-07-01T17:00:00Z",
        "price.sale_ends_at",
    ),
    TITLE,
    COVER,
)
STORAGE = ObjectResource(
    "SavesStorage",
    UsedStorage,
    "The storage that the saves of the user use, and the limit. Each content counts once.",
    Field("used_bytes", COUNT, "Bytes of all stored contents, trash and history included.", 1048576),
    Field("reserved_bytes", COUNT, "Bytes that open uploads have reserved.", 52428),
    Field("limit_bytes", COUNT, "How many bytes the user may use and reserve.", 1073741824),
)


@dataclass(frozen=True, slots=True)
class Home:
    """The first screen of a launcher; its lists are rendered."""

    user_id: UUID
    continue_playing: Sequence[dict[str, Any]]
    new_items: Sequence[dict[str, Any]]
    item_count: int
    playing_now: Sequence[dict[str, Any]]
    conflicts: Sequence[dict[str, Any]]
    conflict_count: int
    wishes_on_sale: Sequence[dict[str, Any]]
    wish_on_sale_count: int
    storage: dict[str, Any]


HOME = Resource(
    "home",
    Home,
    "The first screen of a launcher.",
    Field(
        "continue_playing",
        array(LIBRARY_ITEM.schema, maxItems=MOST),
        "The games that were played last, the last one first, with `achievements`, `saves` and `playtime`. Hidden ones "
        "are left out.",
        [LIBRARY_ITEM.schema.example],
    ),
    Field(
        "new_items",
        array(LIBRARY_ITEM.schema, maxItems=MOST),
        "The latest additions to the library, the newest first, without hidden ones.",
        [LIBRARY_ITEM.schema.example],
    ),
    Field("item_count", COUNT, "Number of items of the library, without hidden ones.", 214),
    Field(
        "playing_now",
        array(RUNNING_SESSION.schema, maxItems=MOST),
        "The sessions that run, on all devices, the newest first.",
        [RUNNING_SESSION.schema.example],
    ),
    Field(
        "conflicts",
        array(CONFLICT_OF_SAVE.schema, maxItems=MOST),
        "The open conflicts of saves, the oldest first.",
        [CONFLICT_OF_SAVE.schema.example],
    ),
    Field("conflict_count", COUNT, "Number of all open conflicts.", 1),
    Field(
        "wishes_on_sale",
        array(WISH_ON_SALE.schema, maxItems=MOST),
        "The products on the wishlist that are on sale, the greatest discount first.",
        [WISH_ON_SALE.schema.example],
    ),
    Field("wish_on_sale_count", COUNT, "Number of all products on the wishlist that are on sale.", 1),
    Field("storage", STORAGE.schema, "The storage that the saves use.", STORAGE.schema.example),
    identity=identity("Id of the user.", "6f1ed002-ab5d-4a3f-8d3c-2f1e0c9b8a77", "user_id"),
)
HOME_DOCUMENT = single(
    HOME.schema,
    ObjectResource(
        "HomeMeta",
        None,
        "Position in the feed.",
        Field("cursor", TEXT, "Cursor of the feed: the events after it may change what is shown.", "1042"),
    ).schema,
    "HomeDocument",
)
