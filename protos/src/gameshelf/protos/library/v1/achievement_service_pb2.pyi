import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpdateAchievementProgressRequest(_message.Message):
    __slots__ = ("user_id", "achievement_id", "current_progress", "product_id", "api_name", "unlock")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    API_NAME_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    achievement_id: str
    current_progress: int
    product_id: str
    api_name: str
    unlock: bool
    def __init__(self, user_id: _Optional[str] = ..., achievement_id: _Optional[str] = ..., current_progress: _Optional[int] = ..., product_id: _Optional[str] = ..., api_name: _Optional[str] = ..., unlock: _Optional[bool] = ...) -> None: ...

class UpdateAchievementProgressResponse(_message.Message):
    __slots__ = ("status", "newly_unlocked")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NEWLY_UNLOCKED_FIELD_NUMBER: _ClassVar[int]
    status: AchievementStatus
    newly_unlocked: bool
    def __init__(self, status: _Optional[_Union[AchievementStatus, _Mapping]] = ..., newly_unlocked: _Optional[bool] = ...) -> None: ...

class BatchUpdateAchievementProgressRequest(_message.Message):
    __slots__ = ("updates",)
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    updates: _containers.RepeatedCompositeFieldContainer[UpdateAchievementProgressRequest]
    def __init__(self, updates: _Optional[_Iterable[_Union[UpdateAchievementProgressRequest, _Mapping]]] = ...) -> None: ...

class BatchUpdateAchievementProgressResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AchievementUpdateResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AchievementUpdateResult, _Mapping]]] = ...) -> None: ...

class AchievementUpdateResult(_message.Message):
    __slots__ = ("status", "newly_unlocked", "reason")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NEWLY_UNLOCKED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    status: AchievementStatus
    newly_unlocked: bool
    reason: str
    def __init__(self, status: _Optional[_Union[AchievementStatus, _Mapping]] = ..., newly_unlocked: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportAchievementsRequest(_message.Message):
    __slots__ = ("user_id", "achievements")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENTS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    achievements: _containers.RepeatedCompositeFieldContainer[OfflineAchievement]
    def __init__(self, user_id: _Optional[str] = ..., achievements: _Optional[_Iterable[_Union[OfflineAchievement, _Mapping]]] = ...) -> None: ...

class OfflineAchievement(_message.Message):
    __slots__ = ("client_id", "achievement_id", "product_id", "api_name", "unlocked", "current_progress", "happened_at", "device_id")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    API_NAME_FIELD_NUMBER: _ClassVar[int]
    UNLOCKED_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    HAPPENED_AT_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    achievement_id: str
    product_id: str
    api_name: str
    unlocked: bool
    current_progress: int
    happened_at: _timestamp_pb2.Timestamp
    device_id: str
    def __init__(self, client_id: _Optional[str] = ..., achievement_id: _Optional[str] = ..., product_id: _Optional[str] = ..., api_name: _Optional[str] = ..., unlocked: _Optional[bool] = ..., current_progress: _Optional[int] = ..., happened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., device_id: _Optional[str] = ...) -> None: ...

class ImportAchievementsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ImportedAchievement]
    def __init__(self, results: _Optional[_Iterable[_Union[ImportedAchievement, _Mapping]]] = ...) -> None: ...

class ImportedAchievement(_message.Message):
    __slots__ = ("client_id", "result", "code")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    result: str
    code: str
    def __init__(self, client_id: _Optional[str] = ..., result: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class GetAchievementStatusRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "achievement_ids")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    achievement_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., achievement_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetAchievementStatusResponse(_message.Message):
    __slots__ = ("achievements",)
    ACHIEVEMENTS_FIELD_NUMBER: _ClassVar[int]
    achievements: _containers.RepeatedCompositeFieldContainer[AchievementStatus]
    def __init__(self, achievements: _Optional[_Iterable[_Union[AchievementStatus, _Mapping]]] = ...) -> None: ...

class GetAchievementRarityRequest(_message.Message):
    __slots__ = ("product_id",)
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    def __init__(self, product_id: _Optional[str] = ...) -> None: ...

class GetAchievementRarityResponse(_message.Message):
    __slots__ = ("achievements",)
    ACHIEVEMENTS_FIELD_NUMBER: _ClassVar[int]
    achievements: _containers.RepeatedCompositeFieldContainer[AchievementRarity]
    def __init__(self, achievements: _Optional[_Iterable[_Union[AchievementRarity, _Mapping]]] = ...) -> None: ...

class AchievementRarity(_message.Message):
    __slots__ = ("achievement_id", "product_id", "api_name", "is_hidden", "rarity_percentage")
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    API_NAME_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    RARITY_PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    achievement_id: str
    product_id: str
    api_name: str
    is_hidden: bool
    rarity_percentage: float
    def __init__(self, achievement_id: _Optional[str] = ..., product_id: _Optional[str] = ..., api_name: _Optional[str] = ..., is_hidden: _Optional[bool] = ..., rarity_percentage: _Optional[float] = ...) -> None: ...

class AchievementStatus(_message.Message):
    __slots__ = ("achievement_id", "product_id", "api_name", "is_unlocked", "unlocked_at", "current_progress", "target_progress", "is_hidden", "rarity_percentage", "rarity_at_unlock")
    ACHIEVEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    API_NAME_FIELD_NUMBER: _ClassVar[int]
    IS_UNLOCKED_FIELD_NUMBER: _ClassVar[int]
    UNLOCKED_AT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    TARGET_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    RARITY_PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    RARITY_AT_UNLOCK_FIELD_NUMBER: _ClassVar[int]
    achievement_id: str
    product_id: str
    api_name: str
    is_unlocked: bool
    unlocked_at: _timestamp_pb2.Timestamp
    current_progress: int
    target_progress: int
    is_hidden: bool
    rarity_percentage: float
    rarity_at_unlock: float
    def __init__(self, achievement_id: _Optional[str] = ..., product_id: _Optional[str] = ..., api_name: _Optional[str] = ..., is_unlocked: _Optional[bool] = ..., unlocked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., current_progress: _Optional[int] = ..., target_progress: _Optional[int] = ..., is_hidden: _Optional[bool] = ..., rarity_percentage: _Optional[float] = ..., rarity_at_unlock: _Optional[float] = ...) -> None: ...
