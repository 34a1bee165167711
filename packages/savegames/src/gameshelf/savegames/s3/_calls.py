"""Requests about one bucket: their clients, time limits, spans and failures."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from gameshelf.savegames._ports import StoreUnavailable
from gameshelf.savegames.s3._client import CALL_SECONDS, failures_as_unavailable, new_client
from gameshelf.savegames.s3._config import S3Config

_log = logging.getLogger(__name__)

_SLOWEST_BYTES_PER_SECOND = 4 * 1024**2

T = TypeVar("T")
CallSpan = Callable[[str], AbstractContextManager[object]]


class BucketCalls:
    """Requests about one bucket."""

    def __init__(self, config: S3Config, span: CallSpan, on_failure: Callable[[StoreUnavailable], None]) -> None:
        self.config = config
        encryption = config.server_side_encryption
        self.new_object = {
            # The type that a client gave may be that of a page with scripts.
            "ContentType": "application/octet-stream",
            **({"ServerSideEncryption": encryption} if encryption else {}),
        }
        """What every object that the service makes has."""
        self._span = span
        self._on_failure = on_failure
        self._opened = AsyncExitStack()
        self._client: Any = None
        self._patient: Any = None

    async def open(self) -> None:
        """Makes the clients."""
        self._client = await self._opened.enter_async_context(new_client(self.config))
        # A store sends nothing while it copies or joins parts, and a large object takes longer.
        longest = seconds_for(max(self.config.max_object_bytes, self.config.copy_part_bytes))
        self._patient = await self._opened.enter_async_context(new_client(self.config, read_seconds=longest))

    async def close(self) -> None:
        """Closes the clients."""
        await self._opened.aclose()

    async def request(self, method: str, **parameters: Any) -> Any:
        """One request. Raises what the client raises, and TimeoutError."""
        async with asyncio.timeout(CALL_SECONDS):
            return await getattr(self._client, method)(Bucket=self.config.bucket, **parameters)

    async def patient_request(self, method: str, size: int, **parameters: Any) -> Any:
        """One request during which the store moves ``size`` bytes before it responds."""
        async with asyncio.timeout(seconds_for(size)):
            return await getattr(self._patient, method)(Bucket=self.config.bucket, **parameters)

    @asynccontextmanager
    async def calling(self, operation: str, seconds: float = CALL_SECONDS) -> AsyncIterator[None]:
        """Raises StoreUnavailable for each failure within, or after ``seconds``."""
        with self._span(operation):
            try:
                async with failures_as_unavailable(operation, seconds):
                    yield
            except StoreUnavailable as error:
                self._on_failure(error)
                _log.warning("S3 is away: %s", error)
                raise


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Does the work for every item, a few at a time. Raises the first failure once all tasks have ended."""
    remaining = iter(items)

    async def work_on_remaining() -> None:
        for item in remaining:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work_on_remaining())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def seconds_for(size: int) -> float:
    """Time limit of a call that copies or reads so many bytes."""
    return CALL_SECONDS + size / _SLOWEST_BYTES_PER_SECOND
