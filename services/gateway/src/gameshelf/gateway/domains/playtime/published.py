"""Published forms of the events about play: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.outbox.messages import SILENT, EventForm, Published
from gameshelf.kernel.events import Event
from gameshelf.playtime import (
    AnomalyFound,
    PlaytimeChanged,
    PlaytimeCorrected,
    SessionCopyChanged,
    SessionEnded,
    SessionResumed,
    SessionStarted,
)


def _session_started(event: SessionStarted) -> Published:
    return Published(
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


def _session_ended(event: SessionEnded) -> Published:
    return Published(
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


FORMS: Mapping[type[Event], EventForm] = {
    SessionStarted: EventForm(_session_started),
    SessionEnded: EventForm(_session_ended),
    # Totals are shown by the library item; resumed sessions and anomalies are not published.
    PlaytimeChanged: SILENT,
    PlaytimeCorrected: SILENT,
    SessionResumed: SILENT,
    SessionCopyChanged: SILENT,
    AnomalyFound: SILENT,
}
