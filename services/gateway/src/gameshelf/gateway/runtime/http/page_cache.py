"""A cache of rendered pages.

A page is kept with the versions of its data, which each request reads again, so a cached page is never out of date.
"""

from collections import OrderedDict


class PageCache:
    """The most recently used pages, at most ``max_bytes`` of them. Not for several threads.

    Of each key only one page is kept, the last one: a version that has passed does not come back.
    """

    def __init__(self, max_bytes: int) -> None:
        self._pages: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, key: str, versions: str) -> bytes | None:
        """Returns the page of a key if it was made from these versions."""
        kept = self._pages.get(key)
        if kept is None or kept[0] != versions:
            return None
        self._pages.move_to_end(key)
        return kept[1]

    def put(self, key: str, versions: str, page: bytes) -> None:
        """Keeps a page in the place of the last one of the key."""
        if key in self._pages:
            self._forget(key)
        self._pages[key] = versions, page
        self._bytes += _size(key, versions, page)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._pages)))

    def _forget(self, key: str) -> None:
        self._bytes -= _size(key, *self._pages.pop(key))


def _size(key: str, versions: str, page: bytes) -> int:
    return len(key) + len(versions) + len(page)
