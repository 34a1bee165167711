"""CloudEvents as the platform's other services send them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.devstack.consumed_topics import consumed_topics

_APPLIED = "SELECT source, event_id FROM gateway.inbox WHERE event_id = ANY($1)"
_ERASED = "SELECT user_id FROM gateway.user_streams WHERE user_id = ANY($1) AND erased_at IS NOT NULL"
_HASHES = "SELECT user_hash FROM gateway.erased_users WHERE user_hash = ANY($1)"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event of another service. ``data`` is what the type says (contract, section 6)."""

    type: str
    data: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid4()))
    source: str = "gameshelf.devstack"
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def topic(self) -> str:
        return consumed_topics()[self.type]

    @property
    def key(self) -> str | None:
        """The product for facts of the Catalog, else the user."""
        names = ("productId", "product_id") if ".catalog." in self.type else ("userId", "user_id")
        return next((str(self.data[name]) for name in names if name in self.data), None)

    def encode(self) -> bytes:
        """Structured JSON."""
        document = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat(),
            "datacontenttype": "application/json",
            "subject": self.key,
            "data": self.data,
        }
        return json.dumps(document, ensure_ascii=False).encode()


async def publish(brokers: str, events: Sequence[CloudEvent]) -> None:
    """Puts events on their topics, each one's successors with the same key behind it."""
    from aiokafka import AIOKafkaProducer  # not for who only makes events

    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5)
    await producer.start()
    try:
        for event in events:
            key = event.key.encode() if event.key else None
            await producer.send(event.topic, event.encode(), key=key)
        await producer.flush()
    finally:
        await producer.stop()


async def until_applied(dsn: str, events: Sequence[CloudEvent], seconds: float, *, erasure_key: str) -> None:
    """Waits until the service has applied these events: they are in its inbox, or about an account that is erased or
    being erased.

    ``erasure_key`` is the service's ``ERASURE_HASH_KEY``: only a hash remains of an erased account.

    Raises TimeoutError.
    """
    import asyncpg
    from gameshelf.gateway.runtime.streams import UserStreams  # not for who only makes events

    wanted = {(event.source, event.id) for event in events}
    users = {event.id: UUID(event.data["userId"]) for event in events if "userId" in event.data}
    streams = UserStreams(erasure_key.encode())
    hashes = {streams.hash(user_id): user_id for user_id in users.values()}
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(seconds):
            while True:
                applied = await connection.fetch(_APPLIED, [event_id for _, event_id in wanted])
                wanted -= {(row["source"], row["event_id"]) for row in applied}
                if not wanted:
                    return
                erased = {row["user_id"] for row in await connection.fetch(_ERASED, list(users.values()))}
                erased |= {hashes[row["user_hash"]] for row in await connection.fetch(_HASHES, list(hashes))}
                wanted = {one for one in wanted if users.get(one[1]) not in erased}
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
