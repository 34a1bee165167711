import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpdateMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPDATE_MODE_UNSPECIFIED: _ClassVar[UpdateMode]
    UPDATE_MODE_REPLACE: _ClassVar[UpdateMode]
    UPDATE_MODE_MERGE_PATCH: _ClassVar[UpdateMode]
UPDATE_MODE_UNSPECIFIED: UpdateMode
UPDATE_MODE_REPLACE: UpdateMode
UPDATE_MODE_MERGE_PATCH: UpdateMode

class GetGameSettingsRequest(_message.Message):
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

class GetGameSettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: GameSettings
    def __init__(self, settings: _Optional[_Union[GameSettings, _Mapping]] = ...) -> None: ...

class UpdateGameSettingsRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "settings_payload", "mode", "platform", "device_id", "expected_revision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    settings_payload: str
    mode: UpdateMode
    platform: str
    device_id: str
    expected_revision: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., settings_payload: _Optional[str] = ..., mode: _Optional[_Union[UpdateMode, str]] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class UpdateGameSettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: GameSettings
    def __init__(self, settings: _Optional[_Union[GameSettings, _Mapping]] = ...) -> None: ...

class GameSettings(_message.Message):
    __slots__ = ("product_id", "settings_payload", "settings_layers", "revision", "last_updated_at", "last_synced_with_cloud_at", "account_revision", "platform_revision", "device_revision")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_LAYERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNCED_WITH_CLOUD_AT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_REVISION_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_REVISION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_REVISION_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    settings_payload: str
    settings_layers: str
    revision: int
    last_updated_at: _timestamp_pb2.Timestamp
    last_synced_with_cloud_at: _timestamp_pb2.Timestamp
    account_revision: int
    platform_revision: int
    device_revision: int
    def __init__(self, product_id: _Optional[str] = ..., settings_payload: _Optional[str] = ..., settings_layers: _Optional[str] = ..., revision: _Optional[int] = ..., last_updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_synced_with_cloud_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., account_revision: _Optional[int] = ..., platform_revision: _Optional[int] = ..., device_revision: _Optional[int] = ...) -> None: ...

class ListGameSettingsRequest(_message.Message):
    __slots__ = ("user_id", "since", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    since: _timestamp_pb2.Timestamp
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListGameSettingsResponse(_message.Message):
    __slots__ = ("games", "total_items")
    GAMES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    games: _containers.RepeatedCompositeFieldContainer[SettingsOfGame]
    total_items: int
    def __init__(self, games: _Optional[_Iterable[_Union[SettingsOfGame, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class SettingsOfGame(_message.Message):
    __slots__ = ("product_id", "revision", "has_account_layer", "overlay_count", "last_updated_at", "last_synced_with_cloud_at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    HAS_ACCOUNT_LAYER_FIELD_NUMBER: _ClassVar[int]
    OVERLAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNCED_WITH_CLOUD_AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    revision: int
    has_account_layer: bool
    overlay_count: int
    last_updated_at: _timestamp_pb2.Timestamp
    last_synced_with_cloud_at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., revision: _Optional[int] = ..., has_account_layer: _Optional[bool] = ..., overlay_count: _Optional[int] = ..., last_updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_synced_with_cloud_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSettingsLayersRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class ListSettingsLayersResponse(_message.Message):
    __slots__ = ("layers",)
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    layers: _containers.RepeatedCompositeFieldContainer[SettingsLayer]
    def __init__(self, layers: _Optional[_Iterable[_Union[SettingsLayer, _Mapping]]] = ...) -> None: ...

class SettingsLayer(_message.Message):
    __slots__ = ("layer", "platform", "device_id", "revision", "last_updated_at", "last_used_at")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_AT_FIELD_NUMBER: _ClassVar[int]
    layer: str
    platform: str
    device_id: str
    revision: int
    last_updated_at: _timestamp_pb2.Timestamp
    last_used_at: _timestamp_pb2.Timestamp
    def __init__(self, layer: _Optional[str] = ..., platform: _Optional[str] = ..., device_id: _Optional[str] = ..., revision: _Optional[int] = ..., last_updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
