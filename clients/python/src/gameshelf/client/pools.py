"""The connections of ``httpx``: those that a cancelled request leaves behind, and those of a closed client.

The pool of ``httpx`` is not made for a task that is cancelled at any of its waits (encode/httpcore#1093):

* between the moment when it has a new connection and the moment when it uses it, that connection stays in the pool;
* while it gives its connection back, the request itself stays in the pool, and has the connection for ever;
* a connection that becomes free in either way is given to none of the requests that wait for one.

When the pool is full of such connections, each call fails with PoolTimeout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from gameshelf.client.errors import LibraryUnreachable

_MARK = "gameshelf.call"
"""The extension of a request that says whose it is. ``httpx`` and its transports leave it alone."""


@asynccontextmanager
async def connection_of(http: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """Around a request, which is made with the extensions that this gives.

    If it is cancelled, its pool has neither its request nor a connection more than before.

    Raises LibraryUnreachable for a client that is closed: a game that ends after it keeps its end in the queue.
    """
    if http.is_closed:  # httpx has no error of its own for it
        raise LibraryUnreachable("the client is closed")
    mark = object()
    try:
        yield {_MARK: mark}
    except asyncio.CancelledError:
        for transport in (http._transport, *http._mounts.values()):
            await _leave(getattr(transport, "_pool", None), mark)
        raise


async def _leave(pool: Any, mark: object) -> None:
    """Ends requests with the mark, and connections that nobody has. A pool of another kind stays as it is."""
    requests, connections = getattr(pool, "_requests", None), getattr(pool, "_connections", None)
    assign = getattr(pool, "_assign_requests_to_connections", None)
    if not isinstance(requests, list) or not isinstance(connections, list) or assign is None:
        return
    requests[:] = [one for one in requests if one.request.extensions.get(_MARK) is not mark]
    in_use = {id(one.connection) for one in requests}
    unused = [one for one in connections if id(one) not in in_use and not one.is_idle() and not one.is_closed()]
    for connection in unused:
        connections.remove(connection)
    for connection in (*unused, *assign()):  # those that wait for a connection have one now
        with suppress(Exception):
            await connection.aclose()
