"""Notifies those who wait for the service that it is back: a call was answered after one had not been."""

import asyncio

_AWAY = frozenset((502, 503, 504))


class Returns:
    """One per client: its calls note what they find, and its live updates wait for a return."""

    def __init__(self) -> None:
        self._is_away = False
        self._waiting: set[asyncio.Event] = set()

    def note(self, status: int | None) -> None:
        """What a try of a call has found: the status of the answer, or None where there was none.

        A limit of requests, or an error of the service itself, is an answer.
        """
        was_away, self._is_away = self._is_away, status is None or status in _AWAY
        if was_away and not self._is_away:
            for waiting in self._waiting:
                waiting.set()

    async def wait(self) -> None:
        """Returns at the next return of the service."""
        back = asyncio.Event()
        self._waiting.add(back)
        try:
            await back.wait()
        finally:
            self._waiting.discard(back)
