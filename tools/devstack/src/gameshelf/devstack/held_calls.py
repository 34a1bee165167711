"""Holds the calls of a service to its servers, so that a test can kill it at any of them."""

import asyncio

from gameshelf.devstack.proxy import Proxy, Pump

_STARTED = b"\0\3\0\0"
"""The version of PostgreSQL's protocol; messages before it have no type."""


class HeldCalls:
    """The calls of a service, of which that of one number is held, and all after it."""

    count: int
    held_from: int | None
    held: asyncio.Event
    """Set when the call is held, or when its answer is."""

    def __init__(self) -> None:
        self.release()

    def release(self) -> None:
        """Counts from 0 on, and holds nothing."""
        self.count, self.held_from, self.held = 0, None, asyncio.Event()
        self._is_made = False

    def hold(self, number: int, *, answer: bool = False) -> None:
        """Counts from 0 on; the call of the number never arrives, nor do those after it.

        With ``answer`` the call of the number arrives, and only its answer does not.
        """
        self.release()
        self.held_from, self._is_made = number, answer

    async def reach(self) -> bool:
        """Counts a call, and returns whether its answer is held. Does not return for a call that is held."""
        self.count += 1
        if self.held_from is None or self.count < self.held_from:
            return False
        if self._is_made and self.count == self.held_from:
            return True
        self.held.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


class PostgresProxy(Proxy):
    """Counts the statements. What only prepares one, or begins a transaction, leaves nothing behind."""

    def __init__(self, upstream: int, calls: HeldCalls) -> None:
        super().__init__(upstream)
        self.calls = calls

    def pumps(self, client: asyncio.StreamWriter) -> tuple[Pump, Pump]:
        is_answer_held = False

        async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal is_answer_held
            is_started = False
            while True:
                kind = await reader.readexactly(1) if is_started else b""
                size = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(size) - 4)
                is_started = is_started or body.startswith(_STARTED)
                if kind == b"E" or (kind == b"Q" and not body.startswith(b"BEGIN")):
                    is_answer_held = await self.calls.reach()
                writer.write(kind + size + body)
                await writer.drain()

        async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while chunk := await reader.read(65536):
                if is_answer_held:
                    self.calls.held.set()
                    await asyncio.Event().wait()
                writer.write(chunk)
                await writer.drain()

        return there, back
