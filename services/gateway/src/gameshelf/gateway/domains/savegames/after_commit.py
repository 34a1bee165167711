"""Handlers of committed events about cloud saves: they count uploads, and have the lists of sets written at once."""

import asyncio

from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.runtime.after_commit import AfterCommitHandlers
from gameshelf.savegames import (
    FailureReason,
    SavegameConflictResolved,
    SavegameHeadMoved,
    SavegameUploaded,
    UploadFailed,
    UploadUnneeded,
)


def after_commit(metrics: SavegameMetrics, lists_woken: asyncio.Event) -> AfterCommitHandlers:
    def uploaded(event: SavegameUploaded) -> None:
        metrics.syncs.labels("upload", "conflict" if event.is_branch else "completed").inc()
        metrics.sync_bytes.labels("upload").inc(event.sent_bytes)
        if event.file_count is not None:
            metrics.set_files.observe(event.file_count)
            metrics.dedup_bytes.inc(max(0, event.file_size_bytes - (event.new_bytes or 0)))
            lists_woken.set()

    def failed(event: UploadFailed) -> None:
        result = "failed" if event.reason is FailureReason.MISMATCH else event.reason.value
        metrics.syncs.labels("upload", result).inc()

    def unneeded(event: UploadUnneeded) -> None:
        metrics.syncs.labels("upload", event.result).inc()

    def moved(_: SavegameHeadMoved | SavegameConflictResolved) -> None:
        lists_woken.set()  # a restore, a merge or a copy of a branch may have a list that no upload brought

    return {
        SavegameUploaded: uploaded,
        SavegameHeadMoved: moved,
        SavegameConflictResolved: moved,
        UploadFailed: failed,
        UploadUnneeded: unneeded,
    }
