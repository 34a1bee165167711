"""Converts CloudEvents of other forms into structured JSON, the only form that the other modules know.

Binary mode has the attributes in the headers of the record and the data as its value (CloudEvents, Kafka Protocol
Binding 1.0, section 3.2); ``data_base64`` has the data as Base64. Deferred records and dead letters are stored without
headers, so records are converted before anything else.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gameshelf.gateway.runtime.kafka.received import KafkaRecord, StoredRecord, UnreadableRecord
from gameshelf.gateway.runtime.kafka.records import Unreadable
from pydantic_core import from_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PREFIX = "ce_"
_ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "dataschema", "traceparent", "tracestate")


class ConsumedRecord(KafkaRecord, Protocol):
    """A record that just came from Kafka."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def structured(record: ConsumedRecord) -> KafkaRecord:
    """Returns the record with its event in structured JSON; the record itself if it has that form, or has no event.

    One that can't be read becomes an UnreadableRecord.
    """
    if record.value is None:
        return record
    if isinstance(record.value, Unreadable):
        why = record.value.decode(errors="replace")
        return UnreadableRecord(record.topic, record.partition, record.offset, record.timestamp, why)
    value = record.value.removeprefix(_BYTE_ORDER_MARK)
    headers = dict(record.headers)
    if f"{_PREFIX}specversion" in headers:
        value = _of_binary(headers, value)
    elif b'"data_base64"' in value:
        value = _of_base64(value)
    if value is record.value:
        return record
    return StoredRecord(record.topic, record.partition, record.offset, record.timestamp, record.key, value)


def _of_binary(headers: Mapping[str, bytes | None], value: bytes) -> bytes:
    media_type = _text(headers.get("content-type")).partition(";")[0].strip().lower()
    parsed = _parsed(value)
    if media_type.startswith("application/cloudevents") or (isinstance(parsed, dict) and "specversion" in parsed):
        return value
    named = {name: headers.get(f"{_PREFIX}{name}") for name in _ATTRIBUTES}
    if named["traceparent"] is None:
        named["traceparent"] = headers.get("traceparent")
    attributes = {name: _text(text) for name, text in named.items() if text is not None}
    if media_type:
        attributes["datacontenttype"] = media_type
    if parsed is _NO_JSON:
        return json.dumps({**attributes, "data_base64": b64encode(value).decode()}, ensure_ascii=False).encode()
    return _with_data(attributes, value)


def _of_base64(value: bytes) -> bytes:
    document = _parsed(value)
    if not isinstance(document, dict) or document.get("data") is not None:
        return value
    try:
        data = b64decode(document["data_base64"], validate=True).removeprefix(_BYTE_ORDER_MARK)
    except (KeyError, TypeError, ValueError):
        return value
    if _parsed(data) is _NO_JSON:
        return value
    return _with_data({name: one for name, one in document.items() if name not in ("data", "data_base64")}, data)


def _with_data(attributes: Mapping[str, Any], data: bytes) -> bytes:
    """Returns the event with this JSON, unchanged, as its data."""
    head = json.dumps(attributes, ensure_ascii=False).encode()
    return head[:-1] + (b", " if attributes else b"") + b'"data": ' + data + b"}"


_NO_JSON = object()


def _parsed(text: bytes) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return _NO_JSON


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")
