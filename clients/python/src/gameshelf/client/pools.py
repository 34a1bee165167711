"""The connections of ``httpx``: those that a cancelled request leaves behind, and those of a closed client.

A request that is cancelled after the pool has given it a new connection, and before it has begun to connect or to send,
leaves that connection in the pool for ever (encode/httpcore#1093). When the pool is full of them, each call fails with
PoolTimeout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from gameshelf.client.errors import LibraryUnreachable


@asynccontextmanager
async def connection_of(http: httpx.AsyncClient) -> AsyncIterator[None]:
    """Around a request: if it is cancelled, its pool has no connection more than before.

    Raises LibraryUnreachable for a client that is closed: a game that ends after it keeps its end in the queue.
    """
    if http.is_closed:  # httpx has no error of its own for it
        raise LibraryUnreachable("the client is closed")
    try:
        yield
    except asyncio.CancelledError:
        for transport in (http._transport, *http._mounts.values()):
            await _close_orphans(getattr(transport, "_pool", None))
        raise


async def _close_orphans(pool: Any) -> None:
    """Closes connections that are not idle, though no request has them. A pool of another kind stays as it is."""
    requests, connections = getattr(pool, "_requests", None), getattr(pool, "_connections", None)
    if not isinstance(requests, list) or not isinstance(connections, list):
        return
    in_use = {id(getattr(request, "connection", None)) for request in requests}
    orphans = [one for one in connections if id(one) not in in_use and not one.is_idle() and not one.is_closed()]
    for orphan in orphans:
        connections.remove(orphan)
    for orphan in orphans:
        with suppress(Exception):
            await orphan.aclose()
