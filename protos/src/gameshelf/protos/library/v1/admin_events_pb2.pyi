import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowOutboxRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShowOutboxResponse(_message.Message):
    __slots__ = ("pending", "lag_seconds", "topics", "forwarded", "is_more", "refused", "is_more_refused")
    PENDING_FIELD_NUMBER: _ClassVar[int]
    LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    FORWARDED_FIELD_NUMBER: _ClassVar[int]
    IS_MORE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    IS_MORE_REFUSED_FIELD_NUMBER: _ClassVar[int]
    pending: int
    lag_seconds: float
    topics: _containers.RepeatedCompositeFieldContainer[OutboxTopic]
    forwarded: int
    is_more: bool
    refused: _containers.RepeatedCompositeFieldContainer[RefusedRecords]
    is_more_refused: bool
    def __init__(self, pending: _Optional[int] = ..., lag_seconds: _Optional[float] = ..., topics: _Optional[_Iterable[_Union[OutboxTopic, _Mapping]]] = ..., forwarded: _Optional[int] = ..., is_more: _Optional[bool] = ..., refused: _Optional[_Iterable[_Union[RefusedRecords, _Mapping]]] = ..., is_more_refused: _Optional[bool] = ...) -> None: ...

class RefusedRecords(_message.Message):
    __slots__ = ("topic", "reason", "count", "oldest_at", "detail")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    topic: str
    reason: str
    count: int
    oldest_at: _timestamp_pb2.Timestamp
    detail: str
    def __init__(self, topic: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., oldest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...

class OutboxTopic(_message.Message):
    __slots__ = ("topic", "pending", "oldest_at", "is_more")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AT_FIELD_NUMBER: _ClassVar[int]
    IS_MORE_FIELD_NUMBER: _ClassVar[int]
    topic: str
    pending: int
    oldest_at: _timestamp_pb2.Timestamp
    is_more: bool
    def __init__(self, topic: _Optional[str] = ..., pending: _Optional[int] = ..., oldest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_more: _Optional[bool] = ...) -> None: ...

class DeadLetterFilter(_message.Message):
    __slots__ = ("topic", "reason", "user_id", "since", "until", "dead_letter_id")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    topic: str
    reason: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    dead_letter_id: str
    def __init__(self, topic: _Optional[str] = ..., reason: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dead_letter_id: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("filter", "cursor", "limit")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    filter: DeadLetterFilter
    cursor: str
    limit: int
    def __init__(self, filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_cursor", "total", "is_more")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    IS_MORE_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_cursor: str
    total: int
    is_more: bool
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., total: _Optional[int] = ..., is_more: _Optional[bool] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("dead_letter_id", "user_id", "topic", "reason", "detail", "created_at", "value", "value_size", "key", "can_replay")
    DEAD_LETTER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CAN_REPLAY_FIELD_NUMBER: _ClassVar[int]
    dead_letter_id: str
    user_id: str
    topic: str
    reason: str
    detail: str
    created_at: _timestamp_pb2.Timestamp
    value: bytes
    value_size: int
    key: bytes
    can_replay: bool
    def __init__(self, dead_letter_id: _Optional[str] = ..., user_id: _Optional[str] = ..., topic: _Optional[str] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., value: _Optional[bytes] = ..., value_size: _Optional[int] = ..., key: _Optional[bytes] = ..., can_replay: _Optional[bool] = ...) -> None: ...

class ReplayDeadLettersRequest(_message.Message):
    __slots__ = ("filter", "cursor", "limit", "change")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    filter: DeadLetterFilter
    cursor: str
    limit: int
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, filter: _Optional[_Union[DeadLetterFilter, _Mapping]] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class ReplayDeadLettersResponse(_message.Message):
    __slots__ = ("next_cursor", "replayed", "total", "audit_id", "left", "revision", "counts", "is_more")
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    AUDIT_ID_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    IS_MORE_FIELD_NUMBER: _ClassVar[int]
    next_cursor: str
    replayed: int
    total: int
    audit_id: str
    left: int
    revision: str
    counts: _containers.RepeatedCompositeFieldContainer[DeadLetterCount]
    is_more: bool
    def __init__(self, next_cursor: _Optional[str] = ..., replayed: _Optional[int] = ..., total: _Optional[int] = ..., audit_id: _Optional[str] = ..., left: _Optional[int] = ..., revision: _Optional[str] = ..., counts: _Optional[_Iterable[_Union[DeadLetterCount, _Mapping]]] = ..., is_more: _Optional[bool] = ...) -> None: ...

class DeadLetterCount(_message.Message):
    __slots__ = ("topic", "reason", "count", "can_replay")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CAN_REPLAY_FIELD_NUMBER: _ClassVar[int]
    topic: str
    reason: str
    count: int
    can_replay: int
    def __init__(self, topic: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., can_replay: _Optional[int] = ...) -> None: ...
