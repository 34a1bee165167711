"""Cloud saves as protobuf messages, for players' calls and support's."""

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as cloud_saves
from gameshelf.savegames import OpenConflict, OpenUpload, SaveVersion, SignedRequest


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
        encryption=cloud_saves.SaveEncryption(**decode(of.encryption)) if of.encryption else None,
        content_identity=of.identity.hex(),
        deleted_at=timestamp(of.deleted_at),
    )


def upload_message(of: OpenUpload, has_arrived: bool, signed: SignedRequest | None) -> cloud_saves.SaveUpload:
    waits = of.is_required and not has_arrived
    missing = cloud_saves.SaveContentUpload(
        sha256=of.content.hex(),
        size_bytes=of.size,
        method=signed.method if signed else "",
        upload_url=signed.url if signed else "",
        headers=signed.headers if signed else {},
    )
    return cloud_saves.SaveUpload(
        upload_id=str(of.id),
        savegame_id=str(of.slot_id),
        product_id=str(of.product_id),
        slot_name=of.slot_name,
        status=of.status,
        conflict_expected=of.conflict_expected,
        created_at=timestamp(of.created_at),
        expires_at=timestamp(of.expires_at),
        missing_bytes=of.size if waits else 0,
        missing_count=int(waits),
        uploads=[missing] if waits else [],
    )


def conflict_message(of: OpenConflict) -> cloud_saves.SaveConflict:
    return cloud_saves.SaveConflict(
        conflict_id=str(of.id),
        opened_at=timestamp(of.opened_at),
        head=save_message(of.head),
        branch=save_message(of.branch),
    )
