"""The resources of the library (contract, section 3.1)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.library.resources_included import INCLUDED
from gameshelf.gateway.runtime.encoding import JsonText
from gameshelf.gateway.runtime.http.components import Component, described, enumeration, record
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, PERCENT, TEXT, TIME, array, constant, nullable
from gameshelf.gateway.runtime.http.schemas import UUID as UUID_SCHEMA
from gameshelf.library import AcquisitionType, BulkResult, CategoryView, InstallationStatus, ItemView

MAX_DEVICES = 32
"""How many entries ``installations`` has at most; the library bounds them."""


def _categories(ids: Sequence[UUID]) -> dict[str, Any]:
    return {"data": [{"type": "userCategory", "id": one} for one in ids]}


INSTALLATION: ObjectResource[object] = ObjectResource(
    "Installation",
    None,  # the database stores them as JSON
    "The installation of a product on one device, or on all devices.",
    Field(
        "device_id",
        nullable(TEXT),
        "Device of the installation; null for an entry that is about all devices.",
        "deck-7",
    ),
    Field("installation_status", enumeration(InstallationStatus), "Status on this device.", "installed"),
    Field("installed_version_id", nullable(TEXT), "Version on this device, if it is known.", "1.4.2"),
    Field("changed_at", TIME, "When this entry changed last.", "2026-05-20T18:03:11Z"),
)

_CATEGORY_ID = {
    **record(
        {
            "type": described(constant("userCategory"), "Always `userCategory`."),
            "id": described(UUID_SCHEMA, "Id of the category."),
        }
    ),
    "description": "A reference to a category.",
}

LIBRARY_ITEM = Resource(
    "libraryItem",
    ItemView,
    "A product in the library of the user: a game that they own, or that a family member shares with them.",
    Field(
        "product_id",
        UUID_SCHEMA,
        "Product of the item, as the Catalog names it.",
        "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
    ),
    Field(
        "product_type",
        nullable(TEXT),
        "Type of the product in the Catalog, such as `game` or `dlc`; null while it is unknown.",
        "game",
    ),
    Field(
        "title",
        nullable(TEXT),
        "Title in the language of the response, else in the other language; null until the Catalog names the product.",
        "Starfall",
    ),
    Field(
        "cover_image_url",
        nullable(TEXT),
        "Address of the cover image; null while it is unknown.",
        "https://cdn.example.com/covers/starfall.jpg",
    ),
    Field("added_at", TIME, "When access to the product began, according to its source.", "2026-03-02T10:15:30Z"),
    Field(
        "acquisition_type",
        enumeration(AcquisitionType),
        "How the user acquired the product, by the oldest grant of ownership that is still valid.",
        "purchase",
    ),
    Field(
        "shared_from_user_id",
        nullable(UUID_SCHEMA),
        "Owner who shares the product; null for a product that the user owns.",
        None,
    ),
    Field(
        "installation_status",
        enumeration(InstallationStatus),
        "Best status of all devices, or the status on the device that the query names.",
        "installed",
    ),
    Field(
        "installed_version_id",
        nullable(TEXT),
        "Version that belongs to `installation_status`; null while it is unknown.",
        "1.4.2",
    ),
    Field(
        "installations",
        array(INSTALLATION.schema, maxItems=MAX_DEVICES),
        "Installation on each device.",
        [INSTALLATION.schema.example],
        read="installations_json",
        convert=JsonText,
    ),
    Field(
        "last_played_at",
        nullable(TIME),
        "When a session of the product started or ended last; null if it was never played.",
        "2026-05-19T21:40:00Z",
    ),
    Field(
        "total_playtime_seconds",
        COUNT,
        "Total playtime in seconds, with corrections by support. Sessions that overlap count once.",
        45296,
    ),
    Field("is_hidden", FLAG, "Whether the user has hidden the item.", False),
    Field(
        "user_rating",
        nullable(PERCENT),
        "Rating by the user, from 0 to 100; null while the social service has sent none.",
        85.0,
    ),
    *INCLUDED,
    identity=identity("Id of the item.", "5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"),
    address="/items/{id}",
    relationships=(
        Field(
            "categories",
            record({"data": described(array(Component("UserCategoryReference", _CATEGORY_ID)), "The categories.")}),
            "Categories of the item.",
            {"data": [{"type": "userCategory", "id": "8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31"}]},
            read="category_ids",
            convert=_categories,
        ),
    ),
)

USER_CATEGORY = Resource(
    "userCategory",
    CategoryView,
    "A category that the user has made to sort their library.",
    Field("name", TEXT, "Name of the category.", "RPG"),
    Field("display_order", {"type": "integer"}, "Position in the list of categories, the lowest first.", 1),
    Field("item_count", COUNT, "Number of visible items in the category, without hidden ones.", 12),
    Field("created_at", TIME, "When the category was created.", "2026-03-02T10:20:00Z"),
    Field("updated_at", TIME, "When its name or its position changed last.", "2026-04-11T08:00:00Z"),
    identity=identity("Id of the category.", "8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31"),
    address="/categories/{id}",
)

CHANGED_ITEM = Resource(
    "changedItem",
    BulkResult,
    "The result of one change of many.",
    Field(
        "result",
        enumeration(
            ("updated", "unchanged", "rejected"),
            "ChangeResult",
            "Result of a change: `updated`, `unchanged` (the item was like that already) or `rejected`.",
        ),
        "Result of the change.",
        "updated",
    ),
    Field("code", nullable(TEXT), "Error code of a change that was rejected; else null.", None),
    identity=identity("Id of the item that was to be changed.", "5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"),
)
