import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
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

class ExplainAchievementRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "achievement")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    achievement: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., achievement: _Optional[str] = ...) -> None: ...

class ExplainAchievementResponse(_message.Message):
    __slots__ = ("title", "achievement", "access_refusal", "refused", "refused_of_others", "may_lack_older")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_REFUSAL_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_OF_OTHERS_FIELD_NUMBER: _ClassVar[int]
    MAY_LACK_OLDER_FIELD_NUMBER: _ClassVar[int]
    title: str
    achievement: AdminAchievement
    access_refusal: str
    refused: _containers.RepeatedCompositeFieldContainer[RefusedReport]
    refused_of_others: _containers.RepeatedCompositeFieldContainer[RefusedReport]
    may_lack_older: bool
    def __init__(self, title: _Optional[str] = ..., achievement: _Optional[_Union[AdminAchievement, _Mapping]] = ..., access_refusal: _Optional[str] = ..., refused: _Optional[_Iterable[_Union[RefusedReport, _Mapping]]] = ..., refused_of_others: _Optional[_Iterable[_Union[RefusedReport, _Mapping]]] = ..., may_lack_older: _Optional[bool] = ...) -> None: ...

class RefusedReport(_message.Message):
    __slots__ = ("rule", "source", "by_name", "attempts", "first_at", "last_at", "reported")
    RULE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BY_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    rule: str
    source: str
    by_name: bool
    attempts: int
    first_at: _timestamp_pb2.Timestamp
    last_at: _timestamp_pb2.Timestamp
    reported: str
    def __init__(self, rule: _Optional[str] = ..., source: _Optional[str] = ..., by_name: _Optional[bool] = ..., attempts: _Optional[int] = ..., first_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reported: _Optional[str] = ...) -> None: ...
