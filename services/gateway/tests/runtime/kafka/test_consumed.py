"""The tables of consumed events: which rows are valid, and how the tables of all domains are merged."""

from typing import ClassVar
from uuid import UUID

import pytest
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent, ConsumedEvents
from gameshelf.gateway.runtime.kafka.fields import EventData


class Data(EventData):
    user_id: UUID


class WithItems(EventData):
    element_lists: ClassVar = {"items": Data}

    user_id: UUID
    items: tuple[Data, ...] = ()


async def handle(transaction, data, received):
    pass


async def apply_all(connection, events, clock):
    pass


async def apply_more(connection, events, clock):
    pass


def of_user(topic="users", data=Data):
    return ConsumedEvent(topic, data, handle)


def of_product(apply=apply_all, topic="products"):
    return ConsumedEvent(topic, Data, apply_all=apply)


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"handle": handle, "apply_all": apply_all},
        {"handle": handle, "ends_account": True},
        {"apply_all": apply_all, "ends_account": True},
    ],
)
def test_a_consumed_event_is_applied_in_exactly_one_way(ways):
    with pytest.raises(ValueError, match="exactly one"):
        ConsumedEvent("users", Data, **ways)


def test_the_tables_of_all_domains_become_one():
    first, second, third = of_product(), of_product(apply_more), of_user()
    tables = {"a": {"created": first, "updated": first}, "b": {"updated": second}, "c": {"bought": third}}
    found = ConsumedEvents(tables)
    assert found.by_type == {"created": [first], "updated": [first, second], "bought": [third]}
    assert found.topics == ("products", "users")
    assert found.product_topics == {"products"}
    assert found.product_appliers == (apply_all, apply_more)


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (of_user(), of_user("others"), "topic"),
        (of_user(), ConsumedEvent("users", Data, ends_account=True), "subject"),
        (of_user(data=WithItems), of_user(data=WithItems), "lists"),
    ],
)
def test_two_domains_may_not_contradict_each_other_about_a_type(one, other, clash):
    with pytest.raises(ValueError, match=f"bought: b and a differ in its {clash}"):
        ConsumedEvents({"a": {"bought": one}, "b": {"bought": other}})


def test_a_topic_has_events_about_users_or_about_products():
    with pytest.raises(ValueError, match="on one topic: users"):
        ConsumedEvents({"a": {"bought": of_user()}, "b": {"updated": of_product(topic="users")}})
