"""Machines on which a game runs: their time passes when a test says so."""

import asyncio
from datetime import UTC, datetime, timedelta

from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


class Machine:
    """A clock that a test moves, and heartbeats that come when it says so."""

    def __init__(self):
        self.time, self.beats, self.done = datetime.now(UTC), asyncio.Queue(), asyncio.Queue()
        self.error = timedelta()
        """What the clock of the machine is off."""
        self.is_first = True

    def now(self):
        return self.time + self.error

    async def pause(self, seconds):
        if not self.is_first:
            self.done.put_nowait(None)
        self.is_first = False
        await self.beats.get()

    async def beat(self, seconds=60):
        """Time passes, and a heartbeat comes and ends."""
        self.time += timedelta(seconds=seconds)
        self.beats.put_nowait(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.done.get()

    async def beat_last(self, session, seconds=60):
        """A heartbeat at which the session is over: no other one follows it."""
        self.time += timedelta(seconds=seconds)
        self.beats.put_nowait(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not session.is_over:
                await asyncio.sleep(0.01)
