import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_library_pb2 as _admin_library_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowOrderRequest(_message.Message):
    __slots__ = ("order_id", "user_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    user_id: str
    def __init__(self, order_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class ShowOrderResponse(_message.Message):
    __slots__ = ("order_id", "user_id", "other_user_ids", "products", "events", "dead_letters")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    user_id: str
    other_user_ids: _containers.RepeatedScalarFieldContainer[str]
    products: _containers.RepeatedCompositeFieldContainer[AdminOrderedProduct]
    events: _containers.RepeatedCompositeFieldContainer[AppliedEvent]
    dead_letters: _containers.RepeatedCompositeFieldContainer[OrderDeadLetter]
    def __init__(self, order_id: _Optional[str] = ..., user_id: _Optional[str] = ..., other_user_ids: _Optional[_Iterable[str]] = ..., products: _Optional[_Iterable[_Union[AdminOrderedProduct, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[AppliedEvent, _Mapping]]] = ..., dead_letters: _Optional[_Iterable[_Union[OrderDeadLetter, _Mapping]]] = ...) -> None: ...

class AdminOrderedProduct(_message.Message):
    __slots__ = ("product_id", "title", "grant", "heard_at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    HEARD_AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    title: str
    grant: _admin_library_pb2.AdminGrant
    heard_at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., title: _Optional[str] = ..., grant: _Optional[_Union[_admin_library_pb2.AdminGrant, _Mapping]] = ..., heard_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AppliedEvent(_message.Message):
    __slots__ = ("source", "event_id", "received_at")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    source: str
    event_id: str
    received_at: _timestamp_pb2.Timestamp
    def __init__(self, source: _Optional[str] = ..., event_id: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OrderDeadLetter(_message.Message):
    __slots__ = ("dead_letter_id", "topic", "reason", "detail", "created_at")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    topic: str
    reason: str
    detail: str
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, dead_letter_id: _Optional[str] = ..., topic: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
