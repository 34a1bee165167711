"""Messages of the service as plain data: numbers as numbers, times as times, JSON as what it says."""

import json
from datetime import UTC
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

JSON_FIELDS = frozenset({"before", "after", "target", "policy", "params", "settings_payload", "facts"})
"""Fields that hold JSON."""


def plain(message: Message) -> dict[str, Any]:
    """Every field by its name; what is absent is None.

    What ``--json`` shows: protobuf's own mapping writes numbers of 64 bits as strings, and leaves out what is zero.
    """
    return {field.name: _value(message, field) for field in message.DESCRIPTOR.fields}


def _value(message: Message, field: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        of_value = field.message_type.fields_by_name["value"]
        return {key: _one(of_value, value) for key, value in getattr(message, field.name).items()}
    if field.is_repeated:
        return [_one(field, value) for value in getattr(message, field.name)]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _one(field, getattr(message, field.name))


def _one(field: Any, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToDatetime(UTC)
    if isinstance(value, Message):
        return plain(value)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.name in JSON_FIELDS and isinstance(value, str):
        return json.loads(value) if value else None
    return value.decode(errors="replace") if isinstance(value, bytes) else value
