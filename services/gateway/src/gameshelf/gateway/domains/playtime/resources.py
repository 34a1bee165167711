"""The resources of playtime, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, DATE, TEXT, TIME, UUID, nullable, one_of, value
from gameshelf.playtime import EndReason

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
