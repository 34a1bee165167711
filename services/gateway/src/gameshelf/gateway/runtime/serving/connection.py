"""A TCP connection of Hypercorn, with limits on how long a client may keep it open without sending or reading."""

import asyncio
from contextlib import suppress
from typing import Any

from gameshelf.gateway.runtime.serving.http1 import Http1
from gameshelf.gateway.runtime.serving.http2 import Http2
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h11 import H2CProtocolRequiredError, H2ProtocolAssumedError
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

FIRST_REQUEST_SECONDS = 20.0
"""How long the first request's headers may take. Later ones may also wait for the keep-alive time."""
STALLED_SECONDS = 30.0
"""How long a client may stop reading a response."""


class Protocols(ProtocolWrapper):
    """Chooses the version of HTTP: 1 always, 2 if it is allowed."""

    def __init__(self, allow_h2c: bool, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._arguments = (
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.state,
            self.ssl,
            self.client,
            self.server,
            self.send,
        )
        self.protocol = Http1(*self._arguments)
        self.protocol.allow_h2c = allow_h2c

    async def handle(self, event: Event) -> None:
        try:
            await self.protocol.handle(event)
        except H2ProtocolAssumedError as error:
            self.protocol = Http2(*self._arguments)
            await self.protocol.initiate()
            await self.protocol.handle(RawData(data=error.data))
        except H2CProtocolRequiredError as error:
            self.protocol = Http2(*self._arguments)
            await self.protocol.initiate(error.headers, error.settings)
            if error.data:
                await self.protocol.handle(RawData(data=error.data))


class ClientConnection(TCPServer):
    """One connection. ``run`` serves it to its end, and raises nothing but CancelledError."""

    allow_h2c = False
    _served = False
    _has_ended = False

    async def run(self) -> None:
        socket = self.writer.get_extra_info("socket")
        try:
            client = parse_socket_addr(socket.family, socket.getpeername())
            server = parse_socket_addr(socket.family, socket.getsockname())
            async with TaskGroup(self.loop) as task_group:
                self._task_group = task_group
                self.protocol = Protocols(
                    self.allow_h2c,
                    self.app,
                    self.config,
                    self.context,
                    task_group,
                    ConnectionState(self.state),
                    False,
                    client,
                    server,
                    self.protocol_send,
                )
                await self.idle_task.restart(task_group, self._idle_timeout)
                await self._read_data()
                # No further request can arrive, so the idle timer, which would keep the connection in memory, ends.
                self._has_ended = True
                await self.idle_task.stop()
        except* OSError:
            pass  # the client has gone
        finally:
            await self._close()

    async def protocol_send(self, event: Event) -> None:
        if not isinstance(event, RawData):
            if not (self._has_ended and isinstance(event, Updated)):
                await super().protocol_send(event)
            return
        self._served = True
        async with self.send_lock:
            try:
                self.writer.write(event.data)
                if self.writer.transport.get_write_buffer_size() > 0:
                    async with asyncio.timeout(STALLED_SECONDS):
                        await self.writer.drain()
            except TimeoutError:
                self.writer.transport.abort()
                await self.protocol.handle(Closed())
            except (ConnectionError, RuntimeError):
                await self.protocol.handle(Closed())

    async def _idle_timeout(self) -> None:
        seconds = self.config.keep_alive_timeout if self._served else FIRST_REQUEST_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.context.terminated.wait()
        await asyncio.shield(self._initiate_server_close())
