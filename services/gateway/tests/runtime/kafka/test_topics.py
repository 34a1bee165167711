"""A type counts only on its own topic."""

from uuid import uuid4

import pytest
from gameshelf.gateway.runtime.kafka.consumed import CONSUMED
from gameshelf.gateway.runtime.kafka.event_types import TOPICS


@pytest.mark.parametrize("topic", TOPICS)
async def test_a_type_on_the_topic_of_another_service_is_a_dead_letter(
    platform, player, send, encode, letters_with, owns, database, topic
):
    marker, game, kept = f"order-{uuid4()}", uuid4(), uuid4()
    await player.buys(kept)
    await owns(player, kept)
    data = {
        "userId": str(player.id),
        "orderId": marker,
        "keyId": marker,
        "giftId": marker,
        "reviewId": marker,
        "deviceId": marker,
        "deletedAt": None,
        "productId": str(game),
        "items": [{"productId": str(game)}],
        "rating": 5,
        "versionId": marker,
    }
    elsewhere = [kind for kind, event in CONSUMED.items() if event.topic != topic]
    await send(topic, str(player.id).encode(), *(encode(kind, data) for kind in elsewhere))
    letters = await letters_with(marker, len(elsewhere))
    assert {letter["reason"] for letter in letters} == {"WRONG_TOPIC"}
    assert {letter["topic"] for letter in letters} == {topic}
    await player.buys(more := uuid4())
    await owns(player, kept, more)


def test_the_table_names_every_topic_that_is_read():
    assert {event.topic for event in CONSUMED.values()} == set(TOPICS)
