"""How often something happened in the current minute, counted in this process alone, in bounded memory."""

from collections import OrderedDict

MAX_KEYS = 50_000
"""How many keys are counted at once, some 10 MB; beyond them the one that was seen longest ago is counted anew."""


class LocalCounts:
    """Counts per key within one window. The caller names the window by its number; a new number starts from nothing."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._window = -1
        self._counts: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str, window: int) -> int:
        """Counts one more; how many there are now, this one included."""
        if window != self._window:
            self._window = window
            self._counts.clear()
        count = self._counts.pop(key, 0) + 1
        self._keep(key, count)
        return count

    def raise_to(self, key: str, window: int, count: int) -> None:
        """Others have counted more under the same key: the count is at least ``count``."""
        if window == self._window and count > self._counts.get(key, 0):
            self._keep(key, count)

    def _keep(self, key: str, count: int) -> None:
        self._counts[key] = count
        if len(self._counts) > self._max_keys:
            self._counts.popitem(last=False)
