"""HTTP/1 for Hypercorn: answers malformed requests with 4xx, or closes the connection."""

import h11
from gameshelf.gateway.runtime.serving.inbound import Inbound
from gameshelf.gateway.runtime.serving.malformed import refusal_of_malformed
from gameshelf.gateway.runtime.serving.websocket import WebSocketStream
from hypercorn.events import Closed, Event
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.typing import ASGISendEvent

_OF_HANDSHAKE = frozenset({b"connection", b"upgrade"})


class HttpStream(HTTPStream):
    """One request. Drops what the application sends after the client has disconnected."""

    _inbound: Inbound | None = None

    async def handle(self, event: StreamEvent) -> None:
        await super().handle(event)
        if isinstance(event, Request):
            self._inbound = Inbound(self.app_put)
            self.app_put = self._inbound.put

    async def app_send(self, message: ASGISendEvent | None) -> None:
        if message is None and self._inbound:
            self._inbound.end()
        if message is None or not self.closed:
            await super().app_send(message)


class Http1(H11Protocol):
    """One connection of HTTP/1. ``allow_h2c`` lets a client change to HTTP/2 without TLS."""

    allow_h2c = False

    async def handle(self, event: Event) -> None:
        try:
            await super().handle(event)
        except h11.LocalProtocolError:
            # The client violated the protocol in a state in which no answer can be sent.
            await self.send(Closed())

    async def _check_protocol(self, event: h11.Request) -> None:
        if self.allow_h2c:
            await super()._check_protocol(event)

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in (b"1.0", b"1.1") or not _is_readable(request):
            await self._refuse(400)
        else:
            await self._start(request, is_websocket=_asks_for_websocket(request))

    async def _start(self, request: h11.Request, *, is_websocket: bool) -> None:
        kind = WebSocketStream if is_websocket else HttpStream
        self.stream = kind(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        if is_websocket:
            assert isinstance(self.connection, h11.Connection)
            self.connection = H11WSConnection(self.connection)
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=_path_of(request.target),
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1
        await self.context.mark_request()

    async def _refuse(self, status: int) -> None:
        await self._send_error_response(status)
        await self.send(Closed())

    async def _send_error_response(self, status_code: int) -> None:
        """Answers errors of the protocol in the usual envelope, although they do not reach the application.

        All of them are mistakes of the client, so the status is 4xx: h11 suggests 501 for an unknown transfer encoding.
        """
        status_code = status_code if status_code < 500 else 400
        headers, body = refusal_of_malformed()
        headers += self.config.response_headers("h11")
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _asks_for_websocket(request: h11.Request) -> bool:
    given = dict(request.headers)
    tokens = given.get(b"connection", b"").lower().split(b",")
    return (
        request.method == b"GET"
        and given.get(b"upgrade", b"").strip().lower() == b"websocket"
        and any(token.strip() == b"upgrade" for token in tokens)
    )


def _is_readable(request: h11.Request) -> bool:
    """Returns whether the headers that the server itself interprets are unambiguous and ASCII."""
    names = {name for name, _ in request.headers}
    if b"content-length" in names and b"transfer-encoding" in names:
        return False  # a proxy in front of the service may use the other one (request smuggling)
    return all(
        value.isascii()
        for name, value in request.headers
        if name in _OF_HANDSHAKE or name.startswith(b"sec-websocket-")
    )


def _path_of(target: bytes) -> bytes:
    """Returns the path and query of a request's target, which may be an absolute URI (RFC 9112, 3.2.2)."""
    if target.startswith(b"/"):
        return target
    scheme, _, rest = target.partition(b"://")
    if rest and scheme.lower() in (b"http", b"https"):
        authority = rest.partition(b"?")[0].partition(b"/")[0]
        rest = rest[len(authority) :]
        return rest if rest.startswith(b"/") else b"/" + rest
    return b"/" + target
