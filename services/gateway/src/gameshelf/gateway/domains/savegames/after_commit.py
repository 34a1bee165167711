"""What a process does once an event about cloud saves is committed: it counts uploads."""

from gameshelf.gateway.runtime.after_commit import AfterCommitHandlers
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.savegames import FailureReason, SavegameUploaded, UploadFailed, UploadUnneeded


def after_commit(metrics: Metrics) -> AfterCommitHandlers:
    def uploaded(event: SavegameUploaded) -> None:
        metrics.savegame_syncs.labels("upload", "conflict" if event.is_branch else "completed").inc()
        metrics.savegame_sync_bytes.labels("upload").inc(event.sent_bytes)

    def failed(event: UploadFailed) -> None:
        result = "failed" if event.reason is FailureReason.MISMATCH else event.reason.value
        metrics.savegame_syncs.labels("upload", result).inc()

    def unneeded(event: UploadUnneeded) -> None:
        metrics.savegame_syncs.labels("upload", event.result).inc()

    return {SavegameUploaded: uploaded, UploadFailed: failed, UploadUnneeded: unneeded}
