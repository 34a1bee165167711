"""Publishes the events of a commit: numbers them, and makes their messages for devices and for Kafka."""

from collections import defaultdict
from collections.abc import Sequence, Set
from typing import Any

from gameshelf.gateway.runtime.outbox.messages import EventForm, EventForms, Published, cloud_event, device_message
from gameshelf.gateway.runtime.outbox.store import FeedMessage, Outgoing
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event


class Publishing:
    """Publishes the events of one commit."""

    def __init__(
        self,
        forms: EventForms,
        bulk_topics: Set[str],
        events_topic: str,
        traceparent: str | None,
        origin: str | None,
    ) -> None:
        self.forms = forms
        self.bulk_topics = bulk_topics
        self.events_topic = events_topic
        self.traceparent = traceparent
        self.origin = origin
        self._loaded: dict[type[Event], Any] = {}

    async def load(self, connection: Connection, events: Sequence[Event]) -> None:
        """Reads the data that the messages need besides their events."""
        by_type: dict[type[Event], list[Event]] = defaultdict(list)
        for event in events:
            by_type[type(event)].append(event)
        for kind, alike in by_type.items():
            if load := self._form(kind).load:
                self._loaded[kind] = await load(connection, alike)

    def publish(self, event: Event) -> Published:
        form = self._form(type(event))
        return form.publish(event, self._loaded[type(event)]) if form.load else form.publish(event)

    def _form(self, kind: type[Event]) -> EventForm:
        form = self.forms.get(kind)
        if form is None:
            raise TypeError(f"{kind.__name__} has no published form in any domain")
        return form


class UserEvents:
    """The messages that a commit publishes about one user."""

    def __init__(self, last_sequence: int) -> None:
        self.last_sequence = last_sequence
        self.events: list[Event] = []
        self.messages: list[FeedMessage] = []
        self.records: list[Outgoing] = []

    def add(self, event: Event, by: Publishing) -> None:
        """Numbers an event, and makes its messages for devices and for Kafka."""
        self.last_sequence += 1
        self.events.append(event)
        published = by.publish(event)
        if published.device_type is not None:
            payload = published.device_payload or {}
            text = device_message(published.device_type, self.last_sequence, event.occurred_at, payload, by.origin)
            self.messages.append(FeedMessage(event.user_id, self.last_sequence, event.occurred_at, text))
        if published.cloud_type is not None:
            value = cloud_event(published, event, self.last_sequence, by.traceparent)
            topic = published.topic or by.events_topic
            is_bulk = topic in by.bulk_topics
            self.records.append(
                Outgoing(event.user_id, topic, str(event.user_id), value, by.traceparent, is_bulk=is_bulk)
            )
