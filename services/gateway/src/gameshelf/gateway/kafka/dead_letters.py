"""Records that can never be applied: kept whole in the database, and told of on a topic of their own."""

import base64
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.encoding import decode, encode
from gameshelf.gateway.kafka.inbox import keep_dead_letter
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.outbox.store import Outgoing, add_records
from gameshelf.gateway.streams import UserErased, UserStreams
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError

_log = logging.getLogger(__name__)

_MAX_BYTES = 900 * 1024
"""Below what a broker takes by default: a letter that is refused would hold up everything behind it."""
_MAX_KEY_BYTES = 4 * 1024
KEPT = timedelta(days=90)
"""For how long there is something to look into: a letter may hold a user's data."""


class DeadLetters:
    """Keeps each record once, however often it comes."""

    def __init__(
        self, topic: str, acquire: Acquire, streams: UserStreams, metrics: Metrics, clock: Clock = utc_now
    ) -> None:
        self._topic = topic
        self._acquire = acquire
        self._streams = streams
        self._metrics = metrics
        self._clock = clock

    async def keep(self, record: ConsumerRecord, reason: str, detail: str) -> None:
        """Keeps a record and sends it on; one about an erased user is dropped."""
        user_id = _guess_user(record.value)
        try:
            kept = await self._keep(record, user_id, reason, detail)
        except UserErased:
            self._metrics.kafka_records.labels(record.topic, "dropped").inc()
            return
        self._metrics.kafka_records.labels(record.topic, "dead_letter").inc()
        if kept:
            self._metrics.dead_letters.labels(record.topic, reason).inc()
            _log.warning("a record of %s became a dead letter: %s", record.topic, reason)

    async def keep_failed(self, record: ConsumerRecord, error: Exception) -> None:
        """Keeps a record whose event was refused, or could not be applied at all."""
        if isinstance(error, DomainError):
            await self.keep(record, error.code, error.default_message())
            return
        _log.error("an event can't be applied", exc_info=error)
        await self.keep(record, "NOT_APPLICABLE", type(error).__name__)

    async def _keep(self, record: ConsumerRecord, user_id: UUID | None, reason: str, detail: str) -> bool:
        async with self._acquire() as connection, connection.transaction():
            if user_id is not None:
                # Under the user's lock: a letter that comes beside an erasure is seen by it, or is not written.
                await self._streams.lock(connection, user_id)
            new = await keep_dead_letter(
                connection,
                identity=f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}",
                user_id=user_id,
                topic=record.topic,
                reason=reason,
                detail=detail,
                key=record.key,
                value=record.value,
            )
            if new:
                key = str(user_id) if user_id else None
                letter = self._letter(record, reason, detail)
                await add_records(connection, [Outgoing(user_id, self._topic, key, letter)])
        return new

    def _letter(self, record: ConsumerRecord, reason: str, detail: str) -> bytes:
        letter = {
            "reason": reason,
            "detail": detail,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "failedAt": self._clock(),
            "key": _readable(record.key, _MAX_KEY_BYTES),
        }
        # How much the original grows inside JSON depends on what it is, up to six times.
        limit = _MAX_BYTES
        while len(text := encode({**letter, "original": _readable(record.value, limit)})) > _MAX_BYTES:
            limit //= 2
        return text


def _guess_user(value: bytes | None) -> UUID | None:
    """Whom a record that can't be applied is about, so that it goes when that user is erased."""
    try:
        data = decode(value or b"")["data"]
        return UUID(data.get("userId") or data.get("user_id"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _readable(value: bytes | None, limit: int) -> dict[str, Any] | None:
    """Bytes as JSON can hold them, at most ``limit`` of them; the dead letter in the database has them whole."""
    if value is None:
        return None
    held = value[:limit]
    cut = {"truncated": True} if len(held) < len(value) else {}
    try:
        return {"text": held.decode(), **cut}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(held).decode(), **cut}
