"""A small HTTP load generator: keep-alive connections that ask again as soon as they are answered, or on a schedule."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, cast

from gameshelf.gateway.runtime.event_loop import loop_factory

_PATIENCE_SECONDS = 60
"""Who does not answer for so long hangs."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one run. Latencies in milliseconds."""

    a_second: float
    p50: float
    p95: float
    p99: float
    failed: int
    answered: int


def raw(method: str, path: str, token: str = "", attributes: dict[str, Any] | None = None) -> bytes:
    """A request as it is sent."""
    body = json.dumps({"data": {"attributes": attributes}}).encode() if attributes else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Asking(asyncio.Protocol):
    """A connection that asks again as soon as it is answered. It parses as little as it can, so that the server is
    measured and not the client.
    """

    def __init__(self, requests: Iterator[bytes], end: float, latencies: list[float]) -> None:
        self._requests, self._end, self._latencies = requests, end, latencies
        self.failed = 0
        self.lost: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Set once the connection is closed: whether a request was not answered."""
        self._began: float | None = None
        self._head = b""
        self._missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of another class
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            self._head += data
            head, gap, body = self._head.partition(b"\r\n\r\n")
            if not gap:
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.failed += not is_success(head)
            self._head, self._missing = b"", length - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            assert self._began is not None
            self._latencies.append(time.perf_counter() - self._began)
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(self._began is not None)

    def _ask(self) -> None:
        now = time.perf_counter()
        self._missing, self._began = None, now if now < self._end else None
        if self._began is None:
            self._transport.close()
        else:
            self._transport.write(next(self._requests))


def load(port: int, requests: Iterable[bytes], connections: int, seconds: float) -> Run:
    """Sends raw requests for so many seconds, from the first one again when they have come to an end; every answer has
    to be a success.
    """
    with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
        return runner.run(_load(port, requests, connections, seconds))


async def _load(port: int, requests: Iterable[bytes], connections: int, seconds: float) -> Run:
    latencies: list[float] = []
    turns = cycle(requests)
    began = time.perf_counter()

    async def ask() -> int:
        failed, is_cut = 0, True
        # A server may close a connection that has served long enough: another one takes its place.
        while is_cut:
            _, asking = await asyncio.get_running_loop().create_connection(
                lambda: _Asking(turns, began + seconds, latencies), "127.0.0.1", port
            )
            is_cut = await asking.lost
            failed += asking.failed
        return failed

    async with asyncio.timeout(seconds + _PATIENCE_SECONDS):
        failed = sum(await asyncio.gather(*(ask() for _ in range(connections))))
    took = time.perf_counter() - began
    ordered = sorted(latencies)
    at = [percentile(ordered, share) * 1000 for share in (0.5, 0.95, 0.99)]
    return Run(len(ordered) / took, *at, failed, len(ordered))


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connections:
    """Keep-alive connections to a port, as many as there are requests at once."""

    def __init__(self, port: int) -> None:
        self._port, self._free = port, list[Connection]()

    async def ask(self, request: bytes) -> bytes:
        """Returns the head of the answer. Raises OSError or IncompleteReadError."""
        # A server may close a connection that has served long enough: its unanswered request is sent again.
        head, connection = await _send(request, self._free.pop()) if self._free else (b"", None)
        if not head:
            head, connection = await _send(request, await asyncio.open_connection("127.0.0.1", self._port))
        if connection:
            self._free.append(connection)
        return head

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


def is_success(head: bytes) -> bool:
    return head.startswith(b"HTTP/1.1 2")


async def _send(request: bytes, connection: Connection) -> tuple[bytes, Connection | None]:
    """Returns the head of the answer, and the connection if it can be used again; None if it was closed."""
    reader, writer = connection
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        if getattr(error, "partial", b""):
            raise
        writer.close()
        return b"", None
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))  # 204 has no body, and no length of it
    return head, connection


async def paced(port: int, requests: Sequence[bytes], rate: float) -> Run:
    """Sends each raw request once, so many a second whatever is answered; every answer has to be a success.

    A latency counts from when a request was due, so that a service that falls behind can't hide it.
    """
    connections = Connections(port)
    latencies: list[float] = []
    failed = 0

    async def ask(request: bytes, due: float) -> None:
        nonlocal failed
        try:
            head = await connections.ask(request)
        except (OSError, asyncio.IncompleteReadError):
            failed += 1
            return
        latencies.append(time.perf_counter() - due)
        failed += not is_success(head)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, request in enumerate(requests):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            tasks.create_task(ask(request, due))
    took = time.perf_counter() - began
    connections.close()
    ordered = sorted(latencies)
    at = [percentile(ordered, share) * 1000 for share in (0.5, 0.95, 0.99)]
    return Run(len(ordered) / took, *at, failed, len(ordered))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of these ordered values does not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
