"""A measure of processor time that grows with the load of the machine, as what is measured beside it does."""

import json
import time

_DOCUMENT = b"{" + b",".join(b'"%d":[]' % number for number in range(25_000)) + b"}"


def cpu_floor() -> float:
    """Returns the processor seconds that this thread takes now to parse a plain document of a quarter of a megabyte."""
    before = time.thread_time()
    json.loads(_DOCUMENT)
    return time.thread_time() - before
