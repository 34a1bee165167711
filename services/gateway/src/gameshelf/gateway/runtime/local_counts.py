"""Counts events of the current minute in this process, in bounded memory."""

from collections import OrderedDict

MAX_KEYS = 50_000
"""Maximum number of keys, some 10 MB; beyond it the least recently counted key starts from zero again."""


class LocalCounts:
    """Counts per key within one window. The caller passes the window's number; a new number resets the counts."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._window = -1
        self._counts: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str, window: int) -> int:
        """Increases the count of a key; returns the new count."""
        if window != self._window:
            self._window = window
            self._counts.clear()
        count = self._counts.pop(key, 0) + 1
        self._keep(key, count)
        return count

    def raise_to(self, key: str, window: int, count: int) -> None:
        """Raises the count of a key to at least ``count``, because other instances have counted more."""
        if window == self._window and count > self._counts.get(key, 0):
            self._keep(key, count)

    def _keep(self, key: str, count: int) -> None:
        self._counts[key] = count
        if len(self._counts) > self._max_keys:
            self._counts.popitem(last=False)
