"""Proxies before the embedded servers: TLS, which these don't speak, and failures that they can't be made to have."""

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiokafka.protocol import coordination, fetch, metadata, offset, produce
from gameshelf.devstack.ports import HOST

_PRODUCE, _FETCH, _LIST_OFFSETS, _METADATA, _FIND_COORDINATOR = 0, 1, 2, 3, 10
UNKNOWN_TOPIC, LEADER_NOT_AVAILABLE = 3, 5
Partition = tuple[str, int]
Pump = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Proxy:
    """Passes bytes on to a port of this machine, in the running event loop. With ``tls`` its clients speak TLS."""

    def __init__(self, upstream: int, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        """The number of opened connections; a client that TLS refuses opens none."""

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        await self.cut()

    async def listen(self) -> None:
        """Serves, on the port of before if there was one."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends every connection, and takes no others: so a server looks that is down."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            upstream_reader, upstream = await asyncio.open_connection(HOST, self._upstream)
            there, back = self.pumps(writer)
            pumps = [
                asyncio.ensure_future(there(reader, upstream)),
                asyncio.ensure_future(back(upstream_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                upstream.close()  # before the next await, which a cancellation may end
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the server is down, and so the proxy looks to its client
        finally:
            self._tasks.discard(task)
            with suppress(OSError):
                writer.close()

    def pumps(self, client: asyncio.StreamWriter) -> tuple[Pump, Pump]:
        """Returns the functions that forward the bytes of one connection: to the server, and back to the ``client``."""
        return _pass, _pass


class KafkaProxy(Proxy):
    """Looks like the only broker of the cluster, and answers for some partitions as a broker in trouble does."""

    def __init__(self, upstream: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(upstream, tls)
        self.missing: set[str] = set()
        """These topics are not there. (The embedded broker makes each topic that is asked for.)"""
        self.leaderless: set[Partition] = set()
        """These have no leader, by the metadata."""
        self.refused: dict[Partition, int] = {}
        """The code by which records for these are refused; none of them reaches the broker."""
        self.offsets: dict[Partition, int] = {}
        """The code by which a question for their offsets is answered."""
        self.damaged: dict[Partition, int] = {}
        """The batches of these that have the record of this offset come with another last byte."""

    def pumps(self, client: asyncio.StreamWriter) -> tuple[Pump, Pump]:
        waiting: dict[int, tuple[int, int, list[Partition]]] = {}

        async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                frame = await _frame(reader)
                key, version, correlation = struct.unpack_from("!hhi", frame)
                removed: list[Partition] = []
                if key == _PRODUCE and self.refused:
                    frame, removed = self._without_refused(frame, version)
                if frame:
                    waiting[correlation] = (key, version, removed)
                    _write(writer, frame)
                    await writer.drain()
                else:
                    kind = _structs(produce.ProduceRequestStruct)[version].RESPONSE_TYPE
                    answer = kind(**{**dict.fromkeys(kind.SCHEMA.names, 0), "topics": []})
                    self._add_refusals(answer, removed)
                    _write(client, struct.pack("!i", correlation) + answer.encode())

        async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                frame = await _frame(reader)
                (correlation,) = struct.unpack_from("!i", frame)
                key, version, removed = waiting.pop(correlation)
                _write(writer, frame[:4] + self._changed(key, version, removed, frame[4:]))
                await writer.drain()

        return there, back

    def _without_refused(self, frame: bytes, version: int) -> tuple[bytes, list[Partition]]:
        (client_length,) = struct.unpack_from("!h", frame, 8)
        start = 10 + max(client_length, 0)
        request = _structs(produce.ProduceRequestStruct)[version].decode(frame[start:])
        removed = [
            (topic, number) for topic, parts in request.topics for number, _ in parts if (topic, number) in self.refused
        ]
        if not removed:
            return frame, []
        left = [
            (topic, [(number, records) for number, records in parts if (topic, number) not in self.refused])
            for topic, parts in request.topics
        ]
        request.topics = [(topic, parts) for topic, parts in left if parts]
        return (frame[:start] + request.encode() if request.topics else b""), removed

    def _add_refusals(self, answer: Any, removed: list[Partition]) -> None:
        fields = len(answer.SCHEMA.fields[answer.SCHEMA.names.index("topics")].array_of.fields[1].array_of.fields)
        for topic, number in removed:
            code = self.refused.get((topic, number), LEADER_NOT_AVAILABLE)
            answer.topics.append((topic, [(number, code, *([-1] * (fields - 2)))]))

    def _changed(self, key: int, version: int, removed: list[Partition], body: bytes) -> bytes:
        if key not in _REQUESTS or (key == _PRODUCE and not removed) or (key == _FETCH and not self.damaged):
            return body
        answer = _structs(_REQUESTS[key])[version].RESPONSE_TYPE.decode(body)
        if key == _PRODUCE:
            self._add_refusals(answer, removed)
        elif key == _FETCH:
            answer.topics = [
                (topic, [(number, *more, self._damage(topic, number, records)) for number, *more, records in parts])
                for topic, parts in answer.topics
            ]
        elif key == _METADATA:
            answer.brokers = [(node, HOST, self.port, *more) for node, _, _, *more in answer.brokers]
            answer.topics = [self._topic(*topic) for topic in answer.topics]
        elif key == _FIND_COORDINATOR:
            answer.host, answer.port = HOST, self.port
        else:
            answer.topics = [
                (topic, [(number, self.offsets.get((topic, number), code), *more) for number, code, *more in parts])
                for topic, parts in answer.topics
            ]
        return bytes(answer.encode())

    def _damage(self, topic: str, number: int, records: bytes | None) -> bytes | None:
        bad = self.damaged.get((topic, number))
        if bad is None or not records:
            return records
        changed, start = bytearray(records), 0
        while start + 27 <= len(changed):
            base, length = struct.unpack_from("!qi", changed, start)
            (last,) = struct.unpack_from("!i", changed, start + 23)
            end = start + 12 + length
            if base <= bad <= base + last and end <= len(changed):
                changed[end - 1] ^= 0xFF
            start = end
        return bytes(changed)

    def _topic(self, code: int, topic: str, *rest: Any) -> tuple[Any, ...]:
        *more, parts = rest
        if topic in self.missing:
            return (UNKNOWN_TOPIC, topic, *more, [])
        changed = [
            (LEADER_NOT_AVAILABLE, number, -1, *others) if (topic, number) in self.leaderless else part
            for part in parts
            for _, number, _, *others in [part]
        ]
        return (code, topic, *more, changed)


_REQUESTS: dict[int, Any] = {
    _PRODUCE: produce.ProduceRequestStruct,
    _FETCH: fetch.FetchRequestStruct,
    _LIST_OFFSETS: offset.OffsetRequestStruct,
    _METADATA: metadata.MetadataRequestStruct,
    _FIND_COORDINATOR: coordination.FindCoordinatorRequestStruct,
}


def _structs(union: Any) -> dict[int, Any]:
    """A request's classes by their versions."""
    return {one.API_VERSION: one for one in union.__args__}


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    return await reader.readexactly(length)


def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack("!i", len(frame)) + frame)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
