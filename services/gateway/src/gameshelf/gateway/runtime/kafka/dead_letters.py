"""Dead letters: records that can never be applied. They are stored completely, and published on a separate topic.

Storing one never fails because of its content: what the database cannot hold is escaped or left out.
"""

import base64
import logging
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire, limit_lock_wait
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.failures import is_own_fault
from gameshelf.gateway.runtime.kafka.inbox import NewLetter, keep_dead_letters
from gameshelf.gateway.runtime.kafka.named_user import named_user
from gameshelf.gateway.runtime.kafka.received import EventPart, KafkaRecord
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox.store import Outgoing, add_records
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError

_log = logging.getLogger(__name__)

_MAX_BYTES = 900 * 1024
"""Less than a broker accepts by default, since a letter that it refuses would be set aside."""
_MAX_KEY_BYTES = 4 * 1024
_MAX_KEPT_BYTES = 16 * 1024 * 1024
"""The longest value that is stored; a broker accepts one as long only if it is configured to."""
_MAX_DETAIL = 2000
_AT_ONCE = 200
"""How many parts of a record are stored in one transaction."""
_BYTES_AT_ONCE = 4 * 1024 * 1024
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
KEPT = timedelta(days=90)
"""How long a letter is kept: long enough to look into it, and no longer, since it may hold a user's data."""


class DeadLetters:
    """Stores each record once, however often it is delivered. ``topic`` is where dead letters are published; records
    of ``product_topics`` have a product as their key.
    """

    def __init__(
        self,
        topic: str,
        product_topics: Collection[str],
        acquire: Acquire,
        streams: UserStreams,
        metrics: Metrics,
        clock: Clock = utc_now,
    ) -> None:
        self._topic = topic
        self._product_topics = product_topics
        self._acquire = acquire
        self._streams = streams
        self._metrics = metrics
        self._clock = clock

    async def keep_record(self, record: KafkaRecord, reason: str, detail: str, lock_wait_milliseconds: int) -> None:
        """Stores a record and publishes it; one about an erased user is dropped. Waits at most
        ``lock_wait_milliseconds`` for the lock of the user's row.

        Raises only failures that concern every record: a record that cannot be stored is logged and skipped.
        """
        user_id = named_user(record, self._product_topics)
        await self._keep_some(record, user_id, reason, [_letter(record, detail, record.value)], lock_wait_milliseconds)

    async def keep_parts(
        self, record: KafkaRecord, reason: str, parts: Iterable[EventPart], lock_wait_milliseconds: int
    ) -> None:
        """Stores parts of a record like ``keep_record``, each as a separate letter, many in one transaction.

        It may be repeated after a failure: each part is stored once.
        """
        user_id = named_user(record, self._product_topics)
        some: list[NewLetter] = []
        size = 0
        for part in parts:
            some.append(_letter(record, part.detail, part.value, part.name))
            size += len(part.value)
            if len(some) == _AT_ONCE or size > _BYTES_AT_ONCE:
                await self._keep_some(record, user_id, reason, some, lock_wait_milliseconds)
                some, size = [], 0
        if some:
            await self._keep_some(record, user_id, reason, some, lock_wait_milliseconds)

    async def _keep_some(
        self, record: KafkaRecord, user_id: UUID | None, reason: str, letters: Sequence[NewLetter], lock_wait: int
    ) -> None:
        counted = self._metrics.kafka_records
        try:
            kept = await self._keep(record, user_id, reason, letters, lock_wait)
        except UserErased:
            counted.labels(record.topic, "dropped").inc(len(letters))
            return
        except Exception as error:
            if not is_own_fault(error):
                raise
            if len(letters) > 1:
                for letter in letters:
                    await self._keep_some(record, user_id, reason, [letter], lock_wait)
                return
            place = f"{record.topic}/{record.partition}/{record.offset}"
            _log.error("the record %s can't be kept as a dead letter (%s), it is lost", place, reason, exc_info=error)
            counted.labels(record.topic, "lost").inc()
            return
        counted.labels(record.topic, "dead_letter").inc(len(letters))
        if kept:
            self._metrics.dead_letters.labels(record.topic, reason).inc(kept)
            _log.warning("a record of %s became a dead letter: %s", record.topic, reason)

    def reason_of(self, error: Exception) -> tuple[str, str]:
        """Returns reason and detail for an event that was refused, or that could not be applied, which is logged."""
        if isinstance(error, DomainError):
            return error.code, error.default_message()
        _log.error("an event can't be applied", exc_info=error)
        return "NOT_APPLICABLE", type(error).__name__

    async def _keep(
        self, record: KafkaRecord, user_id: UUID | None, reason: str, letters: Sequence[NewLetter], lock_wait: int
    ) -> int:
        """Returns how many of the letters were not stored before."""
        async with self._acquire() as connection, connection.transaction():
            if user_id is not None:
                await limit_lock_wait(connection, lock_wait)
                # Under the user's lock, a concurrent erasure either sees the letter, or prevents that it is written.
                await self._streams.lock(connection, user_id)
            new = await keep_dead_letters(
                connection, letters, user_id=user_id, topic=record.topic, reason=reason, key=record.key
            )
            if new:
                key = str(user_id) if user_id else None
                published = [self._published(record, reason, letter) for letter in letters if letter.id in new]
                await add_records(connection, [Outgoing(user_id, self._topic, key, value) for value in published])
        return len(new)

    def _published(self, record: KafkaRecord, reason: str, letter: NewLetter) -> bytes:
        document = {
            "reason": reason,
            "detail": letter.detail,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "failedAt": self._clock(),
            "key": _readable(record.key, _MAX_KEY_BYTES),
        }
        # Inside JSON the original may take up to six times as much room, depending on its content.
        limit = _MAX_BYTES
        while len(text := encode({**document, "original": _readable(letter.value, limit)})) > _MAX_BYTES:
            limit //= 2
        return text


def _letter(record: KafkaRecord, detail: str, value: bytes | None, part: str = "") -> NewLetter:
    identity = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}{part}"
    detail = printable(detail)
    if value is not None and len(value) > _MAX_KEPT_BYTES:
        detail, value = f"{detail} (the original has {len(value)} bytes, too many to be kept)", None
    return NewLetter(identity, detail, value)


def printable(text: str) -> str:
    """Escapes control characters and surrogates, which PostgreSQL or terminals refuse, and truncates the text."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text[:_MAX_DETAIL])


def _readable(value: bytes | None, limit: int) -> dict[str, Any] | None:
    """Returns at most ``limit`` bytes in a form for JSON; the dead letter in the database has all bytes."""
    if value is None:
        return None
    held = value[:limit]
    cut = {"truncated": True} if len(held) < len(value) else {}
    try:
        return {"text": held.decode(), **cut}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(held).decode(), **cut}
