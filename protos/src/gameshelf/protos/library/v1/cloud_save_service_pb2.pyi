import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SaveResolution(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAVE_RESOLUTION_UNSPECIFIED: _ClassVar[SaveResolution]
    SAVE_RESOLUTION_KEEP_LOCAL: _ClassVar[SaveResolution]
    SAVE_RESOLUTION_KEEP_CLOUD: _ClassVar[SaveResolution]
    SAVE_RESOLUTION_KEEP_BOTH: _ClassVar[SaveResolution]
    SAVE_RESOLUTION_MERGE: _ClassVar[SaveResolution]

class SaveSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAVE_SIDE_UNSPECIFIED: _ClassVar[SaveSide]
    SAVE_SIDE_HEAD: _ClassVar[SaveSide]
    SAVE_SIDE_BRANCH: _ClassVar[SaveSide]
SAVE_RESOLUTION_UNSPECIFIED: SaveResolution
SAVE_RESOLUTION_KEEP_LOCAL: SaveResolution
SAVE_RESOLUTION_KEEP_CLOUD: SaveResolution
SAVE_RESOLUTION_KEEP_BOTH: SaveResolution
SAVE_RESOLUTION_MERGE: SaveResolution
SAVE_SIDE_UNSPECIFIED: SaveSide
SAVE_SIDE_HEAD: SaveSide
SAVE_SIDE_BRANCH: SaveSide

class SaveEncryption(_message.Message):
    __slots__ = ("scheme", "key_id", "identity")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    key_id: str
    identity: str
    def __init__(self, scheme: _Optional[str] = ..., key_id: _Optional[str] = ..., identity: _Optional[str] = ...) -> None: ...

class RequestSaveGameUploadURLRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "save_slot_name", "file_size_bytes", "file_hash_sha256", "client_modified_at", "base_version", "device_id", "comment", "playtime_seconds", "content_encoding", "encryption", "conflict_policy", "savegame_id", "raw_sha256", "raw_size_bytes", "confirm_removals")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SAVE_SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_HASH_SHA256_FIELD_NUMBER: _ClassVar[int]
    CLIENT_MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ENCODING_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_POLICY_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    RAW_SHA256_FIELD_NUMBER: _ClassVar[int]
    RAW_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_REMOVALS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    save_slot_name: str
    file_size_bytes: int
    file_hash_sha256: str
    client_modified_at: _timestamp_pb2.Timestamp
    base_version: int
    device_id: str
    comment: str
    playtime_seconds: int
    content_encoding: str
    encryption: SaveEncryption
    conflict_policy: str
    savegame_id: str
    raw_sha256: str
    raw_size_bytes: int
    confirm_removals: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., save_slot_name: _Optional[str] = ..., file_size_bytes: _Optional[int] = ..., file_hash_sha256: _Optional[str] = ..., client_modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., base_version: _Optional[int] = ..., device_id: _Optional[str] = ..., comment: _Optional[str] = ..., playtime_seconds: _Optional[int] = ..., content_encoding: _Optional[str] = ..., encryption: _Optional[_Union[SaveEncryption, _Mapping]] = ..., conflict_policy: _Optional[str] = ..., savegame_id: _Optional[str] = ..., raw_sha256: _Optional[str] = ..., raw_size_bytes: _Optional[int] = ..., confirm_removals: _Optional[int] = ...) -> None: ...

class RequestSaveGameUploadURLResponse(_message.Message):
    __slots__ = ("internal_save_id", "upload_required", "upload_url", "method", "headers", "expires_in_seconds", "conflict_expected")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INTERNAL_SAVE_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_EXPECTED_FIELD_NUMBER: _ClassVar[int]
    internal_save_id: str
    upload_required: bool
    upload_url: str
    method: str
    headers: _containers.ScalarMap[str, str]
    expires_in_seconds: int
    conflict_expected: bool
    def __init__(self, internal_save_id: _Optional[str] = ..., upload_required: _Optional[bool] = ..., upload_url: _Optional[str] = ..., method: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., expires_in_seconds: _Optional[int] = ..., conflict_expected: _Optional[bool] = ...) -> None: ...

class ConfirmSaveGameUploadRequest(_message.Message):
    __slots__ = ("user_id", "internal_save_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_SAVE_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    internal_save_id: str
    def __init__(self, user_id: _Optional[str] = ..., internal_save_id: _Optional[str] = ...) -> None: ...

class ConfirmSaveGameUploadResponse(_message.Message):
    __slots__ = ("save", "result", "resolution", "regresses_to", "new_bytes")
    SAVE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    REGRESSES_TO_FIELD_NUMBER: _ClassVar[int]
    NEW_BYTES_FIELD_NUMBER: _ClassVar[int]
    save: SaveVersion
    result: str
    resolution: str
    regresses_to: int
    new_bytes: int
    def __init__(self, save: _Optional[_Union[SaveVersion, _Mapping]] = ..., result: _Optional[str] = ..., resolution: _Optional[str] = ..., regresses_to: _Optional[int] = ..., new_bytes: _Optional[int] = ...) -> None: ...

class GetSaveUploadRequest(_message.Message):
    __slots__ = ("user_id", "upload_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class GetSaveUploadResponse(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: SaveUpload
    def __init__(self, upload: _Optional[_Union[SaveUpload, _Mapping]] = ...) -> None: ...

class CancelSaveUploadRequest(_message.Message):
    __slots__ = ("user_id", "upload_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class CancelSaveUploadResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReportSaveSyncedRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "device_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    device_id: str
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., device_id: _Optional[str] = ...) -> None: ...

class ReportSaveSyncedResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveUpload(_message.Message):
    __slots__ = ("upload_id", "savegame_id", "product_id", "slot_name", "status", "conflict_expected", "created_at", "expires_at", "missing_bytes", "missing_count", "uploads", "file_count", "base_version", "skipped")
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_EXPECTED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    MISSING_BYTES_FIELD_NUMBER: _ClassVar[int]
    MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    FILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    savegame_id: str
    product_id: str
    slot_name: str
    status: str
    conflict_expected: bool
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    missing_bytes: int
    missing_count: int
    uploads: _containers.RepeatedCompositeFieldContainer[SaveContentUpload]
    file_count: int
    base_version: int
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedFile]
    def __init__(self, upload_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., product_id: _Optional[str] = ..., slot_name: _Optional[str] = ..., status: _Optional[str] = ..., conflict_expected: _Optional[bool] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., missing_bytes: _Optional[int] = ..., missing_count: _Optional[int] = ..., uploads: _Optional[_Iterable[_Union[SaveContentUpload, _Mapping]]] = ..., file_count: _Optional[int] = ..., base_version: _Optional[int] = ..., skipped: _Optional[_Iterable[_Union[SkippedFile, _Mapping]]] = ...) -> None: ...

class SkippedFile(_message.Message):
    __slots__ = ("path", "size_bytes", "max_bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    max_bytes: int
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., max_bytes: _Optional[int] = ...) -> None: ...

class SaveContentUpload(_message.Message):
    __slots__ = ("sha256", "size_bytes", "method", "upload_url", "headers", "part_size_bytes", "parts")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    PART_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    method: str
    upload_url: str
    headers: _containers.ScalarMap[str, str]
    part_size_bytes: int
    parts: _containers.RepeatedCompositeFieldContainer[SavePartUpload]
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., method: _Optional[str] = ..., upload_url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., part_size_bytes: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[SavePartUpload, _Mapping]]] = ...) -> None: ...

class SavePartUpload(_message.Message):
    __slots__ = ("number", "size_bytes", "method", "upload_url", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    number: int
    size_bytes: int
    method: str
    upload_url: str
    headers: _containers.ScalarMap[str, str]
    def __init__(self, number: _Optional[int] = ..., size_bytes: _Optional[int] = ..., method: _Optional[str] = ..., upload_url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SaveFile(_message.Message):
    __slots__ = ("path", "size_bytes", "sha256", "raw_sha256", "raw_size_bytes", "content_encoding", "encryption", "modified_at", "part_sha256", "download_url")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    RAW_SHA256_FIELD_NUMBER: _ClassVar[int]
    RAW_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ENCODING_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    PART_SHA256_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    sha256: str
    raw_sha256: str
    raw_size_bytes: int
    content_encoding: str
    encryption: SaveEncryption
    modified_at: _timestamp_pb2.Timestamp
    part_sha256: _containers.RepeatedScalarFieldContainer[str]
    download_url: str
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., raw_sha256: _Optional[str] = ..., raw_size_bytes: _Optional[int] = ..., content_encoding: _Optional[str] = ..., encryption: _Optional[_Union[SaveEncryption, _Mapping]] = ..., modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., part_sha256: _Optional[_Iterable[str]] = ..., download_url: _Optional[str] = ...) -> None: ...

class BeginSaveUploadRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "save_slot_name", "savegame_id", "base_version", "device_id", "device_name", "files", "put", "remove", "set_sha256", "comment", "playtime_seconds", "client_modified_at", "conflict_policy", "game_version_id", "policy_revision", "confirm_removals")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SAVE_SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    SET_SHA256_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_POLICY_FIELD_NUMBER: _ClassVar[int]
    GAME_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_REMOVALS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    save_slot_name: str
    savegame_id: str
    base_version: int
    device_id: str
    device_name: str
    files: _containers.RepeatedCompositeFieldContainer[SaveFile]
    put: _containers.RepeatedCompositeFieldContainer[SaveFile]
    remove: _containers.RepeatedScalarFieldContainer[str]
    set_sha256: str
    comment: str
    playtime_seconds: int
    client_modified_at: _timestamp_pb2.Timestamp
    conflict_policy: str
    game_version_id: str
    policy_revision: int
    confirm_removals: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., save_slot_name: _Optional[str] = ..., savegame_id: _Optional[str] = ..., base_version: _Optional[int] = ..., device_id: _Optional[str] = ..., device_name: _Optional[str] = ..., files: _Optional[_Iterable[_Union[SaveFile, _Mapping]]] = ..., put: _Optional[_Iterable[_Union[SaveFile, _Mapping]]] = ..., remove: _Optional[_Iterable[str]] = ..., set_sha256: _Optional[str] = ..., comment: _Optional[str] = ..., playtime_seconds: _Optional[int] = ..., client_modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., conflict_policy: _Optional[str] = ..., game_version_id: _Optional[str] = ..., policy_revision: _Optional[int] = ..., confirm_removals: _Optional[int] = ...) -> None: ...

class BeginSaveUploadResponse(_message.Message):
    __slots__ = ("upload", "expires_in_seconds")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    upload: SaveUpload
    expires_in_seconds: int
    def __init__(self, upload: _Optional[_Union[SaveUpload, _Mapping]] = ..., expires_in_seconds: _Optional[int] = ...) -> None: ...

class CommitSaveUploadRequest(_message.Message):
    __slots__ = ("user_id", "upload_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class CommitSaveUploadResponse(_message.Message):
    __slots__ = ("save", "result", "resolution", "regresses_to", "is_verifying", "verified_count", "total_count", "new_bytes")
    SAVE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    REGRESSES_TO_FIELD_NUMBER: _ClassVar[int]
    IS_VERIFYING_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEW_BYTES_FIELD_NUMBER: _ClassVar[int]
    save: SaveVersion
    result: str
    resolution: str
    regresses_to: int
    is_verifying: bool
    verified_count: int
    total_count: int
    new_bytes: int
    def __init__(self, save: _Optional[_Union[SaveVersion, _Mapping]] = ..., result: _Optional[str] = ..., resolution: _Optional[str] = ..., regresses_to: _Optional[int] = ..., is_verifying: _Optional[bool] = ..., verified_count: _Optional[int] = ..., total_count: _Optional[int] = ..., new_bytes: _Optional[int] = ...) -> None: ...

class PlanSavesRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "device_id", "device_name", "policy_revision", "game_version_id", "intent", "slots")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    GAME_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    device_id: str
    device_name: str
    policy_revision: int
    game_version_id: str
    intent: str
    slots: _containers.RepeatedCompositeFieldContainer[AskedSaveSlot]
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., device_id: _Optional[str] = ..., device_name: _Optional[str] = ..., policy_revision: _Optional[int] = ..., game_version_id: _Optional[str] = ..., intent: _Optional[str] = ..., slots: _Optional[_Iterable[_Union[AskedSaveSlot, _Mapping]]] = ...) -> None: ...

class AskedSaveSlot(_message.Message):
    __slots__ = ("slot_name", "savegame_id", "base_version", "content_hash", "units")
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    slot_name: str
    savegame_id: str
    base_version: int
    content_hash: str
    units: _containers.RepeatedCompositeFieldContainer[SaveUnitHash]
    def __init__(self, slot_name: _Optional[str] = ..., savegame_id: _Optional[str] = ..., base_version: _Optional[int] = ..., content_hash: _Optional[str] = ..., units: _Optional[_Iterable[_Union[SaveUnitHash, _Mapping]]] = ...) -> None: ...

class SaveUnitHash(_message.Message):
    __slots__ = ("name", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class PlanSavesResponse(_message.Message):
    __slots__ = ("slots", "others", "proceed", "policy_revision", "auto_sync")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    PROCEED_FIELD_NUMBER: _ClassVar[int]
    POLICY_REVISION_FIELD_NUMBER: _ClassVar[int]
    AUTO_SYNC_FIELD_NUMBER: _ClassVar[int]
    slots: _containers.RepeatedCompositeFieldContainer[PlannedSaveSlot]
    others: _containers.RepeatedCompositeFieldContainer[OtherDevice]
    proceed: str
    policy_revision: int
    auto_sync: bool
    def __init__(self, slots: _Optional[_Iterable[_Union[PlannedSaveSlot, _Mapping]]] = ..., others: _Optional[_Iterable[_Union[OtherDevice, _Mapping]]] = ..., proceed: _Optional[str] = ..., policy_revision: _Optional[int] = ..., auto_sync: _Optional[bool] = ...) -> None: ...

class PlannedSaveSlot(_message.Message):
    __slots__ = ("slot_name", "action", "reason", "savegame_id", "head_version", "branch_version", "conflict_id", "regresses_to", "written_by_newer_version")
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    HEAD_VERSION_FIELD_NUMBER: _ClassVar[int]
    BRANCH_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_ID_FIELD_NUMBER: _ClassVar[int]
    REGRESSES_TO_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BY_NEWER_VERSION_FIELD_NUMBER: _ClassVar[int]
    slot_name: str
    action: str
    reason: str
    savegame_id: str
    head_version: int
    branch_version: int
    conflict_id: str
    regresses_to: int
    written_by_newer_version: str
    def __init__(self, slot_name: _Optional[str] = ..., action: _Optional[str] = ..., reason: _Optional[str] = ..., savegame_id: _Optional[str] = ..., head_version: _Optional[int] = ..., branch_version: _Optional[int] = ..., conflict_id: _Optional[str] = ..., regresses_to: _Optional[int] = ..., written_by_newer_version: _Optional[str] = ...) -> None: ...

class OtherDevice(_message.Message):
    __slots__ = ("device_id", "device_name", "state", "slot_name", "since", "unsynced_playtime_seconds")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNSYNCED_PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    device_name: str
    state: str
    slot_name: str
    since: _timestamp_pb2.Timestamp
    unsynced_playtime_seconds: int
    def __init__(self, device_id: _Optional[str] = ..., device_name: _Optional[str] = ..., state: _Optional[str] = ..., slot_name: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unsynced_playtime_seconds: _Optional[int] = ...) -> None: ...

class RequestSaveDownloadRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "have", "have_version", "device_id", "want")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    HAVE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    have: _containers.RepeatedScalarFieldContainer[str]
    have_version: int
    device_id: str
    want: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., have: _Optional[_Iterable[str]] = ..., have_version: _Optional[int] = ..., device_id: _Optional[str] = ..., want: _Optional[_Iterable[str]] = ...) -> None: ...

class RequestSaveDownloadResponse(_message.Message):
    __slots__ = ("save", "files", "missing_bytes", "missing_count", "expires_in_seconds")
    SAVE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    MISSING_BYTES_FIELD_NUMBER: _ClassVar[int]
    MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    save: SaveVersion
    files: _containers.RepeatedCompositeFieldContainer[SaveFile]
    missing_bytes: int
    missing_count: int
    expires_in_seconds: int
    def __init__(self, save: _Optional[_Union[SaveVersion, _Mapping]] = ..., files: _Optional[_Iterable[_Union[SaveFile, _Mapping]]] = ..., missing_bytes: _Optional[int] = ..., missing_count: _Optional[int] = ..., expires_in_seconds: _Optional[int] = ...) -> None: ...

class ListSaveFilesRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSaveFilesResponse(_message.Message):
    __slots__ = ("files", "total_items")
    FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[SaveFile]
    total_items: int
    def __init__(self, files: _Optional[_Iterable[_Union[SaveFile, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class GetSavePolicyRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class GetSavePolicyResponse(_message.Message):
    __slots__ = ("revision", "source", "policy")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    revision: int
    source: str
    policy: str
    def __init__(self, revision: _Optional[int] = ..., source: _Optional[str] = ..., policy: _Optional[str] = ...) -> None: ...

class ListSaveGamesRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSaveGamesResponse(_message.Message):
    __slots__ = ("saves", "total_items")
    SAVES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    saves: _containers.RepeatedCompositeFieldContainer[SaveVersion]
    total_items: int
    def __init__(self, saves: _Optional[_Iterable[_Union[SaveVersion, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class RequestSaveGameDownloadURLRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "device_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    device_id: str
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., device_id: _Optional[str] = ...) -> None: ...

class RequestSaveGameDownloadURLResponse(_message.Message):
    __slots__ = ("download_url", "expires_in_seconds", "save")
    DOWNLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SAVE_FIELD_NUMBER: _ClassVar[int]
    download_url: str
    expires_in_seconds: int
    save: SaveVersion
    def __init__(self, download_url: _Optional[str] = ..., expires_in_seconds: _Optional[int] = ..., save: _Optional[_Union[SaveVersion, _Mapping]] = ...) -> None: ...

class ListConflictsRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "total_items")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[SaveConflict]
    total_items: int
    def __init__(self, conflicts: _Optional[_Iterable[_Union[SaveConflict, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class ResolveConflictRequest(_message.Message):
    __slots__ = ("user_id", "conflict_id", "resolution", "copy_slot_name", "head_version", "branch_version", "units")
    class UnitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SaveSide
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SaveSide, str]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    COPY_SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    HEAD_VERSION_FIELD_NUMBER: _ClassVar[int]
    BRANCH_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    conflict_id: str
    resolution: SaveResolution
    copy_slot_name: str
    head_version: int
    branch_version: int
    units: _containers.ScalarMap[str, SaveSide]
    def __init__(self, user_id: _Optional[str] = ..., conflict_id: _Optional[str] = ..., resolution: _Optional[_Union[SaveResolution, str]] = ..., copy_slot_name: _Optional[str] = ..., head_version: _Optional[int] = ..., branch_version: _Optional[int] = ..., units: _Optional[_Mapping[str, SaveSide]] = ...) -> None: ...

class ResolveConflictResponse(_message.Message):
    __slots__ = ("head", "copy_savegame_id")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    COPY_SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    head: SaveVersion
    copy_savegame_id: str
    def __init__(self, head: _Optional[_Union[SaveVersion, _Mapping]] = ..., copy_savegame_id: _Optional[str] = ...) -> None: ...

class SaveConflict(_message.Message):
    __slots__ = ("conflict_id", "opened_at", "head", "branch", "base_version", "differences_count")
    CONFLICT_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_COUNT_FIELD_NUMBER: _ClassVar[int]
    conflict_id: str
    opened_at: _timestamp_pb2.Timestamp
    head: SaveVersion
    branch: SaveVersion
    base_version: int
    differences_count: int
    def __init__(self, conflict_id: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., head: _Optional[_Union[SaveVersion, _Mapping]] = ..., branch: _Optional[_Union[SaveVersion, _Mapping]] = ..., base_version: _Optional[int] = ..., differences_count: _Optional[int] = ...) -> None: ...

class SaveVersion(_message.Message):
    __slots__ = ("savegame_id", "product_id", "slot_name", "version", "parent_version", "merged_version", "status", "file_size_bytes", "file_hash_sha256", "client_modified_at", "server_uploaded_at", "device_id", "comment", "is_pinned", "playtime_seconds", "content_encoding", "encryption", "content_identity", "deleted_at", "file_count", "game_version_id")
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MERGED_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_HASH_SHA256_FIELD_NUMBER: _ClassVar[int]
    CLIENT_MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    SERVER_UPLOADED_AT_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    IS_PINNED_FIELD_NUMBER: _ClassVar[int]
    PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ENCODING_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    FILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    GAME_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    savegame_id: str
    product_id: str
    slot_name: str
    version: int
    parent_version: int
    merged_version: int
    status: str
    file_size_bytes: int
    file_hash_sha256: str
    client_modified_at: _timestamp_pb2.Timestamp
    server_uploaded_at: _timestamp_pb2.Timestamp
    device_id: str
    comment: str
    is_pinned: bool
    playtime_seconds: int
    content_encoding: str
    encryption: SaveEncryption
    content_identity: str
    deleted_at: _timestamp_pb2.Timestamp
    file_count: int
    game_version_id: str
    def __init__(self, savegame_id: _Optional[str] = ..., product_id: _Optional[str] = ..., slot_name: _Optional[str] = ..., version: _Optional[int] = ..., parent_version: _Optional[int] = ..., merged_version: _Optional[int] = ..., status: _Optional[str] = ..., file_size_bytes: _Optional[int] = ..., file_hash_sha256: _Optional[str] = ..., client_modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., server_uploaded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., device_id: _Optional[str] = ..., comment: _Optional[str] = ..., is_pinned: _Optional[bool] = ..., playtime_seconds: _Optional[int] = ..., content_encoding: _Optional[str] = ..., encryption: _Optional[_Union[SaveEncryption, _Mapping]] = ..., content_identity: _Optional[str] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., file_count: _Optional[int] = ..., game_version_id: _Optional[str] = ...) -> None: ...
