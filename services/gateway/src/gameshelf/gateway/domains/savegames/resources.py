"""The resources of cloud saves (contract, section 3.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.components import enumeration, single
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, TEXT, TIME, URL, array, nullable
from gameshelf.savegames import (
    ProductUsage,
    Reservation,
    Resolution,
    SaveVersion,
    SignedRequest,
    UploadResult,
    UsedStorage,
    VersionStatus,
)

PRODUCT = "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"
SAVE_ID = "e4da3b7f-bbce-4234-9777-2b0674a318d5"
VERSION_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
UPLOAD_ID = "c9f0f895-fb98-4b91-99f5-1fd0297e236d"
CONFLICT_ID = "d3d94468-02a4-4259-b55d-38e6d163e820"
CONTENT_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PUT_URL = "https://saves.example.com/staging/c9f0f895?X-Amz-Expires=900&X-Amz-Signature=4f1c"
GET_URL = "https://saves.example.com/saves/e4da3b7f/7.bin?X-Amz-Expires=900&X-Amz-Signature=8a2d"

PRODUCT_ID = Field("product_id", schemas.UUID, "Product of the save.", PRODUCT)
SLOT_NAME = Field("slot_name", TEXT, "Name of the save within its product.", "autosave")
SIGNED_HEADERS = {
    "type": "object",
    "additionalProperties": {**TEXT, "description": "Value of the header."},
    "examples": [{"content-length": "52428"}],
}


def _decoded(text: str | None) -> Any:
    return decode(text) if text else None


ENCRYPTION: ObjectResource[object] = ObjectResource(
    "SavegameEncryption",
    None,  # stored in the form that the client sent
    "Encryption of the bytes by the client. The service never has the key.",
    Field("scheme", TEXT, "Name of the scheme, chosen by the client.", "xchacha20-poly1305"),
    Field("key_id", TEXT, "Name of the key that decrypts the bytes, chosen by the client.", "2026-01"),
    Field(
        "identity",
        TEXT,
        "HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content.",
        CONTENT_HASH,
        is_optional=True,
    ),
)
CONTENT_ENCODING = Field("content_encoding", nullable(TEXT), "Encoding of the bytes, declared by the client.", "gzip")
ENCRYPTION_MARK = Field(
    "encryption",
    nullable(ENCRYPTION.schema),
    "Encryption of the bytes by the client; null if it declared none.",
    None,
    convert=_decoded,
)
_VERSION = (
    PRODUCT_ID,
    SLOT_NAME,
    Field("version", COUNT, "Number of the version within the save. Numbers have gaps and are never reused.", 7),
    Field("parent_version", COUNT, "Version that this one is based on; 0 if it is based on none.", 5),
    Field("merged_version", nullable(COUNT), "Second parent of a version that resolved a conflict; else null.", None),
    Field("file_size_bytes", COUNT, "Size of the stored bytes; of a set, of all its files.", 52428, "size"),
    Field(
        "file_hash_sha256",
        TEXT,
        "SHA-256 of the stored bytes, in hex; of a set, of the list of its files.",
        CONTENT_HASH,
        "content",
        bytes.hex,
    ),
    Field(
        "client_modified_at",
        nullable(TIME),
        "When the file changed on the device, according to the client.",
        "2026-05-20T19:29:50Z",
    ),
    Field("server_uploaded_at", TIME, "When the upload became a version.", "2026-05-20T19:30:02Z"),
    Field("device_id", nullable(TEXT), "Device that uploaded it, if it was named.", "deck-7"),
    Field("comment", nullable(TEXT), "Comment of the user.", "Before the last boss"),
    Field("file_count", nullable(COUNT), "Number of files of a set; null for a single file.", None),
    Field("game_version_id", nullable(TEXT), "Version of the game that wrote the save, if it was named.", None),
    Field("is_pinned", FLAG, "Whether the version is kept when old versions are pruned.", False),
    Field("playtime_seconds", nullable(COUNT), "Playtime in the save, according to the client.", 45296),
    CONTENT_ENCODING,
    ENCRYPTION_MARK,
    Field(
        "content_identity",
        TEXT,
        "Identity of the content in hex: two versions with the same one hold the same save, "
        "even if it was compressed or encrypted again.",
        CONTENT_HASH,
        read="identity",
        convert=bytes.hex,
    ),
)

SAVEGAME = Resource(
    "savegame",
    SaveVersion,
    "A save, described by its head or by the version that an upload became.",
    *_VERSION,
    Field("deleted_at", nullable(TIME), "When the save was put into the trash; null if it was not.", None),
    TITLE,
    COVER,
    identity=identity("Id of the save.", SAVE_ID, "slot_id"),
    address="/savegames/{id}",
)

SAVEGAME_VERSION = Resource(
    "savegameVersion",
    SaveVersion,
    "A version of a save.",
    *_VERSION,
    Field("status", enumeration(VersionStatus), "Place of the version in the history of the save.", "head"),
    identity=identity("Id of the version.", VERSION_ID),
)

RESOLUTION = enumeration(Resolution)
UPLOAD_META: ObjectResource[object] = ObjectResource(
    "ConfirmedUploadMeta",
    None,
    "The result of an upload. The fields after `result` are present only for results that need them.",
    Field(
        "result",
        enumeration(
            [
                UploadResult.HEAD,
                UploadResult.IDENTICAL,
                UploadResult.BEHIND,
                UploadResult.RESOLVED,
                UploadResult.DELETED,
            ],
            "UploadResult",
            "Result of an upload: `head` (the new head), `identical` (the head holds these bytes already), `behind` "
            "(the head is based on these bytes: download it), `resolved` (the policy has resolved a conflict) or "
            "`deleted` (the save is in the trash, and nothing was made).",
        ),
        "Result of the upload.",
        "head",
    ),
    Field("resolution", RESOLUTION, "How the policy resolved the conflict.", "keep_local", is_optional=True),
    Field("conflict_id", schemas.UUID, "Conflict that was resolved.", CONFLICT_ID, is_optional=True),
    Field("head_version", COUNT, "Version that was the head.", 6, is_optional=True),
    Field("branch_version", COUNT, "Version that the upload became.", 7, is_optional=True),
    Field(
        "regresses_to",
        COUNT,
        "Older version of the history that has the same content as the new head.",
        3,
        is_optional=True,
    ),
    Field(
        "new_bytes",
        COUNT,
        "Bytes of the contents of a set that the user did not have before.",
        52428,
        is_optional=True,
    ),
)
CONFIRMED_UPLOAD = single(SAVEGAME.schema, UPLOAD_META.schema, "ConfirmedUploadDocument")


@dataclass(frozen=True, slots=True)
class Signed:
    """The presigned request of an upload or a download, and for how many seconds its URL is valid."""

    request: SignedRequest | None
    seconds: int = 0


def _headers(signed: SignedRequest | None) -> dict[str, str]:
    return dict(signed.headers) if signed else {}


PRESIGNED_UPLOAD_URL = Resource(
    "presignedUploadUrl",
    Reservation,
    "A reserved upload, and the request that sends its bytes to the object store.",
    Field("internal_save_id", schemas.UUID, "Id of the upload: confirm it by this id.", UPLOAD_ID, "upload_id"),
    Field(
        "upload_required",
        FLAG,
        "Whether bytes have to be sent; if not, they are stored already, and the client only confirms.",
        True,
        "is_required",
    ),
    Field(
        "upload_url",
        nullable(URL),
        "Presigned URL of the object store; null if nothing has to be sent.",
        PUT_URL,
        lambda _, signed: signed.request.url if signed.request else None,
    ),
    Field(
        "method",
        nullable(TEXT),
        "HTTP method of the request to the object store.",
        "PUT",
        lambda _, signed: signed.request.method if signed.request else None,
    ),
    Field(
        "headers",
        SIGNED_HEADERS,
        "Headers that have to be sent with the bytes, exactly as given.",
        {"content-length": "52428"},
        lambda _, signed: _headers(signed.request),
    ),
    Field("expires_in_seconds", COUNT, "For how many seconds the URL is valid.", 900, lambda _, signed: signed.seconds),
    Field("conflict_expected", FLAG, "Whether the upload would become a branch if it were confirmed now.", False),
    identity=identity("Id of the upload.", UPLOAD_ID, "upload_id"),
)
"""The context of ``render`` is a `Signed`."""

PRESIGNED_DOWNLOAD_URL = Resource(
    "presignedDownloadUrl",
    SaveVersion,
    "A URL of the object store that downloads a version.",
    Field("savegame_id", schemas.UUID, "Save of the version.", SAVE_ID, "slot_id"),
    Field("version", COUNT, "Number of the version.", 7),
    Field("download_url", URL, "Presigned URL of the object store.", GET_URL, lambda _, signed: signed.request.url),
    Field("expires_in_seconds", COUNT, "For how many seconds the URL is valid.", 900, lambda _, signed: signed.seconds),
    Field("file_size_bytes", COUNT, "Size of the stored bytes.", 52428, "size"),
    Field("file_hash_sha256", TEXT, "SHA-256 of the stored bytes, in hex.", CONTENT_HASH, "content", bytes.hex),
    CONTENT_ENCODING,
    ENCRYPTION_MARK,
    identity=identity("Id of the version.", VERSION_ID),
)
"""The context of ``render`` is a `Signed`."""

PRODUCT_USAGE = ObjectResource(
    "ProductUsage",
    ProductUsage,
    "The space that the saves of one product use. A content that two products have counts in both.",
    PRODUCT_ID,
    Field("used_bytes", COUNT, "Bytes of all stored contents, trash and history included.", 1048576),
    Field("reserved_bytes", COUNT, "Bytes that open uploads have reserved.", 52428),
    TITLE,
    COVER,
)


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """The space that the saves of a user use, and the limit."""

    user_id: UUID
    usage: UsedStorage
    products: Sequence[ProductUsage]
    usual_bytes: int
    """The default limit, for users without one that support has set."""

    @property
    def limit_bytes(self) -> int:
        return self.usual_bytes if self.usage.limit_bytes is None else self.usage.limit_bytes


SAVEGAME_QUOTA = Resource(
    "savegameQuota",
    QuotaUsage,
    "The space that the saves of the user use, and the limit. Each content counts once, however often it is used.",
    Field(
        "used_bytes", COUNT, "Bytes of all stored contents, trash and history included.", 1048576, "usage.used_bytes"
    ),
    Field("reserved_bytes", COUNT, "Bytes that open uploads have reserved.", 52428, "usage.reserved_bytes"),
    Field("limit_bytes", COUNT, "How many bytes the user may use and reserve.", 1073741824),
    Field(
        "products",
        array(PRODUCT_USAGE.schema),
        "The space that each product uses.",
        [PRODUCT_USAGE.schema.example],
        lambda of, _: [PRODUCT_USAGE.render(one) for one in of.products],
    ),
    identity=identity("Id of the user.", "6f1ed002-ab5d-4a3f-8d3c-2f1e0c9b8a77", "user_id"),
)
