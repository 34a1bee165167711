"""Places in which a process verifies objects: each one may be large, and is read completely."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gameshelf.savegames._ports import StoreUnavailable


class NotTried(StoreUnavailable):
    """No request was sent to the store."""


class VerificationPlaces:
    """A number of places, which are given in the order in which they were asked for."""

    def __init__(self, count: int) -> None:
        self._places = asyncio.Semaphore(count)
        self._failures = 0

    @asynccontextmanager
    async def take(self, patience: float | None = None) -> AsyncIterator[None]:
        """Waits for a place, at most ``patience`` seconds, and holds it.

        If the store turns out to be away, all who wait fail at once, since each would only find the same failure, one
        after another. Raises NotTried.
        """
        failures = self._failures
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        except TimeoutError:
            raise NotTried("too many objects are being verified") from None
        try:
            if self._failures != failures:
                raise NotTried("the store did not answer other requests")
            yield
        except NotTried:
            raise
        except StoreUnavailable:
            self._failures += 1
            raise
        finally:
            self._places.release()
