"""The event loop that a process runs on, and what a lost connection does to a writer on it."""

import asyncio
import socket
import struct
import sys

import httpx
import pytest
from gameshelf.gateway.runtime.event_loop import adapt_streams, loop_factory, name_of_loop
from gameshelf.gateway.runtime.settings import SettingsError
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError

LOOPS = ("uvloop", "asyncio")


@pytest.fixture(params=LOOPS)
def runner(request, monkeypatch):
    """Runs coroutines on one of the loops, on which streams are adapted."""
    for name in ("write", "writelines"):
        monkeypatch.setattr(asyncio.StreamWriter, name, getattr(asyncio.StreamWriter, name))  # restored afterwards
    with asyncio.Runner(loop_factory=loop_factory(request.param)) as made:
        assert name_of_loop(made.get_loop()) == request.param
        yield made


class ResettingServer:
    """Accepts connections, and resets all of them at once."""

    async def __aenter__(self):
        self.writers = []
        self._server = await asyncio.start_server(lambda _, writer: self.writers.append(writer), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def reset(self):
        while not self.writers:
            await asyncio.sleep(0)
        for writer in self.writers:
            opened = writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def lost(reader):
    with pytest.raises(ConnectionResetError):
        await reader.read()


def test_a_write_to_a_lost_connection_is_found_by_drain(runner):
    async def work():
        adapt_streams()
        async with ResettingServer() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            await server.reset()
            await lost(reader)
            writer.write(b"x")
            writer.writelines([b"x", b"y"])
            with pytest.raises(ConnectionResetError):
                await writer.drain()
            writer.close()

    runner.run(work())


def test_a_write_after_the_end_of_a_stream_is_refused(runner):
    async def work():
        adapt_streams()
        async with ResettingServer() as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write_eof()
            for write in (writer.write, lambda data: writer.writelines([data])):
                with pytest.raises(RuntimeError, match="after write_eof"):
                    write(b"x")
            writer.close()

    runner.run(work())


def test_redis_knows_a_connection_that_was_reset_while_idle(runner):
    """A cluster's client takes such a connection from its pool without looking, and connects again if it is lost."""

    async def work():
        adapt_streams()
        async with ResettingServer() as server:
            connection = Connection(
                host="127.0.0.1", port=server.port, protocol=2, socket_timeout=2.0, lib_name=None, lib_version=None
            )
            await connection.connect()
            await server.reset()
            await lost(connection._reader)
            with pytest.raises(RedisConnectionError):
                await connection.send_command("PING")

    runner.run(work())


def test_uvloop_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory("auto") is asyncio.new_event_loop
    with pytest.raises(SettingsError, match=r"LIBRARY_SERVICE_EVENT_LOOP: uvloop is not installed"):
        loop_factory("uvloop")


@pytest.mark.parametrize("wanted", ["auto", "asyncio"])
def test_metrics_and_log_name_the_loop_of_the_process(platform, wanted):
    service = platform.service(LIBRARY_SERVICE_ROLES="jobs", LIBRARY_SERVICE_EVENT_LOOP=wanted)
    service.start()
    used = "uvloop" if wanted == "auto" else wanted
    assert f'event_loop="{used}"' in httpx.get(service.metrics).text
    assert f'"event_loop":"{used}"' in service.log.read_text()
    assert service.stop() == 0
