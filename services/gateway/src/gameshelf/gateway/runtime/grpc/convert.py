"""Values that messages of every service have: times, and texts that may be absent."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A time; None stays absent."""
    if moment is None:
        return None
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def text(value: object) -> str:
    """The text of a value, such as an id; None is the empty text, since a field of proto3 has no null."""
    return "" if value is None else str(value)
