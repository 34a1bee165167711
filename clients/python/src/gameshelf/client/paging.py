"""Collections: pages are fetched as they are needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from gameshelf.client.answers import LibraryAnswer

T = TypeVar("T")
FetchPage = Callable[[int, int | None], Awaitable[LibraryAnswer[list[T]]]]
LARGEST_PAGE = 100
"""Elements per request of an iteration, unless the call says otherwise: the most that each collection allows."""
MOST_PAGES = 10_000
"""A collection that never ends is an error of the one who answers; nobody fetches it for ever."""


class Pages(Generic[T]):
    """A collection: ``async for item in pages``. Each iteration begins with the first page."""

    def __init__(self, fetch: FetchPage[T], limit: int | None = None) -> None:
        """``fetch`` gets the number of a page and its size; None is the service's own."""
        self._fetch, self._limit = fetch, limit

    async def page(self, number: int = 1) -> LibraryAnswer[list[T]]:
        """One page; its ``meta`` has the number of all elements."""
        return await self._fetch(number, self._limit)

    async def all(self) -> list[T]:
        """All elements."""
        return [one async for one in self]

    async def __aiter__(self) -> AsyncIterator[T]:
        """Elements that move to the next page while it is fetched come once."""
        seen: set[Any] = set()
        limit = LARGEST_PAGE if self._limit is None else self._limit
        for number in range(1, MOST_PAGES + 1):
            answer = await self._fetch(number, limit)
            ids = {_id_of(one) for one in answer.data}
            for one in answer.data:
                if _id_of(one) not in seen:
                    yield one
            if "next" not in answer.links or not answer.data:
                return
            seen = ids


def _id_of(element: Any) -> Any:
    return element["id"]
