"""JSON Schemas of what the REST API answers; requests have theirs from the commands that they are parsed into."""

from typing import Any

from gameshelf.library import AcquisitionType, Direction, InstallationStatus, LinkMode, LinkStatus
from gameshelf.playtime import EndReason
from gameshelf.savegames import Resolution, Result, UploadStatus, VersionStatus

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
DATE: Schema = {"type": "string", "format": "date"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(values: Any) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": [str(value) for value in values]}


def either(*schemas: Schema) -> Schema:
    """What one of these describes."""
    return {"anyOf": list(schemas)}


def closed(properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these properties."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def resource(kind: str, attributes: dict[str, Schema], relationships: Schema | None = None) -> Schema:
    """A resource of that type that has an address of its own."""
    properties: dict[str, Schema] = {"type": {"const": kind}, "id": UUID, "attributes": closed(attributes)}
    if relationships:
        properties["relationships"] = relationships
    properties["links"] = closed({"self": TEXT})
    return closed(properties)


def value(kind: str, attributes: dict[str, Schema], identity: Schema = UUID) -> Schema:
    """A resource of that type that is found by other calls only."""
    return closed({"type": {"const": kind}, "id": identity, "attributes": closed(attributes)})


def single(data: Schema, meta: Schema | None = None) -> Schema:
    """``{"data": …}``, with ``meta`` beside it."""
    return closed({"data": data, **({"meta": meta} if meta else {})})


def listing(data: Schema) -> Schema:
    """All of a bounded list."""
    return closed({"data": {"type": "array", "items": data}})


def collection(data: Schema) -> Schema:
    """A page of a collection."""
    meta = closed({"total_items": COUNT, "current_page": COUNT, "per_page": COUNT})
    links = closed(dict.fromkeys(("self", "first", "prev", "next", "last"), TEXT), optional=("prev", "next"))
    return closed({"data": {"type": "array", "items": data}, "meta": meta, "links": links})


INSTALLATION = closed(
    {
        "device_id": nullable(TEXT),
        "installation_status": one_of(InstallationStatus),
        "installed_version_id": nullable(TEXT),
        "changed_at": TIME,
    }
)

CHANGED_ITEM = value("changedItem", {"result": one_of(("updated", "unchanged", "rejected")), "code": nullable(TEXT)})


_NAMES = {"title": nullable(TEXT), "cover_image_url": nullable(TEXT)}


def named(described: Schema) -> Schema:
    """A resource, or an object, in a list that also shows titles and covers of the products that it names."""
    properties = described["properties"]
    if "attributes" in properties:
        return closed({**properties, "attributes": named(properties["attributes"])})
    return closed({**properties, **_NAMES})


LIBRARY_ITEM = resource(
    "libraryItem",
    {
        "product_id": UUID,
        "product_type": nullable(TEXT),
        "title": nullable(TEXT),
        "cover_image_url": nullable(TEXT),
        "added_at": TIME,
        "acquisition_type": one_of(AcquisitionType),
        "shared_from_user_id": nullable(UUID),
        "installation_status": one_of(InstallationStatus),
        "installed_version_id": nullable(TEXT),
        "installations": {"type": "array", "items": INSTALLATION, "maxItems": 32},
        "last_played_at": nullable(TIME),
        "total_playtime_seconds": COUNT,
        "is_hidden": {"type": "boolean"},
        "user_rating": nullable({"type": "number"}),
    },
    closed(
        {
            "categories": closed(
                {"data": {"type": "array", "items": closed({"type": {"const": "userCategory"}, "id": UUID})}}
            )
        }
    ),
)

USER_CATEGORY = resource(
    "userCategory",
    {"name": TEXT, "display_order": {"type": "integer"}, "item_count": COUNT, "created_at": TIME, "updated_at": TIME},
)

PLAYTIME_SESSION = value(
    "playtimeSession",
    {
        "product_id": UUID,
        "device_id": nullable(TEXT),
        "platform": nullable(TEXT),
        "start_time": TIME,
        "status": one_of(("active", "completed")),
        "end_time": nullable(TIME),
        "duration_seconds": nullable(COUNT),
        "end_reason": nullable(one_of(EndReason)),
        "seat_number": nullable(COUNT),
    },
)

IMPORTED_SESSION = value(
    "importedSession",
    {
        "client_session_id": TEXT,
        "result": one_of(("accepted", "duplicate", "rejected")),
        "code": nullable(TEXT),
    },
    identity=TEXT,
)

PRODUCT_PLAYTIME = value(
    "productPlaytime",
    {
        "product_id": UUID,
        "total_playtime_seconds": COUNT,
        "last_2_weeks_seconds": COUNT,
        "last_played_at": nullable(TIME),
        "session_count": COUNT,
    },
)

PLATFORM_PLAYTIME = value(
    "platformPlaytime",
    {
        "product_id": UUID,
        "platform": nullable(TEXT),
        "total_playtime_seconds": COUNT,
        "last_2_weeks_seconds": COUNT,
        "last_played_at": TIME,
        "session_count": COUNT,
    },
    identity=TEXT,
)

PLAYTIME_DAY = value("playtimeDay", {"date": DATE, "product_id": UUID, "playtime_seconds": COUNT}, identity=TEXT)

ACHIEVEMENT_STATUS = value(
    "userAchievementStatus",
    {
        "product_id": UUID,
        "api_name": nullable(TEXT),
        "name": nullable(TEXT),
        "description": nullable(TEXT),
        "icon_url_locked": nullable(TEXT),
        "icon_url_unlocked": nullable(TEXT),
        "is_hidden": {"type": "boolean"},
        "is_unlocked": {"type": "boolean"},
        "unlocked_at": nullable(TIME),
        "current_progress": nullable(closed({"current": COUNT, "total": COUNT})),
        "rarity_percentage": nullable(PERCENT),
        "rarity_at_unlock": nullable(PERCENT),
    },
)

ACHIEVEMENT_RARITY = value(
    "achievementRarity",
    {
        "product_id": UUID,
        "api_name": nullable(TEXT),
        "name": nullable(TEXT),
        "description": nullable(TEXT),
        "icon_url_locked": nullable(TEXT),
        "icon_url_unlocked": nullable(TEXT),
        "is_hidden": {"type": "boolean"},
        "rarity_percentage": nullable(PERCENT),
    },
)

IMPORTED_ACHIEVEMENT = value(
    "importedAchievement",
    {
        "client_id": TEXT,
        "result": one_of(("accepted", "duplicate", "rejected")),
        "code": nullable(TEXT),
    },
    identity=TEXT,
)

PRODUCT_ACHIEVEMENTS = value(
    "productAchievements",
    {"product_id": UUID, "unlocked": COUNT, "total": COUNT, "percentage": PERCENT, "last_unlocked_at": nullable(TIME)},
)

PRICE = closed(
    {
        "price_minor": COUNT,
        "currency": TEXT,
        "discount_percent": {"type": "integer", "minimum": 0, "maximum": 100},
        "sale_id": nullable(TEXT),
        "sale_ends_at": nullable(TIME),
    }
)

WISHLIST_ITEM = value(
    "wishlistItem",
    {
        "product_id": UUID,
        "title": nullable(TEXT),
        "cover_image_url": nullable(TEXT),
        "added_at": TIME,
        "priority": nullable(COUNT),
        "notes": nullable(TEXT),
        "target_price_minor": nullable(COUNT),
        "target_currency": nullable(TEXT),
        "min_discount_percent": nullable(COUNT),
        "current_price": nullable(PRICE),
    },
)

FAMILY_LINK = resource(
    "familyLink",
    {
        "owner_user_id": UUID,
        "shared_with_user_id": UUID,
        "direction": one_of(Direction),
        "status": one_of(LinkStatus),
        "mode": one_of(LinkMode),
        "product_ids": {"type": "array", "items": UUID},
        "expires_at": nullable(TIME),
        "shared_at": TIME,
        "active_since": nullable(TIME),
        "last_access_at": nullable(TIME),
        "created_at": TIME,
        "updated_at": TIME,
    },
)

FAMILY_SEAT = value(
    "familySeat",
    {
        "owner_user_id": UUID,
        "product_id": UUID,
        "held_by_user_id": UUID,
        "session_id": nullable(UUID),
        "since": TIME,
        "seat_number": COUNT,
        "lost_at": nullable(TIME),
    },
    identity=TEXT,
)

GAME_SETTINGS = value(
    "gameSettings",
    {
        "product_id": UUID,
        "settings_payload": {"type": "object"},
        "settings_layers": {"type": "object"},
        "revision": COUNT,
        "last_updated_at": TIME,
        "last_synced_with_cloud_at": nullable(TIME),
    },
)

SETTINGS_LAYER = value(
    "gameSettingsLayer",
    {
        "product_id": UUID,
        "layer": one_of(("account", "platform", "device")),
        "platform": nullable(TEXT),
        "device_id": nullable(TEXT),
        "revision": COUNT,
        "last_updated_at": TIME,
        "last_used_at": nullable(TIME),
    },
    identity=TEXT,
)

SETTINGS_OF_GAME = value(
    "gameSettingsSummary",
    {
        "product_id": UUID,
        "revision": COUNT,
        "has_account_layer": {"type": "boolean"},
        "overlay_count": COUNT,
        "last_updated_at": TIME,
        "last_synced_with_cloud_at": nullable(TIME),
    },
)

_SAVE = {
    "product_id": UUID,
    "slot_name": TEXT,
    "version": COUNT,
    "parent_version": COUNT,
    "merged_version": nullable(COUNT),
    "file_size_bytes": COUNT,
    "file_hash_sha256": TEXT,
    "client_modified_at": nullable(TIME),
    "server_uploaded_at": TIME,
    "device_id": nullable(TEXT),
    "comment": nullable(TEXT),
    "is_pinned": {"type": "boolean"},
    "playtime_seconds": nullable(COUNT),
    "content_encoding": nullable(TEXT),
    "encryption": nullable(closed({"scheme": TEXT, "key_id": TEXT, "identity": TEXT}, optional=("identity",))),
    "content_identity": TEXT,
}
SAVEGAME = resource("savegame", {**_SAVE, "deleted_at": nullable(TIME)})
SAVEGAME_VERSION = value("savegameVersion", {**_SAVE, "status": one_of(VersionStatus)})
SAVEGAME_CONFLICT = value(
    "savegameConflict",
    {
        "savegame_id": UUID,
        "product_id": UUID,
        "slot_name": TEXT,
        "opened_at": TIME,
        "head": SAVEGAME_VERSION,
        "branch": SAVEGAME_VERSION,
    },
)
_RESOLVED = {"resolution": one_of(Resolution), "conflict_id": UUID}
UPLOAD_META = closed(
    {
        "result": one_of([one for one in Result if one is not Result.CANCELLED]),
        **_RESOLVED,
        "head_version": COUNT,
        "branch_version": COUNT,
        "regresses_to": COUNT,
    },
    optional=(*_RESOLVED, "head_version", "branch_version", "regresses_to"),
)
RESOLUTION_META = closed({**_RESOLVED, "copy_savegame_id": nullable(UUID)})

PRESIGNED_UPLOAD_URL = value(
    "presignedUploadUrl",
    {
        "internal_save_id": UUID,
        "upload_required": {"type": "boolean"},
        "upload_url": nullable(TEXT),
        "method": nullable(TEXT),
        "headers": {"type": "object", "additionalProperties": TEXT},
        "expires_in_seconds": COUNT,
        "conflict_expected": {"type": "boolean"},
    },
)

SAVEGAME_UPLOAD = resource(
    "savegameUpload",
    {
        "product_id": UUID,
        "slot_name": TEXT,
        "savegame_id": UUID,
        "status": one_of(UploadStatus),
        "conflict_expected": {"type": "boolean"},
        "created_at": TIME,
        "expires_at": TIME,
        "missing_bytes": COUNT,
        "missing_count": COUNT,
        "uploads": {
            "type": "array",
            "items": closed(
                {
                    "sha256": TEXT,
                    "size_bytes": COUNT,
                    "method": nullable(TEXT),
                    "upload_url": nullable(TEXT),
                    "headers": {"type": "object", "additionalProperties": TEXT},
                }
            ),
        },
    },
)

PRESIGNED_DOWNLOAD_URL = value(
    "presignedDownloadUrl",
    {
        "savegame_id": UUID,
        "version": COUNT,
        "download_url": TEXT,
        "expires_in_seconds": COUNT,
        "file_size_bytes": COUNT,
        "file_hash_sha256": TEXT,
        "content_encoding": nullable(TEXT),
        "encryption": _SAVE["encryption"],
    },
)

SAVEGAME_QUOTA = value(
    "savegameQuota",
    {
        "used_bytes": COUNT,
        "reserved_bytes": COUNT,
        "limit_bytes": COUNT,
        "products": {
            "type": "array",
            "items": named(closed({"product_id": UUID, "used_bytes": COUNT, "reserved_bytes": COUNT})),
        },
    },
)

FEED = closed(
    {
        "data": {
            "type": "array",
            "items": closed(
                {
                    "type": {"const": "libraryEvent"},
                    "id": TEXT,
                    "attributes": closed(
                        {"event_type": TEXT, "timestamp": TIME, "payload": {"type": "object"}, "origin": TEXT},
                        optional=("origin",),
                    ),
                }
            ),
        },
        "meta": closed({"cursor": TEXT, "has_more": {"type": "boolean"}}),
    }
)

ERROR = closed(
    {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": closed(
                {
                    "code": TEXT,
                    "title": TEXT,
                    "detail": TEXT,
                    "source": closed({"pointer": TEXT, "parameter": TEXT}, optional=("pointer", "parameter")),
                    "meta": {"type": "object"},
                },
                optional=("source", "meta"),
            ),
        },
        "meta": closed({"trace_id": TEXT}),
    }
)
