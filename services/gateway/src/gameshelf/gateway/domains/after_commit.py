"""What this process does once an event is committed: it counts, and keeps Redis in step.

It may be lost with the process, so nothing that must happen is done here; that is done in ``reactions.py``.
"""

from collections.abc import Callable, Iterable
from typing import Any

from gameshelf.achievements import AchievementUnlocked
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.kernel.events import Event
from gameshelf.library import SeatReclaimed
from gameshelf.playtime import AnomalyFound, EndReason, SessionCopyChanged, SessionEnded, SessionResumed, SessionStarted
from gameshelf.savegames import FailureReason, SavegameUploaded, UploadFailed, UploadUnneeded
from gameshelf.wishlist import PriceDropped, SaleNoticed


class AfterCommit:
    """Hears every committed event of this process. Nothing here waits or fails."""

    def __init__(self, heartbeats: Heartbeats, metrics: Metrics) -> None:
        self._heartbeats = heartbeats
        self._metrics = metrics
        self._table: dict[type[Event], Callable[[Any], None]] = {
            SessionStarted: self._session_runs,
            SessionResumed: self._session_runs,
            SessionCopyChanged: self._copy_changed,
            SessionEnded: self._session_ended,
            AnomalyFound: self._anomaly_found,
            AchievementUnlocked: self._achievement_unlocked,
            SaleNoticed: self._wisher_told,
            PriceDropped: self._wisher_told,
            SeatReclaimed: self._seat_reclaimed,
            SavegameUploaded: self._save_uploaded,
            UploadFailed: self._upload_failed,
            UploadUnneeded: self._upload_unneeded,
        }

    def hear(self, events: Iterable[Event]) -> None:
        for event in events:
            act = self._table.get(type(event))
            if act:
                act(event)

    def _session_runs(self, event: SessionStarted | SessionResumed) -> None:
        self._heartbeats.started(event.user_id, event.session_id, event.occurred_at)

    def _session_ended(self, event: SessionEnded) -> None:
        if event.end_reason != EndReason.IMPORTED:
            self._heartbeats.ended(event.user_id, event.session_id)

    def _copy_changed(self, event: SessionCopyChanged) -> None:
        self._heartbeats.lost_seats.kept(event.user_id, event.session_id)

    def _achievement_unlocked(self, event: AchievementUnlocked) -> None:
        self._metrics.achievements_unlocked.inc()

    def _seat_reclaimed(self, event: SeatReclaimed) -> None:
        self._heartbeats.lost_seats.heard(event)

    def _wisher_told(self, event: SaleNoticed | PriceDropped) -> None:
        self._metrics.wishlist_notifications.inc()

    def _save_uploaded(self, event: SavegameUploaded) -> None:
        self._metrics.savegame_syncs.labels("upload", "conflict" if event.is_branch else "completed").inc()
        self._metrics.savegame_sync_bytes.labels("upload").inc(event.sent_bytes)

    def _upload_failed(self, event: UploadFailed) -> None:
        result = "failed" if event.reason is FailureReason.MISMATCH else event.reason.value
        self._metrics.savegame_syncs.labels("upload", result).inc()

    def _upload_unneeded(self, event: UploadUnneeded) -> None:
        self._metrics.savegame_syncs.labels("upload", event.result).inc()

    def _anomaly_found(self, event: AnomalyFound) -> None:
        self._metrics.playtime_anomalies.labels(event.kind).inc()
