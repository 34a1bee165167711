import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListDevicesRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListDevicesResponse(_message.Message):
    __slots__ = ("devices", "connections", "connected_instances", "imported_at", "has_newest_heartbeats")
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_INSTANCES_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    HAS_NEWEST_HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[AdminDevice]
    connections: _containers.RepeatedCompositeFieldContainer[DeviceConnection]
    connected_instances: int
    imported_at: _timestamp_pb2.Timestamp
    has_newest_heartbeats: bool
    def __init__(self, devices: _Optional[_Iterable[_Union[AdminDevice, _Mapping]]] = ..., connections: _Optional[_Iterable[_Union[DeviceConnection, _Mapping]]] = ..., connected_instances: _Optional[int] = ..., imported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., has_newest_heartbeats: _Optional[bool] = ...) -> None: ...

class AdminDevice(_message.Message):
    __slots__ = ("device_id", "device_name", "platform", "saves", "saves_behind", "saves_synced_at", "product_id", "title", "session_id", "session_started_at", "session_ended_at", "last_heartbeat_at", "last_seen_at")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    SAVES_FIELD_NUMBER: _ClassVar[int]
    SAVES_BEHIND_FIELD_NUMBER: _ClassVar[int]
    SAVES_SYNCED_AT_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    device_name: str
    platform: str
    saves: int
    saves_behind: int
    saves_synced_at: _timestamp_pb2.Timestamp
    product_id: str
    title: str
    session_id: str
    session_started_at: _timestamp_pb2.Timestamp
    session_ended_at: _timestamp_pb2.Timestamp
    last_heartbeat_at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    def __init__(self, device_id: _Optional[str] = ..., device_name: _Optional[str] = ..., platform: _Optional[str] = ..., saves: _Optional[int] = ..., saves_behind: _Optional[int] = ..., saves_synced_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., session_id: _Optional[str] = ..., session_started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_heartbeat_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeviceConnection(_message.Message):
    __slots__ = ("connected_at", "events_behind")
    CONNECTED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_BEHIND_FIELD_NUMBER: _ClassVar[int]
    connected_at: _timestamp_pb2.Timestamp
    events_behind: int
    def __init__(self, connected_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events_behind: _Optional[int] = ...) -> None: ...
