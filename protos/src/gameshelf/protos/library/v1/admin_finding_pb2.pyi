import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindRequest(_message.Message):
    __slots__ = ("sought",)
    SOUGHT_FIELD_NUMBER: _ClassVar[int]
    sought: str
    def __init__(self, sought: _Optional[str] = ...) -> None: ...

class FindResponse(_message.Message):
    __slots__ = ("objects", "kinds_with_more", "accounts")
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    KINDS_WITH_MORE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    objects: _containers.RepeatedCompositeFieldContainer[FoundObject]
    kinds_with_more: _containers.RepeatedScalarFieldContainer[str]
    accounts: str
    def __init__(self, objects: _Optional[_Iterable[_Union[FoundObject, _Mapping]]] = ..., kinds_with_more: _Optional[_Iterable[str]] = ..., accounts: _Optional[str] = ...) -> None: ...

class FoundObject(_message.Message):
    __slots__ = ("kind", "id", "user_id", "other_user_id", "product_id", "title", "name", "state", "created_at", "parent_id", "products")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    user_id: str
    other_user_id: str
    product_id: str
    title: str
    name: str
    state: str
    created_at: _timestamp_pb2.Timestamp
    parent_id: str
    products: int
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., user_id: _Optional[str] = ..., other_user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent_id: _Optional[str] = ..., products: _Optional[int] = ...) -> None: ...
