"""Serves one WebSocket: identifies the caller, sends missed and new events, closes it (contract, section 5)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.errors import RateLimitExceeded, Unauthenticated
from gameshelf.gateway.runtime.failures import postgres_is_away
from gameshelf.gateway.runtime.http.authenticate import Authenticate, player
from gameshelf.gateway.runtime.http.reply import Reply
from gameshelf.gateway.runtime.identity import Identity, InvalidCredentials, TokenVerifier
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.origins import AllowedOrigins
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.gateway.runtime.outbox.messages import device_message
from gameshelf.gateway.runtime.streams import StreamState, UserErased, UserStreams
from gameshelf.gateway.runtime.ws.allowance import Allowance
from gameshelf.gateway.runtime.ws.hub import Hub, Subscriber
from gameshelf.gateway.runtime.ws.socket import MESSAGE_TOO_BIG, Disconnected, MessageTooBig, Socket
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import PermissionDenied

_log = logging.getLogger(__name__)

PATH = "/api/v1/ws/library-updates"
TOKEN_WAIT_SECONDS = 5.0
CLOSE_WAIT_SECONDS = 5.0
DRAIN_WAIT_SECONDS = 2.0
SLOW_READER_SECONDS = 10.0
"""How long sending one message may take before a client that does not read is disconnected."""
LEEWAY = timedelta(seconds=30)
UNAUTHENTICATED = 4401
TOO_SLOW = 4408
TOO_MANY = 4429
GOING_AWAY = 1001
TRY_AGAIN_LATER = 1013
MAX_CONNECTIONS = 32
"""How many connections of one user an instance serves."""
MESSAGES_PER_MINUTE = 60
"""How many messages one connection may send. Each also counts as a request of its user."""
_CHUNK = 100


class _Close(Exception):
    """Raised to close the connection with this code."""

    def __init__(self, code: int) -> None:
        self.code = code


class LibraryUpdates:
    """Serves the WebSocket. ``by_header`` identifies from the handshake, ``verifier`` tokens in messages."""

    def __init__(
        self,
        hub: Hub,
        streams: UserStreams,
        acquire: Acquire,
        by_header: Authenticate,
        verifier: TokenVerifier | None,
        limits: RateLimits,
        allowed_origins: AllowedOrigins,
        clock: Clock = utc_now,
    ) -> None:
        self._hub = hub
        self._streams = streams
        self._acquire = acquire
        self._by_header = by_header
        self._verifier = verifier
        self._limits = limits
        self._allowed_origins = allowed_origins
        self._clock = clock
        self._draining = asyncio.Event()
        self._open: set[asyncio.Future[None]] = set()

    async def drain(self) -> None:
        """Closes every connection with 1001; clients reconnect to another instance and send their cursor.

        Returns when all connections are closed, or after DRAIN_WAIT_SECONDS.
        """
        self._draining.set()
        if self._open:
            await asyncio.wait(self._open, timeout=DRAIN_WAIT_SECONDS)

    async def serve(self, socket: Socket) -> None:
        """Serves one connection until it ends. The caller has counted the handshake for the peer's address."""
        ended = asyncio.get_running_loop().create_future()
        self._open.add(ended)
        try:
            origin = socket.headers.get("Origin")
            if origin is not None and origin not in self._allowed_origins:
                self._allowed_origins.refuse(origin, "websocket")
                await socket.refuse(Reply(403))
                return
            bearer = len(socket.subprotocols) >= 2 and socket.subprotocols[0] == "bearer"
            await socket.accept("bearer" if bearer else None)
            code = await self._closing_code(socket, socket.subprotocols[1] if bearer else None)
            async with asyncio.timeout(CLOSE_WAIT_SECONDS):
                await socket.close(code)
        except Disconnected:
            pass
        except TimeoutError:
            _log.info("a client did not read the close frame in time and was disconnected")
        finally:
            self._open.discard(ended)
            ended.set_result(None)

    async def _closing_code(self, socket: Socket, token: str | None) -> int:
        """Serves an accepted connection; returns the code to close it with. Raises Disconnected."""
        try:
            await self._session(socket, token)
        except _Close as close:
            return close.code
        except (InvalidCredentials, Unauthenticated, PermissionDenied, UserErased):
            return UNAUTHENTICATED
        except RateLimitExceeded:
            return TOO_MANY
        except MessageTooBig:
            return MESSAGE_TOO_BIG
        except Disconnected:
            raise
        except Exception as error:
            if not postgres_is_away(error):
                _log.exception("a WebSocket failed")
        return TRY_AGAIN_LATER

    async def _session(self, socket: Socket, token: str | None) -> None:
        identity = await self._identify(socket, token)
        await self._limits.of_user(identity.user_id)
        if self._hub.connections(identity.user_id) >= MAX_CONNECTIONS:
            raise _Close(TOO_MANY)
        subscriber = Subscriber(identity.user_id)
        self._hub.add_subscriber(subscriber)
        try:
            async with self._acquire() as connection:
                state = await self._streams.state(connection, identity.user_id)
            await self._resume(socket, subscriber, state)
            await self._until_over(socket, subscriber, identity)
        finally:
            self._hub.remove_subscriber(subscriber)

    async def _identify(self, socket: Socket, token: str | None) -> Identity:
        if token is not None:
            return await self._verified(token)
        if socket.headers.get("Authorization") or socket.headers.get("X-User-Id"):
            return await self._by_header(socket)
        try:
            async with asyncio.timeout(TOKEN_WAIT_SECONDS):
                message = await socket.receive()
        except TimeoutError:
            raise InvalidCredentials("no token in time") from None
        sent = _token_in(_document(message))
        if sent is None:
            raise InvalidCredentials("the first message is not a token")
        return await self._verified(sent)

    async def _verified(self, token: str) -> Identity:
        if self._verifier is None:
            raise InvalidCredentials("this service does not accept tokens")
        return player(await self._verifier.verify(token))

    async def _write(self, socket: Socket, text: str) -> None:
        """Sends one message, and disconnects a client that does not read it in time.

        Without the time-out this task would wait for ever while the client answers pings, and the connection would
        outlive its token.
        """
        # Not asyncio.wait_for: that of Python 3.11 loses a cancellation that arrives when the message is sent, and the
        # connection would outlive its drain.
        try:
            async with asyncio.timeout(SLOW_READER_SECONDS):
                await socket.send(text)
        except TimeoutError:
            raise _Close(TOO_SLOW) from None

    async def _greet(self, socket: Socket, cursor: int) -> None:
        """Confirms the token and sends the cursor after which messages continue."""
        await self._write(socket, device_message("auth.success", cursor, self._clock(), {"cursor": str(cursor)}))

    async def _resume(self, socket: Socket, subscriber: Subscriber, state: StreamState) -> None:
        given = socket.argument("cursor")
        cursor = state.last_sequence if given is None else feed.parse_cursor(given)
        if cursor is not None and feed.is_continuous(cursor, state):
            await self._greet(socket, cursor)
            subscriber.start(cursor)
            return
        await self._greet(socket, state.last_sequence)
        await self._require_resync(socket, subscriber, state)

    async def _require_resync(self, socket: Socket, subscriber: Subscriber, state: StreamState) -> None:
        await self._write(socket, device_message(feed.RESYNC, state.last_sequence, self._clock(), {}))
        subscriber.start(state.last_sequence)

    async def _until_over(self, socket: Socket, subscriber: Subscriber, identity: Identity) -> None:
        """Runs the connection until one of its tasks ends; raises the reason."""
        parts: tuple[Callable[[], Awaitable[None]], ...] = (
            lambda: self._send(socket, subscriber),
            lambda: self._listen(socket, subscriber, identity),
            lambda: self._watch_ends(subscriber),
            self._watch_drain,
        )
        tasks = [asyncio.ensure_future(part()) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _send(self, socket: Socket, subscriber: Subscriber) -> None:
        while True:
            await subscriber.woken.wait()
            subscriber.woken.clear()
            if subscriber.behind:
                await self._read_feed(socket, subscriber)
            while subscriber.waiting:
                sequence, text = subscriber.waiting.popleft()
                await self._write(socket, text)
                subscriber.sent = sequence

    async def _read_feed(self, socket: Socket, subscriber: Subscriber) -> None:
        subscriber.begin_reading()
        async with self._acquire() as connection:
            state = await self._streams.state(connection, subscriber.user_id)
            found = await feed.follow(connection, subscriber.user_id, state, subscriber.known, _CHUNK)
        if found.messages is None:
            await self._require_resync(socket, subscriber, state)
            return
        subscriber.caught_up(found.messages, found.cursor)
        if found.has_more:
            subscriber.catch_up()

    async def _listen(self, socket: Socket, subscriber: Subscriber, identity: Identity) -> None:
        """Answers pings and accepts fresh tokens of the same user.

        Raises when the newest token has expired, and when the client sends too many messages.
        """
        allowance = Allowance(MESSAGES_PER_MINUTE)
        while True:
            left = None
            if identity.expires_at is not None:
                left = (identity.expires_at + LEEWAY - self._clock()).total_seconds()
            try:
                async with asyncio.timeout(left):
                    message = await socket.receive()
            except TimeoutError:
                raise _Close(UNAUTHENTICATED) from None
            if not allowance.take():
                raise _Close(TOO_MANY)
            await self._limits.of_user(identity.user_id)
            document = _document(message)
            if document.get("type") == "ping":
                # The id is that of the newest message that was sent, so a client can use it as a cursor.
                await self._write(socket, device_message("pong", subscriber.sent, self._clock(), {}))
                continue
            token = _token_in(document)
            if token is None:
                continue  # other messages are ignored
            fresh = await self._verified(token)
            if fresh.user_id != identity.user_id:
                raise _Close(UNAUTHENTICATED)
            identity = fresh
            async with self._acquire() as connection:
                await self._streams.state(connection, identity.user_id)  # raises if the account was erased
            await self._greet(socket, subscriber.sent)

    async def _watch_ends(self, subscriber: Subscriber) -> None:
        await subscriber.over.wait()
        raise _Close(UNAUTHENTICATED)

    async def _watch_drain(self) -> None:
        await self._draining.wait()
        raise _Close(GOING_AWAY)


def _document(message: str | bytes) -> dict[str, Any]:
    """Returns the JSON object of a message; an empty one for anything else."""
    try:
        document = decode(message)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _token_in(document: dict[str, Any]) -> str | None:
    """Returns the token of ``{"type": "auth.token", "token": "…"}``; None for anything else."""
    if document.get("type") != "auth.token":
        return None
    token = document.get("token")
    return token if isinstance(token, str) else None
