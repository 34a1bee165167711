import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from gameshelf.protos.library.v1 import game_settings_sync_service_pb2 as _game_settings_sync_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListSettingsOfUserRequest(_message.Message):
    __slots__ = ("user_id", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSettingsOfUserResponse(_message.Message):
    __slots__ = ("games", "total_items")
    GAMES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    games: _containers.RepeatedCompositeFieldContainer[AdminSettingsOfGame]
    total_items: int
    def __init__(self, games: _Optional[_Iterable[_Union[AdminSettingsOfGame, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class AdminSettingsOfGame(_message.Message):
    __slots__ = ("settings", "title")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    settings: _game_settings_sync_service_pb2.SettingsOfGame
    title: str
    def __init__(self, settings: _Optional[_Union[_game_settings_sync_service_pb2.SettingsOfGame, _Mapping]] = ..., title: _Optional[str] = ...) -> None: ...

class ShowSettingsOfUserRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "platform", "device_id", "revision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    platform: str
    device_id: str
    revision: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ShowSettingsOfUserResponse(_message.Message):
    __slots__ = ("title", "layers", "settings_payload", "revision")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    title: str
    layers: _containers.RepeatedCompositeFieldContainer[_game_settings_sync_service_pb2.SettingsLayer]
    settings_payload: str
    revision: int
    def __init__(self, title: _Optional[str] = ..., layers: _Optional[_Iterable[_Union[_game_settings_sync_service_pb2.SettingsLayer, _Mapping]]] = ..., settings_payload: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ListSettingsHistoryRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "limit", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    limit: int
    cursor: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListSettingsHistoryResponse(_message.Message):
    __slots__ = ("title", "layers", "kept", "next_cursor")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    title: str
    layers: _containers.RepeatedCompositeFieldContainer[_game_settings_sync_service_pb2.SettingsLayer]
    kept: _containers.RepeatedCompositeFieldContainer[KeptSettings]
    next_cursor: str
    def __init__(self, title: _Optional[str] = ..., layers: _Optional[_Iterable[_Union[_game_settings_sync_service_pb2.SettingsLayer, _Mapping]]] = ..., kept: _Optional[_Iterable[_Union[KeptSettings, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class KeptSettings(_message.Message):
    __slots__ = ("layer", "platform", "device_id", "revision", "size_bytes", "written_at", "ended_at", "ended_by")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    layer: str
    platform: str
    device_id: str
    revision: int
    size_bytes: int
    written_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    ended_by: str
    def __init__(self, layer: _Optional[str] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ..., revision: _Optional[int] = ..., size_bytes: _Optional[int] = ..., written_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_by: _Optional[str] = ...) -> None: ...

class RestoreSettingsRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "platform", "device_id", "revision", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    platform: str
    device_id: str
    revision: int
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ..., revision: _Optional[int] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RestoreSettingsResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...
