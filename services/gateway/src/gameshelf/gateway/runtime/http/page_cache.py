"""A cache of rendered pages.

A key contains the versions of the page's data, which each request reads again, so a cached page is never out of date.
"""

from collections import OrderedDict


class PageCache:
    """The most recently used pages, at most ``max_bytes`` of them. Not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._pages: OrderedDict[str, bytes] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
        return page

    def put(self, key: str, page: bytes) -> None:
        if key in self._pages:
            return
        self._pages[key] = page
        self._bytes += len(page) + len(key)
        while self._bytes > self._max_bytes:
            old_key, old = self._pages.popitem(last=False)
            self._bytes -= len(old) + len(old_key)
