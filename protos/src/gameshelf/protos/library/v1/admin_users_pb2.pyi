import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowUserRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ShowUserResponse(_message.Message):
    __slots__ = ("user_id", "erased_at", "version", "last_sequence", "games_owned", "games_shared", "total_playtime_seconds", "last_played_at", "running_sessions", "achievements_unlocked", "wishlist_items", "games_with_settings", "saves", "saves_in_trash", "open_conflicts", "used_bytes", "reserved_bytes", "limit_bytes", "family_members", "family_owners", "playtime_anomalies", "dead_letters", "erasure")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    GAMES_OWNED_FIELD_NUMBER: _ClassVar[int]
    GAMES_SHARED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PLAYTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_PLAYED_AT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ACHIEVEMENTS_UNLOCKED_FIELD_NUMBER: _ClassVar[int]
    WISHLIST_ITEMS_FIELD_NUMBER: _ClassVar[int]
    GAMES_WITH_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SAVES_FIELD_NUMBER: _ClassVar[int]
    SAVES_IN_TRASH_FIELD_NUMBER: _ClassVar[int]
    OPEN_CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    FAMILY_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    FAMILY_OWNERS_FIELD_NUMBER: _ClassVar[int]
    PLAYTIME_ANOMALIES_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    erased_at: _timestamp_pb2.Timestamp
    version: int
    last_sequence: int
    games_owned: int
    games_shared: int
    total_playtime_seconds: int
    last_played_at: _timestamp_pb2.Timestamp
    running_sessions: int
    achievements_unlocked: int
    wishlist_items: int
    games_with_settings: int
    saves: int
    saves_in_trash: int
    open_conflicts: int
    used_bytes: int
    reserved_bytes: int
    limit_bytes: int
    family_members: int
    family_owners: int
    playtime_anomalies: int
    dead_letters: int
    erasure: str
    def __init__(self, user_id: _Optional[str] = ..., erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., last_sequence: _Optional[int] = ..., games_owned: _Optional[int] = ..., games_shared: _Optional[int] = ..., total_playtime_seconds: _Optional[int] = ..., last_played_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., running_sessions: _Optional[int] = ..., achievements_unlocked: _Optional[int] = ..., wishlist_items: _Optional[int] = ..., games_with_settings: _Optional[int] = ..., saves: _Optional[int] = ..., saves_in_trash: _Optional[int] = ..., open_conflicts: _Optional[int] = ..., used_bytes: _Optional[int] = ..., reserved_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., family_members: _Optional[int] = ..., family_owners: _Optional[int] = ..., playtime_anomalies: _Optional[int] = ..., dead_letters: _Optional[int] = ..., erasure: _Optional[str] = ...) -> None: ...

class ExportUserRequest(_message.Message):
    __slots__ = ("user_id", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    cursor: str
    def __init__(self, user_id: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class ExportUserResponse(_message.Message):
    __slots__ = ("rows", "files", "next_cursor", "done", "total")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ExportedRows]
    files: _containers.RepeatedCompositeFieldContainer[ExportedFile]
    next_cursor: str
    done: int
    total: int
    def __init__(self, rows: _Optional[_Iterable[_Union[ExportedRows, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[ExportedFile, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class ExportedRows(_message.Message):
    __slots__ = ("table", "rows")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    table: str
    rows: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, table: _Optional[str] = ..., rows: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportedFile(_message.Message):
    __slots__ = ("name", "download_url", "file_size_bytes", "file_hash_sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_HASH_SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    download_url: str
    file_size_bytes: int
    file_hash_sha256: str
    def __init__(self, name: _Optional[str] = ..., download_url: _Optional[str] = ..., file_size_bytes: _Optional[int] = ..., file_hash_sha256: _Optional[str] = ...) -> None: ...

class EraseUserRequest(_message.Message):
    __slots__ = ("user_id", "change")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, user_id: _Optional[str] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class EraseUserResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ...) -> None: ...

class ListTimelineRequest(_message.Message):
    __slots__ = ("user_id", "kinds", "since", "until", "limit", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    limit: int
    cursor: str
    def __init__(self, user_id: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListTimelineResponse(_message.Message):
    __slots__ = ("entries", "next_cursor")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[TimelineEntry]
    next_cursor: str
    def __init__(self, entries: _Optional[_Iterable[_Union[TimelineEntry, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class TimelineEntry(_message.Message):
    __slots__ = ("at", "kind", "product_id", "title", "facts")
    AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    kind: str
    product_id: str
    title: str
    facts: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., facts: _Optional[str] = ...) -> None: ...
