"""What long work says while it goes on: a line that moves on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gameshelf.libctl.output import Output, visible
from rich.text import Text

_EVERY_SECONDS = 5.0


@contextmanager
def progress(out: Output, what: str) -> Iterator[Callable[[str], None]]:
    """While the block runs, tells how far ``what`` has come; the block calls what it gets with the words for it."""
    if out.talk.is_terminal:
        with out.talk.status(Text(visible(what))) as status:
            yield lambda told: status.update(Text(visible(f"{what}: {told}")))
        return
    last = time.monotonic()

    def tell(told: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            out.say(f"{what}: {told}")

    yield tell
