import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from gameshelf.protos.library.v1 import admin_playtime_pb2 as _admin_playtime_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListRunningSessionsRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListRunningSessionsResponse(_message.Message):
    __slots__ = ("sessions", "timeout_seconds", "has_newest_heartbeats")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    HAS_NEWEST_HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[RunningSession]
    timeout_seconds: float
    has_newest_heartbeats: bool
    def __init__(self, sessions: _Optional[_Iterable[_Union[RunningSession, _Mapping]]] = ..., timeout_seconds: _Optional[float] = ..., has_newest_heartbeats: _Optional[bool] = ...) -> None: ...

class RunningSession(_message.Message):
    __slots__ = ("session", "last_heartbeat_at", "times_out_at")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_AT_FIELD_NUMBER: _ClassVar[int]
    TIMES_OUT_AT_FIELD_NUMBER: _ClassVar[int]
    session: _admin_playtime_pb2.AdminPlaytimeSession
    last_heartbeat_at: _timestamp_pb2.Timestamp
    times_out_at: _timestamp_pb2.Timestamp
    def __init__(self, session: _Optional[_Union[_admin_playtime_pb2.AdminPlaytimeSession, _Mapping]] = ..., last_heartbeat_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., times_out_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EndSessionOfUserRequest(_message.Message):
    __slots__ = ("user_id", "session_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class EndSessionOfUserResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...
