import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
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
    __slots__ = ("product_id", "settings_payload", "settings_layers", "revision", "last_updated_at", "last_synced_with_cloud_at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_LAYERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNCED_WITH_CLOUD_AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    settings_payload: str
    settings_layers: str
    revision: int
    last_updated_at: _timestamp_pb2.Timestamp
    last_synced_with_cloud_at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., settings_payload: _Optional[str] = ..., settings_layers: _Optional[str] = ..., revision: _Optional[int] = ..., last_updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_synced_with_cloud_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
