"""The floors of purchases: a consumer that sends an event for each record, alone or with the rows of the purchase.

The rows are those that the service writes, in two statements for a whole batch: one inserts all of them, and one
deletes the outbox again when the broker has the events. The outbox has a table of its own, from which no relay sends.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from gameshelf.devstack.servers.kafka import PARTITIONS
from gameshelf.gateway.runtime.event_loop import loop_factory

READY = "ready"
BATCH = 500
ADDED = "com.platform.library.game.added.v1"

INSERT = """
WITH bought AS (
    SELECT *, row_number() OVER (PARTITION BY user_id) AS place
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::bytea[])
        AS given (user_id, source, event_id, order_id, product_id, item_id, message, value)
), heads AS (
    INSERT INTO gateway.user_streams AS head (user_id, version, last_sequence)
    SELECT user_id, 1, count(*) FROM bought GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE
        SET version = head.version + 1, last_sequence = head.last_sequence + excluded.last_sequence
    RETURNING user_id, last_sequence
), inboxes AS (
    INSERT INTO gateway.inbox (subject_id, source, event_id) SELECT user_id, source, event_id FROM bought
), grants AS (
    INSERT INTO library.ownership_grants (user_id, product_id, kind, source_id, acquired_at)
    SELECT user_id, product_id, 'order', order_id, $9 FROM bought
), items AS (
    INSERT INTO library.user_library_items (user_id, id, product_id, added_at, acquisition_type)
    SELECT user_id, item_id, product_id, $9, 'purchase' FROM bought
), owned AS (
    INSERT INTO achievements.owned_products (user_id, product_id) SELECT user_id, product_id FROM bought
), rarity AS (
    INSERT INTO achievements.rarity_deltas (product_id, delta)
    SELECT product_id, count(*) FROM bought GROUP BY product_id
), messages AS (
    INSERT INTO gateway.feed (user_id, sequence, message)
    SELECT user_id, last_sequence - place + 1, message FROM bought JOIN heads USING (user_id)
)
INSERT INTO bench.outbox (user_id, shard, topic, record_key, value)
SELECT user_id, 0, $10, user_id::text, value FROM bought RETURNING user_id, id
"""
DELETE = "DELETE FROM bench.outbox AS kept USING unnest($1::uuid[], $2::bigint[]) AS sent (user_id, id) WHERE "
DELETE += "kept.user_id = sent.user_id AND kept.id = sent.id"


def event(user: str, product: str, now: str) -> bytes:
    """The event that a purchase leads to."""
    data = {"userId": user, "productId": product, "acquisitionType": "purchase", "addedAt": now}
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "platform.library-service",
            "type": ADDED,
            "subject": user,
            "time": now,
            "datacontenttype": "application/json",
            "sequence": "1",
            "data": data,
        }
    )


def row(record: dict[str, Any], value: bytes, now: str) -> tuple[Any, ...]:
    """The parameters of one purchase."""
    data = record["data"]
    user, product = UUID(data["userId"]), UUID(data["items"][0]["productId"])
    item = uuid5(NAMESPACE_OID, f"{user}{product}")
    payload = {"library_item_id": str(item), "product_id": str(product), "acquisition_type": "purchase"}
    message = {"event_type": "library.item.added", "id": "1", "timestamp": now, "payload": {**payload, "added_at": now}}
    shown = orjson.dumps(message).decode()
    return user, record["source"], record["id"], data["orderId"], product, item, shown, value


async def main(brokers: str, incoming: str, outgoing: str, dsn: str) -> None:
    """Without a DSN there are no rows."""
    connection = await asyncpg.connect(dsn) if dsn else None
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers, group_id=incoming, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5)
    await consumer.start()
    await producer.start()
    consumer.assign([TopicPartition(incoming, number) for number in range(PARTITIONS)])
    print(READY, flush=True)
    while True:
        batches = await consumer.getmany(timeout_ms=100, max_records=BATCH)
        records = [orjson.loads(record.value) for records in batches.values() for record in records]
        if not records:
            continue
        now = datetime.now(UTC)
        users = [record["data"]["userId"] for record in records]
        values = [
            event(user, record["data"]["items"][0]["productId"], now.isoformat())
            for user, record in zip(users, records, strict=True)
        ]
        sent = []
        if connection:
            rows = [row(record, value, now.isoformat()) for record, value in zip(records, values, strict=True)]
            sent = await connection.fetch(INSERT, *zip(*rows, strict=True), now, outgoing)
        await asyncio.gather(
            *[
                await producer.send(outgoing, value, key=user.encode())
                for user, value in zip(users, values, strict=True)
            ]
        )
        if connection:
            await connection.execute(DELETE, [user for user, _ in sent], [number for _, number in sent])
        await consumer.commit()


with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
    runner.run(main(*sys.argv[1:5]))
