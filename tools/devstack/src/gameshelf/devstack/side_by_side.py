"""Many transactions at once, each over a connection of its own, as of many instances."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg

UseCase = Callable[[Any, int], Awaitable[object]]
"""Gets a connection inside a transaction, and the number of the transaction from 0 on."""

SideBySide = Callable[[str, int, UseCase], Awaitable[Counter[str]]]


async def side_by_side(dsn: str, times: int, use_case: UseCase) -> Counter[str]:
    """Calls a use case so many times at once; what came of each: ``done`` and committed, or the name of its error.

    All transactions have begun before the first call. Who waits five minutes for a lock has an error.
    """
    all_begun = asyncio.Barrier(times)

    async def run(connection: Any, number: int) -> str:
        try:
            async with connection.transaction():
                await all_begun.wait()
                await use_case(connection, number)
        except Exception as error:
            return type(error).__name__
        return "done"

    async with AsyncExitStack() as stack:
        connections = []
        for _ in range(times):
            connections.append(await asyncpg.connect(dsn, server_settings={"lock_timeout": "5min"}))
            stack.push_async_callback(connections[-1].close)
        return Counter(await asyncio.gather(*(run(one, number) for number, one in enumerate(connections))))
