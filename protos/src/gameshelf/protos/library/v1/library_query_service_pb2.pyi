import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetLibraryItemsRequest(_message.Message):
    __slots__ = ("user_id", "product_ids_filter", "device_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_IDS_FILTER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_ids_filter: _containers.RepeatedScalarFieldContainer[str]
    device_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_ids_filter: _Optional[_Iterable[str]] = ..., device_id: _Optional[str] = ...) -> None: ...

class GetLibraryItemsResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[LibraryItemInternal]
    def __init__(self, items: _Optional[_Iterable[_Union[LibraryItemInternal, _Mapping]]] = ...) -> None: ...

class LibraryItemInternal(_message.Message):
    __slots__ = ("product_id", "added_at", "installation_status", "total_playtime_seconds", "library_item_id", "acquisition_type", "shared_from_user_id", "last_played_at", "is_hidden", "installed_version_id", "installations")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    INSTALLATION_STATUS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FROM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_PLAYED_AT_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    INSTALLATIONS_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    added_at: _timestamp_pb2.Timestamp
    installation_status: str
    total_playtime_seconds: int
    library_item_id: str
    acquisition_type: str
    shared_from_user_id: str
    last_played_at: _timestamp_pb2.Timestamp
    is_hidden: bool
    installed_version_id: str
    installations: _containers.RepeatedCompositeFieldContainer[Installation]
    def __init__(self, product_id: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., installation_status: _Optional[str] = ..., total_playtime_seconds: _Optional[int] = ..., library_item_id: _Optional[str] = ..., acquisition_type: _Optional[str] = ..., shared_from_user_id: _Optional[str] = ..., last_played_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_hidden: _Optional[bool] = ..., installed_version_id: _Optional[str] = ..., installations: _Optional[_Iterable[_Union[Installation, _Mapping]]] = ...) -> None: ...

class Installation(_message.Message):
    __slots__ = ("device_id", "installation_status", "installed_version_id", "changed_at")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    INSTALLATION_STATUS_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    installation_status: str
    installed_version_id: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, device_id: _Optional[str] = ..., installation_status: _Optional[str] = ..., installed_version_id: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckGameAccessRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class CheckGameAccessResponse(_message.Message):
    __slots__ = ("has_access", "acquisition_date", "access_type", "shared_from_user_id", "reason")
    HAS_ACCESS_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_DATE_FIELD_NUMBER: _ClassVar[int]
    ACCESS_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FROM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    has_access: bool
    acquisition_date: _timestamp_pb2.Timestamp
    access_type: str
    shared_from_user_id: str
    reason: str
    def __init__(self, has_access: _Optional[bool] = ..., acquisition_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., access_type: _Optional[str] = ..., shared_from_user_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class BatchCheckGameAccessRequest(_message.Message):
    __slots__ = ("pairs",)
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[CheckGameAccessRequest]
    def __init__(self, pairs: _Optional[_Iterable[_Union[CheckGameAccessRequest, _Mapping]]] = ...) -> None: ...

class BatchCheckGameAccessResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CheckGameAccessResponse]
    def __init__(self, results: _Optional[_Iterable[_Union[CheckGameAccessResponse, _Mapping]]] = ...) -> None: ...
