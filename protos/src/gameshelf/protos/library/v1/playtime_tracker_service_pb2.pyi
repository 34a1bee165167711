import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaytimeSession(_message.Message):
    __slots__ = ("session_id", "user_id", "product_id", "device_id", "platform", "start_time", "status", "end_time", "duration_seconds", "end_reason", "seat_number")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    SEAT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    user_id: str
    product_id: str
    device_id: str
    platform: str
    start_time: _timestamp_pb2.Timestamp
    status: str
    end_time: _timestamp_pb2.Timestamp
    duration_seconds: int
    end_reason: str
    seat_number: int
    def __init__(self, session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., device_id: _Optional[str] = ..., platform: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration_seconds: _Optional[int] = ..., end_reason: _Optional[str] = ..., seat_number: _Optional[int] = ...) -> None: ...

class StartPlaytimeSessionRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "platform", "device_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    platform: str
    device_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class StartPlaytimeSessionResponse(_message.Message):
    __slots__ = ("session", "is_new", "heartbeat_interval_seconds")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    session: PlaytimeSession
    is_new: bool
    heartbeat_interval_seconds: float
    def __init__(self, session: _Optional[_Union[PlaytimeSession, _Mapping]] = ..., is_new: _Optional[bool] = ..., heartbeat_interval_seconds: _Optional[float] = ...) -> None: ...

class RecordPlaytimeHeartbeatRequest(_message.Message):
    __slots__ = ("user_id", "session_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...

class RecordPlaytimeHeartbeatResponse(_message.Message):
    __slots__ = ("seat_lost_at",)
    SEAT_LOST_AT_FIELD_NUMBER: _ClassVar[int]
    seat_lost_at: _timestamp_pb2.Timestamp
    def __init__(self, seat_lost_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EndPlaytimeSessionRequest(_message.Message):
    __slots__ = ("user_id", "session_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...

class EndPlaytimeSessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: PlaytimeSession
    def __init__(self, session: _Optional[_Union[PlaytimeSession, _Mapping]] = ...) -> None: ...

class StreamPlaytimeHeartbeatsRequest(_message.Message):
    __slots__ = ("sequence", "heartbeats", "token")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    heartbeats: _containers.RepeatedCompositeFieldContainer[PlaytimeHeartbeat]
    token: str
    def __init__(self, sequence: _Optional[int] = ..., heartbeats: _Optional[_Iterable[_Union[PlaytimeHeartbeat, _Mapping]]] = ..., token: _Optional[str] = ...) -> None: ...

class PlaytimeHeartbeat(_message.Message):
    __slots__ = ("user_id", "session_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...

class StreamPlaytimeHeartbeatsResponse(_message.Message):
    __slots__ = ("acknowledged_sequence", "refusals", "seat_notices")
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    SEAT_NOTICES_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence: int
    refusals: _containers.RepeatedCompositeFieldContainer[HeartbeatRefusal]
    seat_notices: _containers.RepeatedCompositeFieldContainer[SeatNotice]
    def __init__(self, acknowledged_sequence: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[HeartbeatRefusal, _Mapping]]] = ..., seat_notices: _Optional[_Iterable[_Union[SeatNotice, _Mapping]]] = ...) -> None: ...

class SeatNotice(_message.Message):
    __slots__ = ("user_id", "session_id", "lost_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LOST_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    lost_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., lost_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HeartbeatRefusal(_message.Message):
    __slots__ = ("user_id", "session_id", "reason", "end_time", "end_reason")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    reason: str
    end_time: _timestamp_pb2.Timestamp
    end_reason: str
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., reason: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_reason: _Optional[str] = ...) -> None: ...
