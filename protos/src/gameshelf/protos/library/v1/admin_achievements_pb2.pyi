from gameshelf.protos.library.v1 import achievement_service_pb2 as _achievement_service_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowAchievementsRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "achievement_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    achievement_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., achievement_id: _Optional[str] = ...) -> None: ...

class ShowAchievementsResponse(_message.Message):
    __slots__ = ("achievements", "title")
    ACHIEVEMENTS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    achievements: _containers.RepeatedCompositeFieldContainer[AdminAchievement]
    title: str
    def __init__(self, achievements: _Optional[_Iterable[_Union[AdminAchievement, _Mapping]]] = ..., title: _Optional[str] = ...) -> None: ...

class AdminAchievement(_message.Message):
    __slots__ = ("status", "name", "server_authoritative")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVER_AUTHORITATIVE_FIELD_NUMBER: _ClassVar[int]
    status: _achievement_service_pb2.AchievementStatus
    name: str
    server_authoritative: bool
    def __init__(self, status: _Optional[_Union[_achievement_service_pb2.AchievementStatus, _Mapping]] = ..., name: _Optional[str] = ..., server_authoritative: _Optional[bool] = ...) -> None: ...

class GrantAchievementRequest(_message.Message):
    __slots__ = ("user_id", "achievement_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    achievement_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., achievement_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class GrantAchievementResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class RevokeAchievementRequest(_message.Message):
    __slots__ = ("user_id", "achievement_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    achievement_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., achievement_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RevokeAchievementResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...
