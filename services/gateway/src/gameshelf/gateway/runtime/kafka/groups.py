"""Puts the users of a batch into groups, whose events are applied in one transaction each."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import EventSubject
from gameshelf.gateway.runtime.kafka.received import ReceivedEvent

MOST_USERS = 200
_MOST_EVENTS = 8
"""A user with more events is alone: all others would be locked until the last one of them is applied."""
_MOST_BYTES = 16 * 1024
"""A user with larger records is alone: an order may have thousands of items."""

EventsOfUsers = Mapping[UUID, Sequence[ReceivedEvent]]
"""The events of several users, those of each in their order."""


def in_groups(users: EventsOfUsers) -> tuple[list[EventsOfUsers], EventsOfUsers]:
    """Returns groups of users, and those who are alone.

    Users with as many events are together, since a group takes as many round trips as the longest of its members. The
    end of an account is alone: it is no use case, and waits for nothing.
    """
    alone = {user_id: own for user_id, own in users.items() if not _may_be_grouped(own)}
    others = sorted(users.keys() - alone.keys(), key=lambda user_id: (len(users[user_id]), user_id))
    groups = [others[start : start + MOST_USERS] for start in range(0, len(others), MOST_USERS)]
    return [{user_id: users[user_id] for user_id in group} for group in groups], alone


def _may_be_grouped(events: Sequence[ReceivedEvent]) -> bool:
    return (
        len(events) <= _MOST_EVENTS
        and sum(len(event.record.value or b"") for event in events) <= _MOST_BYTES
        and not any(event.subject is EventSubject.ACCOUNT_END for event in events)
    )
