"""The resources of sets of files (contract, section 3.6): uploads, files, downloads and differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gameshelf.gateway.domains.savegames.resources import (
    CONTENT_ENCODING,
    CONTENT_HASH,
    ENCRYPTION_MARK,
    GET_URL,
    PRODUCT_ID,
    PUT_URL,
    SAVE_ID,
    SIGNED_HEADERS,
    SLOT_NAME,
    UPLOAD_ID,
    VERSION_ID,
)
from gameshelf.gateway.domains.savegames.upload_states import UploadState
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.components import enumeration, single
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, TEXT, TIME, URL, array, nullable
from gameshelf.savegames import (
    SaveFile,
    SaveVersion,
    SignedFile,
    SignedPart,
    SignedRequest,
    SkippedFile,
    UploadStatus,
    part_bytes,
)

_PATH = "saves/world-1/level.dat"


def _method(signed: SignedRequest | None) -> str | None:
    return signed.method if signed else None


def _url(signed: SignedRequest | None) -> str | None:
    return signed.url if signed else None


def _headers(signed: SignedRequest | None) -> dict[str, str]:
    return dict(signed.headers) if signed else {}


_HEADERS_TO_SEND = "Headers that have to be sent with the bytes, exactly as given."
MISSING_PART = ObjectResource(
    "MissingPart",
    SignedPart,
    "A part of a file that has not arrived yet, and the request that sends it to the object store.",
    Field("number", COUNT, "Number of the part, counted from 1.", 3),
    Field("size_bytes", COUNT, "Number of its bytes.", 8388608, "size"),
    Field("method", TEXT, "HTTP method of the request.", "PUT", "request.method"),
    Field("upload_url", URL, "Presigned URL of the object store.", PUT_URL, "request.url"),
    Field(
        "headers", SIGNED_HEADERS, _HEADERS_TO_SEND, {"content-length": "8388608"}, lambda of, _: _headers(of.request)
    ),
)
MISSING_CONTENT = ObjectResource(
    "MissingContent",
    SignedFile,
    "Bytes that have not arrived yet, and the requests that send them to the object store.",
    Field("sha256", TEXT, "SHA-256 of the bytes, in hex.", CONTENT_HASH, "file.sha256", bytes.hex),
    Field("size_bytes", COUNT, "Number of the bytes.", 52428, "file.size"),
    Field(
        "method",
        nullable(TEXT),
        "HTTP method of the request; null without a URL.",
        "PUT",
        lambda of, _: _method(of.request),
    ),
    Field(
        "upload_url",
        nullable(URL),
        "Presigned URL of the object store. Null in lists, while the user may not upload, and for bytes that are sent "
        "in parts.",
        PUT_URL,
        lambda of, _: _url(of.request),
    ),
    Field("headers", SIGNED_HEADERS, _HEADERS_TO_SEND, {"content-length": "52428"}, lambda of, _: _headers(of.request)),
    Field(
        "part_size_bytes",
        nullable(COUNT),
        "Size of each part but the last one; null for bytes that are sent by one request.",
        None,
        lambda of, _: part_bytes(of.file.size) if of.parts else None,
    ),
    Field(
        "parts",
        array(MISSING_PART.schema),
        "The parts that have not arrived, each with its own request; empty for bytes that are sent by one request.",
        [],
        lambda of, _: [MISSING_PART.render(part) for part in of.parts],
    ),
)
SKIPPED_FILE = ObjectResource(
    "SkippedFile",
    SkippedFile,
    "A file that was left out, since it is larger than the product's policy allows.",
    Field("path", TEXT, "Path of the file.", "saves/replays/1.bin"),
    Field("size_bytes", COUNT, "Size of the file.", 734003200, "size"),
    Field("max_bytes", COUNT, "Size up to which files are saved.", 52428800),
)


SAVEGAME_UPLOAD = Resource(
    "savegameUpload",
    UploadState,
    "A reserved upload and its state.",
    PRODUCT_ID,
    SLOT_NAME,
    Field("savegame_id", schemas.UUID, "Save that the upload belongs to.", SAVE_ID, "slot_id"),
    Field("status", enumeration(UploadStatus), "State of the upload.", "open"),
    Field("conflict_expected", FLAG, "Whether the upload would become a branch if it were confirmed now.", False),
    Field("created_at", TIME, "When the upload was reserved.", "2026-05-20T19:29:55Z"),
    Field("expires_at", TIME, "When the upload can no longer be confirmed.", "2026-05-20T20:44:55Z"),
    Field("base_version", COUNT, "Version that the upload is based on; 0 if it is based on none.", 5),
    Field("file_count", nullable(COUNT), "Number of files of a set; null for a single file.", 12),
    Field(
        "missing_bytes",
        COUNT,
        "Number of bytes that have not arrived. In lists, and while they are verified, it is the size that was "
        "announced.",
        52428,
    ),
    Field(
        "missing_count",
        COUNT,
        "Number of contents that have not arrived. In lists, and while they are verified, it is the number of files.",
        1,
    ),
    Field(
        "uploads",
        array(MISSING_CONTENT.schema),
        "The contents that have not arrived, with 100 requests at most; GET returns the next ones. Empty for sets in "
        "lists.",
        [MISSING_CONTENT.schema.example],
        lambda of, _: [MISSING_CONTENT.render(one) for one in of.uploads],
    ),
    Field(
        "skipped",
        array(SKIPPED_FILE.schema),
        "Files that were left out of a new set, since they are larger than the product's policy allows.",
        [],
        lambda of, _: [SKIPPED_FILE.render(one) for one in of.skipped],
    ),
    TITLE,
    COVER,
    identity=identity("Id of the upload.", UPLOAD_ID),
    address="/savegames/uploads/{id}",
)


VERIFICATION_META: ObjectResource[object] = ObjectResource(
    "VerificationMeta",
    None,
    "How much of an upload is verified.",
    Field("verified_count", COUNT, "Number of contents that are verified.", 7),
    Field("total_count", COUNT, "Number of all contents of the upload.", 12),
)
VERIFYING_UPLOAD = single(SAVEGAME_UPLOAD.schema, VERIFICATION_META.schema, "VerifyingUploadDocument")


def _hex(value: bytes | None) -> str | None:
    return value.hex() if value is not None else None


_FILE = (
    Field(
        "path",
        nullable(TEXT),
        "Path of the file within the set; null for a save that is a single file.",
        _PATH,
        lambda of, _: of.path or None,
    ),
    Field("size_bytes", COUNT, "Size of the stored bytes.", 52428, "size"),
    Field("sha256", TEXT, "SHA-256 of the stored bytes, in hex.", CONTENT_HASH, convert=bytes.hex),
    Field(
        "raw_sha256",
        nullable(TEXT),
        "SHA-256 of the unpacked bytes, in hex; null if it was not announced.",
        None,
        convert=_hex,
    ),
    Field("raw_size_bytes", nullable(COUNT), "Size of the unpacked bytes; null if unknown.", None, "raw_size"),
    Field(
        "content_identity",
        TEXT,
        "Identity of the content in hex: two files with the same one hold the same content, even if it was compressed "
        "or encrypted again.",
        CONTENT_HASH,
        "same_as",
        bytes.hex,
    ),
    CONTENT_ENCODING,
    ENCRYPTION_MARK,
    Field(
        "modified_at",
        nullable(TIME),
        "When the file changed on the device, according to the client.",
        "2026-05-20T19:29:50Z",
    ),
)
SAVEGAME_FILE = Resource(
    "savegameFile",
    SaveFile,
    "A file of a version.",
    *_FILE,
    identity=identity(
        "Path of the file; of a save that is a single file, its SHA-256.",
        _PATH,
        lambda of, _: of.path or of.sha256.hex(),
        TEXT,
    ),
)
DOWNLOAD_FILE = ObjectResource(
    "DownloadFile",
    SaveFile,
    "A file of a version, and perhaps the URL of its bytes.",
    *_FILE,
    Field(
        "download_url",
        nullable(URL),
        "Presigned URL of the object store; null for bytes that the device has, and for those beyond 100 URLs.",
        GET_URL,
        lambda of, urls: urls.get(of.sha256),
    ),
)
"""The context of ``render`` maps SHA-256 to URLs."""


@dataclass(frozen=True, slots=True)
class SignedFiles:
    """Files of a version, and URLs of the bytes that a device lacks."""

    version: SaveVersion
    files: Sequence[SaveFile]
    urls: Mapping[bytes, str]
    missing_bytes: int
    missing_count: int
    expires_in_seconds: int


SAVEGAME_DOWNLOAD = Resource(
    "savegameDownload",
    SignedFiles,
    "The files of a version, with URLs of the object store for the bytes that the device does not have.",
    Field("savegame_id", schemas.UUID, "Save of the version.", SAVE_ID, "version.slot_id"),
    Field("version", COUNT, "Number of the version.", 7, "version.version"),
    Field("file_count", nullable(COUNT), "Number of files of a set; null for a single file.", 12, "version.file_count"),
    Field("size_bytes", COUNT, "Size of all files.", 52428, "version.size"),
    Field(
        "file_hash_sha256",
        TEXT,
        "SHA-256 of the list of files, in hex; of a single file, that of its bytes.",
        CONTENT_HASH,
        "version.content",
        bytes.hex,
    ),
    Field(
        "content_identity",
        TEXT,
        "Identity of the content of the version, in hex.",
        CONTENT_HASH,
        "version.identity",
        bytes.hex,
    ),
    Field("missing_bytes", COUNT, "Number of bytes that the device does not have.", 52428),
    Field(
        "missing_count",
        COUNT,
        "Number of contents that the device does not have. If there are more than URLs, ask again with `want`.",
        1,
    ),
    Field("expires_in_seconds", COUNT, "For how many seconds the URLs are valid.", 900),
    Field(
        "files",
        array(DOWNLOAD_FILE.schema),
        "All files of the version, or those that were asked for by `want`.",
        [DOWNLOAD_FILE.schema.example],
        lambda of, _: [DOWNLOAD_FILE.render(one, of.urls) for one in of.files],
    ),
    identity=identity("Id of the version.", VERSION_ID, "version.id"),
)
