"""A small HTTP load generator: keep-alive connections that ask again as soon as they are answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one run. Latencies in milliseconds."""

    a_second: float
    p50: float
    p95: float
    p99: float
    failed: int
    answered: int


async def load(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Run:
    """Sends raw requests in turn for so many seconds; every answer has to be a 200."""
    latencies: list[float] = []
    failed = 0
    turn = iter(range(10**12))
    end = time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            writer.write(requests[next(turn) % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
            failed += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    took = time.perf_counter() - began
    ordered = sorted(latencies)
    at = [percentile(ordered, share) * 1000 for share in (0.5, 0.95, 0.99)]
    return Run(len(ordered) / took, *at, failed, len(ordered))


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def send(request: bytes, connection: Connection) -> tuple[bytes, Connection | None]:
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
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return head, connection


async def paced(port: int, requests: Sequence[bytes], rate: float) -> Run:
    """Sends each raw request once, so many a second whatever is answered; every answer has to be a 200.

    A latency counts from when a request was due, so that a service that falls behind can't hide it.
    """
    free: list[Connection] = []
    latencies: list[float] = []
    failed = 0

    async def ask(request: bytes, due: float) -> None:
        nonlocal failed
        try:
            # A server may close a connection that has served long enough: its unanswered request is sent again.
            head, connection = await send(request, free.pop()) if free else (b"", None)
            if not head:
                head, connection = await send(request, await asyncio.open_connection("127.0.0.1", port))
        except (OSError, asyncio.IncompleteReadError):
            failed += 1
            return
        latencies.append(time.perf_counter() - due)
        failed += not head.startswith(b"HTTP/1.1 200")
        if connection:
            free.append(connection)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, request in enumerate(requests):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            tasks.create_task(ask(request, due))
    took = time.perf_counter() - began
    for _, writer in free:
        writer.close()
    ordered = sorted(latencies)
    at = [percentile(ordered, share) * 1000 for share in (0.5, 0.95, 0.99)]
    return Run(len(ordered) / took, *at, failed, len(ordered))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of these ordered values does not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
