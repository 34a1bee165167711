"""Cloud saves as protobuf messages, for players' calls and support's."""

from gameshelf.gateway.domains.savegames.upload_states import UploadState
from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as cloud_saves
from gameshelf.savegames import (
    OpenConflict,
    OtherDevice,
    PlannedSlot,
    SaveFile,
    SaveVersion,
    SignedFile,
    part_bytes,
)


def save_message(of: SaveVersion) -> cloud_saves.SaveVersion:
    return cloud_saves.SaveVersion(
        savegame_id=str(of.slot_id),
        product_id=str(of.product_id),
        slot_name=of.slot_name,
        version=of.version,
        parent_version=of.parent_version,
        merged_version=of.merged_version,
        status=of.status,
        file_size_bytes=of.size,
        file_hash_sha256=of.content.hex(),
        client_modified_at=timestamp(of.client_modified_at),
        server_uploaded_at=timestamp(of.server_uploaded_at),
        device_id=text(of.device_id),
        comment=text(of.comment),
        is_pinned=of.is_pinned,
        playtime_seconds=of.playtime_seconds,
        content_encoding=text(of.content_encoding),
        encryption=_encryption(of.encryption),
        content_identity=of.identity.hex(),
        deleted_at=timestamp(of.deleted_at),
        file_count=of.file_count,
        game_version_id=text(of.game_version_id),
    )


def _encryption(of: str | None) -> cloud_saves.SaveEncryption | None:
    return cloud_saves.SaveEncryption(**decode(of)) if of else None


def upload_message(of: UploadState) -> cloud_saves.SaveUpload:
    """An upload of either kind with the requests that send what is missing."""
    return cloud_saves.SaveUpload(
        upload_id=str(of.id),
        savegame_id=str(of.slot_id),
        product_id=str(of.product_id),
        slot_name=of.slot_name,
        status=of.status,
        conflict_expected=of.conflict_expected,
        created_at=timestamp(of.created_at),
        expires_at=timestamp(of.expires_at),
        missing_bytes=of.missing_bytes,
        missing_count=of.missing_count,
        uploads=[_content_message(one) for one in of.uploads],
        file_count=of.file_count,
        base_version=of.base_version,
        skipped=[
            cloud_saves.SkippedFile(path=one.path, size_bytes=one.size, max_bytes=one.max_bytes) for one in of.skipped
        ],
    )


def _content_message(of: SignedFile) -> cloud_saves.SaveContentUpload:
    request = of.request
    return cloud_saves.SaveContentUpload(
        sha256=of.file.sha256.hex(),
        size_bytes=of.file.size,
        method=request.method if request else "",
        upload_url=request.url if request else "",
        headers=request.headers if request else {},
        part_size_bytes=part_bytes(of.file.size) if of.parts else 0,
        parts=[
            cloud_saves.SavePartUpload(
                number=part.number,
                size_bytes=part.size,
                method=part.request.method,
                upload_url=part.request.url,
                headers=part.request.headers,
            )
            for part in of.parts
        ],
    )


def file_message(of: SaveFile, url: str | None = None) -> cloud_saves.SaveFile:
    """A file of a version, and perhaps the URL of its bytes."""
    return cloud_saves.SaveFile(
        path=of.path,
        size_bytes=of.size,
        sha256=of.sha256.hex(),
        raw_sha256=of.raw_sha256.hex() if of.raw_sha256 else "",
        raw_size_bytes=of.raw_size,
        content_encoding=text(of.content_encoding),
        encryption=_encryption(of.encryption),
        modified_at=timestamp(of.modified_at),
        download_url=text(url),
    )


def planned_message(of: PlannedSlot) -> cloud_saves.PlannedSaveSlot:
    """What a device has to do with a save."""
    planned = of.planned
    return cloud_saves.PlannedSaveSlot(
        slot_name=of.slot_name,
        action=planned.action,
        reason=planned.reason,
        savegame_id=text(planned.savegame_id),
        head_version=planned.head_version or 0,
        branch_version=planned.branch_version or 0,
        conflict_id=text(planned.conflict_id),
        regresses_to=planned.regresses_to,
        written_by_newer_version=planned.written_by_newer_version or "",
    )


def other_device_message(of: OtherDevice) -> cloud_saves.OtherDevice:
    """What another device of the user is at."""
    return cloud_saves.OtherDevice(
        device_id=of.device_id,
        device_name=text(of.device_name),
        state=of.state,
        slot_name=text(of.slot_name),
        since=timestamp(of.since),
        unsynced_playtime_seconds=of.unsynced_playtime_seconds,
    )


def conflict_message(of: OpenConflict) -> cloud_saves.SaveConflict:
    return cloud_saves.SaveConflict(
        conflict_id=str(of.id),
        opened_at=timestamp(of.opened_at),
        head=save_message(of.head),
        branch=save_message(of.branch),
    )
