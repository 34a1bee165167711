"""The tables of consumed events: which types each domain consumes, on which topic, and how it applies them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.gateway.runtime.kafka.handling import ApplyAll, Handle


class EventSubject(Enum):
    """The subject of an event, which determines the transaction that applies it."""

    USER = auto()
    ACCOUNT_END = auto()
    PRODUCT = auto()


@dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """How one domain reads and applies events of a type. It has either ``handle``, ``apply_all`` or ``ends_account``;
    anything else raises ValueError.
    """

    topic: str
    """The only topic on which the type is accepted."""
    data: type[EventData]
    handle: Handle | None = None
    """Applies an event about a user, in that user's transaction."""
    apply_all: ApplyAll | None = None
    """Applies events about products, many in one transaction."""
    ends_account: bool = False
    """Whether the event ends a user's account: the user is erased, and earlier events have no effect any more."""

    def __post_init__(self) -> None:
        if (self.handle is not None) + (self.apply_all is not None) + self.ends_account != 1:
            raise ValueError("a consumed event has exactly one of handle, apply_all and ends_account")

    @property
    def subject(self) -> EventSubject:
        if self.ends_account:
            return EventSubject.ACCOUNT_END
        return EventSubject.PRODUCT if self.apply_all else EventSubject.USER


class ConsumedEvents:
    """The tables of all domains as one. Domains apply an event in the order of ``tables``."""

    def __init__(self, tables: Mapping[str, Mapping[str, ConsumedEvent]]) -> None:
        """``tables`` has the types of each domain. Raises ValueError if two declarations contradict each other."""
        by_type: dict[str, list[ConsumedEvent]] = {}
        owners: dict[str, str] = {}
        for domain, table in tables.items():
            for event_type, event in table.items():
                for other in by_type.get(event_type, ()):
                    if clash := _clash(event, other):
                        raise ValueError(f"{event_type}: {domain} and {owners[event_type]} differ in its {clash}")
                by_type.setdefault(event_type, []).append(event)
                owners.setdefault(event_type, domain)
        self.by_type: Mapping[str, Sequence[ConsumedEvent]] = by_type
        """Event type → the declarations of all domains that consume it."""
        self.topic_of: Mapping[str, str] = {event_type: events[0].topic for event_type, events in by_type.items()}
        """Event type → the only topic on which it is accepted."""
        events = [event for table in tables.values() for event in table.values()]
        self.topics: tuple[str, ...] = tuple(dict.fromkeys(event.topic for event in events))
        """The topics that are read."""
        self.product_topics = frozenset(event.topic for event in events if event.subject is EventSubject.PRODUCT)
        """The topics whose records have a product as their key; on all others it is a user."""
        self.product_appliers: tuple[ApplyAll, ...] = tuple(
            dict.fromkeys(event.apply_all for event in events if event.apply_all)
        )
        """The functions that apply a batch, in an order that is the same everywhere, so that locks are taken in it."""
        mixed = self.product_topics & {event.topic for event in events if event.subject is not EventSubject.PRODUCT}
        if mixed:
            raise ValueError(f"events about products and about users on one topic: {', '.join(sorted(mixed))}")


def _clash(event: ConsumedEvent, other: ConsumedEvent) -> str | None:
    """Returns the property in which two declarations of one type contradict each other; None if they agree."""
    if event.topic != other.topic:
        return "topic"
    if event.subject is not other.subject:
        return "subject"
    if event.data.element_lists.keys() & other.data.element_lists.keys():
        return "lists of elements, which only one of them may have"
    return None
