"""Holds the calls of a service to its servers, so that a test can kill it at any of them."""

import asyncio
from uuid import UUID

from gameshelf.devstack.proxy import Proxy, Pump

_STARTED = b"\0\3\0\0"
"""The version of PostgreSQL's protocol; messages before it have no type."""
_READY = b"Z\0\0\0\5"
"""The last message of each answer of PostgreSQL, before a byte that says whether a transaction is open."""
_IDLE = b"I"


class HeldCalls:
    """The calls of a service, of which that of one number is held, and all after it."""

    count: int
    held_from: int | None
    held: asyncio.Event
    """Set when the call is held, or when its answer is."""

    user_id: UUID | None
    """Only what is done for this user counts, if one is given."""

    def __init__(self) -> None:
        self.release()

    def release(self) -> None:
        """Counts from 0 on, and holds nothing."""
        self.count, self.held_from, self.held, self.user_id = 0, None, asyncio.Event(), None
        self._is_made = False

    def hold(self, number: int, *, answer: bool = False, user_id: UUID | None = None) -> None:
        """Counts from 0 on; the call of the number never arrives, nor do those after it.

        With ``answer`` the call of the number arrives, and only its answer does not. With ``user_id`` only the
        statements that mention this user count, and the others of their transactions; what the service does by the
        clock would else be counted at one time and not at another.
        """
        self.release()
        self.held_from, self._is_made, self.user_id = number, answer, user_id

    def is_counted(self, values: bytes) -> bool:
        """Whether a statement with these values, or this text, counts by itself."""
        return self.user_id is None or self.user_id.bytes in values or str(self.user_id).encode() in values

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
        is_answer_held = is_counted = is_open = False

        async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal is_answer_held, is_counted
            is_started = False
            while True:
                kind = await reader.readexactly(1) if is_started else b""
                size = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(size) - 4)
                is_started = is_started or body.startswith(_STARTED)
                if kind in (b"B", b"Q"):
                    is_counted = self.calls.is_counted(body) or (is_counted and is_open)
                if is_counted and (kind == b"E" or (kind == b"Q" and not body.startswith(b"BEGIN"))):
                    is_answer_held = await self.calls.reach()
                writer.write(kind + size + body)
                await writer.drain()

        async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal is_open
            while chunk := await reader.read(65536):
                if is_answer_held:
                    self.calls.held.set()
                    await asyncio.Event().wait()
                if chunk[:-1].endswith(_READY):
                    is_open = chunk[-1:] != _IDLE
                writer.write(chunk)
                await writer.drain()

        return there, back
