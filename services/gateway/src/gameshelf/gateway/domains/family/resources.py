"""The resources of family sharing (contract, section 3.2). The context of ``render`` is the calling user."""

from gameshelf.gateway.runtime.http.components import enumeration
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, array, nullable
from gameshelf.library import Direction, Link, LinkMode, LinkStatus, TakenSeat

FAMILY_LINK = Resource(
    "familyLink",
    Link,
    "A link by which an owner shares games with a member of the family.",
    Field("owner_user_id", UUID, "User whose games are shared.", "6f1ed002-ab5d-4a3f-8d3c-2f1e0c9b8a77"),
    Field("shared_with_user_id", UUID, "User whom the games are shared with.", "c4ca4238-a0b9-4382-8dcc-509a6f75849b"),
    Field(
        "direction",
        enumeration(Direction),
        "The side of the link that the calling user is on.",
        "owner",
        lambda of, user_id: Direction.OWNER if of.owner_user_id == user_id else Direction.MEMBER,
    ),
    Field("status", enumeration(LinkStatus), "State of the link.", "active"),
    Field("mode", enumeration(LinkMode), "Which games of the owner are shared.", "only"),
    Field(
        "product_ids",
        array(UUID, maxItems=1000),
        "Products that the modes `only` and `except` are about; empty with the mode `all`.",
        ["0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"],
        lambda of, _: list(of.product_ids),
    ),
    Field("expires_at", nullable(TIME), "When the link expires; null if it does not.", "2027-01-01T00:00:00Z"),
    Field("shared_at", TIME, "When the member was last invited, or accepted.", "2026-04-01T12:00:00Z"),
    Field("active_since", nullable(TIME), "When the access of the member began.", "2026-04-01T12:05:00Z"),
    Field("last_access_at", nullable(TIME), "When the member last started a shared game.", "2026-05-19T21:40:00Z"),
    Field("created_at", TIME, "When the link was created.", "2026-04-01T12:00:00Z"),
    Field("updated_at", TIME, "When the link changed last.", "2026-04-01T12:05:00Z"),
    identity=identity("Id of the link.", "1679091c-5a88-4faf-9fb5-e6087eb1b2dc"),
    address="/family/links/{id}",
)

FAMILY_SEAT = Resource(
    "familySeat",
    TakenSeat,
    "A shared copy of a product that a user plays now.",
    Field("owner_user_id", UUID, "User who owns the copy.", "6f1ed002-ab5d-4a3f-8d3c-2f1e0c9b8a77"),
    Field("product_id", UUID, "Product of the copy.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    Field("held_by_user_id", UUID, "User who plays the copy.", "c4ca4238-a0b9-4382-8dcc-509a6f75849b"),
    Field(
        "session_id",
        nullable(UUID),
        "Session that takes the seat; null unless it is a session of the calling user.",
        "45c48cce-2e2d-4fbd-aa1a-fc51c7c6ad26",
        lambda of, user_id: of.session_id if of.held_by_user_id == user_id else None,
    ),
    Field("since", TIME, "When the seat was taken.", "2026-05-20T18:00:00Z"),
    Field("seat_number", COUNT, "Number of this use of the seat. It grows with every use.", 17),
    Field(
        "lost_at",
        nullable(TIME),
        "When the player has to stop because the owner plays; null if they may continue.",
        None,
    ),
    TITLE,
    COVER,
    identity=identity(
        "`<owner_user_id>:<product_id>`.",
        "6f1ed002-ab5d-4a3f-8d3c-2f1e0c9b8a77:0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
        lambda of, _: f"{of.owner_user_id}:{of.product_id}",
        TEXT,
    ),
)
