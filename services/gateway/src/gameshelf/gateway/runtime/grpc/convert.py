"""Converts values that messages of every service have: times, and texts that may be absent."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Converts a time; None stays absent."""
    if moment is None:
        return None
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def text(value: object) -> str:
    """Converts a value such as an id to text; None becomes the empty text, since a field of proto3 has no null."""
    return "" if value is None else str(value)
