"""Handlers of committed events about play: they count events, and update Redis."""

from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.runtime.after_commit import AfterCommitHandlers
from gameshelf.library import SeatReclaimed
from gameshelf.playtime import AnomalyFound, EndReason, SessionCopyChanged, SessionEnded, SessionResumed, SessionStarted


def after_commit(heartbeats: Heartbeats, metrics: PlaytimeMetrics) -> AfterCommitHandlers:
    def session_runs(event: SessionStarted | SessionResumed) -> None:
        heartbeats.started(event.user_id, event.session_id, event.occurred_at)

    def session_ended(event: SessionEnded) -> None:
        if event.end_reason != EndReason.IMPORTED:
            heartbeats.ended(event.user_id, event.session_id)

    def copy_changed(event: SessionCopyChanged) -> None:
        heartbeats.lost_seats.kept(event.user_id, event.session_id)

    def anomaly_found(event: AnomalyFound) -> None:
        metrics.anomalies.labels(event.kind).inc()

    return {
        SessionStarted: session_runs,
        SessionResumed: session_runs,
        SessionCopyChanged: copy_changed,
        SessionEnded: session_ended,
        SeatReclaimed: heartbeats.lost_seats.reclaimed,
        AnomalyFound: anomaly_found,
    }
