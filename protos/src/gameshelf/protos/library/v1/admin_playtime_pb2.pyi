import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as _playtime_tracker_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowPlaytimeRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "page", "limit", "since", "until", "cursor", "with_imports")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    WITH_IMPORTS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    page: int
    limit: int
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    cursor: str
    with_imports: bool
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cursor: _Optional[str] = ..., with_imports: _Optional[bool] = ...) -> None: ...

class ShowPlaytimeResponse(_message.Message):
    __slots__ = ("products", "total_products", "sessions", "next_cursor", "corrections", "imports", "days", "first_day", "last_day")
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    IMPORTS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    products: _containers.RepeatedCompositeFieldContainer[ProductPlaytime]
    total_products: int
    sessions: _containers.RepeatedCompositeFieldContainer[AdminPlaytimeSession]
    next_cursor: str
    corrections: _containers.RepeatedCompositeFieldContainer[PlaytimeCorrection]
    imports: _containers.RepeatedCompositeFieldContainer[ImportedPlay]
    days: _containers.RepeatedCompositeFieldContainer[PlayedDay]
    first_day: str
    last_day: str
    def __init__(self, products: _Optional[_Iterable[_Union[ProductPlaytime, _Mapping]]] = ..., total_products: _Optional[int] = ..., sessions: _Optional[_Iterable[_Union[AdminPlaytimeSession, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., corrections: _Optional[_Iterable[_Union[PlaytimeCorrection, _Mapping]]] = ..., imports: _Optional[_Iterable[_Union[ImportedPlay, _Mapping]]] = ..., days: _Optional[_Iterable[_Union[PlayedDay, _Mapping]]] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ...) -> None: ...

class PlayedDay(_message.Message):
    __slots__ = ("day", "seconds")
    DAY_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    day: str
    seconds: int
    def __init__(self, day: _Optional[str] = ..., seconds: _Optional[int] = ...) -> None: ...

class ImportedPlay(_message.Message):
    __slots__ = ("device_id", "recorded_at", "sessions", "seconds", "first_start", "last_end", "counted_seconds")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_START_FIELD_NUMBER: _ClassVar[int]
    LAST_END_FIELD_NUMBER: _ClassVar[int]
    COUNTED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    recorded_at: _timestamp_pb2.Timestamp
    sessions: int
    seconds: int
    first_start: _timestamp_pb2.Timestamp
    last_end: _timestamp_pb2.Timestamp
    counted_seconds: int
    def __init__(self, device_id: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sessions: _Optional[int] = ..., seconds: _Optional[int] = ..., first_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counted_seconds: _Optional[int] = ...) -> None: ...

class ProductPlaytime(_message.Message):
    __slots__ = ("product_id", "title", "total_seconds", "played_seconds", "corrected_seconds", "recent_seconds", "last_played_at", "session_count")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PLAYED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RECENT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_PLAYED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    title: str
    total_seconds: int
    played_seconds: int
    corrected_seconds: int
    recent_seconds: int
    last_played_at: _timestamp_pb2.Timestamp
    session_count: int
    def __init__(self, product_id: _Optional[str] = ..., title: _Optional[str] = ..., total_seconds: _Optional[int] = ..., played_seconds: _Optional[int] = ..., corrected_seconds: _Optional[int] = ..., recent_seconds: _Optional[int] = ..., last_played_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_count: _Optional[int] = ...) -> None: ...

class AdminPlaytimeSession(_message.Message):
    __slots__ = ("session", "client_session_id", "copy_owner_user_id", "last_heartbeat_at", "recorded_at", "title")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    COPY_OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    session: _playtime_tracker_service_pb2.PlaytimeSession
    client_session_id: str
    copy_owner_user_id: str
    last_heartbeat_at: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    title: str
    def __init__(self, session: _Optional[_Union[_playtime_tracker_service_pb2.PlaytimeSession, _Mapping]] = ..., client_session_id: _Optional[str] = ..., copy_owner_user_id: _Optional[str] = ..., last_heartbeat_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., title: _Optional[str] = ...) -> None: ...

class PlaytimeCorrection(_message.Message):
    __slots__ = ("product_id", "seconds", "reason", "created_at", "title")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    seconds: int
    reason: str
    created_at: _timestamp_pb2.Timestamp
    title: str
    def __init__(self, product_id: _Optional[str] = ..., seconds: _Optional[int] = ..., reason: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., title: _Optional[str] = ...) -> None: ...

class CorrectPlaytimeRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "seconds", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    seconds: int
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., seconds: _Optional[int] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class CorrectPlaytimeResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class RecomputePlaytimeRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RecomputePlaytimeResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ListPlaytimeAnomaliesRequest(_message.Message):
    __slots__ = ("user_id", "cursor", "limit", "kind")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    cursor: str
    limit: int
    kind: str
    def __init__(self, user_id: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ..., kind: _Optional[str] = ...) -> None: ...

class ListPlaytimeAnomaliesResponse(_message.Message):
    __slots__ = ("anomalies", "next_cursor")
    ANOMALIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    anomalies: _containers.RepeatedCompositeFieldContainer[PlaytimeAnomaly]
    next_cursor: str
    def __init__(self, anomalies: _Optional[_Iterable[_Union[PlaytimeAnomaly, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class PlaytimeAnomaly(_message.Message):
    __slots__ = ("user_id", "kind", "subject", "seconds", "found_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    FOUND_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    kind: str
    subject: str
    seconds: int
    found_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., kind: _Optional[str] = ..., subject: _Optional[str] = ..., seconds: _Optional[int] = ..., found_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
