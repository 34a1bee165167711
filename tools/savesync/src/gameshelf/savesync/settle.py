"""Waiting until a game has finished writing: a save that is read in the middle of a write is a save that never was."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """The folders did not change for as long as the policy asks for."""

    content: T


@dataclass(frozen=True, slots=True)
class Deferred:
    """Something still writes, so nothing is uploaded now."""

    reason: str


async def settle(
    look: Callable[[], Awaitable[T]],
    running: Callable[[], Awaitable[Sequence[str]]],
    seconds: float,
    *,
    rounds: int = 3,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Settled[T] | Deferred:
    """Looks until two looks in a row are equal, with ``seconds`` between them, and no process of the game runs.

    ``look`` returns names, sizes and times. If ``rounds`` pairs of looks differ, the save is deferred.
    """
    if names := await running():
        return Deferred(f"{', '.join(names)} still runs")
    before = await look()
    for _ in range(rounds):
        await pause(seconds)
        if names := await running():
            return Deferred(f"{', '.join(names)} has been started")
        after = await look()
        if after == before:
            return Settled(after)
        before = after
    return Deferred(f"files still change after {rounds * seconds:g} seconds")
