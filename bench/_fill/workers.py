"""Processes that generate parts."""

import ctypes
import gc
import signal
import sys

_SET_SIGNAL_OF_PARENTS_DEATH = 1


def end_with_parent() -> None:
    """Begins a worker: the kernel ends it when its parent dies, which may be killed and can't end it then."""
    # What a part consists of is freed as a whole, and has no cycles.
    gc.disable()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL)
