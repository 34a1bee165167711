"""The resources of cloud saves, as REST shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.reply import BASE
from gameshelf.savegames import (
    OpenConflict,
    OpenUpload,
    ProductUsage,
    Reservation,
    Resolution,
    Result,
    SaveVersion,
    SignedRequest,
    UploadStatus,
    Usage,
    VersionStatus,
)

_SAVE = {
    "product_id": schemas.UUID,
    "slot_name": schemas.TEXT,
    "version": schemas.COUNT,
    "parent_version": schemas.COUNT,
    "merged_version": schemas.nullable(schemas.COUNT),
    "file_size_bytes": schemas.COUNT,
    "file_hash_sha256": schemas.TEXT,
    "client_modified_at": schemas.nullable(schemas.TIME),
    "server_uploaded_at": schemas.TIME,
    "device_id": schemas.nullable(schemas.TEXT),
    "comment": schemas.nullable(schemas.TEXT),
    "is_pinned": {"type": "boolean"},
    "playtime_seconds": schemas.nullable(schemas.COUNT),
    "content_encoding": schemas.nullable(schemas.TEXT),
    "encryption": schemas.nullable(
        schemas.closed(
            {"scheme": schemas.TEXT, "key_id": schemas.TEXT, "identity": schemas.TEXT}, optional=("identity",)
        )
    ),
    "content_identity": schemas.TEXT,
}


SAVEGAME = schemas.resource("savegame", {**_SAVE, "deleted_at": schemas.nullable(schemas.TIME)})


SAVEGAME_VERSION = schemas.value("savegameVersion", {**_SAVE, "status": schemas.one_of(VersionStatus)})


SAVEGAME_CONFLICT = schemas.value(
    "savegameConflict",
    {
        "savegame_id": schemas.UUID,
        "product_id": schemas.UUID,
        "slot_name": schemas.TEXT,
        "opened_at": schemas.TIME,
        "head": SAVEGAME_VERSION,
        "branch": SAVEGAME_VERSION,
    },
)


_RESOLVED = {"resolution": schemas.one_of(Resolution), "conflict_id": schemas.UUID}


UPLOAD_META = schemas.closed(
    {
        "result": schemas.one_of([one for one in Result if one is not Result.CANCELLED]),
        **_RESOLVED,
        "head_version": schemas.COUNT,
        "branch_version": schemas.COUNT,
        "regresses_to": schemas.COUNT,
    },
    optional=(*_RESOLVED, "head_version", "branch_version", "regresses_to"),
)


RESOLUTION_META = schemas.closed({**_RESOLVED, "copy_savegame_id": schemas.nullable(schemas.UUID)})


PRESIGNED_UPLOAD_URL = schemas.value(
    "presignedUploadUrl",
    {
        "internal_save_id": schemas.UUID,
        "upload_required": {"type": "boolean"},
        "upload_url": schemas.nullable(schemas.TEXT),
        "method": schemas.nullable(schemas.TEXT),
        "headers": {"type": "object", "additionalProperties": schemas.TEXT},
        "expires_in_seconds": schemas.COUNT,
        "conflict_expected": {"type": "boolean"},
    },
)


SAVEGAME_UPLOAD = schemas.resource(
    "savegameUpload",
    {
        "product_id": schemas.UUID,
        "slot_name": schemas.TEXT,
        "savegame_id": schemas.UUID,
        "status": schemas.one_of(UploadStatus),
        "conflict_expected": {"type": "boolean"},
        "created_at": schemas.TIME,
        "expires_at": schemas.TIME,
        "missing_bytes": schemas.COUNT,
        "missing_count": schemas.COUNT,
        "uploads": {
            "type": "array",
            "items": schemas.closed(
                {
                    "sha256": schemas.TEXT,
                    "size_bytes": schemas.COUNT,
                    "method": schemas.nullable(schemas.TEXT),
                    "upload_url": schemas.nullable(schemas.TEXT),
                    "headers": {"type": "object", "additionalProperties": schemas.TEXT},
                }
            ),
        },
    },
)


PRESIGNED_DOWNLOAD_URL = schemas.value(
    "presignedDownloadUrl",
    {
        "savegame_id": schemas.UUID,
        "version": schemas.COUNT,
        "download_url": schemas.TEXT,
        "expires_in_seconds": schemas.COUNT,
        "file_size_bytes": schemas.COUNT,
        "file_hash_sha256": schemas.TEXT,
        "content_encoding": schemas.nullable(schemas.TEXT),
        "encryption": _SAVE["encryption"],
    },
)


SAVEGAME_QUOTA = schemas.value(
    "savegameQuota",
    {
        "used_bytes": schemas.COUNT,
        "reserved_bytes": schemas.COUNT,
        "limit_bytes": schemas.COUNT,
        "products": {
            "type": "array",
            "items": schemas.named(
                schemas.closed(
                    {"product_id": schemas.UUID, "used_bytes": schemas.COUNT, "reserved_bytes": schemas.COUNT}
                )
            ),
        },
    },
)


def sides(conflict_id: UUID | None, head: SaveVersion, branch: SaveVersion) -> dict[str, Any]:
    """What a refused upload tells of a conflict."""
    return {
        "conflict_id": conflict_id,
        "savegame_id": head.slot_id,
        "head": version(head),
        "branch": version(branch),
    }


def upload_url(leave: Reservation, signed: SignedRequest | None, seconds: int) -> dict[str, Any]:
    """The resource ``presignedUploadUrl``."""
    return {
        "type": "presignedUploadUrl",
        "id": leave.upload_id,
        "attributes": {
            "internal_save_id": leave.upload_id,
            "upload_required": leave.is_required,
            "upload_url": signed.url if signed else None,
            "method": signed.method if signed else None,
            "headers": dict(signed.headers) if signed else {},
            "expires_in_seconds": seconds,
            "conflict_expected": leave.conflict_expected,
        },
    }


def upload(of: OpenUpload, *, has_arrived: bool, signed: SignedRequest | None = None) -> dict[str, Any]:
    """The resource ``savegameUpload``."""
    waits = of.is_required and not has_arrived
    missing = {
        "sha256": of.content.hex(),
        "size_bytes": of.size,
        "method": signed.method if signed else None,
        "upload_url": signed.url if signed else None,
        "headers": dict(signed.headers) if signed else {},
    }
    return {
        "type": "savegameUpload",
        "id": of.id,
        "attributes": {
            "product_id": of.product_id,
            "slot_name": of.slot_name,
            "savegame_id": of.slot_id,
            "status": of.status,
            "conflict_expected": of.conflict_expected,
            "created_at": of.created_at,
            "expires_at": of.expires_at,
            "missing_bytes": of.size if waits else 0,
            "missing_count": int(waits),
            "uploads": [missing] if waits else [],
        },
        "links": {"self": f"{BASE}/savegames/uploads/{of.id}"},
    }


def download_url(of: SaveVersion, signed: SignedRequest, seconds: int) -> dict[str, Any]:
    """The resource ``presignedDownloadUrl``."""
    return {
        "type": "presignedDownloadUrl",
        "id": of.id,
        "attributes": {
            "savegame_id": of.slot_id,
            "version": of.version,
            "download_url": signed.url,
            "expires_in_seconds": seconds,
            "file_size_bytes": of.size,
            "file_hash_sha256": of.content.hex(),
            "content_encoding": of.content_encoding,
            "encryption": _encryption(of),
        },
    }


def savegame(of: SaveVersion) -> dict[str, Any]:
    """The resource ``savegame``: a save by its head, or by the version that an upload became."""
    return {
        "type": "savegame",
        "id": of.slot_id,
        "attributes": {**_attributes(of), "deleted_at": of.deleted_at},
        "links": {"self": f"{BASE}/savegames/{of.slot_id}"},
    }


def version(of: SaveVersion) -> dict[str, Any]:
    """The resource ``savegameVersion``."""
    return {"type": "savegameVersion", "id": of.id, "attributes": {**_attributes(of), "status": of.status}}


def conflict(of: OpenConflict) -> dict[str, Any]:
    """The resource ``savegameConflict``."""
    return {
        "type": "savegameConflict",
        "id": of.id,
        "attributes": {
            "savegame_id": of.head.slot_id,
            "product_id": of.head.product_id,
            "slot_name": of.head.slot_name,
            "opened_at": of.opened_at,
            "head": version(of.head),
            "branch": version(of.branch),
        },
    }


def quota(user_id: UUID, usage: Usage, products: Sequence[ProductUsage], usual_bytes: int) -> dict[str, Any]:
    """The resource ``savegameQuota``."""
    return {
        "type": "savegameQuota",
        "id": user_id,
        "attributes": {
            "used_bytes": usage.used_bytes,
            "reserved_bytes": usage.reserved_bytes,
            "limit_bytes": usual_bytes if usage.limit_bytes is None else usage.limit_bytes,
            "products": [
                {
                    "product_id": one.product_id,
                    "used_bytes": one.used_bytes,
                    "reserved_bytes": one.reserved_bytes,
                }
                for one in products
            ],
        },
    }


def _attributes(of: SaveVersion) -> dict[str, Any]:
    return {
        "product_id": of.product_id,
        "slot_name": of.slot_name,
        "version": of.version,
        "parent_version": of.parent_version,
        "merged_version": of.merged_version,
        "file_size_bytes": of.size,
        "file_hash_sha256": of.content.hex(),
        "client_modified_at": of.client_modified_at,
        "server_uploaded_at": of.server_uploaded_at,
        "device_id": of.device_id,
        "comment": of.comment,
        "is_pinned": of.is_pinned,
        "playtime_seconds": of.playtime_seconds,
        "content_encoding": of.content_encoding,
        "encryption": _encryption(of),
        "content_identity": of.identity.hex(),
    }


def _encryption(of: SaveVersion) -> Any:
    return decode(of.encryption) if of.encryption else None
