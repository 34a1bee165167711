import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListLibraryRequest(_message.Message):
    __slots__ = ("user_id", "page", "limit", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page: int
    limit: int
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ..., product_id: _Optional[str] = ...) -> None: ...

class ListLibraryResponse(_message.Message):
    __slots__ = ("items", "total_items")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AdminLibraryItem]
    total_items: int
    def __init__(self, items: _Optional[_Iterable[_Union[AdminLibraryItem, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class AdminLibraryItem(_message.Message):
    __slots__ = ("product_id", "library_item_id", "title", "product_type", "access", "added_at", "acquisition_type", "shared_from_user_id", "is_hidden", "installation_status", "installed_version_id", "total_playtime_seconds", "last_played_at", "grants")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_TYPE_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FROM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    INSTALLATION_STATUS_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_PLAYED_AT_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    library_item_id: str
    title: str
    product_type: str
    access: str
    added_at: _timestamp_pb2.Timestamp
    acquisition_type: str
    shared_from_user_id: str
    is_hidden: bool
    installation_status: str
    installed_version_id: str
    total_playtime_seconds: int
    last_played_at: _timestamp_pb2.Timestamp
    grants: _containers.RepeatedCompositeFieldContainer[AdminGrant]
    def __init__(self, product_id: _Optional[str] = ..., library_item_id: _Optional[str] = ..., title: _Optional[str] = ..., product_type: _Optional[str] = ..., access: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acquisition_type: _Optional[str] = ..., shared_from_user_id: _Optional[str] = ..., is_hidden: _Optional[bool] = ..., installation_status: _Optional[str] = ..., installed_version_id: _Optional[str] = ..., total_playtime_seconds: _Optional[int] = ..., last_played_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., grants: _Optional[_Iterable[_Union[AdminGrant, _Mapping]]] = ...) -> None: ...

class AdminGrant(_message.Message):
    __slots__ = ("kind", "source_id", "acquired_at", "ended_at", "quantity", "copies_left", "ended_by", "facts")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    ACQUIRED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COPIES_LEFT_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    source_id: str
    acquired_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    quantity: int
    copies_left: int
    ended_by: str
    facts: _containers.RepeatedCompositeFieldContainer[AdminOrderFact]
    def __init__(self, kind: _Optional[str] = ..., source_id: _Optional[str] = ..., acquired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quantity: _Optional[int] = ..., copies_left: _Optional[int] = ..., ended_by: _Optional[str] = ..., facts: _Optional[_Iterable[_Union[AdminOrderFact, _Mapping]]] = ...) -> None: ...

class AdminOrderFact(_message.Message):
    __slots__ = ("kind", "fact_id", "quantity", "occurred_at", "heard_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FACT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    HEARD_AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    fact_id: str
    quantity: int
    occurred_at: _timestamp_pb2.Timestamp
    heard_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., fact_id: _Optional[str] = ..., quantity: _Optional[int] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., heard_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GrantProductRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class GrantProductResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class RevokeProductRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "kind", "source_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    kind: str
    source_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., kind: _Optional[str] = ..., source_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class RevokeProductResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ExplainAccessRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class ExplainAccessResponse(_message.Message):
    __slots__ = ("has_access", "reason", "access_since", "access_type", "shared_from_user_id", "is_known", "title", "is_free_to_play", "family_sharing_allowed", "grants", "is_hidden", "links", "at", "product_type", "start", "deciding_link_id", "starting_link_id", "library_item_id", "installation_status", "own_seat")
    HAS_ACCESS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACCESS_SINCE_FIELD_NUMBER: _ClassVar[int]
    ACCESS_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FROM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    IS_FREE_TO_PLAY_FIELD_NUMBER: _ClassVar[int]
    FAMILY_SHARING_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    DECIDING_LINK_ID_FIELD_NUMBER: _ClassVar[int]
    STARTING_LINK_ID_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    INSTALLATION_STATUS_FIELD_NUMBER: _ClassVar[int]
    OWN_SEAT_FIELD_NUMBER: _ClassVar[int]
    has_access: bool
    reason: str
    access_since: _timestamp_pb2.Timestamp
    access_type: str
    shared_from_user_id: str
    is_known: bool
    title: str
    is_free_to_play: bool
    family_sharing_allowed: bool
    grants: _containers.RepeatedCompositeFieldContainer[AdminGrant]
    is_hidden: bool
    links: _containers.RepeatedCompositeFieldContainer[AccessLink]
    at: _timestamp_pb2.Timestamp
    product_type: str
    start: str
    deciding_link_id: str
    starting_link_id: str
    library_item_id: str
    installation_status: str
    own_seat: AccessSeat
    def __init__(self, has_access: _Optional[bool] = ..., reason: _Optional[str] = ..., access_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., access_type: _Optional[str] = ..., shared_from_user_id: _Optional[str] = ..., is_known: _Optional[bool] = ..., title: _Optional[str] = ..., is_free_to_play: _Optional[bool] = ..., family_sharing_allowed: _Optional[bool] = ..., grants: _Optional[_Iterable[_Union[AdminGrant, _Mapping]]] = ..., is_hidden: _Optional[bool] = ..., links: _Optional[_Iterable[_Union[AccessLink, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., product_type: _Optional[str] = ..., start: _Optional[str] = ..., deciding_link_id: _Optional[str] = ..., starting_link_id: _Optional[str] = ..., library_item_id: _Optional[str] = ..., installation_status: _Optional[str] = ..., own_seat: _Optional[_Union[AccessSeat, _Mapping]] = ...) -> None: ...

class AccessLink(_message.Message):
    __slots__ = ("link_id", "owner_user_id", "status", "expires_at", "mode", "is_in_scope", "owner_owns", "verdict", "seat", "active_since", "owned_since", "other_seat", "owner_plays_since", "is_busy", "updated_at")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    IS_IN_SCOPE_FIELD_NUMBER: _ClassVar[int]
    OWNER_OWNS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_SINCE_FIELD_NUMBER: _ClassVar[int]
    OWNED_SINCE_FIELD_NUMBER: _ClassVar[int]
    OTHER_SEAT_FIELD_NUMBER: _ClassVar[int]
    OWNER_PLAYS_SINCE_FIELD_NUMBER: _ClassVar[int]
    IS_BUSY_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    link_id: str
    owner_user_id: str
    status: str
    expires_at: _timestamp_pb2.Timestamp
    mode: str
    is_in_scope: bool
    owner_owns: bool
    verdict: str
    seat: AccessSeat
    active_since: _timestamp_pb2.Timestamp
    owned_since: _timestamp_pb2.Timestamp
    other_seat: AccessSeat
    owner_plays_since: _timestamp_pb2.Timestamp
    is_busy: bool
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, link_id: _Optional[str] = ..., owner_user_id: _Optional[str] = ..., status: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mode: _Optional[str] = ..., is_in_scope: _Optional[bool] = ..., owner_owns: _Optional[bool] = ..., verdict: _Optional[str] = ..., seat: _Optional[_Union[AccessSeat, _Mapping]] = ..., active_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owned_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., other_seat: _Optional[_Union[AccessSeat, _Mapping]] = ..., owner_plays_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_busy: _Optional[bool] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AccessSeat(_message.Message):
    __slots__ = ("held_by_user_id", "session_id", "since", "lost_at", "product_id", "title", "seat_number", "session_runs")
    HELD_BY_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LOST_AT_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SEAT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_RUNS_FIELD_NUMBER: _ClassVar[int]
    held_by_user_id: str
    session_id: str
    since: _timestamp_pb2.Timestamp
    lost_at: _timestamp_pb2.Timestamp
    product_id: str
    title: str
    seat_number: int
    session_runs: bool
    def __init__(self, held_by_user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lost_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., seat_number: _Optional[int] = ..., session_runs: _Optional[bool] = ...) -> None: ...
