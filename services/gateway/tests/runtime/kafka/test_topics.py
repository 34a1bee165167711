"""A type counts only on its own topic."""

from uuid import uuid4

import pytest
from gameshelf.gateway.wiring import CONSUMED


@pytest.mark.parametrize("topic", CONSUMED.topics)
async def test_a_type_on_the_topic_of_another_service_is_a_dead_letter(
    platform, player, send, encode, letters_with, owns, topic
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
    elsewhere = [kind for kind, events in CONSUMED.by_type.items() if events[0].topic != topic]
    await send(topic, str(player.id).encode(), *(encode(kind, data) for kind in elsewhere))
    letters = await letters_with(marker, len(elsewhere))
    assert {letter["reason"] for letter in letters} == {"WRONG_TOPIC"}
    assert {letter["topic"] for letter in letters} == {topic}
    await player.buys(more := uuid4())
    await owns(player, kept, more)


def test_the_topics_of_the_contract_are_read():
    services = ("payment", "catalog", "download", "social", "account")
    assert set(CONSUMED.topics) == {f"com.platform.{service}.events.v1" for service in services}
    assert CONSUMED.product_topics == {"com.platform.catalog.events.v1"}
