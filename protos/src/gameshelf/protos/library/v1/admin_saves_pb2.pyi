import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as _cloud_save_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListSavesRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "page", "limit", "in_trash")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    IN_TRASH_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    page: int
    limit: int
    in_trash: bool
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ..., in_trash: _Optional[bool] = ...) -> None: ...

class ListSavesResponse(_message.Message):
    __slots__ = ("saves", "total_items")
    SAVES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    saves: _containers.RepeatedCompositeFieldContainer[AdminSave]
    total_items: int
    def __init__(self, saves: _Optional[_Iterable[_Union[AdminSave, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class AdminSave(_message.Message):
    __slots__ = ("head", "deleted_at", "has_conflict", "title")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    HAS_CONFLICT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    head: _cloud_save_service_pb2.SaveVersion
    deleted_at: _timestamp_pb2.Timestamp
    has_conflict: bool
    title: str
    def __init__(self, head: _Optional[_Union[_cloud_save_service_pb2.SaveVersion, _Mapping]] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., has_conflict: _Optional[bool] = ..., title: _Optional[str] = ...) -> None: ...

class ListSaveVersionsRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSaveVersionsResponse(_message.Message):
    __slots__ = ("versions", "total_items", "deleted_at")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[_cloud_save_service_pb2.SaveVersion]
    total_items: int
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, versions: _Optional[_Iterable[_Union[_cloud_save_service_pb2.SaveVersion, _Mapping]]] = ..., total_items: _Optional[int] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSaveFilesOfUserRequest(_message.Message):
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

class ListSaveFilesOfUserResponse(_message.Message):
    __slots__ = ("save", "files", "total_items")
    SAVE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    save: _cloud_save_service_pb2.SaveVersion
    files: _containers.RepeatedCompositeFieldContainer[_cloud_save_service_pb2.SaveFile]
    total_items: int
    def __init__(self, save: _Optional[_Union[_cloud_save_service_pb2.SaveVersion, _Mapping]] = ..., files: _Optional[_Iterable[_Union[_cloud_save_service_pb2.SaveFile, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class ListSaveUploadsRequest(_message.Message):
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

class ListSaveUploadsResponse(_message.Message):
    __slots__ = ("uploads", "total_items")
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[AdminSaveUpload]
    total_items: int
    def __init__(self, uploads: _Optional[_Iterable[_Union[AdminSaveUpload, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class AdminSaveUpload(_message.Message):
    __slots__ = ("upload", "file_size_bytes", "file_hash_sha256", "content_identity", "base_version", "device_id", "title")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_HASH_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONTENT_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    upload: _cloud_save_service_pb2.SaveUpload
    file_size_bytes: int
    file_hash_sha256: str
    content_identity: str
    base_version: int
    device_id: str
    title: str
    def __init__(self, upload: _Optional[_Union[_cloud_save_service_pb2.SaveUpload, _Mapping]] = ..., file_size_bytes: _Optional[int] = ..., file_hash_sha256: _Optional[str] = ..., content_identity: _Optional[str] = ..., base_version: _Optional[int] = ..., device_id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class CancelSaveUploadOfUserRequest(_message.Message):
    __slots__ = ("user_id", "upload_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class CancelSaveUploadOfUserResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class DownloadSaveRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "path")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    path: str
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., path: _Optional[str] = ...) -> None: ...

class DownloadSaveResponse(_message.Message):
    __slots__ = ("save", "download_url", "expires_in_seconds", "file")
    SAVE_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    save: _cloud_save_service_pb2.SaveVersion
    download_url: str
    expires_in_seconds: int
    file: _cloud_save_service_pb2.SaveFile
    def __init__(self, save: _Optional[_Union[_cloud_save_service_pb2.SaveVersion, _Mapping]] = ..., download_url: _Optional[str] = ..., expires_in_seconds: _Optional[int] = ..., file: _Optional[_Union[_cloud_save_service_pb2.SaveFile, _Mapping]] = ...) -> None: ...

class RestoreSaveRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RestoreSaveResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class PinSaveRequest(_message.Message):
    __slots__ = ("user_id", "savegame_id", "version", "is_pinned", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_PINNED_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    savegame_id: str
    version: int
    is_pinned: bool
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., savegame_id: _Optional[str] = ..., version: _Optional[int] = ..., is_pinned: _Optional[bool] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class PinSaveResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ReconcileSavesRequest(_message.Message):
    __slots__ = ("cursor", "change")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, cursor: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class ReconcileSavesResponse(_message.Message):
    __slots__ = ("next_cursor", "objects", "adopted", "missing", "refused", "is_restore_open", "audit_ids")
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    ADOPTED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    IS_RESTORE_OPEN_FIELD_NUMBER: _ClassVar[int]
    AUDIT_IDS_FIELD_NUMBER: _ClassVar[int]
    next_cursor: str
    objects: int
    adopted: _containers.RepeatedCompositeFieldContainer[ReconciledObject]
    missing: _containers.RepeatedCompositeFieldContainer[ReconciledObject]
    refused: _containers.RepeatedCompositeFieldContainer[ReconciledObject]
    is_restore_open: bool
    audit_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, next_cursor: _Optional[str] = ..., objects: _Optional[int] = ..., adopted: _Optional[_Iterable[_Union[ReconciledObject, _Mapping]]] = ..., missing: _Optional[_Iterable[_Union[ReconciledObject, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[ReconciledObject, _Mapping]]] = ..., is_restore_open: _Optional[bool] = ..., audit_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReconciledObject(_message.Message):
    __slots__ = ("key", "user_id", "product_id", "slot_name", "version", "file_size_bytes", "outcome", "savegame_id", "detail")
    KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SAVEGAME_ID_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    key: str
    user_id: str
    product_id: str
    slot_name: str
    version: int
    file_size_bytes: int
    outcome: str
    savegame_id: str
    detail: str
    def __init__(self, key: _Optional[str] = ..., user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., slot_name: _Optional[str] = ..., version: _Optional[int] = ..., file_size_bytes: _Optional[int] = ..., outcome: _Optional[str] = ..., savegame_id: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class ListSaveConflictsRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "cursor", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    cursor: str
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSaveConflictsResponse(_message.Message):
    __slots__ = ("conflicts", "next_cursor")
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    conflicts: _containers.RepeatedCompositeFieldContainer[AdminConflict]
    next_cursor: str
    def __init__(self, conflicts: _Optional[_Iterable[_Union[AdminConflict, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class AdminConflict(_message.Message):
    __slots__ = ("user_id", "conflict", "title")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    conflict: _cloud_save_service_pb2.SaveConflict
    title: str
    def __init__(self, user_id: _Optional[str] = ..., conflict: _Optional[_Union[_cloud_save_service_pb2.SaveConflict, _Mapping]] = ..., title: _Optional[str] = ...) -> None: ...

class ShowSaveConflictRequest(_message.Message):
    __slots__ = ("user_id", "conflict_id", "differences_page")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_ID_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_PAGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    conflict_id: str
    differences_page: int
    def __init__(self, user_id: _Optional[str] = ..., conflict_id: _Optional[str] = ..., differences_page: _Optional[int] = ...) -> None: ...

class ShowSaveConflictResponse(_message.Message):
    __slots__ = ("conflict", "versions", "title", "differences", "unit_count", "unnamed_count")
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    UNIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNNAMED_COUNT_FIELD_NUMBER: _ClassVar[int]
    conflict: _cloud_save_service_pb2.SaveConflict
    versions: _containers.RepeatedCompositeFieldContainer[_cloud_save_service_pb2.SaveVersion]
    title: str
    differences: _containers.RepeatedCompositeFieldContainer[SaveDifference]
    unit_count: int
    unnamed_count: int
    def __init__(self, conflict: _Optional[_Union[_cloud_save_service_pb2.SaveConflict, _Mapping]] = ..., versions: _Optional[_Iterable[_Union[_cloud_save_service_pb2.SaveVersion, _Mapping]]] = ..., title: _Optional[str] = ..., differences: _Optional[_Iterable[_Union[SaveDifference, _Mapping]]] = ..., unit_count: _Optional[int] = ..., unnamed_count: _Optional[int] = ...) -> None: ...

class SaveDifference(_message.Message):
    __slots__ = ("path", "unit", "kind", "suggested", "base", "head", "branch")
    PATH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    path: str
    unit: str
    kind: str
    suggested: _cloud_save_service_pb2.SaveSide
    base: SaveDifferenceSide
    head: SaveDifferenceSide
    branch: SaveDifferenceSide
    def __init__(self, path: _Optional[str] = ..., unit: _Optional[str] = ..., kind: _Optional[str] = ..., suggested: _Optional[_Union[_cloud_save_service_pb2.SaveSide, str]] = ..., base: _Optional[_Union[SaveDifferenceSide, _Mapping]] = ..., head: _Optional[_Union[SaveDifferenceSide, _Mapping]] = ..., branch: _Optional[_Union[SaveDifferenceSide, _Mapping]] = ...) -> None: ...

class SaveDifferenceSide(_message.Message):
    __slots__ = ("sha256", "size_bytes", "modified_at")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    modified_at: _timestamp_pb2.Timestamp
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResolveSaveConflictRequest(_message.Message):
    __slots__ = ("user_id", "conflict_id", "resolution", "copy_slot_name", "change", "units")
    class UnitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _cloud_save_service_pb2.SaveSide
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_cloud_save_service_pb2.SaveSide, str]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    COPY_SLOT_NAME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    conflict_id: str
    resolution: _cloud_save_service_pb2.SaveResolution
    copy_slot_name: str
    change: _admin_change_pb2.ChangeOptions
    units: _containers.ScalarMap[str, _cloud_save_service_pb2.SaveSide]
    def __init__(self, user_id: _Optional[str] = ..., conflict_id: _Optional[str] = ..., resolution: _Optional[_Union[_cloud_save_service_pb2.SaveResolution, str]] = ..., copy_slot_name: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ..., units: _Optional[_Mapping[str, _cloud_save_service_pb2.SaveSide]] = ...) -> None: ...

class ResolveSaveConflictResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ShowQuotaRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ShowQuotaResponse(_message.Message):
    __slots__ = ("used_bytes", "reserved_bytes", "limit_bytes", "is_override", "default_limit_bytes", "product_limit_bytes", "products")
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    IS_OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    used_bytes: int
    reserved_bytes: int
    limit_bytes: int
    is_override: bool
    default_limit_bytes: int
    product_limit_bytes: int
    products: _containers.RepeatedCompositeFieldContainer[ProductQuota]
    def __init__(self, used_bytes: _Optional[int] = ..., reserved_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., is_override: _Optional[bool] = ..., default_limit_bytes: _Optional[int] = ..., product_limit_bytes: _Optional[int] = ..., products: _Optional[_Iterable[_Union[ProductQuota, _Mapping]]] = ...) -> None: ...

class ProductQuota(_message.Message):
    __slots__ = ("product_id", "title", "used_bytes", "reserved_bytes")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    title: str
    used_bytes: int
    reserved_bytes: int
    def __init__(self, product_id: _Optional[str] = ..., title: _Optional[str] = ..., used_bytes: _Optional[int] = ..., reserved_bytes: _Optional[int] = ...) -> None: ...

class SetQuotaRequest(_message.Message):
    __slots__ = ("user_id", "limit_bytes", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    limit_bytes: int
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., limit_bytes: _Optional[int] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class SetQuotaResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ResetQuotaRequest(_message.Message):
    __slots__ = ("user_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class ResetQuotaResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ListTopQuotasRequest(_message.Message):
    __slots__ = ("limit", "cursor")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    limit: int
    cursor: str
    def __init__(self, limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListTopQuotasResponse(_message.Message):
    __slots__ = ("users", "next_cursor", "looked_at")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[UserQuota]
    next_cursor: str
    looked_at: int
    def __init__(self, users: _Optional[_Iterable[_Union[UserQuota, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., looked_at: _Optional[int] = ...) -> None: ...

class UserQuota(_message.Message):
    __slots__ = ("user_id", "used_bytes", "limit_bytes", "is_override")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    IS_OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    used_bytes: int
    limit_bytes: int
    is_override: bool
    def __init__(self, user_id: _Optional[str] = ..., used_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., is_override: _Optional[bool] = ...) -> None: ...

class RecalculateQuotaRequest(_message.Message):
    __slots__ = ("user_id", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    cursor: str
    def __init__(self, user_id: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class RecalculateQuotaResponse(_message.Message):
    __slots__ = ("next_cursor", "stored_objects", "stored_bytes", "counted_objects", "counted_bytes", "differences")
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    STORED_OBJECTS_FIELD_NUMBER: _ClassVar[int]
    STORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COUNTED_OBJECTS_FIELD_NUMBER: _ClassVar[int]
    COUNTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    next_cursor: str
    stored_objects: int
    stored_bytes: int
    counted_objects: int
    counted_bytes: int
    differences: _containers.RepeatedCompositeFieldContainer[QuotaDifference]
    def __init__(self, next_cursor: _Optional[str] = ..., stored_objects: _Optional[int] = ..., stored_bytes: _Optional[int] = ..., counted_objects: _Optional[int] = ..., counted_bytes: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[QuotaDifference, _Mapping]]] = ...) -> None: ...

class QuotaDifference(_message.Message):
    __slots__ = ("key", "stored_bytes", "counted_bytes", "kind")
    KEY_FIELD_NUMBER: _ClassVar[int]
    STORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COUNTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    key: str
    stored_bytes: int
    counted_bytes: int
    kind: str
    def __init__(self, key: _Optional[str] = ..., stored_bytes: _Optional[int] = ..., counted_bytes: _Optional[int] = ..., kind: _Optional[str] = ...) -> None: ...
