from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeOptions(_message.Message):
    __slots__ = ("apply", "reason", "revision", "ticket", "batch_id", "batch_item")
    APPLY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_ITEM_FIELD_NUMBER: _ClassVar[int]
    apply: bool
    reason: str
    revision: str
    ticket: str
    batch_id: str
    batch_item: str
    def __init__(self, apply: _Optional[bool] = ..., reason: _Optional[str] = ..., revision: _Optional[str] = ..., ticket: _Optional[str] = ..., batch_id: _Optional[str] = ..., batch_item: _Optional[str] = ...) -> None: ...

class ChangeResult(_message.Message):
    __slots__ = ("applied", "before", "after", "revision", "audit_id", "can_undo")
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AUDIT_ID_FIELD_NUMBER: _ClassVar[int]
    CAN_UNDO_FIELD_NUMBER: _ClassVar[int]
    applied: bool
    before: str
    after: str
    revision: str
    audit_id: str
    can_undo: bool
    def __init__(self, applied: _Optional[bool] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., revision: _Optional[str] = ..., audit_id: _Optional[str] = ..., can_undo: _Optional[bool] = ...) -> None: ...
