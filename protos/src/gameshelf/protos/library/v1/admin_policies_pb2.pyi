from gameshelf.protos.library.v1 import admin_change_pb2 as _admin_change_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetSavePolicyOfProductRequest(_message.Message):
    __slots__ = ("product_id",)
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    def __init__(self, product_id: _Optional[str] = ...) -> None: ...

class GetSavePolicyOfProductResponse(_message.Message):
    __slots__ = ("revision", "source", "policy", "title", "findings")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    source: str
    policy: str
    title: str
    findings: _containers.RepeatedCompositeFieldContainer[SavePolicyFinding]
    def __init__(self, revision: _Optional[int] = ..., source: _Optional[str] = ..., policy: _Optional[str] = ..., title: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[SavePolicyFinding, _Mapping]]] = ...) -> None: ...

class SavePolicyFinding(_message.Message):
    __slots__ = ("level", "pointer", "rule", "params")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    level: str
    pointer: str
    rule: str
    params: str
    def __init__(self, level: _Optional[str] = ..., pointer: _Optional[str] = ..., rule: _Optional[str] = ..., params: _Optional[str] = ...) -> None: ...

class LintSavePolicyRequest(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: str
    def __init__(self, policy: _Optional[str] = ...) -> None: ...

class LintSavePolicyResponse(_message.Message):
    __slots__ = ("findings", "policy")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[SavePolicyFinding]
    policy: str
    def __init__(self, findings: _Optional[_Iterable[_Union[SavePolicyFinding, _Mapping]]] = ..., policy: _Optional[str] = ...) -> None: ...

class SetSavePolicyRequest(_message.Message):
    __slots__ = ("product_id", "policy", "is_approved", "change")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    IS_APPROVED_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    policy: str
    is_approved: bool
    change: _admin_change_pb2.ChangeOptions
    def __init__(self, product_id: _Optional[str] = ..., policy: _Optional[str] = ..., is_approved: _Optional[bool] = ..., change: _Optional[_Union[_admin_change_pb2.ChangeOptions, _Mapping]] = ...) -> None: ...

class SetSavePolicyResponse(_message.Message):
    __slots__ = ("result", "findings")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    result: _admin_change_pb2.ChangeResult
    findings: _containers.RepeatedCompositeFieldContainer[SavePolicyFinding]
    def __init__(self, result: _Optional[_Union[_admin_change_pb2.ChangeResult, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[SavePolicyFinding, _Mapping]]] = ...) -> None: ...
