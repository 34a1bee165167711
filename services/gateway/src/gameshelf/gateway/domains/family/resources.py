"""The resources of family sharing, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, nullable, one_of, resource, value
from gameshelf.library import Direction, LinkMode, LinkStatus

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
