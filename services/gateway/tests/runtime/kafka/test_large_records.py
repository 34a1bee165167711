"""Large records that say little: what nobody reads of them is not kept in memory."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.servers.kafka import PARTITIONS

PAYMENTS = "com.platform.payment.events.v1"
PURCHASED = "com.platform.payment.purchase.completed.v1"
ELEMENTS = 105_000
"""In a record of almost a megabyte. As objects they take forty."""


@pytest.mark.long
async def test_what_nobody_reads_of_a_record_takes_no_memory(platform, new_player, encode, owns, grown):
    games = {new_player(): uuid4() for _ in range(2 * PARTITIONS)}
    async with AIOKafkaProducer(bootstrap_servers=platform.kafka.address) as producer:
        for number, (player, game) in enumerate(games.items()):
            data = {"userId": str(player.id), "orderId": f"o-{game}", "items": [{"productId": str(game)}], "junk": 0}
            junk = b"[" + b",".join([b'{"a":{}}'] * ELEMENTS) + b"]"
            value = encode(PURCHASED, data).replace(b'"junk": 0', b'"junk": ' + junk)
            await producer.send(PAYMENTS, value, partition=number % PARTITIONS)
    for player, game in games.items():
        await owns(player, game)
    assert grown() < 160 * 2**20
