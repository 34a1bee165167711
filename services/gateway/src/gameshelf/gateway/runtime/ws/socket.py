"""A WebSocket over plain ASGI.

Quart's WebSocket is not used: it moves messages into an unbounded queue as fast as they arrive, so a client that sends
faster than its messages are handled would fill the memory. With this one the server waits for `receive`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from gameshelf.gateway.runtime.http.reply import JSON, Reply
from werkzeug.datastructures import Headers

MAX_MESSAGE_BYTES = 16 * 1024
MESSAGE_TOO_BIG = 1009
_MAX_QUERY_BYTES = 1024
"""Only the beginning of the query is read: a cursor has at most 20 digits."""


class Disconnected(Exception):
    """The peer has gone, or the server has closed the connection already."""


class MessageTooBig(Exception):
    """The peer sent more than `MAX_MESSAGE_BYTES` in one message."""


class Socket:
    """One connection, from its handshake on. Either `accept` or `refuse` comes first."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope: Mapping[str, Any] = scope
        self.headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        self.subprotocols: Sequence[str] = scope.get("subprotocols") or ()
        self._receive = receive
        self._send = send

    @property
    def address(self) -> str:
        """The peer's address; empty if the server doesn't know it."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def argument(self, name: str) -> str | None:
        """Returns the first value of a query parameter."""
        query = self.scope.get("query_string", b"")[:_MAX_QUERY_BYTES].decode("latin-1")
        return next((value for key, value in parse_qsl(query, keep_blank_values=True) if key == name), None)

    async def accept(self, subprotocol: str | None = None) -> None:
        """Completes the handshake. Raises Disconnected."""
        await self._connect()
        await self._emit({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})

    async def refuse(self, reply: Reply) -> None:
        """Answers the handshake with an error; servers without the extension for responses answer 403."""
        await self._connect()
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self._emit({"type": "websocket.close", "code": 1008})
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        if reply.body:
            headers.append((b"content-type", JSON.encode()))
        headers += [(b"content-length", b"%d" % len(reply.body)), (b"connection", b"close")]
        start = {"type": "websocket.http.response.start", "status": reply.status, "headers": headers}
        await self._emit(start)
        await self._emit({"type": "websocket.http.response.body", "body": reply.body})

    async def receive(self) -> str | bytes:
        """Returns the next message. Raises Disconnected, MessageTooBig."""
        event = await self._receive()
        if event["type"] != "websocket.receive":
            raise Disconnected
        text: str | None = event.get("text")
        message = event.get("bytes") or b"" if text is None else text
        if len(message) > MAX_MESSAGE_BYTES or (isinstance(message, str) and _is_too_big(message)):
            raise MessageTooBig
        return message

    async def send(self, text: str) -> None:
        """Sends a message. Raises Disconnected."""
        await self._emit({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Closes with a code. Raises Disconnected."""
        await self._emit({"type": "websocket.close", "code": code})

    async def _connect(self) -> None:
        if (await self._receive())["type"] != "websocket.connect":
            raise Disconnected

    async def _emit(self, event: dict[str, Any]) -> None:
        try:
            await self._send(event)
        except (OSError, RuntimeError) as error:  # Granian raises these for a closed connection
            raise Disconnected from error


def _is_too_big(text: str) -> bool:
    return 4 * len(text) > MAX_MESSAGE_BYTES and len(text.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES
