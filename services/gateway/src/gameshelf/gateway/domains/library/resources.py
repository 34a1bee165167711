"""The resources of the library, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, closed, nullable, one_of, resource, value
from gameshelf.library import AcquisitionType, InstallationStatus

INSTALLATION = closed(
    {
        "device_id": nullable(TEXT),
        "installation_status": one_of(InstallationStatus),
        "installed_version_id": nullable(TEXT),
        "changed_at": TIME,
    }
)


CHANGED_ITEM = value("changedItem", {"result": one_of(("updated", "unchanged", "rejected")), "code": nullable(TEXT)})


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
