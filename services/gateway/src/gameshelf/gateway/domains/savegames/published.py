"""Published forms of the events of cloud saves: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping
from typing import Any

from gameshelf.gateway.runtime.outbox.messages import EventForm, JsonObject, Published
from gameshelf.kernel.events import Event
from gameshelf.savegames import (
    FailureReason,
    SavegameConflictDropped,
    SavegameConflicted,
    SavegameConflictResolved,
    SavegameDeleted,
    SavegameHeadMoved,
    SavegameUploaded,
    UploadFailed,
    UploadRequested,
    UploadUnneeded,
)

_OfSave = (
    UploadRequested
    | SavegameUploaded
    | SavegameHeadMoved
    | SavegameDeleted
    | UploadUnneeded
    | UploadFailed
    | SavegameConflicted
    | SavegameConflictResolved
    | SavegameConflictDropped
)


def _sync(event: _OfSave, status: str, **more: Any) -> JsonObject:
    """Makes the payload of ``savegame.sync.status``."""
    payload = {
        "savegame_id": event.slot_id,
        "product_id": event.product_id,
        "slot_name": event.slot_name,
        "status": status,
        "last_synced_at": event.occurred_at if status == "sync_completed" else None,
        "error_message": None,
        "file_count": None,
        "new_bytes": None,
    }
    return payload | more


def _upload_requested(event: UploadRequested) -> Published:
    return Published(device_type="savegame.sync.status", device_payload=_sync(event, "sync_started"))


def _savegame_uploaded(event: SavegameUploaded) -> Published:
    # Devices are notified of a branch by the event of its conflict.
    status = None if event.is_branch else "savegame.sync.status"
    return Published(
        "com.platform.library.savegame.uploaded.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "savegameId": event.slot_id,
            "slotName": event.slot_name,
            "version": event.version,
            "isBranch": event.is_branch,
            "s3Path": event.s3_path,
            "fileSizeBytes": event.file_size_bytes,
            "fileCount": event.file_count,
            "newBytes": event.new_bytes,
            "clientTimestamp": event.client_modified_at,
            "serverTimestamp": event.occurred_at,
        },
        status,
        _sync(
            event,
            "sync_completed",
            version=event.version,
            file_count=event.file_count,
            new_bytes=event.new_bytes,
        ),
    )


def _upload_unneeded(event: UploadUnneeded | SavegameHeadMoved) -> Published:
    # The end of an unneeded upload is published, too; otherwise a device would show the synchronization for ever.
    return Published(
        device_type="savegame.sync.status", device_payload=_sync(event, "sync_completed", version=event.version)
    )


_FAILURES = {
    FailureReason.MISMATCH: "SAVEGAME_HASH_MISMATCH",
    FailureReason.EXPIRED: "SAVEGAME_UPLOAD_INCOMPLETE",
    FailureReason.CANCELLED: "CANCELLED",
}
"""Reason of the failure → ``error_message``: the code of the refusal, if there was one."""


def _upload_failed(event: UploadFailed) -> Published:
    payload = _sync(event, "sync_failed", error_message=_FAILURES[event.reason])
    return Published(device_type="savegame.sync.status", device_payload=payload)


def _savegame_deleted(event: SavegameDeleted) -> Published:
    return Published(device_type="savegame.sync.status", device_payload=_sync(event, "deleted"))


def _savegame_conflicted(event: SavegameConflicted) -> Published:
    return Published(
        "com.platform.library.savegame.conflict.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "savegameId": event.slot_id,
            "slotName": event.slot_name,
            "conflictId": event.conflict_id,
            "headVersion": event.head_version,
            "branchVersion": event.branch_version,
            "differencesCount": event.differences_count,
            "occurredAt": event.occurred_at,
        },
        "savegame.sync.status",
        _sync(event, "conflict", conflict_id=event.conflict_id),
    )


def _conflict_ended(event: SavegameConflictResolved | SavegameConflictDropped) -> Published:
    # With ``keep_both`` this is the only message about the end of the conflict: the head does not change.
    payload = _sync(event, "sync_completed", version=event.head_version, conflict_id=event.conflict_id)
    return Published(device_type="savegame.sync.status", device_payload=payload)


FORMS: Mapping[type[Event], EventForm] = {
    UploadRequested: EventForm(_upload_requested),
    SavegameUploaded: EventForm(_savegame_uploaded),
    UploadUnneeded: EventForm(_upload_unneeded),
    SavegameHeadMoved: EventForm(_upload_unneeded),
    UploadFailed: EventForm(_upload_failed),
    SavegameDeleted: EventForm(_savegame_deleted),
    SavegameConflicted: EventForm(_savegame_conflicted),
    SavegameConflictResolved: EventForm(_conflict_ended),
    SavegameConflictDropped: EventForm(_conflict_ended),
}
