import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListFamilyLinksRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListFamilyLinksResponse(_message.Message):
    __slots__ = ("as_owner", "as_member", "total_as_owner", "total_as_member")
    AS_OWNER_FIELD_NUMBER: _ClassVar[int]
    AS_MEMBER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AS_OWNER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AS_MEMBER_FIELD_NUMBER: _ClassVar[int]
    as_owner: _containers.RepeatedCompositeFieldContainer[AdminFamilyLink]
    as_member: _containers.RepeatedCompositeFieldContainer[AdminFamilyLink]
    total_as_owner: int
    total_as_member: int
    def __init__(self, as_owner: _Optional[_Iterable[_Union[AdminFamilyLink, _Mapping]]] = ..., as_member: _Optional[_Iterable[_Union[AdminFamilyLink, _Mapping]]] = ..., total_as_owner: _Optional[int] = ..., total_as_member: _Optional[int] = ...) -> None: ...

class AdminFamilyLink(_message.Message):
    __slots__ = ("link_id", "owner_user_id", "shared_with_user_id", "status", "mode", "product_ids", "expires_at", "shared_at", "active_since", "last_access_at", "updated_at")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_USER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    SHARED_AT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_ACCESS_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    link_id: str
    owner_user_id: str
    shared_with_user_id: str
    status: str
    mode: str
    product_ids: _containers.RepeatedScalarFieldContainer[str]
    expires_at: _timestamp_pb2.Timestamp
    shared_at: _timestamp_pb2.Timestamp
    active_since: _timestamp_pb2.Timestamp
    last_access_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, link_id: _Optional[str] = ..., owner_user_id: _Optional[str] = ..., shared_with_user_id: _Optional[str] = ..., status: _Optional[str] = ..., mode: _Optional[str] = ..., product_ids: _Optional[_Iterable[str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shared_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., active_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_access_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ShowFamilyLinkRequest(_message.Message):
    __slots__ = ("user_id", "link_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    link_id: str
    def __init__(self, user_id: _Optional[str] = ..., link_id: _Optional[str] = ...) -> None: ...

class ShowFamilyLinkResponse(_message.Message):
    __slots__ = ("link", "seats", "products")
    LINK_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    link: AdminFamilyLink
    seats: _containers.RepeatedCompositeFieldContainer[AdminFamilySeat]
    products: _containers.RepeatedCompositeFieldContainer[ScopedProduct]
    def __init__(self, link: _Optional[_Union[AdminFamilyLink, _Mapping]] = ..., seats: _Optional[_Iterable[_Union[AdminFamilySeat, _Mapping]]] = ..., products: _Optional[_Iterable[_Union[ScopedProduct, _Mapping]]] = ...) -> None: ...

class ScopedProduct(_message.Message):
    __slots__ = ("product_id", "title")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    title: str
    def __init__(self, product_id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class RevokeFamilyLinkRequest(_message.Message):
    __slots__ = ("user_id", "link_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    link_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., link_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RevokeFamilyLinkResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ReopenFamilyLinkRequest(_message.Message):
    __slots__ = ("user_id", "link_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    link_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., link_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class ReopenFamilyLinkResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ListFamilySeatsRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListFamilySeatsResponse(_message.Message):
    __slots__ = ("seats",)
    SEATS_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[AdminFamilySeat]
    def __init__(self, seats: _Optional[_Iterable[_Union[AdminFamilySeat, _Mapping]]] = ...) -> None: ...

class AdminFamilySeat(_message.Message):
    __slots__ = ("owner_user_id", "product_id", "title", "seat_number", "held_by_user_id", "session_id", "since", "lost_at", "session_runs")
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SEAT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HELD_BY_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LOST_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_RUNS_FIELD_NUMBER: _ClassVar[int]
    owner_user_id: str
    product_id: str
    title: str
    seat_number: int
    held_by_user_id: str
    session_id: str
    since: _timestamp_pb2.Timestamp
    lost_at: _timestamp_pb2.Timestamp
    session_runs: bool
    def __init__(self, owner_user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., seat_number: _Optional[int] = ..., held_by_user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lost_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_runs: _Optional[bool] = ...) -> None: ...

class ReleaseFamilySeatRequest(_message.Message):
    __slots__ = ("owner_user_id", "product_id", "change")
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    owner_user_id: str
    product_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, owner_user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class ReleaseFamilySeatResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...
