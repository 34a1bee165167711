"""Producers with transactions: what they abort did not happen, and their markers are no records that wait."""

from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.servers import choice

PAYMENTS = "com.platform.payment.events.v1"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not choice.are_real(), reason="the embedded broker has no transactions: ./dev test --real"),
]


@asynccontextmanager
async def transactional(platform):
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, transactional_id=f"payments-{uuid4()}")
    await producer.start()
    yield producer
    await producer.stop()


async def test_an_aborted_purchase_did_not_happen(platform, service, player, purchase_of, owns, nothing_waits):
    aborted, bought, last = (uuid4() for _ in range(3))
    async with transactional(platform) as producer:
        for game in (aborted, bought, last):
            await producer.begin_transaction()
            event = purchase_of(player.id, game)
            await producer.send_and_wait(PAYMENTS, event.encode(), key=str(player.id).encode())
            await (producer.abort_transaction() if game == aborted else producer.commit_transaction())
        await owns(player, bought, last)
        await producer.begin_transaction()
        await producer.send_and_wait(PAYMENTS, purchase_of(player.id, aborted).encode(), key=str(player.id).encode())
        await producer.abort_transaction()
    await nothing_waits()
    await owns(player, bought, last)
