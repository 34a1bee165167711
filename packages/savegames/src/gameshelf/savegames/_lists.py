"""The stored forms of a list of files: of the database, and of the bucket, beside the contents. Pure.

Both are JSON, compressed with zstd. An object has all that a lost database needs to know of the version again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from gameshelf.kernel.clock import EARLIEST, LATEST, Moment
from gameshelf.kernel.text import is_storable
from gameshelf.savegames._commands import MAX_COMMENT, MAX_FILE_SIZE, MAX_PLAYTIME
from gameshelf.savegames._files import FileList, SaveFile, hash_of, identity_of
from gameshelf.savegames._limits import MAX_LIST_BYTES, MAX_SET_FILES
from gameshelf.savegames._naming import MAX_IDENTITY, MAX_NAME, MAX_NUMBER
from gameshelf.savegames._paths import MAX_PATH, problems
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json, to_json
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, frame_content_size

_LEVEL = 3
_MICROSECOND = timedelta(microseconds=1)
_HASH = "^[0-9a-f]{64}$"
_MAX_ENCODING = 50
_MAX_ENCRYPTION = 4000
MAX_LIST_OBJECT_BYTES = MAX_LIST_BYTES + 8 * 1024**2
"""The largest size of an unpacked object: a list, and the keys of its contents."""
_MAX_ROW_BYTES = 1000
"""The largest size of a file in a list, without its path and its encryption."""
_MAX_KEY = 1024
"""The largest size of a key in S3."""

_Hash = Annotated[str, Field(pattern=_HASH, max_length=64)]
_Identity = Annotated[str, Field(pattern="^([0-9a-f]{2})+$", max_length=2 * MAX_IDENTITY)]
_Size = Annotated[int, Field(ge=0, le=MAX_FILE_SIZE)]
_Microseconds = Annotated[int, Field(ge=0, lt=(LATEST - EARLIEST) // _MICROSECOND)]


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("NUL and lone surrogates cannot be stored")
    return text


def _json_object(text: str) -> str:
    if not isinstance(from_json(text), dict):
        raise ValueError("not a JSON object")
    return text


_STORABLE = AfterValidator(_storable)
_Key = Annotated[str, Field(min_length=1, max_length=_MAX_KEY), _STORABLE]
_DeviceId = Annotated[str, Field(max_length=100), _STORABLE]
_Row = tuple[
    Annotated[str, Field(min_length=1, max_length=MAX_PATH)],
    _Size,
    _Hash,
    _Identity | None,
    _Hash | None,
    _Size | None,
    _Microseconds | None,
    Annotated[str, Field(max_length=_MAX_ENCODING), _STORABLE] | None,
    Annotated[str, Field(max_length=_MAX_ENCRYPTION), _STORABLE, AfterValidator(_json_object)] | None,
]
_Rows = Annotated[list[_Row], Field(min_length=1, max_length=MAX_SET_FILES)]


class _Stored(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class _List(_Stored):
    """The form of the database."""

    f: Literal[1] = 1
    files: _Rows


class SetDetails(_Stored):
    """What a client has said of a version."""

    client_modified_at: Moment | None = None
    device_id: _DeviceId | None = None
    comment: Annotated[str, Field(max_length=MAX_COMMENT), _STORABLE] | None = None
    playtime_seconds: Annotated[int, Field(ge=0, le=MAX_PLAYTIME)] | None = None
    game_version_id: Annotated[str, Field(max_length=100), _STORABLE] | None = None


class ListHeader(_Stored):
    """The version that a list object belongs to."""

    user_id: UUID
    product_id: UUID
    slot_name: Annotated[str, Field(min_length=1, max_length=MAX_NAME), _STORABLE]
    version: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    parent_version: Annotated[int, Field(ge=0, le=MAX_NUMBER)]
    merged_version: Annotated[int, Field(ge=1, le=MAX_NUMBER)] | None = None
    made: SetDetails = SetDetails()


class _Object(ListHeader):
    """The form of the bucket."""

    format: Literal[1] = 1
    sha256: _Hash
    identity: _Hash
    files: _Rows
    contents: dict[_Hash, _Key]


@dataclass(frozen=True, slots=True)
class ListObject:
    """The content of a list object."""

    header: ListHeader
    sha256: bytes
    """The canonical hash of the files."""
    identity: bytes
    files: FileList
    keys: Mapping[bytes, str]
    """The key of the object of each content, by the hash of its bytes."""


_LIST = TypeAdapter(_List)
_OBJECT = TypeAdapter(_Object)


def encode(files: FileList) -> bytes:
    """Returns the form of the database."""
    return _compressed(_List(files=[_row(file) for file in files]))


def fits(files: FileList) -> bool:
    """Whether ``decode`` reads the list again. Long paths of many files make it too large."""
    if sum(_size_at_most(file) for file in files) <= MAX_LIST_BYTES:
        return True
    return len(to_json(_List(files=[_row(file) for file in files]))) <= MAX_LIST_BYTES


def _size_at_most(file: SaveFile) -> int:
    return _MAX_ROW_BYTES + len(file.path.encode()) + 2 * len((file.encryption or "").encode())


def decode(body: bytes, max_bytes: int = MAX_LIST_BYTES) -> FileList:
    """Parses what ``encode`` wrote. Raises ValueError for other bytes, and for a list that is larger."""
    return tuple(map(_file, _LIST.validate_json(_decompressed(body, max_bytes)).files))


def to_object(header: ListHeader, files: FileList, keys: Mapping[bytes, str]) -> bytes:
    """Returns the form of the bucket. ``keys`` are those of the contents, by the hash of their bytes."""
    contents = {content.hex(): keys[content] for content in sorted({file.sha256 for file in files})}
    document = _Object(
        **dict(header),
        sha256=hash_of(files).hex(),
        identity=identity_of(files).hex(),
        files=[_row(file) for file in files],
        contents=contents,
    )
    return _compressed(document)


def from_object(data: bytes, max_bytes: int = MAX_LIST_OBJECT_BYTES) -> ListObject:
    """Parses what ``to_object`` wrote. Raises ValueError for other bytes.

    The object may be damaged: its paths, order, hashes, parents and contents have to be those of a version.
    """
    found = _OBJECT.validate_json(_decompressed(data, max_bytes))
    files = tuple(map(_file, found.files))
    paths = [file.path for file in files]
    if paths != sorted(paths) or problems(paths, str, most=1):
        raise ValueError("not a list of paths")
    if (hash_of(files).hex(), identity_of(files).hex()) != (found.sha256, found.identity):
        raise ValueError("not the hashes of the list")
    if found.contents.keys() != {file.sha256.hex() for file in files}:
        raise ValueError("not the contents of the list")
    if sum(file.size for file in files) > MAX_FILE_SIZE:
        raise ValueError("larger than any set")
    if max(found.parent_version, found.merged_version or 0) >= found.version:
        raise ValueError("not the parents of a version")
    header = ListHeader(**{name: getattr(found, name) for name in ListHeader.model_fields})
    hashes = bytes.fromhex(found.sha256), bytes.fromhex(found.identity)
    return ListObject(header, *hashes, files, {bytes.fromhex(content): key for content, key in found.contents.items()})


def _compressed(document: BaseModel) -> bytes:
    return ZstdCompressor(level=_LEVEL).compress(to_json(document))


def _decompressed(data: bytes, max_bytes: int) -> bytes:
    try:
        # The size in the frame's header is the memory that unpacking takes; the decoder holds the frame to it.
        if not 0 <= frame_content_size(data) <= max_bytes:
            raise ValueError("a list of unknown size, or too large")
        return ZstdDecompressor().decompress(data, allow_extra_data=False)
    except ZstdError as error:
        raise ValueError("not compressed with zstd") from error


def _row(file: SaveFile) -> _Row:
    return (
        file.path,
        file.size,
        file.sha256.hex(),
        _hex(file.identity),
        _hex(file.raw_sha256),
        file.raw_size,
        None if file.modified_at is None else (file.modified_at - EARLIEST) // _MICROSECOND,
        file.content_encoding,
        file.encryption,
    )


def _file(row: _Row) -> SaveFile:
    path, size, content, identity, raw, raw_size, modified, encoding, encryption = row
    return SaveFile(
        path,
        size,
        bytes.fromhex(content),
        _bytes(identity),
        _bytes(raw),
        raw_size,
        None if modified is None else _time(modified),
        encoding,
        encryption,
    )


def _time(microseconds: int) -> datetime:
    return (EARLIEST + timedelta(microseconds=microseconds)).astimezone(UTC)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)
