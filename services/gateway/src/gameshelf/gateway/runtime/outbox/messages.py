"""The published forms of events: a CloudEvent for Kafka, and a message for the user's devices.

Each domain declares a form per event (``Domain.published``); an event without one can't be committed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event

SOURCE = "platform.library-service"

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """The two messages of one event; None if there is no such message."""

    cloud_type: str | None = None
    cloud_data: JsonObject | None = None
    device_type: str | None = None
    device_payload: JsonObject | None = None
    topic: str | None = None
    """The topic of the CloudEvent; None for the topic of the service's events."""
    cloud_id: UUID | None = None
    """The CloudEvent's id, if it has to be the same whenever the message is made again."""


@dataclass(frozen=True, slots=True)
class EventForm:
    """The published form of one type of event."""

    publish: Callable[..., Published]
    """Makes the messages: ``publish(event)``, or ``publish(event, loaded)`` if there is a ``load``."""
    load: Callable[[Connection, Sequence[Any]], Awaitable[Any]] | None = None
    """Reads data that the messages need, once per commit for all events of the type."""


EventForms = Mapping[type[Event], EventForm]

SILENT = EventForm(lambda event: Published())
"""The form of events that are not published."""


def cloud_event(published: Published, event: Event, sequence: int, traceparent: str | None) -> bytes:
    """Renders the CloudEvent 1.0 as structured JSON. ``sequence`` is the number of the event in the user's stream."""
    document: JsonObject = {
        "specversion": "1.0",
        "id": published.cloud_id or uuid4(),
        "source": SOURCE,
        "type": published.cloud_type,
        "subject": event.user_id,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        "sequence": str(sequence),
        "data": published.cloud_data,
    }
    if traceparent:
        document["traceparent"] = traceparent
    return encode(document)


def device_message(event_type: str, sequence: int, at: datetime, payload: JsonObject, origin: str | None = None) -> str:
    """Renders a message of the WebSocket (contract, section 5). Its id is the event's number in the user's stream.

    ``origin`` is the ``X-Client-Id`` of the request of REST or gRPC that caused it.
    """
    message: JsonObject = {"event_type": event_type, "id": str(sequence), "timestamp": at, "payload": payload}
    if origin is not None:
        message["origin"] = origin
    return encode(message).decode()
