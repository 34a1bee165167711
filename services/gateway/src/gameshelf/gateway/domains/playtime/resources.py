"""The resources of playtime (contract, section 3.3)."""

from gameshelf.gateway.runtime.http.components import IMPORT_RESULT, collection, either, enumeration
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.reply import BASE
from gameshelf.gateway.runtime.http.resources import Field, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, DATE, TEXT, TIME, UUID, nullable
from gameshelf.playtime import (
    DaySum,
    EndReason,
    ImportResult,
    PlatformSummary,
    ProductSummary,
    SessionStatus,
    StoredSession,
)

_PRODUCT = "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"
_PRODUCT_ID = Field("product_id", UUID, "Product that was played.", _PRODUCT)
_SUMS = (
    Field("total_playtime_seconds", COUNT, "Seconds played in total.", 45296),
    Field("last_2_weeks_seconds", COUNT, "Seconds played in the last 14 × 24 hours.", 7200),
)

PLAYTIME_SESSION = Resource(
    "playtimeSession",
    StoredSession,
    "One session of playing a product, running or ended.",
    _PRODUCT_ID,
    Field(
        "device_id",
        nullable(TEXT),
        "Device of the session, if the client sent one.",
        "deck-7",
        lambda of, _: of.device_id or None,
    ),
    Field("platform", nullable(TEXT), "Platform of the session, if the client sent one.", "linux"),
    Field("start_time", TIME, "When the session started.", "2026-05-20T18:00:00Z"),
    Field(
        "status",
        enumeration(SessionStatus),
        "Whether the session runs.",
        "completed",
        lambda of, _: "active" if of.end_time is None else "completed",
    ),
    Field("end_time", nullable(TIME), "When the session ended; null while it runs.", "2026-05-20T19:30:00Z"),
    Field("duration_seconds", nullable(COUNT), "Length of the session in seconds; null while it runs.", 5400),
    Field("end_reason", nullable(enumeration(EndReason)), "Why the session ended; null while it runs.", "completed"),
    Field(
        "seat_number",
        nullable(COUNT),
        "Number of the use of the seat of a shared copy; null for a copy of one's own.",
        None,
    ),
    TITLE,
    COVER,
    identity=identity("Id of the session.", "45c48cce-2e2d-4fbd-aa1a-fc51c7c6ad26"),
)

IMPORTED_SESSION = Resource(
    "importedSession",
    ImportResult,
    "The result of one session of an import.",
    Field("client_session_id", TEXT, "Id that the client gave the session.", "deck-7-000123"),
    Field(
        "result",
        IMPORT_RESULT,
        "Result of the session.",
        "accepted",
    ),
    Field("code", nullable(TEXT), "Error code of a session that was rejected; else null.", None),
    identity=identity("Id that the client gave the session.", "deck-7-000123", "client_session_id", TEXT),
)

PRODUCT_PLAYTIME = Resource(
    "productPlaytime",
    ProductSummary,
    "Playtime of the user on a product. A session counts once it has ended; sessions that overlap count once.",
    _PRODUCT_ID,
    *_SUMS,
    Field("last_played_at", nullable(TIME), "When a session last ended.", "2026-05-20T19:30:00Z"),
    Field("session_count", COUNT, "Number of sessions that have ended.", 31),
    TITLE,
    COVER,
    identity=identity("Id of the product.", _PRODUCT, "product_id"),
)

PLATFORM_PLAYTIME = Resource(
    "platformPlaytime",
    PlatformSummary,
    "Playtime of the user on a product and one platform. Sessions that overlap on two platforms count on each.",
    _PRODUCT_ID,
    Field("platform", nullable(TEXT), "Platform; null for sessions without one.", "linux"),
    *_SUMS,
    Field("last_played_at", TIME, "When a session on this platform last ended.", "2026-05-20T19:30:00Z"),
    Field("session_count", COUNT, "Number of sessions on this platform that have ended.", 12),
    TITLE,
    COVER,
    identity=identity(
        "`<product_id>:<platform>`.", f"{_PRODUCT}:linux", lambda of, _: f"{of.product_id}:{of.platform or ''}", TEXT
    ),
)

_PLAYTIME = either(
    "Playtime",
    "Playtime of the user on a product, on all platforms (`productPlaytime`) or on one (`platformPlaytime`).",
    {"productPlaytime": PRODUCT_PLAYTIME.schema, "platformPlaytime": PLATFORM_PLAYTIME.schema},
)
PLAYTIME_COLLECTION = collection(_PLAYTIME, f"{BASE}/playtime")

PLAYTIME_DAY = Resource(
    "playtimeDay",
    DaySum,
    "Playtime of the user on a product on one calendar day.",
    Field("date", DATE, "Day in the time zone of the query.", "2026-05-20", "day"),
    _PRODUCT_ID,
    Field("playtime_seconds", COUNT, "Seconds played on this day.", 5400, "seconds"),
    TITLE,
    COVER,
    identity=identity(
        "`<date>:<product_id>`.", f"2026-05-20:{_PRODUCT}", lambda of, _: f"{of.day}:{of.product_id}", TEXT
    ),
)
