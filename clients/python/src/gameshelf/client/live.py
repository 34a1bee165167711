"""Live updates: the messages of the WebSocket, over as many connections as it takes.

Each message comes once, and none is missing: a connection begins behind the last message that was handed on.
``websockets`` is imported with the first connection; a game that needs no messages does not pay for it.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from gameshelf.client.errors import ForeignAnswer, LibraryProblem, LibraryRefusal, LibraryUnreachable
from gameshelf.client.retries import pause_before, retry_after
from gameshelf.client.returns import Returns
from gameshelf.client.tokens import TokenSource
from gameshelf.client.transport import PauseFor

if TYPE_CHECKING:
    from gameshelf.client.messages import LiveMessage
    from websockets.asyncio.client import ClientConnection

_OF_THE_CONNECTION = ("auth.success", "pong")
_PATH = "/api/v1/ws/library-updates"
_BAD_TOKEN, _LIMITED = 4401, 4429
_MINUTE = 60.0
"""Limits are counted per minute."""
_LONGEST_PAUSE = 3600.0
"""A proxy may ask for days, and nobody would notice that the messages have stopped."""
_SETTLED_SECONDS = 30.0
"""The end of a connection that has lived for this time, or has brought a message, is no failure."""


class LiveUpdates:
    """An iterator of messages that ends only with an error that waiting does not cure.

    At most some 16 messages wait in memory. A consumer that does not take them for ten seconds is disconnected by the
    service; the next connection continues where it was.
    """

    def __init__(
        self,
        address: str,
        tokens: TokenSource,
        cursor: str | None = None,
        *,
        ping_seconds: float = 20.0,
        returns: Returns | None = None,
        pause: PauseFor = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A connection without a pong for twice ``ping_seconds`` is given up. ``returns`` end pauses early."""
        self._address, self._tokens, self._ping_seconds = address, tokens, ping_seconds
        self._returns, self._pause, self._clock = returns or Returns(), pause, clock
        self.cursor = cursor
        """Id of the last message that was handed on. A program that keeps it misses nothing while it is off for less
        than a day."""
        self.connections = 0
        """How many have begun."""
        self._socket: ClientConnection | None = None
        self._readers = 0
        self._closed = asyncio.Event()
        self._token = ""
        self._failures, self._bad_tokens, self._began = 0, 0, 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the connection, and the iteration of a task that waits for a message, or to connect again.

        The iterator may be used again, and continues.
        """
        if self._readers > 0:
            self._closed.set()
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> "LiveMessage":
        """The next message. Raises LibraryRefusal where no token is accepted, ForeignAnswer for a wrong address."""
        self._readers += 1
        try:
            while not self._closed.is_set():
                message = await self._read()
                if message is not None:
                    return message
            await self.aclose()  # of a connection that was made meanwhile
            raise StopAsyncIteration
        finally:
            self._readers -= 1
            if self._readers == 0:
                self._closed.clear()

    async def _read(self) -> "LiveMessage | None":
        """One step: a connection, the pause after one, or a text, which may be a message for the caller."""
        from websockets.exceptions import ConnectionClosed

        if self._socket is None:
            await self._connect()
            return None
        try:
            text = await self._socket.recv()
        except ConnectionClosed as closed:
            self._socket = None
            if not self._closed.is_set():
                await self._after(closed.rcvd.code if closed.rcvd else 1006)
            return None
        return self._taken(text)

    async def _connect(self) -> None:
        """One attempt, and the pause after one that fails."""
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        try:
            self._token = await self._tokens.current()
        except LibraryUnreachable as away:
            await self._wait(away.retry_after)
            return
        query = f"?{urlencode({'cursor': self.cursor})}" if self.cursor is not None else ""
        try:
            self._socket = await _opened(self._address + query, self._token, self._ping_seconds)
        except InvalidStatus as refused:
            status = refused.response.status_code
            if status == 401:
                await self._renew()
            elif 400 <= status < 500 and status not in (408, 425, 429):
                raise ForeignAnswer(self._address, status, "no WebSocket") from refused
            else:
                await self._wait(retry_after(refused.response.headers))
        except (OSError, TimeoutError, EOFError, InvalidHandshake):
            await self._wait()
        else:
            self._began = self._clock()
            self.connections += 1

    async def _after(self, code: int) -> None:
        """What the end of a connection asks for."""
        if self._clock() - self._began >= _SETTLED_SECONDS:
            self._failures = 0
        if code == _BAD_TOKEN:
            await self._renew()
        else:
            await self._wait(_MINUTE if code == _LIMITED else None)

    async def _renew(self) -> None:
        try:
            if self._bad_tokens == 0 and await self._tokens.renewed(self._token) is not None:
                self._bad_tokens = 1
                return
        except LibraryUnreachable as away:  # the next connection finds the same token refused, and asks again
            await self._wait(away.retry_after)
            return
        raise LibraryRefusal(401, [LibraryProblem("UNAUTHENTICATED", detail="the token is not accepted")])

    async def _wait(self, said: float | None = None) -> None:
        self._failures += 1
        pause = pause_before(self._failures - 1, None if said is None else min(said, _LONGEST_PAUSE))
        if said is not None:
            await self._paused(pause)
        elif await self._paused(pause, self._returns.wait()):
            # A program whose calls are answered again gets its messages again too, and not only after the rest of a
            # pause that has grown meanwhile. But not all clients come at the same moment.
            self._failures = 0
            await self._paused(pause_before(0))

    async def _paused(self, seconds: float, until: Coroutine[Any, Any, Any] | None = None) -> bool:
        """Pauses, at most until the updates are closed, or ``until`` has ended. Returns whether that has."""
        pausing = asyncio.ensure_future(self._pause(seconds))
        ending = [asyncio.ensure_future(self._closed.wait())]
        if until is not None:
            ending.append(asyncio.ensure_future(until))
        try:
            await asyncio.wait((pausing, *ending), return_when=asyncio.FIRST_COMPLETED)
            if pausing.done():
                await pausing
                return False
            return until is not None and ending[-1].done()
        finally:
            for task in (pausing, *ending):
                task.cancel()

    def _taken(self, text: str | bytes) -> "LiveMessage | None":
        """A message that is new to the caller."""
        message = _message_of(text)
        if message is None:
            return None
        kind, number = message["event_type"], message["id"]
        if kind == "auth.success":
            self._bad_tokens = 0
            if self.cursor is None:  # a cut before the first message loses none
                self.cursor = number
        if kind in _OF_THE_CONNECTION:
            return None
        if kind != "resync.required" and self._has_passed(number):
            return None
        self._failures = 0
        self.cursor = number
        return cast("LiveMessage", message)

    def _has_passed(self, number: str) -> bool:
        return self.cursor is not None and self.cursor.isdecimal() and int(number) <= int(self.cursor)


def _message_of(text: str | bytes) -> dict[str, Any] | None:
    """A message, or None for what is none."""
    try:
        message = json.loads(text)
        is_message = isinstance(message["event_type"], str) and message["id"].isdecimal()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return message if is_message else None


def address_of_updates(base_url: str) -> str:
    """The address of the WebSocket beside that of the API."""
    url = urlsplit(base_url)
    before = url.path.partition("/api/v1")[0].rstrip("/")
    return urlunsplit(("wss" if url.scheme == "https" else "ws", url.netloc, before + _PATH, "", ""))


async def _opened(address: str, token: str, ping_seconds: float) -> "ClientConnection":
    from websockets.asyncio.client import connect

    class WithoutRedirects(connect):
        """A token is for the service alone, and the service never redirects."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    headers = {"Authorization": f"Bearer {token}"}
    return await WithoutRedirects(
        address,
        additional_headers=headers,
        open_timeout=10,
        close_timeout=2,
        ping_interval=ping_seconds,
        ping_timeout=ping_seconds,
    )
